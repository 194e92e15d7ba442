"""Convolutions that look at each channel by itself: far fewer weights and products."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

from nndesigner.layers.base import Bind, Step, Weight
from nndesigner.layers.conv import PADDING_TITLES, Length, Margin, wanted
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
from nndesigner.layers.windows import Padding, Windows, blocks_of, windows_over
from nndesigner.spec import Shape, ShapeError, param


class Depthwise:
    """Sums of x · W over the taps of a window, channel by channel, and their gradients, for blocks of samples.

    x: [n, H, W, C], W: [kh, kw, C, multiplier], y: [n, H', W', C · multiplier] with channel c · multiplier + m.
    A few passes for each tap over a block in the cache; a matrix product has nothing to do here.
    """

    def __init__(self, ctx: Bind, windows: Windows, W: Any) -> None:
        xp, self.ctx, self.windows, self.W = ctx.xp, ctx, windows, W
        self.channels, self.multiplier = W.shape[-2:]
        self.outputs = math.prod(windows.outputs) * self.channels * self.multiplier
        self.blocks = blocks_of(xp, ctx.batch, 2 * (self.outputs + math.prod(windows.extent) * self.channels))
        self.most = self.blocks[0].stop
        #: weights of one tap for a whole row of outputs: long rows are faster than single places
        self.row = xp.empty((windows.taps, windows.outputs[-1], self.channels, self.multiplier), dtype=ctx.dtype)
        self.part = xp.empty(self.most * self.outputs, dtype=ctx.dtype)
        shape = (self.most, *windows.extent, self.channels)
        self.padded = None if windows.inside else xp.zeros(shape, dtype=ctx.dtype)
        self.gradient = None if windows.inside or not ctx.training else xp.empty(shape, dtype=ctx.dtype)
        if ctx.training:
            self.sums = xp.empty((len(self.blocks), windows.taps, self.row[0].size), dtype=ctx.dtype)
            longest = max(self.most * windows.outputs[0], len(self.blocks), windows.outputs[-1])
            self.ones = xp.ones(longest, dtype=ctx.dtype)

    def before(self) -> Step:
        """To run once, before the blocks of forward: spread the weights over rows."""
        xp, row, weights = self.ctx.xp, self.row, self.W.reshape(self.windows.taps, 1, self.channels, self.multiplier)
        return lambda: xp.copyto(row, weights)

    def _views(self, padded: Any) -> list[Any]:
        """What each tap sees, [n, H', W', C, 1] (without the last axis where the multiplier is 1)."""
        w, views = self.windows, []
        for at in product(*(range(k) for k in w.kernel)):
            place = (slice(a * d, a * d + (o - 1) * s + 1, s)
                     for a, d, o, s in zip(at, w.dilation, w.outputs, w.strides))
            view = padded[(slice(None), *place)]
            views.append(view if self.multiplier == 1 else view[..., None])
        return views

    def _fold(self, array: Any, n: int) -> Any:
        """Outputs [n, H', W', C, multiplier] (without the last axis where the multiplier is 1)."""
        shape = (n, *self.windows.outputs, self.channels, self.multiplier)
        return array.reshape(shape[:-1] if self.multiplier == 1 else shape)

    def _rows(self) -> list[Any]:
        return [row[..., 0] if self.multiplier == 1 else row for row in self.row]

    def _load(self, x: Any) -> tuple[Step, Any]:
        """(copy the block into the padded array, the array that the taps look at)."""
        if self.padded is None:
            return nothing, x
        part, place = self.windows.copied()
        xp, inner, padded = self.ctx.xp, x[(slice(None), *part)], self.padded[:x.shape[0]]
        outer = padded[(slice(None), *place)]
        return lambda: xp.copyto(outer, inner), padded

    def bind_forward(self, x: Any, y: Any) -> Step:
        """y = sums over the taps, for a block."""
        xp, n = self.ctx.xp, x.shape[0]
        load, padded = self._load(x)
        out, t = self._fold(y, n), self._fold(self.part[:y.size], n)
        first, *others = zip(self._views(padded), self._rows())

        def forward() -> None:
            load()
            xp.multiply(first[0], first[1], out=out)
            for seen, row in others:
                xp.multiply(seen, row, out=t)
                xp.add(out, t, out=out)

        return forward

    def bind_backward(self, index: int, x: Any, dy: Any, dx: Any | None) -> Step:
        """Sums for the weights, and the gradient of the block by its input."""
        xp, n, w = self.ctx.xp, x.shape[0], self.windows
        load, padded = self._load(x)
        grad, t = self._fold(dy, n), self._fold(self.part[:dy.size], n)
        flat = t.reshape(n * w.outputs[0], -1)
        add = self.ones[:flat.shape[0]].dot
        terms = list(zip(self._views(padded), self.sums[index]))
        steps = [load]

        def weights() -> None:
            for seen, total in terms:
                xp.multiply(seen, grad, out=t)
                add(flat, out=total)

        steps.append(weights)
        if dx is None:
            return in_turn(steps)
        target = dx if self.gradient is None else self.gradient[:n]
        places = list(zip(self._views(target), self._rows()))
        part, place = w.copied()
        inner, outer = dx[(slice(None), *part)], target[(slice(None), *place)]
        whole = inner.shape == dx.shape
        spare = None if self.multiplier == 1 else xp.empty((*t.shape[:-1], 1), dtype=self.ctx.dtype)

        def inputs() -> None:
            target.fill(0)
            for seen, row in places:
                xp.multiply(grad, row, out=t)
                if spare is None:
                    xp.add(seen, t, out=seen)
                else:
                    xp.sum(t, axis=-1, keepdims=True, out=spare)
                    xp.add(seen, spare, out=seen)
            if target is not dx:
                if not whole:
                    dx.fill(0)
                xp.copyto(inner, outer)

        return in_turn([*steps, inputs])

    def after(self, dW: Any) -> Step:
        """To run once, after the blocks of backward: the gradient of the weights."""
        xp, w = self.ctx.xp, self.windows
        total = xp.empty(self.sums[0].shape, dtype=self.ctx.dtype)
        blocks, sums = self.ones[:len(self.blocks)], self.sums.reshape(len(self.blocks), -1)
        places = total.reshape(w.taps, w.outputs[-1], -1)
        columns, result = self.ones[:w.outputs[-1]].reshape(1, -1), dW.reshape(w.taps, 1, -1)
        whole = total.reshape(-1)

        def run() -> None:
            blocks.dot(sums, out=whole)
            xp.matmul(columns, places, out=result)

        return run


class _ByLibrary:
    """What Depthwise does, as a correlation with as many groups as channels, by a library of the device."""

    def __init__(self, correlation: Any, W: Any) -> None:
        self._of, self.blocks = correlation, correlation.blocks
        #: [kh, kw, 1, C · multiplier], as a correlation wants its weights
        self._W = W.reshape(*W.shape[:-2], 1, -1)
        self._order, self._weights = correlation.bind_weights(self._W)

    def before(self) -> Step:
        return self._order

    def bind_forward(self, x: Any, y: Any) -> Step:
        return self._of.bind_forward(x, self._weights, y)

    def bind_backward(self, index: int, x: Any, dy: Any, dx: Any | None) -> Step:
        # the gradient of the weights is asked for with the arrays of `after`
        self._arrays = x, dy
        return nothing if dx is None else self._of.input_gradient().bind(dy, self._weights, dx)

    def after(self, dW: Any) -> Step:
        return self._of.bind_weight_gradient(*self._arrays, dW.reshape(self._W.shape), first=True, loaded=False)


def depthwise(ctx: Bind, windows: Windows, W: Any) -> Depthwise | _ByLibrary:
    """The sums for a layer: by a library of the device where it can."""
    if ctx.convolve is not None:
        channels, multiplier = W.shape[-2:]
        found = ctx.convolve(
            windows, channels, channels * multiplier, channels, ctx.batch, ctx.training, ctx.dtype)
        if found is not None:
            return _ByLibrary(found, W)
    return Depthwise(ctx, windows, W)


class _OneByOne(Penalised):
    """Shared by the two layers: geometry and the depthwise weights."""

    group = "Convolution"

    def windows(self, shape: Shape) -> Windows:
        return windows_over(shape, self.kernel, self.strides, self.dilation, self.padding, self.margin)

    def depthwise_weight(self, shape: Shape) -> Weight:
        taps = math.prod(self.kernel)
        return Weight((*self.kernel, shape.dims[-1], self.multiplier), self.initialiser, taps, taps * self.multiplier,
                      penalty=self.penalty((-2, -1)))

    def check(self, shape: Shape) -> None:
        """Raise ShapeError unless the input is a picture."""
        if shape.axes != "HWC" or shape.integer:
            raise ShapeError("H × W × C", shape, *wanted("HWC", shape))


_KERNEL_HELP = "Height and width of a pattern. Higher: sees more of the picture at once, with more weights."
_STRIDES_HELP = "Steps between neighbouring windows. Higher: a smaller, coarser and faster output."
_PADDING_HELP = "Same adds zeros around the picture so that it keeps its size; valid adds none, so it shrinks."
_MARGIN_HELP = "Zeros added above and below, left and right, with explicit padding. Higher: larger output."
_MULTIPLIER_HELP = "Patterns for each channel. Higher: sees more kinds of detail, but is slower."
_DILATION_HELP = "Distance between the taps of a window. Higher: sees further with the same weights."


class DepthwiseConv2D(_OneByOne):
    """Looks for small patterns in each channel by itself, without mixing channels.

    y[h, w, c·m + j] = activation(Σ x[h·s + i, w·s + k, c] · W[i, k, c, j] + b) over the window i, k.

    Shapes: H × W × C → H' × W' × C · multiplier. Cheap; a 1×1 Conv2D behind it mixes the channels. Source: Howard et
    al. 2017 (MobileNet), arXiv:1704.04861. PyTorch: Conv2d(groups=C).
    """

    kind = "depthwiseconv2d.v1"
    title = "DepthwiseConv2D"
    icon = "mdi6.view-grid-outline"
    keywords = ("convolution", "mobile", "channel-wise", "image", "cnn", "light")

    kernel: tuple[Length, Length] = param((3, 3), "Kernel", _KERNEL_HELP)
    strides: tuple[Length, Length] = param((1, 1), "Strides", _STRIDES_HELP)
    padding: Padding = param("same", "Padding", _PADDING_HELP, labels=PADDING_TITLES)
    multiplier: int = param(1, "Multiplier", _MULTIPLIER_HELP, ge=1, le=1024)
    activation: ActivationName = activation_param()
    bias: bool = bias_param()
    initialiser: InitialiserName = initialiser_param()
    dilation: tuple[Length, Length] = param((1, 1), "Dilation", _DILATION_HELP, advanced=True)
    margin: tuple[Margin, Margin] = param((0, 0), "Margin", _MARGIN_HELP, advanced=True)

    def output_shape(self, *inputs: Shape) -> Shape:
        self.check(inputs[0])
        return Shape("HWC", (*self.windows(inputs[0]).outputs, inputs[0].dims[-1] * self.multiplier))

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        weight = self.depthwise_weight(inputs[0])
        weights = {"W": weight}
        if self.bias:
            weights["b"] = Weight((inputs[0].dims[-1] * self.multiplier,), "zeros", weight.fan_in, weight.fan_out,
                                  decay=False)
        return weights

    def multiply_adds(self, *inputs: Shape) -> int:
        return self.output_shape(*inputs).size * math.prod(self.kernel)

    def summary(self) -> str:
        size = "×".join(map(str, self.kernel))
        times = f"× {self.multiplier}" if self.multiplier > 1 else ""
        return " · ".join(filter(None, (size, times, activation_title(self.activation))))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        x, y = ctx.x[0], ctx.y
        sums = depthwise(ctx, self.windows(Shape("HWC", x.shape[1:])), ctx.weights["W"])
        end = Epilogue(ctx, sums.blocks, fused(self.activation), ctx.weights["b"] if self.bias else None)
        ends = [end.bind_block(i) for i in range(len(sums.blocks))]
        steps = [sums.before(), end.before_forward()]
        for part, (finish, _) in zip(sums.blocks, ends):
            steps += [sums.bind_forward(x[part], y[part]), finish]
        forward = in_turn(steps)
        if not ctx.training:
            return forward, nothing
        dy, dx, back = ctx.dy, ctx.dx[0], []
        for i, part in enumerate(sums.blocks):
            back += [ends[i][1], sums.bind_backward(i, x[part], dy[part], None if dx is None else dx[part])]
        back += [sums.after(ctx.grads["W"]), end.after_backward(ctx.grads["b"] if self.bias else None)]
        return forward, in_turn(back)


class SeparableConv2D(_OneByOne):
    """A light Conv2D: first small patterns in each channel, then a mix of the channels at each place.

    z = depthwise convolution of x, y = activation(z · P + b)

    Shapes: H × W × C → H' × W' × filters. About a ninth of the work of a 3×3 Conv2D, and often nearly as good. Source:
    Chollet 2017 (Xception), arXiv:1610.02357. PyTorch: Conv2d(groups=C) and Conv2d(1×1).
    """

    kind = "separableconv2d.v1"
    title = "SeparableConv2D"
    icon = "mdi6.view-grid-plus-outline"
    keywords = ("convolution", "depthwise", "pointwise", "mobile", "xception", "image", "light")

    filters: int = param(
        32, "Filters", "Number of patterns to look for. Higher: sees more kinds of detail, but is slower.", ge=1,
        le=65_536)
    kernel: tuple[Length, Length] = param((3, 3), "Kernel", _KERNEL_HELP)
    strides: tuple[Length, Length] = param((1, 1), "Strides", _STRIDES_HELP)
    padding: Padding = param("same", "Padding", _PADDING_HELP, labels=PADDING_TITLES)
    activation: ActivationName = activation_param()
    multiplier: int = param(1, "Multiplier", _MULTIPLIER_HELP, ge=1, le=1024, advanced=True)
    bias: bool = bias_param()
    initialiser: InitialiserName = initialiser_param()
    dilation: tuple[Length, Length] = param((1, 1), "Dilation", _DILATION_HELP, advanced=True)
    margin: tuple[Margin, Margin] = param((0, 0), "Margin", _MARGIN_HELP, advanced=True)

    def output_shape(self, *inputs: Shape) -> Shape:
        self.check(inputs[0])
        return Shape("HWC", (*self.windows(inputs[0]).outputs, self.filters))

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        between = inputs[0].dims[-1] * self.multiplier
        weights = {
            "depthwise": self.depthwise_weight(inputs[0]),
            "pointwise": Weight((between, self.filters), self.initialiser, between, self.filters,
                                penalty=self.penalty()),
        }
        if self.bias:
            weights["b"] = Weight((self.filters,), "zeros", between, self.filters, decay=False)
        return weights

    def multiply_adds(self, *inputs: Shape) -> int:
        places = math.prod(self.windows(inputs[0]).outputs)
        return places * inputs[0].dims[-1] * self.multiplier * (math.prod(self.kernel) + self.filters)

    def summary(self) -> str:
        size = "×".join(map(str, self.kernel))
        return " · ".join(filter(None, (str(self.filters), size, activation_title(self.activation))))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        x, y, P = ctx.x[0], ctx.y, ctx.weights["pointwise"]
        sums = depthwise(ctx, self.windows(Shape("HWC", x.shape[1:])), ctx.weights["depthwise"])
        end = Epilogue(ctx, sums.blocks, fused(self.activation), ctx.weights["b"] if self.bias else None)
        ends = [end.bind_block(i) for i in range(len(sums.blocks))]
        z = ctx.scratch("between", (*y.shape[:-1], P.shape[0]))
        rows, out = z.reshape(-1, P.shape[0]), y.reshape(-1, self.filters)
        places = math.prod(y.shape[1:-1])
        steps = [sums.before(), end.before_forward()]
        for part, (finish, _) in zip(sums.blocks, ends):
            lines = slice(part.start * places, part.stop * places)
            mix, target = rows[lines].dot, out[lines]
            steps += [sums.bind_forward(x[part], z[part]), lambda mix=mix, target=target: mix(P, out=target), finish]
        forward = in_turn(steps)
        if not ctx.training:
            return forward, nothing
        dy, dx, dP = ctx.dy, ctx.dx[0], ctx.grads["pointwise"]
        dout, dz = dy.reshape(out.shape), ctx.scratch("between gradient", z.shape)
        dmix, dz_rows, P_back, rows_back = dout.dot, dz.reshape(rows.shape), P.T, rows.T
        back = [backward for _, backward in ends]
        back += [lambda: rows_back.dot(dout, out=dP), lambda: dmix(P_back, out=dz_rows)]
        for i, part in enumerate(sums.blocks):
            back.append(sums.bind_backward(i, x[part], dz[part], None if dx is None else dx[part]))
        back += [sums.after(ctx.grads["depthwise"]), end.after_backward(ctx.grads["b"] if self.bias else None)]
        return forward, in_turn(back)
