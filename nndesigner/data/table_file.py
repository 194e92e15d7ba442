"""Tables from Parquet, JSON lines and Excel files. What is in their cells is understood as in a CSV file."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nndesigner.data.csv_file import table_dataset
from nndesigner.data.csv_text import MAX_BYTES, MAX_COLUMNS, TextTable, read_text_table
from nndesigner.data.dataset import DataError, Dataset
from nndesigner.data.files import checked_file, reading
from nndesigner.data.large_table import MAX_FILE, STORE_FROM, large_dataset
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

if TYPE_CHECKING:
    import polars

JSON_LINES = (".jsonl", ".ndjson", ".jl")
PARQUET = (".parquet", ".pq")
EXCEL = (".xlsx", ".xls", ".xlsb", ".ods")
#: cells of a large file that are read at a time
BLOCK_CELLS = 1 << 20


class TableFile(Source):
    """A table from a Parquet, JSON lines or Excel file, one sample in each row.

    The type of each column is guessed from its values, as for a CSV file. The target is the column named target, label,
    class or y, else the last one; all others are inputs. Excel files need a reader: pip install "nndesigner[data]".
    """

    kind = "table_file.v1"
    title = "Table (Parquet, JSON, Excel)"
    group = "Files"
    icon = "mdi6.table"
    keywords = ("parquet", "json lines", "jsonl", "ndjson", "excel", "xlsx", "spreadsheet", "own data")
    form = "table"
    suffixes = (*PARQUET, *JSON_LINES, *EXCEL)

    path: str = param("", "File", "The Parquet, JSON lines or Excel file.", editor="file")

    sheet: str = param("", "Sheet", "Which sheet of an Excel file to read, by its name or number. Empty: the first one "
                       "with rows.")

    def load(self, progress: Progress) -> Dataset:
        if self.path.lower().endswith(PARQUET):
            found, _ = checked_file(self.path, "table", MAX_FILE)
            if _unpacked(found) > STORE_FROM:
                return large_dataset(found, _parquet_blocks(found, progress), ".", "parquet", progress)
        return table_dataset(read_table(self.path, progress, sheet=self.sheet), ".", progress)


def read_table(path: str, progress: Progress, expected: tuple[str, ...] = (), sheet: str = "") -> TextTable:
    """The table in a file of any kind, its cells as texts. Raises DataError."""
    ending = Path(path).suffix.lower()
    if path and ending not in TableFile.suffixes:
        return read_text_table(path, "auto", "auto", progress, expected)
    found, _ = checked_file(path, "table", MAX_BYTES)
    progress(0.0, f"Reading {found.name}")
    notes: list[str] = []
    with reading(found):
        if ending in JSON_LINES:
            frame, lines = _json_lines(found, notes)
        else:
            frame = _parquet(found) if ending in PARQUET else _excel(found, sheet, notes)
            lines = np.arange(1, len(frame) + 1) + (ending in EXCEL)
    if not len(frame):
        raise DataError(f"'{found.name}' has no rows.")
    if frame.width > MAX_COLUMNS:
        raise DataError(f"'{found.name}' has {frame.width:,} columns; at most {MAX_COLUMNS:,} can be used.")
    return _as_texts(found.name, frame, lines, notes)


def _unpacked(path: Path) -> int:
    """About how many bytes the cells of a Parquet file take as numbers. Raises DataError."""
    import polars

    try:
        frame = polars.scan_parquet(path)
        return 8 * len(frame.collect_schema()) * int(frame.select(polars.len()).collect().item())
    except polars.exceptions.PolarsError as error:
        raise DataError(f"'{path.name}' is no Parquet file, or it is damaged ({str(error)[:100]}).") from error


def _parquet_blocks(path: Path, progress: Progress) -> Iterator[TextTable]:
    """The rows of a Parquet file, some at a time. Raises DataError."""
    import polars

    try:
        frame = polars.scan_parquet(path)
        total = int(frame.select(polars.len()).collect().item())
        step = max(1, BLOCK_CELLS // len(frame.collect_schema()))
        for start in range(0, total, step):
            progress(start / total, f"Reading {path.name}: {start:,} of {total:,} rows")
            notes: list[str] = []
            block = frame.slice(start, step).collect()
            yield _as_texts(path.name, block, np.arange(start + 1, start + len(block) + 1), notes)
    except polars.exceptions.PolarsError as error:
        raise DataError(f"'{path.name}' is damaged and cannot be read ({str(error)[:100]}).") from error


def _parquet(path: Path) -> polars.DataFrame:
    import polars

    try:
        return polars.read_parquet(path)
    except polars.exceptions.PolarsError as error:
        raise DataError(f"'{path.name}' is no Parquet file, or it is damaged ({str(error)[:100]}).") from error


def _excel(path: Path, sheet: str, notes: list[str]) -> polars.DataFrame:
    """The named sheet, or the first one with rows; a note tells which where there are several."""
    import polars

    if importlib.util.find_spec("fastexcel") is None:
        raise DataError(f"'{path.name}' is an Excel file, whose reader is not installed: save the sheet as CSV, or "
                        "install it with: pip install \"nndesigner[data]\"")
    import fastexcel

    try:
        names = fastexcel.read_excel(path).sheet_names
        if sheet.isdecimal() and sheet not in names and 1 <= int(sheet) <= len(names):
            sheet = names[int(sheet) - 1]
        if sheet and sheet not in names:
            raise DataError(f"'{path.name}' has no sheet '{sheet}'. Its sheets: {', '.join(names)}.")
        for name in (sheet,) if sheet else names:
            frame = polars.read_excel(path, sheet_name=name, raise_if_empty=False)
            if len(frame):
                break
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0][:100]
        raise DataError(f"'{path.name}' cannot be read as an Excel file ({reason}).") from error
    if len(names) > 1:
        notes.append(f"'{path.name}' has {len(names)} sheets; '{name}' was read. Others: "
                     f"{', '.join(n for n in names if n != name)}.")
    return frame


def _json_lines(path: Path, notes: list[str]) -> tuple[polars.DataFrame, np.ndarray]:
    """One object a line; lines that are none are left out, with a note."""
    import polars

    names: dict[str, None] = {}
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    faults: list[str] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults.append(f"line {number}: {error}")
            continue
        if not isinstance(row, dict):
            faults.append(f"line {number}: no object in braces")
            continue
        names.update(dict.fromkeys(row))
        rows.append(row)
        lines.append(number)
    if not rows:
        raise DataError(f"'{path.name}' holds no JSON lines: each line needs an object such as {{\"a\": 1, \"b\": 2}}."
                        + (f" The first fault: {faults[0]}." if faults else ""))
    if faults:
        notes.append(f"{len(faults):,} lines left out. The first fault: {faults[0]}.")
    columns = {name: [_cell(row.get(name)) for row in rows] for name in names}
    return polars.DataFrame(columns, schema=dict.fromkeys(columns, polars.String)), np.array(lines)


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _as_texts(file: str, frame: polars.DataFrame, lines: np.ndarray, notes: list[str]) -> TextTable:
    """The table with texts in its cells; columns of lists and the like are left out, with a note."""
    import polars

    kept: list[polars.Series] = []
    for series in frame.get_columns():
        if series.dtype.is_nested() or series.dtype in (polars.Binary, polars.Object):
            notes.append(f"Column '{series.name}' holds {series.dtype}, no single values, and is left out.")
        elif isinstance(series.dtype, polars.Datetime):
            kept.append(series.dt.replace_time_zone(None).dt.to_string("%Y-%m-%d %H:%M:%S%.f"))
        else:
            kept.append(series.cast(polars.String))
    if not kept:
        raise DataError(f"'{file}' has no column of numbers, texts or dates.")
    return TextTable(file, tuple(s.name for s in kept), polars.DataFrame(kept), lines, ",", tuple(notes))
