"""What all samples are like, for people to look at: spread of each column, odd values, relations, equal samples.

Large data are judged by samples chosen evenly; the overview says how many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nndesigner.data.dataset import Column, DataError
from nndesigner.data.duplicates import marks, matches
from nndesigner.data.preparing import Prepared
from nndesigner.data.rows import RawReader
from nndesigner.data.source import Progress
from nndesigner.data.statistics import ColumnStatistics, column_statistics, correlation
from nndesigner.data.text import text_of_sample

#: samples looked at, of those that must be decoded or are large, and columns shown
LOOKED_AT, LOOKED_AT_LARGE, COLUMNS = 200_000, 2000, 60
#: columns of the table of correlations, and classes that get a column of their own there
CORRELATED, CLASS_COLUMNS = 24, 6
#: inputs of more bytes are not searched for equal samples
SEARCHED_BYTES = 4 << 30
#: values farther than so many interquartile ranges beyond the quartiles are odd ("far out", Tukey, Exploratory Data
#: Analysis, 1977; his other fence, 1.5, would call 1 in 140 normal values odd)
FAR_OUT = 3.0


@dataclass(frozen=True, eq=False)
class ColumnView:
    """A column, or one figure of each picture, sound or text. `rows` [n] and `values` [n] are those looked at.

    `outliers` are rows beyond the far fence, `missing` rows without a value.
    """

    name: str
    kind: str
    role: str
    unit: str
    rows: np.ndarray
    values: np.ndarray
    statistics: ColumnStatistics
    missing: np.ndarray
    outliers: np.ndarray

    def between(self, low: float, high: float, last: bool) -> np.ndarray:
        """Rows with low <= value < high; of the last bar also those that are high."""
        inside = (self.values >= low) & ((self.values <= high) if last else (self.values < high))
        return self.rows[inside]

    def of(self, text: str) -> np.ndarray:
        """Rows of a category."""
        return self.rows[self.values == text]


@dataclass(frozen=True, eq=False)
class Overview:
    """`balance` int64 [3, classes] counts training, validation and test samples; `names` and `r` [n, n] are Pearson's
    correlations; `equal` int64 [m, 2] are rows of (validation or test sample, its equal in training)."""

    total: int
    looked_at: int
    classes: tuple[str, ...]
    balance: np.ndarray
    columns: tuple[ColumnView, ...]
    names: tuple[str, ...]
    r: np.ndarray
    equal: np.ndarray
    #: what could not be looked at, in sentences
    notes: tuple[str, ...] = ()
    #: values [n] behind `names`, at `rows` [n]
    related: Mapping[str, np.ndarray] | None = None
    rows: np.ndarray | None = None

    def off_the_line(self, a: int, b: int, most: int = 200) -> np.ndarray:
        """Rows of the samples farthest from the straight line between two correlated columns, the farthest first."""
        x, y = (np.asarray(self.related[self.names[i]], dtype=np.float64) for i in (a, b))
        good = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        x, y = ((v[good] - v[good].mean()) / (v[good].std() or 1.0) for v in (x, y))
        far = np.abs(y - float(self.r[a, b]) * x)
        return self.rows[good[np.argsort(-far, kind="stable")[:most]]]


def overview(prepared: Prepared, progress: Progress) -> Overview:
    """Look at prepared data. Raises Cancelled when `progress` does, DataError when a file is gone."""
    dataset, notes = prepared.dataset, []
    rows = _evenly(len(dataset), LOOKED_AT)
    views = []
    shown = [c for c in dataset.columns if c.role != "ignore" and c.kind != "mask"]
    for i, column in enumerate(shown[:COLUMNS]):
        progress(i / len(shown), f"Looking at {column.name}")
        views.append(_view(column, rows, progress))
    if len(shown) > COLUMNS:
        notes.append(f"The first {COLUMNS} of {len(shown):,} columns are shown.")
    progress(None, "Relating columns to each other")
    related = _related(prepared, rows)
    names, r = correlation(replace(dataset, columns=tuple(related)))
    classes, balance = _balance(prepared)
    equal = _equal(prepared, progress, notes)
    return Overview(len(dataset), len(rows), classes, balance, tuple(views), names, r, equal, tuple(notes),
                    {c.name: c.values for c in related}, rows)


def _evenly(count: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64)) if count else np.zeros(0, np.int64)


def _view(column: Column, rows: np.ndarray, progress: Progress) -> ColumnView:
    if column.kind not in ("number", "category", "date"):
        rows, name, values = _figures(column, progress)
        column = Column(name, "number", column.role, values)
    else:
        column = replace(column, values=column.values[rows])
    if column.kind == "category":
        missing = np.fromiter((v is None for v in column.values), bool, len(rows))
        return ColumnView(column.name, "category", column.role, column.unit, rows, column.values,
                          column_statistics(column), rows[missing], rows[:0])
    values = np.asarray(column.values, dtype=np.float64)
    finite = np.isfinite(values)
    statistics = column_statistics(replace(column, kind="number", values=values))
    return ColumnView(column.name, column.kind, column.role, column.unit, rows, values, statistics, rows[~finite],
                      rows[finite][_far_out(values[finite])])


def _far_out(values: np.ndarray) -> np.ndarray:
    """Which values lie beyond the far fences, bool [n]; none where half of the values are equal."""
    if not len(values):
        return np.zeros(0, dtype=bool)
    low, high = np.percentile(values, (25, 75))
    reach = FAR_OUT * (high - low)
    if not reach > 0:
        return np.zeros(len(values), dtype=bool)
    return (values < low - reach) | (values > high + reach)


def _figures(column: Column, progress: Progress) -> tuple[np.ndarray, str, np.ndarray]:
    """(rows, name, one figure of each sample) of pictures, sounds, texts and arrays."""
    n = len(column.values)
    if column.kind == "text":
        rows = _evenly(n, LOOKED_AT)
        words = (np.nan if v is None else len(text_of_sample(v).split()) for v in column.values[rows])
        return rows, f"words of {column.name}", np.fromiter(words, np.float64, len(rows))
    name = {"image": "brightness", "sound": "loudness"}.get(column.kind, "mean")
    lazy = not isinstance(column.values, np.ndarray)
    rows, read = _evenly(n, LOOKED_AT_LARGE if lazy or column.values.nbytes > 1 << 28 else LOOKED_AT), None
    read, values = RawReader(column.values), np.empty(len(rows))
    for start in range(0, len(rows), 256):
        progress(start / len(rows), f"Looking at {column.name}")
        piece = rows[start:start + 256]
        given = np.asarray(read(piece), dtype=np.float64).reshape(len(piece), -1)
        values[start:start + 256] = np.sqrt(np.square(given).mean(axis=1)) if name == "loudness" else given.mean(axis=1)
    return rows, f"{name} of {column.name}", values


def _related(prepared: Prepared, rows: np.ndarray) -> list[Column]:
    """Columns of numbers to relate; classes of the target as 0 and 1."""
    shown = [c for c in prepared.dataset.columns if c.role in ("input", "target")]
    found = [replace(c, values=c.values[rows]) for c in shown if c.kind == "number" and c.role == "input"]
    targets: list[Column] = []
    for column in (c for c in shown if c.role == "target"):
        if column.kind == "number":
            targets.append(replace(column, values=column.values[rows]))
        elif column.kind == "category" and len(prepared.preparation.classes) <= CLASS_COLUMNS:
            classes = prepared.preparation.classes
            texts = np.array([str(v) for v in column.values[rows]], dtype=object)
            for name in classes[1:] if len(classes) == 2 else classes:
                is_it = (texts == name).astype(np.float64)
                targets.append(Column(f"{column.name} = {name}", "number", "target", is_it))
    return [*found[:CORRELATED], *targets] if found else []


def _balance(prepared: Prepared) -> tuple[tuple[str, ...], np.ndarray]:
    target = next((f for f in prepared.signature.targets if f.kind == "class" and not f.sample_dims), None)
    if target is None:
        return (), np.zeros((3, 0), dtype=np.int64)
    parts = (prepared.train, prepared.validation, prepared.test)
    counts = [np.bincount(part.arrays[target.name], minlength=len(target.classes)) for part in parts]
    return target.classes, np.stack(counts)


def _equal(prepared: Prepared, progress: Progress, notes: list[str]) -> np.ndarray:
    """Rows of equal samples; see Overview."""
    fields = [f.name for f in prepared.signature.inputs]
    nothing = np.zeros((0, 2), dtype=np.int64)
    train = {name: prepared.train.arrays[name] for name in fields}
    if sum(int(rows.nbytes) for rows in train.values()) > SEARCHED_BYTES:
        notes.append("The data are too large to be searched for equal samples in several parts.")
        return nothing
    found = []
    try:
        known = marks(train, len(prepared.train), progress)
        for part in (prepared.validation, prepared.test):
            arrays: dict[str, Any] = {name: part.arrays[name] for name in fields}
            pairs = matches(known, marks(arrays, len(part), progress))
            found.append(np.stack([part.rows[pairs[:, 0]], prepared.train.rows[pairs[:, 1]]], axis=1))
    except DataError as error:
        notes.append(f"Equal samples could not be looked for: {error}")
        return nothing
    return np.concatenate(found)
