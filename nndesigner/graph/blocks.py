"""Blocks of several layers that are inserted together, built from the layers of the catalogue.

A block is put behind a node: what the node fed before is fed by the end of the block. Layers that must keep the number
of features take it from what arrives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nndesigner.graph.edit import EditError, add_node, connect, disconnect
from nndesigner.graph.layout import free_spot
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
    Block("block:transformer_encoder", "Transformer encoder", "mdi6.transit-connection-variant",
          ("attention", "bert", "text", "series"), "Every step looks at all others, then thinks by itself: attention "
          "and two Dense layers, each with norm before and a shortcut around.", "TF", _encoder),
    Block("block:transformer_decoder", "Transformer decoder", "mdi6.transit-connection-horizontal",
          ("attention", "gpt", "translation", "generate"), "Like the encoder, but no step sees later ones, and it also "
          "looks at a second series: wire that to Look at the memory.", "TF", _decoder),
    Block("block:residual", "Residual block", "mdi6.vector-link", ("resnet", "skip", "shortcut", "convolution"),
          "Two convolutions with a shortcut around, as in ResNet.", "HWC", _residual),
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
    begin = graph.node(source)
    consumers = graph.outgoing[source]
    ids = {"in": source}
    if memory is not None:
        ids["memory"] = memory
    made = []
    for place, (name, layer, feeding) in enumerate(block.parts(shape.dims[-1]), start=1):
        x, y = free_spot(graph, begin.x + place * (NODE_W + GAP_X), begin.y)
        graph, node = add_node(graph, layer, x, y, name if layer.title != name else "")
        for port, feeder in zip(layer.ports * len(feeding) if layer.many else layer.ports, feeding):
            if feeder in ids:
                graph = connect(graph, ids[feeder], node, port)
        ids[name] = node
        made.append(node)
    for edge in consumers:
        graph = connect(disconnect(graph, edge), made[-1], edge.target, edge.port)
    return graph, tuple(made)
