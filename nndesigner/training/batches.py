"""Steps of one batch size: data in, gradients out; on one thread or on several.

On several threads each computes a part of the batch into gradients of its own (`update.py` adds them up). The same
number of threads gives the same bits, another number does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.engine.plan import Plan
from nndesigner.engine.pool import Meeting, parts_of
from nndesigner.engine.weights import Gradients, sources


class Batches:
    """The plans of one batch size, one for each of the `gradients`, with the data that feed them."""

    def __init__(self, network: Network, size: int, gradients: list[Gradients]) -> None:
        self.size = size
        self.network = network
        self._slices = parts_of(size, len(gradients))
        self._meeting = Meeting(len(self._slices))
        if len(gradients) == 1:
            self.plans: list[Plan] = [network.plan(size, training=True)]
        else:
            self.plans = [
                network.part_plan(_length(part), self._meeting.part(number, _length(part) / size), gradients[number])
                for number, part in enumerate(self._slices)]
        self._idle = [unused.flat for unused in gradients[len(self.plans):]]
        heads = network.heads
        #: one output with weight 1 on one thread: its loss is the loss
        self._only = None
        if len(self.plans) == len(self.plans[0].losses) == 1 and next(iter(heads.values())).weight == 1.0:
            self._only = self.plans[0].losses.item

    def feed(self, data: dict[str, Any], running: dict[str, Any]) -> None:
        """Take the batches from these fields of the data, and keep predictions in `running`. To be called once, before
        the rest."""
        #: rows and what was read of them, seen by the jobs, which do not hold this object
        self._rows: list[Any] = [None, None]
        self._jobs = [
            _computing(plan, None if len(self.plans) == 1 else part, data, self._rows, self.network.device)
            for plan, part in zip(self.plans, self._slices)]
        if len(self.plans) > 1:
            self._jobs = [self._meeting.guarded(job) for job in self._jobs]
        self._shown = [
            (running[key], len(running[key]), values, part.start, part.stop)
            for plan, part in zip(self.plans, self._slices) for key, values in measured_by(plan).items()]

    def compute(self, rows: Any, read: dict[str, Any] | None = None) -> None:
        """Losses, predictions and gradients of these rows of the data. `read` are their samples of the fields that are
        not in memory, on the host."""
        cell = self._rows
        cell[0], cell[1] = rows, read
        for flat in self._idle:  # a last batch with fewer samples than threads
            flat.fill(0)
        if len(self._jobs) == 1:
            self._jobs[0]()
        else:
            self._meeting.begin()
            self.network.pool.run(self._jobs)

    def loss(self) -> float:
        """Weighted sum over the outputs of the mean over the samples just computed."""
        if self._only is not None:
            return self._only()
        total = 0.0
        for plan, part in zip(self.plans, self._slices):
            total += weighted_loss(plan, self.network) * _length(part)
        return total / self.size

    def weighted(self, losses: Any) -> float:
        """`loss` from the numbers that the only plan of a step on a GPU left in `Plan.losses`, on the host."""
        return weighted_sum(losses, self.plans[0], self.network)

    def keep_predictions(self, start: int) -> None:
        """Copy the predictions to rows start.. of the arrays where those of an epoch are kept, if there is room."""
        for room, size, values, first, stop in self._shown:
            if start + stop <= size:
                room[start + first:start + stop] = values

    def first_not_finite(self) -> str | None:
        """The first layer with values that are not finite, from the batch just computed."""
        found: list[str] = []

        def looking(plan: Plan) -> Callable[[], None]:
            return lambda: found.extend(node for node in [plan.first_not_finite()] if node is not None)

        self._meeting.begin()
        self.network.pool.run([self._meeting.guarded(looking(plan)) for plan in self.plans])
        return min(found, key=self.plans[0].order.index, default=None)


def mask_key(node_id: str) -> str:
    """Where `measured_by` holds the mask of a head."""
    return f"{node_id}/steps"


def measured_by(plan: Plan) -> dict[str, Any]:
    """What the metrics of a plan need: its predictions, and for heads of padded series which steps are real."""
    masks = {mask_key(node): plan.mask(sources(plan.checked, node)[0]) for node in plan.predictions}
    return plan.predictions | {key: mask for key, mask in masks.items() if mask is not None}


def _length(part: slice) -> int:
    return part.stop - part.start


def _computing(plan: Plan, part: slice | None, data: dict[str, Any], cell: list[Any], device: Device
               ) -> Callable[[], None]:
    """Fill the plan with (a part of) the rows in the cell, and run it forward and backward."""
    forward, backward, gather = plan.forward, plan.backward, device.gather
    feeds = [(data[feed.field].reshape(-1, *feed.buffer.shape[1:]), feed.buffer)
             for feed in plan.feeds if feed.field in data]
    streamed = [(feed.field, feed.buffer) for feed in plan.feeds if feed.field not in data]
    size = slice(0, plan.batch) if part is None else part

    def run() -> None:
        rows = cell[0] if part is None else cell[0][part]
        for source, buffer in feeds:
            gather(source, rows, buffer)
        for field, buffer in streamed:
            buffer[...] = device.asarray(cell[1][field][size]).reshape(buffer.shape)
        forward()
        backward()

    return run


def weighted_loss(plan: Plan, network: Network) -> float:
    """Loss of the batch that the plan has just computed: the weighted sum over the outputs, and what layers add."""
    return weighted_sum(network.device.host(plan.losses), plan, network)


def weighted_sum(losses: Any, plan: Plan, network: Network) -> float:
    """The loss from the numbers that a plan wrote to `Plan.losses`, on the host."""
    total = sum(network.heads[node].weight * float(losses[i]) for i, node in enumerate(plan.predictions))
    return total + sum(float(value) for value in losses[len(plan.predictions):len(plan.predictions) + len(plan.adding)])
