"""Pooling over all places at once."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.conv import wanted
from nndesigner.layers.elementwise import nothing
from nndesigner.spec import Shape, ShapeError


class GlobalPooling(Layer):
    """Shared by the poolings over all places of a channel."""

    group = "Pooling"

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


class GlobalMaximum(GlobalPooling):
    """Shared by the maxima over all places. Of equal values the first gets the gradient."""

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, channels, y = ctx.xp, ctx.x[0].shape[-1], ctx.y  # [B, C]
        x = ctx.x[0].reshape(ctx.batch, -1, channels)  # [B, places, C]

        def forward() -> None:
            xp.max(x, axis=1, out=y)

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

        return forward, backward


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

    Shapes: T × F → F. A simple read-out of a series for the layers that decide.
    """

    kind = "globalavgpool1d.v1"
    title = "GlobalAvgPool1D"
    icon = "mdi6.arrow-collapse-vertical"
    keywords = ("global average", "mean", "pooling", "series", "read-out")
    axes = "TF"


class GlobalMaxPool1D(GlobalMaximum):
    """Takes the largest value of each feature over all time steps.

    y = max of x over T, for each feature.

    Shapes: T × F → F. Says whether something happened at any time, as with key words in a text.
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
