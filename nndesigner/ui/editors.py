"""One small editor for each kind of parameter. An editor shows a value and tells what the user made of it; it stores
nothing.

`edited` carries a well-formed value; whether it is allowed is for the form to say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)

from nndesigner.spec import ParamInfo
from nndesigner.ui import numbers, theme
from nndesigner.ui.parts import Combo, margins, set_icon

#: what a field shows when several selected layers differ
SEVERAL = "several"
MIXED = object()
#: pixels of a drag on a label for one step
SCRUB_PIXELS = 6


class Editor(QWidget):
    """Base: `edited` with the new value; `wrong` with a sentence when the text cannot be read."""

    edited = Signal(object)
    wrong = Signal(str)
    #: the field got the focus: what follows is another undo step
    entered = Signal()

    def __init__(self, info: ParamInfo) -> None:
        super().__init__()
        self.info = info
        self._layout = QHBoxLayout(self)
        margins(self._layout, 0, gap=4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _hold(self, field: QWidget) -> None:
        self._layout.addWidget(field)
        self.setFocusProxy(field)
        field.setAccessibleName(self.info.title)
        field.setAccessibleDescription(self.info.help)
        field.installEventFilter(self)
        self.field = field

    def eventFilter(self, watched: QWidget, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.entered.emit()
        return False

    def show_value(self, value: Any) -> None:
        """Show a value, or MIXED, without telling that anything was edited."""
        raise TypeError(f"{type(self).__name__} shows nothing.")

    def mark(self, invalid: bool) -> None:
        """Mark the field as holding something that is not allowed."""
        if bool(self.field.property("invalid")) != invalid:
            self.field.setProperty("invalid", invalid)
            style = self.field.style()
            style.unpolish(self.field)
            style.polish(self.field)


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


class NumberEditor(Editor):
    """A whole or a real number, with its range inside the field. Up, Down, the wheel and a drag on the label step
    it."""

    def __init__(self, info: ParamInfo) -> None:
        super().__init__(info)
        self._whole = info.editor == "int"
        self._value: float | int | None = None
        field = HintedLine(range_text(info))
        field.textEdited.connect(self._read)
        field.stepped.connect(self.step)
        field.editingFinished.connect(self._tidy)
        self._hold(field)

    def show_value(self, value: Any) -> None:
        self._value = None if value is MIXED else value
        field = self.field
        field.setPlaceholderText(SEVERAL if value is MIXED else "automatic" if value is None else "")
        text = "" if self._value is None else self._text(self._value)
        # While the user types, 0.10 must not turn into 0.1 under the fingers.
        if field.hasFocus() and self._parsed(field.text()) == self._value:
            return
        with QSignalBlocker(field):
            field.setText(text)

    def step(self, steps: int) -> None:
        """Go up or down by so many steps, within the limits."""
        if self._value is None:
            return
        value = stepped(self._value, steps, self.info, self._whole)
        if value != self._value:
            self._value = value
            with QSignalBlocker(self.field):
                self.field.setText(self._text(value))
            self.edited.emit(value)

    def _read(self, text: str) -> None:
        if not text.strip() and self.info.optional:
            self.edited.emit(None)
            return
        value = self._parsed(text)
        if value is None:
            kind = "a whole number" if self._whole else "a number"
            self.wrong.emit(f"{self.info.title} needs {kind}{range_words(self.info)}.")
        else:
            self.edited.emit(value)

    def _tidy(self) -> None:
        """On leaving, a text that could not be used gives way to the value in force."""
        if self._parsed(self.field.text()) != self._value:
            with QSignalBlocker(self.field):
                self.field.setText("" if self._value is None else self._text(self._value))
            self.wrong.emit("")

    def _parsed(self, text: str) -> float | int | None:
        text = re.sub(r"\s", "", text)
        try:
            value = int(text) if self._whole else float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def _text(self, value: float | int) -> str:
        return str(value) if self._whole else numbers.plain(value)


class BoolEditor(Editor):
    """Yes or no."""

    def __init__(self, info: ParamInfo) -> None:
        super().__init__(info)
        field = QCheckBox()
        field.clicked.connect(lambda on: self.edited.emit(bool(on)))
        self._hold(field)
        self._layout.addStretch(1)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.field):
            self.field.setTristate(value is MIXED)
            if value is MIXED:
                self.field.setCheckState(Qt.CheckState.PartiallyChecked)
            else:
                self.field.setChecked(bool(value))


class ChoiceEditor(Editor):
    """One of several values. `choices` may be a function, asked each time the value is shown."""

    def __init__(self, info: ParamInfo, choices: Callable[[], list[tuple[Any, str, str]]] | None = None) -> None:
        """`choices` gives (value, words, reason why it cannot be chosen, empty when it can)."""
        super().__init__(info)
        self._choices = choices or (lambda: [(value, words, "") for value, words in info.choices])
        self._values: list[Any] = []
        field = Combo()
        field.activated.connect(lambda index: self.edited.emit(self._values[index]))
        self._hold(field)

    def show_value(self, value: Any) -> None:
        field = self.field
        choices = self._choices()
        if value is not MIXED and all(v != value for v, _, _ in choices):
            choices = [*choices, (value, str(value), "")]
        with QSignalBlocker(field):
            field.clear()
            self._values = [v for v, _, _ in choices]
            for index, (_, words, reason) in enumerate(choices):
                field.addItem(words)
                if reason:
                    field.model().item(index).setEnabled(False)
                    field.setItemData(index, reason, Qt.ItemDataRole.ToolTipRole)
            field.setPlaceholderText(SEVERAL)
            field.setCurrentIndex(-1 if value is MIXED else self._values.index(value))
        field.setToolTip("" if value is MIXED else field.currentText())


class IntsEditor(Editor):
    """A few whole numbers: 3 × 3. One number stands for all when the number of values is fixed."""

    def __init__(self, info: ParamInfo) -> None:
        super().__init__(info)
        self._value: tuple[int, ...] | None = None
        field = HintedLine()
        field.textEdited.connect(self._read)
        field.stepped.connect(self.step)
        field.editingFinished.connect(self._tidy)
        self._hold(field)

    def show_value(self, value: Any) -> None:
        self._value = None if value is MIXED or value is None else tuple(value)
        self.field.setPlaceholderText(SEVERAL if value is MIXED else "automatic" if not value else "")
        if self.field.hasFocus() and self._parsed(self.field.text()) == self._value:
            return
        with QSignalBlocker(self.field):
            self.field.setText(" × ".join(map(str, self._value or ())))

    def step(self, steps: int) -> None:
        if self._value:
            value = tuple(max(1, v + steps) for v in self._value)
            with QSignalBlocker(self.field):
                self.field.setText(" × ".join(map(str, value)))
            self._value = value
            self.edited.emit(value)

    def _read(self, text: str) -> None:
        value = self._parsed(text)
        if value is None:
            several = f"{self.info.length} whole numbers" if self.info.length else "whole numbers, such as 28 × 28 × 1"
            count = {1: "one whole number", 2: "two whole numbers, such as 3 × 3"}.get(self.info.length, several)
            self.wrong.emit(f"{self.info.title} needs {count}.")
        else:
            self.edited.emit(value)

    def _tidy(self) -> None:
        if self._parsed(self.field.text()) != self._value:
            self.wrong.emit("")
        with QSignalBlocker(self.field):
            self.field.setText(" × ".join(map(str, self._value or ())))

    def _parsed(self, text: str) -> tuple[int, ...] | None:
        if not text.strip():
            return None if self.info.length else ()
        if not re.fullmatch(r"\s*-?\d+(\s*[×xX*,;\s]\s*-?\d+)*\s*", text):
            return None
        values = tuple(int(part) for part in re.findall(r"-?\d+", text))
        if self.info.length and len(values) == 1:
            values *= self.info.length
        return values if not self.info.length or len(values) == self.info.length else None


class TextEditor(Editor):
    """A line of text."""

    def __init__(self, info: ParamInfo) -> None:
        super().__init__(info)
        field = QLineEdit()
        field.textEdited.connect(self.edited.emit)
        self._hold(field)

    def show_value(self, value: Any) -> None:
        self.field.setPlaceholderText(SEVERAL if value is MIXED else "")
        text = "" if value is MIXED or value is None else str(value)
        if text != self.field.text():
            with QSignalBlocker(self.field):
                self.field.setText(text)


class FileEditor(Editor):
    """The path of a file or folder, typed or chosen."""

    def __init__(self, info: ParamInfo) -> None:
        super().__init__(info)
        self._value = ""
        field = QLineEdit()
        field.editingFinished.connect(self._typed)
        self._hold(field)
        browse = QToolButton()
        set_icon(browse, "mdi6.folder-open-outline")
        browse.setToolTip(f"Choose {info.title.lower()}…")
        browse.setAccessibleName(f"Choose {info.title.lower()}")
        browse.clicked.connect(self._browse)
        self._layout.addWidget(browse)

    def show_value(self, value: Any) -> None:
        self._value = "" if value is MIXED or value is None else str(value)
        with QSignalBlocker(self.field):
            self.field.setText(self._value)
        self.field.setToolTip(self._value)

    def _typed(self) -> None:
        if self.field.text() != self._value:
            self.edited.emit(self.field.text())

    def _browse(self) -> None:
        start = str(Path(self._value).parent) if self._value else ""
        title = f"Choose {self.info.title.lower()}"
        if self.info.editor == "folder":
            name = QFileDialog.getExistingDirectory(self, title, self._value)
        else:
            name, _ = QFileDialog.getOpenFileName(self, title, start)
        if name:
            self.edited.emit(name)


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

    def __init__(self, text: str, editor: Editor) -> None:
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
