"""Steps whose length or direction is found for a whole array of weights at a time."""

from __future__ import annotations

import math
from typing import Any

from nndesigner.engine.optimizers.adam import adam_numbers, beta1_param, beta2_param, bind_moments, epsilon_param
from nndesigner.engine.optimizers.base import (
    Optimizer,
    OptimizerBind,
    Step,
    Update,
    bind_scaled_step,
    decay_param,
    rate_param,
)
from nndesigner.spec import param


class LAMB(Optimizer):
    """Adam whose steps are as long, for each array of weights, as its size allows: for very large batches.

    r = m̂ / (√v̂ + ε) + decay · w,  w ← w − rate · |w| / |r| · r for each array of weights (rate · r where |w| or |r|
    is 0)

    Source: You et al. 2020, arXiv:1904.00962.
    """

    kind = "lamb.v1"
    title = "LAMB"
    icon = "mdi6.sheep"
    keywords = ("adaptive", "large batch", "layer-wise", "trust ratio")
    slots = ("mean", "square")

    beta1: float = beta1_param()
    beta2: float = beta2_param()
    epsilon: float = epsilon_param(1e-6)
    weight_decay: float = decay_param(0.01)

    def bind(self, ctx: OptimizerBind) -> Update:
        eps, scale_of_mean, rate = ctx.number(), ctx.number(), ctx.number()
        steps = ctx.scratch("steps", (ctx.weights.shape[0],))
        parts = tuple(self._bind_segment(ctx, segment, steps, eps, scale_of_mean, rate) for segment in ctx.segments)

        def update(learning_rate: float, step: int) -> None:
            eps[...], scale_of_mean[...] = adam_numbers(self.beta1, self.beta2, self.epsilon, 1.0, step)
            rate[...] = learning_rate
            for part in parts:
                part()

        return update

    def _bind_segment(self, ctx: OptimizerBind, segment: Any, steps: Any, eps: Any, scale_of_mean: Any, rate: Any
                      ) -> Step:
        xp, (_, start, stop, _, decays) = ctx.xp, segment
        part = slice(start, stop)
        w, r, m, v = ctx.weights[part], steps[part], ctx.slots["mean"][part], ctx.slots["square"][part]
        t, decay = ctx.scratch("products", (ctx.weights.shape[0],))[part], ctx.number(self.weight_decay)
        long_w, long_r, none = ctx.number(), ctx.number(), ctx.number()
        moments = bind_moments(ctx, part, self.beta1, self.beta2, t)
        shrinks = decays and self.weight_decay > 0

        def run() -> None:
            moments()
            xp.sqrt(v, out=t)
            xp.add(t, eps, out=t)
            xp.divide(m, t, out=r)
            xp.multiply(r, scale_of_mean, out=r)
            if shrinks:
                xp.multiply(w, decay, out=t)
                xp.add(r, t, out=r)
            w.dot(w, out=long_w)
            r.dot(r, out=long_r)
            # |w| / |r|, or 1 where one of them is 0; without a branch, which would wait for the device
            xp.equal(long_w * long_r, 0, out=none)
            xp.add(long_w, none, out=long_w)
            xp.add(long_r, none, out=long_r)
            xp.multiply(none, long_r - long_w, out=none)
            xp.add(long_w, none, out=long_w)
            xp.divide(long_w, long_r, out=long_w)
            xp.sqrt(long_w, out=long_w)
            xp.multiply(long_w, rate, out=long_w)
            xp.multiply(r, long_w, out=r)
            xp.subtract(w, r, out=w)

        return run


#: coefficients of the iteration that makes a matrix orthogonal, from the reference implementation
_ITERATION = (3.4445, -4.7750, 2.0315)


class Muon(Optimizer):
    """Turns the smoothed gradient of every matrix into one of equally strong directions: few, well used steps.

    b ← momentum · b + (1 − momentum) · g, u = (1 − momentum) · g + momentum · b made orthogonal by five Newton-Schulz
    steps, w ← w − rate · √max(1, rows / columns) · u − rate · decay · w. Arrays that are no matrices (biases,
    normalisation) are trained by Adam with a rate of its own. Kernels of convolutions count as matrices taps · channels
    × filters.

    For large Dense and attention layers; a step costs a few matrix products more. Source: Jordan et al. 2024. PyTorch:
    Muon.
    """

    kind = "muon.v1"
    title = "Muon"
    icon = "mdi6.matrix"
    keywords = ("orthogonal", "matrix", "newton-schulz", "momentum")
    slots = ("mean", "square")

    learning_rate: float = rate_param(0.02)
    momentum: float = param(
        0.95, "Momentum", "How much of earlier gradients is kept. Higher: smoother direction; lower: reacts faster.",
        ge=0, lt=1, step=0.01)
    weight_decay: float = decay_param(0.1)
    other_rate: float = param(
        0.001, "Rate of the rest", "Learning rate for biases and other arrays that are no matrices, trained by Adam. "
        "Higher: they learn faster, but may overshoot. It follows the same schedule.", gt=0, le=1000, advanced=True)

    def bind(self, ctx: OptimizerBind) -> Update:
        rate, eps, other = ctx.number(), ctx.number(), ctx.number()
        parts = []
        for _, start, stop, shape, decays in ctx.segments:
            if len(shape) > 1 and stop - start == math.prod(shape):
                parts.append(self._bind_matrix(ctx, slice(start, stop), shape, decays, rate))
            else:
                parts.append(self._bind_rest(ctx, slice(start, stop), eps, other))
        parts = tuple(parts)

        def update(learning_rate: float, step: int) -> None:
            rate[...] = learning_rate
            eps[...], other[...] = adam_numbers(
                0.9, 0.999, 1e-8, self.other_rate * learning_rate / self.learning_rate, step)
            for part in parts:
                part()

        return update

    def _bind_rest(self, ctx: OptimizerBind, part: slice, eps: Any, rate: Any) -> Step:
        t = ctx.scratch("products", (ctx.weights.shape[0],))[part]
        moments = bind_moments(ctx, part, 0.9, 0.999, t)
        move = bind_scaled_step(ctx, ctx.weights[part], ctx.slots["mean"][part], ctx.slots["square"][part], eps, rate,
                                t)

        def run() -> None:
            moments()
            move()

        return run

    def _bind_matrix(self, ctx: OptimizerBind, part: slice, shape: tuple[int, ...], decays: bool, rate: Any) -> Step:
        xp, w, g, b = ctx.xp, ctx.weights[part], ctx.grads[part], ctx.slots["mean"][part]
        rows, columns = math.prod(shape[:-1]), shape[-1]
        small, large = min(rows, columns), max(rows, columns)
        longest = max(s[2] - s[1] for s in ctx.segments)
        t = ctx.scratch("update", (longest,))[:w.shape[0]]
        # X is the update or its transpose, whichever has fewer rows
        X, Y = (ctx.scratch(name, (longest,))[:w.shape[0]].reshape(small, large) for name in ("X", "Y"))
        A, B = (xp.empty((small, small), dtype=ctx.dtype) for _ in range(2))
        update = t.reshape(rows, columns) if rows <= columns else t.reshape(rows, columns).T
        keep, fresh, tiny = ctx.number(self.momentum), ctx.number(1 - self.momentum), ctx.number(1e-7)
        a1, a2, a3 = (ctx.number(c) for c in _ITERATION)
        length, factor, shrink = ctx.number(), ctx.number(max(1.0, rows / columns) ** 0.5), ctx.number()
        decay, X_flat = ctx.number(self.weight_decay if decays else 0.0), X.reshape(-1)

        def orthogonal() -> None:
            xp.copyto(X, update)
            X_flat.dot(X_flat, out=length)
            xp.sqrt(length, out=length)
            xp.maximum(length, tiny, out=length)
            xp.divide(X, length, out=X)
            for _ in range(5):  # X ← a₁ X + (a₂ A + a₃ A²) X with A = X Xᵀ
                X.dot(X.T, out=A)
                A.dot(A, out=B)
                xp.multiply(B, a3, out=B)
                xp.multiply(A, a2, out=A)
                xp.add(A, B, out=A)
                A.dot(X, out=Y)
                xp.multiply(X, a1, out=X)
                xp.add(X, Y, out=X)
            xp.copyto(update, X)

        def run() -> None:
            xp.multiply(b, keep, out=b)
            xp.multiply(g, fresh, out=g)
            xp.add(b, g, out=b)
            xp.multiply(b, keep, out=t)
            xp.add(t, g, out=t)
            orthogonal()
            xp.multiply(decay, rate, out=shrink)
            xp.multiply(w, shrink, out=g)
            xp.subtract(w, g, out=w)
            xp.multiply(factor, rate, out=shrink)
            xp.multiply(t, shrink, out=t)
            xp.subtract(w, t, out=w)

        return run
