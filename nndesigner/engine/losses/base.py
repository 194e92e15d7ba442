"""What the losses share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nndesigner.layers.base import nothing
from nndesigner.layers.rows import bind_row_max
from nndesigner.spec.loss import LossBind

Step = Callable[[], None]


def number(ctx: LossBind, value: float = 0.0) -> Any:
    """Array without axes, of the type of the scores."""
    return ctx.xp.asarray(value, dtype=ctx.x.dtype)


def bind_steps(ctx: LossBind, terms: Any) -> tuple[Step, Step]:
    """(weigh `terms`, weigh ctx.dx), for losses whose answers are padded series; nothing to do for others.

    `terms` is [B, T, ...] with any axes behind T, or [B · T, ...]. The real steps of a sample get the weight T / their
    number, padded ones 0, so that the mean over all steps becomes the mean over the real ones of each sample.
    """
    if ctx.mask is None:
        return nothing, nothing
    xp, mask, dx = ctx.xp, ctx.mask, ctx.dx
    batch, length = mask.shape
    count, factors = ctx.scratch("real steps", (batch, 1)), ctx.scratch("step weights", mask.shape)
    one, steps, column = number(ctx, 1.0), number(ctx, length), factors.reshape(batch, length, 1)
    terms, dx = (None if array is None else array.reshape(batch, length, -1) for array in (terms, dx))

    def weigh() -> None:
        xp.sum(mask, axis=1, keepdims=True, out=count)
        xp.maximum(count, one, out=count)
        xp.divide(mask, count, out=factors)
        xp.multiply(factors, steps, out=factors)
        xp.multiply(terms, column, out=terms)

    def weigh_gradient() -> None:
        xp.multiply(dx, column, out=dx)

    return weigh, weigh_gradient


def bind_mean(ctx: LossBind, terms: Any, count: int, slopes: Any = None) -> tuple[Step, Step]:
    """(write Σ terms / count to ctx.value, write its gradient to ctx.dx from the `slopes` of the terms).

    `terms` is as `bind_steps` wants it. Slopes are found in ctx.dx itself unless another array of its shape is given.
    """
    xp, dx, value, total = ctx.xp, ctx.dx, ctx.value.reshape(()), ctx.scratch("total", ())
    mean, slope = number(ctx, 1.0 / count), number(ctx, ctx.weight / count)
    slopes = dx if slopes is None else slopes
    weigh, weigh_gradient = bind_steps(ctx, terms)

    def measure() -> None:
        weigh()
        xp.sum(terms, out=total)
        xp.multiply(total, mean, out=value)

    def backward() -> None:
        xp.multiply(slopes, slope, out=dx)
        weigh_gradient()

    return measure, backward


class Rows:
    """Scores and probabilities as rows [N, K], and the softmax that fills them."""

    def __init__(self, ctx: LossBind) -> None:
        self.ctx, xp = ctx, ctx.xp
        self.classes = ctx.x.shape[-1]
        self.x, self.y = ctx.x.reshape(-1, self.classes), ctx.y.reshape(-1, self.classes)
        self.dx = None if ctx.dx is None else ctx.dx.reshape(-1, self.classes)
        self.n = self.x.shape[0]
        #: scores less the largest of a row
        self.z = ctx.scratch("scores", self.x.shape)
        #: logarithm of the sum of exponentials of z
        self.log_sum, self.top = ctx.scratch("log sum", (self.n, 1)), ctx.scratch("top", (self.n, 1))
        self._find_top = bind_row_max(xp, self.x, self.top)
        self._ones, self._log_sum = xp.ones(self.classes, dtype=self.x.dtype), self.log_sum.reshape(-1)

    def softmax(self) -> None:
        """Fill y, z and log_sum."""
        xp, y, z, log_sum = self.ctx.xp, self.y, self.z, self.log_sum
        self._find_top()
        xp.subtract(self.x, self.top, out=z)
        xp.exp(z, out=y)
        y.dot(self._ones, out=self._log_sum)
        xp.divide(y, log_sum, out=y)
        xp.log(log_sum, out=log_sum)

    def add_up(self, rows: Any, out: Any) -> None:
        """out [N, 1] = sums of the rows [N, K]: a product with ones is several times as fast as sum()."""
        rows.dot(self._ones, out=out.reshape(-1))
