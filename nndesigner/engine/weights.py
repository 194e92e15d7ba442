"""Everything a network has learned, in flat buffers: one of trained values, one of their gradients.

The optimiser, clipping, averaging and checkpoints are then one pass each; layers see views of their own part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from nndesigner.engine.device import Device
from nndesigner.engine.init import activation_after, initial
from nndesigner.engine.random import generator
from nndesigner.graph.check import Checked
from nndesigner.layers.base import Penalty, Weight

#: Every array that is not joined to another begins at a multiple of this many elements (64 bytes in float32), as vector
#: instructions like it.
ALIGN = 16


@dataclass(frozen=True)
class Segment:
    """Place of one trained array in the flat buffers: elements start..stop."""

    name: str
    start: int
    stop: int
    shape: tuple[int, ...]
    decay: bool
    penalty: Penalty | None = None


def sources(checked: Checked, node_id: str) -> tuple[str, ...]:
    """Nodes that feed a node, in the order of its ports (in the order of the wires where one port takes many)."""
    layer = checked.graph.node(node_id).layer
    edges = checked.graph.incoming[node_id]
    if not layer.many:
        edges = sorted(edges, key=lambda edge: layer.ports.index(edge.port))
    return tuple(edge.source for edge in edges)


def _next(at: int) -> int:
    """The first place from here on where an array may begin."""
    return -(-at // ALIGN) * ALIGN


def aligned(size: int, dtype: Any) -> np.ndarray:
    """Zeros of NumPy whose first element lies at a multiple of 64 bytes."""
    dtype = np.dtype(dtype)
    raw = np.zeros(size * dtype.itemsize + 64, dtype=np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + size * dtype.itemsize].view(dtype)


@dataclass(frozen=True)
class Gradients:
    """Gradients of all trained arrays, flat and as views by name."""

    flat: Any
    views: Mapping[str, Any]


class Weights:
    """Trained arrays, their gradients and running statistics of one network on one device.

    Names are "node/array", for example "n3/W". The few elements between arrays stay zero.
    """

    def __init__(self, checked: Checked, device: Device, seed: int, dtype: Any = np.float32) -> None:
        self.device = device
        self.dtype = np.dtype(dtype)
        trained: dict[str, tuple[str, Weight]] = {}
        running: dict[str, tuple[str, Weight]] = {}
        for node_id in checked.order:
            layer = checked.graph.node(node_id).layer
            shapes = [checked.shapes[source] for source in sources(checked, node_id)]
            trained.update({f"{node_id}/{name}": (node_id, weight) for name, weight in layer.weights(*shapes).items()})
            running.update({f"{node_id}/{name}": (node_id, weight) for name, weight in layer.buffers(*shapes).items()})
        self.segments, size = self._place(trained)
        self.values = self._zeros(size)
        self.views = {s.name: self.values[s.start:s.stop].reshape(s.shape) for s in self.segments}
        #: node -> place and shape of two arrays as one
        self._joined = {
            trained[s.name][0]: (slice(before.start, s.stop), (-1, *s.shape))
            for before, s in pairwise(self.segments) if trained[s.name][1].joined}
        self.gradients = self.new_gradients()
        self._running_segments, size = self._place(running)
        #: running statistics, flat, and by name
        self.running = self._zeros(size)
        self.buffers = {s.name: self.running[s.start:s.stop].reshape(s.shape) for s in self._running_segments}
        self._names: dict[str, list[str]] = {}
        everything = self._all
        for name, (node_id, weight) in {**trained, **running}.items():
            self._names.setdefault(node_id, []).append(name)
            rng = generator(seed, "weights", node=name)
            values = initial(weight, activation_after(checked, node_id), rng).astype(self.dtype)
            everything[name][...] = device.asarray(values)

    @property
    def _all(self) -> dict[str, Any]:
        return {**self.views, **self.buffers}

    @staticmethod
    def _place(arrays: Mapping[str, tuple[str, Weight]]) -> tuple[tuple[Segment, ...], int]:
        segments, at = [], 0
        for name, (_, weight) in arrays.items():
            if not weight.joined:
                at = _next(at)
            size = int(np.prod(weight.shape, dtype=np.int64))
            segments.append(Segment(name, at, at + size, weight.shape, weight.decay, weight.penalty))
            at += size
        return tuple(segments), _next(at)

    def _zeros(self, size: int) -> Any:
        return aligned(size, self.dtype) if self.device.is_cpu else self.device.xp.zeros(size, dtype=self.dtype)

    @property
    def count(self) -> int:
        """Number of trained values."""
        return sum(s.stop - s.start for s in self.segments)

    @property
    def grads(self) -> Any:
        """The gradients, flat."""
        return self.gradients.flat

    def new_gradients(self) -> Gradients:
        """Further gradients laid out like the first: for a part of the batch on another thread."""
        flat = self.zeros_like()
        return Gradients(flat, {s.name: flat[s.start:s.stop].reshape(s.shape) for s in self.segments})

    def of(self, node_id: str, gradients: Gradients) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Trained arrays, those gradients and running statistics of a node, by the names its layer declared."""
        names = self._names.get(node_id, ())
        trained, grads, running = (
            {name.split("/", 1)[1]: arrays[name] for name in names if name in arrays}
            for arrays in (self.views, gradients.views, self.buffers))
        if node_id in self._joined:
            part, shape = self._joined[node_id]
            trained["joined"], grads["joined"] = (flat[part].reshape(shape) for flat in (self.values, gradients.flat))
        return trained, grads, running

    def decay_mask(self) -> Any | None:
        """1 where weight decay applies and 0 elsewhere, flat; None when it applies everywhere."""
        if all(s.decay for s in self.segments):
            return None
        mask = np.zeros(self.values.size, dtype=self.dtype)
        for segment in self.segments:
            mask[segment.start:segment.stop] = segment.decay
        return self.device.asarray(mask)

    def zeros_like(self) -> Any:
        """Flat zeros laid out like `values`."""
        return self._zeros(self.values.size)

    def copy(self, into: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
        """(values, running statistics) as flat copies on the device, in the arrays `into` if given."""
        if into is None:
            into = self._zeros(self.values.size), self._zeros(self.running.size)
        self.device.xp.copyto(into[0], self.values)
        self.device.xp.copyto(into[1], self.running)
        return into

    def paste(self, copied: tuple[Any, Any]) -> None:
        """Go back to what `copy` gave."""
        self.device.xp.copyto(self.values, copied[0])
        self.device.xp.copyto(self.running, copied[1])

    def finite(self) -> bool:
        """Whether all values and running statistics are finite numbers."""
        xp = self.device.xp
        return bool(xp.isfinite(self.values).all()) and bool(xp.isfinite(self.running).all())

    def state_dict(self, copied: tuple[Any, Any] | None = None) -> dict[str, np.ndarray]:
        """Host copies of all trained arrays and running statistics by name (of what `copy` gave, if given)."""
        values, running = copied or (self.values, self.running)
        return {**self.unflatten(values), **self._named(running, self._running_segments)}

    def load(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state_dict` gave. Raises ValueError when names or shapes differ from this network's."""
        wanted = self._all
        missing, unknown = wanted.keys() - state.keys(), state.keys() - wanted.keys()
        if missing or unknown:
            raise ValueError(
                f"These weights belong to another network: missing {sorted(missing)}, unknown {sorted(unknown)}.")
        for name, array in wanted.items():
            if tuple(state[name].shape) != tuple(array.shape):
                raise ValueError(
                    f"These weights belong to another network: {name} has shape {tuple(state[name].shape)}, this "
                    f"network wants {tuple(array.shape)}.")
        for name, array in wanted.items():
            array[...] = self.device.asarray(np.asarray(state[name], dtype=self.dtype))

    def unflatten(self, flat: Any) -> dict[str, np.ndarray]:
        """Host copies, by name, of a flat buffer that is laid out like `values` (optimiser moments)."""
        return self._named(flat, self.segments)

    def _named(self, flat: Any, segments: tuple[Segment, ...]) -> dict[str, np.ndarray]:
        host = self.device.host(flat)
        return {s.name: np.array(host[s.start:s.stop]).reshape(s.shape) for s in segments}

    def flatten(self, named: Mapping[str, np.ndarray], flat: Any) -> None:
        """Fill a flat buffer from what `unflatten` gave. Raises KeyError for a missing name."""
        for s in self.segments:
            flat[s.start:s.stop] = self.device.asarray(np.asarray(named[s.name], dtype=self.dtype).reshape(-1))
