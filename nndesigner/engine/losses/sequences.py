"""Losses of sequences whose place in time nobody told."""

from __future__ import annotations

from typing import Any

from nndesigner.engine.losses.base import Rows, Step, nothing, number
from nndesigner.layers.globalpool import LOW
from nndesigner.spec import DataField, ShapeError
from nndesigner.spec.loss import Loss, LossBind


class ConnectionistTemporal(Loss):
    """How surprised the network is by a text, whenever in time its characters come.

    p = softmax(x) at each step, L = mean(−log P(text) / length), where P adds up all ways to say nothing (class 0) or
    one of the characters at each step so that the text results when repeats are drawn together and class 0 is dropped.

    For sound to text and the like, where the input has more steps than the text has characters. The network ends in
    one score for each character and step, and for class 0. A sample with too few steps for its text counts nothing.
    Source: Graves et al. 2006. PyTorch: CTCLoss(zero_infinity=True).
    """

    kind = "ctc.v1"
    title = "CTC"
    icon = "mdi6.text-recognition"
    keywords = ("connectionist temporal classification", "speech", "transcription", "alignment", "sequence", "text")
    tasks = ("transcription",)
    link = "softmax"

    def scores(self, field: DataField) -> tuple[int, ...]:
        """A score for each class at each of the fewest steps. Raises ShapeError for a target that is no text."""
        if field.kind != "text":
            raise ShapeError("a target of texts", field.shape, "choose another loss")
        return field.shape.dims

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        """ctx.target: int64 [B, L], 0 behind the end of a text; ctx.x: [B, T, K]."""
        xp, dx, value, rows = ctx.xp, ctx.dx, ctx.value.reshape(()), Rows(ctx)
        (batch, steps, classes), length = ctx.x.shape, ctx.target.shape[1]
        states = 2 * length + 1  # class 0, first character, class 0, second character, ..., class 0
        logs, y = rows.z.reshape(ctx.x.shape), rows.y.reshape(ctx.x.shape)
        labels = ctx.scratch("labels", (batch, states), ctx.target.dtype)
        said = ctx.scratch("said", (batch, states, classes))  # 1 where a state says a class
        numbers = xp.arange(classes, dtype=labels.dtype)
        silence = (numbers == 0).astype(ctx.y.dtype)
        places = xp.arange(states, dtype=ctx.x.dtype)
        chances = ctx.scratch("chances", (batch, steps, states))  # log p of what each state says at each step
        jumps, ends = (ctx.scratch(name, (batch, states)) for name in ("jumps", "ends"))
        before = ctx.scratch("before", (steps + 1, batch, states))  # log chance of all ways into each state
        lengths, total, factors = (ctx.scratch(name, (batch, 1)) for name in ("lengths", "total", "factors"))
        padded, lost = ctx.scratch("padded", (batch, steps), bool), ctx.scratch("lost", (batch, 1), bool)
        low, zero, one, two, half = (number(ctx, v) for v in (LOW, 0.0, 1.0, 2.0, LOW / 2))
        mean, slope, losses = number(ctx, -1.0 / batch), number(ctx, ctx.weight / batch), ctx.scratch("sum", ())
        add_up = _LogSum(ctx, (batch, states))
        one_on, two_on = add_up.terms[1:]

        def prepare() -> None:
            rows.softmax()
            xp.subtract(rows.z, rows.log_sum, out=rows.z)
            labels[:, 1::2] = ctx.target
            said[...] = labels[:, :, None] == numbers
            xp.matmul(logs, said.swapaxes(1, 2), out=chances)
            # a state may be jumped over if it says nothing between two different characters
            jumps[...] = low
            jumps[:, 2:][(labels[:, 2:] != 0) & (labels[:, 2:] != labels[:, :-2])] = 0
            lengths[:, 0] = (ctx.target != 0).sum(axis=1)
            xp.multiply(lengths, two, out=total)
            xp.subtract(total, places, out=ends)
            ends[...] = xp.where((ends == 0) | (ends == 1), zero, low)
            xp.maximum(lengths, one, out=lengths)
            if ctx.mask is not None:
                xp.equal(ctx.mask, zero, out=padded)

        def forward() -> None:
            prepare()
            before[0] = low
            before[0, :, 0] = 0
            for t in range(steps):
                now, then = before[t], before[t + 1]
                one_on[:, :1], two_on[:, :2] = low, low
                one_on[:, 1:] = now[:, :-1]
                xp.add(now[:, :-2], jumps[:, 2:], out=two_on[:, 2:])
                add_up(now, then)
                xp.add(then, chances[:, t], out=then)
                if ctx.mask is not None:
                    xp.copyto(then, now, where=padded[:, t:t + 1])
            found = before[steps] + ends
            top = found.max(axis=1, keepdims=True)
            if ctx.mask is not None:  # what is read off says nothing there
                xp.copyto(y, silence, where=padded[:, :, None])
            total[...] = xp.log(xp.exp(found - top).sum(axis=1, keepdims=True)) + top
            xp.less(total, half, out=lost)
            xp.copyto(total, zero, where=lost)
            xp.divide(total, lengths, out=factors)
            xp.sum(factors, out=losses)
            xp.multiply(losses, mean, out=value)
            xp.divide(slope, lengths, out=factors)
            xp.copyto(factors, zero, where=lost)

        if dx is None:
            return forward, nothing
        shares = ctx.scratch("shares", chances.shape)  # chance of each state at each step, given the text
        after, onward = ctx.scratch("after", (batch, states)), ctx.scratch("onward", (batch, states))

        def backward() -> None:
            xp.copyto(after, ends)
            for t in reversed(range(steps)):
                one_on[:, -1:], two_on[:, -2:] = low, low
                share = shares[:, t]
                xp.add(before[t + 1], after, out=share)
                xp.subtract(share, total, out=share)
                xp.exp(share, out=share)
                xp.add(after, chances[:, t], out=onward)
                one_on[:, :-1] = onward[:, 1:]
                xp.add(onward[:, 2:], jumps[:, 2:], out=two_on[:, :-2])
                add_up(onward, onward)
                if ctx.mask is None:
                    xp.copyto(after, onward)
                else:
                    xp.copyto(after, onward, where=~padded[:, t:t + 1])
            xp.matmul(shares, said, out=dx)
            xp.subtract(y, dx, out=dx)
            xp.multiply(dx, factors.reshape(batch, 1, 1), out=dx)
            if ctx.mask is not None:
                xp.multiply(dx, ctx.mask.reshape(batch, steps, 1), out=dx)

        return forward, backward


class _LogSum:
    """out = log(exp(first) + exp(terms[1]) + exp(terms[2])), arrays of one shape."""

    def __init__(self, ctx: LossBind, shape: tuple[int, ...]) -> None:
        self.xp = ctx.xp
        self.terms = [ctx.scratch(f"way {i}", shape) for i in range(3)]
        self.top = ctx.scratch("top way", shape)

    def __call__(self, first: Any, out: Any) -> None:
        xp, top, (a, b, c) = self.xp, self.top, self.terms
        xp.maximum(first, b, out=top)
        xp.maximum(top, c, out=top)
        xp.subtract(first, top, out=a)
        for term in (b, c):
            xp.subtract(term, top, out=term)
        for term in (a, b, c):
            xp.exp(term, out=term)
        xp.add(a, b, out=out)
        xp.add(out, c, out=out)
        xp.log(out, out=out)
        xp.add(out, top, out=out)
