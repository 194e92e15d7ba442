"""New samples from the decoder of an autoencoder: fed with random codes, codes between two samples, or any code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndesigner.data.preparing import Part
from nndesigner.data.rows import samples_at
from nndesigner.engine.network import Network
from nndesigner.engine.random import generator
from nndesigner.engine.weights import sources
from nndesigner.graph.check import Checked, check
from nndesigner.graph.model import Graph, Node
from nndesigner.insight.clusters import activations
from nndesigner.layers.generative import Sampling
from nndesigner.layers.io import Input
from nndesigner.spec import DataField, Signature

_CODE = "code"
#: samples from which the spread of the codes of a plain autoencoder is taken
_SPREAD_OF = 500


@dataclass(frozen=True, eq=False)
class Drawn:
    """Codes [n, F] and what the network makes of them at `node` [n, ...], in the units of the prepared data."""

    node: str
    codes: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Decoder:
    """The part of a network that makes samples of codes: the node that gives the code, the Output at its end, and all
    nodes from the code on."""

    code: str
    head: str
    behind: frozenset[str]


def decoder_of(checked: Checked) -> Decoder:
    """The decoder behind the first Sampling layer, without one behind the narrowest layer of a plain autoencoder.

    Raises ValueError when there is none, or it also needs the data.
    """
    graph = checked.graph
    code = next((n for n in checked.order if isinstance(graph.node(n).layer, Sampling)), None)
    if code is not None:
        return _behind(checked, code, checked.heads)
    ends = [n for n, head in checked.heads.items() if head.task == "reconstruction"]
    lists = [n for n in checked.order if checked.shapes[n].axes == "F" and not checked.shapes[n].integer
             and graph.incoming[n] and n not in checked.heads]
    for node in sorted(lists, key=lambda n: checked.shapes[n].size) if ends else ():
        try:
            return _behind(checked, node, ends)
        except ValueError:
            continue
    raise ValueError("Samples are drawn from the code of a Sampling layer or of an autoencoder: this network has none.")


def spread_of(network: Network, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Mean [F] and spread [F] of the codes from which samples are drawn: 0 and 1 for a Sampling layer, which is trained
    towards that; else those of samples of a part."""
    code = decoder_of(network.checked).code
    if isinstance(network.checked.graph.node(code).layer, Sampling):
        size = network.checked.shapes[code].size
        return np.zeros(size, np.float32), np.ones(size, np.float32)
    _, codes = activations(network, part, code, _SPREAD_OF)
    return codes.mean(axis=0), codes.std(axis=0)


def codes_at(network: Network, part: Part, places: np.ndarray) -> np.ndarray:
    """Codes [n, F] of samples of a part."""
    code = decoder_of(network.checked).code
    inputs = {field: samples_at(part.arrays[field], places) for field in set(network.checked.inputs.values())}
    return network.activations(inputs, [code])[code]


def _behind(checked: Checked, code: str, heads: object) -> Decoder:
    behind = {code}
    for node in checked.order:
        if any(source in behind for source in sources(checked, node)):
            behind.add(node)
    head = next((n for n in heads if n in behind), None)
    if head is None:
        raise ValueError("No Output lies behind the Sampling layer.")
    if any(source not in behind for node in behind - {code} for source in sources(checked, node)):
        raise ValueError("The layers behind the Sampling layer also need the data: samples cannot be drawn.")
    return Decoder(code, head, frozenset(behind))


def draw_samples(network: Network, count: int = 16, seed: int = 0, codes: np.ndarray | None = None) -> Drawn:
    """Decode `count` random codes, or those given. Raises ValueError when the network has no decoder (`decoder_of`)."""
    graph = network.checked.graph
    found = decoder_of(network.checked)
    code, head, behind = found.code, found.head, found.behind
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
