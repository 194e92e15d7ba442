"""The items of the canvas. Follows the document by difference; never edits it, and owns every item in a dict by id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtWidgets import QGraphicsScene

from nndesigner.graph.check import Checked, Problem
from nndesigner.graph.folding import Drawn, frame, redrawn
from nndesigner.graph.model import Edge, Graph, Node
from nndesigner.ui import theme
from nndesigner.ui.canvas.edge_item import EdgeItem
from nndesigner.ui.canvas.face import Face, box_face, box_facts, face_of, facts
from nndesigner.ui.canvas.geometry import (
    FAR,
    NODE_H,
    NODE_W,
    PORT_REACH,
    Boxes,
    in_port,
    node_rect,
    out_port,
    path_of,
    wire,
)
from nndesigner.ui.canvas.group_item import GroupItem
from nndesigner.ui.canvas.node_item import NodeItem, Ports
from nndesigner.ui.canvas.note_item import NoteItem
from nndesigner.ui.document import Document

if TYPE_CHECKING:
    from nndesigner.insight.probe import NodePicture
    from nndesigner.ui.canvas.thumbnails import Curves

#: from this many moved nodes on, all wires are led anew instead of asking which are touched
_MANY = 60


class CanvasScene(QGraphicsScene):
    """Nodes, wires, groups and notes of the document's drawing. A folded group is a node here, under the group's id."""

    #: which wires are selected changed
    edges_selected = Signal()
    #: nodes came, went or moved for good
    places_changed = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        #: zoom of the view, and whether it rests (nodes are then painted sharp)
        self.zoom = 1.0
        self.settled = True
        self.nodes: dict[str, NodeItem] = {}
        self.edges: dict[Edge, EdgeItem] = {}
        #: frames of the open groups, and notes
        self.frames: dict[str, GroupItem] = {}
        self.notes: dict[str, NoteItem] = {}
        self._real = Graph()
        self.drawn = Drawn(self._real)
        #: what is drawn: the document's graph with a box in place of each folded group
        self.graph = self._real
        self._checked: Checked | None = None
        #: where nodes stand on the screen, also while they are dragged
        self._places: dict[str, tuple[float, float]] = {}
        self._boxes: Boxes | None = None
        #: what the faces were made of
        self._known: dict[str, tuple] = {}
        self._selected_edges: frozenset[Edge] = frozenset()
        self._hovered: NodeItem | EdgeItem | None = None
        document.changed.connect(self._follow)
        document.checked_changed.connect(self._follow)
        document.selection_changed.connect(self._show_selection)
        theme.notifier.changed.connect(self._show_theme)
        self._follow()
        self._show_selection()

    # --- asking ---

    @property
    def boxes(self) -> Boxes:
        """Bodies of the nodes as they stand now."""
        if self._boxes is None:
            self._boxes = Boxes((i, x, y) for i, (x, y) in self._places.items())
        return self._boxes

    @property
    def selected_edges(self) -> frozenset[Edge]:
        return self._selected_edges

    @property
    def hovered(self) -> NodeItem | EdgeItem | None:
        return self._hovered

    def place(self, node_id: str) -> tuple[float, float]:
        """Corner of a node as it stands now."""
        return self._places[node_id]

    def extent(self, ids: Iterable[str] | None = None) -> QRectF:
        """Rectangle around nodes, or what shows them (around all, with frames and notes, without `ids`)."""
        shown = () if ids is None else self.drawn.items(ids)
        corners = self.boxes.corners if ids is None else np.array([self._places[i] for i in shown if i in self._places])
        area = QRectF()
        if len(corners):
            (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
            area = QRectF(left, top, right - left + NODE_W, bottom - top + NODE_H)
        for item in (*self.frames.values(), *self.notes.values()) if ids is None else ():
            area = area.united(item.area)
        return area

    def node_at(self, at: QPointF) -> NodeItem | None:
        """The uppermost node whose body holds the point."""
        found = [self.nodes[i] for i, _, _ in self.boxes.within(at.x(), at.y(), at.x(), at.y())]
        return max(found, key=lambda item: item.zValue(), default=None)

    def frame_at(self, at: QPointF) -> GroupItem | None:
        """The open group whose title holds the point."""
        return next((item for item in self.frames.values() if item.title_area.contains(at)), None)

    def note_at(self, at: QPointF) -> NoteItem | None:
        """The uppermost note that holds the point."""
        return next((item for item in reversed(self.notes.values()) if item.area.contains(at)), None)

    def nodes_in(self, area: QRectF) -> list[str]:
        """Nodes whose body touches the area."""
        return [i for i, _, _ in self.boxes.within(area.left(), area.top(), area.right(), area.bottom())]

    def port_at(self, at: QPointF, reach: float | None = None) -> tuple[str, str] | None:
        """The nearest port within reach as (node, port); port "" is the output."""
        reach = PORT_REACH / max(self.zoom, 0.4) if reach is None else reach
        best, best_distance = None, reach * reach
        for node_id, x, y in self.boxes.within(at.x() - reach, at.y() - reach, at.x() + reach, at.y() + reach):
            ports = self.nodes[node_id].ports
            outputs = [("", ports.output)] if ports.output is not None else []
            for name, place in (*ports.inputs, *outputs):
                distance = (at.x() - x - place.x()) ** 2 + (at.y() - y - place.y()) ** 2
                if distance <= best_distance:
                    best, best_distance = (node_id, name), distance
        return best

    def port_place(self, node_id: str, port: str) -> QPointF:
        """Where a port stands now."""
        node = self.graph.node(node_id)
        x, y = self._places[node_id]
        return out_port(node, x, y) if port == "" else in_port(node, port, x, y)

    def edge_at(self, at: QPointF) -> EdgeItem | None:
        """A wire whose hit area holds the point. At small zoom the area grows with the pixels."""
        reach = max(1.0, 4.0 / self.zoom - 4.0)
        area = QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach)
        return next((item for item in self.items(area) if isinstance(item, EdgeItem) and item.edge in self.edges), None)

    def set_zoom(self, zoom: float) -> None:
        """The view's zoom, which changes and has not come to rest."""
        if (zoom < FAR) != (self.zoom < FAR):
            for item in self.edges.values():
                item.set_far(zoom < FAR)
        self.zoom, self.settled = zoom, False

    # --- gestures show their doing ---

    def displace(self, places: Mapping[str, tuple[float, float]]) -> None:
        """Show nodes elsewhere while they are dragged; their wires follow."""
        for node_id, (x, y) in places.items():
            if node_id in self.nodes:
                self._places[node_id] = (x, y)
                self.nodes[node_id].setPos(x, y)
                self.boxes.place(node_id, x, y)
        self._lead(self._edges_of(places))
        self._frame({self._real.group_of[i].id for i in places if i in self._real.group_of})

    def put_back(self) -> None:
        """Show every node where the document has it."""
        self.displace({n.id: (n.x, n.y) for n in self.graph.nodes if self._places.get(n.id) != (n.x, n.y)})

    def select_edges(self, edges: Iterable[Edge]) -> None:
        wanted = frozenset(e for e in edges if e in self.edges)
        if wanted != self._selected_edges:
            for edge in self._selected_edges ^ wanted:
                if edge in self.edges:
                    self.edges[edge].set_selected(edge in wanted)
            self._selected_edges = wanted
            self.edges_selected.emit()

    def select_note(self, note_id: str | None) -> None:
        """Choose a note, and nothing else; None for no note."""
        for item in self.notes.values():
            item.set_selected(item.note.id == note_id)
        if note_id is not None:
            self.document.select(())
            self.select_edges(())
        self.edges_selected.emit()

    @property
    def selected_note(self) -> str | None:
        return next((i for i, item in self.notes.items() if item.selected), None)

    def hover(self, item: NodeItem | EdgeItem | None) -> None:
        if item is not self._hovered:
            if self._hovered is not None:
                self._hovered.set_hovered(False)
            self._hovered = item
            if item is not None:
                item.set_hovered(True)

    def show_pictures(self, pictures: Mapping[str, NodePicture | Curves], right: Mapping[str, bool]) -> None:
        """Live pictures by node; nodes without one show none. `right` tells of the answers whether they are true."""
        for node_id, item in self.nodes.items():
            shown = self.drawn.out(node_id)
            item.show_picture(pictures.get(shown), right.get(shown))

    def show_signals(self, strengths: Mapping[str, float]) -> None:
        """Thickness of the wires by the strength, 0 to 1, of what their source sends."""
        for edge, item in self.edges.items():
            item.set_signal(strengths.get(self.drawn.out(edge.source), 0.0))

    # --- following the document ---

    def _follow(self, *_: object) -> None:
        if self.document.graph is not self._real:
            self._show_graph(self.document.graph)
        if self.document.checked is not self._checked:
            self._show_checked()

    def _show_graph(self, real: Graph) -> None:
        old, self._real, self.drawn = self.graph, real, redrawn(real, self._real, self.drawn)
        self.graph = graph = self.drawn.graph
        gone = [i for i in self.nodes if i not in graph.by_id]
        edges = set(graph.edges)
        for edge in [e for e in self.edges if e not in edges]:
            self._drop(self.edges.pop(edge))
        if not edges.issuperset(self._selected_edges):
            self._selected_edges &= edges
            self.edges_selected.emit()
        touched = [node_rect(*self._places[i]) for i in gone]
        for node_id in gone:
            self._drop(self.nodes.pop(node_id))
            del self._places[node_id]
        moved: set[str] = set()
        for node in graph.nodes:
            before = old.by_id.get(node.id)
            if before is node and self._places[node.id] == (node.x, node.y):
                continue
            if before is None:
                self._add_node(node)
            elif before.layer.ports != node.layer.ports or before.layer.emits != node.layer.emits:
                self.nodes[node.id].show_face(self.nodes[node.id].face, _ports(node))
            elif self._places[node.id] == (before.x, before.y) == (node.x, node.y):
                continue  # other parameters or another name: the words follow with the check
            if before is not None:
                touched.append(node_rect(before.x, before.y))
            touched.append(node_rect(node.x, node.y))
            moved.add(node.id)
            self.nodes[node.id].setPos(node.x, node.y)
            self._places[node.id] = (node.x, node.y)
        self._boxes = None
        lead = self._edges_of(moved)
        for edge in edges - self.edges.keys():
            item = EdgeItem(edge)
            item.set_far(self.zoom < FAR)
            self.edges[edge] = item
            self.addItem(item)
            lead.add(edge)
        if len(touched) > _MANY:
            lead = set(self.edges)
        else:
            for area in touched:
                # by bounding rectangle: it also holds what a wire goes around
                near = self.items(area, Qt.ItemSelectionMode.IntersectsItemBoundingRect)
                lead |= {item.edge for item in near if isinstance(item, EdgeItem)}
        self._lead(lead)
        if moved or gone:
            self.places_changed.emit()
        self._show_groups(moved)
        self._show_notes()

    def _show_groups(self, moved: set[str]) -> None:
        """Frames of the open groups; `moved` nodes are elsewhere than before."""
        wanted = {g.id: g for g in self._real.groups if not g.folded}
        for group_id in [i for i in self.frames if i not in wanted]:
            self.removeItem(self.frames.pop(group_id))
        stale = {self._real.group_of[i].id for i in moved if i in self._real.group_of}
        for group_id, group in wanted.items():
            if group_id not in self.frames or self.frames[group_id].group is not group:
                stale.add(group_id)
            if group_id not in self.frames:
                self.frames[group_id] = GroupItem(group)
                self.addItem(self.frames[group_id])
            self.frames[group_id].show_group(group)
            self.frames[group_id].set_selected(set(self.document.selection).issuperset(group.members))
        self._frame(stale)

    def _frame(self, ids: Iterable[str]) -> None:
        for group_id in ids:
            if group_id in self.frames:
                item = self.frames[group_id]
                item.place(QRectF(*frame(self._real, item.group, self._places)))

    def _show_notes(self) -> None:
        wanted = {n.id: n for n in self._real.notes}
        gone = [i for i in self.notes if i not in wanted]
        for note_id in gone:
            self.removeItem(self.notes.pop(note_id))
        for note_id, note in wanted.items():
            if note_id not in self.notes:
                self.notes[note_id] = NoteItem(note)
                self.addItem(self.notes[note_id])
            self.notes[note_id].show_note(note)
        if gone:
            self.edges_selected.emit()

    def _add_node(self, node: Node) -> None:
        item = NodeItem(node.id, self._face(node, []), _ports(node))
        self.nodes[node.id] = item
        self.addItem(item)
        self._known.pop(node.id, None)
        self._checked = None

    def _show_checked(self) -> None:
        checked = self._checked = self.document.checked
        of_node: dict[str, list[Problem]] = defaultdict(list)
        of_edge: dict[Edge, str] = {}
        shown_as = {real: edge for edge, reals in self.drawn.wires.items() for real in reals}
        for problem in checked.problems:
            if problem.node is not None:
                of_node[self.drawn.hidden.get(problem.node, problem.node)].append(problem)
            edge = shown_as.get(problem.edge, problem.edge)
            if edge is not None and of_edge.get(edge) != "error":
                of_edge[edge] = problem.severity
        known, self._known = self._known, {}
        boxes = self.drawn.boxes
        for node in self.graph.nodes:
            problems = of_node.get(node.id, [])
            group = boxes.get(node.id)
            if group is None:
                words = facts(node, checked, problems)
            else:
                words = box_facts(group, self.drawn.out(node.id), checked, problems)
            self._known[node.id] = words
            if known.get(node.id) != words:
                item = self.nodes[node.id]
                item.show_face(self._face(node, problems), item.ports)
        for edge, edge_item in self.edges.items():
            edge_item.set_severity(of_edge.get(edge, ""))

    def _show_selection(self) -> None:
        selection = set(self.document.selection)
        chosen = set(self.drawn.items(selection))
        if chosen:
            self.select_edges(())  # so that Delete never takes more than the person looks at
            self.select_note(None)
        for node_id, item in self.nodes.items():
            item.set_selected(node_id in chosen)
        for item in self.frames.values():
            item.set_selected(selection.issuperset(item.group.members))

    def _show_theme(self) -> None:
        for item in self.nodes.values():
            item.forget_pixels()
        for edge in self.edges.values():
            edge.restyle()
        self.update()

    def _face(self, node: Node, problems: list[Problem]) -> Face:
        group = self.drawn.boxes.get(node.id)
        if group is None:
            return face_of(node, self.document.checked, problems)
        return box_face(group, self.drawn.out(node.id), self.document.checked, problems)

    def _edges_of(self, ids: Iterable[str]) -> set[Edge]:
        found: set[Edge] = set()
        for node_id in ids:
            found.update(self.graph.incoming.get(node_id, ()))
            found.update(self.graph.outgoing.get(node_id, ()))
        return found

    def _lead(self, edges: Iterable[Edge]) -> None:
        boxes = self.boxes
        for edge in edges:
            item = self.edges.get(edge)
            if item is not None:
                start, end = self.port_place(edge.source, ""), self.port_place(edge.target, edge.port)
                item.run(path_of(wire(start, end, edge.source, edge.target, boxes)))

    def _drop(self, item: NodeItem | EdgeItem) -> None:
        if self._hovered is item:
            self._hovered = None
        self.removeItem(item)


def _ports(node: Node) -> Ports:
    corner = QPointF(node.x, node.y)
    inputs = tuple((name, in_port(node, name) - corner) for name in node.layer.ports)
    return Ports(inputs, out_port(node) - corner if node.layer.emits else None)
