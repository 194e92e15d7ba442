"""One line that names the curves of a plot and gives their current values."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from nndesigner.ui import theme
from nndesigner.ui.views.class_colours import class_colour, marker

_MARK = 10
_GAP = 12


@dataclass(frozen=True)
class Entry:
    """One curve or class. `colour` is a token of the theme ("training"); with `shape` it is a class number instead."""

    name: str
    value: str = ""
    colour: str = "muted"
    shape: int | None = None
    dashed: bool = False
    #: a disc in the class's colour: shapes stand for something else
    disc: bool = False

    @property
    def text(self) -> str:
        return f"{self.name} {self.value}".strip()


class Legend(QWidget):
    """Painted entries side by side; names are elided before values, and the tooltip has it all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[Entry, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.notifier.changed.connect(self.update)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self._entries

    def set_entries(self, *entries: Entry) -> None:
        if entries != self._entries:
            self._entries = entries
            text = ", ".join(entry.text for entry in entries)
            self.setAccessibleName(text)
            self.setToolTip(text)
            self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(theme.font(theme.CAPTION))
        return QSize(round(sum(_width(metrics, entry) for entry in self._entries)), 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._entries:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = theme.font(theme.CAPTION)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        room = self.width() / sum(_width(metrics, entry) for entry in self._entries)
        middle, x = self.height() / 2, 0.0
        for entry in self._entries:
            width = _width(metrics, entry) * min(1.0, room)
            self._mark(painter, entry, x, middle)
            painter.setPen(theme.colour(theme.current().muted))
            room_for_text = width - _MARK - 5 - min(_GAP, width / 8)
            value = metrics.horizontalAdvance(f" {entry.value}") if entry.value else 0
            name = metrics.elidedText(entry.name, Qt.TextElideMode.ElideRight, max(0, room_for_text - value))
            text = f"{name} {entry.value}"
            painter.drawText(QRectF(x + _MARK + 5, 0, width, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            x += width

    def _mark(self, painter: QPainter, entry: Entry, x: float, middle: float) -> None:
        if entry.shape is None:
            pen = QPen(theme.colour(getattr(theme.current(), entry.colour)), 2)
            if entry.dashed:
                pen.setDashPattern([1.5, 1.5])
            painter.setPen(pen)
            painter.drawLine(QRectF(x, middle, _MARK, 0).topLeft(), QRectF(x, middle, _MARK, 0).topRight())
            return
        painter.save()
        painter.translate(x + _MARK / 2, middle)
        painter.scale(9, 9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(class_colour(entry.shape)))
        painter.drawPath(marker(0 if entry.disc else entry.shape))
        painter.restore()


def _width(metrics: QFontMetricsF, entry: Entry) -> float:
    return _MARK + 5 + metrics.horizontalAdvance(entry.text) + _GAP
