"""Where the buffers of a plan lie: overlapping in memory when they do not overlap in time."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nndesigner.engine.device import Device
from nndesigner.engine.weights import aligned

#: Buffers begin at multiples of this many bytes: a cache line, and what CUDA likes.
GRAIN = 256


@dataclass(frozen=True)
class Wanted:
    """A buffer that is needed from step `first` to step `last` of a plan, both included."""

    key: Any
    shape: tuple[int, ...]
    dtype: np.dtype
    first: int
    last: int

    @property
    def nbytes(self) -> int:
        return -(-math.prod(self.shape) * self.dtype.itemsize // GRAIN) * GRAIN


def place(wanted: Sequence[Wanted]) -> tuple[dict[Any, int], int]:
    """Offset in bytes of each buffer, by key, and the bytes needed in all.

    Greedy: the largest first, each at the lowest place that is free during its time.
    """
    placed: list[tuple[int, int, Wanted]] = []  # (start, stop, buffer), sorted by start
    offsets: dict[Any, int] = {}
    for buffer in sorted(wanted, key=lambda w: (-w.nbytes, w.first)):
        at = 0
        for start, stop, other in placed:
            if other.last < buffer.first or buffer.last < other.first:
                continue
            if start - at >= buffer.nbytes:
                break
            at = max(at, stop)
        offsets[buffer.key] = at
        placed.append((at, at + buffer.nbytes, buffer))
        placed.sort(key=lambda entry: entry[0])
    return offsets, max((stop for _, stop, _ in placed), default=0)


def machine_memory() -> int | None:
    """Bytes of memory in this machine, None where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


class Arena:
    """One stretch of memory for plans that never run at the same time."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._block: Any = None

    def arrays(self, wanted: Sequence[Wanted]) -> dict[Any, Any]:
        """The buffers as arrays, by key. A plan larger than all before gets a new block; earlier plans keep theirs."""
        offsets, size = place(wanted)
        if self._block is None or self._block.size < size:
            cpu = self._device.is_cpu
            self._block = aligned(size, np.uint8) if cpu else self._device.xp.zeros(size, dtype=np.uint8)
        found = {}
        for buffer in wanted:
            start, count = offsets[buffer.key], math.prod(buffer.shape)
            raw = self._block[start:start + count * buffer.dtype.itemsize]
            found[buffer.key] = raw.view(buffer.dtype).reshape(buffer.shape)
        return found
