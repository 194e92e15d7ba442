"""Losses that stay on a GPU and come to the host in bunches: asking for each would make the GPU wait for every step."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from nndesigner.training.batches import Batches

#: steps whose losses may wait on the device
ROOM = 256

# The first parameter of each kernel is the array that it runs over.
_NOTE = """
room[row * width + i] = loss;
if (!isfinite(loss)) fine[0] = 0;
"""
_GUARD = "if (!fine[0]) grad = 0;"


class WaitingLosses:
    """The losses of the steps since `take`.

    A loss that is not finite is noticed by the host only later. Until then its gradients must not reach the weights:
    from that step on all gradients are set to zero on the device, so that the layer to blame can still be found.
    """

    def __init__(self, batches: Batches, grads: Any) -> None:
        network = batches.network
        self._device, self._grads = network.device, grads
        xp, losses = network.device.xp, batches.plans[0].losses
        self._room = xp.zeros((ROOM, losses.size), dtype=losses.dtype)
        self._fine = xp.ones(1, dtype=np.int32)
        self._note, self._guard = _kernels(xp, losses.dtype.name)
        self._width = np.int32(losses.size)
        self._steps: list[tuple[Batches, int]] = []

    @property
    def full(self) -> bool:
        return len(self._steps) == ROOM

    def note(self, batches: Batches, position: int) -> None:
        """The step at this position of the epoch has been computed; its gradients must not be used before."""
        self._note(batches.plans[0].losses, np.int32(len(self._steps)), self._width, self._room, self._fine)
        self._guard(self._fine, self._grads)
        self._steps.append((batches, position))

    def restart(self) -> None:
        """The weights are good again: gradients count from here on."""
        self._steps = []
        self._fine.fill(1)

    def take(self) -> list[tuple[Batches, int, float]]:
        """(batches, position, loss) of the steps noted, in order. Waits for the device."""
        rows = self._device.host(self._room[:len(self._steps)]) if self._steps else ()
        found = [(batches, position, batches.weighted(row)) for (batches, position), row in zip(self._steps, rows)]
        self._steps = []
        return found


@functools.cache
def _kernels(xp: Any, dtype: str) -> tuple[Any, Any]:
    return (
        xp.ElementwiseKernel(
            f"{dtype} loss, int32 row, int32 width", f"raw {dtype} room, raw int32 fine", _NOTE,
            "nndesigner_note_loss"),
        xp.ElementwiseKernel("raw int32 fine", f"{dtype} grad", _GUARD, "nndesigner_guard"),
    )
