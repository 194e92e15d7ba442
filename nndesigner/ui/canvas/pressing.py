"""What the left mouse button means at a point of the canvas: which gesture a press begins, what a double click does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nndesigner.ui.canvas import groups
from nndesigner.ui.canvas.gestures import Gesture, MoveNodes, Pointer, RubberBand
from nndesigner.ui.canvas.notes import MoveNote
from nndesigner.ui.canvas.wiring import DrawWire, PressWire

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView

#: height of a node's header, where a double click renames
_HEADER_H = 34


def gesture_of(view: CanvasView, at: Pointer) -> Gesture:
    """The gesture that a press begins."""
    board = view.board
    port = board.port_at(at.scene)
    if port is not None:
        node_id, name = port
        layer = board.graph.node(node_id).layer
        wires = [e for e in board.graph.incoming[node_id] if e.port == name]
        if name and wires and not layer.many:
            return DrawWire(view, at, wires[0].source, "", edge=wires[0])
        return DrawWire(view, at, node_id, name)
    item = board.node_at(at.scene)
    if item is not None:
        return MoveNodes(view, at, board.drawn.members(item.node_id))
    frame, wire, note = board.frame_at(at.scene), board.edge_at(at.scene), board.note_at(at.scene)
    if frame is not None and frame.button_area.contains(at.scene):
        return groups.PressFold(view, at, frame.group.id)
    if wire is not None:
        return PressWire(view, at, wire)
    if frame is not None:
        return MoveNodes(view, at, frame.group.members)
    if note is not None:
        return MoveNote(view, at, note)
    return RubberBand(view, at)


def double_clicked(view: CanvasView, at: Pointer) -> None:
    """Rename or open a node, unfold a box, write a note; search a layer for a wire or an empty place."""
    board = view.board
    item = board.node_at(at.scene)
    if item is not None:
        if item.node_id in board.drawn.boxes:
            groups.set_folded(view, (item.node_id,), False)
        elif at.scene.y() - item.y() <= _HEADER_H:
            view.rename(item.node_id)
        else:
            view.open_wanted.emit(item.node_id)
        return
    frame, wire, note = board.frame_at(at.scene), board.edge_at(at.scene), board.note_at(at.scene)
    if wire is not None:
        view.add_menu.open(at.scene, edge=wire.edge)
    elif frame is not None:
        view.rename(frame.group.id)
    elif note is not None:
        view.note_editor.open(note.note.id)
    else:
        view.add_menu.open(at.scene)
