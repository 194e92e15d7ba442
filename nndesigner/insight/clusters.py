"""Groups that a network finds in data without labels, and how well they match labels where there are some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndesigner.data.preparing import Part
from nndesigner.data.rows import samples_at
from nndesigner.engine.network import Network
from nndesigner.layers.generative import Clustering
from nndesigner.training.clustering import SAMPLES, k_means


@dataclass(frozen=True, eq=False)
class Clusters:
    """Group of each sample. `positions` [n] are places in the part, `groups` int64 [n], `sizes` [K]; `typical` [K, m]
    are places in the part of the samples nearest to each centre, -1 where a group has fewer.

    With labels: `counts` [K, classes], `purity` (share of samples that are of the commonest class of their group) and
    `ari` (adjusted Rand index, Hubert and Arabie 1985: 1 the same groups, 0 chance).
    """

    node: str
    positions: np.ndarray
    groups: np.ndarray
    sizes: np.ndarray
    typical: np.ndarray
    classes: tuple[str, ...] = ()
    counts: np.ndarray | None = None
    purity: float | None = None
    ari: float | None = None


def clusters(network: Network, part: Part, typical: int = 8) -> Clusters:
    """What the first Clustering layer makes of a part of the data. Raises ValueError when there is none."""
    graph = network.checked.graph
    node = next((n for n in network.checked.order if isinstance(graph.node(n).layer, Clustering)), None)
    if node is None:
        raise ValueError("The network has no Clustering layer.")
    positions, values = _activations(network, part, node)
    return _told(network, part, node, positions, -values, typical)


def k_means_of(network: Network, part: Part, node: str, count: int, seed: int = 0, typical: int = 8) -> Clusters:
    """Groups by k-means of what a layer computes. Raises ValueError with fewer samples than groups."""
    positions, values = _activations(network, part, node)
    values = values.reshape(len(values), -1)
    centres = k_means(values, count, seed)
    lengths = np.square(centres).sum(axis=1)
    distances = lengths - 2 * values @ centres.T  # but for |x|², the same for all centres
    distances += np.square(values).sum(axis=1, keepdims=True)
    return _told(network, part, node, positions, distances, typical)


def _activations(network: Network, part: Part, node: str) -> tuple[np.ndarray, np.ndarray]:
    """(places of samples that stand for the part, what the node computes of them)."""
    count = min(len(part), SAMPLES)
    if not count:
        raise ValueError("This part of the data has no samples.")
    positions = np.unique(np.linspace(0, len(part) - 1, count).round().astype(np.int64))
    inputs = {field: samples_at(part.arrays[field], positions) for field in set(network.checked.inputs.values())}
    return positions, network.activations(inputs, [node])[node]


def _told(
    network: Network, part: Part, node: str, positions: np.ndarray, distances: np.ndarray, typical: int,
) -> Clusters:
    groups = distances.argmin(axis=1)
    number = distances.shape[1]
    nearest = np.full((number, typical), -1)
    for group in range(number):
        members = np.flatnonzero(groups == group)
        order = members[np.argsort(distances[members, group], kind="stable")][:typical]
        nearest[group, :len(order)] = positions[order]
    sizes = np.bincount(groups, minlength=number)
    labels = next((f for f in network.checked.signature.targets if f.kind == "class" and f.name in part.arrays), None)
    if labels is None:
        return Clusters(node, positions, groups, sizes, nearest)
    truth = np.asarray(samples_at(part.arrays[labels.name], positions)).reshape(-1)
    counts = np.zeros((number, len(labels.classes)), dtype=np.int64)
    np.add.at(counts, (groups, truth), 1)
    from sklearn.metrics import adjusted_rand_score

    return Clusters(
        node, positions, groups, sizes, nearest, labels.classes, counts, float(counts.max(axis=1).sum() / len(truth)),
        float(adjusted_rand_score(truth, groups)))
