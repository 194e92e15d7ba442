"""Sliding windows over channels-last arrays: their geometry, and the sums of products under all convolutions.

Method: the windows of a few samples at a time are copied into the rows of a matrix that stays in the cache (blocked
im2col, one strided copy), and a matrix product does the rest. The gradient by the input is the same thing with flipped
weights where the stride is 1, and a sum of shifted products otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from nndesigner.layers.base import Bind, Step
from nndesigner.layers.elementwise import nothing
from nndesigner.spec import Remedy, Set, Shape, ShapeError

Padding = Literal["same", "valid", "explicit"]

#: values in the matrix of one block: 512 kB of float32, half of a core's second cache
_BLOCK = 131_072
#: on other devices only memory limits a block: 256 MB of float32
_BLOCK_ELSEWHERE = 67_108_864


@dataclass(frozen=True)
class Windows:
    """Where windows lie along every spatial axis. Output position o sees inputs o·stride − before + tap·dilation."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]

    @property
    def taps(self) -> int:
        return math.prod(self.kernel)

    @property
    def extent(self) -> tuple[int, ...]:
        """Length of the padded axes that the windows cover."""
        return tuple((o - 1) * s + (k - 1) * d + 1
                     for o, s, k, d in zip(self.outputs, self.strides, self.kernel, self.dilation))

    @property
    def inside(self) -> bool:
        """No window reaches beyond the input."""
        return all(b == 0 and e <= n for b, e, n in zip(self.before, self.extent, self.inputs))

    @property
    def pointwise(self) -> bool:
        """Every window is just the input value at its place."""
        return self.inside and self.taps == 1 and self.inputs == self.outputs

    def copied(self) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """(part of the input, its place in the padded array), which has the length `extent`."""
        source, place = [], []
        for n, b, e in zip(self.inputs, self.before, self.extent):
            start, stop = max(0, -b), min(n, e - b)
            source.append(slice(start, stop))
            place.append(slice(start + b, stop + b))
        return tuple(source), tuple(place)

    def backward(self) -> Windows:
        """The windows over output gradients whose sums are the input gradients. Only for stride 1."""
        before = tuple((k - 1) * d - b for k, d, b in zip(self.kernel, self.dilation, self.before))
        return Windows(self.outputs, self.inputs, self.kernel, self.strides, self.dilation, before)


def windows_over(
    shape: Shape, kernel: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...], padding: Padding,
    margin: tuple[int, ...] = (), remedies: tuple[Remedy, ...] = (Set({"padding": "same"}),),
) -> Windows:
    """Geometry over the spatial axes of `shape`. "same" is TensorFlow's: ⌈n / stride⌉ outputs, an odd zero at the end.

    Raises ShapeError when a window is larger than the padded input.
    """
    inputs = shape.dims[:-1]
    outputs, before = [], []
    for i, n in enumerate(inputs):
        reach = (kernel[i] - 1) * dilation[i] + 1
        if padding == "same":
            out = -(-n // strides[i])
            before.append(max((out - 1) * strides[i] + reach - n, 0) // 2)
        else:
            space = margin[i] if padding == "explicit" else 0
            out = (n + 2 * space - reach) // strides[i] + 1
            before.append(space)
        if out < 1:
            axis = shape.axes[i]
            raise ShapeError(f"at least {reach} {axis} for its window", shape,
                             "choose a smaller window or padding same", remedies)
        outputs.append(out)
    return Windows(inputs, tuple(outputs), kernel, strides, dilation, tuple(before))


def blocks_of(xp: Any, batch: int, values: int) -> list[slice]:
    """Parts of a batch whose samples, of so many values each, fit into the cache together."""
    limit = _BLOCK if xp.__name__ == "numpy" else _BLOCK_ELSEWHERE
    count = -(-batch // max(1, limit // max(values, 1)))
    size = -(-batch // count)
    return [slice(start, min(start + size, batch)) for start in range(0, batch, size)]


class Rows:
    """Copies the windows of some samples into a matrix [groups, positions, taps · channels of a group]."""

    def __init__(self, xp: Any, dtype: Any, windows: Windows, channels: int, groups: int, most: int) -> None:
        self.xp, self.windows, self.channels, self.groups = xp, windows, channels, groups
        #: few channels: the matrix is stored transposed, so that the copy moves long rows of an image at once
        self.transposed = groups == 1 and channels <= 4
        self.direct = windows.pointwise and groups == 1
        if self.direct:
            return
        planes = self.transposed and channels > 1 and windows.strides[-1] == 1
        if planes:
            # channels apart from each other: the copy of the windows then moves rows without gaps
            whole = xp.zeros((channels, most, *windows.extent), dtype=dtype)
            self.padded = whole.transpose(*range(1, whole.ndim), 0)
        else:
            self.padded = None if windows.inside else xp.zeros((most, *windows.extent, channels), dtype=dtype)
        self.matrix = xp.empty(most * math.prod(windows.outputs) * windows.taps * channels, dtype=dtype)

    def bind(self, x: Any) -> tuple[Step, Any]:
        """(copy the windows of these samples, matrix that they are in). x: [n, *inputs, C], at most `most` samples."""
        xp, w, groups = self.xp, self.windows, self.groups
        n, positions = x.shape[0], math.prod(w.outputs)
        if self.direct:
            return nothing, x.reshape(1, n * positions, self.channels)
        padded = x if self.padded is None else self.padded[:n]
        of_group = self.channels // groups
        first, *steps, item = padded.strides
        along = tuple(s * step for s, step in zip(w.strides, steps))
        within = tuple(d * step for d, step in zip(w.dilation, steps))
        matrix = self.matrix[:n * positions * w.taps * self.channels]
        if self.transposed:
            shape, strides = (*w.kernel, of_group, n, *w.outputs), (*within, item, first, *along)
            rows = matrix.reshape(1, w.taps * of_group, n * positions).transpose(0, 2, 1)
        else:
            shape = (groups, n, *w.outputs, *w.kernel, of_group)
            strides = (of_group * item, first, *along, *within, item)
            rows = matrix.reshape(groups, n * positions, w.taps * of_group)
        source = xp.lib.stride_tricks.as_strided(padded, shape, strides)
        target = matrix.reshape(shape)
        if self.padded is None:
            return lambda: xp.copyto(target, source), rows
        part, place = w.copied()
        inner, outer = x[(slice(None), *part)], padded[(slice(None), *place)]

        def load() -> None:
            xp.copyto(outer, inner)
            xp.copyto(target, source)

        return load, rows


class Correlation:
    """Sums of products of windows with weights W [*kernel, C / groups, filters], and their gradients, by blocks."""

    def __init__(self, xp: Any, dtype: Any, windows: Windows, channels: int, filters: int, groups: int, batch: int
                 ) -> None:
        self.xp, self.dtype, self.windows = xp, dtype, windows
        self.channels, self.filters, self.groups = channels, filters, groups
        self.positions = math.prod(windows.outputs)
        values = self.positions * (windows.taps * channels + filters)
        self.blocks = blocks_of(xp, batch, values)
        self.most = self.blocks[0].stop
        self.rows = Rows(xp, dtype, windows, channels, groups, self.most)
        self._grouped = None if groups == 1 else xp.empty(self.most * self.positions * filters, dtype=dtype)

    def _by_group(self, block: Any) -> tuple[Any, Any]:
        """Array [groups, positions, filters of a group] for a block of outputs, and the block in the same order of
        axes.

        With one group both are views of the block itself.
        """
        n = block.shape[0] * self.positions
        view = block.reshape(n, self.groups, self.filters // self.groups).transpose(1, 0, 2)
        if self.groups == 1:
            return block.reshape(1, n, self.filters), view
        return self._grouped[:block.size].reshape(view.shape), view

    def bind_weights(self, W: Any) -> tuple[Step, Any]:
        """(bring the weights into the order of the products, matrix [groups, taps · C / groups, filters / groups])."""
        depth, of_group = self.windows.taps * self.channels // self.groups, self.filters // self.groups
        if self.groups == 1:
            return nothing, W.reshape(1, depth, self.filters)
        source = W.reshape(depth, self.groups, of_group).transpose(1, 0, 2)
        matrix = self.xp.empty(source.shape, dtype=self.dtype)
        return lambda: self.xp.copyto(matrix, source), matrix

    def bind_forward(self, x: Any, matrix: Any, y: Any) -> Step:
        """y = windows of x · weights, for a block."""
        xp = self.xp
        load, rows = self.rows.bind(x)
        out, view = self._by_group(y)
        if self.groups == 1:
            multiply, weights, flat = rows[0].dot, matrix[0], out[0]
            if load is nothing:
                return lambda: multiply(weights, out=flat)

            def forward() -> None:
                load()
                multiply(weights, out=flat)

            return forward

        def forward_grouped() -> None:
            load()
            xp.matmul(rows, matrix, out=out)
            xp.copyto(view, out)

        return forward_grouped

    def bind_weight_gradient(self, x: Any, dy: Any, dW: Any, first: bool, loaded: bool) -> Step:
        """dW = (first block) or += windows of x, transposed · dy. `loaded`: forward left the windows there."""
        xp, groups = self.xp, self.groups
        load, rows = self.rows.bind(x)
        if loaded:
            load = nothing
        flipped = rows.transpose(0, 2, 1)
        grad, view = self._by_group(dy)
        depth = flipped.shape[1]
        target = dW.reshape(depth, groups, self.filters // groups).transpose(1, 0, 2)
        direct = first and groups == 1
        part = dW.reshape(1, depth, self.filters) if direct else xp.empty(target.shape, dtype=self.dtype)

        def backward() -> None:
            load()
            if groups == 1:
                flipped[0].dot(grad[0], out=part[0])
            else:
                xp.copyto(grad, view)
                xp.matmul(flipped, grad, out=part)
            if not direct:
                if first:
                    xp.copyto(target, part)
                else:
                    xp.add(target, part, out=target)

        return backward

    def input_gradient(self) -> InputGradient:
        return InputGradient(self)


class InputGradient:
    """The gradient of a Correlation by its input; also the forward pass of a transposed convolution."""

    def __init__(self, of: Correlation) -> None:
        self.of = of
        xp, w = of.xp, of.windows
        self.flip = all(s == 1 for s in w.strides) and not w.pointwise
        if self.flip:
            self.rows = Rows(xp, of.dtype, w.backward(), of.filters, of.groups, of.most)
            self._grouped = None if of.groups == 1 else xp.empty(of.most * math.prod(w.inputs) * of.channels, of.dtype)
        else:
            self._padded = None if w.inside else xp.empty((of.most, *w.extent, of.channels), dtype=of.dtype)
            self._part = xp.empty(of.most * of.positions * of.channels, dtype=of.dtype)

    def bind_weights(self, W: Any) -> tuple[Step, Any]:
        """(bring the weights into the order of the products, the array): [groups, taps · filters of a group, channels
        of a group] flipped for stride 1, else [taps, groups, filters of a group, channels of a group]."""
        of, w = self.of, self.of.windows
        groups, rank = of.groups, len(w.kernel)
        parts = W.reshape(*w.kernel, of.channels // groups, groups, of.filters // groups)
        if self.flip:
            source = parts[(slice(None, None, -1),) * rank].transpose(rank + 1, *range(rank), rank + 2, rank)
            shape = (groups, w.taps * of.filters // groups, of.channels // groups)
        else:
            source = parts.transpose(*range(rank), rank + 1, rank + 2, rank)
            shape = (w.taps, groups, of.filters // groups, of.channels // groups)
        array = of.xp.empty(source.shape, dtype=of.dtype)
        return lambda: of.xp.copyto(array, source), array.reshape(shape)

    def bind(self, dy: Any, weights: Any, dx: Any) -> Step:
        """dx = what the windows of dy pass back, for a block."""
        return self._bind_flipped(dy, weights, dx) if self.flip else self._bind_shifted(dy, weights, dx)

    def _bind_flipped(self, dy: Any, weights: Any, dx: Any) -> Step:
        xp, of = self.of.xp, self.of
        load, rows = self.rows.bind(dy)
        if of.groups == 1:
            multiply, matrix, flat = rows[0].dot, weights[0], dx.reshape(-1, of.channels)

            def backward() -> None:
                load()
                multiply(matrix, out=flat)

            return backward
        view = dx.reshape(-1, of.groups, of.channels // of.groups).transpose(1, 0, 2)
        out = self._grouped[:dx.size].reshape(view.shape)

        def backward_grouped() -> None:
            load()
            xp.matmul(rows, weights, out=out)
            xp.copyto(view, out)

        return backward_grouped

    def _bind_shifted(self, dy: Any, weights: Any, dx: Any) -> Step:
        xp, of, w = self.of.xp, self.of, self.of.windows
        n = dy.shape[0]
        grad, ordered = of._by_group(dy)
        part = self._part[:n * of.positions * of.channels].reshape(of.groups, n * of.positions, -1)
        if w.pointwise and of.groups == 1:
            flat = dx.reshape(1, n * of.positions, of.channels)
            return lambda: xp.matmul(grad, weights[0], out=flat)
        padded = dx if self._padded is None else self._padded[:n]
        by_position = part.transpose(1, 0, 2).reshape(n, *w.outputs, of.channels) if of.groups == 1 else None
        shifted = []
        for tap, at in enumerate(product(*(range(k) for k in w.kernel))):
            place = tuple(slice(a * d, a * d + (o - 1) * s + 1, s)
                          for a, d, o, s in zip(at, w.dilation, w.outputs, w.strides))
            view = padded[(slice(None), *place)]
            if of.groups > 1:
                shape = (n, *w.outputs, of.groups, of.channels // of.groups)
                view = _split_last(xp, view, of.groups)
                shifted.append((weights[tap], view, part.reshape(of.groups, *shape[:-2], shape[-1])))
            else:
                shifted.append((weights[tap], view, by_position))
        crop, place = w.copied()
        inner, outer = dx[(slice(None), *crop)], padded[(slice(None), *place)]
        whole = inner.shape == dx.shape

        def backward() -> None:
            if of.groups > 1:
                xp.copyto(grad, ordered)
            padded.fill(0)
            for matrix, view, product_ in shifted:
                xp.matmul(grad, matrix, out=part)
                xp.add(view, product_, out=view)
            if padded is not dx:
                if not whole:
                    dx.fill(0)
                xp.copyto(inner, outer)

        return backward


def correlation(ctx: Bind, windows: Windows, channels: int, filters: int, groups: int, transposed: bool = False) -> Any:
    """The sums of products for a layer: by a library of the device where it can, else a Correlation."""
    if ctx.convolve is not None:
        found = ctx.convolve(windows, channels, filters, groups, ctx.batch, ctx.training, ctx.dtype, transposed)
        if found is not None:
            return found
    return Correlation(ctx.xp, ctx.dtype, windows, channels, filters, groups, ctx.batch)


def _split_last(xp: Any, view: Any, groups: int) -> Any:
    """View [groups, ..., C / groups] of an array [..., C] that need not be contiguous."""
    size = view.shape[-1] // groups
    item = view.strides[-1]
    return xp.lib.stride_tricks.as_strided(
        view, (groups, *view.shape[:-1], size), (size * item, *view.strides[:-1], item))
