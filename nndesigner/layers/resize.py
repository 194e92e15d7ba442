"""Larger and smaller pictures without weights."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.conv import Length, Margin, wanted
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.spec import Shape, ShapeError, param


class _Picture(Layer):
    """Shared by the layers that take pictures."""

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.axes != "HWC" or shape.integer:
            raise ShapeError("H × W × C", shape, *wanted("HWC", shape))
        return Shape("HWC", (*self.size_for(shape), shape.dims[-1]))

    def size_for(self, shape: Shape) -> tuple[int, int]:
        """Height and width of the output."""
        raise NotImplementedError


def bind_resampled(ctx: Bind, *matrices: np.ndarray) -> tuple[Step, Step]:
    """(forward, backward) of a layer that mixes the places along each axis by a matrix [outputs, inputs], in turn."""
    xp, stages, source = ctx.xp, [], ctx.x[0]
    done = ctx.batch
    for i, matrix in enumerate(matrices):
        outputs, inputs = matrix.shape
        last = i == len(matrices) - 1
        behind = math.prod(ctx.x[0].shape[i + 2:])
        result = ctx.y if last else ctx.scratch(f"between {i}", (done, outputs, behind))
        stages.append((xp.asarray(matrix, ctx.dtype), source.reshape(done, inputs, behind),
                       result.reshape(done, outputs, behind)))
        source, done = result, done * outputs
    matmul = xp.matmul

    def forward() -> None:
        for matrix, source, result in stages:
            matmul(matrix, source, out=result)

    if not ctx.training or ctx.dx[0] is None:
        return forward, nothing
    slopes = [stage[2] for stage in stages[:-1]] + [ctx.dy.reshape(stages[-1][2].shape)]
    # what lay between the axes is no longer needed and takes the gradients
    ways = [(matrix.T, slope, target.reshape(source.shape)) for (matrix, source, _), slope, target
            in zip(stages, slopes, [ctx.dx[0], *slopes])]
    ways.reverse()

    def backward() -> None:
        for matrix, slope, target in ways:
            matmul(matrix, slope, out=target)

    return forward, backward


def _between(inputs: int, factor: int) -> np.ndarray:
    """[inputs · factor, inputs], float64: weights of linear interpolation between the centres of the inputs."""
    matrix = np.zeros((inputs * factor, inputs))
    for i in range(inputs * factor):
        at = max((i + 0.5) / factor - 0.5, 0.0)
        low = int(at)
        high = min(low + 1, inputs - 1)
        matrix[i, low] += 1 - (at - low)
        matrix[i, high] += at - low
    return matrix


class UpSampling2D(_Picture):
    """Makes a picture larger by whole factors.

    Nearest repeats every value; bilinear goes smoothly from one to the next.

    Shapes: H × W × C → H·f × W·f × C. With a Conv2D behind it, in decoders of autoencoders and picture generators: no
    chequered patterns, unlike ConvTranspose2D. PyTorch: Upsample (align_corners=False).
    """

    kind = "upsampling2d.v1"
    title = "UpSampling2D"
    group = "Convolution"
    icon = "mdi6.arrow-expand-all"
    keywords = ("upsample", "enlarge", "resize", "nearest", "bilinear", "decoder")

    factor: tuple[Length, Length] = param((2, 2), "Factor", "How many times higher and wider. Higher: a larger output.")
    interpolation: Literal["nearest", "bilinear"] = param(
        "nearest", "Interpolation", "Nearest is fast and sharp, bilinear is smooth.")

    def size_for(self, shape: Shape) -> tuple[int, int]:
        return shape.dims[0] * self.factor[0], shape.dims[1] * self.factor[1]

    def summary(self) -> str:
        return "×".join(map(str, self.factor))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        if self.interpolation == "bilinear":
            return bind_resampled(ctx, *(_between(*pair) for pair in zip(ctx.x[0].shape[1:3], self.factor)))
        xp, (fh, fw) = ctx.xp, self.factor
        n, height, width, channels = ctx.x[0].shape
        shape = (n, height, fh, width, fw, channels)
        x, y = ctx.x[0][:, :, None, :, None, :], ctx.y.reshape(shape)

        def forward() -> None:
            xp.copyto(y, x)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dx, dy = ctx.dx[0], ctx.dy.reshape(shape)
        first, *others = (dy[:, :, i, :, j, :] for i in range(fh) for j in range(fw))

        def backward() -> None:
            xp.copyto(dx, first)
            for part in others:
                xp.add(dx, part, out=dx)

        return forward, backward


class ZeroPadding2D(_Picture):
    """Puts zeros around a picture.

    Shapes: H × W × C → (top + H + bottom) × (left + W + right) × C. To give a convolution its margins by hand, or to
    make sizes fit. PyTorch: ZeroPad2d.
    """

    kind = "zeropadding2d.v1"
    title = "ZeroPadding2D"
    group = "Convolution"
    icon = "mdi6.border-outside"
    keywords = ("pad", "margin", "border", "frame")

    rows: tuple[Margin, Margin] = param((1, 1), "Rows", "Rows of zeros above and below. Higher: a taller output.")
    columns: tuple[Margin, Margin] = param((1, 1), "Columns", "Columns of zeros left and right. Higher: a wider "
                                           "output.")

    def size_for(self, shape: Shape) -> tuple[int, int]:
        return shape.dims[0] + sum(self.rows), shape.dims[1] + sum(self.columns)

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, y = ctx.xp, ctx.x[0], ctx.y
        place = _inner(y, self.rows, self.columns)
        target = y[place]

        def forward() -> None:
            y.fill(0)
            xp.copyto(target, x)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dx, dy = ctx.dx[0], ctx.dy[place]
        return forward, lambda: xp.copyto(dx, dy)


class Cropping2D(_Picture):
    """Cuts off the edges of a picture.

    Shapes: H × W × C → (H − top − bottom) × (W − left − right) × C. To make the sizes of branches fit, as in a U-Net.
    """

    kind = "cropping2d.v1"
    title = "Cropping2D"
    group = "Convolution"
    icon = "mdi6.crop"
    keywords = ("cut", "trim", "edge", "border")

    rows: tuple[Margin, Margin] = param((1, 1), "Rows", "Rows cut off above and below. Higher: a lower output.")
    columns: tuple[Margin, Margin] = param((1, 1), "Columns", "Columns cut off left and right. Higher: a narrower "
                                           "output.")

    def size_for(self, shape: Shape) -> tuple[int, int]:
        size = shape.dims[0] - sum(self.rows), shape.dims[1] - sum(self.columns)
        if min(size) < 1:
            raise ShapeError(f"more than {sum(self.rows)} H × {sum(self.columns)} W", shape, "cut off less")
        return size

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, y = ctx.xp, ctx.y
        place = _inner(ctx.x[0], self.rows, self.columns)
        source = ctx.x[0][place]

        def forward() -> None:
            xp.copyto(y, source)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dx, dy = ctx.dx[0], ctx.dy
        target = dx[place]
        return forward, in_turn([lambda: dx.fill(0), lambda: xp.copyto(target, dy)])


def _inner(array: Any, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[slice, ...]:
    """The part of [B, H, W, C] that is left without its edges."""
    height, width = array.shape[1:3]
    return slice(None), slice(rows[0], height - rows[1]), slice(columns[0], width - columns[1])
