"""A confusion matrix as a picture: counts, colours, recall of each row and precision of each column."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from nndesigner.insight.answers import Confusion
from nndesigner.ui import numbers, theme

#: smallest cell in which a number is written
_NUMBER = 15
_HEAD = 16
#: width of a percentage
_SHARE = 54


def recall(counts: np.ndarray, truth: int) -> float:
    """Share of the samples of a class that were recognised; NaN without samples."""
    total = counts[truth].sum()
    return float(counts[truth, truth] / total) if total else float("nan")


def precision(counts: np.ndarray, predicted: int) -> float:
    """Share of the samples taken for a class that are of it; NaN when none was."""
    total = counts[:, predicted].sum()
    return float(counts[predicted, predicted] / total) if total else float("nan")


class MatrixPicture(QWidget):
    """Rows are true classes, columns predicted ones. `pointed` and `opened` give (true, predicted)."""

    pointed = Signal(object)
    opened = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: Confusion | None = None
        self._cell: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_matrix(self, found: Confusion) -> None:
        if self._found is None or self._found.classes != found.classes:
            self._cell = None
        self._found = found
        self.update()

    @property
    def cell(self) -> tuple[int, int] | None:
        """The cell under the cursor or chosen by the keyboard."""
        return self._cell

    def sizeHint(self) -> QSize:
        return QSize(320, 200)

    def cell_rect(self, truth: int, predicted: int) -> QRectF:
        """Where a cell is; `truth` or `predicted` may be one beyond the last for precision and recall."""
        left, top, width, height = self._grid()
        return QRectF(left + predicted * width, top + truth * height, width, height)

    def _grid(self) -> tuple[float, float, float, float]:
        """Left and top of the first cell, width and height of a cell."""
        count = len(self._found.classes)
        metrics = QFontMetricsF(theme.font(theme.CAPTION))
        names = min(max(metrics.horizontalAdvance(name) for name in self._found.classes) + 8, self.width() * 0.25)
        width = (self.width() - names - _SHARE) / count
        height = (self.height() - _HEAD) / (count + 1)
        height = min(height, 36.0)
        return names, _HEAD, min(width, 90.0), height

    def paintEvent(self, event: QPaintEvent) -> None:
        found = self._found
        if found is None:
            return
        painter = QPainter(self)
        t = theme.current()
        painter.setFont(theme.font(theme.CAPTION))
        metrics = QFontMetricsF(painter.font())
        left, top, width, height = self._grid()
        count, counts = len(found.classes), found.counts
        totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
        shares = counts / totals
        write = width >= _NUMBER and height >= 11
        painter.setPen(Qt.PenStyle.NoPen)
        for i, j in np.ndindex(count, count):
            strong = t.right if i == j else t.wrong
            share = float(shares[i, j])
            # mistakes are rare: a square root keeps small ones visible
            weight = 0.0 if share == 0 else 0.10 + 0.50 * (share if i == j else share ** 0.5)
            painter.fillRect(self.cell_rect(i, j).adjusted(0.5, 0.5, -0.5, -0.5),
                             theme.colour(theme.mixed(strong, t.raised, round(weight, 2))))
        if write:
            painter.setPen(theme.colour(t.text))
            for i, j in np.argwhere(counts).tolist():
                painter.drawText(self.cell_rect(i, j), Qt.AlignmentFlag.AlignCenter, numbers.count(int(counts[i, j])))
        painter.setPen(theme.colour(t.muted))
        every = max(1, int(np.ceil(12 / height)))
        for i in range(0, count, every):
            name = metrics.elidedText(found.classes[i], Qt.TextElideMode.ElideMiddle, left - 6)
            painter.drawText(QRectF(0, top + i * height, left - 6, height),
                             Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, name)
            painter.drawText(QRectF(left + count * width + 4, top + i * height, _SHARE - 4, height),
                             Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
                             numbers.percent(recall(counts, i)))
        every = max(1, int(np.ceil(14 / width)))
        for j in range(0, count, every):
            room = width * every
            name = metrics.elidedText(found.classes[j], Qt.TextElideMode.ElideMiddle, room - 2)
            painter.drawText(QRectF(left + j * width, 0, room, _HEAD), Qt.AlignmentFlag.AlignCenter, name)
            text = numbers.percent(precision(counts, j))
            if metrics.horizontalAdvance(text) > room - 1:
                text = text.split(numbers.GAP)[0]
            painter.drawText(QRectF(left + j * width, top + count * height, room, height),
                             Qt.AlignmentFlag.AlignCenter, text)
        right = left + count * width + 4
        painter.setPen(theme.colour(t.faint))
        painter.drawText(QRectF(right, 0, _SHARE, _HEAD), Qt.AlignmentFlag.AlignVCenter, self.tr("recall"))
        painter.drawText(QRectF(right, top + count * height, _SHARE, height), Qt.AlignmentFlag.AlignVCenter,
                         self.tr("precision"))
        if self._cell is not None:
            painter.setPen(QPen(theme.colour(t.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.cell_rect(*self._cell).adjusted(1, 1, -1, -1))

    def _at(self, position: QPointF) -> tuple[int, int] | None:
        if self._found is None:
            return None
        left, top, width, height = self._grid()
        i, j = int((position.y() - top) // height), int((position.x() - left) // width)
        count = len(self._found.classes)
        return (i, j) if 0 <= i < count and 0 <= j < count else None

    def _point(self, cell: tuple[int, int] | None) -> None:
        if cell != self._cell:
            self._cell = cell
            self.pointed.emit(cell)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self._at(event.position()))
        hand = self._cell is not None and self._found.counts[self._cell] > 0
        self.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and cell is not None and self._found.counts[cell] > 0:
            self.opened.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        moves = {key.Key_Left: (0, -1), key.Key_Right: (0, 1), key.Key_Up: (-1, 0), key.Key_Down: (1, 0)}
        if self._found is not None and event.key() in moves:
            last = len(self._found.classes) - 1
            i, j = self._cell or (0, 0)
            down, right = moves[event.key()] if self._cell else (0, 0)
            self._point((min(last, max(0, i + down)), min(last, max(0, j + right))))
        elif event.key() in (key.Key_Return, key.Key_Enter, key.Key_Space) and self._cell is not None:
            if self._found.counts[self._cell] > 0:
                self.opened.emit(*self._cell)
        else:
            super().keyPressEvent(event)
