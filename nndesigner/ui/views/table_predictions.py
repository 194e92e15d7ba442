"""A CSV file with the network's answer for each row."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from nndesigner.data.csv_file import RawTable
from nndesigner.exchange.prediction import Prediction
from nndesigner.ui import numbers, theme
from nndesigner.ui.views.sample_content import value_text, written


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers for the first rows of a table; the arrays grow as more rows are answered."""

    table: RawTable
    parts: tuple[Prediction, ...] = ()

    @property
    def count(self) -> int:
        """Rows answered."""
        return sum(len(part) for part in self.parts)

    @property
    def total(self) -> int:
        return len(self.table.lines)

    def with_part(self, part: Prediction) -> Answers:
        return Answers(self.table, (*self.parts, part))

    def joined(self) -> Prediction:
        """All answers as one."""
        first = self.parts[0]

        def together(name: str) -> np.ndarray | None:
            arrays = [getattr(part, name) for part in self.parts]
            return None if arrays[0] is None else np.concatenate(arrays)

        return Prediction(first.head, first.task, first.classes, first.names, together("probabilities"),
                          together("predicted"), together("values"), together("texts"))

    def to_csv(self) -> str:
        """The rows answered with prediction and probabilities behind them."""
        found = self.joined()
        names = list(self.table.columns)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        if found.probabilities is not None:
            writer.writerow([*names, "prediction", *(f"probability {name}" for name in found.classes)])
        else:
            writer.writerow([*names, *value_names(found)])
        for i in range(self.count):
            cells = [_plain(self.table.columns[name][i]) for name in names]
            if found.probabilities is not None:
                answers = [found.label(i), *(repr(float(p)) for p in found.probabilities[i])]
            elif found.texts is not None:
                answers = [found.texts[i] or ""]
            else:
                answers = [repr(float(v)) for v in found.values[i].reshape(-1)]
            writer.writerow([*cells, *answers])
        return out.getvalue()


def value_names(found: Prediction) -> list[str]:
    """Names of the predicted values, or of the text."""
    if found.texts is not None:
        return [f"predicted {found.names[0]}"]
    width = int(np.prod(found.values.shape[1:]))
    if len(found.names) == width:
        return [f"predicted {name}" for name in found.names]
    return [f"predicted {i + 1}" for i in range(width)]


def _plain(value: Any) -> str:
    if value is None or value != value:
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)


class _Model(QAbstractTableModel):
    """Line, answer, how sure, then the inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: Answers | None = None
        self._found: Prediction | None = None
        self._units: dict[str, str] = {}
        self._bold = QFont(theme.font(theme.BASE, 600))

    def show(self, answers: Answers | None, units: dict[str, str]) -> None:
        self.beginResetModel()
        self.answers, self._units = answers, units
        self._found = answers.joined() if answers is not None and answers.parts else None
        self.endResetModel()

    def _heads(self) -> list[str]:
        found = self._found
        answers = ["prediction", "sure"] if found.probabilities is not None else value_names(found)[:20]
        return ["line", *answers, *self.answers.table.columns]

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() or self._found is None else self.answers.count

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() or self._found is None else len(self._heads())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self._heads()[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        found, row, column = self._found, index.row(), index.column()
        answers = 2 if found.probabilities is not None else len(value_names(found)[:20])
        if role == Qt.ItemDataRole.FontRole and column == 1:
            return self._bold
        if role == Qt.ItemDataRole.TextAlignmentRole and not (column == 1 and found.probabilities is not None):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if column == 0:
            return str(int(self.answers.table.lines[row]))
        if column <= answers:
            if found.texts is not None:
                return written(found.texts[row])
            if found.probabilities is None:
                value = float(found.values[row].reshape(-1)[column - 1])
                return value_text(value, self._units.get(found.names[0], "") if len(found.names) == 1 else "")
            if column == 1:
                return found.label(row) or numbers.NONE
            return numbers.percent(float(found.probabilities[row].max()))
        name = list(self.answers.table.columns)[column - 1 - answers]
        return value_text(self.answers.table.columns[name][row], self._units.get(name, ""))


class PredictionTable(QTableView):
    """The table on the screen. Ctrl C copies the selected cells."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Model()
        self.setModel(self._model)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(26)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setAccessibleName(self.tr("Predictions for the rows of the file"))

    def show_answers(self, answers: Answers | None, units: dict[str, str]) -> None:
        """Show the rows answered so far."""
        self._model.show(answers, units)
        if answers is not None and len(answers.parts) == 1:
            self.resizeColumnsToContents()

    def keyPressEvent(self, event: Any) -> None:
        from PySide6.QtGui import QGuiApplication, QKeySequence

        if event.matches(QKeySequence.StandardKey.Copy):
            rows: dict[int, dict[int, str]] = {}
            for index in self.selectedIndexes():
                rows.setdefault(index.row(), {})[index.column()] = index.data() or ""
            text = "\n".join("\t".join(cells[c] for c in sorted(cells)) for _, cells in sorted(rows.items()))
            QGuiApplication.clipboard().setText(text)
        else:
            super().keyPressEvent(event)
