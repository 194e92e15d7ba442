"""A network that answers for every pixel: down to see what is there, up again to say where."""

from __future__ import annotations

from nndesigner.graph.edit import add_node, connect
from nndesigner.graph.grouping import group
from nndesigner.graph.layout import arrange
from nndesigner.graph.model import Graph
from nndesigner.layers import Layer
from nndesigner.layers.activation import ReLU
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Concatenate
from nndesigner.layers.norm import BatchNorm
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.resize import UpSampling2D
from nndesigner.spec import Shape

#: filters of the finest pictures; twice as many each time a picture is halved
FILTERS = 16
#: how often pictures are halved at most, and to which side at least
MOST_LEVELS, SMALLEST = 3, 4


def by_pixels(picture: Shape, channels: int) -> Graph:
    """Pictures H × W × C in, H × W × `channels` scores or values out, after U-Net (Ronneberger et al., 2015).

    Each size on the way up also sees the picture of that size on the way down, which keeps borders sharp. Sides that
    cannot be halved are looked at with filters that reach farther instead. Shapes with masks: see
    training.proposing.
    """
    graph, after = _add(Graph(), Input(shape=picture.dims))
    levels = _levels(picture)
    skips, stages = [], []
    for level in range(levels + 1):
        begin = len(graph.nodes)
        if level:
            graph, after = _add(graph, MaxPool2D(), after)
        for dilation in (1,) if level < levels else (1, 1) if levels else (1, 2, 4, 8):
            graph, after = _seen(graph, level, after, dilation)
        stages.append((f"See {_size(picture, level)}", begin, len(graph.nodes)))
        skips.append(after)
    for level in reversed(range(levels)):
        begin = len(graph.nodes)
        graph, after = _add(graph, UpSampling2D(), after)
        graph, joined = _add(graph, Concatenate(), after)
        graph = connect(graph, skips[level], joined)
        graph, after = _seen(graph, level, joined)
        stages.append((f"Draw {_size(picture, level)}", begin, len(graph.nodes)))
    graph, after = _add(graph, Conv2D(filters=channels, kernel=(1, 1)), after)
    graph, _ = _add(graph, Output(), after)
    for title, begin, end in stages:
        graph, _ = group(graph, [node.id for node in graph.nodes[begin:end]], title, folded=True)
    return arrange(graph)


def _size(picture: Shape, level: int) -> str:
    height, width = (side >> level for side in picture.dims[:2])
    return f"{height} × {width}"


def _levels(picture: Shape) -> int:
    """How often both sides can be halved."""
    height, width = picture.dims[:2]
    levels = 0
    while levels < MOST_LEVELS and not (height % 2 or width % 2) and min(height, width) // 2 >= SMALLEST:
        height, width, levels = height // 2, width // 2, levels + 1
    return levels


def _seen(graph: Graph, level: int, after: str, dilation: int = 1) -> tuple[Graph, str]:
    """Filters, whose answers are brought to one size: without batch norm it takes twice as many epochs."""
    conv = Conv2D(filters=FILTERS << level, kernel=(3, 3), padding="same", dilation=(dilation, dilation))
    for layer in (conv, BatchNorm(), ReLU()):
        graph, after = _add(graph, layer, after)
    return graph, after


def _add(graph: Graph, layer: Layer, after: str = "") -> tuple[Graph, str]:
    graph, node = add_node(graph, layer, 0, 0)
    return (connect(graph, after, node) if after else graph), node
