"""One pass along a series, from either end: what the recurrent layers work on, and what they share."""

from __future__ import annotations

from typing import Any

from nndesigner.layers.base import Bind, Step

#: what a name of a weight of the direction from end to start ends with
BACK = "_back"
#: added to a gate before its sigmoid, which is then exactly 1 (with a minus, 0)
OPEN = 1e6
#: values of the gates whose derivatives are found at once: those of some steps, which stay in the core's cache
BLOCK = 65_536


class Direction:
    """What one pass along the series works on; the cells add their own arrays.

    Steps are counted in the order of reading. `inputs[k]` [rows, B] holds, one above the other, all that step k is
    computed from: the state before it, ones (for the bias), the input, and in a padded series a row that is 1 where the
    step is padding. So the sums of products of a step are one matrix product, and the gradients of all weights another.
    """

    def __init__(self, ctx: Bind, suffix: str, gates: int, units: int) -> None:
        self.ctx, self.suffix, self.units, self.width = ctx, suffix, units, gates * units
        self.batch, self.length, features = ctx.x[0].shape
        #: rows of the input in `inputs`, from the one behind the ones
        self.ends = units + 1 + features
        self._turn = slice(None, None, -1 if suffix == BACK else 1)
        padded = ctx.mask is not None
        self.inputs = self.scratch("inputs", (self.length + 1, self.ends + padded, self.batch))
        self.inputs[:, units] = 1
        #: the state before each step, and after the last one: [T + 1, units, B]; the first one stays 0
        self.states = self.inputs[:, :units]
        self.W, self.U, self.b = (ctx.weights[name + suffix] for name in ("W", "U", "b"))
        #: steps whose values are kept: all for a backward pass, else one at a time
        self.kept = self.length if ctx.training else 1
        if not ctx.training:
            return
        self.dW, self.dU, self.db = (ctx.grads[name + suffix] for name in ("W", "U", "b"))
        self.dstate = self.scratch("state gradient", (units, self.batch))
        self.dinputs = None
        if ctx.dx[0] is not None:
            self.dinputs = self.scratch("input gradient", (self.length, features, self.batch))

    def scratch(self, name: str, shape: tuple[int, ...]) -> Any:
        """Scratch array of this direction."""
        return self.ctx.scratch(name + self.suffix, shape)

    def fill(self) -> None:
        """Put the series, and what of it is padding, into `inputs`."""
        xp, ctx, inputs = self.ctx.xp, self.ctx, self.inputs[:-1]
        xp.copyto(inputs[:, self.units + 1:self.ends], ctx.x[0].transpose(1, 2, 0)[self._turn])
        if ctx.mask is not None:
            xp.subtract(1, ctx.mask.T[self._turn], out=inputs[:, -1])

    def hold(self, step: int) -> Any | None:
        """1 where the step is padding, [1, B]; None for a series without padding."""
        return None if self.ctx.mask is None else self.inputs[step, -1:]

    def kernel(self, parts: tuple[tuple[int, float, float], ...]) -> tuple[Any, Step]:
        """(kernel [gates of `parts`, rows], step that fills it from the weights): kernel · inputs[k] are the sums of
        products.

        `parts` are, in the order of the kernel: number of a gate, what its sum is multiplied with, and what is added to
        it where a step is padding.
        """
        xp, n = self.ctx.xp, self.units
        found = self.scratch("kernel", (self.inputs.shape[1], len(parts) * n))
        moves = []
        for place, (gate, factor, padding) in enumerate(parts):
            here, there = slice(place * n, (place + 1) * n), slice(gate * n, (gate + 1) * n)
            rows = (slice(n), slice(n, n + 1), slice(n + 1, self.ends))
            for row, source in zip(rows, (self.U, self.b.reshape(1, -1), self.W)):
                moves.append((source[:, there], xp.asarray(factor, self.ctx.dtype), found[row, here]))
            if self.ctx.mask is not None:
                found[-1, here] = padding

        def fill() -> None:
            for source, factor, target in moves:
                xp.multiply(source, factor, out=target)

        return found.T, fill

    def blocks(self) -> list[slice]:
        """Steps from the last to the first, so many at a time that their gates stay in a core's cache."""
        size = self.block
        return [slice(start, min(start + size, self.length)) for start in reversed(range(0, self.length, size))]

    @property
    def block(self) -> int:
        """Steps of a block, at most."""
        return max(1, min(self.length, BLOCK // (self.width * self.batch)))

    def bind_sums(self, name: str, rows: slice, factors: Any) -> tuple[Any, list[Step]]:
        """(sums [rows, width], for each of `blocks` a step that adds inputs · factorsᵀ of its steps to them).

        `factors` [steps of a block, width, B] are the gradients of the gates of the block at hand.
        """
        xp, batch, inputs = self.ctx.xp, self.batch, self.inputs[:, rows]
        height, width = inputs.shape[1], factors.shape[1]
        sums, part = self.scratch(name, (height, width)), self.scratch(f"{name} of a block", (height, width))
        # the steps of a block side by side: one long product costs less than some short ones
        left, right = (self.ctx.scratch(f"{name} {side}{self.suffix}", (size * self.block * batch,))
                       for side, size in (("inputs", height), ("factors", width)))

        def bind(block: slice) -> Step:
            count = block.stop - block.start
            pairs, sides = [], []
            for room, values in ((left, inputs[block]), (right, factors[:count])):
                side = room[:values.size].reshape(values.shape[1], count, batch)
                pairs.append((side, values.transpose(1, 0, 2)))
                sides.append(side.reshape(len(side), -1))
            ours, theirs = sides[0], sides[1].T

            def run() -> None:
                for side, values in pairs:
                    xp.copyto(side, values)
                ours.dot(theirs, out=part)
                xp.add(sums, part, out=sums)

            return run

        return sums, [bind(block) for block in self.blocks()]

    def take_gradients(self, sums: Any) -> None:
        """The gradients of the weights from their sums [rows, gates], in the order of `inputs`."""
        xp, n = self.ctx.xp, self.units
        xp.copyto(self.dU, sums[:n])
        xp.copyto(self.db, sums[n])
        xp.copyto(self.dW, sums[n + 1:self.ends])

    def input_gradient(self) -> None:
        """Write, or add, the gradient by the input to dx."""
        if self.dinputs is None:
            return
        xp, dx = self.ctx.xp, self.ctx.dx[0].transpose(1, 2, 0)[self._turn]
        if self.suffix == BACK:
            xp.add(dx, self.dinputs, out=dx)
        else:
            xp.copyto(dx, self.dinputs)

    def output_gradients(self, sequence: bool) -> list[Any | None]:
        """Gradient [units, B] by the output after each step, a view of dy; None where the step has no output."""
        dy = self._part(self.ctx.dy)
        if sequence:
            return list(dy.transpose(1, 2, 0)[self._turn])
        return [*[None] * (self.length - 1), dy.T]

    def bind_output(self, sequence: bool) -> Step:
        """Write the states, or the last one, to this direction's part of y."""
        xp, y = self.ctx.xp, self._part(self.ctx.y)
        if sequence:
            y, states = y[:, self._turn], self.states[1:].transpose(2, 0, 1)
        else:
            states = self.states[-1].T
        return lambda: xp.copyto(y, states)

    def _part(self, array: Any) -> Any:
        start = self.units if self.suffix else 0
        return array[..., start:start + self.units]
