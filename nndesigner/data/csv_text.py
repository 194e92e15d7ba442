"""From the bytes of a CSV file to a table of texts: encoding, delimiter, header and ragged rows. Knows no types."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from nndesigner.data.dataset import DataError
from nndesigner.data.files import checked_file, reading
from nndesigner.data.source import Progress

if TYPE_CHECKING:
    import polars

MAX_BYTES = 1 << 30
MAX_COLUMNS = 20_000
DELIMITERS = (",", ";", "\t", "|")
#: lines from which the delimiter is guessed
SAMPLE_LINES = 100
#: share of the lines of a .txt file with the same number of cells from which on it is a table
EVEN = 0.9
#: bytes of a large file that are read at a time, and of one row
BLOCK, MAX_ROW = 4 << 20, 64 << 20

Header = Literal["auto", "yes", "no"]


@dataclass(frozen=True, eq=False)
class TextTable:
    """Cells as texts. `lines` [rows] are line numbers of the file, from 1."""

    file: str
    names: tuple[str, ...]
    frame: polars.DataFrame
    lines: np.ndarray
    delimiter: str
    notes: tuple[str, ...]
    #: lines of rows with another number of cells, which were left out
    ragged: tuple[int, ...] = ()


def read_text_table(
    path: str, delimiter: str, header: Header, progress: Progress, expected: Sequence[str] = ()
) -> TextTable:
    """The table in a file. `delimiter` "auto" and `header` "auto" are guessed; a first row that holds all of the
    `expected` names is a header.

    Rows whose number of cells differs from most others are left out, with a note. Raises DataError.
    """
    found, _ = checked_file(path, "CSV file", MAX_BYTES)
    progress(0.0, f"Reading {found.name}")
    with reading(found):
        data, notes = _decoded(found.read_bytes(), found.name)
        if delimiter == "auto":
            delimiter = _guess_delimiter(data)
        progress(0.2, f"Looking through {found.name}")
        table = _table(data, found.name, delimiter, header, expected)
    if table.ragged:
        notes.append(ragged_note(table.ragged, len(table.ragged)))
    return replace(table, notes=tuple(notes))


def ragged_note(lines: Sequence[int], count: int) -> str:
    """The sentence on so many rows with another number of cells, of which the first ones stand on these lines."""
    first = ", ".join(map(str, lines[:3]))
    rows = "1 row" if count == 1 else f"{count:,} rows"
    more = ", …" if count > 3 else ""
    return f"{rows} left out: the number of cells differs from the other rows (line {first}{more})."


def read_blocks(path: Path, delimiter: str, header: Header, progress: Progress) -> Iterator[TextTable]:
    """A CSV file of any size as one table after another, of about BLOCK bytes each. Raises DataError."""
    size, done, lines, before = path.stat().st_size, 0, 0, b""
    names: tuple[str, ...] = ()
    with reading(path), path.open("rb") as file:
        while True:
            data = file.read(BLOCK)
            done += len(data)
            progress(done / size, f"Reading {path.name}: {done / (1 << 20):,.0f} of {size / (1 << 20):,.0f} MB")
            if not lines and data.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise DataError(f"'{path.name}' is large and written in UTF-16. Save it as UTF-8.")
            _refuse_bytes(data, path.name)
            whole, last = before + data, not data
            cut = len(whole) if last else _end_of_rows(whole)
            block, before = whole[:cut], whole[cut:]
            if len(before) > MAX_ROW:
                raise DataError(f"'{path.name}', line {lines + 1}: no end of the row was found. A quotation mark may "
                                "not be closed.")
            if block.strip():
                text, notes = _decoded(block, path.name)
                delimiter = _guess_delimiter(text) if delimiter == "auto" else delimiter
                table = _table(text, path.name, delimiter, "no" if names else header, ())
                if names and len(names) != table.frame.width:
                    raise DataError(f"'{path.name}': the rows from line {lines + 1:,} on have {table.frame.width} "
                                    f"cells, those before {len(names)}.")
                names = names or table.names
                ragged = tuple(lines + n for n in table.ragged)
                yield replace(table, names=names, lines=table.lines + lines, ragged=ragged,
                              notes=tuple(notes))
            lines += block.count(b"\n")
            if last:
                return


def holds_rows(path: Path) -> bool:
    """Whether a text file begins like a table and not like running text: nearly all of its lines have the same number
    of cells, or hold one number each. A file that cannot be read counts as a table, whose loading tells the reason."""
    try:
        with path.open("rb") as file:
            data = file.read(1 << 16)
        text, _ = _decoded(data.rpartition(b"\n")[0] or data, path.name)
    except (OSError, DataError):
        return True
    rows = _first_rows(text, _guess_delimiter(text), SAMPLE_LINES)
    cells, count = Counter(map(len, rows)).most_common(1)[0]
    if cells == 1:
        return all(_is_number(row[0]) for row in rows[1:]) and len(rows) > 1
    return len(rows) > 1 and count >= EVEN * len(rows)


def _refuse_bytes(data: bytes, name: str) -> None:
    if b"\0" in data:
        raise DataError(f"'{name}' is no text file. Choose a CSV file (in a spreadsheet program: save as CSV).")


def _end_of_rows(data: bytes) -> int:
    """How many bytes are whole rows: up to the last line end that is not within quotation marks."""
    end = data.rfind(b"\n")
    if b'"' in data:
        while end >= 0 and data.count(b'"', 0, end) % 2:
            end = data.rfind(b"\n", 0, end)
    return end + 1


def _table(data: bytes, name: str, delimiter: str, header: Header, expected: Sequence[str]) -> TextTable:
    """The table in a text."""
    import polars  # slow to import, and needed only here

    if b'"' in data:
        data, lines, ragged = _even_rows_quoted(data, delimiter, name)
    else:
        data, lines, ragged = _even_rows(data, delimiter)
    head = _first_rows(data, delimiter, 50)
    if len(head[0]) > MAX_COLUMNS:
        raise DataError(f"'{name}' has {len(head[0]):,} columns; at most {MAX_COLUMNS:,} can be used.")
    has_header = _is_header(head, expected) if header == "auto" else header == "yes"
    skip = 1 if has_header else 0
    if len(lines) <= skip:
        raise DataError(f"'{name}' has no rows of data.")
    try:
        frame = polars.read_csv(
            data, separator=delimiter, has_header=False, infer_schema=False, quote_char='"' if b'"' in data else None)
    except polars.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"'{name}' cannot be read as a table: {reason}. Check the delimiter.") from error
    if frame.height != len(lines):
        raise DataError(f"'{name}' cannot be read as a table: {len(lines):,} rows were expected, {frame.height:,} "
                        "found. Check its quotation marks.")
    names = _names(head[0] if has_header else (), frame.width)
    return TextTable(name, names, frame.slice(skip), lines[skip:], delimiter, (), tuple(ragged))


def _decoded(data: bytes, name: str) -> tuple[bytes, list[str]]:
    """The text as UTF-8 without byte-order mark, with newlines as line ends."""
    notes: list[str] = []
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise DataError(f"'{name}' begins like UTF-16 text but is not. Save it as UTF-8.") from error
        notes.append(f"'{name}' was read as UTF-16.")
    data = data.removeprefix(b"\xef\xbb\xbf")
    _refuse_bytes(data, name)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        try:
            text, encoding = data.decode("cp1252"), "Windows-1252"
        except UnicodeDecodeError:
            text, encoding = data.decode("latin-1"), "Latin-1"
        data = text.encode("utf-8")
        notes.append(f"'{name}' is not UTF-8 (line {line}); it was read as {encoding}. If letters look wrong, save it "
                     "as UTF-8.")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not data.strip():
        raise DataError(f"'{name}' is empty.")
    return data, notes


def _first_rows(data: bytes, delimiter: str, count: int) -> list[list[str]]:
    """Cells of the first rows that are not blank."""
    rows: list[list[str]] = []
    text = io.StringIO(data[: 1 << 22].decode("utf-8", errors="ignore"), newline="")
    try:
        for row in csv.reader(text, delimiter=delimiter):
            if any(cell.strip() for cell in row) or len(row) > 1:
                rows.append([cell.strip() for cell in row])
            if len(rows) == count:
                break
    except csv.Error:
        pass  # a huge cell: the rows before it are enough for a guess, the full reading reports the fault
    return rows


def _guess_delimiter(data: bytes) -> str:
    """The character that cuts most rows into the same number of cells, of several the one that gives more cells."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        counts = Counter(len(row) for row in _first_rows(data, delimiter, SAMPLE_LINES))
        if not counts:
            continue
        cells, rows = counts.most_common(1)[0]
        if cells > 1:
            score = (round(rows / counts.total(), 2), cells)
            if score > best_score:
                best, best_score = delimiter, score
    return best


def _even_rows(data: bytes, delimiter: str) -> tuple[bytes, np.ndarray, list[int]]:
    """(data without blank and ragged lines, line number of each row kept, line numbers of ragged rows)."""
    if not data.endswith(b"\n"):
        data += b"\n"
    letters = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(letters == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    cells = np.add.reduceat(letters == ord(delimiter), starts, dtype=np.int32) + 1
    ink = np.add.reduceat((letters != ord(" ")) & (letters != ord("\t")), starts, dtype=np.int32) > 1
    blank = ~ink & ((cells == 1) | (delimiter == " "))
    usual = int(np.bincount(cells[~blank]).argmax())
    good = (cells == usual) & ~blank
    numbers = np.arange(1, len(starts) + 1)
    if not good.all():
        data = letters[np.repeat(good, ends - starts + 1)].tobytes()
    return data, numbers[good], numbers[~good & ~blank].tolist()


def _even_rows_quoted(data: bytes, delimiter: str, name: str) -> tuple[bytes, np.ndarray, list[int]]:
    """The same for text with quotation marks, written anew so that every reader understands them in the same way."""
    text = io.StringIO(data.decode("utf-8"), newline="")
    reader = csv.reader(text, delimiter=delimiter)
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                rows.append(row)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"'{name}', line {line}: {error}. A quotation mark may not be closed.") from error
    if not rows:
        raise DataError(f"'{name}' is empty.")
    if data.count(b'"') % 2 and any("\n" in cell for cell in rows[-1]):
        raise DataError(f"'{name}', line {lines[-1]}: a quotation mark is not closed. Close it, or remove it.")
    usual = Counter(map(len, rows)).most_common(1)[0][0]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerows(row for row in rows if len(row) == usual)
    good = np.array([len(row) == usual for row in rows])
    numbers = np.array(lines)
    return out.getvalue().encode("utf-8"), numbers[good], numbers[~good].tolist()


def _is_header(head: list[list[str]], expected: Sequence[str]) -> bool:
    """Names are texts that are no numbers, above columns of something else."""
    first, rest = head[0], head[1:]
    if expected and set(expected) <= set(first):
        return True
    if not rest or not any(first) or any(_is_number(cell) for cell in first):
        return False
    below = [[row[i] for row in rest if i < len(row) and row[i]] for i in range(len(first))]
    if any(cells and all(_is_number(cell) for cell in cells) for cells in below):
        return True
    named = [cell for cell in first if cell]
    return len(set(named)) == len(named) and not any(cell in cells for cell, cells in zip(first, below, strict=True))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return True


def _names(given: Sequence[str], width: int) -> tuple[str, ...]:
    """A name for each column: those given, made different from each other, or "column 1" and so on."""
    names: list[str] = []
    for i in range(width):
        wanted = given[i] if i < len(given) and given[i] else f"column {i + 1}"
        name, again = wanted, 2
        while name in names:
            name, again = f"{wanted} ({again})", again + 1
        names.append(name)
    return tuple(names)
