"""The drawing as a frozen value. Equal graphs are equal values; edits (`edit.py`) return a new graph."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from nndesigner.layers import Layer
from nndesigner.spec import UnknownKind

#: size of a node on the canvas, and the gaps between nodes that are placed automatically, in scene units
NODE_W, NODE_H = 160, 126
GAP_X, GAP_Y = 32, 68
#: colours that a group or a note can have
COLOURS = ("grey", "blue", "teal", "green", "yellow", "orange", "pink", "purple")


@dataclass(frozen=True)
class Placeholder:
    """Stands for a layer of a kind that this version does not know. Keeps the file's words so that nothing is lost."""

    data: Mapping[str, Any]
    ports = ("in",)
    many = True
    emits = True
    view = False
    adds_loss = False
    title = "Unknown layer"
    group = "Unknown"
    icon = "mdi6.help-circle-outline"

    @property
    def kind(self) -> str:
        return str(self.data.get("kind", ""))

    def to_json(self) -> dict[str, Any]:
        return dict(self.data)

    def summary(self) -> str:
        return self.kind

    def __hash__(self) -> int:
        return hash(self.kind)


@dataclass(frozen=True, slots=True)
class Node:
    """One layer on the canvas. `x`, `y` are the top left corner in scene units (pixels at 100 %)."""

    id: str
    layer: Layer | Placeholder
    x: float = 0.0
    y: float = 0.0
    #: name given by the user; empty: the layer's title
    name: str = ""

    @property
    def title(self) -> str:
        return self.name or self.layer.title


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """A wire from the output of `source` to port `port` of `target`.

    Order among wires of one port is the order in the graph.
    """

    source: str
    target: str
    port: str = "in"


@dataclass(frozen=True, slots=True)
class Group:
    """Layers that belong together on the canvas. A drawing only: nothing is computed otherwise. A node is in one group
    at most. `colour` is a name of `COLOURS`; empty is the quiet one."""

    id: str
    members: tuple[str, ...]
    title: str = "Group"
    folded: bool = False
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A text on the canvas. `x`, `y` are its top left corner."""

    id: str
    text: str
    x: float
    y: float
    w: float = 200.0
    h: float = 96.0
    colour: str = "yellow"


@dataclass(frozen=True)
class Graph:
    """Nodes and edges, in order, and what is drawn around them.

    Node ids are "n1", "n2", ..., those of groups "g3", of notes "t4"; no number is used again within a graph's life.
    """

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    #: number of the next id
    next_id: int = 1
    groups: tuple[Group, ...] = ()
    notes: tuple[Note, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        return MappingProxyType({n.id: n for n in self.nodes})

    @cached_property
    def incoming(self) -> Mapping[str, tuple[Edge, ...]]:
        """Edges that end at a node, in the graph's order."""
        found: dict[str, list[Edge]] = {n.id: [] for n in self.nodes}
        for edge in self.edges:
            found[edge.target].append(edge)
        return MappingProxyType({k: tuple(v) for k, v in found.items()})

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[Edge, ...]]:
        """Edges that begin at a node, in the graph's order."""
        found: dict[str, list[Edge]] = {n.id: [] for n in self.nodes}
        for edge in self.edges:
            found[edge.source].append(edge)
        return MappingProxyType({k: tuple(v) for k, v in found.items()})

    @cached_property
    def group_of(self) -> Mapping[str, Group]:
        """Group of each node that is in one."""
        return MappingProxyType({member: group for group in self.groups for member in group.members})

    def node(self, node_id: str) -> Node:
        """The node with this id. Raises KeyError."""
        return self.by_id[node_id]

    def derived(
        self, nodes: tuple[Node, ...], edges: tuple[Edge, ...], next_id: int, wired: Collection[str] = (),
        groups: tuple[Group, ...] | None = None, notes: tuple[Note, ...] | None = None,
    ) -> Graph:
        """A graph with other contents that takes over the look-up tables of this one, so that an edit stays cheap.

        `wired` must hold the ids of all nodes that came, went, or have other wires than before. New nodes stand last.
        Groups and notes stay as they are unless they are given.
        """
        graph = Graph(nodes, edges, next_id, self.groups if groups is None else groups,
                      self.notes if notes is None else notes)
        known = graph.__dict__  # where cached_property keeps its values
        if nodes is self.nodes:
            known["by_id"] = self.by_id
        if not wired:
            known["incoming"], known["outgoing"] = self.incoming, self.outgoing
            return graph
        incoming, outgoing = self.incoming.copy(), self.outgoing.copy()
        ending: dict[str, list[Edge]] = {i: [] for i in wired if i in graph.by_id}
        beginning: dict[str, list[Edge]] = {i: [] for i in ending}
        for edge in edges:
            if edge.target in ending:
                ending[edge.target].append(edge)
            if edge.source in beginning:
                beginning[edge.source].append(edge)
        for i in wired:
            if i in ending:
                incoming[i], outgoing[i] = tuple(ending[i]), tuple(beginning[i])
            else:
                del incoming[i], outgoing[i]
        known["incoming"], known["outgoing"] = MappingProxyType(incoming), MappingProxyType(outgoing)
        return graph

    def to_json(self) -> dict[str, Any]:
        return {
            "nodes": [{"id": n.id, "layer": n.layer.to_json(), "x": n.x, "y": n.y, "name": n.name} for n in self.nodes],
            "edges": [[e.source, e.target, e.port] for e in self.edges],
            "next_id": self.next_id,
            "groups": [{**asdict(g), "members": list(g.members)} for g in self.groups],
            "notes": [asdict(n) for n in self.notes],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Graph:
        """Read what `to_json` wrote. Unknown kinds become placeholders.

        Raises ValueError (also pydantic.ValidationError, KeyError is turned into it) for anything that is no graph.
        """
        try:
            nodes = tuple(
                Node(str(n["id"]), _layer(n["layer"]), float(n["x"]), float(n["y"]), str(n.get("name", "")))
                for n in value["nodes"]
            )
            edges = tuple(Edge(str(s), str(t), str(p)) for s, t, p in value["edges"])
            next_id = int(value["next_id"])
            groups = tuple(
                Group(str(g["id"]), tuple(map(str, g["members"])), str(g["title"]), bool(g["folded"]), str(g["colour"]))
                for g in value.get("groups", ())
            )
            notes = tuple(
                Note(str(n["id"]), str(n["text"]), *(float(n[k]) for k in "xywh"), str(n["colour"]))
                for n in value.get("notes", ())
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"This is no network drawing: {error!r}.") from error
        ids = {n.id for n in nodes}
        if len(ids) != len(nodes):
            raise ValueError("Two layers of the drawing have the same id.")
        if any(e.source not in ids or e.target not in ids for e in edges):
            raise ValueError("A wire of the drawing ends at a layer that does not exist.")
        if len(set(edges)) != len(edges):
            raise ValueError("The drawing holds the same wire twice.")
        if not all(math.isfinite(n.x) and math.isfinite(n.y) for n in nodes):
            raise ValueError("A layer of the drawing lies at no place.")
        if not all(math.isfinite(v) for n in notes for v in (n.x, n.y, n.w, n.h)):
            raise ValueError("A note of the drawing lies at no place.")
        members = [i for g in groups for i in g.members]
        if not ids.issuperset(members) or len(set(members)) != len(members) or not all(g.members for g in groups):
            raise ValueError("A group of the drawing is empty, or holds a layer that is elsewhere.")
        every = [*ids, *(g.id for g in groups), *(n.id for n in notes)]
        if len(set(every)) != len(every):
            raise ValueError("Two things of the drawing have the same id.")
        if any(int(i[1:]) >= next_id for i in every if re.fullmatch("[ngt][0-9]{1,9}", i)):
            raise ValueError("The drawing would give a new layer the id of an old one.")
        return cls(nodes, edges, next_id, groups, notes)


def _layer(data: Mapping[str, Any]) -> Layer | Placeholder:
    try:
        return Layer.from_json(data)
    except UnknownKind:
        return Placeholder(MappingProxyType(dict(data)))
