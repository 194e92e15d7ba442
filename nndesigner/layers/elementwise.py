"""Arithmetic on each value by itself, bound for a part of flat arrays at a time, so that its passes stay in the cache.

It may work in place; Dense and the convolutions fuse it that way behind their bias.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nndesigner.layers.base import Bind, Layer, Step, in_turn, nothing
from nndesigner.layers.tracing import Calls, Tracer, traces
from nndesigner.spec import Shape

#: values in one part: 128 kB of float32, so that a few arrays fit into a core's second cache
PART = 32_768

Temporary = Callable[[str], Any]


def parts_of(xp: Any, size: int) -> list[slice]:
    """Parts of a flat array that fit into the CPU's cache; the whole array on other devices."""
    if xp.__name__ != "numpy" or size <= 2 * PART:
        return [slice(0, size)]
    return [slice(start, min(start + PART, size)) for start in range(0, size, PART)]


def sign_bits(xp: Any, array: Any) -> tuple[Any, Any]:
    """(the array's bits as whole numbers, the shift that spreads the sign bit over all of them).

    With them a mask costs three cheap passes: in NumPy comparisons into floats and products with Booleans are slower.
    """
    integer = xp.int32 if array.dtype.itemsize == 4 else xp.int64
    return array.view(integer), xp.asarray(array.dtype.itemsize * 8 - 1, dtype=integer)


class Elementwise(Layer):
    """A function of each value on its own."""

    group = "Activation"
    masking = "keep"

    #: number of arrays of the size of x that must survive from forward to backward
    keeps: ClassVar[int] = 0

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        dx = ctx.dx[0] if ctx.training else None
        return self.bind_arrays(ctx.xp, ctx.scratch, ctx.x[0], ctx.y, dx, ctx.dy if dx is not None else None)

    def bind_arrays(self, xp: Any, scratch: Callable[..., Any], x: Any, y: Any, dx: Any, dy: Any) -> tuple[Step, Step]:
        """(forward, backward) for contiguous arrays of one shape. y may be x, and dx may be dy; both are None when not
        training."""
        size = x.size
        parts = parts_of(xp, size)
        x, y = x.reshape(-1), y.reshape(-1)
        dx, dy = (None, None) if dx is None else (dx.reshape(-1), dy.reshape(-1))
        kept = [scratch(f"kept {i}", (size,)) for i in range(self.keeps)] if dx is not None else []
        if traces(xp):
            return bind_finish(xp, self, kept, None, x, y, dx, dy)
        longest = max(part.stop - part.start for part in parts)
        steps, calls = [], Calls(xp)
        for part in parts:
            n = part.stop - part.start
            steps.append(self.bind_part(
                calls, x[part], y[part], None if dx is None else dx[part], None if dy is None else dy[part],
                [array[part] for array in kept], lambda name, n=n: scratch(f"temporary {name}", (longest,))[:n]))
        return tuple(in_turn([calls.of(step) for step in way]) for way in zip(*steps))

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        """(forward, backward) for flat parts. `kept` arrays survive to backward and are empty when dy is None."""
        raise NotImplementedError


def bind_finish(xp: Any, activation: Elementwise | None, kept: list[Any], bias: Any | None, x: Any, y: Any, dx: Any,
                dy: Any) -> tuple[Step, Step]:
    """(y = activation(x + bias), dx = its slope · dy), one kernel of a GPU each.

    Arrays of one shape, and a bias of their last axis. y may be x, and dx may be dy; both are None when not training.
    With a bias x must be y, as what is to be kept of the sum is kept there. `kept` as in `Elementwise.bind_part`.
    """
    tracer = Tracer(xp, x.dtype)
    x, y, dx, dy, bias = (tracer.array(array) for array in (x, y, dx, dy, bias))
    steps, back, name = [], nothing, "bias"
    if bias is not None:
        steps.append(lambda: tracer.add(x, bias, out=y))
    if activation is not None:
        name = type(activation).__name__.lower()
        forward, back = activation.bind_part(
            tracer, x, y, dx, dy, [tracer.array(array) for array in kept], lambda name: tracer.temporary(name, x.shape))
        steps.append(forward)
    return tracer.kernels(in_turn(steps), name), tracer.kernels(back, f"{name}_back")


class Sloped(Elementwise):
    """A function that finds its slope best on the way forward, where the parts of its value are at hand."""

    keeps = 1

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        slope = kept[0] if dy is not None else None
        forward = self.bind_value(xp, x, y, slope, temporary)
        if slope is None:
            return forward, nothing

        def backward() -> None:
            xp.multiply(dy, slope, out=dx)

        return forward, backward

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        """Write the values of x to y and, unless it is None, their derivatives to slope. y may be x: write it last."""
        raise NotImplementedError


def number(x: Any, value: float, xp: Any) -> Any:
    """A constant of the type of x, without axes: twice as fast as a Python number."""
    return xp.asarray(value, dtype=x.dtype)


def bind_positive(xp: Any, x: Any, out: Any) -> Step:
    """Set all bits of out (whole numbers) where x > 0, else none. x: floats of the same shape."""
    bits, shift = sign_bits(xp, x)

    def run() -> None:
        # x > 0 has bits > 0, so −bits has its sign bit set: all ones after the shift. x = 0 gives all zeros.
        xp.negative(bits, out=out)
        xp.right_shift(out, shift, out=out)

    return run
