"""From gradients to changed weights: adding up, penalties, clipping, the optimizer, the largest norm; a pass each.

On several threads each adds up and applies the gradients of a part of the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nndesigner.engine.accelerate import quicker_on
from nndesigner.engine.network import Network
from nndesigner.engine.optimizers import OptimizerBind
from nndesigner.engine.pool import Pool, parts_of
from nndesigner.engine.weights import ALIGN, Gradients
from nndesigner.layers.base import Penalty
from nndesigner.training.settings import TrainSettings

Pass = Callable[[], None]


class Update:
    """Adds up the gradients of all threads and of several batches, and lets the optimizer change the weights."""

    def __init__(self, network: Network, settings: TrainSettings, pool: Pool | None, gradients: list[Gradients]
                 ) -> None:
        weights, xp = network.weights, network.device.xp
        optimizer = settings.optimizer
        self._xp, self._pool, self._grads = xp, pool, weights.grads
        #: moments by name, flat
        self.slots = {name: weights.zeros_like() for name in optimizer.slots}
        #: gradients of the batches since the last update, flat; None when each batch makes an update
        self.gathered = weights.zeros_like() if settings.accumulate > 1 else None
        self._spare = weights.zeros_like() if settings.accumulate > 1 else None
        decay = weights.decay_mask()
        size = weights.values.size
        self._parts = parts_of(size, len(gradients), ALIGN)
        updated = self._parts if optimizer.elementwise else [slice(0, size)]
        self._updates = [self._bind(network, settings, part, decay) for part in updated]
        penalised = [
            (weights.views[s.name], weights.gradients.views[s.name], s.penalty)
            for s in weights.segments if s.penalty is not None]
        #: passes over the gradients before the optimizer, and over the weights after it
        self._before = [_penalising(xp, w, g, penalty) for w, g, penalty in penalised if penalty.l1 or penalty.l2]
        if settings.clip_value > 0:
            self._before.append(_clipping_values(xp, weights.grads, settings.clip_value))
        if settings.clip_norm > 0:
            self._before.append(_clipping(xp, weights.grads, settings.clip_norm))
        self._after = [_shortening(xp, w, penalty) for w, _, penalty in penalised if penalty.max_norm]
        self._now = [0.0, 0]  # rate and number of the step, seen by the jobs
        self._add_jobs = [_adding(xp, [g.flat[part] for g in gradients]) for part in self._parts]
        self._update_jobs = [_updating(update, self._now) for update in self._updates]

    def _bind(self, network: Network, settings: TrainSettings, part: slice, decay: Any) -> Callable[[float, int], None]:
        weights, xp = network.weights, network.device.xp
        scratch: dict[str, Any] = {}

        def make_scratch(name: str, shape: tuple[int, ...], dtype: Any = None) -> Any:
            key = f"{name}{shape}"
            if key not in scratch:
                scratch[key] = xp.zeros(shape, dtype=dtype or weights.dtype)
            return scratch[key]

        segments = tuple(
            (s.name, max(s.start, part.start) - part.start, min(s.stop, part.stop) - part.start, s.shape, s.decay)
            for s in weights.segments if s.start < part.stop and part.start < s.stop)
        return settings.optimizer.bind(OptimizerBind(
            xp=xp, dtype=weights.dtype, weights=weights.values[part], grads=weights.grads[part],
            slots={name: flat[part] for name, flat in self.slots.items()},
            decay=None if decay is None else decay[part], segments=segments, scratch=make_scratch,
            quicker=quicker_on(network.device, weights.dtype),
        ))

    def run(self, rate: float, step: int) -> None:
        """Apply the gradients just computed. `step` counts from 1."""
        if self._pool is not None:
            self._pool.run(self._add_jobs)
        self._apply(rate, step)

    def gather(self, share: float, first: bool) -> None:
        """Add the gradients just computed to those of the batches before; `share` is this batch's part of them all."""
        if self._pool is not None:
            self._pool.run(self._add_jobs)
        if first:
            self._xp.multiply(self._grads, self._grads.dtype.type(share), out=self.gathered)
        else:
            self._xp.multiply(self._grads, self._grads.dtype.type(share), out=self._spare)
            self._xp.add(self.gathered, self._spare, out=self.gathered)

    def run_gathered(self, rate: float, step: int) -> None:
        """Apply what was gathered. `step` counts from 1."""
        self._xp.copyto(self._grads, self.gathered)
        self._apply(rate, step)

    def _apply(self, rate: float, step: int) -> None:
        for change in self._before:
            change()
        if len(self._updates) == 1:
            self._updates[0](rate, step)
        else:
            self._now[:] = rate, step
            self._pool.run(self._update_jobs)
        for change in self._after:
            change()


def _adding(xp: Any, flats: list[Any]) -> Pass:
    """Sum of the gradients of all threads into those of the first, for a part of them."""
    total, *others = flats

    def add() -> None:
        for other in others:
            xp.add(total, other, out=total)

    return add


def _updating(update: Callable[[float, int], None], now: list[Any]) -> Pass:
    return lambda: update(now[0], now[1])


def _penalising(xp: Any, weights: Any, grads: Any, penalty: Penalty) -> Pass:
    """Add the slope of l1 · Σ|w| + l2 · Σw²."""
    slope = xp.zeros_like(weights)
    l1, l2 = (weights.dtype.type(v) for v in (penalty.l1, 2 * penalty.l2))

    def add() -> None:
        if l1:
            xp.sign(weights, out=slope)
            xp.multiply(slope, l1, out=slope)
            xp.add(grads, slope, out=grads)
        if l2:
            xp.multiply(weights, l2, out=slope)
            xp.add(grads, slope, out=grads)

    return add


def _shortening(xp: Any, weights: Any, penalty: Penalty) -> Pass:
    """Shorten the vectors of weights that lead to one output to max_norm (Srivastava et al. 2014; torch.renorm)."""
    outputs = {axis % weights.ndim for axis in penalty.outputs}
    axes = tuple(axis for axis in range(weights.ndim) if axis not in outputs)
    squares = xp.zeros_like(weights)
    norms = xp.zeros(tuple(n if i in outputs else 1 for i, n in enumerate(weights.shape)), dtype=weights.dtype)
    limit, tiny = (weights.dtype.type(v) for v in (penalty.max_norm, 1e-7))

    def shorten() -> None:
        xp.multiply(weights, weights, out=squares)
        xp.sum(squares, axis=axes, keepdims=True, out=norms)
        xp.sqrt(norms, out=norms)
        xp.maximum(norms, tiny, out=norms)
        xp.divide(limit, norms, out=norms)
        xp.minimum(norms, weights.dtype.type(1), out=norms)
        xp.multiply(weights, norms, out=weights)

    return shorten


def _clipping_values(xp: Any, grads: Any, limit: float) -> Pass:
    """Cut every element at ± limit, as PyTorch's clip_grad_value_ does."""
    low, high = grads.dtype.type(-limit), grads.dtype.type(limit)
    return lambda: xp.clip(grads, low, high, out=grads)


def _clipping(xp: Any, grads: Any, clip_norm: float) -> Pass:
    """Shorten the gradient to clip_norm, as PyTorch's clip_grad_norm_ does; the device is asked for no number."""
    limit, tiny, one = (xp.asarray(v, dtype=grads.dtype) for v in (clip_norm, 1e-6, 1.0))
    norm = xp.zeros((), dtype=grads.dtype)

    def clip() -> None:
        grads.dot(grads, out=norm)
        xp.sqrt(norm, out=norm)
        xp.add(norm, tiny, out=norm)
        xp.divide(limit, norm, out=norm)
        xp.minimum(norm, one, out=norm)
        xp.multiply(grads, norm, out=grads)

    return clip
