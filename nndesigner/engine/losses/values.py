"""Losses of predicted values: functions of prediction and target, averaged over all elements."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from nndesigner.engine.losses.base import Step, bind_mean, bind_steps, nothing, number
from nndesigner.layers.base import in_turn
from nndesigner.spec import param
from nndesigner.spec.loss import Loss, LossBind


class _Elementwise(Loss):
    """Shared by the losses of values: a function of prediction − target, averaged over all elements."""

    tasks = ("regression", "reconstruction")

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, x, y, target, dx = ctx.xp, ctx.x, ctx.y, ctx.target.reshape(ctx.x.shape), ctx.dx
        d = ctx.scratch("difference", x.shape)
        measure, slope = self._bind_terms(ctx, d)
        copy = nothing if y is x else partial(xp.copyto, y, x)
        forward = in_turn([copy, partial(xp.subtract, x, target, d), measure])
        return forward, slope if dx is not None else nothing

    def _bind_terms(self, ctx: LossBind, d: Any) -> tuple[Step, Step]:
        """(write the mean of the terms to ctx.value, write its gradient to ctx.dx), from the differences d."""
        raise NotImplementedError


class MeanSquaredError(_Elementwise):
    """Mean of the squared errors: large errors count much more than small ones.

    L = mean((y − t)²)

    The usual choice for regression and reconstruction. PyTorch: MSELoss.
    """

    kind = "mse.v1"
    title = "Mean squared error"
    icon = "mdi6.square-outline"
    keywords = ("mse", "l2", "least squares", "regression")

    def _bind_terms(self, ctx: LossBind, d: Any) -> tuple[Step, Step]:
        xp, dx, value = ctx.xp, ctx.dx, ctx.value.reshape(())
        flat, total = d.reshape(-1), ctx.scratch("total", ())
        mean, slope = number(ctx, 1.0 / d.size), number(ctx, 2.0 * ctx.weight / d.size)
        other = d if ctx.mask is None else ctx.scratch("weighted", d.shape)
        (weigh, weigh_gradient), others = bind_steps(ctx, other), other.reshape(-1)

        measure = [partial(flat.dot, others, total), partial(xp.multiply, total, mean, value)]
        if other is not d:
            measure = [partial(xp.copyto, other, d), weigh, *measure]
        return in_turn(measure), in_turn([partial(xp.multiply, d, slope, dx), weigh_gradient])


class MeanAbsoluteError(_Elementwise):
    """Mean of the absolute errors: outliers count no more than they are.

    L = mean(|y − t|)

    For regression with outliers. PyTorch: L1Loss.
    """

    kind = "mae.v1"
    title = "Mean absolute error"
    icon = "mdi6.arrow-expand-vertical"
    keywords = ("mae", "l1", "robust", "regression")

    def _bind_terms(self, ctx: LossBind, d: Any) -> tuple[Step, Step]:
        xp, dx, terms = ctx.xp, ctx.dx, ctx.scratch("terms", d.shape)
        add_up, scale = bind_mean(ctx, terms, d.size)

        def measure() -> None:
            xp.absolute(d, out=terms)
            add_up()

        def backward() -> None:
            xp.sign(d, out=dx)
            scale()

        return measure, backward


class Huber(_Elementwise):
    """Squared error for small errors, absolute error for large ones.

    L = mean(e²/2 where |e| ≤ delta, else delta · (|e| − delta/2)), e = y − t

    A compromise for regression with some outliers. Source: Huber 1964. PyTorch: HuberLoss.
    """

    kind = "huber.v1"
    title = "Huber"
    icon = "mdi6.chart-bell-curve"
    keywords = ("smooth l1", "robust", "outliers", "regression")

    delta: float = param(1.0, "Delta", "Error from which on errors count linearly. Higher: like squared error; lower: "
                         "like absolute error.", gt=0, le=1e6)

    def _bind_terms(self, ctx: LossBind, d: Any) -> tuple[Step, Step]:
        xp = ctx.xp
        # c = e clipped to ±delta is the slope, and c·(e − c/2) is the loss in both branches.
        c, terms = ctx.scratch("clipped", d.shape), ctx.scratch("terms", d.shape)
        low, high, half = number(ctx, -self.delta), number(ctx, self.delta), number(ctx, 0.5)
        add_up, backward = bind_mean(ctx, terms, d.size, slopes=c)

        def measure() -> None:
            xp.maximum(d, low, out=c)
            xp.minimum(c, high, out=c)
            xp.multiply(c, half, out=terms)
            xp.subtract(d, terms, out=terms)
            xp.multiply(terms, c, out=terms)
            add_up()

        return measure, backward


class LogCosh(_Elementwise):
    """Like squared error for small errors and like absolute error for large ones, without a kink.

    L = mean(log cosh(y − t))

    For regression with some outliers, when Huber's corner is unwanted.
    """

    kind = "log_cosh.v1"
    title = "Log-cosh"
    icon = "mdi6.chart-bell-curve"
    keywords = ("robust", "smooth", "outliers", "regression")

    def _bind_terms(self, ctx: LossBind, d: Any) -> tuple[Step, Step]:
        xp, dx, size, terms = ctx.xp, ctx.dx, ctx.scratch("size", d.shape), ctx.scratch("terms", d.shape)
        minus_two, log_two = number(ctx, -2.0), number(ctx, math.log(2))
        add_up, scale = bind_mean(ctx, terms, d.size)

        def measure() -> None:
            # log cosh d = |d| + log(1 + exp(−2|d|)) − log 2 never overflows
            xp.absolute(d, out=size)
            xp.multiply(size, minus_two, out=terms)
            xp.exp(terms, out=terms)
            xp.log1p(terms, out=terms)
            xp.add(terms, size, out=terms)
            xp.subtract(terms, log_two, out=terms)
            add_up()

        def backward() -> None:
            xp.tanh(d, out=dx)
            scale()

        return measure, backward


class Poisson(Loss):
    """For counts: how many times something happens.

    y = eˣ, L = mean(y − t · x)

    The network ends in plain values; the prediction is their exponential and never negative. Targets must not be scaled
    to negative values. PyTorch: PoissonNLLLoss.
    """

    kind = "poisson.v1"
    title = "Poisson"
    icon = "mdi6.counter"
    keywords = ("count", "rate", "log-linear", "regression")
    tasks = ("regression",)
    link = "exp"

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, x, y, target, dx = ctx.xp, ctx.x, ctx.y, ctx.target.reshape(ctx.x.shape), ctx.dx
        terms = ctx.scratch("terms", x.shape)
        add_up, scale = bind_mean(ctx, terms, x.size)

        def forward() -> None:
            xp.exp(x, out=y)
            xp.multiply(x, target, out=terms)
            xp.subtract(y, terms, out=terms)
            add_up()

        def backward() -> None:
            xp.subtract(y, target, out=dx)
            scale()

        return forward, backward if dx is not None else nothing


class CosineDistance(Loss):
    """How far the direction of the prediction is from that of the target; lengths do not matter.

    L = mean(1 − y · t / (|y| |t|)), over the last axis

    For embeddings and descriptions in which only the direction means something. PyTorch: 1 − cosine_similarity.
    """

    kind = "cosine_distance.v1"
    title = "Cosine distance"
    icon = "mdi6.angle-acute"
    keywords = ("similarity", "direction", "angle", "embedding")
    tasks = ("regression", "reconstruction")

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, features = ctx.xp, ctx.x.shape[-1]
        x, t = ctx.x.reshape(-1, features), ctx.target.reshape(-1, features)  # [N, F]
        dx = None if ctx.dx is None else ctx.dx.reshape(x.shape)
        n, terms = x.shape[0], ctx.scratch("terms", x.shape)
        long_x, long_t, cosine = (ctx.scratch(name, (n, 1)) for name in ("length", "target length", "cosine"))
        one, tiny, gap = number(ctx, 1.0), number(ctx, 1e-8), ctx.scratch("gap", (n, 1))
        copy = ctx.y is not ctx.x
        add_up, scale = bind_mean(ctx, gap, n)

        def measure(a: Any, b: Any, out: Any) -> None:
            xp.multiply(a, b, out=terms)
            xp.sum(terms, axis=1, keepdims=True, out=out)

        def forward() -> None:
            if copy:
                xp.copyto(ctx.y, ctx.x)
            for array, out in ((x, long_x), (t, long_t)):
                measure(array, array, out)
                xp.sqrt(out, out=out)
                xp.maximum(out, tiny, out=out)
            measure(x, t, cosine)
            xp.divide(cosine, long_x, out=cosine)
            xp.divide(cosine, long_t, out=cosine)
            xp.subtract(one, cosine, out=gap)
            add_up()

        def backward() -> None:
            # gradient of the distance: (cosine · x / |x| − t / |t|) / |x|
            xp.divide(t, long_t, out=dx)
            xp.divide(x, long_x, out=terms)
            xp.multiply(terms, cosine, out=terms)
            xp.subtract(terms, dx, out=dx)
            xp.divide(dx, long_x, out=dx)
            scale()

        return forward, backward if dx is not None else nothing
