"""Pooling: smaller pictures that keep what matters."""

from __future__ import annotations

import math
from itertools import product
from typing import Any, ClassVar, Literal

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.conv import PADDING_TITLES, Length, Margin, wanted
from nndesigner.layers.elementwise import in_turn, nothing, sign_bits
from nndesigner.layers.tracing import bind_chain
from nndesigner.layers.windows import Windows, blocks_of, windows_over
from nndesigner.spec import Set, Shape, ShapeError, param

_Tap = tuple[tuple[slice, ...], tuple[slice, ...]]


def taps_of(windows: Windows) -> list[_Tap]:
    """(part of the outputs, part of the inputs that it sees through this tap) for every tap of the window.

    The batch axis is included. Outputs whose window reaches over the edge at a tap are left out of it.
    """
    taps = []
    for at in product(*(range(k) for k in windows.kernel)):
        outputs, inputs = [slice(None)], [slice(None)]
        places = zip(at, windows.dilation, windows.strides, windows.before, windows.inputs, windows.outputs)
        for a, d, s, b, n, o in places:
            shift = a * d - b
            first = max(0, -(shift // s))
            last = min(o - 1, (n - 1 - shift) // s)
            outputs.append(slice(first, last + 1))
            inputs.append(slice(first * s + shift, last * s + shift + 1, s))
        if all(part.stop > part.start for part in outputs[1:]):
            taps.append((tuple(outputs), tuple(inputs)))
    return taps


class Pooling(Layer):
    """Shared by the poolings: window, strides, padding, and the loop over blocks of samples that fit into the cache."""

    group = "Pooling"

    axes: ClassVar[str]

    def windows(self, shape: Shape) -> Windows:
        kernel = self.kernel if isinstance(self.kernel, tuple) else (self.kernel,)
        strides = self.strides if isinstance(self.strides, tuple) else (self.strides,) * len(kernel)
        strides = tuple(s or k for s, k in zip(strides, kernel))
        smaller = tuple(min(k, n) for k, n in zip(kernel, shape.dims))
        fitting = smaller if isinstance(self.kernel, tuple) else smaller[0]
        return windows_over(shape, kernel, strides, (1,) * len(kernel), self.padding,
                            remedies=(Set({"kernel": fitting}), Set({"padding": "same"})))

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.axes != self.axes or shape.integer:
            raise ShapeError(" × ".join(self.axes), shape, *wanted(self.axes, shape))
        return Shape(self.axes, (*self.windows(shape).outputs, shape.dims[-1]))

    def multiply_adds(self, *inputs: Shape) -> int:
        w = self.windows(inputs[0])
        return math.prod(w.outputs) * w.taps * inputs[0].dims[-1]

    def summary(self) -> str:
        kernel = self.kernel if isinstance(self.kernel, tuple) else (self.kernel,)
        return "×".join(map(str, kernel))

    @staticmethod
    def blocks(ctx: Bind) -> list[slice]:
        """Parts of the batch that are worked on one after the other."""
        return blocks_of(ctx.xp, ctx.batch, math.prod(ctx.x[0].shape[1:]))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        x, dx = ctx.x[0], ctx.dx[0] if ctx.training else None
        windows = self.windows(Shape(self.axes, x.shape[1:]))
        steps = []
        for part in self.blocks(ctx):
            back = (None, None) if dx is None else (dx[part], ctx.dy[part])
            steps.append(self.bind_block(ctx, windows, x[part], ctx.y[part], *back))
        return in_turn([forward for forward, _ in steps]), in_turn([backward for _, backward in steps])

    def bind_block(self, ctx: Bind, windows: Windows, x: Any, y: Any, dx: Any | None, dy: Any | None
                   ) -> tuple[Step, Step]:
        """(forward, backward) for some samples."""
        raise NotImplementedError


def covers_once(windows: Windows) -> bool:
    """Every input belongs to exactly one window."""
    return (windows.kernel == windows.strides and windows.inside and windows.extent == windows.inputs)


class MaxPooling(Pooling):
    """Shared by the maximum poolings."""

    picks_largest = True

    def bind_block(self, ctx: Bind, windows: Windows, x: Any, y: Any, dx: Any | None, dy: Any | None
                   ) -> tuple[Step, Step]:
        xp, taps = ctx.xp, taps_of(windows)
        views = [(y[out], x[into]) for out, into in taps]
        whole = all(view.shape == y.shape for view, _ in views)
        pairs = [(seen, out, out) for out, seen in views]
        if whole and len(views) > 1:
            (_, one), (_, other), *_ = views
            pairs = [(one, other, y), *pairs[2:]]

        if whole and len(views) > 1:
            forward = bind_chain(xp, *(("maximum", *pair) for pair in pairs), name="maximum")
        else:
            def forward() -> None:
                y.fill(-xp.inf)
                for one, other, out in pairs:
                    xp.maximum(one, other, out=out)

        if dx is None:
            return forward, nothing
        # The gradient goes to the first of the largest values (−0 counts as less than 0). Masks are whole numbers of
        # all ones or all zeros: x − y has its sign bit set unless x is the maximum. What a value does not take is left
        # over for the next ones.
        most = self.blocks(ctx)[0].stop
        spare = [ctx.scratch(name, (most, *y.shape[1:]))[:y.shape[0]] for name in ("spare", "other spare")]
        (bits, shift), (other_bits, _) = (sign_bits(xp, array) for array in spare)
        dy_bits, dx_bits = sign_bits(xp, dy)[0], sign_bits(xp, dx)[0]
        once = covers_once(windows)
        first, last = [], dx_bits[taps[-1][1]]
        left, room = dy_bits, [(spare[0], bits), (spare[1], other_bits)]
        for (top, seen), (_, into) in zip(views[:-1], taps[:-1]):
            distance, rest = room[len(first) % 2]
            first.append((seen, top, distance, rest, left, dx_bits[into]))
            left = rest

        if once:
            operations = [operation for seen, top, distance, rest, given, target in first for operation in (
                ("subtract", seen, top, distance), ("right_shift", rest, shift, rest),
                ("bitwise_and", rest, given, rest), ("bitwise_xor", rest, given, target))]
            spread = bind_chain(xp, *operations, name="maximum_back") if operations else nothing
            backward_once = in_turn([spread, lambda: xp.copyto(last, left)])
            if windows.kernel == (2, 2):
                return forward, ctx.quicker("max_pool_back", backward_once, x, y, dy_bits, dx_bits)
            return forward, backward_once
        steps = [(top, seen, spare[0][out], bits[out], spare[1][out], other_bits[out], dy_bits[out], dx[into])
                 for (out, into), (top, seen) in zip(taps, views)]

        def backward() -> None:
            dx.fill(0)
            for top, seen, distance, rest, chosen, chosen_bits, given, target in steps:
                xp.subtract(seen, top, out=distance)
                xp.right_shift(rest, shift, out=rest)
                xp.bitwise_and(rest, given, out=rest)
                xp.bitwise_xor(rest, given, out=chosen_bits)
                xp.copyto(given, rest)
                xp.add(target, chosen, out=target)

        return forward, backward


class AveragePooling(Pooling):
    """Shared by the average poolings. Padding counts for nothing: averages are over real values only."""

    def bind_block(self, ctx: Bind, windows: Windows, x: Any, y: Any, dx: Any | None, dy: Any | None
                   ) -> tuple[Step, Step]:
        xp, taps = ctx.xp, taps_of(windows)
        views = [(y[out], x[into]) for out, into in taps]
        whole = all(view.shape == y.shape for view, _ in views)
        share = xp.zeros((1, *windows.outputs, 1), dtype=ctx.dtype)
        for out, _ in taps:
            share[out] += 1
        share = xp.asarray(1 / len(taps), ctx.dtype) if whole else 1 / share

        def forward() -> None:
            if whole:
                xp.copyto(y, views[0][1])
            else:
                y.fill(0)
            for out, seen in views[1:] if whole else views:
                xp.add(out, seen, out=out)
            xp.multiply(y, share, out=y)

        if dx is None:
            return forward, nothing
        once = covers_once(windows)
        steps = [(dy[out], dx[into]) for out, into in taps]

        def backward() -> None:
            xp.multiply(dy, share, out=dy)
            if not once:
                dx.fill(0)
            for grad, target in steps:
                if once:
                    xp.copyto(target, grad)
                else:
                    xp.add(target, grad, out=target)

        return forward, backward


_PADDING_HELP = "Valid leaves out what does not fill a window; same keeps it in smaller windows at the edge."


def _window(default: Any) -> Any:
    return param(default, "Window", "Size of a window. Higher: looks at larger parts and, with equal strides, shrinks "
                 "more.",
                 **({"ge": 1, "le": 4096} if isinstance(default, int) else {}))


def _strides(default: Any) -> Any:
    return param(default, "Strides", "Steps between neighbouring windows. 0: as large as the window. Higher: smaller "
                 "output.", advanced=True, **({"ge": 0, "le": 4096} if isinstance(default, int) else {}))


def _padding() -> Any:
    return param("valid", "Padding", _PADDING_HELP, labels=PADDING_TITLES, advanced=True)


class MaxPool2D(MaxPooling):
    """Keeps the largest value of each small window: smaller pictures that still tell whether a pattern was there.

    y[h, w] = max of x[h·s + i, w·s + j] over the window, for each channel. Of equal values the first gets the gradient.

    Shapes: H × W × C → H' × W' × C. After one or two convolutions, to halve the picture. PyTorch: MaxPool2d.
    """

    kind = "maxpool2d.v1"
    title = "MaxPool2D"
    icon = "mdi6.arrow-collapse-all"
    keywords = ("maximum", "pooling", "downsample", "shrink", "subsample")
    axes = "HWC"

    kernel: tuple[Length, Length] = _window((2, 2))
    strides: tuple[Margin, Margin] = _strides((0, 0))
    padding: Literal["valid", "same"] = _padding()


class AvgPool2D(AveragePooling):
    """Takes the mean of each small window: smaller, smoother pictures.

    y[h, w] = mean of x[h·s + i, w·s + j] over the window, for each channel.

    Shapes: H × W × C → H' × W' × C. Gentler than MaxPool2D; good for shrinking pictures in autoencoders. PyTorch:
    AvgPool2d (with count_include_pad=False).
    """

    kind = "avgpool2d.v1"
    title = "AvgPool2D"
    icon = "mdi6.blur"
    keywords = ("average", "mean", "pooling", "downsample", "shrink")
    axes = "HWC"

    kernel: tuple[Length, Length] = _window((2, 2))
    strides: tuple[Margin, Margin] = _strides((0, 0))
    padding: Literal["valid", "same"] = _padding()


class MaxPool1D(MaxPooling):
    """Keeps the largest value of each short stretch of a series.

    y[t] = max of x[t·s + i] over the window, for each feature. Of equal values the first gets the gradient.

    Shapes: T × F → T' × F. Between convolutions over time. PyTorch: MaxPool1d.
    """

    kind = "maxpool1d.v1"
    title = "MaxPool1D"
    icon = "mdi6.arrow-collapse-all"
    keywords = ("maximum", "pooling", "series", "downsample", "shrink")
    axes = "TF"

    kernel: int = _window(2)
    strides: int = _strides(0)
    padding: Literal["valid", "same"] = _padding()


class AvgPool1D(AveragePooling):
    """Takes the mean of each short stretch of a series.

    y[t] = mean of x[t·s + i] over the window, for each feature.

    Shapes: T × F → T' × F. Makes a series shorter and smoother. PyTorch: AvgPool1d (with count_include_pad=False).
    """

    kind = "avgpool1d.v1"
    title = "AvgPool1D"
    icon = "mdi6.blur"
    keywords = ("average", "mean", "pooling", "series", "downsample")
    axes = "TF"

    kernel: int = _window(2)
    strides: int = _strides(0)
    padding: Literal["valid", "same"] = _padding()


class MaxPool3D(MaxPooling):
    """Keeps the largest value of each small block of a volume or film.

    y[d, h, w] = max of x over the window, for each channel. Of equal values the first gets the gradient.

    Shapes: D × H × W × C → D' × H' × W' × C. PyTorch: MaxPool3d.
    """

    kind = "maxpool3d.v1"
    title = "MaxPool3D"
    icon = "mdi6.arrow-collapse-all"
    keywords = ("maximum", "pooling", "volume", "video", "downsample")
    axes = "DHWC"

    kernel: tuple[Length, Length, Length] = _window((2, 2, 2))
    strides: tuple[Margin, Margin, Margin] = _strides((0, 0, 0))
    padding: Literal["valid", "same"] = _padding()


class AvgPool3D(AveragePooling):
    """Takes the mean of each small block of a volume or film.

    y[d, h, w] = mean of x over the window, for each channel.

    Shapes: D × H × W × C → D' × H' × W' × C. PyTorch: AvgPool3d (with count_include_pad=False).
    """

    kind = "avgpool3d.v1"
    title = "AvgPool3D"
    icon = "mdi6.blur"
    keywords = ("average", "mean", "pooling", "volume", "video")
    axes = "DHWC"

    kernel: tuple[Length, Length, Length] = _window((2, 2, 2))
    strides: tuple[Margin, Margin, Margin] = _strides((0, 0, 0))
    padding: Literal["valid", "same"] = _padding()
