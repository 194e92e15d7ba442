"""Batches on their way to a GPU: copied ahead from pinned memory on a stream of their own, beside the calculations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nndesigner.data.augment import Mixer
from nndesigner.engine.device import Device
from nndesigner.training.feeding import Feeder, Orders, Place, Read


class _Staging:
    """One batch on the device, and what must have happened before it may be read or overwritten."""

    def __init__(self, xp: Any, sources: Mapping[str, Read], batch: int) -> None:
        self.arrays = {name: xp.empty((batch, *source.shape[1:]), dtype=source.dtype)
                       for name, source in sources.items()}
        self.copied, self.used = (xp.cuda.Event(disable_timing=True) for _ in range(2))
        self.place: Place | None = None


class Uploader:
    """A Feeder whose batches are handed out as arrays of the GPU.

    While one batch is calculated with, the next one is copied into the other of two arrays. Belongs to the thread that
    trains; the device must be the current one.
    """

    def __init__(self, sources: Mapping[str, Read], orders: Orders, device: Device,
                 mixer: Mixer | None = None, threads: int | None = None) -> None:
        xp = device.xp
        self._orders = orders
        self._feeder = Feeder(sources, orders, threads, device.pinned, mixer)
        self._computing, self._copying = xp.cuda.get_current_stream(), xp.cuda.Stream(non_blocking=True)
        self._now, self._next = (_Staging(xp, sources, orders.batch) for _ in range(2))

    def take(self, place: Place) -> dict[str, Any]:
        """The samples of the batch at this place by field, on the device, valid until the next call. A smaller batch
        has other samples behind its own. Raises what reading raised."""
        self._now.used.record(self._computing)  # what was calculated so far has read it
        self._now, self._next = self._next, self._now
        if self._now.place != place:
            self._copy(place, self._now)
        # As a rule this was copied during the last step. The feeder will write over the host's samples from here on.
        self._now.copied.synchronize()
        following = self._orders.after(place)
        if self._feeder.ready(following):
            self._copy(following, self._next)
        return self._now.arrays

    def _copy(self, place: Place, into: _Staging) -> None:
        samples = self._feeder.take(place)
        self._copying.wait_event(into.used)
        for name, array in into.arrays.items():
            array.set(samples[name], stream=self._copying)
        into.copied.record(self._copying)
        into.place = place

    def close(self) -> None:
        """End the threads that read."""
        self._feeder.close()
