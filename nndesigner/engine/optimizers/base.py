"""Rules by which gradients change the weights. Formulas and defaults are PyTorch's, so results can be compared.

All trained arrays of a network lie in one flat buffer, their gradients in another, and each kind of moment in another,
so an update is one pass over flat arrays. On the CPU the pass goes in chunks that stay in the cache (5.8 million
weights with Adam: 17.7 ms in chunks of 64 k elements, 34.7 ms at once).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from nndesigner.engine.accelerate import plain
from nndesigner.layers.base import in_turn, parts_in
from nndesigner.layers.tracing import Calls, Tracer, traces
from nndesigner.spec import Declared, param

Step = Callable[[], None]
#: called as update(learning rate, number of the step from 1)
Update = Callable[[float, int], None]
#: called with the same, for the numbers of a step
Numbers = Callable[[float, int], tuple[float, ...]]

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
    #: quicker(name, step, *arrays) -> the step, or a compiled kernel that does the same to the bit once it is ready
    quicker: Callable[..., Step] = plain

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


class Elementwise(Optimizer):
    """Shared by the rules that change every number by its own gradient and moments alone.

    Such a rule is two things: the few numbers that are the same for all weights of a step (`bind_numbers`), and the
    arithmetic over a part of the flat arrays that uses them (`bind_part`).
    """

    elementwise = True

    #: weight decay shrinks the weights themselves instead of being added to the gradient
    decoupled: ClassVar[bool] = False

    def bind(self, ctx: OptimizerBind) -> Update:
        if traces(ctx.xp):
            return self._bind_kernel(ctx)
        numbers = self.bind_numbers()
        held = ctx.xp.zeros(len(numbers(self.learning_rate, 1)) + 1, dtype=ctx.dtype)
        *places, shrink = (held[i:i + 1].reshape(()) for i in range(held.size))
        cells, last = memoryview(held), len(places)  # takes a Python number in a quarter of the time of an array
        shrinks = self.decoupled and self.weight_decay > 0
        calls, steps = Calls(ctx.xp), []

        def quicker(name: str, slow: Step, *arrays: Any) -> Step:
            return partial(calls.call, ctx.quicker(name, calls.of(slow), *arrays))

        noted = replace(ctx, xp=calls, quicker=quicker)
        for part in ctx.chunks():
            if shrinks:
                steps.append(calls.of(bind_shrink(noted, part, shrink)))
            elif self.weight_decay:
                steps.append(calls.of(bind_penalty(noted, self.weight_decay, part)))
            steps.append(calls.of(self.bind_part(noted, part, *places)))
        runs = parts_in(in_turn(steps))

        def update(learning_rate: float, step: int) -> None:
            for i, value in enumerate(numbers(learning_rate, step)):
                cells[i] = value
            if shrinks:
                cells[last] = learning_rate * self.weight_decay
            for run in runs:
                run()

        return update

    def _bind_kernel(self, ctx: OptimizerBind) -> Update:
        """The same as one kernel of a GPU, which gets the numbers of a step as its parameters."""
        numbers, tracer = self.bind_numbers(), Tracer(ctx.xp, ctx.dtype)
        noted = replace(
            ctx, xp=tracer, weights=tracer.array(ctx.weights), grads=tracer.array(ctx.grads),
            slots={name: tracer.array(slot) for name, slot in ctx.slots.items()}, decay=tracer.array(ctx.decay),
            scratch=tracer.temporary)
        whole, steps = slice(0, ctx.weights.shape[0]), []
        places = tuple(tracer.number() for _ in numbers(self.learning_rate, 1))
        shrinks = self.decoupled and self.weight_decay > 0
        if shrinks:
            steps.append(bind_shrink(noted, whole, tracer.number()))
        elif self.weight_decay:
            steps.append(bind_penalty(noted, self.weight_decay, whole))
        steps.append(self.bind_part(noted, whole, *places))
        run = tracer.kernels(in_turn(steps), type(self).__name__.lower())

        def update(learning_rate: float, step: int) -> None:
            shrink = (learning_rate * self.weight_decay,) if shrinks else ()
            run(*numbers(learning_rate, step), *shrink)

        return update

    def bind_numbers(self) -> Numbers:
        """Function (learning rate, number of the step) -> what `bind_part` gets; the learning rate alone unless said.
        """
        return lambda learning_rate, step: (learning_rate,)

    def bind_part(self, ctx: OptimizerBind, part: slice, *numbers: Any) -> Step:
        """Function that changes ctx.weights[part] and its moments. `numbers` are arrays without axes, set anew before
        each call."""
        raise NotImplementedError


def bind_scaled_step(ctx: OptimizerBind, w: Any, direction: Any, square: Any, eps: Any, rate: Any, t: Any) -> Step:
    """w -= rate * direction / (√square + eps), with scratch array t."""
    xp = ctx.xp

    def run() -> None:
        xp.sqrt(square, out=t)
        xp.add(t, eps, out=t)
        xp.divide(direction, t, out=t)
        xp.multiply(t, rate, out=t)
        xp.subtract(w, t, out=w)

    return run


def bind_penalty(ctx: OptimizerBind, strength: float, part: slice) -> Step:
    """g += strength * w, for the weights that decay (the gradient of an L2 penalty)."""
    xp, w, g = ctx.xp, ctx.weights[part], ctx.grads[part]
    t = ctx.spare("penalty", part)
    factor = ctx.number(strength) if ctx.decay is None else ctx.decay[part] * ctx.number(strength)

    def add() -> None:
        xp.multiply(w, factor, out=t)
        xp.add(g, t, out=g)

    return add


def bind_shrink(ctx: OptimizerBind, part: slice, shrink: Any) -> Step:
    """w -= shrink * w, for the weights that decay; shrink = learning rate * strength is set anew in each step.

    Weight decay that acts on the weights themselves.
    """
    xp, w, t = ctx.xp, ctx.weights[part], ctx.spare("step", part)
    mask = None if ctx.decay is None else ctx.decay[part]

    def run() -> None:
        xp.multiply(w, shrink, out=t)
        if mask is not None:
            xp.multiply(t, mask, out=t)
        xp.subtract(w, t, out=w)

    return run


def rate_param(default: float) -> Any:
    """Field for the learning rate with another default."""
    return param(
        default, "Learning rate", "How far each step goes. Higher: learns faster, but too high overshoots and the loss "
        "grows; lower: steadier and slower.", gt=0, le=1000)


def decay_param(default: float) -> Any:
    """Field for the weight decay with another default."""
    return param(
        default, "Weight decay", "Pulls weights towards zero in every step. Higher: smoother functions that generalise "
        "better, but too high cannot learn. Biases are left alone.", ge=0, le=10)
