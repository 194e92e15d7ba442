"""What is drawn of a graph with folded groups: one box in place of each group's layers, wires end at its ports.

The drawn graph has the same form as the real one, so whatever shows a graph shows this one. Its edits are told in terms
of boxes and done to the layers behind them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from nndesigner.graph import edit
from nndesigner.graph.grouping import find_group, set_group
from nndesigner.graph.model import GAP_X, NODE_H, NODE_W, Edge, Graph, Group, Node, Placeholder
from nndesigner.layers import Layer

#: room between an open group's nodes and its frame, and between them and the frame's top, where the title stands
PAD, HEAD = 16, 40

Rect = tuple[float, float, float, float]


@dataclass(frozen=True)
class Folded:
    """Stands for a folded group's layers in the drawn graph. A port is a source outside, or an open port inside."""

    of: Group
    ports: tuple[str, ...]
    emits: bool
    kind = "group"
    many = False
    view = False
    adds_loss = False
    group = "Group"
    icon = "mdi6.group"

    @property
    def title(self) -> str:
        return self.of.title

    def summary(self) -> str:
        count = len(self.of.members)
        return f"{count} layer" if count == 1 else f"{count} layers"


@dataclass(frozen=True, eq=False)
class Drawn:
    """The drawn graph, and what stands behind its boxes and wires."""

    graph: Graph
    #: group of each box, by its id, which is the group's
    boxes: Mapping[str, Group] = field(default_factory=dict)
    #: box of each node that is not drawn itself
    hidden: Mapping[str, str] = field(default_factory=dict)
    #: real wires behind a drawn one, where they differ from it
    wires: Mapping[Edge, tuple[Edge, ...]] = field(default_factory=dict)
    #: (box, port) -> the real ports behind it
    ends: Mapping[tuple[str, str], tuple[tuple[str, str], ...]] = field(default_factory=dict)
    #: node whose output is the box's
    exits: Mapping[str, str] = field(default_factory=dict)

    def members(self, item: str) -> tuple[str, ...]:
        """The nodes that a drawn node stands for."""
        return self.boxes[item].members if item in self.boxes else (item,)

    def real(self, items: Iterable[str]) -> tuple[str, ...]:
        """The nodes that drawn nodes stand for."""
        return tuple(node for item in items for node in self.members(item))

    def items(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """The drawn nodes that show these nodes, each once."""
        return tuple(dict.fromkeys(self.hidden.get(node, node) for node in nodes))

    def out(self, item: str) -> str:
        """The node that gives what a drawn node gives; a box that gives nothing is shown by its last layer."""
        return self.exits.get(item) or self.members(item)[-1]

    def into(self, item: str, port: str) -> tuple[tuple[str, str], ...]:
        """The real ports behind a drawn one."""
        return self.ends.get((item, port), ((item, port),))

    def behind(self, edge: Edge) -> tuple[Edge, ...]:
        """The real wires behind a drawn one."""
        return self.wires.get(edge, (edge,))

    # --- edits of the real graph, told by what is drawn ---

    def move(self, graph: Graph, places: Mapping[str, tuple[float, float]]) -> Graph:
        """Put drawn nodes at new places; the layers of a box keep their places within it."""
        real = {}
        for item, (x, y) in places.items():
            box = self.graph.node(item)
            for node_id in self.members(item):
                node = graph.node(node_id)
                real[node_id] = (node.x + x - box.x, node.y + y - box.y)
        return edit.move(graph, real)

    def connect(self, graph: Graph, source: str, target: str, port: str) -> Graph:
        """Draw a wire. At a port of a box it takes the place of the wire that is there."""
        source = self.out(source)
        if target not in self.boxes:
            return edit.connect(graph, source, target, port)
        there = [real for edge in self.graph.incoming[target] if edge.port == port for real in self.behind(edge)]
        for wire in there:
            graph = edit.replace_source(graph, wire, source)
        for node, node_port in () if there else self.into(target, port):
            graph = edit.connect(graph, source, node, node_port)
        return graph

    def disconnect(self, graph: Graph, edge: Edge) -> Graph:
        """Take a drawn wire away."""
        for wire in self.behind(edge):
            graph = edit.disconnect(graph, wire)
        return graph

    def replace_source(self, graph: Graph, edge: Edge, source: str) -> Graph:
        """Let a drawn wire begin elsewhere."""
        for wire in self.behind(edge):
            graph = edit.replace_source(graph, wire, self.out(source))
        return graph

    def replace_target(self, graph: Graph, edge: Edge, target: str, port: str) -> Graph:
        """Let a drawn wire end elsewhere."""
        first, *others = self.behind(edge)
        if not others and target not in self.boxes:
            return edit.replace_target(graph, first, target, port)
        if (target, port) == (edge.target, edge.port):
            return graph
        return self.connect(self.disconnect(graph, edge), first.source, target, port)

    def insert(
        self, graph: Graph, edge: Edge, layer: Layer | Placeholder, x: float, y: float
    ) -> tuple[Graph, str]:
        """Put a layer into a drawn wire. Returns the graph and the new node's id."""
        first, *others = self.behind(edge)
        graph, new = edit.insert_on_edge(graph, first, layer, x, y)
        for wire in others:
            graph = edit.replace_source(graph, wire, new)
        return graph, new


def redrawn(graph: Graph, before: Graph, shown: Drawn) -> Drawn:
    """`drawn`, with what `shown` has of the graph `before` taken over where only places and parameters changed."""
    if graph.edges is not before.edges or graph.groups is not before.groups or len(graph.nodes) != len(before.nodes):
        return drawn(graph)
    changed = {n.id: n for n, old in zip(graph.nodes, before.nodes) if n is not old}
    for i, node in changed.items():
        old = before.by_id.get(i)
        if old is None or (node.layer.ports, node.layer.emits) != (old.layer.ports, old.layer.emits):
            return drawn(graph)
    if not shown.boxes:
        return Drawn(graph)
    for box in {shown.hidden[i] for i in changed if i in shown.hidden}:
        x, y, _, _ = frame(graph, shown.boxes[box])
        changed[box] = replace(shown.graph.node(box), x=x, y=y)
    nodes = tuple(changed.get(n.id, n) for n in shown.graph.nodes)
    return replace(shown, graph=shown.graph.derived(nodes, shown.graph.edges, graph.next_id))


def drawn(graph: Graph, groups: Collection[Group] | None = None) -> Drawn:
    """What is drawn of a graph when these groups are boxes: usually those that are folded."""
    boxes = {g.id: g for g in (graph.groups if groups is None else groups) if groups is not None or g.folded}
    if not boxes:
        return Drawn(graph)
    hidden = {member: g.id for g in boxes.values() for member in g.members}
    wires: dict[Edge, list[Edge]] = {}
    ports: dict[tuple[str, str], str] = {}  # (box, drawn source) -> name of the port
    ends: dict[tuple[str, str], list[tuple[str, str]]] = {}
    leaving: dict[str, set[str]] = {}
    for edge in graph.edges:
        source, target, port = hidden.get(edge.source, edge.source), hidden.get(edge.target, edge.target), edge.port
        if source == target:
            continue
        if source != edge.source:
            leaving.setdefault(source, set()).add(edge.source)
        if target != edge.target:
            port = ports.setdefault((target, source), f"{edge.target}.{edge.port}")
            ends.setdefault((target, port), []).append((edge.target, edge.port))
        wires.setdefault(Edge(source, target, port), []).append(edge)
    nodes: dict[str, Node] = {}
    exits: dict[str, str] = {}
    for node in graph.nodes:
        box = hidden.get(node.id)
        if box is None:
            nodes[node.id] = node
        elif box not in nodes:
            nodes[box] = _box(graph, boxes[box], ends, leaving.get(box, set()), exits)
    return Drawn(
        Graph(tuple(nodes.values()), tuple(wires), graph.next_id), boxes, hidden,
        {edge: tuple(real) for edge, real in wires.items() if real != [edge]},
        {key: tuple(real) for key, real in ends.items()}, exits)


def _box(
    graph: Graph, group: Group, ends: dict[tuple[str, str], list[tuple[str, str]]], leaving: set[str],
    exits: dict[str, str],
) -> Node:
    """The node that stands for a group; notes its open ports and its exit."""
    fed = {port for (box, port) in ends if box == group.id}
    ports = []
    for member in group.members:
        layer = graph.node(member).layer
        taken = {e.port for e in graph.incoming[member]}
        for port in layer.ports:
            name = f"{member}.{port}"
            if port not in taken:
                ends[group.id, name] = [(member, port)]
            if port not in taken or name in fed:
                ports.append(name)
    last = leaving or {m for m in group.members if graph.node(m).layer.emits and not graph.outgoing[m]}
    if last:
        exits[group.id] = [m for m in group.members if m in last][-1]
    x, y, _, _ = frame(graph, group)
    return Node(group.id, Folded(group, tuple(ports), bool(last)), x, y)


def frame(graph: Graph, group: Group, places: Mapping[str, tuple[float, float]] | None = None) -> Rect:
    """Corner and size of the frame around a group's nodes. `places` stand in for their own while they are dragged."""
    corners = [(n.x, n.y) if places is None else places[n.id] for n in map(graph.node, group.members)]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    right, bottom = max(x for x, _ in corners) + NODE_W, max(y for _, y in corners) + NODE_H
    return left - PAD, top - HEAD, right - left + 2 * PAD, bottom - top + HEAD + PAD


def fold(graph: Graph, group_id: str) -> Graph:
    """Draw a group as one box, at the corner of its frame. Nothing else moves."""
    return set_group(graph, group_id, folded=True)


def unfold(graph: Graph, group_id: str) -> Graph:
    """Draw the layers of a group. What stands in the way moves: to the right in the same row, or down below it."""
    group = find_group(graph, group_id)
    if not group.folded:
        return graph
    shown = drawn(graph)
    x, y, w, h = frame(graph, group)
    units = _units(graph, shown, group_id)
    below = [u for u in units if u[1][1] >= y + NODE_H]
    beside = [u for u in units if u[1][1] < y + NODE_H and u[1][0] >= x + NODE_W and u[1][1] + u[1][3] > y]
    moves: dict[str, tuple[float, float]] = {}
    for found, dx, dy in ((below, 0.0, h - NODE_H), (beside, w - NODE_W, 0.0)):
        if any(_overlap(rect, (x, y, w, h)) for _, rect in found):
            for items, _ in found:
                for item in items:
                    moves[item] = (shown.graph.node(item).x + dx, shown.graph.node(item).y + dy)
    return set_group(shown.move(graph, moves), group_id, folded=False)


def make_room(graph: Graph, x: float, y: float, but: str = "") -> Graph:
    """Push what stands in the place of a node at (x, y), and what is right of it in its row, to the right."""
    shown = drawn(graph)
    units = [u for u in _units(graph, shown, but) if u[1][1] < y + NODE_H and u[1][1] + u[1][3] > y]
    behind = [u for u in units if u[1][0] + u[1][2] > x]
    if not any(_overlap(rect, (x, y, NODE_W, NODE_H)) for _, rect in behind):
        return graph
    by = x + NODE_W + GAP_X - min(rect[0] for _, rect in behind)
    items = [shown.graph.node(item) for ids, _ in behind for item in ids]
    return shown.move(graph, {n.id: (n.x + by, n.y) for n in items})


def _units(graph: Graph, shown: Drawn, but: str) -> list[tuple[tuple[str, ...], Rect]]:
    """What moves as one: open groups, and drawn nodes in none."""
    found: list[tuple[tuple[str, ...], Rect]] = []
    for group in graph.groups:
        if not group.folded:
            found.append((group.members, frame(graph, group)))
    for node in shown.graph.nodes:
        if node.id != but and node.id not in graph.group_of:
            found.append(((node.id,), (node.x, node.y, NODE_W, NODE_H)))
    return found


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
