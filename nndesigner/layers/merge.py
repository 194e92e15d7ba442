"""Layers that bring several branches together."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.elementwise import bind_positive, in_turn, nothing, sign_bits
from nndesigner.spec import Shape, ShapeError, param
from nndesigner.spec.shape import AXIS_NAMES

_FIT = "change the layers before it so that the branches fit"


def bind_sum_to(xp: Any, source: Any, target: Any) -> Step:
    """Copy `source` to `target`, which has length 1 on some axes: there the sum is taken."""
    axes = tuple(i for i, (n, m) in enumerate(zip(source.shape, target.shape)) if n != m)
    if not axes:
        return lambda: xp.copyto(target, source)
    return lambda: xp.sum(source, axis=axes, keepdims=True, out=target)


class Merge(Layer):
    """Shared by the layers that work value by value on two or more inputs.

    An input of length 1 along an axis is used for all places of that axis.
    """

    group = "Merge"
    masking = "keep"
    many = True

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs) < 2:
            raise ShapeError("two or more inputs", f"{len(inputs)}", "connect another branch")
        first = inputs[0]
        dims = list(first.dims)
        for other in inputs:
            fits = other.axes == first.axes and not other.integer and all(
                n == m or 1 in (n, m) for n, m in zip(dims, other.dims))
            if not fits:
                raise ShapeError(
                    f"inputs of one shape, {first.lettered} like the first (or 1 along an axis)", other, _FIT)
            dims = [max(n, m) for n, m in zip(dims, other.dims)]
        return Shape(first.axes, tuple(dims))

    def multiply_adds(self, *inputs: Shape) -> int:
        return self.output_shape(*inputs).size * (len(inputs) - 1)


class _LinearMerge(Merge):
    """Shared by the sums: y = Σ factor · x."""

    def factor(self, index: int, count: int) -> float:
        """What input number `index` of so many is multiplied with."""
        return 1.0

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, y, x = ctx.xp, ctx.y, ctx.x
        factors = [self.factor(i, len(x)) for i in range(len(x))]
        plus, first = [xp.add if f > 0 else xp.subtract for f in factors], x[0]
        share = None if abs(factors[0]) == 1 else xp.asarray(abs(factors[0]), ctx.dtype)

        def forward() -> None:
            plus[1](first, x[1], out=y)
            for add, other in zip(plus[2:], x[2:]):
                add(y, other, out=y)
            if share is not None:
                xp.multiply(y, share, out=y)

        if not ctx.training:
            return forward, nothing
        dy, back = ctx.dy, []
        if share is not None:
            back.append(lambda: xp.multiply(dy, share, out=dy))
        for dx, f in zip(ctx.dx, factors):
            if dx is not None:
                back.append(bind_sum_to(xp, dy, dx))
                if f < 0:
                    back.append(lambda dx=dx: xp.negative(dx, out=dx))
        return forward, in_turn(back)


class Add(_LinearMerge):
    """Adds its inputs, value by value.

    y = x₁ + x₂ + …

    For shortcuts around a few layers, which make deep networks trainable. All inputs have one shape; along an axis of
    length 1 an input is repeated. Source: He et al. 2016, arXiv:1512.03385.
    """

    kind = "add.v1"
    title = "Add"
    icon = "mdi6.plus"
    keywords = ("sum", "residual", "skip", "shortcut", "plus")


class Average(_LinearMerge):
    """Takes the mean of its inputs, value by value.

    y = (x₁ + x₂ + … + xₙ) / n

    For several branches that vote on the same thing. Shapes as for Add.
    """

    kind = "average.v1"
    title = "Average"
    icon = "mdi6.approximately-equal"
    keywords = ("mean", "ensemble", "vote")

    def factor(self, index: int, count: int) -> float:
        return 1.0 / count


class Subtract(_LinearMerge):
    """Takes the second input from the first one, value by value.

    y = x₁ − x₂

    For differences, such as what a second picture has that the first one has not. Shapes as for Add.
    """

    kind = "subtract.v1"
    title = "Subtract"
    icon = "mdi6.minus"
    keywords = ("difference", "minus")
    ports = ("first", "second")
    many = False

    def factor(self, index: int, count: int) -> float:
        return 1.0 if index == 0 else -1.0


class Multiply(Merge):
    """Multiplies its inputs, value by value.

    y = x₁ · x₂ · …

    For gates and attention: one branch says how much of the other passes. Shapes as for Add; a gate of 1 × 1 × C acts
    on every place of a picture.
    """

    kind = "multiply.v1"
    title = "Multiply"
    icon = "mdi6.close"
    keywords = ("product", "gate", "times", "squeeze and excite")

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, y, x = ctx.xp, ctx.y, ctx.x

        def forward() -> None:
            xp.multiply(x[0], x[1], out=y)
            for other in x[2:]:
                xp.multiply(y, other, out=y)

        if not ctx.training:
            return forward, nothing
        dy, t = ctx.dy, ctx.scratch("t", y.shape)
        steps = [([other for j, other in enumerate(x) if j != i], bind_sum_to(xp, t, dx))
                 for i, dx in enumerate(ctx.dx) if dx is not None]

        def backward() -> None:
            for others, pass_on in steps:
                xp.multiply(dy, others[0], out=t)
                for other in others[1:]:
                    xp.multiply(t, other, out=t)
                pass_on()

        return forward, backward


class _ExtremeMerge(Merge):
    """Shared by maximum and minimum. The gradient goes to the first of the inputs that have the value."""

    #: the larger value wins
    larger: ClassVar[bool]

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, y, x = ctx.xp, ctx.y, ctx.x
        choose = xp.maximum if self.larger else xp.minimum

        def forward() -> None:
            choose(x[0], x[1], out=y)
            for other in x[2:]:
                choose(y, other, out=y)

        if not ctx.training:
            return forward, nothing
        distance, free, part = (ctx.scratch(name, y.shape) for name in ("distance", "free", "part"))
        bits, free_bits, part_bits, dy_bits = (sign_bits(xp, a)[0] for a in (distance, free, part, ctx.dy))
        beaten = ctx.scratch("beaten", y.shape, bits.dtype)
        find = bind_positive(xp, distance, beaten)
        steps = [(other, None if dx is None else bind_sum_to(xp, part, dx)) for other, dx in zip(x, ctx.dx)]

        def backward() -> None:
            free_bits.fill(-1)
            for other, pass_on in steps:
                if self.larger:
                    xp.subtract(y, other, out=distance)
                else:
                    xp.subtract(other, y, out=distance)
                find()
                xp.invert(beaten, out=beaten)
                xp.bitwise_and(beaten, free_bits, out=beaten)
                xp.bitwise_xor(free_bits, beaten, out=free_bits)
                xp.bitwise_and(beaten, dy_bits, out=part_bits)
                if pass_on is not None:
                    pass_on()

        return forward, backward


class Maximum(_ExtremeMerge):
    """Takes the largest of its inputs, value by value.

    y = max(x₁, x₂, …)

    For branches that look for the same thing in different ways. Shapes as for Add.
    """

    kind = "maximum.v1"
    title = "Maximum"
    icon = "mdi6.arrow-up-bold-outline"
    keywords = ("max", "largest", "maxout")
    larger = True


class Minimum(_ExtremeMerge):
    """Takes the smallest of its inputs, value by value.

    y = min(x₁, x₂, …)

    For conditions that must hold together. Shapes as for Add.
    """

    kind = "minimum.v1"
    title = "Minimum"
    icon = "mdi6.arrow-down-bold-outline"
    keywords = ("min", "smallest")
    larger = False


class Dot(Layer):
    """Says how well two rows of features point the same way: the sum of their products.

    y = Σ a · b over the last axis, which becomes 1 long.

    For comparing two things, such as a user and a film. Both inputs have one shape.
    """

    kind = "dot.v1"
    title = "Dot"
    group = "Merge"
    masking = "keep"
    icon = "mdi6.circle-medium"
    keywords = ("inner product", "scalar product", "similarity", "recommendation")
    ports = ("first", "second")

    def output_shape(self, *inputs: Shape) -> Shape:
        first, second = inputs
        if first != second or first.integer:
            raise ShapeError(f"two inputs of one shape, {first.lettered} like the first", second, _FIT)
        return Shape(first.axes, (*first.dims[:-1], 1))

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, (a, b), t = ctx.xp, ctx.x, ctx.scratch("t", ctx.x[0].shape)
        features = a.shape[-1]
        rows, y, ones = t.reshape(-1, features), ctx.y.reshape(-1), xp.ones(features, dtype=ctx.dtype)

        def forward() -> None:
            xp.multiply(a, b, out=t)
            rows.dot(ones, out=y)

        dy = ctx.dy
        return forward, in_turn([
            lambda dx=dx, other=other: xp.multiply(dy, other, out=dx)
            for dx, other in zip(ctx.dx, (b, a)) if dx is not None])


class Concatenate(Layer):
    """Puts its inputs side by side: more channels or features, or a longer series.

    All other axes must agree. For branches that look at the same thing in different ways, and for joining several
    inputs.
    """

    kind = "concatenate.v1"
    title = "Concatenate"
    group = "Merge"
    masking = "keep"
    icon = "mdi6.table-merge-cells"
    keywords = ("join", "stack", "cat", "merge", "dense connection")
    many = True

    axis: Literal["last", "T", "D", "H", "W"] = param(
        "last", "Axis", "Along which axis they are put together. Last: channels or features.",
        labels={"last": "last (channels, features)", **{a: AXIS_NAMES[a] for a in "TDHW"}}, advanced=True)

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs) < 2:
            raise ShapeError("two or more inputs", f"{len(inputs)}", "connect another branch")
        first = inputs[0]
        if self.axis != "last" and self.axis not in first.axes:
            raise ShapeError(f"inputs with the axis {self.axis}", first, "choose another axis")
        at = len(first.dims) - 1 if self.axis == "last" else first.axes.index(self.axis)
        for other in inputs[1:]:
            if other.axes != first.axes or other.integer or [*other.dims[:at], *other.dims[at + 1:]] != [
                    *first.dims[:at], *first.dims[at + 1:]]:
                rest = " × ".join(f"{d} {a}" for i, (d, a) in enumerate(zip(first.dims, first.axes)) if i != at)
                rest = rest or f"only {first.axes}"
                raise ShapeError(f"inputs that agree in all but the axis {first.axes[at]} ({rest})", other, _FIT)
        return Shape(first.axes, (*first.dims[:at], sum(s.dims[at] for s in inputs), *first.dims[at + 1:]))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, at = ctx.xp, next((i for i, (n, m) in enumerate(zip(ctx.x[0].shape, ctx.y.shape)) if n != m), 1)
        forward, backward, end = [], [], 0
        for i, x in enumerate(ctx.x):
            start, end = end, end + x.shape[at]
            place = (*(slice(None),) * at, slice(start, end))
            forward.append(lambda part=ctx.y[place], x=x: xp.copyto(part, x))
            if ctx.training and ctx.dx[i] is not None:
                backward.append(lambda dx=ctx.dx[i], grad=ctx.dy[place]: xp.copyto(dx, grad))
        return in_turn(forward), in_turn(backward)
