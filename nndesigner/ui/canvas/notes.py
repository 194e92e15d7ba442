"""What the canvas does with notes: place, write, move, make larger, colour. All of it is an edit of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit

from nndesigner.graph import grouping
from nndesigner.graph.model import Graph
from nndesigner.ui.canvas.geometry import snap
from nndesigner.ui.canvas.gestures import Gesture, Pointer

if TYPE_CHECKING:
    from nndesigner.ui.canvas.note_item import NoteItem
    from nndesigner.ui.canvas.view import CanvasView


def add(view: CanvasView, at: QPointF | None = None) -> None:
    """Place a note, and write it."""
    at = at if at is not None else view.cursor_in_scene()
    made: list[str] = []

    def change(graph: Graph) -> Graph:
        graph, note = grouping.add_note(graph, snap(at.x()), snap(at.y()))
        made[:] = [note]
        return graph

    if view.document.edit_graph("Add note", change):
        view.board.select_note(made[0])
        view.note_editor.open(made[0])


class MoveNote(Gesture):
    """Chooses a note and drags it, or its lower right corner; one undo step. Alt leaves the grid."""

    def __init__(self, view: CanvasView, start: Pointer, item: NoteItem) -> None:
        super().__init__(view, start)
        self._item, self._area = item, QRectF(item.area)
        self._sizes = item.grip.contains(start.scene)
        self._dragging = False
        self.board.select_note(item.note.id)

    def move(self, at: Pointer) -> None:
        if not self._dragging and not self._far_enough(at):
            return
        self._dragging = True
        by = at.scene - self.start.scene
        moved = QPointF(self._area.bottomRight() if self._sizes else self._area.topLeft()) + by
        if not at.alt:
            moved = QPointF(snap(moved.x()), snap(moved.y()))
        area = QRectF(self._area)
        if self._sizes:
            area.setWidth(max(moved.x() - area.x(), grouping.NOTE_W))
            area.setHeight(max(moved.y() - area.y(), grouping.NOTE_H))
        else:
            area.moveTo(moved)
        self._item.place(area)
        self.view.reveal(at.view)

    def finish(self, at: Pointer) -> None:
        area, note_id = self._item.area, self._item.note.id
        if area != self._area:
            self.document.edit_graph(
                "Size the note" if self._sizes else "Move the note",
                lambda g: grouping.set_note(g, note_id, x=area.x(), y=area.y(), w=area.width(), h=area.height()))

    def cancel(self) -> None:
        if self._item.scene() is not None:
            self._item.place(self._area)

    def survives(self, graph: Graph) -> bool:
        return self._item.note in graph.notes


class NoteEditor(QPlainTextEdit):
    """Lies over the note that is written. Ctrl+Enter or a click elsewhere takes the text, Esc does not."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view = view
        self._note: str | None = None
        self.setAccessibleName("Text of the note")
        self.setTabChangesFocus(True)
        self.hide()
        view.looked_elsewhere.connect(self.take)
        view.pressed.connect(self.take)
        view.document.changed.connect(self._follow)

    def open(self, note_id: str) -> None:
        item = self._view.board.notes.get(note_id)
        if item is None:
            return
        self._view.reveal_area(item.area)
        self._note = note_id
        self.setPlainText(item.note.text)
        place = self._view.viewportTransform().mapRect(item.area).toRect()
        self.setGeometry(place.x(), place.y(), max(place.width(), 180), max(place.height(), 72))
        self.show()
        self.raise_()
        self.setFocus()
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.take()
        else:
            super().keyPressEvent(event)

    def take(self) -> None:
        """The text becomes the note's."""
        note_id, text = self._note, self.toPlainText()[:grouping.NOTE_LONGEST]
        if note_id is not None:
            self.leave()
            self._view.document.edit_graph("Write the note", lambda g: grouping.set_note(g, note_id, text=text))

    def leave(self) -> None:
        """Stop writing, without taking the text."""
        self._note = None
        if self.isVisible():
            self.hide()
            self._view.setFocus()

    def _follow(self, *_: object) -> None:
        if self._note is not None and self._note not in self._view.board.notes:
            self.leave()
