"""New samples from a variational autoencoder: its decoder fed with random codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndesigner.engine.network import Network
from nndesigner.engine.random import generator
from nndesigner.engine.weights import sources
from nndesigner.graph.check import check
from nndesigner.graph.model import Graph, Node
from nndesigner.layers.generative import Sampling
from nndesigner.layers.io import Input
from nndesigner.spec import DataField, Signature

_CODE = "code"


@dataclass(frozen=True, eq=False)
class Drawn:
    """Codes [n, F] and what the network makes of them at `node` [n, ...], in the units of the prepared data."""

    node: str
    codes: np.ndarray
    values: np.ndarray


def draw_samples(network: Network, count: int = 16, seed: int = 0, codes: np.ndarray | None = None) -> Drawn:
    """Decode `count` random codes, or those given. Raises ValueError when the network has no Sampling layer, or its
    decoder also needs the data.
    """
    graph = network.checked.graph
    code = next((n for n in network.checked.order if isinstance(graph.node(n).layer, Sampling)), None)
    if code is None:
        raise ValueError("Samples are drawn from the code of a Sampling layer: this network has none.")
    behind = {code}
    for node in network.checked.order:
        if any(source in behind for source in sources(network.checked, node)):
            behind.add(node)
    head = next((n for n in network.heads if n in behind), None)
    if head is None:
        raise ValueError("No Output lies behind the Sampling layer.")
    if any(source not in behind for node in behind - {code} for source in sources(network.checked, node)):
        raise ValueError("The layers behind the Sampling layer also need the data: samples cannot be drawn.")
    shape = network.checked.shapes[code]
    nodes = tuple(
        Node(n.id, Input(field=_CODE), n.x, n.y) if n.id == code else n
        for n in graph.nodes if n.id in behind and n.id not in network.heads)
    edges = tuple(e for e in graph.edges if e.source in behind and e.target in behind - {code} - set(network.heads))
    checked = check(Graph(nodes, edges, graph.next_id), Signature((DataField(_CODE, "input", shape),)))
    decoder = Network(checked, network.device, network.clock.seed, network.weights.dtype)
    learned = network.weights.state_dict()
    decoder.weights.load({name: learned[name] for name in decoder.weights.state_dict()})
    if codes is None:
        codes = generator(seed, "draw samples").standard_normal((count, *shape.dims)).astype(np.float32)
    (end,) = sources(network.checked, head)
    values = decoder.activations({_CODE: codes}, [end])[end]
    if network.plan(1, training=False).loss_of(head).link == "sigmoid":
        values = 1.0 / (1.0 + np.exp(-values))
    return Drawn(head, codes, values)
