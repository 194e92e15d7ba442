"""Parts of a field for numbers: the remark on its range, the slider, the label to drag, and how a number steps."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QSlider, QWidget

from nndesigner.spec import ParamInfo
from nndesigner.ui import numbers, theme

#: what a field shows when several selected layers differ
SEVERAL = "several"
MIXED = object()
#: pixels of a drag on a label for one step
SCRUB_PIXELS = 6


class HintedLine(QLineEdit):
    """A line of text with a faint remark at its right end (the range, the unit)."""

    stepped = Signal(int)

    def __init__(self, hint: str = "") -> None:
        super().__init__()
        self.hint = hint

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.hint:
            return
        font = theme.font(theme.CAPTION)
        painter = QPainter(self)
        painter.setFont(font)
        painter.setPen(theme.colour(theme.current().muted, 0.75))
        room = self.width() - 20 - self.fontMetrics().horizontalAdvance(self.text() or self.placeholderText())
        if painter.fontMetrics().horizontalAdvance(self.hint) <= room:
            rect = self.rect().adjusted(8, 0, -8, 0)
            painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.hint)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}.get(event.key())
        if step is None:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(step)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus() and event.angleDelta().y():
            self.stepped.emit(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()


class Slider(QSlider):
    """A slider beside a number's field, even over its range; by powers of ten where the range is wide."""

    moved_to = Signal(object)
    FINEST = 1000

    def __init__(self, info: ParamInfo) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._info = info
        self._whole = info.editor == "int"
        low, high = float(info.low), float(info.high)
        self._by_powers = low > 0 and high / low > 100
        even = (high - low) / (info.step or 1e9)
        steps = self.FINEST if self._by_powers or even < 1 else min(self.FINEST, round(even))
        self.setRange(0, steps)
        self.setAccessibleName(info.title)
        self.setAccessibleDescription(info.help)
        self.valueChanged.connect(lambda at: self.moved_to.emit(self._value(at)))

    @staticmethod
    def suits(info: ParamInfo) -> bool:
        """Whether a slider makes sense for this parameter."""
        bounded = info.low is not None and info.high is not None and info.editor in ("int", "float")
        return bounded and not info.advanced and info.high <= 1_000_000

    def show_value(self, value: Any) -> None:
        self.setEnabled(value is not MIXED and value is not None)
        if self.isEnabled() and self._value(self.value()) != value:
            low, high = float(self._info.low), float(self._info.high)
            share = math.log(value / low) / math.log(high / low) if self._by_powers else (value - low) / (high - low)
            with QSignalBlocker(self):
                self.setValue(round(share * self.maximum()))

    def _value(self, at: int) -> float | int:
        low, high, share = float(self._info.low), float(self._info.high), at / self.maximum()
        value = low * (high / low) ** share if self._by_powers else low + share * (high - low)
        if not self._whole:
            return float(f"{value:.3g}")
        step = int(self._info.step or 1)
        return int(min(high, max(low, round(value / step) * step if value >= 2 * step else round(value))))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ScrubLabel(QLabel):
    """The label of a number: a drag to the left or right steps the number."""

    def __init__(self, text: str, editor: QWidget) -> None:
        super().__init__(text)
        self._editor = editor
        self._from: QPoint | None = None
        self._done = 0
        if hasattr(editor, "step"):
            self.setCursor(Qt.CursorShape.SizeHorCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and hasattr(self._editor, "step"):
            self._from, self._done = event.position().toPoint(), 0
            self._editor.entered.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            steps = (event.position().toPoint().x() - self._from.x()) // SCRUB_PIXELS
            if steps != self._done:
                self._editor.step(steps - self._done)
                self._done = steps

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._from is not None and self._done == 0:
            self._editor.setFocus(Qt.FocusReason.MouseFocusReason)
        self._from = None


def stepped(value: float | int, steps: int, info: ParamInfo, whole: bool) -> float | int:
    """The value so many steps further.

    The declared step where there is one; else 1 for whole numbers and the series 1, 2, 5 for real ones, which suits
    learning
    rates as well as noise.
    """
    if whole:
        found = value + steps * int(info.step or 1)
    elif info.step:
        found = float(Decimal(str(value)) + steps * Decimal(str(info.step)))
    elif value == 0:
        found = 0.01 * max(steps, 0)
    else:
        found = value
        for _ in range(abs(steps)):
            found = _next_of_series(found, steps > 0)
    if info.low is not None and (found < info.low or (info.low_open and found == info.low)):
        found = value if info.low_open else (int(info.low) if whole else info.low)
    if info.high is not None and (found > info.high or (info.high_open and found == info.high)):
        found = value if info.high_open else (int(info.high) if whole else info.high)
    return found


def _next_of_series(value: float, up: bool) -> float:
    """The next of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... above or below."""
    size = 10.0 ** math.floor(math.log10(abs(value)) + 1e-9)
    grows = up == (value > 0)
    lead = round(abs(value) / size, 9)
    series = (1, 2, 5, 10) if grows else (5, 2, 1, 0.5)
    lead = next((s for s in series if (s > lead if grows else s < lead)), 0.5)
    return math.copysign(float(f"{lead * size:.3g}"), value)


def range_text(info: ParamInfo) -> str:
    """The range and unit, short enough for the inside of a field: 1–4096."""
    parts = []
    if info.low is not None and info.high is not None and info.high < 100_000:
        parts.append(f"{_limit(info.low)}–{_limit(info.high)}")
    elif info.low is not None and info.low != 0:
        parts.append(f"{'>' if info.low_open else '≥'} {_limit(info.low)}")
    if info.unit:
        parts.append(info.unit)
    return " ".join(parts)


def range_words(info: ParamInfo) -> str:
    """The range as the end of a sentence: " from 1 to 4096"."""
    if info.low is not None and info.high is not None and not (info.low_open or info.high_open):
        return f" from {_limit(info.low)} to {_limit(info.high)}"
    words = []
    if info.low is not None:
        words.append(f"above {_limit(info.low)}" if info.low_open else f"of at least {_limit(info.low)}")
    if info.high is not None:
        words.append(f"below {_limit(info.high)}" if info.high_open else f"at most {_limit(info.high)}")
    return " " + " and ".join(words) if words else ""


def _limit(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e6 else numbers.count(value)
