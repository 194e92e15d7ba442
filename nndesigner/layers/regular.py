"""Layers that disturb training so that a network generalises better."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.elementwise import nothing
from nndesigner.layers.tracing import Tracer, traces
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
        return self._bind_kernels(ctx) if traces(ctx.xp) else self.bind_training(ctx)

    def _bind_kernels(self, ctx: Bind) -> tuple[Step, Step]:
        """The same by single kernels of a GPU, apart from those that make random numbers."""
        tracer = Tracer(ctx.xp, ctx.dtype)
        x, dx = (tuple(map(tracer.array, arrays)) for arrays in (ctx.x, ctx.dx))
        noted = replace(
            ctx, xp=tracer, x=x, dx=dx, y=tracer.array(ctx.y), dy=tracer.array(ctx.dy),
            scratch=lambda name, shape: tracer.array(ctx.scratch(name, shape)),
            uniform=lambda purpose, out: tracer.call(partial(ctx.uniform, purpose, out.array)),
            normal=lambda purpose, out: tracer.call(partial(ctx.normal, purpose, out.array)))
        forward, backward = self.bind_training(noted)
        name = type(self).__name__.lower()
        return tracer.kernels(forward, name), tracer.kernels(backward, f"{name}_back")

    def bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        """(forward, backward) while training."""
        raise NotImplementedError


def _rate_param(default: float, what: str) -> Any:
    """Field for the rate of a dropout."""
    return param(default, "Rate", f"{what}. Higher: stronger protection against learning by heart, but slower "
                 "learning; 0: off.", ge=0, lt=1, step=0.05)


def _bind_switches(ctx: Bind, switches: Any, rate: float, scale: float) -> Step:
    """Fill `switches` with 0, with probability `rate`, and `scale` elsewhere."""
    xp, uniform = ctx.xp, ctx.uniform
    rate, scale = (xp.asarray(v, ctx.dtype) for v in (rate, scale))

    def draw() -> None:
        uniform("dropout", switches)
        xp.greater_equal(switches, rate, out=switches)
        xp.multiply(switches, scale, out=switches)

    return draw


class _RandomFactors(Noise):
    """Shared by the layers that multiply their input with random factors."""

    rate: float = _rate_param(0.5, "Share of values switched off")

    def summary(self) -> str:
        return f"{self.rate:.0%}"

    def bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, y, dy, dx = ctx.xp, ctx.x[0], ctx.y, ctx.dy, ctx.dx[0]
        factors = ctx.scratch("factors", self.factors_shape(x.shape))
        draw = self.bind_draw(ctx, factors)

        def forward() -> None:
            draw()
            xp.multiply(x, factors, out=y)

        return forward, nothing if dx is None else lambda: xp.multiply(dy, factors, out=dx)

    def factors_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the factors for an input of this shape, batch first."""
        return shape

    def bind_draw(self, ctx: Bind, factors: Any) -> Step:
        """Function that draws the factors anew."""
        return _bind_switches(ctx, factors, self.rate, 1 / (1 - self.rate))


class Dropout(_RandomFactors):
    """Switches off random values while training, so that the network does not lean on any single one.

    y = x · m / (1 − rate) with m = 0 with probability `rate`, else 1; in use y = x.

    Between Dense layers of a network that learns its training data by heart. Source: Srivastava et al. 2014.
    """

    kind = "dropout.v1"
    title = "Dropout"
    icon = "mdi6.water-off-outline"
    keywords = ("regularisation", "overfitting", "noise", "mask")


class SpatialDropout(_RandomFactors):
    """Switches off whole channels while training, instead of single values.

    y = x · m / (1 − rate), with one m for each channel of a sample; in use y = x.

    Behind convolutions, where neighbouring values say nearly the same and Dropout does little. Source: Tompson et al.
    2015, arXiv:1411.4280. PyTorch: Dropout1d, Dropout2d, Dropout3d.
    """

    kind = "spatialdropout.v1"
    title = "Spatial dropout"
    icon = "mdi6.layers-off-outline"
    keywords = ("regularisation", "channels", "feature maps", "overfitting")

    rate: float = _rate_param(0.2, "Share of channels switched off")

    def factors_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[0], *(1,) * (len(shape) - 2), shape[-1])


class AlphaDropout(_RandomFactors):
    """Dropout that keeps mean 0 and spread 1, for networks with SELU.

    Values switched off become −1.7581 (what SELU gives for very negative values); then all are scaled and shifted so
    that mean and variance stay. In use y = x. Source: Klambauer et al. 2017, arXiv:1706.02515.
    """

    kind = "alphadropout.v1"
    title = "Alpha dropout"
    icon = "mdi6.alpha"
    keywords = ("selu", "self-normalising", "regularisation", "overfitting")

    rate: float = _rate_param(0.1, "Share of values switched off")

    def bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, y, dy, dx = ctx.xp, ctx.x[0], ctx.y, ctx.dy, ctx.dx[0]
        off, keep = -1.0507009873554805 * 1.6732632423543772, 1 - self.rate
        scale = (keep + off * off * keep * self.rate) ** -0.5
        factors, t = ctx.scratch("factors", x.shape), ctx.scratch("t", x.shape)
        # y = scale · (x · m + off · (1 − m)) − scale · off · rate = (scale · m) · (x − off) + offset
        draw = _bind_switches(ctx, factors, self.rate, scale)
        low, offset = (xp.asarray(v, ctx.dtype) for v in (off, scale * off * keep))

        def forward() -> None:
            draw()
            xp.subtract(x, low, out=t)
            xp.multiply(t, factors, out=y)
            xp.add(y, offset, out=y)

        return forward, nothing if dx is None else lambda: xp.multiply(dy, factors, out=dx)


class GaussianDropout(_RandomFactors):
    """Multiplies values with random numbers around 1 while training: a gentler Dropout.

    y = x · (1 + √(rate / (1 − rate)) · n), n normally distributed; in use y = x.

    Source: Srivastava et al. 2014, section 10.
    """

    kind = "gaussiandropout.v1"
    title = "Gaussian dropout"
    icon = "mdi6.water-percent"
    keywords = ("multiplicative", "noise", "random", "regularisation", "overfitting")

    rate: float = _rate_param(0.3, "Strength, on the scale of Dropout")

    def bind_draw(self, ctx: Bind, factors: Any) -> Step:
        xp, normal = ctx.xp, ctx.normal
        spread, one = (xp.asarray(v, ctx.dtype) for v in ((self.rate / (1 - self.rate)) ** 0.5, 1.0))

        def draw() -> None:
            normal("noise", factors)
            xp.multiply(factors, spread, out=factors)
            xp.add(factors, one, out=factors)

        return draw


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
