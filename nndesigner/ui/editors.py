"""One small editor for each kind of parameter. An editor shows a value and tells what the user made of it; it stores
nothing.

`edited` carries a well-formed value; whether it is allowed is for the form to say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from nndesigner.spec import ParamInfo
from nndesigner.ui import numbers
from nndesigner.ui.number_fields import MIXED, SEVERAL, HintedLine, range_text, range_words, stepped
from nndesigner.ui.parts import Combo, margins, set_icon


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
            self.field.setText(self._text(self._value or ()))

    def step(self, steps: int) -> None:
        if self._value:
            value = tuple(max(1, v + steps) for v in self._value)
            with QSignalBlocker(self.field):
                self.field.setText(self._text(value))
            self._value = value
            self.edited.emit(value)

    def _read(self, text: str) -> None:
        value = self._parsed(text)
        if value is None:
            self.wrong.emit(f"{self.info.title} needs {self._needed()}.")
        else:
            self.edited.emit(value)

    def _tidy(self) -> None:
        if self._parsed(self.field.text()) != self._value:
            self.wrong.emit("")
        with QSignalBlocker(self.field):
            self.field.setText(self._text(self._value or ()))

    def _text(self, value: tuple[int, ...]) -> str:
        return " × ".join(map(str, value))

    def _needed(self) -> str:
        """What is to be typed, as the end of a sentence."""
        several = f"{self.info.length} whole numbers" if self.info.length else "whole numbers, such as 28 × 28 × 1"
        return {1: "one whole number", 2: "two whole numbers, such as 3 × 3"}.get(self.info.length, several)

    def _parsed(self, text: str) -> tuple[int, ...] | None:
        if not text.strip():
            return None if self.info.length else ()
        if not re.fullmatch(r"\s*-?\d+(\s*[×xX*,;\s]\s*-?\d+)*\s*", text):
            return None
        values = tuple(int(part) for part in re.findall(r"-?\d+", text))
        if self.info.length and len(values) == 1:
            values *= self.info.length
        return values if not self.info.length or len(values) == self.info.length else None


class FloatsEditor(IntsEditor):
    """Any count of numbers: 0.5, 2, 1."""

    def step(self, steps: int) -> None:
        """A list of decimals has no step that suits it."""

    def _text(self, value: tuple[float, ...]) -> str:
        return ", ".join(map(numbers.plain, value))

    def _needed(self) -> str:
        return "numbers, such as 0.5, 2, 1"

    def _parsed(self, text: str) -> tuple[float, ...] | None:
        try:
            values = tuple(float(part) for part in re.split(r"[,;×\s]+", text.strip()) if part)
        except ValueError:
            return None
        return values if all(map(math.isfinite, values)) else None


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
