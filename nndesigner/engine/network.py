"""A network with weights: what training changes, and what answers questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nndesigner.engine.device import Device, single_threaded_blas
from nndesigner.engine.memory import Arena
from nndesigner.engine.plan import Clock, Feed, Plan, Shard
from nndesigner.engine.weights import Weights
from nndesigner.graph.check import Checked, Head

#: Bytes that the values of one batch may take when answering (not training): they should stay near the processor.
ANSWER_BYTES = 32 * 2**20
ANSWER_BATCH = 1024
#: Plans kept ready; sizes asked for in answering are rounded up to powers of two, so there are few.
PLANS = 24


class Network:
    """The checked drawing with weights on a device. Belongs to one thread at a time.

    Raises NodeError when a layer cannot be prepared and DeviceError when the device cannot be used.
    """

    def __init__(self, checked: Checked, device: Device, seed: int, dtype: Any = np.float32) -> None:
        single_threaded_blas()
        self.checked = checked
        self.device = device
        self.clock = Clock(seed)
        with device.use():
            self.weights = Weights(checked, device, seed, dtype)
        self._arena = Arena(device)
        self._shard_arenas: dict[int, Arena] = {0: self._arena}
        self._plans: dict[tuple[int, bool, bool], Plan] = {}
        values = sum(shape.size for shape in checked.shapes.values()) * np.dtype(dtype).itemsize
        #: samples in one batch of answers
        self.answer_batch = min(ANSWER_BATCH, 1 << max(0, (ANSWER_BYTES // max(values, 1)).bit_length() - 1))

    @property
    def heads(self) -> Mapping[str, Head]:
        return self.checked.heads

    def plan(self, batch: int, training: bool, keep: bool = False) -> Plan:
        """The plan for this batch size, made at the first call. Running another plan overwrites its values."""
        key = batch, training, keep
        if key not in self._plans:
            if len(self._plans) >= PLANS:
                self._plans.pop(next(iter(self._plans)))
            with self.device.use():
                self._plans[key] = Plan(
                    self.checked, self.device, self.weights, self._arena, self.clock, batch, training, keep)
        return self._plans[key]

    def shard_plan(self, size: int, shard: Shard) -> Plan:
        """A training plan for a part of a batch, which runs beside those of the other parts. Not kept here."""
        arena = self._shard_arenas.setdefault(shard.number, Arena(self.device))
        return Plan(self.checked, self.device, self.weights, arena, self.clock, size, training=True, shard=shard)

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
                size = min(self.answer_batch, count - start)
                plan = self.plan(min(self.answer_batch, 1 << max(size - 1, 0).bit_length()), training=False, keep=keep)
                for feed in plan.feeds:
                    self._fill(feed, inputs.get(feed.field), start, size)
                plan.forward()
                found = plan.predictions
                if nodes is not None:
                    found = {n: plan.predictions[n] if n in plan.predictions else plan.values[n] for n in nodes}
                for name, array in found.items():
                    parts.setdefault(name, []).append(np.array(self.device.host(array)[:size]))
        return {name: arrays[0] if len(arrays) == 1 else np.concatenate(arrays) for name, arrays in parts.items()}

    def _fill(self, feed: Feed, source: np.ndarray | None, start: int, size: int) -> None:
        """Rows start..start+size into the buffer, zeros behind them and where no array is given (targets)."""
        if source is None or feed.target:
            feed.buffer[...] = 0
        else:
            rows = np.ascontiguousarray(source[start:start + size], dtype=feed.buffer.dtype)
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
