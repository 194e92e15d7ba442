"""Batches of data that are not in memory, read ahead of the engine by threads.

Which samples make a batch is a function of seed, epoch and position alone, and each batch is read by itself, so that
the number of threads changes nothing but the speed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from nndesigner.data.rows import EncodedRows

#: batches that are ready or being read at a time
AHEAD = 4
#: they take at most this many bytes together, but there is always one ahead
AHEAD_BYTES = 256 << 20

#: (epoch, position in the epoch)
Place = tuple[int, int]
#: rows of the training part that make the batch at a place; None behind the end of the run
RowsAt = Callable[[Place], np.ndarray | None]


class Feeder:
    """Reads the fields `sources` of one batch after another, on so many threads (None: one a core).

    Belongs to the thread that trains.
    """

    def __init__(self, sources: Mapping[str, EncodedRows], batch: int, rows_at: RowsAt,
                 after: Callable[[Place], Place], threads: int | None = None) -> None:
        self._sources, self._rows_at, self._after = dict(sources), rows_at, after
        size = sum(batch * source.nbytes // max(len(source), 1) for source in self._sources.values())
        ahead = max(1, min(AHEAD, AHEAD_BYTES // max(size, 1)))
        self._free = [{name: np.empty((batch, *source.shape[1:]), dtype=source.dtype)
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
        self._read_ahead(self._after(place))
        reading.result()
        return self._given

    def _read_ahead(self, place: Place) -> None:
        """Have batches from this place on read, as far as there are buffers."""
        if self._waiting:
            place = self._after(self._waiting[-1][0])
        while self._free:
            rows = self._rows_at(place)
            if rows is None:
                return
            buffers = self._free.pop()
            reading = self._threads.submit(_read, self._sources, rows, buffers, place[0])
            self._waiting.append((place, buffers, reading))
            place = self._after(place)

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


def _read(sources: Mapping[str, EncodedRows], rows: np.ndarray, buffers: Mapping[str, np.ndarray], epoch: int) -> None:
    with np.errstate(all="ignore"):
        for name, source in sources.items():
            source.read(rows, buffers[name][:len(rows)], epoch)
