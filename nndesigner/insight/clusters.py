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
    `ari` (adjusted Rand index, Hubert and Arabie 1985: 1 the same groups, 0 chance) and `nmi` (normalised mutual
    information, Strehl and Ghosh 2002: 1 the same groups, 0 independent).
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
    nmi: float | None = None


def clusters(network: Network, part: Part, typical: int = 8) -> Clusters:
    """What the first Clustering layer makes of a part of the data. Raises ValueError when there is none."""
    graph = network.checked.graph
    node = next((n for n in network.checked.order if isinstance(graph.node(n).layer, Clustering)), None)
    if node is None:
        raise ValueError("The network has no Clustering layer.")
    positions, values = activations(network, part, node)
    return told(network, part, node, positions, -values, typical)


def k_means_of(network: Network, part: Part, node: str, count: int, seed: int = 0, typical: int = 8) -> Clusters:
    """Groups by k-means of what a layer computes. Raises ValueError with fewer samples than groups."""
    positions, values = activations(network, part, node)
    values = values.reshape(len(values), -1)
    return told(network, part, node, positions, distances_to(values, k_means(values, count, seed)), typical)


def distances_to(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared distances [n, K] of values [n, F] to centres [K, F]."""
    found = np.square(centres).sum(axis=1) - 2 * values @ centres.T
    found += np.square(values).sum(axis=1, keepdims=True)
    return found


def activations(network: Network, part: Part, node: str, most: int = SAMPLES) -> tuple[np.ndarray, np.ndarray]:
    """(places of samples that stand for the part, at most so many, what the node computes of them)."""
    count = min(len(part), most)
    if not count:
        raise ValueError("This part of the data has no samples.")
    positions = np.unique(np.linspace(0, len(part) - 1, count).round().astype(np.int64))
    inputs = {field: samples_at(part.arrays[field], positions) for field in set(network.checked.inputs.values())}
    return positions, network.activations(inputs, [node])[node]


def told(
    network: Network, part: Part, node: str, positions: np.ndarray, distances: np.ndarray, typical: int,
) -> Clusters:
    groups = distances.argmin(axis=1)
    number = distances.shape[1]  # distances [n, K] of the samples at `positions` to each centre
    nearest = np.full((number, typical), -1)
    for group in range(number):
        members = np.flatnonzero(groups == group)
        order = members[np.argsort(distances[members, group], kind="stable")][:typical]
        nearest[group, :len(order)] = positions[order]
    sizes = np.bincount(groups, minlength=number)
    known = true_classes(network, part, positions)
    if known is None:
        return Clusters(node, positions, groups, sizes, nearest)
    truth, classes = known
    counts = np.zeros((number, len(classes)), dtype=np.int64)
    np.add.at(counts, (groups, truth), 1)
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return Clusters(
        node, positions, groups, sizes, nearest, classes, counts, float(counts.max(axis=1).sum() / len(truth)),
        float(adjusted_rand_score(truth, groups)), float(normalized_mutual_info_score(truth, groups)))


def true_classes(network: Network, part: Part, positions: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]] | None:
    """(class number of each sample, names of the classes) of the first target that is one class a sample; None without.

    An autoencoder does not learn them, but the data may have them.
    """
    for field in network.checked.signature.targets:
        if field.kind == "class" and field.name in part.arrays:
            truth = np.asarray(samples_at(part.arrays[field.name], positions))
            if truth.size == len(positions):
                return truth.reshape(-1), field.classes
    return None
