"""Probabilities as named bars: painted into any rectangle, or by one widget of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import QSizePolicy, QWidget

from nndesigner.ui import numbers, theme

ROW, LEAST_ROW = 20, 16


@dataclass(frozen=True)
class Bar:
    """One class and its probability. The tone colours the bar, or `colour` does where classes have their own; names
    and numbers say the same without colour."""

    name: str
    probability: float
    tone: Literal["plain", "right", "wrong", "accent"] = "plain"
    colour: str = ""

    @property
    def text(self) -> str:
        return f"{self.name}: {numbers.percent(self.probability)}"


def ranked(probabilities: np.ndarray, classes: Sequence[str], most: int) -> list[tuple[int, Bar]]:
    """(class number, bar) of the `most` most probable classes, the most probable first. probabilities: [K]."""
    order = np.argsort(-probabilities, kind="stable")[:most]
    return [(int(i), Bar(classes[i], float(probabilities[i]))) for i in order]


def paint_bars(painter: QPainter, rect: QRectF, bars: Sequence[Bar], caption: bool = False) -> None:
    """Rows of name, bar and percentage. Names take at most half of the width and are elided in the middle."""
    if not bars:
        return
    t = theme.current()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    font = theme.font(theme.CAPTION if caption else theme.BASE)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    row = min(rect.height() / len(bars), 28.0)
    figure = metrics.horizontalAdvance(numbers.percent(1.0)) + 2
    name_width = min(max(metrics.horizontalAdvance(bar.name) for bar in bars) + 1, (rect.width() - figure) * 0.5)
    left, right = rect.left() + name_width + 8, rect.right() - figure - 8
    thick = max(4.0, min(8.0, row * 0.4))
    tones = {"plain": t.faint, "right": t.right, "wrong": t.wrong, "accent": t.accent}
    for i, bar in enumerate(bars):
        top = rect.top() + i * row
        middle = top + row / 2
        painter.setPen(theme.colour(t.text))
        name = metrics.elidedText(bar.name, Qt.TextElideMode.ElideMiddle, name_width)
        painter.drawText(QRectF(rect.left(), top, name_width, row), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(theme.colour(t.muted))
        painter.drawText(QRectF(right, top, rect.right() - right, row),
                         Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, numbers.percent(bar.probability))
        if right - left < 8:
            continue
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(t.track))
        painter.drawRoundedRect(QRectF(left, middle - thick / 2, right - left, thick), thick / 2, thick / 2)
        filled = max(2.0, (right - left) * min(1.0, max(0.0, bar.probability)))
        painter.setBrush(theme.colour(bar.colour or tones[bar.tone]))
        painter.drawRoundedRect(QRectF(left, middle - thick / 2, filled, thick), min(thick, filled) / 2, thick / 2)


class ProbabilityBars(QWidget):
    """A list of probability bars, as many as fit. Ctrl C copies all of them as text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: tuple[Bar, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(self.tr("Ctrl C copies these numbers"))
        copy = QShortcut(QKeySequence.StandardKey.Copy, self, self.copy)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        theme.notifier.changed.connect(self.update)

    @property
    def bars(self) -> tuple[Bar, ...]:
        return self._bars

    def set_bars(self, bars: Sequence[Bar]) -> None:
        rows = len(self._bars)
        self._bars = tuple(bars)
        self.setAccessibleName(", ".join(bar.text for bar in self._bars))
        if len(self._bars) != rows:
            self.updateGeometry()
        self.update()

    def copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(f"{bar.name}\t{bar.probability:.6g}" for bar in self._bars))

    def sizeHint(self) -> QSize:
        return QSize(220, ROW * max(1, len(self._bars)) + 4)

    def minimumSizeHint(self) -> QSize:
        # a long list must not make the panel grow: what does not fit is left out
        return QSize(120, LEAST_ROW * min(3, max(1, len(self._bars))))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect()).adjusted(4, 2, -4, -2)
        paint_bars(painter, area, self._bars[:max(1, int(area.height() // LEAST_ROW))])
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(theme.colour(theme.current().accent))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
