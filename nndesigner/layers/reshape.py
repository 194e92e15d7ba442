"""The same values in another form."""

from __future__ import annotations

import math

from nndesigner.layers.base import Layer
from nndesigner.spec import Shape, ShapeError, param

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
