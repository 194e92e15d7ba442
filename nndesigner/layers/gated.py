"""Recurrent layers whose gates decide what is remembered.

At padded steps of a masked series gates are forced open or shut before they are squashed, which carries a state on
exactly and makes the gradients of the gates 0.
"""

from __future__ import annotations

from nndesigner.layers.base import Step, Weight
from nndesigner.layers.direction import OPEN, Direction
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.layers.recurrent import Recurrent
from nndesigner.spec import Shape


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
    keywords = ("recurrent", "bidirectional", "long short-term memory", "sequence", "series", "text", "time", "gate")
    gates = 4

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        found = super().weights(*inputs)
        for suffix in self.suffixes():
            found["b" + suffix] = Weight(found["b" + suffix].shape, "forget_open", decay=False)
        return found

    def bind_direction(self, way: Direction) -> tuple[Step, Step]:
        xp, dtype, n, batch, length = way.ctx.xp, way.ctx.dtype, self.units, way.batch, way.length
        # sigmoid(z) = tanh(z / 2) / 2 + 1/2: sums of i, f and o are halved before one tanh over all gates, and it is
        # shifted after it. They stand together here (i, f, o, g). In padding the cell stays as it is, and o is 0.
        kernel, fill = way.kernel(((0, 0.5, -OPEN), (1, 0.5, OPEN), (3, 0.5, -OPEN), (2, 1.0, 0.0)))
        half = xp.asarray(0.5, dtype)
        gates = way.scratch("gates", (way.kept, 4 * n, batch))
        squashed = way.scratch("squashed", (way.kept, n, batch))
        cells = way.scratch("cells", (way.kept + 1, n, batch))
        t2 = way.scratch("t2", (n, batch))
        steps = []
        for k in range(length):
            z = gates[k % way.kept]
            steps.append((z, z[:3 * n], *z.reshape(4, n, batch), cells[k % (way.kept + 1)],
                          cells[(k + 1) % (way.kept + 1)], squashed[k % way.kept], way.inputs[k], way.states[k],
                          way.states[k + 1], way.hold(k)))

        def forward() -> None:
            fill()
            cells[0].fill(0)
            for z, sigmoids, i, f, o, g, old, new, s, x, h_old, h_new, hold in steps:
                kernel.dot(x, out=z)
                xp.tanh(z, out=z)
                xp.multiply(sigmoids, half, out=sigmoids)
                xp.add(sigmoids, half, out=sigmoids)
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
        # factors, in the order i, f, g, o: what the gradient by c (by h for o) is multiplied with for each gate;
        # through: by h to c
        factors, through = (way.scratch(name, (way.block, width, batch))
                            for name, width in (("factors", 4 * n), ("through", n)))
        dcell, dstate, U, W = way.scratch("cell gradient", (n, batch)), way.dstate, way.U, way.W
        sums, products = way.bind_sums("weight gradients", slice(None), factors)
        one, given, dinputs = xp.asarray(1.0, dtype), way.output_gradients(self.output == "sequence"), way.dinputs
        blocks = []
        for block, add_products in zip(way.blocks(), products):
            count = block.stop - block.start
            i, f, o, g = (gates[block, j * n:(j + 1) * n] for j in range(4))
            di, df, dg, do = (factors[:count, j * n:(j + 1) * n] for j in range(4))
            inner = []
            for k in reversed(range(block.start, block.stop)):
                dz = factors[k - block.start]
                inner.append((dz, dz[:3 * n].reshape(3, n, batch), dz[3 * n:], through[k - block.start],
                              gates[k, n:2 * n], given[k], way.hold(k),
                              None if dinputs is None else dinputs[k]))
            blocks.append((gates[block, :2 * n], factors[:count, :2 * n], i, o, g, di, df, dg, do, cells[block],
                           squashed[block], through[:count], inner, add_products))

        def backward() -> None:
            sums.fill(0)
            dstate.fill(0)
            dcell.fill(0)
            for i_f, di_df, i, o, g, di, df, dg, do, old, s, slope, inner, add_products in blocks:
                xp.multiply(i_f, i_f, out=di_df)
                xp.subtract(i_f, di_df, out=di_df)  # s · (1 − s) for the sigmoids
                xp.multiply(o, o, out=do)
                xp.subtract(o, do, out=do)
                xp.multiply(di, g, out=di)
                xp.multiply(df, old, out=df)
                xp.multiply(do, s, out=do)
                xp.multiply(g, g, out=dg)
                xp.subtract(one, dg, out=dg)
                xp.multiply(dg, i, out=dg)
                xp.multiply(s, s, out=slope)
                xp.subtract(one, slope, out=slope)
                xp.multiply(slope, o, out=slope)
                for dz, by_cell, by_state, k, forget, dh, hold, dinput in inner:
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
                    if dinput is not None:
                        W.dot(dz, out=dinput)
                add_products()
            way.take_gradients(sums)

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
    keywords = ("recurrent", "bidirectional", "gated recurrent unit", "sequence", "series", "text", "time", "gate")
    gates = 3

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        found = super().weights(*inputs)
        for suffix in self.suffixes():
            found["c" + suffix] = Weight((self.units,), "zeros", decay=False)
        return found

    def bind_direction(self, way: Direction) -> tuple[Step, Step]:
        xp, dtype, n, batch, length = way.ctx.xp, way.ctx.dtype, self.units, way.batch, way.length
        # In padding z is 1 and n is 0: then the state stays exactly as it is.
        both_kernel, fill = way.kernel(((0, 0.5, -OPEN), (1, 0.5, OPEN)))
        # in n the product with the state is multiplied with r before it meets that with the input
        state_kernel, new_kernel = way.scratch("state kernel", (n + 1, n)), way.scratch("new kernel", (way.ends - n, n))
        c, U_new, W_new, b_new = way.ctx.weights["c" + way.suffix], *(w[..., 2 * n:] for w in (way.U, way.W, way.b))
        by_state, by_input = state_kernel.T, new_kernel.T
        half = xp.asarray(0.5, dtype)
        gates = way.scratch("gates", (way.kept, 3 * n, batch))
        kept = way.scratch("kept", (way.kept, n, batch))  # h · U + c of n
        t2 = way.scratch("t2", (n, batch))
        steps = []
        for k in range(length):
            z = gates[k % way.kept]
            steps.append((z[:2 * n], *z.reshape(3, n, batch), kept[k % way.kept], way.inputs[k],
                          way.inputs[k, :n + 1], way.inputs[k, n:way.ends], way.states[k], way.states[k + 1],
                          way.hold(k)))

        def forward() -> None:
            fill()
            xp.copyto(state_kernel[:n], U_new)
            xp.copyto(state_kernel[n], c)
            xp.copyto(new_kernel[1:], W_new)
            xp.copyto(new_kernel[0], b_new)
            for both, r, z, new, k, x, x_state, x_new, old, state, hold in steps:
                both_kernel.dot(x, out=both)
                by_state.dot(x_state, out=k)
                by_input.dot(x_new, out=new)
                xp.tanh(both, out=both)
                xp.multiply(both, half, out=both)
                xp.add(both, half, out=both)
                xp.multiply(r, k, out=t2)
                xp.add(new, t2, out=new)
                xp.tanh(new, out=new)
                if hold is not None:
                    xp.multiply(new, hold, out=t2)
                    xp.subtract(new, t2, out=new)
                xp.subtract(old, new, out=t2)
                xp.multiply(z, t2, out=t2)
                xp.add(new, t2, out=state)

        if not way.ctx.training:
            return forward, nothing
        # gradients of n on the side of the input, of r, of z, and of h · U + c: input and state see three in a row each
        factors, spare = (way.scratch(name, (way.block, width, batch))
                          for name, width in (("factors", 4 * n), ("spare", n)))
        dstate, U, W, dc = way.dstate, way.U, way.W, way.ctx.grads["c" + way.suffix]
        state_sums, state_products = way.bind_sums("state gradients", slice(n + 1), factors[:, n:])
        input_sums, input_products = way.bind_sums("input gradients", slice(n, way.ends), factors[:, :3 * n])
        W_by_n = way.scratch("turned kernel", (way.ends - n - 1, 3 * n))
        one, given, dinputs = xp.asarray(1.0, dtype), way.output_gradients(self.output == "sequence"), way.dinputs
        blocks = []
        for block, *products in zip(way.blocks(), state_products, input_products):
            count = block.stop - block.start
            dn, dr, dz = (factors[:count, j * n:(j + 1) * n] for j in range(3))
            inner = []
            for k in reversed(range(block.start, block.stop)):
                d = factors[k - block.start]
                inner.append((d[:3 * n], d[n:], *d.reshape(4, n, batch), gates[k, :n], gates[k, n:2 * n], given[k],
                              None if dinputs is None else dinputs[k]))
            blocks.append((*(gates[block, j * n:(j + 1) * n] for j in range(3)), dn, dr, dz, kept[block],
                           way.states[block], spare[:count], inner, in_turn(products)))

        def backward() -> None:
            state_sums.fill(0)
            input_sums.fill(0)
            dstate.fill(0)
            if dinputs is not None:
                xp.copyto(W_by_n[:, :n], W[:, 2 * n:])
                xp.copyto(W_by_n[:, n:], W[:, :2 * n])
            for r, z, new, dn, dr, dz, k, old, t, inner, add_products in blocks:
                # dz = dh · (h − n) · z (1 − z), dn = dh · (1 − z) · (1 − n²), dr = dn · kept · r (1 − r)
                xp.multiply(z, z, out=dz)
                xp.subtract(z, dz, out=dz)
                xp.subtract(old, new, out=t)
                xp.multiply(dz, t, out=dz)
                xp.multiply(new, new, out=dn)
                xp.subtract(one, dn, out=dn)
                xp.subtract(one, z, out=t)
                xp.multiply(dn, t, out=dn)
                xp.multiply(r, r, out=dr)
                xp.subtract(r, dr, out=dr)
                xp.multiply(dr, k, out=dr)
                for to_input, to_state, by_n, by_r, by_z, by_kept, reset, update, dh, dinput in inner:
                    if dh is not None:
                        xp.add(dstate, dh, out=dstate)
                    xp.multiply(by_z, dstate, out=by_z)
                    xp.multiply(by_n, dstate, out=by_n)
                    xp.multiply(by_r, by_n, out=by_r)
                    xp.multiply(by_n, reset, out=by_kept)
                    xp.multiply(dstate, update, out=dstate)
                    U.dot(to_state, out=t2)
                    xp.add(dstate, t2, out=dstate)
                    if dinput is not None:
                        W_by_n.dot(to_input, out=dinput)
                add_products()
            xp.copyto(way.dU, state_sums[:n])
            xp.copyto(dc, state_sums[n, 2 * n:])
            for target, sums in ((way.db, input_sums[0]), (way.dW, input_sums[1:])):
                xp.copyto(target[..., :2 * n], sums[..., n:])
                xp.copyto(target[..., 2 * n:], sums[..., :n])

        return forward, backward
