"""Convolutions: the same small weights at every place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le

from nndesigner.layers.base import Bind, Layer, Step, Weight
from nndesigner.layers.elementwise import Elementwise, in_turn, nothing
from nndesigner.layers.weighted import (
    ActivationName,
    InitialiserName,
    activation_param,
    activation_title,
    bias_param,
    fused,
    initialiser_param,
)
from nndesigner.layers.windows import Correlation, InputGradient, Padding, Windows, windows_over
from nndesigner.spec import Insert, Set, Shape, ShapeError, param

Length = Annotated[int, Ge(1), Le(4096)]
Margin = Annotated[int, Ge(0), Le(4096)]

PADDING_TITLES = {"same": "same (keeps the size)", "valid": "valid (none)", "explicit": "explicit"}


class Epilogue:
    """Bias and activation behind sums of products, block by block while they are in the cache, and the way back.

    y and dy: [batch, ..., channels]; the blocks are parts of the batch.
    """

    def __init__(self, ctx: Bind, blocks: list[slice], activation: Elementwise | None, bias: Any | None) -> None:
        self.ctx, self.blocks, self.activation, self.bias = ctx, blocks, activation, bias
        y = ctx.y
        self.row = y.shape[-2] * y.shape[-1] if y.ndim > 2 else y.shape[-1]
        if activation is not None:
            longest = blocks[0].stop * math.prod(y.shape[1:])
            self._kept = [ctx.scratch(f"kept {i}", y.shape) for i in range(activation.keeps)] if ctx.training else []
            self._temporary = lambda name, n: ctx.scratch(f"temporary {name}", (longest,))[:n]
        if bias is not None:
            # whole rows of an image get the bias at once: adding only a few channels at a time is slow
            self._tile = ctx.scratch("bias", (self.row // y.shape[-1], y.shape[-1]))
            rows = blocks[0].stop * math.prod(y.shape[1:]) // self.row
            self._ones = ctx.xp.ones(max(rows, len(blocks), self._tile.shape[0]), dtype=ctx.dtype)
            self._sums = ctx.scratch("bias sums", (len(blocks), self.row))

    def before_forward(self) -> Step:
        """To run once, before the blocks."""
        if self.bias is None:
            return nothing
        xp, tile, b = self.ctx.xp, self._tile, self.bias
        return lambda: xp.copyto(tile, b)

    def bind_block(self, index: int) -> tuple[Step, Step]:
        """(bias and activation on the block of y, gradient of the sums in the block of dy and sums for the bias)."""
        ctx, xp, part = self.ctx, self.ctx.xp, self.blocks[index]
        y, dy = ctx.y[part], ctx.dy[part] if ctx.training else None
        forward, backward = [], []
        if self.bias is not None:
            rows, tile = y.reshape(-1, self.row), self._tile.reshape(-1)
            forward.append(lambda: xp.add(rows, tile, out=rows))
        if self.activation is not None:
            flat, dflat = y.reshape(-1), dy.reshape(-1) if ctx.training else None
            kept = [array[part].reshape(-1) for array in self._kept]
            act, act_back = self.activation.bind_part(
                xp, flat, flat, dflat, dflat, kept, lambda name: self._temporary(name, flat.size))
            forward.append(act)
            backward.append(act_back)
        if self.bias is not None and ctx.training:
            drows = dy.reshape(-1, self.row)
            add, total = self._ones[:drows.shape[0]].dot, self._sums[index]
            backward.append(lambda: add(drows, out=total))
        return in_turn(forward), in_turn(backward)

    def after_backward(self, db: Any | None) -> Step:
        """To run once, after the blocks: the gradient of the bias."""
        if self.bias is None:
            return nothing
        whole = self.ctx.scratch("bias sum", (self.row,))
        by_block, by_place = self._ones[:len(self.blocks)], self._ones[:self._tile.shape[0]]
        places, sums = whole.reshape(self._tile.shape), self._sums

        def run() -> None:
            by_block.dot(sums, out=whole)
            by_place.dot(places, out=db)

        return run


class Convolution(Layer):
    """Shared by the convolutions over one, two and three axes."""

    group = "Convolution"

    #: letters of the axes of input and output
    axes: ClassVar[str]
    #: what to put in front when the input has other axes
    before: ClassVar[Callable[[Shape], tuple[Insert, ...]]]

    def geometry(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Kernel, strides, dilation and margin, one number for each spatial axis."""
        fields = (self.kernel, self.strides, self.dilation, self.margin)
        return tuple(value if isinstance(value, tuple) else (value,) for value in fields)

    def windows(self, shape: Shape) -> Windows:
        kernel, strides, dilation, margin = self.geometry()
        return windows_over(shape, kernel, strides, dilation, self.padding, margin)

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.axes != self.axes or shape.integer:
            raise ShapeError(" × ".join(self.axes), shape, *wanted(self.axes, shape))
        for name, count in (("channels", shape.dims[-1]), ("filters", self.filters)):
            if count % self.groups:
                raise ShapeError(f"{name} that {self.groups} groups divide", f"{count} {name}", "set the groups to 1",
                                 (Set({"groups": 1}),))
        return Shape(self.axes, (*self.windows(shape).outputs, self.filters))

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        kernel = self.geometry()[0]
        channels, taps = inputs[0].dims[-1] // self.groups, math.prod(kernel)
        fan_in, fan_out = taps * channels, taps * self.filters // self.groups
        weights = {"W": Weight((*kernel, channels, self.filters), self.initialiser, fan_in, fan_out)}
        if self.bias:
            weights["b"] = Weight((self.filters,), "zeros", fan_in, fan_out, decay=False)
        return weights

    def multiply_adds(self, *inputs: Shape) -> int:
        w = self.windows(inputs[0])
        return math.prod(w.outputs) * w.taps * inputs[0].dims[-1] // self.groups * self.filters

    def summary(self) -> str:
        size = "×".join(map(str, self.geometry()[0]))
        return " · ".join(filter(None, (str(self.filters), size, activation_title(self.activation))))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        x, y, W = ctx.x[0], ctx.y, ctx.weights["W"]
        windows = self.windows(Shape(self.axes, x.shape[1:]))
        products = Correlation(ctx.xp, ctx.dtype, windows, x.shape[-1], self.filters, self.groups, ctx.batch)
        end = Epilogue(ctx, products.blocks, fused(self.activation), ctx.weights["b"] if self.bias else None)
        order, matrix = products.bind_weights(W)
        ends = [end.bind_block(i) for i in range(len(products.blocks))]
        steps = [order, end.before_forward()]
        for part, (finish, _) in zip(products.blocks, ends):
            steps += [products.bind_forward(x[part], matrix, y[part]), finish]
        forward = in_turn(steps)
        if not ctx.training:
            return forward, nothing

        dy, dx, dW = ctx.dy, ctx.dx[0], ctx.grads["W"]
        back = []
        if dx is not None:
            gradient = InputGradient(products)
            reorder, weights = gradient.bind_weights(W)
            back.append(reorder)
        alone = len(products.blocks) == 1
        for i, part in enumerate(products.blocks):
            back += [ends[i][1], products.bind_weight_gradient(x[part], dy[part], dW, first=i == 0, loaded=alone)]
            if dx is not None:
                back.append(gradient.bind(dy[part], weights, dx[part]))
        back.append(end.after_backward(ctx.grads["b"] if self.bias else None))
        return forward, in_turn(back)


def wanted(axes: str, shape: Shape) -> tuple[str, tuple[Insert, ...]]:
    """(what to do, remedies) when a layer wants an input of these axes and gets another."""
    if axes == "HWC" and shape.axes == "TF" and not shape.integer:
        return "put a Reshape before it", (Insert("reshape.v1", {"shape": (*shape.dims, 1)}),)
    if axes == "HWC" and shape.axes == "F" and math.isqrt(shape.size) ** 2 == shape.size and shape.size > 1:
        side = math.isqrt(shape.size)
        return f"put a Reshape to {side} × {side} × 1 before it", (Insert("reshape.v1", {"shape": (side, side, 1)}),)
    if axes == "TF" and shape.axes == "F":
        return "put a Reshape before it", (Insert("reshape.v1", {"shape": (shape.size, 1)}),)
    if axes == "TF" and shape.integer:
        return "put an Embedding before it", ()
    if axes == "DHWC" and shape.axes == "HWC":
        return "put a Reshape before it", (Insert("reshape.v1", {"shape": (*shape.dims, 1)}),)
    return "connect another input, or put a Reshape before it", ()


class Conv2D(Convolution):
    """Looks for small patterns everywhere in a picture.

    y[h, w] = activation(Σ x[h·s + i, w·s + j] · W[i, j] + b), summed over the window i, j and the channels.

    Shapes: H × W × C → H' × W' × filters. The basic layer for pictures: early layers find edges, later ones whole
    shapes. A 1×1 kernel mixes channels only. Source: LeCun et al. 1989. PyTorch: Conv2d (with W as filters × C × H ×
    W).
    """

    kind = "conv2d.v1"
    title = "Conv2D"
    icon = "mdi6.grid"
    keywords = ("convolution", "image", "picture", "cnn", "filter", "kernel", "grouped", "dilated")
    axes = "HWC"

    filters: int = param(
        32, "Filters", "Number of patterns to look for. Higher: sees more kinds of detail, but is slower.", ge=1,
        le=65_536)
    kernel: tuple[Length, Length] = param(
        (3, 3), "Kernel", "Height and width of a pattern. Higher: sees more of the picture at once, with more weights.")
    strides: tuple[Length, Length] = param(
        (1, 1), "Strides", "Steps between neighbouring windows. Higher: a smaller, coarser and faster output.")
    padding: Padding = param(
        "same", "Padding", "Same adds zeros around the picture so that it keeps its size; valid adds none, so it "
        "shrinks.",
        labels=PADDING_TITLES)
    activation: ActivationName = activation_param()
    bias: bool = bias_param()
    initialiser: InitialiserName = initialiser_param()
    dilation: tuple[Length, Length] = param(
        (1, 1), "Dilation", "Distance between the taps of a window. Higher: sees further with the same weights.",
        advanced=True)
    groups: int = param(
        1, "Groups", "Channels are split into so many groups that do not see each other. Higher: fewer weights; must "
        "divide channels and filters.", ge=1, le=65_536, advanced=True)
    margin: tuple[Margin, Margin] = param(
        (0, 0), "Margin", "Zeros added above and below, left and right, with explicit padding. Higher: larger output.",
        advanced=True)
