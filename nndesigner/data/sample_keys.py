"""Names by which samples are known again when a file was sorted anew or has got more rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nndesigner.data.dataset import Column, Dataset

#: data of more bytes are known by row number only: to mark them would mean to read them all
MARKED_BYTES = 1 << 30
#: spreads bits; from the finaliser of splitmix64 (Steele, Lea, Flood 2014)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class SampleKeys:
    """Row number <-> key of every sample of a data set.

    A key is the name of the sample's file within its folder; else a hash of all its raw values, with ".2", ".3" for
    later samples of the same values; else, where the data are too large to be read through, "row 7".
    """

    def __init__(self, dataset: Dataset) -> None:
        self._count = len(dataset)
        self._names = dataset.names
        self._marks: np.ndarray | None = None
        columns = dataset.columns
        size = sum(c.values.nbytes if isinstance(c.values, np.ndarray) else MARKED_BYTES + 1 for c in columns)
        if not self._names and size <= MARKED_BYTES:
            self._marks = _marks(columns)
        self._rows: dict[Any, Any] = {}

    def of(self, row: int) -> str:
        """The key of a row."""
        if self._names:
            return self._names[row]
        if self._marks is None:
            return f"row {row + 1}"
        same = self._same(self._marks[row])
        place = int(np.searchsorted(same, row))
        return f"{int(self._marks[row]):016x}" + (f".{place + 1}" if place else "")

    def row(self, key: str) -> int | None:
        """The row of a key, None when no sample has it."""
        if self._names:
            if not self._rows:
                self._rows = {name: row for row, name in enumerate(self._names)}
            return self._rows.get(key)
        try:
            if self._marks is None:
                row = int(key.removeprefix("row ")) - 1
                return row if key.startswith("row ") and 0 <= row < self._count else None
            mark, _, place = key.partition(".")
            same, number = self._same(np.uint64(int(mark, 16))), int(place or 1) - 1
        except (ValueError, OverflowError):
            return None
        return int(same[number]) if 0 <= number < len(same) else None

    def _same(self, mark: np.uint64) -> np.ndarray:
        """Rows of this mark in rising order."""
        if not self._rows:
            self._rows["order"] = np.argsort(self._marks, kind="stable")
            self._rows["sorted"] = self._marks[self._rows["order"]]
        start, stop = (np.searchsorted(self._rows["sorted"], mark, side) for side in ("left", "right"))
        return self._rows["order"][start:stop]


def _marks(columns: Sequence[Column]) -> np.ndarray:
    """uint64 [n] from the values of all columns, whatever their order."""
    total = np.zeros(len(columns[0].values), dtype=np.uint64)
    for column in columns:
        values, seed = column.values, np.uint64(_hash(column.name.encode()))
        if values.dtype == object:
            places: dict[Any, int] = {}
            codes = np.fromiter((places.setdefault(v, len(places)) for v in values.tolist()), np.int64, len(values))
            known = (_hash(b"\2" if v is None else str(v).encode()) for v in places)
            marks = np.fromiter(known, np.uint64, len(places))[codes]
        elif values.ndim == 1:
            numbers = values.astype(np.float64) + 0.0  # -0 becomes 0
            numbers[np.isnan(numbers)] = np.nan
            marks = numbers.view(np.uint64)
        else:
            marks = np.fromiter((_hash(row.tobytes()) for row in values), np.uint64, len(values))
        total += _mixed(marks ^ seed)
    return total


def _hash(value: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest(), "little")


def _mixed(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * _MIX[0]
    x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    return x ^ (x >> np.uint64(31))
