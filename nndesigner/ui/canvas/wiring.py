"""Drawing wires: from a port in either direction, or by an end of a wire that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from nndesigner.graph import edit
from nndesigner.graph.model import Edge, Graph
from nndesigner.spec import ShapeError
from nndesigner.ui.canvas.edge_item import EdgeItem
from nndesigner.ui.canvas.geometry import path_of, plain_wire
from nndesigner.ui.canvas.gestures import Gesture, Pointer
from nndesigner.ui.canvas.overlay import BubbleItem, WirePreview

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView

#: a wire is taken by its end within this distance of the port, in pixels of the screen
END_REACH = 34.0


class DrawWire(Gesture):
    """Draws a wire from a port to a port that fits; over empty canvas the quick menu makes the layer at its other end.

    With `edge`, the wire that is there follows the pointer by one end, and letting go over nothing deletes it.
    """

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, view: CanvasView, start: Pointer, node_id: str, port: str, edge: Edge | None = None) -> None:
        super().__init__(view, start)
        self._node, self._port, self._edge = node_id, port, edge
        #: the fixed end is an output
        self._forward = port == ""
        self._preview: WirePreview | None = None
        self._bubble: BubbleItem | None = None
        self._target: tuple[str, str] | None = None
        self._reason = ""

    def move(self, at: Pointer) -> None:
        if self._preview is None:
            if not self._far_enough(at):
                return
            self._begin()
        self._aim(at)
        self.view.reveal(at.view)

    def finish(self, at: Pointer) -> None:
        if self._preview is None:
            if self._edge is not None:
                self.view.choose_edge(self._edge, at)
            return
        self._aim(at)
        target, reason, anything = self._target, self._reason, self._anything(at)
        self._end()
        if target is not None:
            if reason:
                self.view.refusal.say(reason, at.scene)
            else:
                self._wire(*target)
        elif self._edge is not None:
            edge, shown = self._edge, self.board.drawn
            self.document.edit_graph("Delete the wire", lambda graph: shown.disconnect(graph, edge))
        elif not anything:
            if self._forward:
                self.view.add_menu.open(at.scene, source=self._node)
            else:
                self.view.add_menu.open(at.scene, target=(self._node, self._port))

    def cancel(self) -> None:
        self._end()

    def survives(self, graph: Graph) -> bool:
        return self._node in self.board.nodes and (self._edge is None or self._edge in self.board.edges)

    # --- inside ---

    def _begin(self) -> None:
        self._preview, self._bubble = WirePreview(), BubbleItem()
        self.board.addItem(self._preview)
        self.board.addItem(self._bubble)
        if self._edge is not None:
            self.board.edges[self._edge].hide()
        graph = self._graph()
        closed = _reached(graph, self._node, backwards=self._forward)
        for node_id, item in self.board.nodes.items():
            layer = graph.node(node_id).layer
            if node_id in closed:
                ports: frozenset[str] = frozenset()
            elif self._forward:
                ports = frozenset(layer.ports)
            else:
                ports = frozenset({""}) if layer.emits else frozenset()
            item.light(ports, dim=not ports and node_id != self._node)
        self.board.nodes[self._node].set_hot_port(self._port)

    def _end(self) -> None:
        if self._preview is None:
            return
        self.board.removeItem(self._preview)
        self.board.removeItem(self._bubble)
        self._preview = self._bubble = None
        if self._edge is not None and self._edge in self.board.edges:
            self.board.edges[self._edge].show()
        for item in self.board.nodes.values():
            item.light(frozenset())
            item.set_hot_port(None)

    def _graph(self) -> Graph:
        """What is drawn, without the wire that is held."""
        graph = self.board.graph
        return edit.disconnect(graph, self._edge) if self._edge is not None else graph

    def _anything(self, at: Pointer) -> bool:
        return self.board.node_at(at.scene) is not None

    def _aim(self, at: Pointer) -> None:
        """Find the port under the pointer (a node's body stands for its best port) and say what would happen."""
        found = self.board.port_at(at.scene)
        if found is not None and (found[0] == self._node or (found[1] == "") == self._forward):
            found = None  # the same kind of end: the body below may still have the other
        if found is None:
            found = self._port_of_body(at.scene)
        if self._target is not None and self._target != found and self._target[0] in self.board.nodes:
            self.board.nodes[self._target[0]].set_hot_port(None)
        if found != self._target:
            self._target = found
            self._reason = self._why_not(found) if found is not None else ""
        end = at.scene
        if found is not None and not self._reason:
            self.board.nodes[found[0]].set_hot_port(found[1])
            end = self.board.port_place(*found)
        fixed = self.board.port_place(self._node, self._port)
        curves = plain_wire(fixed, end) if self._forward else plain_wire(end, fixed)
        self._preview.setPath(path_of(curves))
        self._preview.set_good(not self._reason)
        if self._reason:
            self._bubble.say(self._reason, at.scene, "error")
        elif found is not None:
            advice = self._advice(found)
            self._bubble.say(advice or self._port_name(found), at.scene, "warning" if advice else "")
        elif self._edge is not None:
            self._bubble.say("Let go to delete the wire", at.scene)
        else:
            self._bubble.say("Let go to add a layer here" if not self._anything(at) else "", at.scene)

    def _port_of_body(self, at: QPointF) -> tuple[str, str] | None:
        item = self.board.node_at(at)
        if item is None or item.node_id == self._node:
            return None
        if not self._forward:
            return item.node_id, ""
        ports = self.board.graph.node(item.node_id).layer.ports
        taken = {e.port for e in self._graph().incoming[item.node_id]}
        return item.node_id, next((p for p in ports if p not in taken), ports[0] if ports else "in")

    def _ends(self, found: tuple[str, str]) -> tuple[str, str, str]:
        """Source, target and port of the wire that would be."""
        return (self._node, *found) if self._forward else (found[0], self._node, self._port)

    def _why_not(self, found: tuple[str, str]) -> str:
        """Asked of the real layers: what is drawn of a group that is left and entered again looks like a circle."""
        (source, target, port), shown, graph = self._ends(found), self.board.drawn, self.document.graph
        if self._edge is not None:
            graph = shown.disconnect(graph, self._edge)
        if source == target:
            return f"{self.board.graph.node(source).title} cannot feed itself."
        reasons = (edit.why_not(graph, shown.out(source), *end) for end in shown.into(target, port))
        return next(filter(None, reasons), "")

    def _advice(self, found: tuple[str, str]) -> str:
        """What the target will complain about. The wire is allowed: the cure is often one more layer."""
        source, target, _ = self._ends(found)
        layer = self.board.graph.node(target).layer
        shape = self.document.checked.shapes.get(self.board.drawn.out(source))
        if (
            shape is None
            or len(layer.ports) != 1
            or layer.many
            or not layer.emits
            or not hasattr(layer, "output_shape")
        ):
            return ""
        try:
            layer.output_shape(shape)
        except ShapeError as error:
            return f"{self.board.graph.node(target).title} {error}"
        return ""

    def _port_name(self, found: tuple[str, str]) -> str:
        node_id, port = found if self._forward else (self._node, self._port)
        node = self.board.graph.node(node_id)
        if node_id in self.board.drawn.boxes and port:
            node = self.document.graph.node(self.board.drawn.into(node_id, port)[0][0])
            return node.title
        return f"{node.title}: {port}" if len(node.layer.ports) > 1 else ""

    def _wire(self, node_id: str, port: str) -> None:
        source, target, port = self._ends((node_id, port))
        edge, shown = self._edge, self.board.drawn
        if edge is None:
            names = [self.board.graph.node(i).title for i in (source, target)]
            self.document.edit_graph(f"Wire {names[0]} to {names[1]}", lambda g: shown.connect(g, source, target, port))
        elif self._forward:
            self.document.edit_graph("Rewire", lambda graph: shown.replace_target(graph, edge, target, port))
        else:
            self.document.edit_graph("Rewire", lambda graph: shown.replace_source(graph, edge, source))


class PressWire(Gesture):
    """A press on a wire: near an end the wire is taken by it once the pointer moves, otherwise it is selected."""

    def __init__(self, view: CanvasView, start: Pointer, item: EdgeItem) -> None:
        super().__init__(view, start)
        self._edge = item.edge
        view.choose_edge(item.edge, start)

    def move(self, at: Pointer) -> None:
        if not self._far_enough(at) or self._edge not in self.board.edges:
            return
        begin = self.board.port_place(self._edge.source, "")
        end = self.board.port_place(self._edge.target, self._edge.port)
        to_begin, to_end = ((p - self.start.scene).manhattanLength() * self.board.zoom for p in (begin, end))
        if min(to_begin, to_end) > END_REACH:
            return
        by_end = to_end <= to_begin
        fixed = (self._edge.source, "") if by_end else (self._edge.target, self._edge.port)
        self.view.hand_over(DrawWire(self.view, self.start, *fixed, edge=self._edge), at)


def _reached(graph: Graph, node_id: str, backwards: bool) -> set[str]:
    """The node and all that lead to it (or that it leads to): a wire between them would close a circle."""
    seen, todo = {node_id}, [node_id]
    while todo:
        at = todo.pop()
        for edge in graph.incoming[at] if backwards else graph.outgoing[at]:
            other = edge.source if backwards else edge.target
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen
