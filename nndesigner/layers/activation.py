"""Functions of each value (and softmax): what lets a network bend.

An elementwise activation is bound for a part of flat arrays at a time, so that its passes stay in the cache, and may
work in place; Dense and the convolutions fuse it that way behind their bias.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.spec import Shape, param

#: values in one part: 128 kB of float32, so that a few arrays fit into a core's second cache
PART = 32_768

Temporary = Callable[[str], Any]


def nothing() -> None:
    """A step that has nothing to do."""


def in_turn(steps: Sequence[Step]) -> Step:
    """One step that does several, as cheaply as possible."""
    steps = tuple(step for step in steps if step is not nothing)
    if not steps:
        return nothing
    if len(steps) == 1:
        return steps[0]

    def run() -> None:
        for step in steps:
            step()

    return run


def parts_of(xp: Any, size: int) -> list[slice]:
    """Parts of a flat array that fit into the CPU's cache; the whole array on other devices."""
    if xp.__name__ != "numpy" or size <= 2 * PART:
        return [slice(0, size)]
    return [slice(start, min(start + PART, size)) for start in range(0, size, PART)]


def sign_bits(xp: Any, array: Any) -> tuple[Any, Any]:
    """(the array's bits as whole numbers, the shift that spreads the sign bit over all of them).

    With them a mask costs three cheap passes: in NumPy comparisons into floats and products with Booleans are slower.
    """
    integer = xp.int32 if array.dtype.itemsize == 4 else xp.int64
    return array.view(integer), xp.asarray(array.dtype.itemsize * 8 - 1, dtype=integer)


class Elementwise(Layer):
    """A function of each value on its own."""

    group = "Activation"

    #: number of arrays of the size of x that must survive from forward to backward
    keeps: ClassVar[int] = 0

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        dx = ctx.dx[0] if ctx.training else None
        return self.bind_arrays(ctx.xp, ctx.scratch, ctx.x[0], ctx.y, dx, ctx.dy if dx is not None else None)

    def bind_arrays(self, xp: Any, scratch: Callable[..., Any], x: Any, y: Any, dx: Any, dy: Any) -> tuple[Step, Step]:
        """(forward, backward) for contiguous arrays of one shape. y may be x, and dx may be dy; both are None when not
        training."""
        size = x.size
        parts = parts_of(xp, size)
        x, y = x.reshape(-1), y.reshape(-1)
        dx, dy = (None, None) if dx is None else (dx.reshape(-1), dy.reshape(-1))
        kept = [scratch(f"kept {i}", (size,)) for i in range(self.keeps)] if dx is not None else []
        longest = max(part.stop - part.start for part in parts)
        steps = []
        for part in parts:
            n = part.stop - part.start
            steps.append(self.bind_part(
                xp, x[part], y[part], None if dx is None else dx[part], None if dy is None else dy[part],
                [array[part] for array in kept], lambda name, n=n: scratch(f"temporary {name}", (longest,))[:n]))
        return in_turn([forward for forward, _ in steps]), in_turn([backward for _, backward in steps])

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        """(forward, backward) for flat parts. `kept` arrays survive to backward and are empty when dy is None."""
        raise NotImplementedError


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
        bits, shift = sign_bits(xp, y)
        dy_bits, dx_bits, mask = sign_bits(xp, dy)[0], sign_bits(xp, dx)[0], sign_bits(xp, temporary("mask"))[0]

        def backward() -> None:
            # y > 0 has bits > 0, so −bits has its sign bit set: all ones after the shift. y = 0 gives all zeros.
            xp.negative(bits, out=mask)
            xp.right_shift(mask, shift, out=mask)
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
        slope = xp.asarray(self.slope, dtype=x.dtype)
        t = temporary("t")

        def forward() -> None:
            xp.multiply(x, slope, out=t)
            xp.maximum(x, t, out=y)

        if dy is None:
            return forward, nothing
        bits, shift = sign_bits(xp, y)
        factor_bits = sign_bits(xp, t)[0]
        rest = sign_bits(xp, xp.asarray(1.0 - self.slope, dtype=x.dtype))[0]

        def backward() -> None:
            xp.negative(bits, out=factor_bits)
            xp.right_shift(factor_bits, shift, out=factor_bits)
            xp.bitwise_and(factor_bits, rest, out=factor_bits)  # 1 − slope where y > 0
            xp.add(t, slope, out=t)
            xp.multiply(dy, t, out=dx)

        return forward, backward


class ELU(Elementwise):
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

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        zeros, alpha = xp.zeros_like(x), xp.asarray(self.alpha, x.dtype)
        t, plain = temporary("t"), self.alpha == 1

        def forward() -> None:
            xp.minimum(x, zeros, out=t)
            xp.expm1(t, out=t)
            if not plain:
                xp.multiply(t, alpha, out=t)
            xp.maximum(x, zeros, out=y)
            xp.add(y, t, out=y)

        if dy is None:
            return forward, nothing
        bits, shift = sign_bits(xp, y)
        mask = temporary("mask")
        mask_bits = sign_bits(xp, mask)[0]
        rest = sign_bits(xp, xp.asarray(1.0 - self.alpha, x.dtype))[0]

        def backward() -> None:
            xp.minimum(y, zeros, out=t)
            xp.add(t, alpha, out=t)  # y + alpha where y < 0, else alpha
            if not plain:
                xp.negative(bits, out=mask_bits)
                xp.right_shift(mask_bits, shift, out=mask_bits)
                xp.bitwise_and(mask_bits, rest, out=mask_bits)  # 1 − alpha where y > 0
                xp.add(t, mask, out=t)
            xp.multiply(dy, t, out=dx)

        return forward, backward


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


class GELU(Elementwise):
    """A smooth ReLU that weighs each value by how likely a normal random number lies below it.

    y = x · Φ(x); the tanh form is y = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))

    The usual activation of transformers. Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """

    kind = "gelu.v1"
    title = "GELU"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("gaussian error linear unit", "activation", "transformer")
    keeps = 1

    form: Literal["exact", "tanh"] = param(
        "exact", "Form", "Exact uses the normal distribution; tanh is the approximation of BERT and GPT-2, a little "
        "faster.",
        advanced=True)

    def summary(self) -> str:
        return "tanh" if self.form == "tanh" else ""

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        bind = self._bind_tanh if self.form == "tanh" else self._bind_exact
        forward = bind(xp, x, y, kept[0] if dy is not None else None, temporary)
        if dy is None:
            return forward, nothing
        slope = kept[0]

        def backward() -> None:
            xp.multiply(dy, slope, out=dx)

        return forward, backward

    def _bind_exact(self, xp: Any, x: Any, y: Any, slope: Any, temporary: Temporary) -> Step:
        def number(value: float) -> Any:
            return xp.asarray(value, x.dtype)

        high, low = xp.full_like(x, 6.0), xp.full_like(x, -6.0)
        half, density, minus_half = number(0.5), number((2 * np.pi) ** -0.5), number(-0.5)
        first, *others = (number(c) for c in reversed(_NORMAL_FIT[x.dtype.itemsize]))
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

    def _bind_tanh(self, xp: Any, x: Any, y: Any, slope: Any, temporary: Temporary) -> Step:
        def number(value: float) -> Any:
            return xp.asarray(value, x.dtype)

        root = (2 / np.pi) ** 0.5
        a, b, three_b = number(root), number(root * 0.044715), number(root * 3 * 0.044715)
        half, one = number(0.5), number(1.0)
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


class SiLU(Elementwise):
    """A smooth ReLU: each value times its sigmoid.

    y = x · sigmoid(x)

    Also called swish; common in newer image networks. Source: Elfwing et al. 2017; Ramachandran et al. 2017,
    arXiv:1710.05941.
    """

    kind = "silu.v1"
    title = "SiLU"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("swish", "sigmoid linear unit", "activation")
    keeps = 1

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        half, s = xp.asarray(0.5, x.dtype), temporary("s")
        slope, t = (kept[0], temporary("t")) if dy is not None else (None, None)

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

        if dy is None:
            return forward, nothing

        def backward() -> None:
            xp.multiply(dy, slope, out=dx)

        return forward, backward


class Sigmoid(Elementwise):
    """Squeezes every value between 0 and 1.

    y = 1 / (1 + e⁻ˣ)

    For gates and yes-or-no values. Not in front of an Output that classifies: that applies it itself.
    """

    kind = "sigmoid.v1"
    title = "Sigmoid"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("logistic", "activation", "gate", "squash")

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        half = xp.asarray(0.5, x.dtype)

        def forward() -> None:
            # (1 + tanh(x/2)) / 2 never overflows, and tanh is NumPy's fastest transcendental
            xp.multiply(x, half, out=y)
            xp.tanh(y, out=y)
            xp.multiply(y, half, out=y)
            xp.add(y, half, out=y)

        if dy is None:
            return forward, nothing
        t = temporary("t")

        def backward() -> None:
            xp.multiply(y, y, out=t)
            xp.subtract(y, t, out=t)
            xp.multiply(dy, t, out=dx)

        return forward, backward


class Tanh(Elementwise):
    """Squeezes every value between −1 and 1.

    y = tanh(x)

    Smooth and centred at zero; good in small networks, in gates and at the end of a generator.
    """

    kind = "tanh.v1"
    title = "Tanh"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("hyperbolic tangent", "activation", "squash")

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        def forward() -> None:
            xp.tanh(x, out=y)

        if dy is None:
            return forward, nothing
        t = temporary("t")

        def backward() -> None:
            xp.multiply(y, y, out=t)
            xp.multiply(t, dy, out=t)
            xp.subtract(dy, t, out=dx)

        return forward, backward


class Softmax(Layer):
    """Turns scores into shares that add up to one, over the last axis.

    y = eˣ / Σ eˣ

    For attention-like weights inside a network. Not in front of an Output that classifies: that applies it itself.
    """

    kind = "softmax.v1"
    title = "Softmax"
    group = "Activation"
    icon = "mdi6.chart-bar"
    keywords = ("probabilities", "normalised exponential", "activation")

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, classes = ctx.xp, ctx.x[0].shape[-1]
        x, y = ctx.x[0].reshape(-1, classes), ctx.y.reshape(-1, classes)  # [N, K]
        row = ctx.scratch("row", (x.shape[0], 1))

        def forward() -> None:
            xp.max(x, axis=1, keepdims=True, out=row)
            xp.subtract(x, row, out=y)
            xp.exp(y, out=y)
            xp.sum(y, axis=1, keepdims=True, out=row)
            xp.divide(y, row, out=y)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dy, dx = ctx.dy.reshape(-1, classes), ctx.dx[0].reshape(-1, classes)

        def backward() -> None:
            # dx = y · (dy − Σ dy · y)
            xp.multiply(dy, y, out=dx)
            xp.sum(dx, axis=1, keepdims=True, out=row)
            xp.subtract(dy, row, out=dx)
            xp.multiply(dx, y, out=dx)

        return forward, backward


#: activations that Dense and the convolutions apply themselves, by the name of their parameter
FUSED: dict[str, Elementwise] = {
    "relu": ReLU(), "leaky_relu": LeakyReLU(), "elu": ELU(), "gelu": GELU(), "silu": SiLU(), "sigmoid": Sigmoid(),
    "tanh": Tanh(),
}
