"""Rules by which gradients change the weights. Formulas and defaults are PyTorch's, so results can be compared.

All trained arrays of a network lie in one flat buffer, their gradients in another, and each kind of moment in another,
so an update is one pass over flat arrays. On the CPU the pass goes in chunks that stay in the cache (5.8 million
weights with Adam: 17.7 ms in chunks of 64 k elements, 34.7 ms at once).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from nndesigner.spec import Declared, param

#: called as update(learning rate, number of the step from 1)
Update = Callable[[float, int], None]

_CHUNK = 65_536


@dataclass
class OptimizerBind:
    """Flat arrays of array module `xp` that an optimizer works on."""

    xp: Any
    dtype: Any
    #: [n] trained numbers, changed in place
    weights: Any
    #: [n] gradients; an update may use them as scratch space
    grads: Any
    #: [n] for every name in `Optimizer.slots`, zero before the first step, kept between steps and in checkpoints
    slots: dict[str, Any]
    #: [n] of 0 and 1: where weight decay applies; None: everywhere
    decay: Any | None
    #: (name, start, stop, shape, decay) of every weight in the flat buffer
    segments: tuple[tuple[str, int, int, tuple[int, ...], bool], ...]
    #: scratch(name, shape, dtype=None) -> array, planned once
    scratch: Callable[..., Any]

    def chunks(self) -> Iterator[slice]:
        """Parts of the flat arrays that fit into the CPU's cache; everything at once on other devices."""
        n = self.weights.shape[0]
        size = _CHUNK if self.xp.__name__ == "numpy" else max(n, 1)
        return (slice(start, min(start + size, n)) for start in range(0, n, size))

    def spare(self, name: str, part: slice) -> Any:
        """Scratch array as long as a chunk, the same for all chunks."""
        longest = next(self.chunks()).stop
        return self.scratch(name, (longest,))[:part.stop - part.start]

    def number(self, value: float = 0.0) -> Any:
        """Array without axes: a constant, or a place for a number that changes from step to step."""
        return self.xp.asarray(value, dtype=self.dtype)


class Optimizer(Declared):
    """Rule by which a gradient changes the weights."""

    group = "Optimizer"

    #: names of the moments it keeps
    slots: ClassVar[tuple[str, ...]] = ()
    #: every number is changed by its own gradient and moments alone, so several threads may each update a part
    elementwise: ClassVar[bool] = False

    learning_rate: float = param(
        0.001, "Learning rate", "How far each step goes. Higher: learns faster, but too high overshoots and the loss "
        "grows; lower: steadier and slower.", gt=0, le=1000)
    weight_decay: float = param(
        0.0, "Weight decay", "Pulls weights towards zero in every step. Higher: smoother functions that generalise "
        "better, but too high cannot learn. Biases are left alone.", ge=0, le=10, advanced=True)

    def bind(self, ctx: OptimizerBind) -> Update:
        """Function update(learning_rate, step) that changes ctx.weights in place."""
        raise TypeError(f"{type(self).__name__} declares no bind.")


def _bind_chunks(ctx: OptimizerBind, make: Callable[[slice], Callable[[], None]],
                 prepare: Callable[[float, int], None]) -> Update:
    """An update that first sets the numbers of the step (`prepare`), then runs what `make` bound for each chunk."""
    parts = tuple(make(part) for part in ctx.chunks())

    def update(learning_rate: float, step: int) -> None:
        prepare(learning_rate, step)
        for part in parts:
            part()

    return update


def _bind_penalty(ctx: OptimizerBind, strength: float, part: slice) -> Callable[[], None]:
    """g += strength * w, for the weights that decay (the gradient of an L2 penalty)."""
    if strength == 0:
        return _nothing
    xp, w, g = ctx.xp, ctx.weights[part], ctx.grads[part]
    t = ctx.spare("penalty", part)
    factor = ctx.number(strength) if ctx.decay is None else ctx.decay[part] * ctx.number(strength)

    def add() -> None:
        xp.multiply(w, factor, out=t)
        xp.add(g, t, out=g)

    return add


def _nothing() -> None:
    pass


class SGD(Optimizer):
    """Plain steps down the slope; simple, and a good baseline.

    w ← w − rate · g

    Needs a higher learning rate than Adam (0.01 to 0.5). Source: Robbins and Monro 1951.
    """

    kind = "sgd.v1"
    title = "SGD"
    icon = "mdi6.stairs-down"
    keywords = ("stochastic gradient descent", "plain")
    elementwise = True

    learning_rate: float = param(
        0.1, "Learning rate", "How far each step goes. Higher: learns faster, but too high overshoots and the loss "
        "grows; lower: steadier and slower.", gt=0, le=1000)

    def bind(self, ctx: OptimizerBind) -> Update:
        xp, rate = ctx.xp, ctx.number()

        def prepare(learning_rate: float, step: int) -> None:
            rate[...] = learning_rate

        def make(part: slice) -> Callable[[], None]:
            w, g = ctx.weights[part], ctx.grads[part]
            penalty = _bind_penalty(ctx, self.weight_decay, part)

            def run() -> None:
                penalty()
                xp.multiply(g, rate, out=g)
                xp.subtract(w, g, out=w)

            return run

        return _bind_chunks(ctx, make, prepare)


class Momentum(Optimizer):
    """SGD that keeps rolling in the direction of earlier steps.

    v ← momentum · v + g,  w ← w − rate · v

    Faster than plain SGD along valleys; the usual choice for large image networks. Source: Polyak 1964; Sutskever et
    al. 2013. PyTorch: SGD(momentum=...).
    """

    kind = "momentum.v1"
    title = "Momentum"
    icon = "mdi6.weight"
    keywords = ("sgd", "heavy ball", "stochastic gradient descent")
    elementwise = True
    slots = ("velocity",)

    learning_rate: float = param(
        0.01, "Learning rate", "How far each step goes. Higher: learns faster, but too high overshoots and the loss "
        "grows; lower: steadier and slower.", gt=0, le=1000)
    momentum: float = param(
        0.9, "Momentum", "How much of the last step is kept. Higher: smoother and faster along valleys, but swings "
        "past the goal; 0: plain SGD.", ge=0, lt=1, step=0.05)

    #: look ahead along the velocity before stepping
    nesterov: ClassVar[bool] = False

    def bind(self, ctx: OptimizerBind) -> Update:
        xp, rate, keep = ctx.xp, ctx.number(), ctx.number(self.momentum)

        def prepare(learning_rate: float, step: int) -> None:
            rate[...] = learning_rate

        def make(part: slice) -> Callable[[], None]:
            w, g, v = ctx.weights[part], ctx.grads[part], ctx.slots["velocity"][part]
            t = ctx.spare("step", part)
            penalty = _bind_penalty(ctx, self.weight_decay, part)

            def run() -> None:
                penalty()
                xp.multiply(v, keep, out=v)
                xp.add(v, g, out=v)
                xp.multiply(v, rate, out=t)
                xp.subtract(w, t, out=w)

            def run_nesterov() -> None:
                penalty()
                xp.multiply(v, keep, out=v)
                xp.add(v, g, out=v)
                xp.multiply(v, keep, out=t)
                xp.add(t, g, out=t)
                xp.multiply(t, rate, out=t)
                xp.subtract(w, t, out=w)

            return run_nesterov if self.nesterov else run

        return _bind_chunks(ctx, make, prepare)


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


class RMSprop(Optimizer):
    """Gives every weight its own step length from the recent size of its gradient.

    s ← smoothing · s + (1 − smoothing) · g²,  w ← w − rate · g / (√s + ε)

    Good for recurrent networks and noisy gradients. Source: Tieleman and Hinton 2012.
    """

    kind = "rmsprop.v1"
    title = "RMSprop"
    icon = "mdi6.square-root"
    keywords = ("adaptive", "root mean square")
    elementwise = True
    slots = ("square",)

    learning_rate: float = param(
        0.01, "Learning rate", "How far each step goes. Higher: learns faster, but too high overshoots and the loss "
        "grows; lower: steadier and slower.", gt=0, le=1000)
    smoothing: float = param(
        0.99, "Smoothing", "How long gradient sizes are remembered. Higher: steadier step lengths; lower: adapts "
            "faster.",
        ge=0, lt=1, step=0.01)
    epsilon: float = param(
        1e-8, "Epsilon", "Keeps steps finite where gradients vanish. Higher: more like plain SGD.", gt=0, le=1,
        advanced=True)

    def bind(self, ctx: OptimizerBind) -> Update:
        xp, rate, keep = ctx.xp, ctx.number(), ctx.number(self.smoothing)
        # The slot holds s / (1 - smoothing): that saves one pass. Then √s + ε = c·(√slot + ε/c) with c = √(1 -
        # smoothing).
        scale = (1.0 - self.smoothing) ** 0.5
        eps = ctx.number(self.epsilon / scale)

        def prepare(learning_rate: float, step: int) -> None:
            rate[...] = learning_rate / scale

        def make(part: slice) -> Callable[[], None]:
            w, g, s = ctx.weights[part], ctx.grads[part], ctx.slots["square"][part]
            t = ctx.spare("step", part)
            penalty = _bind_penalty(ctx, self.weight_decay, part)

            def run() -> None:
                penalty()
                xp.multiply(s, keep, out=s)
                xp.multiply(g, g, out=t)
                xp.add(s, t, out=s)
                xp.sqrt(s, out=t)
                xp.add(t, eps, out=t)
                xp.divide(g, t, out=t)
                xp.multiply(t, rate, out=t)
                xp.subtract(w, t, out=w)

            return run

        return _bind_chunks(ctx, make, prepare)


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

    beta1: float = param(
        0.9, "Beta 1", "How long gradients are remembered. Higher: smoother direction; lower: reacts faster.", ge=0,
        lt=1, step=0.01, advanced=True)
    beta2: float = param(
        0.999, "Beta 2", "How long gradient sizes are remembered. Higher: steadier step lengths; lower: adapts faster.",
        ge=0, lt=1, step=0.001, advanced=True)
    epsilon: float = param(
        1e-8, "Epsilon", "Keeps steps finite where gradients vanish. Higher: gentler, more like SGD.", gt=0, le=1,
        advanced=True)

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
                decay = self._bind_shrink(ctx, part, shrink, t)
            else:
                decay = _bind_penalty(ctx, self.weight_decay, part)

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

        return _bind_chunks(ctx, make, prepare)

    def _bind_shrink(self, ctx: OptimizerBind, part: slice, shrink: Any, t: Any) -> Callable[[], None]:
        """w -= learning rate * weight decay * w, for the weights that decay."""
        if self.weight_decay == 0:
            return _nothing
        xp, w = ctx.xp, ctx.weights[part]
        mask = None if ctx.decay is None else ctx.decay[part]

        def run() -> None:
            xp.multiply(w, shrink, out=t)
            if mask is not None:
                xp.multiply(t, mask, out=t)
            xp.subtract(w, t, out=w)

        return run


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

    weight_decay: float = param(
        0.01, "Weight decay", "Pulls weights towards zero in every step. Higher: smoother functions that generalise "
        "better, but too high cannot learn. Biases are left alone.", ge=0, le=10)
