"""Painted charts of the data whose bars and cells can be clicked: histogram, balance of classes, correlations."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from nndesigner.data.dates import text_of_days
from nndesigner.data.overview import ColumnView
from nndesigner.data.statistics import CategoryStatistics
from nndesigner.ui import numbers, theme
from nndesigner.ui.views.class_colours import class_colour

#: bars of a column of categories, and classes of the balance
MOST_BARS, MOST_CLASSES = 24, 40
ROW = 22
MIDDLE = Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight


class Chart(QWidget):
    """Parts that are pointed at, clicked, or chosen by the arrow keys and Enter."""

    clicked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.pointed = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.notifier.changed.connect(self.update)

    def part_at(self, x: float, y: float) -> int:
        """Number of the part at a point, -1 for none."""
        raise NotImplementedError

    def count(self) -> int:
        """Number of parts."""
        raise NotImplementedError

    def words(self, part: int) -> str:
        """A part in words."""
        raise NotImplementedError

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self.part_at(event.position().x(), event.position().y()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        part = self.part_at(event.position().x(), event.position().y())
        if part >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(part)

    def leaveEvent(self, event: QEvent) -> None:
        self._point(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}.get(event.key())
        if step is not None and self.count():
            self._point(min(max(self.pointed + step, 0), self.count() - 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.pointed >= 0:
            self.clicked.emit(self.pointed)
        else:
            super().keyPressEvent(event)

    def _point(self, part: int) -> None:
        if part != self.pointed:
            self.pointed = part
            words = self.words(part) if part >= 0 else ""
            self.setToolTip(words)
            self.setAccessibleDescription(words)
            self.setCursor(Qt.CursorShape.PointingHandCursor if part >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()


class Histogram(Chart):
    """How the values of a column are spread."""

    def __init__(self, view: ColumnView) -> None:
        super().__init__()
        self.view = view
        found = view.statistics
        if isinstance(found, CategoryStatistics):
            self._names = [name for name, _ in found.balance[:MOST_BARS]]
            self._counts = np.array([n for _, n in found.balance[:MOST_BARS]], dtype=np.int64)
        else:
            self._names, self._counts = [], found.counts
        self.setFixedHeight(84)
        self.setAccessibleName(f"Spread of {view.name}")

    def count(self) -> int:
        return len(self._counts)

    def part_at(self, x: float, y: float) -> int:
        part = int(x / max(self.width(), 1) * max(self.count(), 1))
        return part if 0 <= part < self.count() and self._counts[part] else -1

    def rows(self, part: int) -> np.ndarray:
        """Rows behind a bar."""
        if self._names:
            return self.view.of(self._names[part])
        edges = self.view.statistics.edges
        return self.view.between(edges[part], edges[part + 1], part == self.count() - 1)

    def range_words(self, part: int) -> str:
        """What a bar stands for."""
        if self._names:
            return f"{self.view.name}: {self._names[part]}"
        edges = self.view.statistics.edges
        return f"{self.view.name}: {self._value(edges[part])} to {self._value(edges[part + 1])}"

    def words(self, part: int) -> str:
        count = int(self._counts[part])
        return f"{self.range_words(part)}\n{numbers.exact(count)} sample{'s' * (count != 1)}"

    def _value(self, value: float) -> str:
        return text_of_days(float(value)) if self.view.kind == "date" else f"{value:.4g}"

    def paintEvent(self, event: QPaintEvent) -> None:
        t, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(theme.CAPTION))
        base = self.height() - 16
        most = max(int(self._counts.max()) if len(self._counts) else 0, 1)
        wide = self.width() / max(len(self._counts), 1)
        painter.setPen(Qt.PenStyle.NoPen)
        target = self.view.role == "target"
        for i, count in enumerate(self._counts):
            high = max(2.0, (base - 4) * int(count) / most) if count else 0.0
            colour = class_colour(i) if target and self._names else t.accent
            painter.setBrush(theme.colour(colour, 1.0 if i == self.pointed else 0.75))
            painter.drawRect(QRectF(i * wide + 0.5, base - high, max(1.0, wide - 1), high))
        painter.setPen(theme.colour(t.line))
        painter.drawLine(QPointF(0, base + 0.5), QPointF(self.width(), base + 0.5))
        if self.hasFocus():
            painter.setPen(theme.colour(t.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setPen(theme.colour(t.muted))
        foot = QRectF(0, base + 2, self.width(), 14)
        metrics = painter.fontMetrics()
        if self._names:
            names = self._names if wide >= 34 else [self._names[0], self._names[-1]]
            for i, name in enumerate(names):
                room = wide if wide >= 34 else self.width() / 2
                place = QRectF(i * room, foot.top(), room, 14)
                side = Qt.AlignmentFlag.AlignHCenter if wide >= 34 else RIGHT if i else Qt.AlignmentFlag.AlignLeft
                painter.drawText(place, MIDDLE | side, metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(room)))
        elif len(self._counts) and self.view.statistics.count:
            edges = self.view.statistics.edges
            painter.drawText(foot, MIDDLE, self._value(edges[0]))
            painter.drawText(foot, MIDDLE | RIGHT, self._value(edges[-1]))


class Balance(Chart):
    """How many samples of each class the parts have."""

    def __init__(self, classes: tuple[str, ...], balance: np.ndarray) -> None:
        super().__init__()
        self._classes, self._counts = classes[:MOST_CLASSES], balance[:, :MOST_CLASSES]
        self.setFixedHeight(ROW * len(self._classes) + 20)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Balance of the classes")

    def count(self) -> int:
        return len(self._classes)

    def part_at(self, x: float, y: float) -> int:
        part = int((y - 20) // ROW)
        return part if y >= 20 and part < self.count() else -1

    def name(self, part: int) -> str:
        return self._classes[part]

    def words(self, part: int) -> str:
        train, validation, test = (numbers.exact(int(n)) for n in self._counts[:, part])
        return f"{self._classes[part]}: {train} to train, {validation} to validate, {test} to test"

    def paintEvent(self, event: QPaintEvent) -> None:
        t, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(theme.CAPTION))
        metrics = painter.fontMetrics()
        totals = self._counts.sum(axis=0)
        names = min(self.width() // 3, max(map(metrics.horizontalAdvance, self._classes)) + 24)
        right = metrics.horizontalAdvance(numbers.exact(int(totals.max()))) + 10
        room, most = self.width() - names - right, max(int(totals.max()), 1)
        colours = ((t.accent, 0.9), (t.validation, 0.9), (t.muted, 0.7))
        x = float(names)
        for (colour, strength), word in zip(colours, ("training", "validation", "test"), strict=True):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(colour, strength))
            painter.drawRoundedRect(QRectF(x, 5, 8, 8), 2, 2)
            painter.setPen(theme.colour(t.muted))
            painter.drawText(QPointF(x + 12, 13), word)
            x += metrics.horizontalAdvance(word) + 26
        for i, name in enumerate(self._classes):
            y = 20 + ROW * i
            if i == self.pointed:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.colour(t.text, 0.06))
                painter.drawRoundedRect(QRectF(0, y, self.width(), ROW), 4, 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(class_colour(i)))
            painter.drawEllipse(QPointF(8, y + ROW / 2), 3, 3)
            painter.setPen(theme.colour(t.text))
            painter.drawText(QRectF(16, y, names - 22, ROW), MIDDLE,
                             metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, names - 22))
            painter.setPen(theme.colour(t.muted))
            painter.drawText(QRectF(self.width() - right, y, right, ROW), MIDDLE | RIGHT, numbers.exact(int(totals[i])))
            x = float(names)
            painter.setPen(Qt.PenStyle.NoPen)
            for (colour, strength), count in zip(colours, self._counts[:, i], strict=True):
                wide = room * int(count) / most
                painter.setBrush(theme.colour(colour, strength))
                painter.drawRect(QRectF(x, y + 7, wide, ROW - 14))
                x += wide


class Correlations(Chart):
    """Pearson's r of each pair of columns, as a coloured table."""

    def __init__(self, names: tuple[str, ...], r: np.ndarray) -> None:
        super().__init__()
        self._names, self._r = names, r
        self.setAccessibleName("Correlations")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(300, 20 + round(self._side() * len(self._names)))

    def resizeEvent(self, event: QEvent) -> None:
        self.setFixedHeight(self.sizeHint().height())

    def count(self) -> int:
        return self._r.size

    def pair(self, part: int) -> tuple[int, int]:
        return divmod(part, len(self._names))

    def words(self, part: int) -> str:
        a, b = self.pair(part)
        r = self._r[a, b]
        told = "one of them does not change" if r != r else f"r = {r:.2f}"
        return f"{self._names[a]} and {self._names[b]}: {told}\nClick for the samples that fit this relation least"

    def part_at(self, x: float, y: float) -> int:
        side, left = self._side(), self._left()
        b, a = int((x - left) // side), int((y - 20) // side)
        inside = 0 <= a < len(self._names) and 0 <= b < len(self._names) and a != b
        return a * len(self._names) + b if inside and self._r[a, b] == self._r[a, b] else -1

    def _left(self) -> float:
        return min(170.0, self.width() * 0.3)

    def _side(self) -> float:
        return min(44.0, max(14.0, (self.width() - self._left()) / max(len(self._names), 1)))

    def paintEvent(self, event: QPaintEvent) -> None:
        t, painter = theme.current(), QPainter(self)
        painter.setFont(theme.font(theme.CAPTION))
        metrics = painter.fontMetrics()
        side, left = self._side(), self._left()
        for a, name in enumerate(self._names):
            painter.setPen(theme.colour(t.text))
            painter.drawText(QRectF(0, 20 + a * side, left - 28, side), MIDDLE | RIGHT,
                             metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(left - 30)))
            painter.setPen(theme.colour(t.muted))
            painter.drawText(QRectF(left - 26, 20 + a * side, 20, side), MIDDLE | RIGHT, str(a + 1))
            painter.drawText(QRectF(left + a * side, 0, side, 18), Qt.AlignmentFlag.AlignCenter, str(a + 1))
            for b in range(len(self._names)):
                place = QRectF(left + b * side, 20 + a * side, side - 1, side - 1)
                r = float(self._r[a, b])
                if r != r:
                    colour = t.line
                else:
                    colour = theme.mixed(t.positive if r > 0 else t.negative, t.panel, min(1.0, abs(r)) * 0.85)
                painter.fillRect(place, theme.colour(colour))
                if side >= 30 and a != b and r == r:
                    painter.setPen(theme.colour(t.text))
                    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, f"{r:.2f}")
                if a * len(self._names) + b == self.pointed:
                    painter.setPen(theme.colour(t.accent))
                    painter.drawRect(place.adjusted(0.5, 0.5, -0.5, -0.5))
