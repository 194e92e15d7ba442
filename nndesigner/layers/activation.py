"""Functions of each value that let a network bend: rectifiers and their smooth relatives. Others are in `squash.py`."""

from __future__ import annotations

import math
from typing import Any, Literal

from nndesigner.layers.base import Bind, Layer, Step, Weight
from nndesigner.layers.elementwise import (
    Elementwise,
    Sloped,
    Temporary,
    bind_positive,
    nothing,
    number,
    sign_bits,
)
from nndesigner.spec import Shape, param


class ReLU(Elementwise):
    """Keeps positive values and turns negative ones into zero; the standard activation.

    y = max(x, 0)

    The first choice between layers: fast, and gradients do not fade. Source: Nair and Hinton 2010.
    """

    kind = "relu.v1"
    title = "ReLU"
    icon = "mdi6.chart-line-variant"
    keywords = ("rectifier", "rectified linear unit", "activation")

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        zeros = xp.zeros_like(x)  # an array of zeros is four times as fast as the number

        def forward() -> None:
            xp.maximum(x, zeros, out=y)

        if dy is None:
            return forward, nothing
        dy_bits, dx_bits, mask = (sign_bits(xp, array)[0] for array in (dy, dx, temporary("mask")))
        find = bind_positive(xp, y, mask)

        def backward() -> None:
            find()
            xp.bitwise_and(dy_bits, mask, out=dx_bits)

        return forward, backward


class ReLU6(Elementwise):
    """ReLU that stops at 6.

    y = min(max(x, 0), 6)

    For networks that are to run in low precision, such as MobileNet. Source: Krizhevsky 2010.
    """

    kind = "relu6.v1"
    title = "ReLU6"
    icon = "mdi6.chart-line-variant"
    keywords = ("rectifier", "clipped", "mobile", "activation")

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        zeros, sixes = xp.zeros_like(x), xp.full_like(x, 6.0)

        def forward() -> None:
            xp.maximum(x, zeros, out=y)
            xp.minimum(y, sixes, out=y)

        if dy is None:
            return forward, nothing
        dy_bits, dx_bits, below, mask = (
            sign_bits(xp, array)[0] for array in (dy, dx, temporary("below"), temporary("mask")))
        rest = temporary("rest")
        find, find_below = bind_positive(xp, y, mask), bind_positive(xp, rest, below)

        def backward() -> None:
            find()
            xp.subtract(sixes, y, out=rest)
            find_below()
            xp.bitwise_and(mask, below, out=mask)
            xp.bitwise_and(dy_bits, mask, out=dx_bits)

        return forward, backward


class LeakyReLU(Elementwise):
    """Like ReLU, but negative values pass a little, so no unit can die.

    y = x where x > 0, else slope · x

    Try it when ReLU networks get stuck with dead units. Source: Maas et al. 2013.
    """

    kind = "leakyrelu.v1"
    title = "Leaky ReLU"
    icon = "mdi6.chart-line-variant"
    keywords = ("rectifier", "activation", "leakyrelu")

    slope: float = param(0.01, "Slope", "How much of a negative value passes. Higher: more like a straight line; 0: "
                         "ReLU.",
                         ge=0, lt=1, step=0.01)

    def summary(self) -> str:
        return f"{self.slope:g}"

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        slope, t = number(x, self.slope, xp), temporary("t")

        def forward() -> None:
            xp.multiply(x, slope, out=t)
            xp.maximum(x, t, out=y)

        if dy is None:
            return forward, nothing
        factor, rest = sign_bits(xp, t)[0], sign_bits(xp, number(x, 1.0 - self.slope, xp))[0]
        find = bind_positive(xp, y, factor)

        def backward() -> None:
            find()
            xp.bitwise_and(factor, rest, out=factor)  # 1 − slope where y > 0
            xp.add(t, slope, out=t)
            xp.multiply(dy, t, out=dx)

        return forward, backward


class PReLU(Layer):
    """Leaky ReLU that learns how much of the negative values passes, for each channel.

    y = x where x > 0, else slope · x with one learnt slope for each channel, at first 0.25.

    A few more weights for a little more freedom. Source: He et al. 2015, arXiv:1502.01852. PyTorch: PReLU with one
    parameter for each channel.
    """

    kind = "prelu.v1"
    title = "PReLU"
    group = "Activation"
    icon = "mdi6.chart-line-variant"
    keywords = ("parametric", "rectifier", "learnt slope", "activation")

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        return {"slope": Weight(inputs[0].dims[-1:], "quarter", decay=False)}

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, slope = ctx.xp, ctx.weights["slope"]
        x, y = ctx.x[0].reshape(-1, slope.size), ctx.y.reshape(-1, slope.size)  # [N, C]
        zeros, t = xp.zeros(slope.size, dtype=ctx.dtype), ctx.scratch("t", x.shape)

        def forward() -> None:
            xp.minimum(x, zeros, out=t)
            xp.multiply(t, slope, out=t)
            xp.maximum(x, zeros, out=y)
            xp.add(y, t, out=y)

        if not ctx.training:
            return forward, nothing
        dy, dslope = ctx.dy.reshape(x.shape), ctx.grads["slope"]
        dx = None if ctx.dx[0] is None else ctx.dx[0].reshape(x.shape)
        ones = xp.ones(x.shape[0], dtype=ctx.dtype)
        passed, dy_bits = sign_bits(xp, t)[0], sign_bits(xp, dy)[0]
        find = bind_positive(xp, x, passed)

        def backward() -> None:
            xp.minimum(x, zeros, out=t)
            xp.multiply(t, dy, out=t)
            ones.dot(t, out=dslope)
            if dx is not None:
                find()
                xp.bitwise_and(passed, dy_bits, out=passed)  # t = dy where x > 0
                xp.subtract(dy, t, out=dx)
                xp.multiply(dx, slope, out=dx)
                xp.add(dx, t, out=dx)

        return forward, backward


class _Exponential(Elementwise):
    """Shared by ELU and its relatives: y = scale · x where x > 0, else scale · alpha · (exp(x / width) − 1)."""

    def constants(self) -> tuple[float, float, float]:
        """(scale, alpha, width)"""
        raise NotImplementedError

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        scale, alpha, width = self.constants()
        zeros, t = xp.zeros_like(x), temporary("t")
        stretch, depth, factor = (number(x, v, xp) for v in (1 / width, scale * alpha, scale))
        stretched, deep, scaled = width != 1, scale * alpha != 1, scale != 1

        def forward() -> None:
            xp.minimum(x, zeros, out=t)
            if stretched:
                xp.multiply(t, stretch, out=t)
            xp.expm1(t, out=t)
            if deep:
                xp.multiply(t, depth, out=t)
            xp.maximum(x, zeros, out=y)
            if scaled:
                xp.multiply(y, factor, out=y)
            xp.add(y, t, out=y)

        if dy is None:
            return forward, nothing
        # The slope is (min(y, 0) + scale · alpha) / width for negative values; positive ones need `rest` more.
        difference = scale - scale * alpha / width
        mask = temporary("mask")
        mask_bits, rest = sign_bits(xp, mask)[0], sign_bits(xp, number(x, difference, xp))[0]
        find = bind_positive(xp, y, mask_bits)

        def backward() -> None:
            xp.minimum(y, zeros, out=t)
            xp.add(t, depth, out=t)
            if stretched:
                xp.multiply(t, stretch, out=t)
            if difference:
                find()
                xp.bitwise_and(mask_bits, rest, out=mask_bits)
                xp.add(t, mask, out=t)
            xp.multiply(dy, t, out=dx)

        return forward, backward


class ELU(_Exponential):
    """Like ReLU, but negative values bend smoothly towards −alpha.

    y = x where x > 0, else alpha · (eˣ − 1)

    Means stay near zero, so deep networks without normalisation train better. Source: Clevert et al. 2016,
    arXiv:1511.07289.
    """

    kind = "elu.v1"
    title = "ELU"
    icon = "mdi6.chart-line-variant"
    keywords = ("exponential linear unit", "activation")

    alpha: float = param(1.0, "Alpha", "Value that very negative inputs reach, with a minus sign. Higher: stronger "
                         "negative outputs.", gt=0, le=100, step=0.1)

    def summary(self) -> str:
        return "" if self.alpha == 1 else f"{self.alpha:g}"

    def constants(self) -> tuple[float, float, float]:
        return 1.0, self.alpha, 1.0


class CELU(_Exponential):
    """ELU without a kink, for any alpha.

    y = x where x > 0, else alpha · (exp(x / alpha) − 1)

    Source: Barron 2017, arXiv:1704.07483.
    """

    kind = "celu.v1"
    title = "CELU"
    icon = "mdi6.chart-line-variant"
    keywords = ("continuously differentiable", "exponential linear unit", "activation")

    alpha: float = param(1.0, "Alpha", "Value that very negative inputs reach, with a minus sign. Higher: bends later "
                         "and more softly.", gt=0, le=100, step=0.1)

    def summary(self) -> str:
        return "" if self.alpha == 1 else f"{self.alpha:g}"

    def constants(self) -> tuple[float, float, float]:
        return 1.0, self.alpha, self.alpha


class SELU(_Exponential):
    """ELU with constants that keep mean 0 and spread 1 from layer to layer without normalisation.

    y = 1.0507 · x where x > 0, else 1.0507 · 1.6733 · (eˣ − 1)

    For deep Dense networks with LeCun normal weights, and AlphaDropout in place of Dropout. Source: Klambauer et al.
    2017, arXiv:1706.02515.
    """

    kind = "selu.v1"
    title = "SELU"
    icon = "mdi6.chart-line-variant"
    keywords = ("self-normalising", "scaled exponential linear unit", "activation")

    def constants(self) -> tuple[float, float, float]:
        return 1.0507009873554804934193349852946, 1.6732632423543772848170429916717, 1.0


#: Φ(u) = (1 + tanh(u·P(u²))) / 2 for |u| ≤ 6, by bytes of a number: own minimax fits with errors below 7e-8, the last
#: bit of single precision, and 4e-9. NumPy has no erf, and SciPy's takes 11 ns for a value where this takes 2.
_NORMAL_FIT = {
    4: (
        7.978844928e-01, 3.633391084e-02, -3.295441089e-05, -5.527803873e-05, 3.973125584e-06,
        -1.336475857e-07, 1.809378465e-09,
    ),
    8: (
        7.978846069e-01, 3.633528922e-02, -3.641502883e-05, -5.258499799e-05, 3.005287261e-06, 5.158536099e-08,
        -1.829170608e-08, 1.260851729e-09, -4.487685261e-11, 8.407246705e-13, -6.526717130e-15,
    ),
}


class GELU(Sloped):
    """A smooth ReLU that weighs each value by how likely a normal random number lies below it.

    y = x · Φ(x); the tanh form is y = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))

    The usual activation of transformers. Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """

    kind = "gelu.v1"
    title = "GELU"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("gaussian error linear unit", "activation", "transformer")

    form: Literal["exact", "tanh"] = param(
        "exact", "Form", "Exact uses the normal distribution; tanh is the approximation of BERT and GPT-2, a little "
        "faster.", advanced=True)

    def summary(self) -> str:
        return "tanh" if self.form == "tanh" else ""

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        bind = self._bind_tanh if self.form == "tanh" else self._bind_exact
        return bind(xp, x, y, slope, temporary)

    def _bind_exact(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        high, low = xp.full_like(x, 6.0), xp.full_like(x, -6.0)
        half, density, minus_half = (number(x, v, xp) for v in (0.5, (2 * math.pi) ** -0.5, -0.5))
        first, *others = (number(x, c, xp) for c in reversed(_NORMAL_FIT[x.dtype.itemsize]))
        u, p, square = temporary("u"), temporary("p"), temporary("square")

        def forward() -> None:
            xp.minimum(x, high, out=u)
            xp.maximum(u, low, out=u)
            xp.multiply(u, u, out=square)
            xp.multiply(square, first, out=p)
            xp.add(p, others[0], out=p)
            for c in others[1:]:
                xp.multiply(p, square, out=p)
                xp.add(p, c, out=p)
            xp.multiply(p, u, out=p)
            xp.tanh(p, out=p)
            xp.multiply(p, half, out=p)
            xp.add(p, half, out=p)  # Φ(x)
            if slope is not None:  # Φ(x) + x · φ(x)
                xp.multiply(x, x, out=square)
                xp.multiply(square, minus_half, out=square)
                xp.exp(square, out=square)
                xp.multiply(square, density, out=square)
                xp.multiply(square, x, out=square)
                xp.add(square, p, out=slope)
            xp.multiply(x, p, out=y)

        return forward

    def _bind_tanh(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        root = (2 / math.pi) ** 0.5
        a, b, three_b = (number(x, v, xp) for v in (root, root * 0.044715, root * 3 * 0.044715))
        half, one = number(x, 0.5, xp), number(x, 1.0, xp)
        square, p, q = temporary("square"), temporary("p"), temporary("u")

        def forward() -> None:
            xp.multiply(x, x, out=square)
            xp.multiply(square, b, out=p)
            xp.add(p, a, out=p)
            xp.multiply(p, x, out=p)
            xp.tanh(p, out=p)
            if slope is not None:  # (1 + t)/2 + x/2 · (1 − t²) · (a + 3b x²)
                xp.multiply(square, three_b, out=square)
                xp.add(square, a, out=square)
                xp.multiply(square, x, out=square)
                xp.multiply(p, p, out=q)
                xp.subtract(one, q, out=q)
                xp.multiply(q, square, out=q)
                xp.add(q, p, out=q)
                xp.add(q, one, out=q)
                xp.multiply(q, half, out=slope)
            xp.add(p, one, out=p)
            xp.multiply(p, half, out=p)
            xp.multiply(x, p, out=y)

        return forward


class SiLU(Sloped):
    """A smooth ReLU: each value times its sigmoid.

    y = x · sigmoid(x)

    Also called swish; common in newer image networks. Source: Elfwing et al. 2017; Ramachandran et al. 2017,
    arXiv:1710.05941.
    """

    kind = "silu.v1"
    title = "SiLU"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("swish", "sigmoid linear unit", "activation")

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        half, s, t = number(x, 0.5, xp), temporary("s"), temporary("t")

        def forward() -> None:
            xp.multiply(x, half, out=s)
            xp.tanh(s, out=s)
            xp.multiply(s, half, out=s)
            xp.add(s, half, out=s)
            xp.multiply(x, s, out=y)
            if slope is not None:  # s + y · (1 − s)
                xp.multiply(y, s, out=t)
                xp.subtract(y, t, out=t)
                xp.add(t, s, out=slope)

        return forward


class Mish(Sloped):
    """A smooth ReLU with a small dip below zero.

    y = x · tanh(log(1 + eˣ))

    Used by some object detectors. Source: Misra 2020, arXiv:1908.08681.
    """

    kind = "mish.v1"
    title = "Mish"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("self-regularised", "activation")

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        # tanh(log(1 + e)) = n / (n + 2) with e = eˣ, n = e · (e + 2); from x = 20 on it is 1 in any precision used here
        limit = xp.full_like(x, 20.0)
        one, two = number(x, 1.0, xp), number(x, 2.0, xp)
        e, w, t = temporary("e"), temporary("w"), temporary("t")

        def forward() -> None:
            xp.minimum(x, limit, out=e)
            xp.exp(e, out=e)
            xp.add(e, two, out=w)
            xp.multiply(w, e, out=w)
            xp.add(w, two, out=t)
            xp.divide(w, t, out=w)
            if slope is not None:  # w + x · (1 − w²) · e / (1 + e)
                xp.add(e, one, out=t)
                xp.divide(e, t, out=e)
                xp.multiply(w, w, out=t)
                xp.subtract(one, t, out=t)
                xp.multiply(t, e, out=t)
                xp.multiply(t, x, out=t)
                xp.add(t, w, out=slope)
            xp.multiply(x, w, out=y)

        return forward


class HardSwish(Sloped):
    """SiLU made of straight pieces and a parabola: nearly the same, and cheap on small machines.

    y = x · min(max(x + 3, 0), 6) / 6

    Source: Howard et al. 2019 (MobileNetV3), arXiv:1905.02244.
    """

    kind = "hardswish.v1"
    title = "Hard swish"
    icon = "mdi6.chart-line-variant"
    keywords = ("mobile", "piecewise", "activation", "hardswish")

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        zeros, ones = xp.zeros_like(x), xp.ones_like(x)
        sixth, half, two = (number(x, v, xp) for v in (1 / 6, 0.5, 2.0))
        gate, inner = temporary("gate"), temporary("inner")
        mask, other = temporary("mask"), temporary("other")
        mask_bits, other_bits, inner_bits = (sign_bits(xp, array)[0] for array in (mask, other, inner))
        find, find_other = bind_positive(xp, gate, mask_bits), bind_positive(xp, other, other_bits)

        def forward() -> None:
            xp.multiply(x, sixth, out=inner)
            xp.add(inner, half, out=gate)
            xp.maximum(gate, zeros, out=gate)
            xp.minimum(gate, ones, out=gate)
            if slope is not None:  # gate + x / 6 where 0 < gate < 1
                find()
                xp.subtract(ones, gate, out=other)
                find_other()
                xp.bitwise_and(mask_bits, other_bits, out=mask_bits)
                xp.bitwise_and(mask_bits, inner_bits, out=inner_bits)
                xp.add(gate, inner, out=slope)
            xp.multiply(x, gate, out=y)

        return forward


class Softplus(Sloped):
    """A smooth ReLU whose values are always positive.

    y = log(1 + eˣ)

    For outputs that must be positive, such as a spread or a rate. Source: Dugas et al. 2001.
    """

    kind = "softplus.v1"
    title = "Softplus"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("positive", "smooth relu", "activation")

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        zeros, half, t = xp.zeros_like(x), number(x, 0.5, xp), temporary("t")

        def forward() -> None:
            if slope is not None:  # sigmoid(x)
                xp.multiply(x, half, out=t)
                xp.tanh(t, out=t)
                xp.multiply(t, half, out=t)
                xp.add(t, half, out=slope)
            # max(x, 0) + log(1 + exp(−|x|)) never overflows
            xp.absolute(x, out=t)
            xp.negative(t, out=t)
            xp.exp(t, out=t)
            xp.log1p(t, out=t)
            xp.maximum(x, zeros, out=y)
            xp.add(y, t, out=y)

        return forward
