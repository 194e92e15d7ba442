"""The moment in a run when the centres of Clustering layers are set by k-means."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from nndesigner.data.preparing import Part
from nndesigner.data.rows import samples_at
from nndesigner.engine.network import Network
from nndesigner.engine.random import generator
from nndesigner.engine.weights import sources
from nndesigner.layers.generative import Clustering

#: samples that k-means looks at, at most
SAMPLES = 10_000


def k_means(values: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """Centres [clusters, F] of values [n, F], the same bits for the same seed. Raises ValueError when n < clusters."""
    from sklearn.cluster import KMeans  # takes half a second, and few runs need it

    if len(values) < clusters:
        raise ValueError(f"{clusters} clusters need as many samples, got {len(values)}.")
    with threadpool_limits(1):
        return KMeans(clusters, n_init=4, random_state=seed).fit(values).cluster_centers_


def set_centres(network: Network, part: Part, epoch: int, seed: int) -> tuple[str, ...]:
    """Set the centres of those Clustering layers whose time has come; the nodes of these layers."""
    set_now = []
    for node in network.checked.order:
        layer = network.checked.graph.node(node).layer
        if not isinstance(layer, Clustering) or epoch < layer.wait:
            continue
        active = network.weights.buffers[f"{node}/active"]
        if float(active[0]):
            continue
        count = min(len(part), SAMPLES)
        places = np.sort(generator(seed, "clusters", epoch).permutation(len(part))[:count])
        inputs = {field: samples_at(part.arrays[field], places) for field in set(network.checked.inputs.values())}
        (source,) = sources(network.checked, node)
        codes = network.activations(inputs, [source])[source]
        if len(codes) >= layer.clusters and np.isfinite(codes).all():
            centres = k_means(codes, layer.clusters, seed).astype(network.weights.dtype)
            network.weights.views[f"{node}/centres"][...] = network.device.asarray(centres)
            active.fill(1)
            set_now.append(node)
    return tuple(set_now)
