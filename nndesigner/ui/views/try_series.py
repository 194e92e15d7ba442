"""The way to try a network on a series: a table is opened, continued, and predicted at every row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QVBoxLayout, QWidget

from nndesigner.data.dates import text_of_days
from nndesigner.exchange.prediction import Prediction
from nndesigner.exchange.series import SeriesTable, read_series, series_of
from nndesigner.training.telemetry import Answer
from nndesigner.training.trainer import Trainer
from nndesigner.ui import numbers, theme
from nndesigner.ui.parts import follow_theme, label, line, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.legend import Entry, Legend
from nndesigner.ui.views.plot_base import Plot
from nndesigner.ui.views.questions import answer_to
from nndesigner.ui.views.tool import tool

#: windows that are answered at a time, so that other questions and training get their turn
ROWS = 2000
#: moments shown at first of a longer series
SHOWN = 300

_keys = count()


class SeriesPage(QWidget):
    """Known values, what was predicted for them so many moments before, and the forecast. `tools` are its buttons."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._runner = runner
        self._path: Path | None = None
        self._table: SeriesTable | None = None
        self._values: np.ndarray | None = None
        self._parts: list[Prediction] = []
        self._key = f"series {next(_keys)}"
        self._ticket: int | None = None
        self.note = label(self.tr("Open or drop a table that has the columns of the series."), "caption", True)
        self.legend = Legend()
        self.ahead = Choice([], None)
        self.ahead.setAccessibleName(self.tr("Moments ahead"))
        self.ahead.setToolTip(self.tr("How long before each moment its value was predicted"))
        self.ahead.chosen.connect(self._draw)
        self.plot = Plot(self)
        self.plot.setAccessibleName(self.tr("Series and forecast"))
        self.plot.whole_wanted.connect(lambda: self._show_range(0))
        self.plot.pointed.connect(self._point)
        self._known, self._predicted, self._forecast = (self.plot.plot() for _ in range(3))
        layout = margins(QVBoxLayout(self), 0, gap=4)
        layout.addWidget(self.note)
        layout.addLayout(line(self.legend, self.ahead))
        layout.addWidget(self.plot, 1)
        open_ = tool("mdi6.folder-open-outline", self.tr("Open a table"), self.tr("Open…"))
        open_.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        open_.clicked.connect(self._ask_file)
        self.save = tool("mdi6.export-variant", self.tr("Save rows, predictions and forecast as CSV"))
        self.save.clicked.connect(self._ask_save)
        self.tools = (open_, self.save)
        self._show_parts(False)
        runner.answered.connect(self._on_answer)
        follow_theme(self, self._restyle)

    def forget(self) -> None:
        """Another session: what was asked of the old one will not be answered."""
        self._ticket = None

    def ask_anew(self) -> None:
        """Ask a newly trained network about the table that is open, or else about the data it was trained with."""
        if self._path is not None:
            self.show_file(self._path)
            return
        column = self._runner.prepared.preparation.inputs[0]
        self._begin(lambda trainer: series_of(trainer.prepared.dataset, column), self.tr("Looking at the series…"))

    def show_file(self, path: Path) -> None:
        """Read a table and ask for the answers to all its windows."""
        self._path = path
        column = self._runner.prepared.preparation.inputs[0]
        self._begin(lambda trainer: read_series(path, column), self.tr("Reading {0}…").format(path.name))

    def _begin(self, read: Callable[[Trainer], SeriesTable], words: str) -> None:
        self._table, self._values, self._parts = None, None, []
        self._show_parts(False)
        self.note.setText(words)
        self._ticket = self._runner.ask(self._key, read)

    @property
    def forecast(self) -> np.ndarray | None:
        """The values after the last window [horizon]; None while they are not there."""
        return None if self._values is None else self._values[-1]

    def _on_answer(self, answer: Answer) -> None:
        if answer.key != self._key or answer.ticket != self._ticket:
            return
        self._ticket = None
        if answer.error:
            self.note.setText(answer.error)
            return
        if self._table is None:
            self._table = answer.value
        else:
            self._parts.append(next(iter(answer.value.values())))
        done, total = sum(map(len, self._parts)), len(self._table.windows)
        if done < total:
            self.note.setText(self.tr("{0} of {1} windows").format(numbers.exact(done), numbers.exact(total)))
            column = self._runner.prepared.preparation.inputs[0].column
            self._ticket = self._runner.ask(
                self._key, answer_to({column: self._table.windows[done:done + ROWS]}))
            return
        self._show()

    def _show(self) -> None:
        table, last = self._table, self._parts[-1]
        if last.values is None:
            ranked = ", ".join(f"{name}: {100 * p:.0f} %" for name, p in last.ranked(len(last) - 1, 3))
            self.note.setText(" ".join((self.tr("{0} after the last row: {1}.").format(table.form.target, ranked),
                                        *table.notes)))
            return
        self._values = np.concatenate([part.values.reshape(len(part), -1) for part in self._parts])
        horizon = self._values.shape[1]
        steps = [(self.tr("1 moment before") if i == 0 else self.tr("{0} moments before").format(i + 1), i)
                 for i in range(horizon)]
        if self.ahead.values != list(range(horizon)):
            self.ahead.offer(steps, 0)
        self._show_parts(True)
        self.ahead.setVisible(horizon > 1)
        figures = ", ".join(f"{value:.5g}" for value in self._values[-1][:6]) + (", …" if horizon > 6 else "")
        own = () if self._path is not None else (self.tr("These are the data of the training; open or drop new ones."),)
        words = self.tr("Forecast of {0}: {1}.").format(table.form.target, figures)
        self.note.setText(" ".join((words, *own, *table.notes)))
        dates = table.times is not None and table.form.dates
        self.plot.bottom.write = lambda value, last: (
            text_of_days(float(table.times[int(value)])) if dates and 0 <= value < len(table.times) else f"{value:g}")
        self._draw()
        self._show_range(max(0, len(table.lines) - SHOWN))

    def _curves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(moments, predicted values, moments, values of the forecast with the last known one before them)."""
        table, step = self._table, self.ahead.value or 0
        start, values = int(table.ends[-1]), self._values[-1]
        moments = start + np.arange(1, len(values) + 1)
        if table.known is not None:
            moments, values = np.insert(moments, 0, start), np.insert(values, 0, table.known[start])
        return table.ends + step + 1, self._values[:, step], moments, values

    def _draw(self, *_: object) -> None:
        table = self._table
        if table is None or self._values is None:
            return
        x, y, later, forecast = self._curves()
        whole = np.full(int(x[-1]) + 1, np.nan)  # gaps where a window had missing values
        whole[x] = y
        if table.known is not None:
            self._known.setData(np.arange(len(table.known)), table.known, connect="finite")
        self._predicted.setData(np.arange(len(whole)), whole, connect="finite")
        self._forecast.setData(later, forecast)
        self._point(None, None)

    def _show_range(self, first: int) -> None:
        """Show the moments from `first` to the end of the forecast."""
        if self._values is None:
            return
        x, y, later, forecast = self._curves()
        seen = [y[x >= first], forecast]
        if self._table.known is not None:
            seen.append(self._table.known[first:])
        values = np.concatenate(seen)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        room = 0.06 * (high - low or 1.0)
        self.plot.set_range((first, float(later[-1]) + 1), (low - room, high + room))

    def _point(self, x: float | None, _: float | None) -> None:
        """The values at the pointer, or the names of the curves."""
        if self._values is None:
            return
        texts = ["", "", ""]
        if x is not None:
            place, table = round(x), self._table
            moments, predicted, later, forecast = self._curves()
            if table.known is not None and 0 <= place < len(table.known):
                texts[0] = f"{table.known[place]:.5g}"
            for i, (at, values) in enumerate(((moments, predicted), (later, forecast)), 1):
                found = np.flatnonzero(at == place)
                texts[i] = f"{values[found[0]]:.5g}" if len(found) else ""
        self.legend.set_entries(
            Entry(self.tr("known"), texts[0], "muted"), Entry(self.tr("predicted"), texts[1], "training"),
            Entry(self.tr("forecast"), texts[2], "validation", dashed=True))

    def _restyle(self) -> None:
        t = theme.current()
        self.plot.restyle()
        self._known.setPen(pg.mkPen(theme.colour(t.muted), width=1))
        self._predicted.setPen(pg.mkPen(theme.colour(t.training), width=1))
        self._forecast.setPen(pg.mkPen(theme.colour(t.validation), width=2, style=Qt.PenStyle.DashLine))

    def _show_parts(self, on: bool) -> None:
        for widget in (self.legend, self.ahead, self.plot):
            widget.setVisible(on)
        self.save.setEnabled(on)

    # --- saving ---

    def to_csv(self) -> str:
        """Row of the file at which each window ends, known value there, and what is predicted after it."""
        table, truth = self._table, self._table.truth()
        names = list(self._parts[-1].names)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["row", *names, *(f"true {name}" for name in truth)])
        for i, end in enumerate(table.ends):
            after = [values[i] for values in truth.values()]
            writer.writerow([int(table.lines[end]), *(repr(float(v)) for v in self._values[i]),
                             *("" if v != v else repr(float(v)) for v in after)])
        return out.getvalue()

    def _ask_file(self) -> None:
        kind = self.tr("Tables (*.csv *.tsv *.txt *.jsonl *.parquet)")
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Open table"), "", kind)
        if name:
            self.show_file(Path(name))

    def _ask_save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save the forecast"), "forecast.csv",
                                              self.tr("Table (*.csv)"))
        if name:
            try:
                Path(name).write_text(self.to_csv(), encoding="utf-8")
            except OSError as error:
                QMessageBox.warning(self, self.tr("Not saved"), str(error))
