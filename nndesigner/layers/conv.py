"""Convolutions: the same small weights at every place."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from nndesigner.layers.base import Bind, Step, Weight
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.layers.epilogue import Epilogue
from nndesigner.layers.weighted import (
    ActivationName,
    InitialiserName,
    Penalised,
    activation_param,
    activation_title,
    bias_param,
    fused,
    initialiser_param,
)
from nndesigner.layers.windows import Padding, Windows, blocks_of, correlation, windows_over
from nndesigner.layers.winograd import Winograd, suits
from nndesigner.spec import Insert, Set, Shape, ShapeError, param

Length = Annotated[int, Ge(1), Le(4096)]
Margin = Annotated[int, Ge(0), Le(4096)]

PADDING_TITLES = {"same": "same (keeps the size)", "valid": "valid (none)", "explicit": "explicit"}


class Convolution(Penalised):
    """Shared by the convolutions over one, two and three axes."""

    group = "Convolution"

    #: letters of the axes of input and output
    axes: ClassVar[str]

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
        weights = {"W": Weight((*kernel, channels, self.filters), self.initialiser, fan_in, fan_out,
                                penalty=self.penalty())}
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
        windows, channels = self.windows(Shape(self.axes, ctx.x[0].shape[1:])), ctx.x[0].shape[-1]
        if ctx.xp.__name__ == "numpy" and suits(windows, channels, self.filters, self.groups, ctx.batch, ctx.training):
            return self._bind_winograd(ctx, windows)
        return self._bind_products(ctx, windows)

    @property
    def rising_end(self) -> bool:
        return self.activation in ("none", "relu")

    def bind_end(self, ctx: Bind) -> Step:
        blocks = blocks_of(ctx.xp, ctx.batch, math.prod(ctx.y.shape[1:]))
        end = self._epilogue(ctx, blocks)
        return in_turn([end.before_forward(), *(end.bind_block(i)[0] for i in range(len(blocks)))])

    def _epilogue(self, ctx: Bind, blocks: list[slice]) -> Epilogue:
        if ctx.endless:
            return Epilogue(ctx, blocks, None, None)
        return Epilogue(ctx, blocks, fused(self.activation), ctx.weights["b"] if self.bias else None)

    def _bind_products(self, ctx: Bind, windows: Windows) -> tuple[Step, Step]:
        """By windows copied into the rows of matrices."""
        x, y, W = ctx.x[0], ctx.y, ctx.weights["W"]
        products = correlation(ctx, windows, x.shape[-1], self.filters, self.groups)
        end = self._epilogue(ctx, products.blocks)
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
            gradient = products.input_gradient()
            reorder, weights = gradient.bind_weights(W)
            back.append(reorder)
        alone = len(products.blocks) == 1
        for i, part in enumerate(products.blocks):
            back += [ends[i][1], products.bind_weight_gradient(x[part], dy[part], dW, first=i == 0, loaded=alone)]
            if dx is not None:
                back.append(gradient.bind(dy[part], weights, dx[part]))
        back.append(end.after_backward(ctx.grads["b"] if self.bias else None))
        return forward, in_turn(back)

    def _bind_winograd(self, ctx: Bind, windows: Windows) -> tuple[Step, Step]:
        """By products of mapped tiles."""
        x, y, W = ctx.x[0], ctx.y, ctx.weights["W"]
        products = Winograd(ctx.xp, ctx.dtype, windows, x.shape[-1], self.filters, ctx.batch, ctx.training)
        end = self._epilogue(ctx, products.blocks)
        order, matrix = products.bind_weights(W)
        ends = [end.bind_block(i) for i in range(len(products.blocks))]
        steps = [order, end.before_forward()]
        for i, part in enumerate(products.blocks):
            steps += [products.bind_forward(i, x[part], matrix, y[part]), ends[i][0]]
        forward = in_turn(steps)
        if not ctx.training:
            return forward, nothing

        dy, dx = ctx.dy, ctx.dx[0]
        reorder, turned = (nothing, None) if dx is None else products.bind_turned_weights(W)
        back = [reorder]
        for i, part in enumerate(products.blocks):
            back += [ends[i][1], products.bind_backward(i, dy[part], turned, None if dx is None else dx[part])]
        back += [products.bind_weights_back(ctx.grads["W"]), end.after_backward(ctx.grads["b"] if self.bias else None)]
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


class Conv1D(Convolution):
    """Looks for short patterns everywhere in a series.

    y[t] = activation(Σ x[t·s + i] · W[i] + b), summed over the window i and the features.

    Shapes: T × F → T' × filters. For sound, sensor data and text. PyTorch: Conv1d (with W as filters × F × T).
    """

    kind = "conv1d.v1"
    title = "Conv1D"
    icon = "mdi6.chart-timeline-variant"
    keywords = ("convolution", "series", "sequence", "signal", "audio", "text", "filter", "kernel", "temporal")
    axes = "TF"

    filters: int = param(
        32, "Filters", "Number of patterns to look for. Higher: sees more kinds of detail, but is slower.", ge=1,
        le=65_536)
    kernel: int = param(3, "Kernel", "Length of a pattern. Higher: sees more of the series at once, with more weights.",
                        ge=1, le=4096)
    strides: int = param(1, "Strides", "Steps between neighbouring windows. Higher: a shorter, coarser and faster "
                         "output.",
                         ge=1, le=4096)
    padding: Padding = param(
        "same", "Padding", "Same adds zeros at the ends so that the series keeps its length; valid adds none.",
        labels=PADDING_TITLES)
    activation: ActivationName = activation_param()
    bias: bool = bias_param()
    initialiser: InitialiserName = initialiser_param()
    dilation: int = param(
        1, "Dilation", "Distance between the taps of a window. Higher: sees further with the same weights.", ge=1,
        le=4096, advanced=True)
    groups: int = param(
        1, "Groups", "Features are split into so many groups that do not see each other. Higher: fewer weights; must "
        "divide features and filters.", ge=1, le=65_536, advanced=True)
    margin: int = param(0, "Margin", "Zeros added at each end, with explicit padding. Higher: longer output.", ge=0,
                        le=4096, advanced=True)


class Conv3D(Convolution):
    """Looks for small patterns everywhere in a volume or a film.

    y[d, h, w] = activation(Σ x[d·s + i, h·s + j, w·s + k] · W[i, j, k] + b), summed over the window and the channels.

    Shapes: D × H × W × C → D' × H' × W' × filters. For medical volumes and short films; slow. PyTorch: Conv3d.
    """

    kind = "conv3d.v1"
    title = "Conv3D"
    icon = "mdi6.cube-outline"
    keywords = ("convolution", "volume", "video", "film", "medical", "filter", "kernel")
    axes = "DHWC"

    filters: int = param(
        16, "Filters", "Number of patterns to look for. Higher: sees more kinds of detail, but is slower.", ge=1,
        le=65_536)
    kernel: tuple[Length, Length, Length] = param(
        (3, 3, 3), "Kernel", "Depth, height and width of a pattern. Higher: sees more at once, with more weights.")
    strides: tuple[Length, Length, Length] = param(
        (1, 1, 1), "Strides", "Steps between neighbouring windows. Higher: a smaller, coarser and faster output.")
    padding: Padding = param(
        "same", "Padding", "Same adds zeros around the volume so that it keeps its size; valid adds none, so it "
        "shrinks.",
        labels=PADDING_TITLES)
    activation: ActivationName = activation_param()
    bias: bool = bias_param()
    initialiser: InitialiserName = initialiser_param()
    dilation: tuple[Length, Length, Length] = param(
        (1, 1, 1), "Dilation", "Distance between the taps of a window. Higher: sees further with the same weights.",
        advanced=True)
    groups: int = param(
        1, "Groups", "Channels are split into so many groups that do not see each other. Higher: fewer weights; must "
        "divide channels and filters.", ge=1, le=65_536, advanced=True)
    margin: tuple[Margin, Margin, Margin] = param(
        (0, 0, 0), "Margin", "Zeros added at both sides of each axis, with explicit padding. Higher: larger output.",
        advanced=True)


class ConvTranspose2D(Penalised):
    """Paints small patterns into a larger picture: a convolution run backwards.

    y[h·s + i, w·s + j] += x[h, w] · W[i, j], then bias and activation.

    Shapes: H × W × C → H·s × W·s × filters with padding same; valid keeps the edges: (H − 1)·s + k. For decoders of
    autoencoders and picture generators. Source: Zeiler et al. 2010. PyTorch: ConvTranspose2d (with W as C × filters × H
    × W).
    """

    kind = "convtranspose2d.v1"
    title = "ConvTranspose2D"
    group = "Convolution"
    icon = "mdi6.grid-large"
    keywords = ("transposed", "deconvolution", "upsample", "decoder", "generator", "image")

    filters: int = param(
        32, "Filters", "Number of output channels. Higher: richer pictures, but slower.", ge=1, le=65_536)
    kernel: tuple[Length, Length] = param(
        (3, 3), "Kernel", "Height and width of a painted pattern. Higher: smoother, with more weights. A multiple of "
        "the strides avoids chequered pictures.")
    strides: tuple[Length, Length] = param(
        (2, 2), "Strides", "How many times larger the picture becomes. Higher: a larger output.")
    padding: Literal["same", "valid"] = param(
        "same", "Padding", "Same makes the output just strides times as large; valid keeps what is painted over the "
        "edge.",
        labels={"valid": "valid (keeps the edges)"})
    activation: ActivationName = activation_param()
    bias: bool = bias_param()
    initialiser: InitialiserName = initialiser_param()

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.axes != "HWC" or shape.integer:
            raise ShapeError("H × W × C", shape, *wanted("HWC", shape))
        if self.padding == "same":
            size = [n * s for n, s in zip(shape.dims, self.strides)]
        else:
            size = [(n - 1) * s + k for n, s, k in zip(shape.dims, self.strides, self.kernel)]
        return Shape("HWC", (*size, self.filters))

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        channels, taps = inputs[0].dims[-1], math.prod(self.kernel)
        # each output value receives taps / strides of the painted patterns
        fan_in = max(1, taps * channels // math.prod(self.strides))
        weights = {"W": Weight((*self.kernel, self.filters, channels), self.initialiser, fan_in, taps * self.filters,
                                penalty=self.penalty((-2,)))}
        if self.bias:
            weights["b"] = Weight((self.filters,), "zeros", fan_in, taps * self.filters, decay=False)
        return weights

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size * math.prod(self.kernel) * self.filters

    def summary(self) -> str:
        size = "×".join(map(str, self.kernel))
        return " · ".join(filter(None, (str(self.filters), size, activation_title(self.activation))))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        x, y, W = ctx.x[0], ctx.y, ctx.weights["W"]
        # the convolution from the output to the input whose gradient this is
        windows = windows_over(Shape("HWC", y.shape[1:]), self.kernel, self.strides, (1, 1), self.padding)
        products = correlation(ctx, windows, self.filters, x.shape[-1], 1, transposed=True)
        paint = products.input_gradient()
        order, weights = paint.bind_weights(W)
        end = Epilogue(ctx, products.blocks, fused(self.activation), ctx.weights["b"] if self.bias else None)
        ends = [end.bind_block(i) for i in range(len(products.blocks))]
        steps = [order, end.before_forward()]
        for part, (finish, _) in zip(products.blocks, ends):
            steps += [paint.bind(x[part], weights, y[part]), finish]
        forward = in_turn(steps)
        if not ctx.training:
            return forward, nothing

        dy, dx, dW = ctx.dy, ctx.dx[0], ctx.grads["W"]
        reorder, matrix = products.bind_weights(W)
        back = [reorder]
        for i, part in enumerate(products.blocks):
            back.append(ends[i][1])
            if dx is not None:
                back.append(products.bind_forward(dy[part], matrix, dx[part]))
            back.append(products.bind_weight_gradient(dy[part], x[part], dW, first=i == 0, loaded=dx is not None))
        back.append(end.after_backward(ctx.grads["b"] if self.bias else None))
        return forward, in_turn(back)
