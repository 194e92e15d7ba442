"""Tables in the ARFF format of Weka (Witten and Frank, "Attribute-Relation File Format"), which OpenML keeps."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nndesigner.data.csv_text import TextTable
from nndesigner.data.dataset import DataError
from nndesigner.data.files import checked_file, reading
from nndesigner.data.source import Progress

MAX_BYTES = 1 << 30
_ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s+(.*)""", re.I)
#: a cell in quotation marks, or one without, up to the next comma
_CELL = re.compile(r"""\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]*)\s*(,|$)""")


def read_arff(path: Path, progress: Progress) -> tuple[TextTable, frozenset[str]]:
    """(the cells as texts, names of the columns that hold categories). Raises DataError."""
    import polars

    found, _ = checked_file(str(path), "ARFF file", MAX_BYTES)
    with reading(found):
        lines = found.read_bytes().decode("utf-8", "replace").splitlines()
    names, nominal, start = [], set(), None
    for number, line in enumerate(lines):
        text = line.strip()
        if text.lower().startswith("@data"):
            start = number + 1
            break
        if attribute := _ATTRIBUTE.match(text):
            names.append(_plain(attribute[1]))
            if attribute[2].lstrip().startswith("{"):
                nominal.add(names[-1])
    if start is None or not names:
        raise DataError(f"'{found.name}' is no ARFF file: it lacks its attributes or its data.")
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    ragged: list[int] = []
    for number, line in enumerate(lines[start:], start + 1):
        if number % 20_000 == 0:
            progress(number / len(lines), f"Reading {found.name}")
        if not line.strip() or line.lstrip().startswith("%"):
            continue
        if line.lstrip().startswith("{"):
            raise DataError(f"'{found.name}' is a sparse ARFF file, which cannot be read. Choose another version.")
        cells = _cells(line)
        if len(cells) != len(names):
            ragged.append(number)
            continue
        rows.append(cells)
        numbers.append(number)
    if not rows:
        raise DataError(f"'{found.name}' has no rows that can be read.")
    notes = (f"{len(ragged):,} rows left out: the number of cells differs (line {ragged[0]}).",) if ragged else ()
    frame = polars.DataFrame(rows, schema=dict.fromkeys(names, polars.String), orient="row")
    return TextTable(found.name, tuple(names), frame, np.array(numbers), ",", notes), frozenset(nominal)


def _cells(line: str) -> list[str | None]:
    if "'" not in line and '"' not in line:  # much quicker
        return [None if cell in ("?", "") else cell for cell in map(str.strip, line.split(","))]
    cells: list[str | None] = []
    at = 0
    while (cell := _CELL.match(line, at)) is not None:
        cells.append(None if cell[1].strip() in ("?", "") else _plain(cell[1]))
        at = cell.end()
        if cell[2] == "":
            return cells
    return []  # a quotation mark without an end


def _plain(text: str) -> str:
    """Without the quotation marks around it."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
