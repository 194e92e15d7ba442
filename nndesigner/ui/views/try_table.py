"""The way to try a network on a whole CSV file: read it, ask for all rows, show and save the answers."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QVBoxLayout, QWidget

from nndesigner.data.encoding import RawInput
from nndesigner.exchange.files import read_rows
from nndesigner.training.telemetry import Answer
from nndesigner.ui import numbers
from nndesigner.ui.parts import label, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.views.questions import answer_to
from nndesigner.ui.views.table_predictions import Answers, PredictionTable
from nndesigner.ui.views.tool import tool

#: rows of a table that are answered at a time, so that other questions and training get their turn
ROWS = 2000

_keys = count()


class TablePage(QWidget):
    """A table with predictions. `tools` are its buttons, for the head line of the view."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._runner = runner
        self._inputs: tuple[RawInput, ...] = ()
        self._node = ""
        self._answers: Answers | None = None
        self._key = f"table {next(_keys)}"
        self._ticket: int | None = None
        self.note = label(self.tr("Open or drop a CSV file that has the input columns."), "caption", True)
        self.table = PredictionTable()
        layout = margins(QVBoxLayout(self), 0, gap=4)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        open_ = tool("mdi6.folder-open-outline", self.tr("Open a CSV file"), self.tr("Open…"))
        open_.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        open_.clicked.connect(self._ask_file)
        self.save = tool("mdi6.export-variant", self.tr("Save the table with the predictions as CSV"))
        self.save.clicked.connect(self._ask_save)
        self.save.setEnabled(False)
        self.tools = (open_, self.save)
        runner.answered.connect(self._on_answer)

    def forget(self) -> None:
        """Another session: what was asked of the old one will not be answered."""
        self._ticket = None

    def show_file(self, path: Path, inputs: tuple[RawInput, ...], node: str) -> None:
        """Read a CSV file and ask for the answers of an Output node (empty: the first) for all its rows."""
        self._answers, self._inputs, self._node = None, inputs, node
        self.save.setEnabled(False)
        self.table.show_answers(None, {})
        self.note.setText(self.tr("Reading {0}…").format(path.name))
        # on the session's thread, because a large file takes a while
        self._ticket = self._runner.ask(self._key, lambda trainer: read_rows(path, inputs))

    def write(self, path: Path) -> None:
        """Write the table with its predictions; a failure is shown."""
        try:
            path.write_text(self._answers.to_csv(), encoding="utf-8")
        except OSError as error:
            QMessageBox.warning(self, self.tr("Not saved"), str(error))

    def _ask_rows(self) -> None:
        """Ask about the next rows of the table."""
        rows = slice(self._answers.count, self._answers.count + ROWS)
        raw = {name: values[rows] for name, values in self._answers.table.columns.items()}
        self._ticket = self._runner.ask(self._key, answer_to(raw))

    def _on_answer(self, answer: Answer) -> None:
        if answer.key != self._key or answer.ticket != self._ticket:
            return
        self._ticket = None
        if answer.error:
            self.note.setText(answer.error)
            return
        if self._answers is None:
            self._answers = Answers(answer.value)
        else:
            found = answer.value.get(self._node) or next(iter(answer.value.values()))
            self._answers = self._answers.with_part(found)
        answers = self._answers
        done = answers.count == answers.total
        self.note.setText(self.tr("{0} of {1} rows. {2}").format(
            numbers.exact(answers.count), numbers.exact(answers.total), " ".join(answers.table.notes)).strip())
        if answers.parts and (done or len(answers.parts) == 1):
            columns = (*self._inputs, *self._runner.prepared.preparation.targets)
            self.table.show_answers(answers, {column.column: column.unit for column in columns})
        self.save.setEnabled(done and bool(answers.parts))
        if not done:
            self._ask_rows()

    def _ask_file(self) -> None:
        kind = self.tr("Tables (*.csv *.tsv *.txt *.jsonl)")
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Open table"), "", kind)
        if name:
            self.show_file(Path(name), self._runner.prepared.preparation.inputs, self._node)

    def _ask_save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save predictions"), "predictions.csv", self.tr("Table (*.csv)"))
        if name:
            self.write(Path(name))
