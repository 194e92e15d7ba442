"""Tables from CSV files: types are guessed, odd values counted, nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from nndesigner.data.csv_text import Header, TextTable, holds_rows, read_blocks, read_text_table
from nndesigner.data.dataset import Column, DataError, Dataset, Role
from nndesigner.data.dates import days_of_texts
from nndesigner.data.encoding import MISSING, RawInput
from nndesigner.data.files import checked_file
from nndesigner.data.source import Progress, Source, quiet
from nndesigner.spec import param

if TYPE_CHECKING:
    import polars

#: names of columns that are taken as the target, the first that is there
TARGET_NAMES = ("target", "label", "class", "y", "labels", "classes", "outcome")
#: names of columns that only number the rows
ID_NAMES = frozenset({"id", "index", "idx", "no", "nr", "no.", "nr.", "#", "row", "rowid", "row_id", "uuid", "key", ""})
#: a column of texts and numbers is a category when it has at most this many different values, each met FEWEST times
MAX_MIXED = 20
FEWEST = 5
#: else it is a column of numbers when at least this share of its values are numbers
MOSTLY = 0.8
#: names of columns whose texts may name parts, and the texts
PART_NAMES = frozenset({"split", "part", "set", "subset", "partition", "fold"})
PARTS = {"train": "train", "training": "train", "val": "validation", "valid": "validation", "dev": "validation",
         "validation": "validation", "test": "test", "testing": "test"}
#: letters from which on the texts of a column are sentences rather than names, on average
LONG_TEXT = 25
#: rows from which a column can be told to be an identifier
MIN_ID_ROWS = 20


class Csv(Source):
    """A table from a CSV file, one sample in each row.

    Delimiter, header, encoding, decimal comma and the type of each column are guessed. The target is the column named
    target, label, class or y, else the last one; all others are inputs. Both can be changed in the data panel.
    """

    kind = "csv.v1"
    title = "Table (CSV)"
    group = "Files"
    icon = "mdi6.file-delimited-outline"
    keywords = ("table", "spreadsheet", "text", "tsv", "excel", "own data", "comma")
    form = "table"
    suffixes = (".csv", ".tsv", ".tab", ".txt")

    path: str = param("", "File", "The CSV file.", editor="file")
    delimiter: Literal["auto", ",", ";", "\t", "|"] = param(
        "auto", "Delimiter", "The sign between two cells.", labels={
            "auto": "auto", ",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"})
    header: Header = param("auto", "First row", "Whether the first row holds the names of the columns.", labels={
        "auto": "auto", "yes": "names", "no": "data"})
    decimal: Literal["auto", ".", ","] = param(
        "auto", "Decimal sign", "The sign before the decimals of a number.", labels={
            "auto": "auto", ".": "point", ",": "comma"}, advanced=True)

    @classmethod
    def reads(cls, path: Path) -> bool:
        return super().reads(path) and (not path.name.lower().endswith(".txt") or holds_rows(path))

    def load(self, progress: Progress) -> Dataset:
        from nndesigner.data import large_table  # which reads its cells by this file

        found, size = checked_file(self.path, "CSV file", large_table.MAX_FILE)
        if size > large_table.STORE_FROM:
            blocks = read_blocks(found, self.delimiter, self.header, progress)
            form = f"{self.delimiter} {self.header} {self.decimal}"
            return large_table.large_dataset(found, blocks, self.decimal, form, progress)
        return table_dataset(
            read_text_table(self.path, self.delimiter, self.header, progress), self.decimal, progress)


def table_dataset(table: TextTable, decimal: str, progress: Progress) -> Dataset:
    """The columns of a table with guessed kinds and roles. A column of parts, such as "split", fixes the parts."""
    notes = list(table.notes)
    columns: list[Column] = []
    parts: dict[str, np.ndarray] = {}
    for i, name in enumerate(table.names):
        progress(0.5 + 0.5 * i / len(table.names), f"Reading column {name}")
        column = table_column(table, i, decimal, notes)
        if not parts and name.strip().casefold() in PART_NAMES and column.kind == "category":
            parts = _parts(column)
            if parts:
                notes.append(f"Column '{name}' tells which rows train and which test.")
                column = replace(column, role="ignore")
        columns.append(column)
    return Dataset(table.file, "table", tuple(_with_target(columns)), tuple(notes), parts)


def _parts(column: Column) -> dict[str, np.ndarray]:
    """Rows of each part where all texts are names of parts; else nothing."""
    names = [PARTS.get(str(text).strip().casefold()) for text in column.values]
    if None in names or len(set(names)) < 2:
        return {}
    return {name: np.flatnonzero([n == name for n in names]) for name in dict.fromkeys(names)}


@dataclass(frozen=True, eq=False)
class RawTable:
    """Raw columns for a prediction. `lines` [rows] are line numbers of the file; `notes` say what was repaired."""

    columns: dict[str, np.ndarray]
    lines: np.ndarray
    notes: tuple[str, ...]


def read_inputs(path: str, inputs: Sequence[RawInput], progress: Progress = quiet) -> RawTable:
    """The columns that a trained network needs, from a CSV file with the same names (or as many columns without names).

    Columns are read as the kinds that training saw, not guessed anew. Raises DataError naming columns that are missing.
    """
    if any(column.kind not in ("number", "category", "date") for column in inputs):
        raise DataError("This network was trained on pictures or arrays, not on a table.")
    wanted = [column.column for column in inputs]
    from nndesigner.data.table_file import read_table  # which reads its cells by this file

    table = read_table(path, progress, tuple(wanted))
    places = _places(table, wanted)
    notes = list(table.notes)
    columns: dict[str, np.ndarray] = {}
    for column, place in zip(inputs, places, strict=True):
        texts = texts_of_column(table, place)
        if column.kind == "category":
            columns[column.column] = _objects(texts)
        elif column.kind == "date":
            days = days_of_texts(texts)
            _note_bad(table, place, texts, ~np.isnan(days), "date", notes)
            columns[column.column] = days
        else:
            numbers = numbers_of_texts(texts, "auto", table.delimiter)
            _note_bad(table, place, texts, numbers.is_not_null().to_numpy(), "number", notes)
            columns[column.column] = _floats(numbers)
    return RawTable(columns, table.lines, tuple(notes))


def _places(table: TextTable, wanted: Sequence[str]) -> list[int]:
    """Place in the table of each wanted column."""
    exact = {name: i for i, name in enumerate(table.names)}
    loose = {name.strip().casefold(): i for i, name in enumerate(table.names)}
    found = [exact.get(name, loose.get(name.strip().casefold())) for name in wanted]
    missing = [name for name, place in zip(wanted, found, strict=True) if place is None]
    nameless = all(name == f"column {i + 1}" for i, name in enumerate(table.names))
    if missing and nameless and len(table.names) == len(wanted):
        return list(range(len(wanted)))
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        names = ", ".join(f"'{name}'" for name in missing[:5])
        raise DataError(f"'{table.file}' lacks the column {names}{more}. The network was trained with "
                        f"{', '.join(wanted[:10])}{', …' if len(wanted) > 10 else ''}.")
    return [place for place in found if place is not None]


# --- one column ---


def texts_of_column(table: TextTable, place: int) -> polars.Series:
    """Cells of a column without spaces around them, null where missing."""
    import polars

    texts = table.frame.to_series(place).str.strip_chars()
    missing = texts.str.to_lowercase().is_in(sorted(MISSING))
    return polars.select(polars.when(~missing).then(texts)).to_series()


def numbers_of_texts(texts: polars.Series, decimal: str, delimiter: str) -> polars.Series:
    """Float64, null where missing, no number or infinite."""
    import polars

    def finite(given: polars.Series) -> polars.Series:
        cast = given.cast(polars.Float64, strict=False)
        return polars.select(polars.when(cast.is_finite()).then(cast)).to_series()

    with_point = finite(texts)
    if decimal == "." or (decimal == "auto" and (delimiter == "," or with_point.null_count() == texts.null_count())):
        return with_point
    # 1.234,5: the points group thousands
    like = texts.str.contains(r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?([eE][+-]?\d+)?$")
    plain = texts.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    with_comma = finite(polars.select(polars.when(like).then(plain)).to_series())
    if decimal == "," or with_comma.null_count() < with_point.null_count():
        return with_comma
    return with_point


def _floats(numbers: polars.Series) -> np.ndarray:
    return np.array(numbers.fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _objects(texts: polars.Series) -> np.ndarray:
    values = np.empty(len(texts), dtype=object)
    values[:] = texts.to_list()
    return values


def _note_bad(
    table: TextTable, place: int, texts: polars.Series, good: np.ndarray, what: str, notes: list[str]
) -> None:
    bad = ~good & texts.is_not_null().to_numpy()
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        count = int(bad.sum())
        values = f"1 value is no {what} and counts" if count == 1 else f"{count:,} values are no {what}s and count"
        notes.append(
            f"Column '{table.names[place]}': {values} as missing (line {table.lines[first]}: '{texts[first][:40]}').")


def table_column(table: TextTable, place: int, decimal: str, notes: list[str]) -> Column:
    """A column with guessed kind. Role ignore for columns that tell nothing, with a note."""
    name = table.names[place]
    texts = texts_of_column(table, place)
    present = len(texts) - texts.null_count()
    if not present:
        notes.append(f"Column '{name}' has no values and is ignored.")
        return Column(name, "number", "ignore", np.full(len(texts), np.nan))
    numbers = numbers_of_texts(texts, decimal, table.delimiter)
    numeric = len(numbers) - numbers.null_count()
    distinct = texts.n_unique() - (1 if texts.null_count() else 0)
    mixed_category = distinct <= MAX_MIXED and present >= FEWEST * distinct
    role: Role = "input"
    if distinct == 1 and present == len(texts) and len(texts) > 1:
        notes.append(f"Column '{name}' has the same value in every row and is ignored.")
        role = "ignore"
    if numeric == present or (not mixed_category and numeric >= MOSTLY * present):
        _note_bad(table, place, texts, numbers.is_not_null().to_numpy(), "number", notes)
        values = _floats(numbers)
        if role == "input" and _counts_rows(name, values):
            notes.append(f"Column '{name}' seems to number the rows and is ignored. Give it the role input to use it.")
            role = "ignore"
        return Column(name, "number", role, values)
    days = days_of_texts(texts)
    if np.count_nonzero(~np.isnan(days)) >= MOSTLY * present:
        _note_bad(table, place, texts, ~np.isnan(days), "date", notes)
        return Column(name, "date", role, days)
    if role == "input" and len(texts) >= MIN_ID_ROWS and distinct > 0.9 * present:
        long = texts.str.len_chars().mean() >= LONG_TEXT
        notes.append(f"Column '{name}' has a different text in nearly every row" + (
            " and is ignored. To learn from these texts, choose 'Table with texts' as the source." if long else
            ", like a name, and is ignored. Give it the role input to use it."))
        role = "ignore"
    return Column(name, "category", role, _objects(texts))


def _counts_rows(name: str, values: np.ndarray) -> bool:
    """Whether a column of numbers only tells rows apart."""
    if len(values) < MIN_ID_ROWS or np.isnan(values).any() or (values % 1 != 0).any():
        return False
    ordered = np.sort(values)
    steps = np.diff(ordered)
    if (steps == 0).any():
        return False
    return name.strip().casefold() in ID_NAMES or (bool((steps == 1).all()) and ordered[0] in (0, 1))


def _with_target(columns: list[Column]) -> list[Column]:
    """The columns with one of them as target."""
    usable = [c for c in columns if c.role == "input" and c.kind != "date"]
    if len(usable) < 2:
        return columns
    named = {c.name.strip().casefold(): c for c in reversed(usable)}
    target = next((named[name] for name in TARGET_NAMES if name in named), usable[-1])
    return [Column(c.name, c.kind, "target" if c is target else c.role, c.values) for c in columns]
