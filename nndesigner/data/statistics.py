"""What the preview shows of raw columns: counts, spread, histograms, class balance, correlation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.encoding import texts_of
from nndesigner.data.stored_table import StoredColumn

BINS = 24
#: values of a picture or array column that are looked at; more change no figure that people see
LOOKED_AT = 1 << 22
#: rows of a table on the disk that are looked at
STORED_ROWS = 50_000


@dataclass(frozen=True, eq=False)
class NumberStatistics:
    """Of a column of numbers, or of all values of pictures and arrays. Figures are NaN when nothing is there.

    Values that are not finite count as missing. `counts` [bins] is the histogram between `edges` [bins + 1].
    """

    count: int
    missing: int
    mean: float
    std: float
    low: float
    high: float
    distinct: int
    counts: np.ndarray
    edges: np.ndarray


@dataclass(frozen=True)
class CategoryStatistics:
    """Of a column of texts, or of the pixels of masks. `balance` lists (text, number of samples): classes in their
    order, else the most frequent first."""

    count: int
    missing: int
    distinct: int
    balance: tuple[tuple[str, int], ...]


ColumnStatistics = NumberStatistics | CategoryStatistics


def column_statistics(column: Column, bins: int = BINS) -> ColumnStatistics:
    """The figures of one column; of a table on the disk those of evenly chosen rows."""
    if isinstance(column.values, StoredColumn):
        column = replace(column, values=_some(column.values))
    if column.kind == "category":
        return _category(column)
    if column.kind == "mask":
        return _pixels(column)
    values = column.values
    if column.kind != "number":
        step = max(1, values.size // LOOKED_AT)
        values = values[::step].reshape(-1)
    return _number(np.asarray(values, dtype=np.float64), bins)


def statistics(dataset: Dataset, bins: int = BINS) -> dict[str, ColumnStatistics]:
    """The figures of every column, by name."""
    return {column.name: column_statistics(column, bins) for column in dataset.columns}


def correlation(dataset: Dataset) -> tuple[tuple[str, ...], np.ndarray]:
    """(names, Pearson's r [n, n]) of the columns of numbers that are not ignored, over the samples both of a pair have.

    NaN where a column does not change.
    """
    columns = [c for c in dataset.columns if c.kind == "number" and c.role != "ignore"]
    names = tuple(c.name for c in columns)
    if not columns:
        return names, np.zeros((0, 0))
    values = np.stack([np.asarray(_some(c.values), dtype=np.float64) for c in columns])
    there = np.isfinite(values)
    scale = np.max(np.abs(np.where(there, values, 0.0)), axis=1, keepdims=True)
    values = np.where(there, values, 0.0) / np.where(scale > 0, scale, 1.0)
    means = values.sum(axis=1, keepdims=True) / np.maximum(there.sum(axis=1, keepdims=True), 1)
    values = np.where(there, values - means, 0.0)  # near zero mean, so that the differences below stay exact
    both = there.astype(np.float64)
    n = both @ both.T
    sums = values @ both.T
    squares = np.square(values) @ both.T
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = values @ values.T / n - sums * sums.T / n**2
        variance = squares / n - np.square(sums / n)
        r = covariance / np.sqrt(variance * variance.T)
    r[~(variance > 1e-18) | ~(variance.T > 1e-18)] = np.nan
    return names, np.clip(r, -1.0, 1.0)


def _some(values: np.ndarray | StoredColumn) -> np.ndarray:
    """All values, or of a column on the disk those of evenly chosen rows."""
    if not isinstance(values, StoredColumn):
        return values
    return values[np.arange(0, len(values), max(1, len(values) // STORED_ROWS))]


def _number(values: np.ndarray, bins: int) -> NumberStatistics:
    present = values[np.isfinite(values)]
    missing = len(values) - len(present)
    if not len(present):
        nan, nothing = float("nan"), np.zeros(bins, dtype=np.int64)
        return NumberStatistics(0, missing, nan, nan, nan, nan, 0, nothing, np.linspace(0, 1, bins + 1))
    low, high = float(present.min()), float(present.max())
    distinct = len(np.unique(present))
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        reach = max(0.5, 1e-6 * abs(low))
        low_edge, high_edge = low - reach, high + reach
    elif distinct <= bins and (present % 1 == 0).all() and high - low < bins:
        low_edge, high_edge, bins = low - 0.5, high + 0.5, round(high - low) + 1  # one bar for each whole number
    else:
        low_edge, high_edge = low, high
    counts, edges = np.histogram(present, bins, (low_edge, high_edge))
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(present.mean()), float(present.std())
    return NumberStatistics(len(present), missing, mean, std, low, high, distinct, counts, edges)


def _pixels(column: Column) -> CategoryStatistics:
    """Pixels of each class, of evenly chosen samples where there are many."""
    step = max(1, column.values.size // LOOKED_AT)
    counts = np.bincount(column.values[::step].reshape(-1), minlength=len(column.categories)).tolist()
    return CategoryStatistics(sum(counts), 0, sum(n > 0 for n in counts), tuple(zip(column.categories, counts)))


def _category(column: Column) -> CategoryStatistics:
    counts = Counter(texts_of(column.values).tolist())
    missing = counts.pop(None, 0)
    known = [(text, counts[text]) for text in column.categories if text in counts]
    named = {text for text, _ in known}
    others = sorted(((t, n) for t, n in counts.items() if t not in named), key=lambda item: (-item[1], item[0]))
    return CategoryStatistics(counts.total(), missing, len(counts), (*known, *others))
