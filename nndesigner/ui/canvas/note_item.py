"""A text on the canvas, behind the nodes. Shows a Note; the view says what is done with it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from nndesigner.graph.model import Note
from nndesigner.ui import theme
from nndesigner.ui.canvas.area_item import AreaItem

_PAD = 10.0
#: side of the corner by which a note is made larger
GRIP = 16.0


class NoteItem(AreaItem):
    """One note."""

    def __init__(self, note: Note) -> None:
        super().__init__(QRectF(note.x, note.y, note.w, note.h), -1)
        self.note = note

    def show_note(self, note: Note) -> None:
        self.place(QRectF(note.x, note.y, note.w, note.h))
        if note != self.note:
            self.note = note
            self.update()

    @property
    def grip(self) -> QRectF:
        return QRectF(self.area.right() - GRIP, self.area.bottom() - GRIP, GRIP, GRIP)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        tokens = theme.current()
        colour = theme.group_colour(theme.MARKS[self.note.colour or "grey"])
        painter.setPen(QPen(theme.colour(tokens.accent) if self._selected else theme.colour(colour, 0.5),
                            2.0 if self._selected else 1.0))
        painter.setBrush(theme.colour(theme.mixed(colour, tokens.canvas, 0.16)))
        painter.drawRoundedRect(self.area, 6, 6)
        painter.setPen(QPen(theme.colour(colour, 0.8), 1.5))
        corner = self.area.bottomRight()
        for reach in (5, 9):
            painter.drawLine(corner - QPointF(reach, 3), corner - QPointF(3, reach))
        painter.setFont(theme.font(theme.BASE))
        painter.setPen(theme.colour(tokens.text if self.note.text else tokens.muted))
        text = self.area.adjusted(_PAD, _PAD - 2, -_PAD, -_PAD + 2)
        painter.save()
        painter.setClipRect(text, Qt.ClipOperation.IntersectClip)
        painter.drawText(text, Qt.TextFlag.TextWordWrap, self.note.text or "Double-click to write")
        painter.restore()
