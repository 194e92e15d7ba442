"""From a table file that is too large for memory to a stored table, in one pass through it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import numpy as np

from nndesigner.data.csv_file import PART_NAMES, PARTS, numbers_of_texts, table_dataset, texts_of_column
from nndesigner.data.csv_text import TextTable, ragged_note
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.dates import days_of_texts
from nndesigner.data.source import Progress, quiet
from nndesigner.data.stored_table import StoredTable, make_room, table_folder

#: files of more bytes are not read into memory
STORE_FROM = 256 << 20
MAX_FILE = 16 << 40
#: a column with more different texts tells rows apart and is ignored
MAX_DISTINCT = 10_000


@dataclass
class _Reading:
    """How a column is read, by what the first rows show; and what was met on the way."""

    column: Column
    decimal: str
    codes: dict[str, int] = field(default_factory=dict)
    too_many: bool = False
    missing: int = 0
    bad: int = 0
    first_bad: str = ""

    def values(self, table: TextTable, place: int) -> np.ndarray:
        """Float64 [rows]: numbers, days, or codes of texts; NaN where missing."""
        texts = texts_of_column(table, place)
        if self.column.kind == "category":
            for text in texts.unique().drop_nulls().sort().to_list():
                self.codes.setdefault(text, len(self.codes))
            if len(self.codes) > MAX_DISTINCT:
                self.too_many = True
                self.codes.clear()
            if self.too_many or not self.codes:
                return np.full(len(texts), np.nan)
            coded = texts.replace_strict(list(self.codes), list(map(float, self.codes.values())), default=None)
            return coded.fill_null(math.nan).to_numpy()
        if self.column.kind == "date":
            values = days_of_texts(texts)
        else:
            numbers = numbers_of_texts(texts, self.decimal, table.delimiter)
            values = numbers.fill_null(math.nan).to_numpy()
        bad = np.isnan(values) & texts.is_not_null().to_numpy()
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            self.first_bad = self.first_bad or f"line {table.lines[first]:,}: '{texts[first][:40]}'"
            self.bad += int(bad.sum())
        return values


def large_dataset(path: Path, blocks: Iterator[TextTable], decimal: str, form: str, progress: Progress) -> Dataset:
    """The columns of a table that comes in blocks, kinds and roles guessed from the first one.

    `form` tells how the file is read; a table kept from an earlier time is used when file and form are the same.
    Raises DataError.
    """
    status = path.stat()
    mark = hashlib.sha256(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{form}".encode(
        "utf-8", "surrogateescape")).hexdigest()
    rows, about = table_folder() / f"{mark}.rows", table_folder() / f"{mark}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # not there, or damaged: made anew
        return _opened(path.name, rows, json.loads(about.read_text("utf-8")), mark)
    progress(None, f"Looking through {path.name}")
    first = next(blocks)
    sample = table_dataset(first, decimal, quiet)
    reading = [_Reading(c, _decimal(first, i, decimal)) for i, c in enumerate(sample.columns)]
    part = rows.with_suffix(".part")
    if not make_room(status.st_size):
        raise DataError(f"'{path.name}' is kept in another form while it is used, for which the disk has no room. Make "
                        "room, or use a part of the file.")
    ragged: list[int] = []
    left_out, notes = 0, dict.fromkeys(first.notes)
    try:
        with part.open("wb") as file:
            _write(file, first, reading)
            left_out, ragged = len(first.ragged), list(first.ragged[:3])
            for table in blocks:
                _write(file, table, reading)
                left_out, ragged = left_out + len(table.ragged), [*ragged, *table.ragged][:3]
                notes |= dict.fromkeys(table.notes)
        part.replace(rows)
    except OSError as error:
        raise DataError(f"'{path.name}' cannot be kept in '{rows.parent}' ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)
    told = [note for note in (*list(notes)[:5], *sample.notes) if "ignored" in note or "UTF" in note]
    if left_out:
        told.append(ragged_note(ragged, left_out))
    told += [f"Column '{r.column.name}': {r.bad:,} values are no {r.column.kind}s and count as missing ({r.first_bad})."
             for r in reading if r.bad]
    told += [f"Column '{r.column.name}' has more than {MAX_DISTINCT:,} different texts and is ignored."
             for r in reading if r.too_many]
    known = {"columns": [
        {"name": r.column.name, "kind": r.column.kind, "role": "ignore" if r.too_many else r.column.role,
         "missing": r.missing, "texts": list(r.codes) if r.column.kind == "category" else None}
        for r in reading], "notes": told}
    about.write_text(json.dumps(known), "utf-8")
    return _opened(path.name, rows, known, mark)


def _decimal(table: TextTable, place: int, decimal: str) -> str:
    """The decimal sign of a column, so that all blocks are read alike."""
    if decimal != "auto":
        return decimal
    texts = texts_of_column(table, place)
    nulls = [numbers_of_texts(texts, sign, table.delimiter).null_count() for sign in ".,"]
    return "," if table.delimiter != "," and nulls[1] < nulls[0] else "."


def _write(file: IO[bytes], table: TextTable, reading: list[_Reading]) -> None:
    """The rows of a block behind those that are there."""
    values = np.stack([r.values(table, i) for i, r in enumerate(reading)], axis=1).astype(np.float64)
    for r, count in zip(reading, np.isnan(values).sum(axis=0).tolist()):
        r.missing += count
    file.write(values.tobytes())


def _opened(title: str, rows: Path, known: dict, mark: str) -> Dataset:
    described = known["columns"]
    categories = {i: tuple(map(str, c["texts"])) for i, c in enumerate(described) if c["texts"] is not None}
    table = StoredTable(rows, categories, [int(c["missing"]) for c in described], mark)
    columns, parts = [], {}
    for i, c in enumerate(described):
        column = Column(str(c["name"]), c["kind"], c["role"], table.column(i))
        if not parts and column.name.strip().casefold() in PART_NAMES and column.kind == "category":
            parts = _parts(table, i)
            column = replace(column, role="ignore") if parts else column
        columns.append(column)
    notes = (f"The table is large: its {table.rows:,} rows stay on the disk and are read when they are wanted.",
             *map(str, known["notes"]))
    return Dataset(title, "table", tuple(columns), notes, parts)


def _parts(table: StoredTable, place: int) -> dict[str, np.ndarray]:
    """Rows of each part where all texts of a column are names of parts; else nothing."""
    names = [PARTS.get(text.strip().casefold()) for text in table.categories[place]]
    if None in names or len(set(names)) < 2:
        return {}
    values = table.column(place)[:]
    wanted = dict.fromkeys(names)
    texts = {name: [t for t, n in zip(table.categories[place], names) if n == name] for name in wanted}
    return {name: np.flatnonzero(np.isin(values.astype(str), texts[name])) for name in wanted}
