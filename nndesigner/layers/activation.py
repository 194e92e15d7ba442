"""Rectifiers: functions of each value that keep positive ones and treat negative ones in their own way."""

from __future__ import annotations

from typing import Any

from nndesigner.layers.base import Bind, Layer, Step, Weight
from nndesigner.layers.elementwise import (
    Elementwise,
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
        zeros = temporary("zeros")  # four times as fast as the number; one for all parts stays in the cache

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
        zeros, sixes = temporary("zeros"), xp.full_like(x, 6.0)

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
    masking = "keep"
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
        zeros, t = temporary("zeros"), temporary("t")
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
