"""What the arrow keys do: move the selection, or walk along the wires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from nndesigner.graph import edit
from nndesigner.ui.canvas.face import description
from nndesigner.ui.canvas.geometry import GRID

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView

#: direction of each arrow key
ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


def nudge(view: CanvasView, key: Qt.Key, cells: int) -> None:
    """Move the selected nodes by grid cells; presses in a row are one undo step."""
    ids = view.document.selection
    if not ids:
        return
    graph = view.document.graph
    dx, dy = (direction * GRID * cells for direction in ARROWS[key])
    text = f"Move {graph.node(ids[0]).title}" if len(ids) == 1 else f"Move {len(ids)} layers"
    places = {i: (graph.node(i).x + dx, graph.node(i).y + dy) for i in ids}
    view.document.edit_graph(text, lambda g: edit.move(g, places), f"nudge {' '.join(ids)}")
    view.reveal_nodes(ids)


def walk(view: CanvasView, key: Qt.Key) -> None:
    """Select the next node along the wires (left, right) or the nearest above or below, and say which it is."""
    graph, shown = view.board.graph, view.board.drawn
    chosen = shown.items(view.document.selection)
    if not graph.nodes:
        return
    if chosen:
        here = graph.node(chosen[-1])
        across, down = ARROWS[key]
        if across:
            ends = (
                [e.target for e in graph.outgoing[here.id]]
                if across > 0
                else [e.source for e in graph.incoming[here.id]]
            )
        else:
            ends = [n.id for n in graph.nodes if (n.y - here.y) * down > 0]
        if not ends:
            return
        found = min(ends, key=lambda i: abs(graph.node(i).x - here.x) + abs(graph.node(i).y - here.y))
    else:
        found = min(graph.nodes, key=lambda n: (n.y, n.x)).id
    view.look_at(shown.members(found))
    words = description(view.board.nodes[found].face)
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(view, words))
