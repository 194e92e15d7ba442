"""A network with weights: what training changes, and what answers questions."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nndesigner.engine.device import Device, single_threaded_blas
from nndesigner.engine.memory import Arena
from nndesigner.engine.plan import Clock, Feed, Plan
from nndesigner.engine.pool import Pool, parts_of, useful_threads
from nndesigner.engine.weights import Gradients, Weights
from nndesigner.graph.check import Checked, Head
from nndesigner.layers.base import Step
from nndesigner.spec.part import Part

#: Bytes that the values of one batch may take when answering (not training): they should stay near the processor.
ANSWER_BYTES = 32 * 2**20
ANSWER_BATCH = 1024
#: Plans kept ready on each thread; sizes asked for in answering are rounded up to powers of two, so there are few.
PLANS = 24


class Network:
    """The checked drawing with weights on a device. Belongs to one thread at a time.

    Raises NodeError when a layer cannot be prepared and DeviceError when the device cannot be used. `threads` None: as
    many as pay on this machine. `soft` are targets of classes whose truth is probabilities in training.
    """

    def __init__(self, checked: Checked, device: Device, seed: int, dtype: Any = np.float32,
                 threads: int | None = None, soft: frozenset[str] = frozenset()) -> None:
        single_threaded_blas()
        self.checked = checked
        self.device = device
        self.clock = Clock(seed)
        with device.use():
            self.weights = Weights(checked, device, seed, dtype)
        self.pool = Pool()
        self._threads, self._soft = threads, soft
        #: memory of the parts of a batch that are computed side by side; plans of the same part never run together
        self._arenas: dict[int, Arena] = {}
        self._plans: dict[tuple[int, bool, bool, int], Plan] = {}
        values = sum(shape.size for shape in checked.shapes.values()) * np.dtype(dtype).itemsize
        self._one_batch = min(ANSWER_BATCH, 1 << max(0, (ANSWER_BYTES // max(values, 1)).bit_length() - 1))
        #: samples in one batch of answers, which further threads may share
        self.answer_batch = self._one_batch * self.useful_threads(self._one_batch)

    @property
    def heads(self) -> Mapping[str, Head]:
        return self.checked.heads

    def plan(self, batch: int, training: bool, keep: bool = False, number: int = 0) -> Plan:
        """The plan for this batch size, made at the first call. Running another plan overwrites its values.

        Plans of different numbers may run side by side. Raises ValueError for an empty batch.
        """
        if batch < 1:
            raise ValueError(f"A batch needs at least one sample, got {batch}.")
        key = batch, training, keep, number
        if key not in self._plans:
            if len(self._plans) >= PLANS * max(1, len(self._arenas)):
                self._plans.pop(next(iter(self._plans)))
            with self.device.use():
                self._plans[key] = Plan(
                    self.checked, self.device, self.weights, self._arena(number), self.clock, batch, training, keep,
                    soft=self._soft)
        return self._plans[key]

    def part_plan(self, size: int, part: Part, gradients: Gradients) -> Plan:
        """A training plan for a part of a batch, which runs beside those of the other parts. Not kept here."""
        return Plan(self.checked, self.device, self.weights, self._arena(part.number), self.clock, size, training=True,
                    part=part, gradients=gradients, soft=self._soft)

    def _arena(self, number: int) -> Arena:
        return self._arenas.setdefault(number, Arena(self.device))

    def useful_threads(self, samples: int) -> int:
        """How many threads to compute a batch on: a rule on the size of the network, not a measurement."""
        if not self.device.is_cpu:
            return 1
        threads = useful_threads(samples * sum(self.checked.multiply_adds.values()), samples)
        return threads if self._threads is None else min(threads, self._threads)

    def answering(self, size: int, keep: bool = False, exact: bool = True) -> list[tuple[slice, Plan]]:
        """The parts of a batch of answers, each with its plan, to be run `side_by_side`.

        Unless `exact`, the plans have room for a power of two of samples, so that few plans serve all sizes.
        """
        found = []
        for number, part in enumerate(parts_of(size, self.useful_threads(size))):
            length = part.stop - part.start
            room = length if exact else min(self._one_batch, 1 << max(length - 1, 0).bit_length())
            found.append((part, self.plan(room, training=False, keep=keep, number=number)))
        return found

    def side_by_side(self, plans: Sequence[Plan]) -> Step:
        """Forward passes of plans of different numbers, at once."""
        return plans[0].forward if len(plans) == 1 else functools.partial(
            self.pool.run, [plan.forward for plan in plans])

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answers of every Output node for host arrays [n, ...] by field: host arrays of probabilities or values."""
        return self._answers(inputs, None, keep=False)

    def activations(
        self, inputs: Mapping[str, np.ndarray], nodes: Iterable[str] | None = None,
    ) -> dict[str, np.ndarray]:
        """Outputs of nodes (all that emit, when None) for host arrays [n, ...] by field: host arrays [n, ...].

        Of an Output node this is the answer, as in `predict`: both can be had in one pass.
        """
        wanted = list(nodes) if nodes is not None else [
            n for n in self.checked.order if self.checked.graph.node(n).layer.emits]
        return self._answers(inputs, wanted, keep=True)

    def _answers(self, inputs: Mapping[str, np.ndarray], nodes: list[str] | None, keep: bool) -> dict[str, np.ndarray]:
        count = _length(inputs, {field for field in self.checked.inputs.values()})
        parts: dict[str, list[np.ndarray]] = {}
        with self.device.use(), np.errstate(all="ignore"):
            for start in range(0, max(count, 1), self.answer_batch):
                answering = self.answering(max(1, min(self.answer_batch, count - start)), keep, exact=False)
                for part, plan in answering:
                    for feed in plan.feeds:
                        self._fill(feed, inputs.get(feed.field), start + part.start, start + min(part.stop, count))
                self.side_by_side([plan for _, plan in answering])()
                for part, plan in answering:
                    found = plan.predictions
                    if nodes is not None:
                        found = {n: plan.predictions[n] if n in plan.predictions else plan.values[n] for n in nodes}
                    size = min(part.stop, count) - part.start
                    for name, array in found.items():
                        parts.setdefault(name, []).append(np.array(self.device.host(array)[:size]))
        return {name: arrays[0] if len(arrays) == 1 else np.concatenate(arrays) for name, arrays in parts.items()}

    def _fill(self, feed: Feed, source: np.ndarray | None, start: int, stop: int) -> None:
        """Rows start..stop into the buffer, zeros behind them and where no array is given (targets)."""
        if source is None or feed.target:
            feed.buffer[...] = 0
        else:
            size = stop - start
            rows = np.ascontiguousarray(source[start:stop], dtype=feed.buffer.dtype)
            feed.buffer[:size] = self.device.asarray(rows).reshape(feed.buffer[:size].shape)
            feed.buffer[size:] = 0


def _length(inputs: Mapping[str, np.ndarray], wanted: set[str]) -> int:
    missing = wanted - inputs.keys()
    if missing:
        raise ValueError(f"The network also needs the data of: {', '.join(sorted(missing))}.")
    lengths = {len(inputs[field]) for field in wanted}
    if len(lengths) != 1:
        raise ValueError("All inputs must have the same number of samples.")
    return lengths.pop()
