"""Loss and metrics of one part of the data, in inference mode (no dropout, kept statistics)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nndesigner.data.preparing import Part
from nndesigner.data.rows import EncodedRows
from nndesigner.engine.metrics import metrics_for
from nndesigner.engine.network import Network
from nndesigner.training.batches import weighted_loss

#: predictions kept for the metrics take at most this much; beyond it the first samples stand for all
KEPT_BYTES = 512 << 20


def metric_names(network: Network, chosen: str = "") -> dict[str, list[tuple[str, Any]]]:
    """Output node -> (name in curves, metric). With several outputs the node's title tells them apart."""
    found = {}
    for node_id, head in network.heads.items():
        behind = "" if len(network.heads) == 1 else f" ({network.checked.graph.node(node_id).title} {node_id})"
        found[node_id] = [(metric.name + behind, metric) for metric in metrics_for(head.task, chosen)]
    return found


def shaped(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Values in the shape of their predictions; class numbers as they are."""
    return targets if targets.dtype.kind in "iu" else targets.reshape(len(targets), *predictions.shape[1:])


class Evaluation:
    """Measures one part of the data again and again; everything that can be is prepared once."""

    def __init__(self, network: Network, part: Part, metrics: str = "") -> None:
        self._network = network
        self._count = len(part)
        self._batch = min(network.answer_batch, max(self._count, 1))
        fields = {feed.field for feed in network.plan(self._batch, training=False).feeds}
        #: fields that are not in memory are read for each batch
        self._sources = {
            field: rows if isinstance(rows, EncodedRows) else network.device.asarray(rows)
            for field, rows in ((field, part.arrays[field]) for field in fields)}
        self._streams = any(isinstance(rows, EncodedRows) for rows in self._sources.values())
        self._part = part
        self._predictions: dict[str, np.ndarray] = {}
        self._metrics = metric_names(network, metrics)

    def run(self, between: Callable[[], None]) -> dict[str, float]:
        """{"loss": mean over samples, metric: value}; only "loss", NaN, when there are no samples.

        `between` is called between batches; what it raises ends the measuring.
        """
        network, count = self._network, self._count
        if not count:
            return {"loss": math.nan}
        total = 0.0
        with network.device.use(), np.errstate(all="ignore"):
            for start in range(0, count, self._batch):
                between()
                stop = min(start + self._batch, count)
                plan = network.plan(stop - start, training=False)
                for feed in plan.feeds:
                    samples = self._sources[feed.field][start:stop]
                    if self._streams:
                        samples = network.device.asarray(samples)
                    feed.buffer[...] = samples.reshape(feed.buffer.shape)
                plan.forward()
                total += weighted_loss(plan, network) * (stop - start)
                for node, values in plan.predictions.items():
                    if node not in self._predictions:
                        room = min(count, max(KEPT_BYTES // max(values[:1].nbytes, 1), self._batch))
                        self._predictions[node] = np.empty((room, *values.shape[1:]), dtype=values.dtype)
                    kept = self._predictions[node]
                    if start < len(kept):
                        kept[start:stop] = network.device.host(values)[:len(kept) - start]
        found = {"loss": total / count}
        for node, predictions in self._predictions.items():
            targets = shaped(self._part.arrays[network.heads[node].target][:len(predictions)], predictions)
            found.update({name: metric.measure(predictions, targets) for name, metric in self._metrics[node]})
        return found
