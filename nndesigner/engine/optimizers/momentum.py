"""Steps along the gradient or its running mean."""

from __future__ import annotations

from typing import Any, ClassVar

from nndesigner.engine.optimizers.base import Elementwise, OptimizerBind, Step, rate_param
from nndesigner.spec import param


class SGD(Elementwise):
    """Plain steps down the slope; simple, and a good baseline.

    w ← w − rate · g

    Needs a higher learning rate than Adam (0.01 to 0.5). Source: Robbins and Monro 1951.
    """

    kind = "sgd.v1"
    title = "SGD"
    icon = "mdi6.stairs-down"
    keywords = ("stochastic gradient descent", "plain")

    learning_rate: float = rate_param(0.1)

    def bind_part(self, ctx: OptimizerBind, part: slice, rate: Any) -> Step:
        xp, w, g = ctx.xp, ctx.weights[part], ctx.grads[part]

        def run() -> None:
            xp.multiply(g, rate, out=g)
            xp.subtract(w, g, out=w)

        return run


class Momentum(Elementwise):
    """SGD that keeps rolling in the direction of earlier steps.

    v ← momentum · v + g,  w ← w − rate · v

    Faster than plain SGD along valleys; the usual choice for large image networks. Source: Polyak 1964; Sutskever et
    al. 2013. PyTorch: SGD(momentum=...).
    """

    kind = "momentum.v1"
    title = "Momentum"
    icon = "mdi6.weight"
    keywords = ("sgd", "heavy ball", "stochastic gradient descent")
    slots = ("velocity",)

    learning_rate: float = rate_param(0.01)
    momentum: float = param(
        0.9, "Momentum", "How much of the last step is kept. Higher: smoother and faster along valleys, but swings "
        "past the goal; 0: plain SGD.", ge=0, lt=1, step=0.05)

    #: look ahead along the velocity before stepping
    nesterov: ClassVar[bool] = False

    def bind_part(self, ctx: OptimizerBind, part: slice, rate: Any) -> Step:
        xp, keep, nesterov = ctx.xp, ctx.number(self.momentum), self.nesterov
        w, g, v, t = ctx.weights[part], ctx.grads[part], ctx.slots["velocity"][part], ctx.spare("step", part)

        def run() -> None:
            xp.multiply(v, keep, out=v)
            xp.add(v, g, out=v)
            if nesterov:
                xp.multiply(v, keep, out=t)
                xp.add(t, g, out=t)
                xp.multiply(t, rate, out=t)
            else:
                xp.multiply(v, rate, out=t)
            xp.subtract(w, t, out=w)

        return ctx.quicker("nesterov" if nesterov else "momentum", run, w, g, v, keep, rate)


class Nesterov(Momentum):
    """Momentum that looks one step ahead, so it brakes before it overshoots.

    v ← momentum · v + g,  w ← w − rate · (g + momentum · v)

    Often a little faster and steadier than plain momentum. Source: Nesterov 1983; Sutskever et al. 2013. PyTorch:
    SGD(momentum=..., nesterov=True).
    """

    kind = "nesterov.v1"
    title = "Nesterov"
    icon = "mdi6.debug-step-over"
    keywords = ("sgd", "momentum", "accelerated", "look ahead")
    nesterov = True


class Lion(Elementwise):
    """Takes steps of one length for every weight, in the direction of its smoothed gradient.

    w ← w − rate · (sign(β₁ m + (1 − β₁) g) + decay · w), m ← β₂ m + (1 − β₂) g

    Needs less memory than Adam, and a learning rate three to ten times lower. Source: Chen et al. 2023,
    arXiv:2302.06675.
    """

    kind = "lion.v1"
    title = "Lion"
    icon = "mdi6.paw"
    keywords = ("sign", "evolved", "momentum")
    decoupled = True
    slots = ("mean",)

    learning_rate: float = rate_param(0.0001)
    beta1: float = param(
        0.9, "Beta 1", "How much the direction of a step follows earlier gradients. Higher: smoother; lower: reacts "
        "faster.", ge=0, lt=1, step=0.01, advanced=True)
    beta2: float = param(
        0.99, "Beta 2", "How long gradients are remembered. Higher: smoother direction; lower: adapts faster.", ge=0,
        lt=1, step=0.001, advanced=True)

    def bind_part(self, ctx: OptimizerBind, part: slice, rate: Any) -> Step:
        xp, w, g, m = ctx.xp, ctx.weights[part], ctx.grads[part], ctx.slots["mean"][part]
        t, u = ctx.spare("step", part), ctx.spare("fresh", part)
        # The slot holds m / (1 - β2), whose sign is the same; β1 m + (1 - β1) g = a · slot + (1 - β1) g.
        keep, mix, fresh = ctx.number(self.beta2), ctx.number(self.beta1 * (1 - self.beta2)), ctx.number(1 - self.beta1)

        def run() -> None:
            xp.multiply(m, mix, out=t)
            xp.multiply(g, fresh, out=u)
            xp.add(t, u, out=t)
            xp.sign(t, out=t)
            xp.multiply(t, rate, out=t)
            xp.subtract(w, t, out=w)
            xp.multiply(m, keep, out=m)
            xp.add(m, g, out=m)

        return run
