"""Layers that read a series step by step and remember.

States are kept feature-major, [units, batch], so every operation of a step runs over long rows, and all that does not
depend on the step before is done for the whole series at once: the products with the input, and in the backward pass
the derivatives of the gates.

At padded steps of a masked series the state stays as it is. Gates are forced open or shut there before they are
squashed, which carries a state on exactly and makes the gradients of the gates 0.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from nndesigner.layers.base import Bind, Layer, Step, Weight
from nndesigner.layers.conv import wanted
from nndesigner.layers.direction import BACK, OPEN, Direction
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.layers.weighted import InitialiserName, initialiser_param
from nndesigner.spec import Shape, ShapeError, param

#: from this batch size on, products with the input are made feature-major at once
_WIDE = 16


class Recurrent(Layer):
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
        features, width = inputs[0].dims[-1], self.gates * self.units
        found = {}
        for suffix in self.suffixes():
            found["W" + suffix] = Weight((features, width), self.initialiser, features, self.units)
            found["U" + suffix] = Weight((self.units, width), "orthogonal", self.units, self.units)
            found["b" + suffix] = Weight((width,), "zeros", features, self.units, decay=False)
        return found

    def multiply_adds(self, *inputs: Shape) -> int:
        length, features = inputs[0].dims
        return length * self.gates * self.units * (features + self.units) * len(self.suffixes())

    def summary(self) -> str:
        return " · ".join(filter(None, (str(self.units), "both ways" if self.bidirectional else "",
                                        "sequence" if self.output == "sequence" else "")))

    def bind_direction(self, way: Direction) -> tuple[Step, Step]:
        """(fill way.states from way.rows, gradients of the weights from dy).

        backward calls `way.output_gradient` for the gradient that comes from outside at each step, and leaves the
        gradients of the gates in way.gate_rows.
        """
        raise NotImplementedError

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp = ctx.xp
        batch, length, features = ctx.x[0].shape
        rows = ctx.scratch("rows", (length * batch, features))  # time-major
        by_time = ctx.x[0].transpose(1, 0, 2)
        folded = rows.reshape(length, batch, features)
        forward: list[Step] = [lambda: xp.copyto(folded, by_time)]
        turned = None
        if batch >= _WIDE:
            turned, by_feature = ctx.scratch("turned rows", (length, features, batch)), ctx.x[0].transpose(1, 2, 0)
            forward.append(lambda: xp.copyto(turned, by_feature))
            if not ctx.training:
                del forward[0]  # the rows serve the gradients only
        if ctx.mask is not None:
            idle = ctx.scratch("idle", (length, 1, batch))
            real, one = ctx.mask.T[:, None, :], xp.asarray(1.0, ctx.dtype)
            forward.append(lambda: xp.subtract(one, real, out=idle))
        backward: list[Step] = []
        dx = ctx.dx[0] if ctx.training else None
        if dx is not None:
            drows = ctx.scratch("row gradients", rows.shape)
            dfolded, dx_by_time = drows.reshape(folded.shape), dx.transpose(1, 0, 2)
        for suffix in self.suffixes():
            way = Direction(ctx, rows, turned, suffix, self.gates, self.units)
            run, back = self.bind_direction(way)
            forward += [way.input_products, run, way.bind_output(self.output == "sequence")]
            if not ctx.training:
                continue
            backward.append(back)
            if dx is not None:
                backward.append(lambda way=way: way.input_gradient(drows))
                if suffix:
                    backward.append(lambda: xp.add(dx_by_time, dfolded, out=dx_by_time))
                else:
                    backward.append(lambda: xp.copyto(dx_by_time, dfolded))
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
    keywords = ("recurrent", "elman", "sequence", "series", "memory", "time")
    gates = 1

    def bind_direction(self, way: Direction) -> tuple[Step, Step]:
        xp, turned, U = way.ctx.xp, way.turned, way.U
        t1 = way.scratch("t1", (self.units, way.batch))
        steps = [(way.gates[t], way.states[t + way.before], way.states[t + way.after], way.hold(t)) for t in way.order]

        def forward() -> None:
            xp.copyto(turned, U.T)
            for z, old, new, hold in steps:
                turned.dot(old, out=t1)
                xp.add(z, t1, out=t1)
                xp.tanh(t1, out=new)
                if hold is not None:  # new + hold · (old − new), exact where hold is 0 or 1
                    xp.multiply(new, hold, out=t1)
                    xp.subtract(new, t1, out=new)
                    xp.multiply(old, hold, out=t1)
                    xp.add(new, t1, out=new)

        if not way.ctx.training:
            return forward, nothing
        states = way.states[way.after:way.after + way.length]
        slope, dgates, dstate = way.gates, way.gates, way.dstate
        given = way.output_gradient(self.output == "sequence")
        back = [(dgates[t], given[t], way.hold(t)) for t in reversed(way.order)]
        one, idle = xp.asarray(1.0, way.ctx.dtype), way.idle
        spare = None if idle is None else way.scratch("spare", slope.shape)

        def backward() -> None:
            xp.multiply(states, states, out=slope)
            xp.subtract(one, slope, out=slope)
            if idle is not None:
                xp.multiply(slope, idle, out=spare)
                xp.subtract(slope, spare, out=slope)
            dstate.fill(0)
            for dz, dh, hold in back:
                if dh is not None:
                    xp.add(dstate, dh, out=dstate)
                xp.multiply(dz, dstate, out=dz)
                if hold is not None:
                    xp.multiply(dstate, hold, out=t1)
                U.dot(dz, out=dstate)
                if hold is not None:
                    xp.add(dstate, t1, out=dstate)
            way.weight_gradients(dgates, dgates)

        return forward, backward


class LSTM(Recurrent):
    """Reads a series step by step and decides what to remember, what to forget and what to say.

    i, f, o = sigmoid(x · W + h · U + b), g = tanh(x · W + h · U + b) (in W, U, b in the order i, f, g, o),
    c ← f · c + i · g, h ← o · tanh(c)

    Shapes: T × F → units, or T × units. For series, text and sound with links over long times. Forget gates start open.
    Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000. PyTorch: LSTM (its two biases are one here).
    """

    kind = "lstm.v1"
    title = "LSTM"
    icon = "mdi6.memory"
    keywords = ("recurrent", "long short-term memory", "sequence", "series", "text", "time", "gate")
    gates = 4

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        found = super().weights(*inputs)
        for suffix in self.suffixes():
            found["b" + suffix] = Weight(found["b" + suffix].shape, "forget_open", decay=False)
        return found

    def bind_direction(self, way: Direction) -> tuple[Step, Step]:
        xp, dtype, n = way.ctx.xp, way.ctx.dtype, self.units
        gates, turned, U, batch = way.gates, way.turned, way.U, way.batch
        # sigmoid(z) = tanh(z / 2) / 2 + 1/2: rows of i, f and o are halved before one tanh over all, and shifted after
        # it
        half = xp.full((4 * n, 1), 0.5, dtype=dtype)
        half[2 * n:3 * n] = 1
        # of full size, because a pass with a column costs three times as much
        halves, shifts = xp.repeat(half, batch, axis=1), xp.repeat(1 - half, batch, axis=1)
        cells = way.scratch("cells", (way.length + 1, n, batch))
        squashed = way.scratch("squashed", (way.length, n, batch))
        t1, t2 = way.scratch("t1", (4 * n, batch)), way.scratch("t2", (n, batch))
        steps = []
        for t in way.order:
            z = gates[t]
            steps.append((z, z[:n], z[n:2 * n], z[2 * n:3 * n], z[3 * n:], cells[t + way.before], cells[t + way.after],
                          squashed[t], way.states[t + way.before], way.states[t + way.after], way.hold(t)))
        force = way.force({0: -OPEN, 1: OPEN, 3: -OPEN})  # the cell stays as it is, and o · tanh(c) is 0

        def forward() -> None:
            force()
            xp.multiply(U.T, half, out=turned)
            xp.multiply(gates, half, out=gates)
            for z, i, f, g, o, old, new, s, h_old, h_new, hold in steps:
                turned.dot(h_old, out=t1)
                xp.add(z, t1, out=z)
                xp.tanh(z, out=z)
                xp.multiply(z, halves, out=z)
                xp.add(z, shifts, out=z)
                xp.multiply(f, old, out=new)
                xp.multiply(i, g, out=t2)
                xp.add(new, t2, out=new)
                xp.tanh(new, out=s)
                xp.multiply(o, s, out=h_new)
                if hold is not None:
                    xp.multiply(h_old, hold, out=t2)
                    xp.add(h_new, t2, out=h_new)

        if not way.ctx.training:
            return forward, nothing
        # factors: what the gradient by c (by h for o) is multiplied with for each gate; through: by h to c
        factors = way.scratch("factors", gates.shape)
        through = way.scratch("through", squashed.shape)
        i, f, g, o = (gates[:, k * n:(k + 1) * n] for k in range(4))
        di, df, dg, do = (factors[:, k * n:(k + 1) * n] for k in range(4))
        old_cells, one = cells[way.before:way.before + way.length], xp.asarray(1.0, dtype)
        dcell, dstate = way.scratch("cell gradient", (n, batch)), way.dstate
        given = way.output_gradient(self.output == "sequence")
        back = [(factors[t], factors[t, :3 * n].reshape(3, n, batch), factors[t, 3 * n:], through[t], f[t], given[t],
                 way.hold(t)) for t in reversed(way.order)]

        def backward() -> None:
            xp.multiply(gates, gates, out=factors)
            xp.subtract(gates, factors, out=factors)  # s · (1 − s) for the sigmoids
            xp.multiply(di, g, out=di)
            xp.multiply(df, old_cells, out=df)
            xp.multiply(do, squashed, out=do)
            xp.multiply(g, g, out=dg)
            xp.subtract(one, dg, out=dg)
            xp.multiply(dg, i, out=dg)
            xp.multiply(squashed, squashed, out=through)
            xp.subtract(one, through, out=through)
            xp.multiply(through, o, out=through)
            dstate.fill(0)
            dcell.fill(0)
            for dz, by_cell, by_state, k, forget, dh, hold in back:
                if dh is not None:
                    xp.add(dstate, dh, out=dstate)
                xp.multiply(dstate, k, out=t2)
                xp.add(dcell, t2, out=dcell)
                xp.multiply(by_cell, dcell, out=by_cell)
                xp.multiply(by_state, dstate, out=by_state)
                xp.multiply(dcell, forget, out=dcell)
                if hold is not None:
                    xp.multiply(dstate, hold, out=t2)
                U.dot(dz, out=dstate)
                if hold is not None:
                    xp.add(dstate, t2, out=dstate)
            way.weight_gradients(factors, factors)

        return forward, backward


class GRU(Recurrent):
    """Reads a series step by step and decides what to renew: nearly as good as LSTM, with fewer weights.

    r, z = sigmoid(x · W + h · U + b), n = tanh(x · W + b + r · (h · U + c)) (in W, U, b in the order r, z, n),
    h ← (1 − z) · n + z · h

    Shapes: T × F → units, or T × units. Source: Cho et al. 2014, arXiv:1406.1078. PyTorch: GRU (of its second bias only
    the part for n differs from the first: c).
    """

    kind = "gru.v1"
    title = "GRU"
    icon = "mdi6.memory-arrow-down"
    keywords = ("recurrent", "gated recurrent unit", "sequence", "series", "text", "time", "gate")
    gates = 3

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        found = super().weights(*inputs)
        for suffix in self.suffixes():
            found["c" + suffix] = Weight((self.units,), "zeros", decay=False)
        return found

    def bind_direction(self, way: Direction) -> tuple[Step, Step]:
        xp, dtype, n = way.ctx.xp, way.ctx.dtype, self.units
        gates, turned, U, batch, length = way.gates, way.turned, way.U, way.batch, way.length
        c = way.ctx.weights["c" + way.suffix].reshape(n, 1)
        half, scale = xp.asarray(0.5, dtype), xp.full((3 * n, 1), 0.5, dtype=dtype)
        scale[2 * n:] = 1
        kept = way.scratch("kept", (length, n, batch))  # h · U + c of n
        t1, t2 = way.scratch("t1", (3 * n, batch)), way.scratch("t2", (n, batch))
        t_gates, t_new = t1[:2 * n], t1[2 * n:]
        steps = []
        for t in way.order:
            z = gates[t]
            steps.append((z[:2 * n], z[:n], z[n:2 * n], z[2 * n:], kept[t], way.states[t + way.before],
                          way.states[t + way.after]))
        force, idle = way.force({0: -OPEN, 1: OPEN}), way.idle  # with n = 0 the state stays exactly as it is
        spare = way.scratch("spare", (length, n, batch)) if way.ctx.training or idle is not None else None
        inside = gates[:, 2 * n:]

        def forward() -> None:
            force()
            if idle is not None:
                xp.multiply(inside, idle, out=spare)
                xp.subtract(inside, spare, out=inside)
            xp.multiply(U.T, scale, out=turned)
            xp.multiply(gates, scale, out=gates)
            for both, r, z, new, k, old, state in steps:
                turned.dot(old, out=t1)
                xp.add(both, t_gates, out=both)
                xp.tanh(both, out=both)
                xp.multiply(both, half, out=both)
                xp.add(both, half, out=both)
                xp.add(t_new, c, out=k)
                xp.multiply(r, k, out=t2)
                xp.add(new, t2, out=new)
                xp.tanh(new, out=new)
                xp.subtract(old, new, out=t2)
                xp.multiply(z, t2, out=t2)
                xp.add(new, t2, out=state)

        if not way.ctx.training:
            return forward, nothing
        # gradients of r, z, of h · U + c, and of n on the side of the input
        factors = way.scratch("factors", (length, 4 * n, batch))
        r, z, new = (gates[:, k * n:(k + 1) * n] for k in range(3))
        dr, dz, _, dn = (factors[:, k * n:(k + 1) * n] for k in range(4))
        old_states, one, dstate = way.states[way.before:way.before + length], xp.asarray(1.0, dtype), way.dstate
        dc, given = way.ctx.grads["c" + way.suffix], way.output_gradient(self.output == "sequence")
        back = []
        for t in reversed(way.order):
            part = factors[t]
            back.append((part[:3 * n], part[:n], part[n:2 * n], part[2 * n:3 * n], part[3 * n:], r[t], z[t], given[t]))
        side, input_side = way.scratch("side", (length * batch, 3 * n)), way.scratch("input side", gates.shape)
        by_step = side.reshape(length, batch, 3 * n).transpose(0, 2, 1)
        of_new = side[:, 2 * n:]

        def backward() -> None:
            # dz = dh · (h − n) · z (1 − z), dn = dh · (1 − z) · (1 − n²), dr = dn · kept · r (1 − r)
            xp.multiply(z, z, out=dz)
            xp.subtract(z, dz, out=dz)
            xp.subtract(old_states, new, out=spare)
            xp.multiply(dz, spare, out=dz)
            xp.multiply(new, new, out=dn)
            xp.subtract(one, dn, out=dn)
            xp.subtract(one, z, out=spare)
            xp.multiply(dn, spare, out=dn)
            xp.multiply(r, r, out=dr)
            xp.subtract(r, dr, out=dr)
            xp.multiply(dr, kept, out=dr)
            dstate.fill(0)
            for whole, by_r, by_z, by_kept, by_n, reset, update, dh in back:
                if dh is not None:
                    xp.add(dstate, dh, out=dstate)
                xp.multiply(by_z, dstate, out=by_z)
                xp.multiply(by_n, dstate, out=by_n)
                xp.multiply(by_r, by_n, out=by_r)
                xp.multiply(by_n, reset, out=by_kept)
                xp.multiply(dstate, update, out=dstate)
                U.dot(whole, out=t2)
                xp.add(dstate, t2, out=dstate)
            xp.copyto(by_step, factors[:, :3 * n])
            way.ones.dot(of_new, out=dc)
            xp.copyto(input_side[:, :2 * n], factors[:, :2 * n])
            xp.copyto(input_side[:, 2 * n:], dn)
            way.weight_gradients(input_side, side)

        return forward, backward
