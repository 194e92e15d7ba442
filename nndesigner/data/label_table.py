"""Labels of files in a table beside them: a column of file names, and one of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nndesigner.data.csv_file import TARGET_NAMES, table_column
from nndesigner.data.csv_text import TextTable, read_text_table
from nndesigner.data.dataset import Column, DataError
from nndesigner.data.source import Progress

#: a column names the files when at least this share of its values are names of files that are there
NAMING = 0.5


def read_labels(
    table_path: str, paths: Sequence[Path], progress: Progress, notes: list[str]
) -> tuple[Column, list[int]]:
    """(target column of the labelled files, their numbers among `paths`).

    Names are compared with their folder, without it, and without ending, in this order. Files without a label and rows
    without a file are counted in notes. Raises DataError when no column names the files or none is left for labels.
    """
    table = read_text_table(table_path, "auto", "auto", progress)
    notes += table.notes
    files = _by_name(paths, Path(table_path).parent)
    naming = max(range(len(table.names)), key=lambda i: _matches(table, i, files))
    texts = table.frame.to_series(naming).to_list()
    places = [files.get(_key(text)) for text in texts]
    if sum(p is not None for p in places) < NAMING * len(texts):
        raise DataError(f"No column of '{table.file}' names the pictures. It needs one with their file names, for "
                        f"example '{paths[0].name}'.")
    others = [i for i in range(len(table.names)) if i != naming]
    if not others:
        raise DataError(f"'{table.file}' has only the file names; it needs a column with their labels, too.")
    named = {table.names[i].strip().casefold(): i for i in reversed(others)}
    place = next((named[name] for name in TARGET_NAMES if name in named), others[0])
    column = table_column(table, place, "auto", notes)
    row_of = {p: row for row, p in reversed(list(enumerate(places))) if p is not None}
    labelled = sorted(row_of)
    missing = sum(p is None for p in places)
    if missing:
        first = next(row for row, p in enumerate(places) if p is None)
        notes.append(f"{missing:,} rows of '{table.file}' name files that are not there (first: '{texts[first]}', line "
                     f"{table.lines[first]}).")
    if len(labelled) < len(paths):
        notes.append(f"{len(paths) - len(labelled):,} pictures without a label in '{table.file}' left out.")
    rows = np.array([row_of[p] for p in labelled])
    return replace(column, role="target", values=column.values[rows]), labelled


def _key(text: str | None) -> str:
    return (text or "").strip().replace("\\", "/").removeprefix("./")


def _by_name(paths: Sequence[Path], base: Path) -> dict[str, int]:
    """Number of each file by the names that a table may use; names that two files share are left out."""
    found: dict[str, int] = {}
    for name in (lambda p: p.stem, lambda p: p.name,
                 lambda p: p.relative_to(base).as_posix() if p.is_relative_to(base) else p.name):
        seen: dict[str, int | None] = {}
        for i, path in enumerate(paths):
            key = name(path)
            seen[key] = None if key in seen else i
        found.update({key: i for key, i in seen.items() if i is not None})
    return found


def _matches(table: TextTable, place: int, files: dict[str, int]) -> int:
    """How well a column names files; whole names count more, as numbers may be names without ending by chance."""
    keys = map(_key, table.frame.to_series(place).to_list()[:1000])
    return sum(2 if "." in key else 1 for key in keys if key in files)
