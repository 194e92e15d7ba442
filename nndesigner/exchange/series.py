"""A table as a network that was trained on windows of a series sees it: all windows, and what came after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nndesigner.data.csv_file import read_inputs
from nndesigner.data.dataset import DataError, Dataset
from nndesigner.data.encoding import RawInput
from nndesigner.data.windows import SeriesForm, windows_of


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """Rows of a table in order of time, and the windows over them whose values are all known.

    `windows` [n, window, F] end at the rows `ends` [n]; the last one is what a forecast looks at. `known` [rows] are
    the values of the target, None where it is a class; `times` [rows] the dates (days since 1970) or numbers of the
    column of time, None without one. `lines` [rows] are lines of the file.
    """

    form: SeriesForm
    windows: np.ndarray
    ends: np.ndarray
    known: np.ndarray | None
    times: np.ndarray | None
    lines: np.ndarray
    notes: tuple[str, ...]

    def truth(self) -> dict[str, np.ndarray]:
        """What came after each window, by name of the predicted column: [n], NaN where the table ends."""
        if self.known is None:
            return {}
        horizon, name = self.form.horizon, self.form.target
        following = np.concatenate([self.known, np.full(horizon, np.nan)])
        names = [f"{name} +{step + 1}" for step in range(horizon)] if horizon > 1 else [f"next {name}"]
        return {named: following[self.ends + step + 1] for step, named in enumerate(names)}


def is_series(inputs: Sequence[RawInput]) -> bool:
    """Whether a network looks at windows of a series, and at nothing else."""
    return len(inputs) == 1 and inputs[0].series is not None


def read_series(path: Path, column: RawInput) -> SeriesTable:
    """A table with the columns that training saw. Raises DataError where it lacks some, or is too short."""
    form, window = column.series, column.shape[0]
    wanted = [RawInput(name, "number") for name in form.columns]
    if form.time:
        wanted.append(RawInput(form.time, "date" if form.dates else "number"))
    table = read_inputs(str(path), wanted)
    values = np.stack([table.columns[name] for name in form.columns], axis=1).astype(np.float32)
    times, lines, notes = table.columns[form.time] if form.time else None, table.lines, list(table.notes)
    if times is not None:
        present = np.isfinite(times)
        if not present.all():
            notes.append(f"{int((~present).sum()):,} rows without a value of '{form.time}' left out.")
        order = np.flatnonzero(present)[np.argsort(times[present], kind="stable")]
        values, times, lines = values[order], times[order], lines[order]
    if len(values) < window:
        raise DataError(f"'{path.name}' has {len(values):,} rows, but the network looks at {window} at a time. Give it "
                        "a longer table.")
    known = values[:, form.columns.index(form.target)].astype(np.float64) if form.target in form.columns else None
    return _table(column, path.name, values, known, times, lines, notes)


def series_of(dataset: Dataset, column: RawInput) -> SeriesTable:
    """The series that a data set was made of, as far as its windows tell. Raises DataError.

    Where the network sees other columns beside the target, the last moments are known of the target only: the forecast
    begins before them.
    """
    form, windows = column.series, np.asarray(dataset.column(column.column).values)
    values, known = np.concatenate([windows[0], windows[1:, -1]]), None
    if form.target in form.columns:
        place = form.columns.index(form.target)
        ahead = [c for c in dataset.columns if c.name != column.column][:form.horizon]
        known = np.concatenate([values[:, place].astype(np.float64), [c.values[-1] for c in ahead]])
        if len(form.columns) == 1:
            values = known[:, None].astype(np.float32)
    lines = np.arange(1, len(values) + 1)
    return _table(column, dataset.title, values, known, None, lines, [])


def _table(
    column: RawInput, name: str, values: np.ndarray, known: np.ndarray | None, times: np.ndarray | None,
    lines: np.ndarray, notes: list[str],
) -> SeriesTable:
    form, window = column.series, column.shape[0]
    if len(values) < window:
        raise DataError(f"'{name}' has {len(values):,} rows, but the network looks at {window} at a time. Give it "
                        "a longer table.")
    good = windows_of(np.isfinite(values), window).all(axis=(1, 2))
    if not good.any():
        raise DataError(f"'{name}' has no {window} rows in a row without missing numbers. Fill them in.")
    if not good[-1]:
        notes.append(f"The last {window} rows have missing numbers, so the forecast begins before the end.")
    ends = np.flatnonzero(good) + window - 1
    return SeriesTable(form, windows_of(values, window)[good], ends, known, times, lines, tuple(notes))
