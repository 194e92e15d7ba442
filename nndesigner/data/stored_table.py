"""Tables larger than memory: their values lie row by row in a file of the cache folder, and are read when wanted."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from nndesigner.data.encoding import FieldEncoding
from nndesigner.data.rows import EncodedRows, RawReader

#: bytes that all kept tables may take together, and that must stay free on the disk
LIMIT, FREE = 40 << 30, 2 << 30
#: values read at a time
CHUNK = 1 << 20


def table_folder() -> Path:
    """Where tables are kept. Everything in it may be deleted at any time."""
    return user_cache_path("nndesigner") / "tables"


def make_room(size: int) -> bool:
    """Delete the tables used longest ago until `size` bytes more may be kept; whether that succeeded."""
    folder = table_folder()
    folder.mkdir(parents=True, exist_ok=True)
    kept = sorted(folder.glob("*.rows"), key=lambda p: p.stat().st_mtime)
    while kept and sum(p.stat().st_size for p in kept) + size > LIMIT:
        kept.pop(0).unlink(missing_ok=True)
    return size <= LIMIT and shutil.disk_usage(folder).free > size + FREE


@dataclass(frozen=True, eq=False)
class Figures:
    """Of each column [C] over the training rows; NaN where a column has no value there."""

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    #: of columns of categories: how often each code is met
    counts: Mapping[int, np.ndarray]


class StoredTable:
    """Rows of numbers float64 [N, C] in a file: NaN is missing, of categories the place of the text.

    `categories` holds the texts of the columns that have some, `missing` the number of missing values of each column,
    `mark` changes with the contents.
    """

    def __init__(
        self, path: Path, categories: Mapping[int, tuple[str, ...]], missing: Sequence[int], mark: str
    ) -> None:
        os.utime(path)
        columns = len(missing)
        self.mark, self.categories, self.missing = mark, dict(categories), tuple(missing)
        self.rows = path.stat().st_size // (8 * columns)
        self.columns = columns
        self.read = RawReader(np.memmap(path, np.float64, "r", shape=(self.rows, columns)))
        self._figures: tuple[bytes, Figures] | None = None

    def column(self, place: int) -> StoredColumn:
        """One column."""
        return StoredColumn(self, place)

    def figures(self, train: np.ndarray) -> Figures:
        """All columns over these rows, in one pass through the file."""
        key = hashlib.sha256(np.ascontiguousarray(train)).digest()
        if self._figures is None or self._figures[0] != key:
            self._figures = key, self._measured(train)
        return self._figures[1]

    def _measured(self, train: np.ndarray) -> Figures:
        n, c = self.rows, self.columns
        chosen = np.zeros(n, dtype=bool)
        chosen[train] = True
        low, high = np.full(c, np.inf), np.full(c, -np.inf)
        total, squares, present = (np.zeros(c) for _ in range(3))
        counts = {place: np.zeros(len(texts), dtype=np.int64) for place, texts in self.categories.items()}
        shift: np.ndarray | None = None
        step = max(1, CHUNK // c)
        for start in range(0, n, step):
            values = self.read(slice(start, min(start + step, n)))[chosen[start:start + step]]
            there = ~np.isnan(values)
            if not there.any():
                continue
            low = np.fmin(low, np.where(there, values, np.inf).min(axis=0))
            high = np.fmax(high, np.where(there, values, -np.inf).max(axis=0))
            if shift is None:  # keeps squares exact for values far from zero
                shift = np.where(there.any(axis=0), np.where(there, values, 0).sum(axis=0) / np.maximum(
                    there.sum(axis=0), 1), 0.0)
            apart = np.where(there, values - shift, 0.0)
            total += apart.sum(axis=0)
            squares += np.square(apart).sum(axis=0)
            present += there.sum(axis=0)
            for place, count in counts.items():
                count += np.bincount(values[there[:, place], place].astype(np.int64), minlength=len(count))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / present
            deviation = np.sqrt(np.maximum(squares / present - np.square(mean), 0.0))
        empty = present == 0
        low[empty] = high[empty] = math.nan
        return Figures(low, high, mean + (0.0 if shift is None else shift), deviation, counts)


class StoredColumn:
    """One column of a stored table, as an array of a `Column` that is read when it is indexed."""

    ndim = 1

    def __init__(self, table: StoredTable, place: int) -> None:
        self.table, self.place = table, place
        self.texts = table.categories.get(place)
        self.shape, self.size = (table.rows,), table.rows
        self.dtype = np.dtype(object if self.texts is not None else np.float64)
        self.nbytes = 8 * table.rows
        self.missing = table.missing[place]
        self.fingerprint = f"{table.mark} {place}"

    def __len__(self) -> int:
        return self.table.rows

    def __getitem__(self, index: Any) -> Any:
        """The values at an index: floats, or texts. Raises DataError when the file is gone."""
        if isinstance(index, (int, np.integer)):
            return self.of(self.table.read(np.array([range(len(self))[index]])))[0]
        if isinstance(index, slice) and index.step in (None, 1):
            start, stop, _ = index.indices(len(self))
            out = np.empty(max(0, stop - start), dtype=self.dtype)
            step = max(1, CHUNK // self.table.columns)
            for at in range(start, stop, step):  # whole rows are read: not all at once
                end = min(at + step, stop)
                out[at - start:end - start] = self.of(self.table.read(slice(at, end)))
            return out
        return self.of(self.table.read(index))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    def of(self, rows: np.ndarray) -> np.ndarray:
        """The values of this column in rows [n, C] of the table."""
        values = rows[:, self.place]
        if self.texts is None:
            return values
        known = np.empty(len(self.texts) + 1, dtype=object)
        known[:-1] = self.texts
        return known[np.where(np.isnan(values), -1, values).astype(np.int64)]


class EncodedTable(EncodedRows):
    """Rows of the columns of a table that are encoded when they are read."""

    def __init__(self, encoding: FieldEncoding, columns: Mapping[str, Any], rows: np.ndarray) -> None:
        super().__init__(encoding, None, rows)
        self._columns = {c.column: columns[c.column] for c in encoding.columns}

    def read(self, places: np.ndarray, out: np.ndarray, epoch: int = 0) -> None:
        rows = self._rows[places]
        read: dict[int, np.ndarray] = {}
        raw = {}
        for name, values in self._columns.items():
            if isinstance(values, StoredColumn):
                table = values.table
                if id(table) not in read:
                    read[id(table)] = table.read(rows)
                raw[name] = values.of(read[id(table)])
            else:
                raw[name] = values[rows]
        out[...] = self._encoding.encode(raw)

    def at(self, places: np.ndarray | slice) -> EncodedTable:
        return EncodedTable(self._encoding, self._columns, self._rows[places])

    def __getitem__(self, index: Any) -> np.ndarray:
        places = np.arange(len(self))[index]
        chosen = np.atleast_1d(places)
        out = np.empty((len(chosen), *self.shape[1:]), dtype=self.dtype)
        self.read(chosen, out)
        return out if places.ndim else out[0]
