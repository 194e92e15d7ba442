"""Blocks of several layers that are inserted together, built from the layers of the catalogue.

A block is put behind a node: what the node fed before is fed by the end of the block. Layers that must keep the number
of features take it from what arrives. On the canvas a block is a folded group, so that a tall stack stays readable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from nndesigner.graph.edit import EditError, add_node, connect, disconnect
from nndesigner.graph.folding import HEAD, PAD, frame, make_room
from nndesigner.graph.grouping import group
from nndesigner.graph.layout import arrange
from nndesigner.graph.model import GAP_X, NODE_W, Graph
from nndesigner.layers import Layer
from nndesigner.layers.activation import ReLU
from nndesigner.layers.attention import CrossAttention, SelfAttention
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.merge import Add
from nndesigner.layers.norm import BatchNorm, LayerNorm
from nndesigner.spec import Shape

#: (name, layer, names of what feeds it in the order of its ports); "in" is what arrives, "memory" a second series
Part = tuple[str, Layer, tuple[str, ...]]


@dataclass(frozen=True)
class Block:
    """A block of the palette. `parts` makes its layers for so many features; the last one is its end."""

    kind: str
    title: str
    #: title of its group on the canvas
    short: str
    icon: str
    keywords: tuple[str, ...]
    help: str
    #: axes of what arrives
    axes: str
    parts: Callable[[int], list[Part]]
    group = "Blocks"

    def summary_line(self) -> str:
        """The tooltip."""
        return self.help


def _heads(features: int) -> int:
    return next(h for h in (4, 2, 1) if features % h == 0)


def _feed_forward(features: int, before: str) -> list[Part]:
    return [
        ("Norm of the dense part", LayerNorm(), (before,)),
        ("Wide", Dense(units=4 * features, activation="gelu"), ("Norm of the dense part",)),
        ("Narrow", Dense(units=features), ("Wide",)),
        ("Sum of the dense part", Add(), (before, "Narrow")),
    ]


def _encoder(features: int) -> list[Part]:
    return [
        ("Norm of the attention", LayerNorm(), ("in",)),
        ("Attention", SelfAttention(heads=_heads(features)), ("Norm of the attention",)),
        ("Sum of the attention", Add(), ("in", "Attention")),
        *_feed_forward(features, "Sum of the attention"),
    ]


def _decoder(features: int) -> list[Part]:
    return [
        ("Norm of the attention", LayerNorm(), ("in",)),
        ("Attention", SelfAttention(heads=_heads(features), causal=True), ("Norm of the attention",)),
        ("Sum of the attention", Add(), ("in", "Attention")),
        ("Norm of the memory", LayerNorm(), ("Sum of the attention",)),
        ("Look at the memory", CrossAttention(heads=_heads(features)), ("Norm of the memory", "memory")),
        ("Sum of the memory", Add(), ("Sum of the attention", "Look at the memory")),
        *_feed_forward(features, "Sum of the memory"),
    ]


def _residual(features: int) -> list[Part]:
    return [
        ("First", Conv2D(filters=features, bias=False), ("in",)),
        ("First norm", BatchNorm(), ("First",)),
        ("First ReLU", ReLU(), ("First norm",)),
        ("Second", Conv2D(filters=features, bias=False), ("First ReLU",)),
        ("Second norm", BatchNorm(), ("Second",)),
        ("Sum", Add(), ("in", "Second norm")),
        ("End", ReLU(), ("Sum",)),
    ]


BLOCKS: dict[str, Block] = {block.kind: block for block in (
    Block("block:transformer_encoder", "Transformer encoder", "Encoder", "mdi6.transit-connection-variant",
          ("attention", "bert", "text", "series"), "Every step looks at all others, then thinks by itself: attention "
          "and two Dense layers, each with norm before and a shortcut around.", "TF", _encoder),
    Block("block:transformer_decoder", "Transformer decoder", "Decoder", "mdi6.transit-connection-horizontal",
          ("attention", "gpt", "translation", "generate"), "Like the encoder, but no step sees later ones, and it also "
          "looks at a second series: wire that to Look at the memory.", "TF", _decoder),
    Block("block:residual", "Residual block", "Residual", "mdi6.vector-link",
          ("resnet", "skip", "shortcut", "convolution"), "Two convolutions with a shortcut around, as in ResNet.",
          "HWC", _residual),
)}


def insert_block(
    graph: Graph, block: Block, source: str, shape: Shape, memory: str | None = None,
) -> tuple[Graph, tuple[str, ...]]:
    """Put a block behind node `source`, which gives `shape`. Returns the graph and the new nodes, its end last.

    `memory` is a node that the decoder reads. Raises EditError when the block cannot take what arrives.
    """
    if shape.axes != block.axes or shape.integer:
        wanted = " × ".join(block.axes)
        raise EditError(f"{block.title} needs {wanted}, but {graph.node(source).title} gives {shape.lettered}.")
    within = graph.group_of.get(source)
    begin = graph.node(source)
    # the corner of the box: behind the node, or behind the box that it is in
    x, y = begin.x + NODE_W + GAP_X, begin.y
    if within is not None:
        left, y, wide, _ = frame(graph, within)
        x = left + (NODE_W if within.folded else wide) + GAP_X
    graph = make_room(graph, x, y)
    consumers = graph.outgoing[source]
    ids = {"in": source}
    if memory is not None:
        ids["memory"] = memory
    made = []
    parts = block.parts(shape.dims[-1])
    for (name, layer, feeding), (dx, dy) in zip(parts, _places(parts)):
        graph, node = add_node(graph, layer, x + PAD + dx, y + HEAD + dy, name if layer.title != name else "")
        for port, feeder in zip(layer.ports * len(feeding) if layer.many else layer.ports, feeding):
            if feeder in ids:
                graph = connect(graph, ids[feeder], node, port)
        ids[name] = node
        made.append(node)
    for edge in consumers:
        graph = connect(disconnect(graph, edge), made[-1], edge.target, edge.port)
    titles = {g.title for g in graph.groups}
    title = next(t for t in (f"{block.short} {k}" for k in count(1)) if t not in titles)
    graph, _ = group(graph, made, title, folded=True)
    return graph, tuple(made)


def _places(parts: list[Part]) -> list[tuple[float, float]]:
    """Where the layers of a block stand within it."""
    graph = Graph()
    ids: dict[str, str] = {}
    for name, layer, feeding in parts:
        graph, ids[name] = add_node(graph, layer, 0, 0)
        for port, feeder in zip(layer.ports * len(feeding) if layer.many else layer.ports, feeding):
            if feeder in ids:
                graph = connect(graph, ids[feeder], ids[name], port)
    return [(node.x, node.y) for node in arrange(graph).nodes]
