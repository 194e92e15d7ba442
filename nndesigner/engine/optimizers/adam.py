"""Adam and its relatives: the mean of the gradients divided by their size."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from nndesigner.engine.optimizers.base import (
    Optimizer,
    OptimizerBind,
    Update,
    bind_chunks,
    bind_penalty,
    bind_shrink,
    decay_param,
    rate_param,
)
from nndesigner.spec import param


def beta1_param() -> Any:
    """Field for the memory of gradients."""
    return param(
        0.9, "Beta 1", "How long gradients are remembered. Higher: smoother direction; lower: reacts faster.", ge=0,
        lt=1, step=0.01, advanced=True)


def beta2_param() -> Any:
    """Field for the memory of gradient sizes."""
    return param(
        0.999, "Beta 2", "How long gradient sizes are remembered. Higher: steadier step lengths; lower: adapts faster.",
        ge=0, lt=1, step=0.001, advanced=True)


def epsilon_param(default: float = 1e-8) -> Any:
    """Field for what is added to sizes before they divide."""
    return param(
        default, "Epsilon", "Keeps steps finite where gradients vanish. Higher: gentler, more like SGD.", gt=0, le=1,
        advanced=True)


class Adam(Optimizer):
    """Adapts the step length of every weight; works well almost everywhere.

    m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  w ← w − rate · m̂ / (√v̂ + ε), where m̂ and v̂ are m and v
    corrected for their start at zero.

    The first thing to try. Weight decay is added to the gradient; AdamW does that better. Source: Kingma and Ba 2015,
    arXiv:1412.6980.
    """

    kind = "adam.v1"
    title = "Adam"
    icon = "mdi6.auto-fix"
    keywords = ("adaptive", "moment", "default")
    elementwise = True
    slots = ("mean", "square")

    beta1: float = beta1_param()
    beta2: float = beta2_param()
    epsilon: float = epsilon_param()

    #: weight decay shrinks the weights themselves instead of being added to the gradient
    decoupled: ClassVar[bool] = False

    def bind(self, ctx: OptimizerBind) -> Update:
        xp = ctx.xp
        beta1, beta2 = ctx.number(self.beta1), ctx.number(self.beta2)
        # The slots hold m / (1 - β1) and v / (1 - β2): that saves two passes over the weights in every step.
        eps, rate, shrink = ctx.number(), ctx.number(), ctx.number()

        def prepare(learning_rate: float, step: int) -> None:
            scale = ((1.0 - self.beta2) / (1.0 - self.beta2**step)) ** 0.5
            eps[...] = self.epsilon / scale
            rate[...] = learning_rate * (1.0 - self.beta1) / ((1.0 - self.beta1**step) * scale)
            shrink[...] = learning_rate * self.weight_decay

        def make(part: slice) -> Callable[[], None]:
            w, g = ctx.weights[part], ctx.grads[part]
            m, v = ctx.slots["mean"][part], ctx.slots["square"][part]
            t = ctx.spare("step", part)
            if self.decoupled:
                decay = bind_shrink(ctx, self.weight_decay, part, shrink, t)
            else:
                decay = bind_penalty(ctx, self.weight_decay, part)

            def run() -> None:
                decay()
                xp.multiply(m, beta1, out=m)
                xp.add(m, g, out=m)
                xp.multiply(v, beta2, out=v)
                xp.multiply(g, g, out=t)
                xp.add(v, t, out=v)
                xp.sqrt(v, out=t)
                xp.add(t, eps, out=t)
                xp.divide(m, t, out=t)
                xp.multiply(t, rate, out=t)
                xp.subtract(w, t, out=w)

            return run

        return bind_chunks(ctx, make, prepare)




class AdamW(Adam):
    """Adam with weight decay that acts on the weights themselves, which generalises better.

    Like Adam, and w ← w − rate · decay · w in every step.

    The usual choice for transformers and whenever weight decay is wanted. Source: Loshchilov and Hutter 2019,
    arXiv:1711.05101.
    """

    kind = "adamw.v1"
    title = "AdamW"
    icon = "mdi6.auto-fix"
    keywords = ("adaptive", "moment", "decoupled weight decay", "transformer")
    decoupled = True

    weight_decay: float = decay_param(0.01)


class Adamax(Optimizer):
    """Adam that measures gradients by their largest instead of their typical size.

    m ← β₁ m + (1 − β₁) g,  u ← max(β₂ u, |g| + ε),  w ← w − rate / (1 − β₁ᵗ) · m / u

    Steadier than Adam where gradients are rare and large, such as with embeddings. Source: Kingma and Ba 2015,
    arXiv:1412.6980.
    """

    kind = "adamax.v1"
    title = "Adamax"
    icon = "mdi6.arrow-up-bold-hexagon-outline"
    keywords = ("adaptive", "infinity norm", "embedding")
    elementwise = True
    slots = ("mean", "largest")

    learning_rate: float = rate_param(0.002)
    beta1: float = beta1_param()
    beta2: float = beta2_param()
    epsilon: float = epsilon_param()

    def bind(self, ctx: OptimizerBind) -> Update:
        xp, rate = ctx.xp, ctx.number()
        beta1, beta2, eps = ctx.number(self.beta1), ctx.number(self.beta2), ctx.number(self.epsilon)

        def prepare(learning_rate: float, step: int) -> None:
            # the slot holds m / (1 - β1)
            rate[...] = learning_rate * (1.0 - self.beta1) / (1.0 - self.beta1**step)

        def make(part: slice) -> Callable[[], None]:
            w, g, t = ctx.weights[part], ctx.grads[part], ctx.spare("step", part)
            m, u = ctx.slots["mean"][part], ctx.slots["largest"][part]
            penalty = bind_penalty(ctx, self.weight_decay, part)

            def run() -> None:
                penalty()
                xp.multiply(m, beta1, out=m)
                xp.add(m, g, out=m)
                xp.multiply(u, beta2, out=u)
                xp.absolute(g, out=t)
                xp.add(t, eps, out=t)
                xp.maximum(u, t, out=u)
                xp.divide(m, u, out=t)
                xp.multiply(t, rate, out=t)
                xp.subtract(w, t, out=w)

            return run

        return bind_chunks(ctx, make, prepare)


class NAdam(Optimizer):
    """Adam that looks one step ahead, as Nesterov's momentum does.

    Like Adam with w ← w − rate / (√v̂ + ε) · (a · g + b · m), where a and b follow from a momentum that rises to β₁ in
    the first thousand steps.

    Often a little faster than Adam. Source: Dozat 2016.
    """

    kind = "nadam.v1"
    title = "NAdam"
    icon = "mdi6.debug-step-over"
    keywords = ("adaptive", "nesterov", "look ahead")
    elementwise = True
    slots = ("mean", "square")

    learning_rate: float = rate_param(0.002)
    beta1: float = beta1_param()
    beta2: float = beta2_param()
    epsilon: float = epsilon_param()

    def momentum(self, step: int) -> float:
        """Momentum of a step, PyTorch's with momentum_decay = 0.004."""
        return self.beta1 * (1.0 - 0.5 * 0.96 ** (step * 0.004))

    def bind(self, ctx: OptimizerBind) -> Update:
        xp, beta1, beta2 = ctx.xp, ctx.number(self.beta1), ctx.number(self.beta2)
        eps, by_gradient, by_mean = ctx.number(), ctx.number(), ctx.number()
        # product of the momenta of all steps so far, and the step it belongs to
        done = {"product": 1.0, "step": 0}

        def prepare(learning_rate: float, step: int) -> None:
            if step == done["step"] + 1:
                done["product"] *= self.momentum(step)
            else:
                done["product"] = math.prod(self.momentum(i) for i in range(1, step + 1))
            done["step"] = step
            now, following, product = self.momentum(step), self.momentum(step + 1), done["product"]
            scale = ((1.0 - self.beta2) / (1.0 - self.beta2**step)) ** 0.5
            eps[...] = self.epsilon / scale
            by_gradient[...] = learning_rate * (1.0 - now) / ((1.0 - product) * scale)
            # the slot holds m / (1 - β1)
            by_mean[...] = learning_rate * following * (1.0 - self.beta1) / ((1.0 - product * following) * scale)

        def make(part: slice) -> Callable[[], None]:
            w, g = ctx.weights[part], ctx.grads[part]
            m, v = ctx.slots["mean"][part], ctx.slots["square"][part]
            t, size = ctx.spare("step", part), ctx.spare("size", part)
            penalty = bind_penalty(ctx, self.weight_decay, part)

            def run() -> None:
                penalty()
                xp.multiply(m, beta1, out=m)
                xp.add(m, g, out=m)
                xp.multiply(v, beta2, out=v)
                xp.multiply(g, g, out=t)
                xp.add(v, t, out=v)
                xp.sqrt(v, out=size)
                xp.add(size, eps, out=size)
                xp.multiply(m, by_mean, out=t)
                xp.multiply(g, by_gradient, out=g)
                xp.add(t, g, out=t)
                xp.divide(t, size, out=t)
                xp.subtract(w, t, out=w)

            return run

        return bind_chunks(ctx, make, prepare)


class RAdam(Optimizer):
    """Adam that waits until it knows the sizes of the gradients well enough, so it needs no warm-up.

    Like Adam, but the first steps follow m̂ alone, and later ones are multiplied with a factor that rises to 1.

    Safer than Adam in the first steps. Source: Liu et al. 2020, arXiv:1908.03265.
    """

    kind = "radam.v1"
    title = "RAdam"
    icon = "mdi6.progress-check"
    keywords = ("adaptive", "rectified", "warm-up")
    elementwise = True
    slots = ("mean", "square")

    beta1: float = beta1_param()
    beta2: float = beta2_param()
    epsilon: float = epsilon_param()

    def bind(self, ctx: OptimizerBind) -> Update:
        xp, beta1, beta2 = ctx.xp, ctx.number(self.beta1), ctx.number(self.beta2)
        eps, rate = ctx.number(), ctx.number()
        ready = {"adaptive": False}
        longest = 2.0 / (1.0 - self.beta2) - 1.0

        def prepare(learning_rate: float, step: int) -> None:
            decayed = self.beta2**step
            length = longest - 2.0 * step * decayed / (1.0 - decayed)
            # the slots hold m / (1 - β1) and v / (1 - β2)
            rate_of_mean = learning_rate * (1.0 - self.beta1) / (1.0 - self.beta1**step)
            ready["adaptive"] = length > 5.0
            if ready["adaptive"]:
                factor = ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
                scale = (1.0 - self.beta2) ** 0.5
                eps[...] = self.epsilon / scale
                rate[...] = rate_of_mean * factor * (1.0 - decayed) ** 0.5 / scale
            else:
                rate[...] = rate_of_mean

        def make(part: slice) -> Callable[[], None]:
            w, g, t = ctx.weights[part], ctx.grads[part], ctx.spare("step", part)
            m, v = ctx.slots["mean"][part], ctx.slots["square"][part]
            penalty = bind_penalty(ctx, self.weight_decay, part)

            def run() -> None:
                penalty()
                xp.multiply(m, beta1, out=m)
                xp.add(m, g, out=m)
                xp.multiply(v, beta2, out=v)
                xp.multiply(g, g, out=t)
                xp.add(v, t, out=v)
                if ready["adaptive"]:
                    xp.sqrt(v, out=t)
                    xp.add(t, eps, out=t)
                    xp.divide(m, t, out=t)
                    xp.multiply(t, rate, out=t)
                else:
                    xp.multiply(m, rate, out=t)
                xp.subtract(w, t, out=w)

            return run

        return bind_chunks(ctx, make, prepare)
