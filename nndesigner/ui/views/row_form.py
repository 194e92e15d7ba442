"""A form for one row of a table: a field for each input column, filled with what is usual in the training data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QPlainTextEdit, QScrollArea, QWidget

from nndesigner.data.dates import text_of_days
from nndesigner.data.encoding import Preparation, RawInput
from nndesigner.ui import numbers
from nndesigner.ui.editors import HintedLine
from nndesigner.ui.parts import ElidedLabel, WheelGuard, margins
from nndesigner.ui.stylesheet import role

#: least width of one column of fields
COLUMN_WIDTH = 210


def usual_values(preparation: Preparation) -> dict[str, str]:
    """Text of the usual value of each input column: the mean of the training part, or the first category."""
    found: dict[str, str] = {}
    for encoding in preparation.fields:
        if encoding.field.role != "input":
            continue
        at = 0
        for column in encoding.columns:
            if column.kind == "category":
                found[column.column] = column.categories[0] if column.categories else ""
            elif column.kind == "number":
                # `fill`, which stands for missing numbers, is the mean of the training part
                found[column.column] = f"{float(encoding.fill[at]):.4g}"
            elif column.kind == "date":
                found[column.column] = text_of_days(float(encoding.fill[at]))
            at += column.width
    return found


class TextField(QPlainTextEdit):
    """A text of several lines, with the names that a field of one line has. Tab goes to the next field."""

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setMinimumHeight(64)

    def text(self) -> str:
        return self.toPlainText()

    def setText(self, text: str) -> None:
        self.setPlainText(text)


class RowForm(QScrollArea):
    """Fields for the columns of a table. `changed` tells each change; `raw` gives what was typed."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._inputs: tuple[RawInput, ...] = ()
        self.fields: dict[str, HintedLine | QComboBox | TextField] = {}
        self._labels: dict[str, ElidedLabel] = {}
        self._columns = 0
        self._guard = WheelGuard()

    def show_inputs(self, inputs: tuple[RawInput, ...], values: Mapping[str, str]) -> None:
        """Make the fields for these columns."""
        self._inputs = inputs
        self.fields, self._labels = {}, {}
        inner = QWidget()
        margins(QGridLayout(inner), 0, 0, 6, 0, gap=6)
        self.setWidget(inner)
        for column in inputs:
            field = self._field(column)
            field.setAccessibleName(column.column)
            name = ElidedLabel(column.column)
            role(name, "muted")
            name.setBuddy(field)
            self.fields[column.column], self._labels[column.column] = field, name
        self.set_values(values)
        self._columns = 0
        self._arrange()

    def set_values(self, values: Mapping[str, str]) -> None:
        """Show these texts; columns not named keep theirs."""
        for name, text in values.items():
            field = self.fields.get(name)
            if isinstance(field, QComboBox):
                field.setCurrentIndex(max(0, field.findData(text)))
            elif field is not None:
                field.setText(text)

    def values(self) -> dict[str, str]:
        """What is typed, by column."""
        return {name: str(field.currentData()) if isinstance(field, QComboBox) else field.text().strip()
                for name, field in self.fields.items()}

    def wrong(self) -> str:
        """Name of the first column that holds no number where one is needed; empty when all is well."""
        for column in self._inputs:
            field = self.fields[column.column]
            if isinstance(field, HintedLine) and field.property("invalid"):
                return column.column
        return ""

    def raw(self) -> dict[str, np.ndarray]:
        """One row of raw columns, [1] each. Empty fields count as missing."""
        return {name: np.array([text or None], dtype=object) for name, text in self.values().items()}

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _field(self, column: RawInput) -> HintedLine | QComboBox | TextField:
        if column.kind == "category":
            choice = QComboBox()
            for text in column.categories:
                choice.addItem(text, text)
            choice.installEventFilter(self._guard)
            choice.currentIndexChanged.connect(lambda _: self.changed.emit())
            return choice
        if column.kind == "text":
            field = TextField()
            field.setPlaceholderText(self.tr("Type a text"))
            field.textChanged.connect(self.changed)
            return field
        if column.kind == "date":
            line = HintedLine(f"{text_of_days(column.low)} – {text_of_days(column.high)}")
            line.textChanged.connect(lambda _: self.changed.emit())
            return line
        unit = f" {column.unit}" if column.unit else ""
        line = HintedLine(f"{column.low:.4g}–{column.high:.4g}{unit}")
        line.setToolTip(self.tr("Training data go from {0:.4g} to {1:.4g}{2}. Arrow keys change the value; an empty "
                                "field counts as missing.").format(column.low, column.high, unit))
        line.textChanged.connect(lambda text: self._typed(line, text))
        line.stepped.connect(lambda steps: self._step(line, column, steps))
        return line

    def _typed(self, line: HintedLine, text: str) -> None:
        invalid = bool(text.strip()) and _number(text) is None
        if bool(line.property("invalid")) != invalid:
            line.setProperty("invalid", invalid)
            line.style().unpolish(line)
            line.style().polish(line)
        self.changed.emit()

    def _step(self, line: HintedLine, column: RawInput, steps: int) -> None:
        value = _number(line.text())
        span = column.high - column.low or 1.0
        step = 10 ** np.floor(np.log10(span / 20))
        line.setText(numbers.plain(round(((value or 0.0) + steps * step) / step) * step))

    def _arrange(self) -> None:
        columns = max(1, min(len(self.fields), self.viewport().width() // COLUMN_WIDTH))
        if not self.fields or columns == self._columns:
            return
        grid = self.widget().layout()
        for column in range(grid.columnCount()):
            grid.setColumnStretch(column, 0)
        grid.setRowStretch(grid.rowCount() - 1, 0)
        self._columns = columns
        for i, name in enumerate(self.fields):
            row, column = divmod(i, columns)
            if isinstance(self.fields[name], TextField):
                grid.addWidget(self.fields[name], row, 2 * column, 1, 2)
                continue
            grid.addWidget(self._labels[name], row, 2 * column)
            grid.addWidget(self.fields[name], row, 2 * column + 1)
        for column in range(2 * columns):
            grid.setColumnStretch(column, 3 if column % 2 else 2)
        grid.setRowStretch(-(-len(self.fields) // columns), 1)


def _number(text: str) -> float | None:
    """The number in a text, None when it is none or not finite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
