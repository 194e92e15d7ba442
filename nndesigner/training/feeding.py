"""Batches of data that are not in memory, read ahead of the engine by threads.

Which samples make a batch is a function of seed, epoch and position alone, and each batch is read by itself, so that
the number of threads changes nothing but the speed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from nndesigner.data.augment import Mixer, SoftLabels
from nndesigner.data.preparing import Prepared
from nndesigner.data.rows import EncodedRows
from nndesigner.engine.random import generator

#: batches that are ready or being read at a time
AHEAD = 4
#: they take at most this many bytes together, but there is always one ahead
AHEAD_BYTES = 256 << 20

#: (epoch, position in the epoch)
Place = tuple[int, int]


class Orders:
    """Which samples make which batch: in each epoch all of them, in another order."""

    def __init__(self, seed: int, samples: int, batch: int) -> None:
        self._seed, self._samples = seed, samples
        self.batch = batch
        self._steps = -(-samples // batch)
        self._known: dict[int, np.ndarray] = {}

    def of(self, epoch: int) -> np.ndarray:
        """Numbers of all samples, int64, as they come in an epoch."""
        if epoch not in self._known:
            self._known = {e: order for e, order in self._known.items() if e == epoch - 1}
            self._known[epoch] = generator(self._seed, "order", epoch).permutation(self._samples)
        return self._known[epoch]

    def rows_at(self, place: Place) -> np.ndarray:
        """The samples of one batch."""
        epoch, position = place
        return self.of(epoch)[position * self.batch:(position + 1) * self.batch]

    def after(self, place: Place) -> Place:
        """The place of the next batch."""
        epoch, position = place
        return (epoch, position + 1) if position + 1 < self._steps else (epoch + 1, 0)


class HeldRows:
    """Samples in the memory of the host that are read for each batch: a GPU has no room for them, or they are mixed."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape, self.dtype, self.nbytes = array.shape, array.dtype, array.nbytes

    def __len__(self) -> int:
        return len(self._array)

    def read(self, places: np.ndarray, out: np.ndarray, epoch: int = 0) -> None:
        """Fill `out` [n, ...] with the samples at these places."""
        self._array.take(places, 0, out, "clip")


#: samples that are read for each batch
Read = EncodedRows | HeldRows | SoftLabels


def fields_to_read(prepared: Prepared, fields: Iterable[str]) -> dict[str, Read]:
    """Of these fields of the training part those that are read for each batch: what is not in memory or is changed.

    Where samples are mixed these are all of them, with class numbers as probabilities.
    """
    arrays = {field: prepared.train.arrays[field] for field in fields}
    found: dict[str, Read] = {field: rows for field, rows in arrays.items() if isinstance(rows, EncodedRows)}
    if prepared.mixer is not None:
        classes = {f.name: len(f.classes) for f in prepared.signature.targets if f.kind == "class"}
        for field in arrays.keys() - found.keys():
            rows = np.ascontiguousarray(arrays[field])
            found[field] = SoftLabels(rows, classes[field]) if field in classes else HeldRows(rows)
    return found


def read_batch(sources: Mapping[str, Read], rows: np.ndarray, epoch: int, buffers: Mapping[str, np.ndarray]) -> None:
    """Fill the buffers [n, ...] with the samples of these rows as training meets them in an epoch, before mixing."""
    with np.errstate(all="ignore"):
        for name, source in sources.items():
            source.read(rows, buffers[name], epoch)


class Feeder:
    """Reads the fields `sources` of one batch after another, and mixes them, on so many threads (None: one a core).

    `empty(shape, dtype)` makes the buffers. Belongs to the thread that trains.
    """

    def __init__(self, sources: Mapping[str, Read], orders: Orders, threads: int | None = None,
                 empty: Callable[..., np.ndarray] = np.empty, mixer: Mixer | None = None) -> None:
        self._sources, self._orders, self._mixer, batch = dict(sources), orders, mixer, orders.batch
        size = sum(batch * source.nbytes // max(len(source), 1) for source in self._sources.values())
        ahead = max(1, min(AHEAD, AHEAD_BYTES // max(size, 1)))
        self._free = [{name: empty((batch, *source.shape[1:]), dtype=source.dtype)
                       for name, source in self._sources.items()} for _ in range(ahead + 1)]
        self._waiting: deque[tuple[Place, dict[str, np.ndarray], Future[None]]] = deque()
        self._given: dict[str, np.ndarray] | None = None
        self._threads = ThreadPoolExecutor(threads or min(ahead, os.cpu_count() or 1), "nndesigner reading")

    def take(self, place: Place) -> dict[str, np.ndarray]:
        """The samples of the batch at this place by field, valid until the next call. Raises what reading raised."""
        if self._given is not None:
            self._free.append(self._given)
            self._given = None
        if self._waiting and self._waiting[0][0] != place:  # the run was set to another place
            self.forget()
        self._read_ahead(place)
        _, self._given, reading = self._waiting.popleft()
        self._read_ahead(self._orders.after(place))
        reading.result()
        return self._given

    def ready(self, place: Place) -> bool:
        """Whether the batch at this place has been read, so that `take` returns at once."""
        return bool(self._waiting) and self._waiting[0][0] == place and self._waiting[0][2].done()

    def _read_ahead(self, place: Place) -> None:
        """Have batches from this place on read, as far as there are buffers."""
        if self._waiting:
            place = self._orders.after(self._waiting[-1][0])
        while self._free:
            rows = self._orders.rows_at(place)
            buffers = self._free.pop()
            reading = self._threads.submit(_read, self._sources, rows, buffers, place, self._mixer)
            self._waiting.append((place, buffers, reading))
            place = self._orders.after(place)

    def forget(self) -> None:
        """Drop what was read ahead."""
        for _, buffers, reading in self._waiting:
            if not reading.cancel():
                reading.exception()  # waits until the buffers are no longer written to
            self._free.append(buffers)
        self._waiting.clear()

    def close(self) -> None:
        """End the threads after the batch each is reading."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _read(sources: Mapping[str, Read], rows: np.ndarray, buffers: Mapping[str, np.ndarray], place: Place,
          mixer: Mixer | None) -> None:
    found = {name: buffer[:len(rows)] for name, buffer in buffers.items()}
    read_batch(sources, rows, place[0], found)
    if mixer is not None:
        mixer.pairs(len(rows), *place).mix(found)
