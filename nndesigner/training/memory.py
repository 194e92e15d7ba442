"""What a run takes of a device's memory, and what to say when there is not enough of it."""

from __future__ import annotations

import traceback

from nndesigner.data.preparing import Prepared
from nndesigner.data.rows import EncodedRows
from nndesigner.engine.device import Device
from nndesigner.engine.memory import machine_memory
from nndesigner.engine.network import Network
from nndesigner.graph.check import Checked
from nndesigner.training.settings import TrainSettings
from nndesigner.training.telemetry import Failure

#: batch sizes whose difference tells the memory of one sample
_PROBES = (2, 10)
#: part of the free memory that a proposed batch may fill; libraries take some for themselves
_FILLED = 0.9


def weight_bytes(checked: Checked, settings: TrainSettings) -> int:
    """What the weights take with their gradients, the optimiser's arrays and the copy of the last good ones, in
    float32."""
    return 4 * (3 + len(settings.optimizer.slots)) * sum(checked.parameters.values())


def too_large(checked: Checked, settings: TrainSettings, device: Device) -> Failure | None:
    """Why the weights alone cannot be trained here. The system may end a process that takes more memory than there is,
    without a word, so this is asked before any is taken."""
    available = machine_memory() if device.is_cpu else device.free_bytes()
    needed = weight_bytes(checked, settings)
    if available is None or needed <= 0.8 * available:
        return None
    place = f"this machine has {available / 1e9:.0f} GB" if device.is_cpu else (
        f"{device.title} has {available / 1e9:.1f} GB free")
    largest = max(checked.parameters, key=checked.parameters.__getitem__)
    return Failure(f"To train them, the weights need about {needed / 1e9:.0f} GB of memory, and {place}. Make "
                   f"{checked.graph.node(largest).title}, the largest layer, smaller.", largest)


def memory_is_full(checked: Checked, prepared: Prepared, settings: TrainSettings, device: Device, batch: int,
                   error: BaseException) -> Failure:
    """What to say when the memory ran out while a run was prepared with this batch size. Nothing is tried again.

    Lets go of what the failed attempt held. The caller must not hold any of it either.
    """
    cause: BaseException | None = error
    while cause is not None:
        traceback.clear_frames(cause.__traceback__)  # their variables hold the arrays
        cause = cause.__context__
    device.free()
    if device.is_cpu:
        return Failure(f"The memory is full with batches of {batch} samples: try a batch size of {max(1, batch // 2)}.")
    full = f"The memory of {device.title} is full with batches of {batch} samples."
    fitting = fitting_batch(checked, prepared, settings, device)
    if fitting is None:
        return Failure(f"{full} Hardly one sample fits: make the network smaller, or train on the CPU.")
    return Failure(f"{full} By an estimate, batches of up to {min(fitting, batch - 1)} samples fit.")


def fitting_batch(checked: Checked, prepared: Prepared, settings: TrainSettings, device: Device) -> int | None:
    """Largest batch size that should fit into the free memory of a GPU, rounded down; None when none does.

    Estimated from what the plans of two small batches take: each further sample takes the same.
    """
    sizes = []
    try:
        with device.use():
            for batch in _PROBES:
                before = device.used_bytes()
                network = Network(checked, device, settings.seed)
                network.plan(batch, training=True)
                network.plan(batch - 1, training=True)  # as the last batch of an epoch has a plan of its own
                sizes.append(device.used_bytes() - before)
                del network
    except Exception as error:
        if not device.out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)
    device.free()
    if len(sizes) < len(_PROBES):
        return None
    of_sample = max(1, (sizes[1] - sizes[0]) // (_PROBES[1] - _PROBES[0]))
    free = device.free_bytes()
    data = sum(rows.nbytes for rows in prepared.train.arrays.values() if not isinstance(rows, EncodedRows))
    of_data = data if data < free // 2 else 0  # else they are copied batch by batch
    left = int(_FILLED * free) - of_data - weight_bytes(checked, settings) - (sizes[0] - _PROBES[0] * of_sample)
    fitting = left // of_sample
    if fitting < 1:
        return None
    return fitting if fitting < 10 else fitting // 8 * 8 if fitting < 1000 else fitting // 64 * 64
