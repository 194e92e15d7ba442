"""One pass along a series, from either end: what the recurrent layers work on, and what they share."""

from __future__ import annotations

from typing import Any

from nndesigner.layers.base import Bind, Step
from nndesigner.layers.elementwise import nothing

#: what a name of a weight of the direction from end to start ends with
BACK = "_back"
#: added to a gate before its sigmoid, which is then exactly 1 (with a minus, 0)
OPEN = 1e6


class Direction:
    """What one pass along the series works on; the cells add their own arrays.

    Number t of `states` is the state before step t when reading from the start, and after step t when from the end.
    """

    def __init__(self, ctx: Bind, rows: Any, turned_rows: Any | None, suffix: str, gates: int, units: int) -> None:
        """`rows` is the input [T · B, F]; `turned_rows` [T, F, B], or None where the batch is too small for it."""
        xp = ctx.xp
        self.ctx, self.rows, self.turned_rows, self.suffix, self.units = ctx, rows, turned_rows, suffix, units
        self.batch, self.length = ctx.batch, ctx.x[0].shape[1]
        reverse = suffix == BACK
        self.order = range(self.length - 1, -1, -1) if reverse else range(self.length)
        #: place of the state before and after step t in `states`
        self.before, self.after = (1, 0) if reverse else (0, 1)
        self.states = self.scratch("states", (self.length + 1, units, self.batch))
        #: sums of products of the input for all steps, later the gates: [T, gates · units, B]
        self.gates = self.scratch("gates", (self.length, gates * units, self.batch))
        self.gate_rows = None
        if ctx.training or turned_rows is None:
            self.gate_rows = self.scratch("gate rows", (self.length * self.batch, gates * units))
            self._by_step = self.gate_rows.reshape(self.length, self.batch, -1).transpose(0, 2, 1)
        self.W, self.U, self.b = (ctx.weights[name + suffix] for name in ("W", "U", "b"))
        #: for a padded series 1 where a step is padding, else 0: [T, 1, B]
        self.idle = None if ctx.mask is None else ctx.scratch("idle", (self.length, 1, self.batch))
        #: U turned round for products with feature-major states
        self.turned = self.scratch("turned", (self.U.shape[1], units))
        if ctx.training:
            self.dstate = self.scratch("state gradient", (units, self.batch))
            self.ones = xp.ones(self.length * self.batch, dtype=ctx.dtype)
            self.dW, self.dU, self.db = (ctx.grads[name + suffix] for name in ("W", "U", "b"))
            self.state_rows = self.scratch("state rows", (self.length * self.batch, units))

    def scratch(self, name: str, shape: tuple[int, ...]) -> Any:
        """Scratch array of this direction."""
        return self.ctx.scratch(name + self.suffix, shape)

    def input_products(self) -> None:
        """gates = x · W + b, for all steps."""
        xp = self.ctx.xp
        if self.turned_rows is not None:
            xp.matmul(self.W.T, self.turned_rows, out=self.gates)
        else:
            self.rows.dot(self.W, out=self.gate_rows)
            xp.copyto(self.gates, self._by_step)
        xp.add(self.gates, self.b.reshape(-1, 1), out=self.gates)

    def force(self, gates: dict[int, float]) -> Step:
        """Add these numbers to gates at the padded steps."""
        if self.idle is None:
            return nothing
        xp, n, idle = self.ctx.xp, self.units, self.idle
        amount = self.ctx.scratch("amount", idle.shape)
        parts = [(self.gates[:, k * n:(k + 1) * n], xp.asarray(value, self.ctx.dtype)) for k, value in gates.items()]

        def run() -> None:
            for part, value in parts:
                xp.multiply(idle, value, out=amount)
                xp.add(part, amount, out=part)

        return run

    def hold(self, t: int) -> Any | None:
        """1 where step t is padding, [1, B]; None for a series without padding."""
        return None if self.idle is None else self.idle[t]

    def weight_gradients(self, dgates: Any, dstates: Any) -> None:
        """Gradients by W, b and U from those by the gates, on the side of the input and on the side of the state."""
        xp, before = self.ctx.xp, self.before
        xp.copyto(self._by_step, dgates)
        self.rows.T.dot(self.gate_rows, out=self.dW)
        self.ones.dot(self.gate_rows, out=self.db)
        states = self.states[before:before + self.length]
        xp.copyto(self.state_rows.reshape(self.length, self.batch, self.units), states.transpose(0, 2, 1))
        if dstates is dgates:
            self.state_rows.T.dot(self.gate_rows, out=self.dU)
        else:
            self.state_rows.T.dot(dstates, out=self.dU)

    def input_gradient(self, drows: Any) -> None:
        """Gradient by the input rows [T · B, F]; weight_gradients must have run."""
        self.gate_rows.dot(self.W.T, out=drows)

    def output_gradient(self, sequence: bool) -> list[Any | None]:
        """Gradient [units, B] by the output after each step, a view of dy; None where the step has no output."""
        dy = self._part(self.ctx.dy)
        if sequence:
            return [dy[:, t].T for t in range(self.length)]
        ends: list[Any | None] = [None] * self.length
        ends[self.order[-1]] = dy.T
        return ends

    def bind_output(self, sequence: bool) -> Step:
        """Write the states, or the last one, to this direction's part of y."""
        xp, y = self.ctx.xp, self._part(self.ctx.y)
        if sequence:
            states = self.states[self.after:self.after + self.length].transpose(2, 0, 1)
        else:
            states = self.states[self.order[-1] + self.after].T
        return lambda: xp.copyto(y, states)

    def _part(self, array: Any) -> Any:
        start = self.units if self.suffix else 0
        return array[..., start:start + self.units]
