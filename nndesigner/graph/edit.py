"""Edits of a drawing: pure functions from Graph to Graph. What is impossible raises EditError with a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from nndesigner.graph.model import GAP_X, GAP_Y, NODE_H, NODE_W, Edge, Graph, Group, Node, Placeholder
from nndesigner.layers import Layer

#: marks a clipboard text as a part of a drawing
CLIP = "nndesigner layers"


class EditError(ValueError):
    """The edit is impossible; the text says why."""


# --- nodes ---


def add_node(graph: Graph, layer: Layer | Placeholder, x: float, y: float, name: str = "") -> tuple[Graph, str]:
    """Put a layer on the canvas. Returns the graph and the new node's id."""
    node = Node(f"n{graph.next_id}", layer, float(x), float(y), name)
    return graph.derived((*graph.nodes, node), graph.edges, graph.next_id + 1, (node.id,)), node.id


def remove_nodes(graph: Graph, ids: Iterable[str], rejoin: bool = False) -> Graph:
    """Take nodes and their wires away. `rejoin` wires what came before to what came after, where ports allow it."""
    gone = {known_node(graph, i).id for i in ids}
    if not gone:
        return graph
    edges: list[Edge] = []
    wired = set(gone)
    taken = {(e.target, e.port) for e in graph.edges if e.source not in gone} if rejoin else set()
    present = set(graph.edges) if rejoin else set()
    for edge in graph.edges:
        if edge.source not in gone and edge.target not in gone:
            edges.append(edge)
            continue
        wired.update((edge.source, edge.target))
        if not rejoin or edge.source not in gone or edge.target in gone:
            continue
        many = graph.node(edge.target).layer.many
        for source in _before(graph, edge.source, gone):
            new = Edge(source, edge.target, edge.port)
            if new not in present and (many or (edge.target, edge.port) not in taken):
                edges.append(new)
                present.add(new)
                taken.add((edge.target, edge.port))
                wired.add(source)
    nodes = tuple(n for n in graph.nodes if n.id not in gone)
    return graph.derived(nodes, tuple(edges), graph.next_id, wired, without_members(graph, gone))


def move(graph: Graph, places: Mapping[str, tuple[float, float]]) -> Graph:
    """Put nodes at new places."""
    return _replaced(graph, {i: replace(known_node(graph, i), x=float(x), y=float(y)) for i, (x, y) in places.items()})


def rename(graph: Graph, node_id: str, name: str) -> Graph:
    """Give a node a name of its own; empty goes back to the layer's title."""
    return _replaced(graph, {node_id: replace(known_node(graph, node_id), name=name.strip())})


def set_params(graph: Graph, node_id: str, **params: Any) -> Graph:
    """Change parameters of a node's layer. Raises pydantic.ValidationError (a ValueError) for values out of range."""
    node = known_node(graph, node_id)
    if isinstance(node.layer, Placeholder):
        raise EditError(f"The parameters of '{node.layer.kind}' cannot be changed: this version does not know it.")
    return _replaced(graph, {node_id: replace(node, layer=node.layer.replaced(**params))})


def set_layer(graph: Graph, node_id: str, layer: Layer) -> Graph:
    """Exchange a node's layer. Wires stay where the new layer has room for them, on ports of its own."""
    node = known_node(graph, node_id)
    changed = _replaced(graph, {node_id: replace(node, layer=layer)})
    ports = list(layer.ports)
    moved: dict[Edge, Edge] = {}
    for edge in graph.incoming[node_id]:
        port = edge.port if edge.port in ports else (ports[0] if ports else None)
        if port is not None:
            moved[edge] = replace(edge, port=port)
            if not layer.many:
                ports.remove(port)
    if layer.emits:
        moved.update((edge, edge) for edge in graph.outgoing[node_id])
    own = {*graph.incoming[node_id], *graph.outgoing[node_id]}
    if all(moved.get(edge) == edge for edge in own):
        return changed
    edges = tuple(moved.get(e) if e in own else e for e in graph.edges)
    wired = {node_id, *(e.source for e in own), *(e.target for e in own)}
    return changed.derived(changed.nodes, tuple(e for e in edges if e is not None), graph.next_id, wired)


# --- wires ---


def why_not(graph: Graph, source: str, target: str, port: str = "in") -> str:
    """Why a wire cannot be drawn, as a sentence; empty when it can."""
    begin, end = known_node(graph, source), known_node(graph, target)
    if source == target:
        return f"{begin.title} cannot feed itself."
    if not begin.layer.emits:
        return f"{begin.title} has no output: it ends the network."
    if not end.layer.ports:
        return f"{end.title} has no input: it begins the network."
    if port not in end.layer.ports:
        return f"{end.title} has no port '{port}': it has {', '.join(end.layer.ports)}."
    if leads_to(graph, target, source):
        return f"{end.title} already leads to {begin.title}: this wire would close a circle."
    return ""


def connect(graph: Graph, source: str, target: str, port: str = "in") -> Graph:
    """Draw a wire. On a port that takes one wire it replaces the one that is there."""
    reason = why_not(graph, source, target, port)
    if reason:
        raise EditError(reason)
    new = Edge(source, target, port)
    there = [e for e in graph.incoming[target] if e.port == port]
    if new in there:
        return graph
    if there and not graph.node(target).layer.many:
        return _rewired(graph, there[0], new)
    return graph.derived(graph.nodes, (*graph.edges, new), graph.next_id, (source, target))


def disconnect(graph: Graph, edge: Edge) -> Graph:
    """Take a wire away."""
    _known(graph, edge)
    edges = tuple(e for e in graph.edges if e != edge)
    return graph.derived(graph.nodes, edges, graph.next_id, (edge.source, edge.target))


def replace_source(graph: Graph, edge: Edge, source: str) -> Graph:
    """Let a wire begin at another node; it keeps its place among the wires of its port."""
    return _rewire_checked(graph, edge, Edge(source, edge.target, edge.port))


def replace_target(graph: Graph, edge: Edge, target: str, port: str = "in") -> Graph:
    """Let a wire end at another port. On a port that takes one wire it replaces the one that is there."""
    return _rewire_checked(graph, edge, Edge(edge.source, target, port))


def insert_on_edge(graph: Graph, edge: Edge, layer: Layer | Placeholder, x: float, y: float) -> tuple[Graph, str]:
    """Put a layer into a wire. Returns the graph and the new node's id."""
    _known(graph, edge)
    if not layer.ports or not layer.emits:
        raise EditError(f"{layer.title} cannot stand within a wire: it needs an input and an output.")
    graph, new = add_node(graph, layer, x, y)
    graph = _rewired(graph, edge, Edge(new, edge.target, edge.port))
    first = Edge(edge.source, new, layer.ports[0])
    group = graph.group_of.get(edge.source)
    groups = graph.groups
    if group is not None and graph.group_of.get(edge.target) is group:  # within a group it belongs to it
        groups = tuple(replace(g, members=(*g.members, new)) if g is group else g for g in groups)
    return graph.derived(graph.nodes, (*graph.edges, first), graph.next_id, (edge.source, new), groups), new


def leads_to(graph: Graph, start: str, end: str) -> bool:
    """Whether a way along wires leads from one node to another, or they are the same."""
    outgoing = graph.outgoing
    seen, todo = {start}, [start]
    while todo:
        node = todo.pop()
        if node == end:
            return True
        for edge in outgoing[node]:
            if edge.target not in seen:
                seen.add(edge.target)
                todo.append(edge.target)
    return False


# --- parts ---


def copy_part(graph: Graph, ids: Iterable[str]) -> dict[str, Any]:
    """Nodes, the wires between them and the groups that are whole among them as plain JSON, for the clipboard."""
    wanted = {known_node(graph, i).id for i in ids}
    nodes = tuple(n for n in graph.nodes if n.id in wanted)
    edges = tuple(e for e in graph.edges if e.source in wanted and e.target in wanted)
    groups = tuple(g for g in graph.groups if wanted.issuperset(g.members))
    return {"clip": CLIP, **Graph(nodes, edges, graph.next_id, groups).to_json()}


def paste(graph: Graph, clip: Any, dx: float = 0.0, dy: float = 0.0) -> tuple[Graph, tuple[str, ...]]:
    """Add what `copy_part` gave, moved by (dx, dy), under new ids. Returns the graph and the ids.

    The clipboard may hold anything, so what is no part of a drawing raises EditError.
    """
    if not isinstance(clip, Mapping) or clip.get("clip") != CLIP:
        raise EditError("The clipboard holds no layers.")
    try:
        part = Graph.from_json(clip)
    except ValueError as error:
        raise EditError(f"The layers in the clipboard cannot be read: {error}") from error
    new = {node.id: f"n{graph.next_id + k}" for k, node in enumerate(part.nodes)}
    nodes = tuple(replace(n, id=new[n.id], x=n.x + dx, y=n.y + dy) for n in part.nodes)
    edges = tuple(replace(e, source=new[e.source], target=new[e.target]) for e in part.edges)
    ids = tuple(new.values())
    next_id = graph.next_id + len(nodes)
    groups = tuple(
        replace(g, id=f"g{next_id + k}", members=tuple(new[i] for i in g.members)) for k, g in enumerate(part.groups)
    )
    return graph.derived(
        (*graph.nodes, *nodes), (*graph.edges, *edges), next_id + len(groups), ids, (*graph.groups, *groups)), ids


def duplicate(graph: Graph, ids: Iterable[str], dx: float, dy: float) -> tuple[Graph, tuple[str, ...]]:
    """Copy nodes and the wires between them, moved by (dx, dy). Returns the graph and the new ids."""
    return paste(graph, copy_part(graph, ids), dx, dy)


def align(graph: Graph, ids: Collection[str], how: Literal["left", "top", "row", "column"]) -> Graph:
    """Line nodes up: "left" and "top" share that edge; "row" and "column" also space them evenly, in order."""
    nodes = [known_node(graph, i) for i in ids]
    if not nodes:
        return graph
    left, top = min(n.x for n in nodes), min(n.y for n in nodes)
    if how == "left":
        return move(graph, {n.id: (left, n.y) for n in nodes})
    if how == "top":
        return move(graph, {n.id: (n.x, top) for n in nodes})
    if how == "row":
        nodes.sort(key=lambda n: (n.x, n.y))
        return move(graph, {n.id: (left + k * (NODE_W + GAP_X), top) for k, n in enumerate(nodes)})
    if how == "column":
        nodes.sort(key=lambda n: (n.y, n.x))
        return move(graph, {n.id: (left, top + k * (NODE_H + GAP_Y)) for k, n in enumerate(nodes)})
    raise EditError(f"Layers cannot be aligned by '{how}'.")


def without_members(graph: Graph, gone: Collection[str]) -> tuple[Group, ...]:
    """The groups when nodes leave them; a group that nobody is in goes away."""
    if not any(i in graph.group_of for i in gone):
        return graph.groups
    left = (replace(g, members=tuple(i for i in g.members if i not in gone)) for g in graph.groups)
    return tuple(group for group in left if group.members)


def known_node(graph: Graph, node_id: str) -> Node:
    """The node with this id. Raises EditError."""
    node = graph.by_id.get(node_id)
    if node is None:
        raise EditError(f"The drawing has no layer '{node_id}' any more.")
    return node


# --- inside ---


def _known(graph: Graph, edge: Edge) -> None:
    if edge not in graph.incoming.get(edge.target, ()):
        raise EditError("The drawing does not have this wire any more.")


def _replaced(graph: Graph, new: Mapping[str, Node]) -> Graph:
    """Nodes exchanged for others with the same ids and wires."""
    if all(graph.by_id[i] == node for i, node in new.items()):
        return graph
    return graph.derived(tuple(new.get(n.id, n) for n in graph.nodes), graph.edges, graph.next_id)


def _rewired(graph: Graph, old: Edge, new: Edge) -> Graph:
    edges = tuple(new if e == old else e for e in graph.edges)
    return graph.derived(graph.nodes, edges, graph.next_id, {old.source, old.target, new.source, new.target})


def _rewire_checked(graph: Graph, old: Edge, new: Edge) -> Graph:
    _known(graph, old)
    if new == old:
        return graph
    reason = why_not(disconnect(graph, old), new.source, new.target, new.port)
    if reason:
        raise EditError(reason)
    there = [e for e in graph.incoming[new.target] if e.port == new.port and e != old]
    if new in there:
        return disconnect(graph, old)
    if there and not graph.node(new.target).layer.many:
        graph = disconnect(graph, there[0])
    return _rewired(graph, old, new)


def _before(graph: Graph, node_id: str, gone: Collection[str]) -> list[str]:
    """The nodes that fed a removed node, looking back through other removed ones; in port order, each once."""
    found: dict[str, None] = {}
    seen, todo = {node_id}, [node_id]
    while todo:
        for edge in graph.incoming[todo.pop(0)]:
            if edge.source not in gone:
                found.setdefault(edge.source)
            elif edge.source not in seen:
                seen.add(edge.source)
                todo.append(edge.source)
    return list(found)
