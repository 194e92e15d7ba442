"""A step length of its own for every weight, from the size of its gradients: RMSprop, Adagrad, Adadelta."""

from __future__ import annotations

from typing import Any

from nndesigner.engine.optimizers.base import (
    Elementwise,
    Numbers,
    OptimizerBind,
    Step,
    bind_scaled_step,
    rate_param,
)
from nndesigner.spec import param


class RMSprop(Elementwise):
    """Gives every weight its own step length from the recent size of its gradient.

    s ← smoothing · s + (1 − smoothing) · g²,  w ← w − rate · g / (√s + ε)

    Good for recurrent networks and noisy gradients. Source: Tieleman and Hinton 2012.
    """

    kind = "rmsprop.v1"
    title = "RMSprop"
    icon = "mdi6.square-root"
    keywords = ("adaptive", "root mean square")
    slots = ("square",)

    learning_rate: float = rate_param(0.01)
    smoothing: float = param(
        0.99, "Smoothing", "How long gradient sizes are remembered. Higher: steadier step lengths; lower: adapts "
            "faster.",
        ge=0, lt=1, step=0.01)
    epsilon: float = param(
        1e-8, "Epsilon", "Keeps steps finite where gradients vanish. Higher: more like plain SGD.", gt=0, le=1,
        advanced=True)

    def bind_numbers(self) -> Numbers:
        # The slot holds s / (1 - smoothing): that saves one pass. Then √s + ε = c·(√slot + ε/c) with c = √(1 -
        # smoothing).
        scale = (1.0 - self.smoothing) ** 0.5
        return lambda learning_rate, step: (self.epsilon / scale, learning_rate / scale)

    def bind_part(self, ctx: OptimizerBind, part: slice, eps: Any, rate: Any) -> Step:
        xp, w, g, s = ctx.xp, ctx.weights[part], ctx.grads[part], ctx.slots["square"][part]
        keep, t = ctx.number(self.smoothing), ctx.spare("step", part)
        move = bind_scaled_step(ctx, w, g, s, eps, rate, t)

        def run() -> None:
            xp.multiply(s, keep, out=s)
            xp.multiply(g, g, out=t)
            xp.add(s, t, out=s)
            move()

        return ctx.quicker("rmsprop", run, w, g, s, keep, eps, rate)


class Adagrad(Elementwise):
    """Gives every weight its own step length, which shrinks with all gradients it ever had.

    s ← s + g²,  w ← w − rate · g / (√s + ε)

    Good for rare features, such as words; steps become small in long runs. Source: Duchi et al. 2011.
    """

    kind = "adagrad.v1"
    title = "Adagrad"
    icon = "mdi6.sigma"
    keywords = ("adaptive", "sparse", "sum of squares")
    slots = ("square",)

    learning_rate: float = rate_param(0.01)
    epsilon: float = param(
        1e-10, "Epsilon", "Keeps steps finite where gradients vanish. Higher: more like plain SGD.", gt=0, le=1,
        advanced=True)

    def bind_part(self, ctx: OptimizerBind, part: slice, rate: Any) -> Step:
        xp, w, g, s = ctx.xp, ctx.weights[part], ctx.grads[part], ctx.slots["square"][part]
        t = ctx.spare("step", part)
        move = bind_scaled_step(ctx, w, g, s, ctx.number(self.epsilon), rate, t)

        def run() -> None:
            xp.multiply(g, g, out=t)
            xp.add(s, t, out=s)
            move()

        return run


class Adadelta(Elementwise):
    """Finds step lengths by itself, from the sizes of gradients and of earlier steps.

    s ← ρ s + (1 − ρ) g²,  d = g · √(a + ε) / √(s + ε),  a ← ρ a + (1 − ρ) d²,  w ← w − rate · d

    Needs no tuning of the learning rate, but starts slowly. Source: Zeiler 2012, arXiv:1212.5701.
    """

    kind = "adadelta.v1"
    title = "Adadelta"
    icon = "mdi6.delta"
    keywords = ("adaptive", "no learning rate")
    slots = ("square", "steps")

    learning_rate: float = rate_param(1.0)
    smoothing: float = param(
        0.9, "Smoothing", "How long sizes are remembered. Higher: steadier step lengths; lower: adapts faster.", ge=0,
        lt=1, step=0.01)
    epsilon: float = param(
        1e-6, "Epsilon", "Size of the first steps. Higher: starts faster.", gt=0, le=1, advanced=True)

    def bind_part(self, ctx: OptimizerBind, part: slice, rate: Any) -> Step:
        xp, w, g = ctx.xp, ctx.weights[part], ctx.grads[part]
        s, a = ctx.slots["square"][part], ctx.slots["steps"][part]
        t, u = ctx.spare("step", part), ctx.spare("size", part)
        # Both slots hold their mean / (1 - ρ), which cancels in the step if ε is divided by it too.
        keep, eps = ctx.number(self.smoothing), ctx.number(self.epsilon / (1.0 - self.smoothing))

        def run() -> None:
            xp.multiply(s, keep, out=s)
            xp.multiply(g, g, out=t)
            xp.add(s, t, out=s)
            xp.add(a, eps, out=t)
            xp.add(s, eps, out=u)
            xp.divide(t, u, out=t)
            xp.sqrt(t, out=t)
            xp.multiply(t, g, out=t)
            xp.multiply(a, keep, out=a)
            xp.multiply(t, t, out=u)
            xp.add(a, u, out=a)
            xp.multiply(t, rate, out=t)
            xp.subtract(w, t, out=w)

        return run
