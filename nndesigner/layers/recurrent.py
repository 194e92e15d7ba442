"""Layers that read a series step by step and remember.

States are kept feature-major, [units, batch], so every operation of a step runs over long rows. A step has one product
with state, input and bias together (see `Direction`); in the backward pass the derivatives of the gates are found for
some steps at once.

At padded steps of a masked series the state stays as it is.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from nndesigner.layers.base import Bind, Step, Weight
from nndesigner.layers.conv import wanted
from nndesigner.layers.direction import BACK, Direction
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.layers.weighted import InitialiserName, Penalised, initialiser_param
from nndesigner.spec import Shape, ShapeError, param


class Recurrent(Penalised):
    """Shared by the recurrent layers: shapes, read-out, directions."""

    group = "Recurrent and attention"
    masking = "use"

    #: sums of products for each unit
    gates: ClassVar[int]

    units: int = param(
        64, "Units", "Numbers remembered from step to step. Higher: remembers more, but is slower.", ge=1, le=65_536)
    output: Literal["last", "sequence"] = param(
        "last", "Output", "Last gives what is remembered at the end, padding aside; sequence gives it after "
        "every step, for another recurrent layer or an answer at each step.")
    bidirectional: bool = param(
        False, "Both directions", "Reads the series from both ends and puts the results side by side. Twice the "
        "weights; only where the whole series is known.")
    initialiser: InitialiserName = initialiser_param()

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.axes != "TF" or shape.integer:
            raise ShapeError("T × F", shape, *wanted("TF", shape))
        features = self.units * (2 if self.bidirectional else 1)
        return Shape("TF", (shape.dims[0], features)) if self.output == "sequence" else Shape("F", (features,))

    def suffixes(self) -> tuple[str, ...]:
        """Endings of the names of the weights of each direction."""
        return ("", BACK) if self.bidirectional else ("",)

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        features, width, penalty = inputs[0].dims[-1], self.gates * self.units, self.penalty()
        found = {}
        for suffix in self.suffixes():
            found["W" + suffix] = Weight((features, width), self.initialiser, features, self.units,
                                          penalty=penalty)
            found["U" + suffix] = Weight((self.units, width), "orthogonal", self.units, self.units, penalty=penalty)
            found["b" + suffix] = Weight((width,), "zeros", features, self.units, decay=False)
        return found

    def multiply_adds(self, *inputs: Shape) -> int:
        length, features = inputs[0].dims
        return length * self.gates * self.units * (features + self.units) * len(self.suffixes())

    def summary(self) -> str:
        return " · ".join(filter(None, (str(self.units), "both ways" if self.bidirectional else "",
                                        "sequence" if self.output == "sequence" else "")))

    def bind_direction(self, way: Direction) -> tuple[Step, Step]:
        """(fill way.states from way.inputs, gradients of the weights and way.dinputs from dy)."""
        raise NotImplementedError

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        forward: list[Step] = []
        backward: list[Step] = []
        for suffix in self.suffixes():
            way = Direction(ctx, suffix, self.gates, self.units)
            run, back = self.bind_direction(way)
            forward += [way.fill, run, way.bind_output(self.output == "sequence")]
            if ctx.training:
                backward += [back, way.input_gradient]
        return in_turn(forward), in_turn(backward)


class SimpleRNN(Recurrent):
    """Reads a series step by step with a short memory.

    h[t] = tanh(x[t] · W + h[t−1] · U + b)

    Shapes: T × F → units, or T × units. Easy to understand, but forgets after some ten steps; GRU and LSTM remember
    longer. Source: Elman 1990. PyTorch: RNN.
    """

    kind = "simplernn.v1"
    title = "SimpleRNN"
    icon = "mdi6.sync"
    keywords = ("recurrent", "bidirectional", "elman", "sequence", "series", "memory", "time")
    gates = 1

    def bind_direction(self, way: Direction) -> tuple[Step, Step]:
        xp, n, batch = way.ctx.xp, self.units, way.batch
        kernel, fill = way.kernel(((0, 1.0, 0.0),))
        t1 = way.scratch("t1", (n, batch))
        steps = [(way.inputs[k], way.states[k], way.states[k + 1], way.hold(k)) for k in range(way.length)]

        def forward() -> None:
            fill()
            for x, old, new, hold in steps:
                kernel.dot(x, out=t1)
                xp.tanh(t1, out=new)
                if hold is not None:  # new + hold · (old − new), exact where hold is 0 or 1
                    xp.multiply(new, hold, out=t1)
                    xp.subtract(new, t1, out=new)
                    xp.multiply(old, hold, out=t1)
                    xp.add(new, t1, out=new)

        if not way.ctx.training:
            return forward, nothing
        factors, spare = (way.scratch(name, (way.block, n, batch)) for name in ("factors", "spare"))
        dstate, U, W, one = way.dstate, way.U, way.W, xp.asarray(1.0, way.ctx.dtype)
        sums, products = way.bind_sums("weight gradients", slice(None), factors)
        given, dinputs = way.output_gradients(self.output == "sequence"), way.dinputs
        blocks = []
        for block, add_products in zip(way.blocks(), products):
            count = block.stop - block.start
            inner = [(factors[k - block.start], given[k], way.hold(k), None if dinputs is None else dinputs[k])
                     for k in reversed(range(block.start, block.stop))]
            idle = None if way.ctx.mask is None else way.inputs[block, -1:]
            blocks.append((way.states[block.start + 1:block.stop + 1], factors[:count], spare[:count], idle, inner,
                           add_products))

        def backward() -> None:
            sums.fill(0)
            dstate.fill(0)
            for states, slope, t, idle, inner, add_products in blocks:
                xp.multiply(states, states, out=slope)
                xp.subtract(one, slope, out=slope)
                if idle is not None:
                    xp.multiply(slope, idle, out=t)
                    xp.subtract(slope, t, out=slope)
                for dz, dh, hold, dinput in inner:
                    if dh is not None:
                        xp.add(dstate, dh, out=dstate)
                    xp.multiply(dz, dstate, out=dz)
                    if hold is not None:
                        xp.multiply(dstate, hold, out=t1)
                    U.dot(dz, out=dstate)
                    if hold is not None:
                        xp.add(dstate, t1, out=dstate)
                    if dinput is not None:
                        W.dot(dz, out=dinput)
                add_products()
            way.take_gradients(sums)

        return forward, backward
