"""Loss and metrics of one part of the data, in inference mode (no dropout, kept statistics)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nndesigner.data.preparing import Part
from nndesigner.data.rows import EncodedRows
from nndesigner.engine.metrics import Metric, metrics_for
from nndesigner.engine.network import Network
from nndesigner.engine.plan import Plan
from nndesigner.engine.transcripts import best_paths
from nndesigner.training.batches import mask_key, measured_by, weighted_sum

#: predictions kept for the metrics take at most this much; beyond it the first samples stand for all
KEPT_BYTES = 512 << 20


def metric_names(network: Network, chosen: tuple[Metric, ...] = ()) -> dict[str, list[tuple[str, Metric]]]:
    """Output node -> (name in curves, metric). With several outputs the node's title tells them apart."""
    found = {}
    for node_id, head in network.heads.items():
        behind = "" if len(network.heads) == 1 else f" ({network.checked.graph.node(node_id).title} {node_id})"
        target = network.checked.signature.get(head.target)
        pixels = target is not None and target.kind == "class" and len(target.sample_dims) > 1
        found[node_id] = [(metric.name + behind, metric) for metric in metrics_for(head.task, chosen, pixels)]
    return found


def measured(metrics: list[tuple[str, Metric]], predictions: np.ndarray, targets: np.ndarray,
             mask: np.ndarray | None) -> dict[str, float]:
    """{name: value} of host arrays [n, ...]. `mask` [n, T] tells the real steps of padded series; others do not count.
    """
    if metrics and "transcription" in metrics[0][1].tasks:  # padded steps already say nothing
        predictions, mask = best_paths(predictions), None
    elif targets.dtype.kind not in "iu":
        targets = targets.reshape(len(targets), *predictions.shape[1:])
    if mask is not None:
        predictions, targets = predictions[mask > 0], targets.reshape(*mask.shape, *targets.shape[2:])[mask > 0]
    return {name: metric.measure(predictions, targets) for name, metric in metrics}


class Evaluation:
    """Measures one part of the data again and again; everything that can be is prepared once."""

    def __init__(self, network: Network, part: Part, metrics: tuple[Metric, ...] = ()) -> None:
        self._network = network
        self._count = len(part)
        self._batch = min(network.answer_batch, max(self._count, 1))
        fields = {feed.field for feed in network.answering(self._batch)[0][1].feeds}
        held = [field for field in fields if not isinstance(part.arrays[field], EncodedRows)]
        stay = network.device.has_room(sum(part.arrays[field].nbytes for field in held))
        #: fields that are not in memory, or for which the device has no room, are read for each batch
        self._sources = {
            field: network.device.asarray(part.arrays[field]) if stay and field in held else part.arrays[field]
            for field in fields}
        self._streams = not stay or len(held) < len(fields)
        self._part = part
        #: what the batches gave (`measured_by`), on the device until all are measured
        self._kept: dict[str, Any] = {}
        self._losses: Any = None
        self._metrics = metric_names(network, metrics)

    def run(self, between: Callable[[], None]) -> dict[str, float]:
        """{"loss": mean over samples, metric: value}; only "loss", NaN, when there are no samples.

        `between` is called between batches; what it raises ends the measuring.
        """
        network, count = self._network, self._count
        if not count:
            return {"loss": math.nan}
        counts: list[int] = []  # samples behind each row of losses
        with network.device.use(), np.errstate(all="ignore"):
            for start in range(0, count, self._batch):
                between()
                stop = min(start + self._batch, count)
                answering = network.answering(stop - start)
                for field, source in self._sources.items():
                    samples = source[start:stop]
                    if self._streams:
                        samples = network.device.asarray(samples)
                    for part, plan in answering:
                        for buffer in (feed.buffer for feed in plan.feeds if feed.field == field):
                            buffer[...] = samples[part].reshape(buffer.shape)
                network.side_by_side([plan for _, plan in answering])()
                if self._losses is None:
                    self._make_room(answering[0][1], len(answering))
                for part, plan in answering:
                    self._losses[len(counts)] = plan.losses
                    counts.append(plan.batch)
                    first = start + part.start
                    for key, values in measured_by(plan).items():
                        kept = self._kept[key]
                        if first < len(kept):
                            kept[first:first + plan.batch] = values[:len(kept) - first]
            losses = network.device.host(self._losses)
            host = {key: network.device.host(kept) for key, kept in self._kept.items()}
        total = sum(weighted_sum(row, plan, network) * samples for row, samples in zip(losses, counts))
        found = {"loss": total / count}
        for node, metrics in self._metrics.items():
            predictions = host[node]
            targets, mask = self._part.arrays[network.heads[node].target][:len(predictions)], host.get(mask_key(node))
            found.update(measured(metrics, predictions, targets, None if mask is None else mask[:len(predictions)]))
        return found

    def _make_room(self, plan: Plan, parts: int) -> None:
        device, xp = self._network.device, self._network.device.xp
        free = device.free_bytes()
        most = KEPT_BYTES if free is None else min(KEPT_BYTES, free // 4)
        self._losses = xp.empty((-(-self._count // self._batch) * parts, plan.losses.size), dtype=plan.losses.dtype)
        for key, values in measured_by(plan).items():
            rows = min(self._count, max(most // max(values[:1].nbytes, 1), self._batch))
            self._kept[key] = xp.empty((rows, *values.shape[1:]), dtype=values.dtype)
