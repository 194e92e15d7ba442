"""Layers that bring several branches together."""

from __future__ import annotations

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.elementwise import in_turn
from nndesigner.spec import Shape, ShapeError


class Merge(Layer):
    """Shared by the layers with any number of wires at one port."""

    group = "Merge"
    many = True

    @staticmethod
    def same_shapes(inputs: tuple[Shape, ...]) -> Shape:
        """The shape that all inputs have. Raises ShapeError when they differ or one is missing."""
        if len(inputs) < 2:
            raise ShapeError("two or more inputs", f"{len(inputs)}", "connect another branch")
        for other in inputs[1:]:
            if other.dims != inputs[0].dims or other.axes != inputs[0].axes or other.integer:
                raise ShapeError(f"inputs of one shape, {inputs[0].lettered} like the first", other,
                                 "change the layers before it so that all branches end in the same shape")
        return inputs[0]


class Add(Merge):
    """Adds its inputs, value by value.

    y = x₁ + x₂ + …

    For shortcuts around a few layers, which make deep networks trainable. All inputs have one shape. Source: He et al.
    2016, arXiv:1512.03385.
    """

    kind = "add.v1"
    title = "Add"
    icon = "mdi6.plus"
    keywords = ("sum", "residual", "skip", "shortcut", "plus")

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.same_shapes(inputs)

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, y, (first, second, *others) = ctx.xp, ctx.y, ctx.x

        def forward() -> None:
            xp.add(first, second, out=y)
            for x in others:
                xp.add(y, x, out=y)

        dy = ctx.dy
        return forward, in_turn([lambda dx=dx: xp.copyto(dx, dy) for dx in ctx.dx if dx is not None])


class Concatenate(Merge):
    """Puts its inputs side by side along the last axis: more channels or features.

    All other axes must agree. For branches that look at the same thing in different ways, and for joining several
    inputs.
    """

    kind = "concatenate.v1"
    title = "Concatenate"
    icon = "mdi6.table-merge-cells"
    keywords = ("join", "stack", "cat", "merge", "dense connection")

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs) < 2:
            raise ShapeError("two or more inputs", f"{len(inputs)}", "connect another branch")
        first = inputs[0]
        for other in inputs[1:]:
            if other.axes != first.axes or other.dims[:-1] != first.dims[:-1] or other.integer:
                rest = " × ".join(f"{d} {a}" for d, a in zip(first.dims[:-1], first.axes)) or "only F"
                raise ShapeError(f"inputs that agree in all but the last axis ({rest})", other,
                                 "change the layers before it so that the branches fit")
        return Shape(first.axes, (*first.dims[:-1], sum(s.dims[-1] for s in inputs)))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp = ctx.xp
        ends = [0]
        for x in ctx.x:
            ends.append(ends[-1] + x.shape[-1])
        forward, backward = [], []
        for i, x in enumerate(ctx.x):
            part = ctx.y[..., ends[i]:ends[i + 1]]
            forward.append(lambda part=part, x=x: xp.copyto(part, x))
            if ctx.training and ctx.dx[i] is not None:
                grad = ctx.dy[..., ends[i]:ends[i + 1]]
                backward.append(lambda dx=ctx.dx[i], grad=grad: xp.copyto(dx, grad))
        return in_turn(forward), in_turn(backward)
