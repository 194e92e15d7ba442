"""What a layer's values look like from afar: the samples of a part as points of a plane.

Points lie near where the layer finds samples alike. With their classes, and the groups found among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndesigner.data.preparing import Part
from nndesigner.engine.network import Network
from nndesigner.graph.check import Checked
from nndesigner.insight.clusters import Clusters, activations, distances_to, told, true_classes
from nndesigner.layers.generative import Clustering, Sampling
from nndesigner.training.clustering import k_means

#: points of the plane
MOST = 800


@dataclass(frozen=True, eq=False)
class LatentMap:
    """Samples at `positions` [n] of a part as `points` [n, 2] along the two directions in which the values of `node`
    differ most (principal components, Hotelling 1933); `share` of the whole variance is seen. `truth` [n] are class
    numbers, None where the data have no classes; `groups` is None where none were asked for.
    """

    node: str
    positions: np.ndarray
    points: np.ndarray
    share: float
    truth: np.ndarray | None
    classes: tuple[str, ...]
    groups: Clusters | None


def latent_nodes(checked: Checked) -> tuple[str, ...]:
    """Layers whose values can be shown, in the order of computing: those that give F, but no Output or Clustering."""
    graph = checked.graph
    return tuple(
        node for node in checked.order
        if checked.shapes[node].axes == "F" and not checked.shapes[node].integer and node not in checked.heads
        and not isinstance(graph.node(node).layer, Clustering))


def usual_node(checked: Checked) -> str | None:
    """The layer that people look at first: what is clustered, a random code, else the narrowest (the last of those)."""
    graph = checked.graph
    for node in checked.order:
        if isinstance(graph.node(node).layer, Clustering):
            return graph.incoming[node][0].source
    nodes = latent_nodes(checked)
    codes = [node for node in nodes if isinstance(graph.node(node).layer, Sampling)]
    # the last layer of a classifier gives its answer, and Inputs what is known: what lies between is of interest
    answers = {edge.source for head in checked.heads for edge in graph.incoming[head]}
    between = [n for n in nodes if n not in answers and graph.incoming[n]] or list(nodes)
    return next(iter(codes), None) or min(reversed(between), key=lambda n: checked.shapes[n].size, default=None)


def latent_map(
    network: Network, part: Part, node: str, groups: int = 0, before: LatentMap | None = None
) -> LatentMap:
    """The plane of one layer. `groups` above 0 finds so many by k-means; behind a Clustering layer its own are taken.

    `before` is the last map of the same samples: the new one is turned and mirrored to lie like it, so that a live
    picture does not jump. Raises ValueError when the part has no samples, or fewer than groups.
    """
    positions, values = activations(network, part, node, MOST)
    values = values.reshape(len(values), -1).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("The layer gives values that are not finite: training has run away.")
    points, share = components(values)
    if before is not None and before.node == node and np.array_equal(before.positions, positions):
        points = _turned(points, before.points)
    known = true_classes(network, part, positions)
    found = None
    if groups:
        found = _groups(network, part, node, positions, values, min(groups, len(values)))
    return LatentMap(node, positions, points.astype(np.float32), share, *(known or (None, ())), found)


def own_groups(checked: Checked, node: str) -> str | None:
    """The Clustering layer that sorts what a node gives, if there is one."""
    graph = checked.graph
    return next((e.target for e in graph.outgoing[node] if isinstance(graph.node(e.target).layer, Clustering)), None)


def _groups(
    network: Network, part: Part, node: str, positions: np.ndarray, values: np.ndarray, count: int
) -> Clusters:
    own = own_groups(network.checked, node)
    if own is not None:
        centres = np.asarray(network.device.host(network.weights.views[f"{own}/centres"]), dtype=np.float64)
    else:
        centres = k_means(values, count, 0)
    return told(network, part, own or node, positions, distances_to(values, centres), 12)


def components(values: np.ndarray) -> tuple[np.ndarray, float]:
    """(values along the first two principal components [n, 2], their share of the variance)."""
    centred = values - values.mean(axis=0)
    n, features = centred.shape
    whole = float(np.square(centred).sum())
    # of the two matrices with the same eigenvalues the smaller one
    small = centred.T @ centred if features <= n else centred @ centred.T
    sizes, vectors = np.linalg.eigh(small)
    first = vectors[:, ::-1][:, :2]
    points = centred @ first if features <= n else first * np.sqrt(np.maximum(sizes[::-1][:2], 0))
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    share = float(np.maximum(sizes[::-1][:2], 0).sum()) / whole if whole else 1.0
    return points, min(share, 1.0)


def _turned(points: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Turn and mirror points so that they lie as near as possible to others (Schönemann 1966)."""
    u, _, v = np.linalg.svd(points.T @ before)
    return points @ (u @ v)
