"""Pooling over all places at once, or to a fixed number of them, whatever the size of what comes in."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.conv import Length, wanted
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.layers.resize import bind_resampled
from nndesigner.spec import Shape, ShapeError, param

#: added where a step is padding: far below all values, yet finite, so that a series without any real step is harmless
LOW = -1e30


class GlobalPooling(Layer):
    """Shared by the poolings over all places of a channel."""

    group = "Pooling"
    masking = "use"

    axes: ClassVar[str]

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.axes != self.axes or shape.integer:
            raise ShapeError(" × ".join(self.axes), shape, *wanted(self.axes, shape))
        return Shape("F", shape.dims[-1:])

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size


class GlobalAverage(GlobalPooling):
    """Shared by the means over all places."""

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, channels = ctx.xp, ctx.x[0].shape[-1]
        x, y = ctx.x[0].reshape(ctx.batch, -1, channels), ctx.y.reshape(ctx.batch, 1, channels)  # [B, places, C]
        if ctx.mask is not None:
            return self._bind_masked(ctx, x, y)
        places = x.shape[1]
        # a matrix product with a row of ones adds up faster than sum() along that axis
        row, share = xp.full((1, places), 1 / places, dtype=ctx.dtype), xp.asarray(1 / places, ctx.dtype)

        def forward() -> None:
            xp.matmul(row, x, out=y)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dy, dx = ctx.dy.reshape(y.shape), ctx.dx[0].reshape(x.shape)

        def backward() -> None:
            xp.multiply(dy, share, out=dx)

        return forward, backward

    def _bind_masked(self, ctx: Bind, x: Any, y: Any) -> tuple[Step, Step]:
        """The mean over the real steps; 0 where there is none."""
        xp, mask, one = ctx.xp, ctx.mask, ctx.xp.asarray(1.0, ctx.dtype)
        count, shares = ctx.scratch("count", (ctx.batch, 1)), ctx.scratch("shares", mask.shape)
        row, column = shares.reshape(ctx.batch, 1, -1), shares.reshape(ctx.batch, -1, 1)

        def forward() -> None:
            xp.sum(mask, axis=1, keepdims=True, out=count)
            xp.maximum(count, one, out=count)
            xp.divide(mask, count, out=shares)
            xp.matmul(row, x, out=y)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dy, dx = ctx.dy.reshape(y.shape), ctx.dx[0].reshape(x.shape)
        return forward, lambda: xp.multiply(dy, column, out=dx)


class GlobalMaximum(GlobalPooling):
    """Shared by the maxima over all places. Of equal values the first gets the gradient."""

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, channels, y = ctx.xp, ctx.x[0].shape[-1], ctx.y  # [B, C]
        x = ctx.x[0].reshape(ctx.batch, -1, channels)  # [B, places, C]
        lower = blank = drop = nothing
        if ctx.mask is not None:
            x, filled, lower = self._bind_lowered(ctx, x)

            def blank() -> None:
                xp.multiply(y, filled, out=y)

            def drop() -> None:
                xp.multiply(ctx.dy, filled, out=ctx.dy)

        forward = in_turn([lower, lambda: xp.max(x, axis=1, out=y), blank])
        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dy, dx = ctx.dy.reshape(-1), ctx.dx[0].reshape(-1)
        place = ctx.scratch("place", (ctx.batch, channels), np.int64)
        first = xp.arange(ctx.batch).reshape(-1, 1) * (x.shape[1] * channels) + xp.arange(channels)
        step, flat = xp.asarray(channels), place.reshape(-1)

        def backward() -> None:
            xp.argmax(x, axis=1, out=place)
            xp.multiply(place, step, out=place)
            xp.add(place, first, out=place)
            dx.fill(0)
            dx[flat] = dy

        return forward, in_turn([drop, backward])

    def _bind_lowered(self, ctx: Bind, x: Any) -> tuple[Any, Any, Step]:
        """(values [B, T, C] that are low at padded steps, 1 for samples with a real step [B, 1], fill both)."""
        xp, mask = ctx.xp, ctx.mask
        lowered, filled = ctx.scratch("lowered", x.shape), ctx.scratch("filled", (ctx.batch, 1))
        fall, one, low = ctx.scratch("fall", mask.shape), xp.asarray(1.0, ctx.dtype), xp.asarray(LOW, ctx.dtype)
        column = fall.reshape(ctx.batch, -1, 1)

        def lower() -> None:
            xp.max(mask, axis=1, keepdims=True, out=filled)
            xp.subtract(one, mask, out=fall)
            xp.multiply(fall, low, out=fall)
            xp.add(x, column, out=lowered)

        return lowered, filled, lower


class GlobalAvgPool2D(GlobalAverage):
    """Takes the mean of each whole channel: one number says how much of a pattern the picture holds.

    y = mean of x over H and W, for each channel.

    Shapes: H × W × C → F = C. In front of the last Dense layer of a picture network, in place of Flatten: far fewer
    weights, and any picture size fits. Source: Lin et al. 2014, arXiv:1312.4400.
    """

    kind = "globalavgpool2d.v1"
    title = "GlobalAvgPool2D"
    icon = "mdi6.arrow-collapse-vertical"
    keywords = ("global average", "mean", "pooling")
    axes = "HWC"


class GlobalMaxPool2D(GlobalMaximum):
    """Takes the largest value of each whole channel: whether a pattern is anywhere in the picture.

    y = max of x over H and W, for each channel.

    Shapes: H × W × C → F = C. In front of the last Dense layer when a single find counts.
    """

    kind = "globalmaxpool2d.v1"
    title = "GlobalMaxPool2D"
    icon = "mdi6.arrow-collapse-up"
    keywords = ("global maximum", "max", "pooling")
    axes = "HWC"


class GlobalAvgPool1D(GlobalAverage):
    """Takes the mean of each feature over all time steps.

    y = mean of x over T, for each feature.

    Shapes: T × F → F. A simple read-out of a series for the layers that decide. Padded steps do not count.
    """

    kind = "globalavgpool1d.v1"
    title = "GlobalAvgPool1D"
    icon = "mdi6.arrow-collapse-vertical"
    keywords = ("global average", "mean", "pooling", "series", "read-out")
    axes = "TF"


class GlobalMaxPool1D(GlobalMaximum):
    """Takes the largest value of each feature over all time steps.

    y = max of x over T, for each feature.

    Shapes: T × F → F. Says whether something happened at any time, as with key words in a text. Padded steps do not
    count.
    """

    kind = "globalmaxpool1d.v1"
    title = "GlobalMaxPool1D"
    icon = "mdi6.arrow-collapse-up"
    keywords = ("global maximum", "max", "pooling", "series", "read-out")
    axes = "TF"


class GlobalAvgPool3D(GlobalAverage):
    """Takes the mean of each whole channel of a volume or film.

    y = mean of x over D, H and W, for each channel.

    Shapes: D × H × W × C → F = C.
    """

    kind = "globalavgpool3d.v1"
    title = "GlobalAvgPool3D"
    icon = "mdi6.arrow-collapse-vertical"
    keywords = ("global average", "mean", "pooling", "volume", "video")
    axes = "DHWC"


class GlobalMaxPool3D(GlobalMaximum):
    """Takes the largest value of each whole channel of a volume or film.

    y = max of x over D, H and W, for each channel.

    Shapes: D × H × W × C → F = C.
    """

    kind = "globalmaxpool3d.v1"
    title = "GlobalMaxPool3D"
    icon = "mdi6.arrow-collapse-up"
    keywords = ("global maximum", "max", "pooling", "volume", "video")
    axes = "DHWC"


class _AdaptiveAverage(Layer):
    """Shared by the adaptive means: `size` places along each axis but the last."""

    group = "Pooling"
    icon = "mdi6.resize"

    axes: ClassVar[str]

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.size if isinstance(self.size, tuple) else (self.size,)

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.axes != self.axes or shape.integer:
            raise ShapeError(" × ".join(self.axes), shape, *wanted(self.axes, shape))
        return Shape(self.axes, (*self.sizes, shape.dims[-1]))

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size

    def summary(self) -> str:
        return "×".join(map(str, self.sizes))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        return bind_resampled(ctx, *(_shares(*pair) for pair in zip(ctx.x[0].shape[1:-1], self.sizes)))


def _shares(inputs: int, outputs: int) -> np.ndarray:
    """[outputs, inputs], float64: how much each input counts in each output of an adaptive mean."""
    matrix = np.zeros((outputs, inputs))
    for i in range(outputs):
        start, stop = i * inputs // outputs, math.ceil((i + 1) * inputs / outputs)
        matrix[i, start:stop] = 1 / (stop - start)
    return matrix


class AdaptiveAvgPool1D(_AdaptiveAverage):
    """Shortens a series of any length to a fixed one, by means over parts of it.

    y[t] = mean of x over the steps ⌊t·T/n⌋ to ⌈(t+1)·T/n⌉, for each feature.

    Shapes: T × F → n × F. Makes the layers behind it independent of the length. PyTorch: AdaptiveAvgPool1d.
    """

    kind = "adaptiveavgpool1d.v1"
    title = "AdaptiveAvgPool1D"
    keywords = ("average", "mean", "pooling", "any length", "resize", "series", "adaptive")
    axes = "TF"

    size: int = param(8, "Size", "Steps of the output. Higher: keeps more detail.", ge=1, le=100_000)


class AdaptiveAvgPool2D(_AdaptiveAverage):
    """Shrinks a picture of any size to a fixed one, by means over parts of it.

    y[i, j] = mean of x over rows ⌊i·H/h⌋ to ⌈(i+1)·H/h⌉ and columns likewise, for each channel.

    Shapes: H × W × C → h × w × C. Makes the layers behind it independent of the picture's size. PyTorch:
    AdaptiveAvgPool2d.
    """

    kind = "adaptiveavgpool2d.v1"
    title = "AdaptiveAvgPool2D"
    keywords = ("average", "mean", "pooling", "any size", "resize", "adaptive")
    axes = "HWC"

    size: tuple[Length, Length] = param((7, 7), "Size", "Height and width of the output. Higher: keeps more detail.")


class AdaptiveAvgPool3D(_AdaptiveAverage):
    """Shrinks a volume or film of any size to a fixed one, by means over parts of it.

    y[k, i, j] = mean of x over planes ⌊k·D/d⌋ to ⌈(k+1)·D/d⌉, and over rows and columns likewise, for each channel.

    Shapes: D × H × W × C → d × h × w × C. Makes the layers behind it independent of the size. PyTorch:
    AdaptiveAvgPool3d.
    """

    kind = "adaptiveavgpool3d.v1"
    title = "AdaptiveAvgPool3D"
    keywords = ("average", "mean", "pooling", "any size", "resize", "volume", "video", "adaptive")
    axes = "DHWC"

    size: tuple[Length, Length, Length] = param(
        (4, 4, 4), "Size", "Depth, height and width of the output. Higher: keeps more detail.")
