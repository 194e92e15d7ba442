"""Where a new layer lands and what it is wired to: pure over the drawing, for drops, quick menu and palette."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPointF

from nndesigner.graph import edit, layout
from nndesigner.graph.folding import Drawn
from nndesigner.graph.model import GAP_X, NODE_H, NODE_W, Edge, Graph
from nndesigner.layers import Layer
from nndesigner.ui.canvas.geometry import GRID, snap

#: a layer dropped with at most this gap beside another is wired to it
BESIDE = 84.0


@dataclass(frozen=True)
class Landing:
    """The corner of a new node and its wires. With `edge` it is put into that wire."""

    x: float
    y: float
    source: str | None = None
    target: tuple[str, str] | None = None
    edge: Edge | None = None


def dropped(graph: Graph, layer: type[Layer], x: float, y: float, edge: Edge | None) -> Landing:
    """Landing of a layer dropped with its middle at (x, y), on a wire or beside other nodes."""
    if edge is not None and layer.ports and layer.emits:
        return into_wire(graph, edge)
    x, y = layout.free_spot(graph, snap(x - NODE_W / 2), snap(y - NODE_H / 2))
    source, target = neighbours(graph, layer, x, y)
    return Landing(*_in_line(graph, x, y, source, target), source, target)


def _in_line(
    graph: Graph, x: float, y: float, source: str | None, target: tuple[str, str] | None
) -> tuple[float, float]:
    """The place, drawn to that beside the node it will be wired to: the same height and the usual gap."""
    wanted = []
    if source is not None:
        wanted.append((graph.node(source).x + NODE_W + GAP_X, graph.node(source).y))
    if target is not None:
        wanted.append((graph.node(target[0]).x - NODE_W - GAP_X, graph.node(target[0]).y))
    for to_x, to_y in (*wanted, *((x, to_y) for _, to_y in wanted)):
        near = abs(to_x - x) <= 1.5 * GRID and abs(to_y - y) <= 1.5 * GRID
        if near and not any(abs(n.x - to_x) < NODE_W and abs(n.y - to_y) < NODE_H for n in graph.nodes):
            return to_x, to_y
    return x, y


def neighbours(graph: Graph, layer: type[Layer], x: float, y: float) -> tuple[str | None, tuple[str, str] | None]:
    """The nearest free output left of a place and the nearest free input right of it."""
    source, target = None, None
    best_left = best_right = BESIDE
    for node in graph.nodes:
        if abs(node.y - y) >= NODE_H / 2:
            continue
        left, right = x - node.x - NODE_W, node.x - x - NODE_W
        if layer.ports and node.layer.emits and not graph.outgoing[node.id] and 0 <= left < best_left:
            source, best_left = node.id, left
        if layer.emits and 0 <= right < best_right:
            port = free_port(graph, node.id)
            if port is not None:
                target, best_right = (node.id, port), right
    if source is not None and target is not None and edit.leads_to(graph, target[0], source):
        target = None
    return source, target


def free_port(graph: Graph, node_id: str) -> str | None:
    """The first input without a wire; None when all have one."""
    layer = graph.node(node_id).layer
    taken = {e.port for e in graph.incoming[node_id]}
    return next((p for p in layer.ports if p not in taken or layer.many), None)


def behind(graph: Graph, layer: type[Layer], node_id: str) -> Landing:
    """Landing to the right of a node, fed by it."""
    node = graph.node(node_id)
    x, y = layout.free_spot(graph, node.x + NODE_W + GAP_X, node.y)
    fed = node_id if layer.ports and node.layer.emits else None
    return Landing(x, y, source=fed)


def at_cursor(
    graph: Graph, layer: type[Layer], at: QPointF, source: str | None = None, target: tuple[str, str] | None = None
) -> Landing:
    """Landing with the port that a wire was drawn to at `at`."""
    x, y = layout.free_spot(graph, snap(at.x() - (0 if target is None else NODE_W)), snap(at.y() - NODE_H / 2))
    return Landing(x, y, source=source if layer.ports else None, target=target if layer.emits else None)


def into_wire(graph: Graph, edge: Edge) -> Landing:
    """Landing in a wire: in the middle where there is room, otherwise where the next node stands, which moves on."""
    source, target = graph.node(edge.source), graph.node(edge.target)
    gap = target.x - source.x - NODE_W
    if abs(target.y - source.y) < NODE_H / 2 and 0 <= gap < NODE_W + GAP_X:
        return Landing(source.x + NODE_W + GAP_X, source.y, edge=edge)
    middle_x, middle_y = (source.x + target.x) / 2, (source.y + target.y) / 2
    x, y = layout.free_spot(graph, snap(middle_x), snap(middle_y))
    return Landing(x, y, edge=edge)


def add(graph: Graph, layer: Layer, landing: Landing, shown: Drawn) -> tuple[Graph, str]:
    """The graph with the new node and its wires, and the node's id. The landing is in terms of what is drawn of it.

    Raises EditError.
    """
    if landing.edge is not None:
        moved = shown.move(graph, _room(shown.graph, landing))
        return shown.insert(moved, landing.edge, layer, landing.x, landing.y)
    graph, new = edit.add_node(graph, layer, landing.x, landing.y)
    if landing.source is not None:
        graph = edit.connect(graph, shown.out(landing.source), new, layer.ports[0])
    if landing.target is not None:
        graph = shown.connect(graph, new, *landing.target)
    return graph, new


def _room(graph: Graph, landing: Landing) -> dict[str, tuple[float, float]]:
    """Push the nodes of the row that stand behind the landing to the right, as far as it needs."""
    row = [
        n
        for n in graph.nodes
        if abs(n.y - landing.y) < NODE_H and n.x + NODE_W > landing.x and n.id != landing.edge.source
    ]
    touching = [n for n in row if n.x < landing.x + NODE_W + GAP_X]
    if not touching:
        return {}
    by = landing.x + NODE_W + GAP_X - min(n.x for n in touching)
    return {n.id: (n.x + by, n.y) for n in _pushed(row, by)}


def _pushed(row: Iterable, by: float) -> list:
    """The nodes of a row, in order, until a gap takes up the push."""
    found = []
    end = None
    for node in sorted(row, key=lambda n: n.x):
        if end is not None and node.x >= end + by + GAP_X:
            break
        found.append(node)
        end = node.x + NODE_W
    return found
