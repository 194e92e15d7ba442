"""The same values in another form."""

from __future__ import annotations

import math
from typing import Annotated

from annotated_types import Ge, Le

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.elementwise import nothing
from nndesigner.spec import Insert, Shape, ShapeError, param

Place = Annotated[int, Ge(1), Le(4)]

#: axis letters by the number of axes
AXES = {1: "F", 2: "TF", 3: "HWC", 4: "DHWC"}


class Flatten(Layer):
    """Lines up all values of a sample in one row, so that a Dense layer can take them.

    Shapes: any → F with all values, the last axis running fastest. PyTorch: Flatten.
    """

    kind = "flatten.v1"
    title = "Flatten"
    group = "Core"
    icon = "mdi6.arrow-collapse-horizontal"
    keywords = ("vector", "unroll", "reshape")
    view = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return Shape("F", (inputs[0].size,), inputs[0].integer)


class Reshape(Layer):
    """Gives the values of a sample another shape, in the same order.

    One number may be −1: it becomes what is left over. One number gives F, two T × F, three H × W × C, four D × H × W ×
    C. For turning rows of numbers into pictures or series, and back. PyTorch: Unflatten.
    """

    kind = "reshape.v1"
    title = "Reshape"
    group = "Core"
    icon = "mdi6.resize"
    keywords = ("view", "unflatten", "shape")
    view = True

    shape: tuple[int, ...] = param(
        (-1,), "Shape", "New length of every axis. One of them may be -1: it becomes what is left over.")

    def output_shape(self, *inputs: Shape) -> Shape:
        source = inputs[0]
        wanted = "×".join(map(str, self.shape)) or "nothing"
        known = [n for n in self.shape if n != -1]
        if len(self.shape) not in AXES or len(known) < len(self.shape) - 1 or min(known, default=1) < 1:
            raise ShapeError("one to four numbers of at least 1, at most one of them -1", wanted, "correct the shape")
        size = math.prod(known)
        if source.size % size or (len(known) == len(self.shape) and size != source.size):
            raise ShapeError(f"{wanted} values", f"{source} = {source.size} values",
                             "choose numbers whose product is the number of values")
        dims = tuple(source.size // size if n == -1 else n for n in self.shape)
        return Shape(AXES[len(dims)], dims, source.integer)

    def summary(self) -> str:
        return "×".join(map(str, self.shape))


class Permute(Layer):
    """Swaps the axes of a sample, for example time and features.

    Order (2, 1) makes the second axis the first one. The new axes keep the names of the places: T × F stays T × F.

    PyTorch: permute.
    """

    kind = "permute.v1"
    title = "Permute"
    group = "Core"
    icon = "mdi6.swap-horizontal"
    keywords = ("transpose", "swap", "axes", "order")

    order: tuple[Place, ...] = param(
        (2, 1), "Order", "Which old axis comes to each new place, counted from 1: (2, 1) swaps two axes.")

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if sorted(self.order) != list(range(1, len(shape.dims) + 1)):
            count = len(shape.dims)
            raise ShapeError(f"an order of the numbers 1 to {count}" if count > 1 else "two or more axes",
                             f"{self.order} for {shape.lettered}", "correct the order")
        return Shape(shape.axes, tuple(shape.dims[i - 1] for i in self.order), shape.integer)

    def summary(self) -> str:
        return " ".join(map(str, self.order))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, y, x = ctx.xp, ctx.y, ctx.x[0].transpose(0, *self.order)

        def forward() -> None:
            xp.copyto(y, x)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dx, dy = ctx.dx[0].transpose(0, *self.order), ctx.dy
        return forward, lambda: xp.copyto(dx, dy)


class RepeatVector(Layer):
    """Repeats a row of features so that every time step of a series gets it.

    Shapes: F → times × F. Between the encoder and the decoder of a sequence autoencoder. Keras: RepeatVector.
    """

    kind = "repeatvector.v1"
    title = "RepeatVector"
    group = "Core"
    icon = "mdi6.repeat"
    keywords = ("copy", "tile", "sequence", "decoder")

    times: int = param(10, "Times", "Number of time steps. Higher: a longer series.", ge=1, le=1_000_000)

    def output_shape(self, *inputs: Shape) -> Shape:
        if inputs[0].axes != "F" or inputs[0].integer:
            raise ShapeError("F", inputs[0], "put a Flatten before it", (Insert("flatten.v1"),))
        return Shape("TF", (self.times, *inputs[0].dims))

    def summary(self) -> str:
        return f"× {self.times}"

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, y, x = ctx.xp, ctx.y, ctx.x[0][:, None, :]

        def forward() -> None:
            xp.copyto(y, x)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dy, dx = ctx.dy, ctx.dx[0][:, None, :]
        row = xp.ones((1, self.times), dtype=ctx.dtype)
        return forward, lambda: xp.matmul(row, dy, out=dx)
