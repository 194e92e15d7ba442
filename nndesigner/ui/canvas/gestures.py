"""What the mouse does on the canvas, one class a gesture.

A gesture shows its doing through the scene and edits the document once, when it ends. The view makes it, feeds it and
forgets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt

from nndesigner.graph import edit
from nndesigner.graph.model import Edge, Graph
from nndesigner.ui.canvas.edge_item import EdgeItem
from nndesigner.ui.canvas.geometry import NODE_H, NODE_W, Boxes, snap
from nndesigner.ui.canvas.overlay import FrameItem, GuideItem

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView

#: a press becomes a drag after so many pixels of the screen
DRAG_START = 4.0
#: nodes closer than this to another's line show a guide
_IN_LINE = 0.5


@dataclass(frozen=True)
class Pointer:
    """Where the pointer is and which keys are down."""

    view: QPointF
    scene: QPointF
    modifiers: Qt.KeyboardModifier

    @property
    def alt(self) -> bool:
        return bool(self.modifiers & Qt.KeyboardModifier.AltModifier)

    @property
    def shift(self) -> bool:
        return bool(self.modifiers & Qt.KeyboardModifier.ShiftModifier)

    @property
    def ctrl(self) -> bool:
        return bool(self.modifiers & Qt.KeyboardModifier.ControlModifier)


class Gesture:
    """From a press to its release. `move`, then `finish` or `cancel`, and nothing after that."""

    cursor: Qt.CursorShape | None = None

    def __init__(self, view: CanvasView, start: Pointer) -> None:
        self.view = view
        self.board = view.board
        self.document = view.document
        self.start = start

    def move(self, at: Pointer) -> None:
        """The pointer moved (or a modifier key changed)."""

    def finish(self, at: Pointer) -> None:
        """The button was released."""

    def cancel(self) -> None:
        """Esc, or the drawing changed beneath: leave no trace."""

    def survives(self, graph: Graph) -> bool:
        """Whether the gesture still makes sense in a drawing that was changed by something else."""
        return True

    def _far_enough(self, at: Pointer) -> bool:
        return (at.view - self.start.view).manhattanLength() >= DRAG_START


class Pan(Gesture):
    """Drags the canvas itself."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, view: CanvasView, start: Pointer) -> None:
        super().__init__(view, start)
        self._last = start.view

    def move(self, at: Pointer) -> None:
        self.view.pan(at.view - self._last)
        self._last = at.view


class RubberBand(Gesture):
    """Selects what a frame touches. Shift adds, Ctrl toggles; a click without a drag clears the selection."""

    def __init__(self, view: CanvasView, start: Pointer) -> None:
        super().__init__(view, start)
        self._before = view.document.selection
        self._frame: FrameItem | None = None

    def move(self, at: Pointer) -> None:
        if self._frame is None:
            if not self._far_enough(at):
                return
            self._frame = FrameItem()
            self.board.addItem(self._frame)
        area = QRectF(self.start.scene, at.scene).normalized()
        self._frame.setRect(area)
        found = self.board.drawn.real(self.board.nodes_in(area))
        if self.start.ctrl:
            chosen = [i for i in self._before if i not in found] + [i for i in found if i not in self._before]
        elif self.start.shift:
            chosen = [*self._before, *(i for i in found if i not in self._before)]
        else:
            chosen = found
        self.board.select_edges(())
        self.document.select(chosen)
        self.view.reveal(at.view)

    def finish(self, at: Pointer) -> None:
        if self._frame is None and not (self.start.shift or self.start.ctrl):
            self.view.clear_selection()
        self._remove()

    def cancel(self) -> None:
        self._remove()
        self.document.select(self._before)

    def _remove(self) -> None:
        if self._frame is not None:
            self.board.removeItem(self._frame)
            self._frame = None


class MoveNodes(Gesture):
    """Selects what is pressed and drags the selection; one undo step. A lone node let go on a wire is put into it.

    What is pressed is a node, a box with all its layers, or all nodes of an open group.
    """

    def __init__(self, view: CanvasView, start: Pointer, pressed: tuple[str, ...]) -> None:
        super().__init__(view, start)
        self._shown = self.board.drawn
        self._pressed = pressed
        #: the drawn node that is held
        self._node = self._shown.items(pressed)[0]
        self._dragging = False
        self._guide: GuideItem | None = None
        self._over: EdgeItem | None = None
        selection = self.document.selection
        self._was_selected = set(selection).issuperset(pressed)
        self.board.select_edges(())
        self.board.select_note(None)
        others = tuple(i for i in selection if i not in pressed)
        if start.ctrl:
            self.document.select(others if self._was_selected else (*others, *pressed))
        elif start.shift:
            self.document.select(selection if self._was_selected else (*others, *pressed))
        elif not self._was_selected:
            self.document.select(pressed)
        graph = self.board.graph
        self._ids = self._shown.items(self.document.selection)
        self._nodes = {i: self.document.graph.node(i) for i in self.document.selection}
        self._places = {i: (graph.node(i).x, graph.node(i).y) for i in self._ids}
        self._others = Boxes((n.id, n.x, n.y) for n in graph.nodes if n.id not in self._places)

    def move(self, at: Pointer) -> None:
        if not self._dragging:
            if not self._far_enough(at) or self._node not in self._places:
                return
            self._dragging = True
        delta = at.scene - self.start.scene
        x, y = self._places[self._node]
        to_x, to_y = x + delta.x(), y + delta.y()
        if not at.alt:
            to_x, to_y = snap(to_x), snap(to_y)
        self.board.displace({i: (px + to_x - x, py + to_y - y) for i, (px, py) in self._places.items()})
        self._show_guides(to_x, to_y)
        self._show_target(to_x, to_y)
        self.view.reveal(at.view)

    def finish(self, at: Pointer) -> None:
        self._remove()
        if not self._dragging:
            if self._was_selected and not (at.ctrl or at.shift):
                self.document.select(self._pressed)
            return
        places = {i: self.board.place(i) for i in self._ids}
        over, self._over = self._over, None
        if over is not None:
            over.set_hovered(False)
            self._put_into(over.edge, places)
        elif places != self._places:
            one = self.board.graph.node(self._node).title
            text = f"Move {one}" if len(places) == 1 else f"Move {len(self._nodes)} layers"
            self.document.edit_graph(text, lambda graph: self._shown.move(graph, places))
        self.board.put_back()

    def cancel(self) -> None:
        self._remove()
        if self._over is not None:
            self._over.set_hovered(False)
            self._over = None
        self.board.put_back()

    def survives(self, graph: Graph) -> bool:
        unchanged = all(graph.by_id.get(i) is node for i, node in self._nodes.items())
        return unchanged and self.board.drawn.boxes == self._shown.boxes

    def _put_into(self, edge: Edge, places: dict[str, tuple[float, float]]) -> None:
        node, shown = self.document.graph.node(self._node), self._shown

        def change(graph: Graph) -> Graph:
            graph = shown.replace_source(shown.move(graph, places), edge, node.id)
            return edit.connect(graph, shown.out(edge.source), node.id, node.layer.ports[0])

        self.document.edit_graph(f"Put {node.title} into the wire", change)

    def _show_target(self, x: float, y: float) -> None:
        """Light up the wire into which a lone node would be put."""
        graph = self.board.graph
        node = graph.node(self._node)
        loose = node.id not in self._shown.boxes
        loose = loose and len(self._ids) == 1 and not graph.incoming[self._node] and not graph.outgoing[self._node]
        over = None
        if loose and node.layer.ports and node.layer.emits:
            over = self.board.edge_at(QPointF(x + NODE_W / 2, y + NODE_H / 2))
        if over is not self._over:
            if self._over is not None:
                self._over.set_hovered(False)
            self._over = over
            if over is not None:
                over.set_hovered(True)

    def _show_guides(self, x: float, y: float) -> None:
        near = self._others.within(x - 5 * NODE_W, y - 5 * NODE_H, x + 6 * NODE_W, y + 6 * NODE_H)
        rows = [ox for _, ox, oy in near if abs(oy - y) < _IN_LINE]
        columns = [oy for _, ox, oy in near if abs(ox - x) < _IN_LINE]
        lines = []
        if rows:
            middle = y + NODE_H / 2
            lines.append((QPointF(min(*rows, x), middle), QPointF(max(*rows, x) + NODE_W, middle)))
        if columns:
            middle = x + NODE_W / 2
            lines.append((QPointF(middle, min(*columns, y)), QPointF(middle, max(*columns, y) + NODE_H)))
        if self._guide is None:
            self._guide = GuideItem()
            self.board.addItem(self._guide)
        self._guide.show_lines(lines)

    def _remove(self) -> None:
        if self._guide is not None:
            self.board.removeItem(self._guide)
            self._guide = None
