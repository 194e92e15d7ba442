"""Layers that disturb training so that a network generalises better."""

from __future__ import annotations

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.elementwise import nothing
from nndesigner.spec import Shape, param


class Noise(Layer):
    """Shared by the layers that act while training only; in use they pass their input on."""

    group = "Regularise"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        if not ctx.training:
            xp, x, y = ctx.xp, ctx.x[0], ctx.y
            return lambda: xp.copyto(y, x), nothing
        return self.bind_training(ctx)

    def bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        """(forward, backward) while training."""
        raise NotImplementedError


class Dropout(Noise):
    """Switches off random values while training, so that the network does not lean on any single one.

    y = x · m / (1 − rate) with m = 0 with probability `rate`, else 1; in use y = x.

    Between Dense layers of a network that learns its training data by heart. Source: Srivastava et al. 2014.
    """

    kind = "dropout.v1"
    title = "Dropout"
    icon = "mdi6.water-off-outline"
    keywords = ("regularisation", "overfitting", "noise", "mask")

    rate: float = param(0.5, "Rate", "Share of values switched off. Higher: stronger protection against learning by "
                        "heart, but slower learning; 0: off.", ge=0, lt=1, step=0.05)

    def summary(self) -> str:
        return f"{self.rate:.0%}"

    def bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, y, uniform = ctx.xp, ctx.x[0], ctx.y, ctx.uniform
        mask = ctx.scratch("mask", x.shape)
        rate, scale = xp.asarray(self.rate, ctx.dtype), xp.asarray(1 / (1 - self.rate), ctx.dtype)

        def forward() -> None:
            uniform("dropout", mask)
            xp.greater_equal(mask, rate, out=mask)
            xp.multiply(mask, scale, out=mask)
            xp.multiply(x, mask, out=y)

        dy, dx = ctx.dy, ctx.dx[0]
        return forward, nothing if dx is None else lambda: xp.multiply(dy, mask, out=dx)
