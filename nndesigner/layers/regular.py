"""Layers that disturb training so that a network generalises better."""

from __future__ import annotations

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.elementwise import nothing
from nndesigner.spec import Shape, param


class Noise(Layer):
    """Shared by the layers that act while training only; in use they pass their input on."""

    group = "Regularise"
    masking = "keep"

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


class SpatialDropout(Noise):
    """Switches off whole channels while training, instead of single values.

    y = x · m / (1 − rate), with one m for each channel of a sample; in use y = x.

    Behind convolutions, where neighbouring values say nearly the same and Dropout does little. Source: Tompson et al.
    2015, arXiv:1411.4280. PyTorch: Dropout1d, Dropout2d, Dropout3d.
    """

    kind = "spatialdropout.v1"
    title = "Spatial dropout"
    icon = "mdi6.layers-off-outline"
    keywords = ("regularisation", "channels", "feature maps", "overfitting")

    rate: float = param(0.2, "Rate", "Share of channels switched off. Higher: stronger protection against learning by "
                        "heart, but slower learning; 0: off.", ge=0, lt=1, step=0.05)

    def summary(self) -> str:
        return f"{self.rate:.0%}"

    def bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, y, uniform = ctx.xp, ctx.x[0], ctx.y, ctx.uniform
        mask = ctx.scratch("mask", (x.shape[0], *(1,) * (x.ndim - 2), x.shape[-1]))
        rate, scale = xp.asarray(self.rate, ctx.dtype), xp.asarray(1 / (1 - self.rate), ctx.dtype)

        def forward() -> None:
            uniform("dropout", mask)
            xp.greater_equal(mask, rate, out=mask)
            xp.multiply(mask, scale, out=mask)
            xp.multiply(x, mask, out=y)

        dy, dx = ctx.dy, ctx.dx[0]
        return forward, nothing if dx is None else lambda: xp.multiply(dy, mask, out=dx)


class AlphaDropout(Noise):
    """Dropout that keeps mean 0 and spread 1, for networks with SELU.

    Values switched off become −1.7581 (what SELU gives for very negative values); then all are scaled and shifted so
    that mean and variance stay. In use y = x. Source: Klambauer et al. 2017, arXiv:1706.02515.
    """

    kind = "alphadropout.v1"
    title = "Alpha dropout"
    icon = "mdi6.alpha"
    keywords = ("selu", "self-normalising", "regularisation", "overfitting")

    rate: float = param(0.1, "Rate", "Share of values switched off. Higher: stronger protection against learning by "
                        "heart, but slower learning; 0: off.", ge=0, lt=1, step=0.05)

    def summary(self) -> str:
        return f"{self.rate:.0%}"

    def bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, y, uniform = ctx.xp, ctx.x[0], ctx.y, ctx.uniform
        off = -1.0507009873554805 * 1.6732632423543772
        keep = 1 - self.rate
        scale = (keep + off * off * keep * self.rate) ** -0.5
        mask = ctx.scratch("mask", x.shape)
        t = ctx.scratch("t", x.shape)
        # y = scale · (x · m + off · (1 − m)) − scale · off · rate = (scale · m) · (x − off) + offset
        rate, factor, low, offset = (
            xp.asarray(v, ctx.dtype) for v in (self.rate, scale, off, scale * off * keep))

        def forward() -> None:
            uniform("dropout", mask)
            xp.greater_equal(mask, rate, out=mask)
            xp.multiply(mask, factor, out=mask)
            xp.subtract(x, low, out=t)
            xp.multiply(t, mask, out=y)
            xp.add(y, offset, out=y)

        dy, dx = ctx.dy, ctx.dx[0]
        return forward, nothing if dx is None else lambda: xp.multiply(dy, mask, out=dx)


class GaussianNoise(Noise):
    """Adds random numbers while training, so that small changes of the input do not matter.

    y = x + spread · n, n normally distributed; in use y = x.

    Right behind the Input, or in an autoencoder that is to remove noise. Source: Bishop 1995.
    """

    kind = "gaussiannoise.v1"
    title = "Gaussian noise"
    icon = "mdi6.blur"
    keywords = ("random", "normal", "denoising", "regularisation", "augmentation")

    spread: float = param(0.1, "Spread", "Standard deviation of the noise. Higher: stronger protection, but detail is "
                          "lost; 0: off.", ge=0, le=1000, step=0.05)

    def summary(self) -> str:
        return f"± {self.spread:g}"

    def bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, y, normal = ctx.xp, ctx.x[0], ctx.y, ctx.normal
        noise, spread = ctx.scratch("noise", x.shape), xp.asarray(self.spread, ctx.dtype)

        def forward() -> None:
            normal("noise", noise)
            xp.multiply(noise, spread, out=noise)
            xp.add(x, noise, out=y)

        dy, dx = ctx.dy, ctx.dx[0]
        return forward, nothing if dx is None else lambda: xp.copyto(dx, dy)


class GaussianDropout(Noise):
    """Multiplies values with random numbers around 1 while training: a gentler Dropout.

    y = x · (1 + √(rate / (1 − rate)) · n), n normally distributed; in use y = x.

    Source: Srivastava et al. 2014, section 10.
    """

    kind = "gaussiandropout.v1"
    title = "Gaussian dropout"
    icon = "mdi6.water-percent"
    keywords = ("multiplicative", "noise", "random", "regularisation", "overfitting")

    rate: float = param(0.3, "Rate", "Strength, on the scale of Dropout. Higher: stronger protection against learning "
                        "by heart, but slower learning; 0: off.", ge=0, lt=1, step=0.05)

    def summary(self) -> str:
        return f"{self.rate:.0%}"

    def bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, y, normal = ctx.xp, ctx.x[0], ctx.y, ctx.normal
        factor = ctx.scratch("factor", x.shape)
        spread, one = xp.asarray((self.rate / (1 - self.rate)) ** 0.5, ctx.dtype), xp.asarray(1.0, ctx.dtype)

        def forward() -> None:
            normal("noise", factor)
            xp.multiply(factor, spread, out=factor)
            xp.add(factor, one, out=factor)
            xp.multiply(x, factor, out=y)

        dy, dx = ctx.dy, ctx.dx[0]
        return forward, nothing if dx is None else lambda: xp.multiply(dy, factor, out=dx)
