"""Adam and its relatives: the mean of the gradients divided by their size."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from nndesigner.engine.optimizers.base import (
    Elementwise,
    Numbers,
    OptimizerBind,
    Step,
    bind_scaled_step,
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


def bind_moments(ctx: OptimizerBind, part: slice, beta1: float, beta2: float, t: Any) -> Step:
    """Update the slots mean / (1 - β₁) and square / (1 - β₂), with scratch array t.

    Kept so, they save two passes over the weights in every step.
    """
    xp, g, m, v = ctx.xp, ctx.grads[part], ctx.slots["mean"][part], ctx.slots["square"][part]
    keep_mean, keep_square = ctx.number(beta1), ctx.number(beta2)

    def run() -> None:
        xp.multiply(m, keep_mean, out=m)
        xp.add(m, g, out=m)
        xp.multiply(v, keep_square, out=v)
        xp.square(g, out=t)
        xp.add(v, t, out=v)

    return run


def scale_of_square(beta2: float, step: int) -> float:
    """√v̂ of a step / √(v / (1 - β₂)): what the slot lacks to be the corrected size."""
    return ((1.0 - beta2) / (1.0 - beta2**step)) ** 0.5


def adam_numbers(beta1: float, beta2: float, epsilon: float, learning_rate: float, step: int) -> tuple[float, float]:
    """(ε, rate) with which `bind_scaled_step` takes Adam's step from the slots of `bind_moments`."""
    scale = scale_of_square(beta2, step)
    return epsilon / scale, learning_rate * (1.0 - beta1) / ((1.0 - beta1**step) * scale)


class _TwoMoments(Elementwise):
    """Shared by Adam and the relatives that keep the same two moments."""

    slots = ("mean", "square")

    beta1: float = beta1_param()
    beta2: float = beta2_param()
    epsilon: float = epsilon_param()

    def bind_numbers(self) -> Numbers:
        return partial(adam_numbers, self.beta1, self.beta2, self.epsilon)

    def bind_part(self, ctx: OptimizerBind, part: slice, *numbers: Any) -> Step:
        remember = bind_moments(ctx, part, self.beta1, self.beta2, ctx.spare("step", part))
        move = self.bind_move(ctx, part, *numbers)

        def run() -> None:
            remember()
            move()

        return run

    def bind_move(self, ctx: OptimizerBind, part: slice, eps: Any, rate: Any) -> Step:
        """Function that changes ctx.weights[part] from the moments just updated."""
        return bind_scaled_step(ctx, ctx.weights[part], ctx.slots["mean"][part], ctx.slots["square"][part], eps, rate,
                                ctx.spare("step", part))


class Adam(_TwoMoments):
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

    def bind_part(self, ctx: OptimizerBind, part: slice, eps: Any, rate: Any) -> Step:
        moments = (ctx.slots[name][part] for name in self.slots)
        return ctx.quicker("adam", super().bind_part(ctx, part, eps, rate), ctx.weights[part], ctx.grads[part],
                           *moments, ctx.number(self.beta1), ctx.number(self.beta2), eps, rate)


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


class Adamax(Elementwise):
    """Adam that measures gradients by their largest instead of their typical size.

    m ← β₁ m + (1 − β₁) g,  u ← max(β₂ u, |g| + ε),  w ← w − rate / (1 − β₁ᵗ) · m / u

    Steadier than Adam where gradients are rare and large, such as with embeddings. Source: Kingma and Ba 2015,
    arXiv:1412.6980.
    """

    kind = "adamax.v1"
    title = "Adamax"
    icon = "mdi6.arrow-up-bold-hexagon-outline"
    keywords = ("adaptive", "infinity norm", "embedding")
    slots = ("mean", "largest")

    learning_rate: float = rate_param(0.002)
    beta1: float = beta1_param()
    beta2: float = beta2_param()
    epsilon: float = epsilon_param()

    def bind_numbers(self) -> Numbers:
        # the slot holds m / (1 - β1)
        return lambda rate, step: (rate * (1.0 - self.beta1) / (1.0 - self.beta1**step),)

    def bind_part(self, ctx: OptimizerBind, part: slice, rate: Any) -> Step:
        xp, w, g, t = ctx.xp, ctx.weights[part], ctx.grads[part], ctx.spare("step", part)
        m, u = ctx.slots["mean"][part], ctx.slots["largest"][part]
        beta1, beta2, eps = ctx.number(self.beta1), ctx.number(self.beta2), ctx.number(self.epsilon)

        def run() -> None:
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


class NAdam(_TwoMoments):
    """Adam that looks one step ahead, as Nesterov's momentum does.

    Like Adam with w ← w − rate / (√v̂ + ε) · (a · g + b · m), where a and b follow from a momentum that rises to β₁ in
    the first thousand steps.

    Often a little faster than Adam. Source: Dozat 2016.
    """

    kind = "nadam.v1"
    title = "NAdam"
    icon = "mdi6.debug-step-over"
    keywords = ("adaptive", "nesterov", "look ahead")

    learning_rate: float = rate_param(0.002)
    def momentum(self, step: int) -> float:
        """Momentum of a step, PyTorch's with momentum_decay = 0.004."""
        return self.beta1 * (1.0 - 0.5 * 0.96 ** (step * 0.004))

    def bind_numbers(self) -> Numbers:
        done, product = 0, 1.0  # the last step, and the product of the momenta of all steps up to it

        def numbers(learning_rate: float, step: int) -> tuple[float, float, float]:
            nonlocal done, product
            if step == done + 1:
                product *= self.momentum(step)
            else:
                product = math.prod(self.momentum(i) for i in range(1, step + 1))
            done = step
            now, following, scale = self.momentum(step), self.momentum(step + 1), scale_of_square(self.beta2, step)
            by_gradient = learning_rate * (1.0 - now) / ((1.0 - product) * scale)
            # the slot holds m / (1 - β1)
            by_mean = learning_rate * following * (1.0 - self.beta1) / ((1.0 - product * following) * scale)
            return self.epsilon / scale, by_gradient, by_mean

        return numbers

    def bind_move(self, ctx: OptimizerBind, part: slice, eps: Any, by_gradient: Any, by_mean: Any) -> Step:
        xp, w, g = ctx.xp, ctx.weights[part], ctx.grads[part]
        m, v = ctx.slots["mean"][part], ctx.slots["square"][part]
        t, size = ctx.spare("step", part), ctx.spare("size", part)

        def run() -> None:
            xp.sqrt(v, out=size)
            xp.add(size, eps, out=size)
            xp.multiply(m, by_mean, out=t)
            xp.multiply(g, by_gradient, out=g)
            xp.add(t, g, out=t)
            xp.divide(t, size, out=t)
            xp.subtract(w, t, out=w)

        return run


#: a power of 2, so that dividing by it and multiplying with it changes no digit
_VAST = 2.0**64


class RAdam(_TwoMoments):
    """Adam that waits until it knows the sizes of the gradients well enough, so it needs no warm-up.

    Like Adam, but the first steps follow m̂ alone, and later ones are multiplied with a factor that rises to 1.

    Safer than Adam in the first steps. Source: Liu et al. 2020, arXiv:1908.03265.
    """

    kind = "radam.v1"
    title = "RAdam"
    icon = "mdi6.progress-check"
    keywords = ("adaptive", "rectified", "warm-up")

    def bind_numbers(self) -> Numbers:
        longest = 2.0 / (1.0 - self.beta2) - 1.0

        def numbers(learning_rate: float, step: int) -> tuple[float, float]:
            decayed = self.beta2**step
            length = longest - 2.0 * step * decayed / (1.0 - decayed)
            # the slots hold m / (1 - β1) and v / (1 - β2)
            rate_of_mean = learning_rate * (1.0 - self.beta1) / (1.0 - self.beta1**step)
            if length <= 5.0:  # beside an ε of 2⁶⁴ no size of a gradient matters: the step is rate_of_mean · m
                return _VAST, rate_of_mean * _VAST
            factor = ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
            scale = (1.0 - self.beta2) ** 0.5
            return self.epsilon / scale, rate_of_mean * factor * (1.0 - decayed) ** 0.5 / scale

        return numbers
