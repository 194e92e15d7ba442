"""Texts of your own: folders with one folder a class, a column of a table, and plain text to predict the next token."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from nndesigner.data.csv_file import RawTable
from nndesigner.data.csv_text import TextTable, read_text_table
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import MISSING
from nndesigner.data.files import checked_file, reading
from nndesigner.data.folders import classed_files, holds, names_in, sizes_of
from nndesigner.data.source import Progress, Source, quiet
from nndesigner.data.table_file import JSON_LINES
from nndesigner.data.text import MAX_LENGTH, WORDS, TextForm, Tokens, cut
from nndesigner.spec import param

SUFFIXES = (".txt",)
MAX_FILES = 200_000
MAX_FILE_BYTES, MAX_BYTES = 16 << 20, 1 << 30
#: names of columns that are taken as text and as class, the first that is there
TEXT_NAMES = ("text", "sentence", "review", "comment", "message", "body", "content", "tweet", "title")
CLASS_NAMES = ("label", "class", "target", "category", "sentiment", "topic", "y", "labels", "classes")
#: next tokens that get a class of their own; samples with a rarer one are left out
MAX_NEXT = 999
#: shares of a plain text that train and that steer; its end judges
TRAIN, VALIDATION = 0.7, 0.15
_SHOWN = {" ": "␣", "\n": "↵", "\t": "⇥"}


class Texts(Source):
    """Shared by the sources of texts: how they are cut into tokens."""

    form = "texts"

    tokens: Tokens = param(
        "word", "Tokens", "What a text is cut into. Words suit short texts and small data; characters need no "
        "vocabulary but long texts; byte pairs are frequent pieces of words, in between.", labels={
            "word": "words", "character": "characters", "byte_pair": "byte pairs"})
    vocabulary: int = param(5000, "Vocabulary", "Most tokens that get a number of their own; rarer ones count as "
                            "unknown. More: finer, with more weights.", ge=10, le=100_000)
    length: int = param(0, "Length", "Tokens of a text that the network sees: longer texts are cut, shorter ones "
                        "padded. 0: chosen so that nearly all texts fit in whole.", ge=0, le=MAX_LENGTH)
    lower: bool = param(True, "Ignore capitals", "Reads all letters as small ones, so that a word at the start of a "
                        "sentence is the same word.", advanced=True)

    def text_form(self, keep: Literal["start", "end"] = "start") -> TextForm:
        return TextForm(self.tokens, self.vocabulary, self.length, self.lower, keep)


class _InFolder(Source):
    """Only here so that the folder is the first field of the form."""

    form = "texts"

    path: str = param("", "Folder", "The folder with one folder for each class.", editor="folder")


class _InTable(Source):
    """Only here so that the file and its columns are the first fields of the form."""

    form = "texts"

    path: str = param("", "File", "The CSV or JSON lines file.", editor="file")
    text: str = param("", "Text column", "Name of the column that holds the texts. Empty: guessed.")
    target: str = param("", "Class column", "Name of the column that tells the class. Empty: guessed.")


class TextFolder(Texts, _InFolder):
    """Texts of your own: a folder with one folder of .txt files for each class.

    The names of the folders are the classes. Folders named train, val and test above them are kept as parts. The
    vocabulary comes from the training part only.
    """

    kind = "text_folder.v1"
    title = "Folder of texts"
    group = "Files"
    icon = "mdi6.folder-text-outline"
    keywords = ("documents", "reviews", "own data", "txt", "classes", "directory", "language", "sentiment")

    @classmethod
    def reads(cls, path: Path) -> bool:
        return path.is_dir() and holds(path, SUFFIXES)

    def load(self, progress: Progress) -> Dataset:
        if not self.path:
            raise DataError("Choose a folder of texts.")
        folder = Path(self.path).expanduser()
        progress(None, f"Looking through {folder.name}")
        with reading(folder):
            if not folder.is_dir():
                raise DataError(f"'{folder}' is not a folder. Choose the folder that holds a folder for each class.")
            found = list(islice(classed_files(folder, SUFFIXES), MAX_FILES + 1))
        if not any(label is not None for _, label, _ in found):
            raise DataError(f"'{folder.name}' holds no .txt files in folders. Put the texts of each class into a "
                            "folder of its own below it.")
        if len(found) > MAX_FILES:
            raise DataError(f"'{folder.name}' holds more than {MAX_FILES:,} texts. Use a part of them.")
        texts: list[str] = []
        labels: list[str | None] = []
        rows: dict[str, list[int]] = {}
        paths: list[Path] = []
        faults: list[str] = []
        odd: list[str] = []
        total = 0
        for i, (path, label, part) in enumerate(found):
            if i % 64 == 0:
                progress(i / len(found), f"Reading text {i:,} of {len(found):,}")
            try:
                text = read_text(str(path), MAX_FILE_BYTES, odd=odd)
            except DataError as error:
                faults.append(str(error))
                continue
            total += len(text)
            if total > MAX_BYTES:
                raise DataError(f"The texts of '{folder.name}' have more than {MAX_BYTES >> 30} GB. Use a part of "
                                "them.")
            rows.setdefault(part, []).append(len(texts))
            texts.append(text)
            labels.append(label)
            paths.append(path)
        if not texts:
            raise DataError(f"No text of '{folder.name}' can be read. The first fault: {faults[0]}")
        notes = encoding_notes(odd)
        if faults:
            count = "1 text" if len(faults) == 1 else f"{len(faults):,} texts"
            notes.insert(0, f"{count} left out. The first fault: {faults[0]}")
        parts = {name: np.array(numbers) for name, numbers in rows.items() if name}
        return Dataset(folder.name, "texts", (
            Column("text", "text", "input", _objects(texts), layout=self.text_form()),
            Column("class", "category", "target", _objects(labels)),
        ), tuple(notes), parts, names=names_in(folder, paths), sizes=sizes_of(paths))


class TextColumn(Texts, _InTable):
    """Texts in a column of a table (CSV or JSON lines), with a column that tells their class.

    In JSON lines every line is an object like {"text": "…", "label": "…"}. Columns are found by their names, or by the
    length of their texts.
    """

    kind = "text_table.v1"
    title = "Table with texts"
    group = "Files"
    icon = "mdi6.table-column"
    keywords = ("csv", "json lines", "jsonl", "reviews", "sentences", "own data", "language", "sentiment")

    def load(self, progress: Progress) -> Dataset:
        title, columns, notes = _read_columns(self.path, progress)
        text = _named(columns, self.text, "text", title) or _by_name(columns, TEXT_NAMES) or _longest(columns)
        others = {name: values for name, values in columns.items() if name != text}
        target = _named(others, self.target, "class", title) or _by_name(others, CLASS_NAMES) or _fewest(others)
        if target is None:
            raise DataError(f"'{title}' has no column that tells the class of its texts. Add one, or name it in "
                            "'Class column'.")
        return Dataset(title, "texts", (
            Column("text" if text == "" else text, "text", "input", columns[text], layout=self.text_form()),
            Column(target, "category", "target", columns[target]),
        ), tuple(notes))


class NextToken(Source):
    """A plain text, cut into short stretches: which character or word comes next?

    The simplest language model. The first 70 % of the text train, the next 15 % steer and the end judges, so that no
    stretch is known from training.
    """

    kind = "next_token.v1"
    title = "Plain text, next token"
    group = "Files"
    icon = "mdi6.text-box-edit-outline"
    keywords = ("language model", "gpt", "generate", "txt", "book", "character", "word", "own data")
    form = "texts"
    suffixes = SUFFIXES  # of which csv_file takes those that hold rows

    path: str = param("", "File", "The text file.", editor="file")
    tokens: Literal["character", "word"] = param(
        "character", "Tokens", "What is predicted. Characters need no large vocabulary; words need much text.",
        labels={"word": "words", "character": "characters"})
    length: int = param(32, "Context", "Tokens that the network sees before the one it predicts. Longer: more to go "
                        "by, slower training.", ge=1, le=1024)
    samples: int = param(20_000, "Samples", "Most stretches taken, spread evenly over the text. More: better learning, "
                         "but slower.", ge=100, le=500_000, step=1000)
    lower: bool = param(True, "Ignore capitals", "Reads all letters as small ones.", advanced=True)

    def load(self, progress: Progress) -> Dataset:
        progress(None, "Reading the text")
        text = read_text(self.path, MAX_FILE_BYTES, "text file")
        return next_token_data(Path(self.path).name, text, self.tokens, self.length, self.samples, self.lower)


def next_token_data(
    title: str, text: str, tokens: Literal["character", "word"], length: int, samples: int, lower: bool
) -> Dataset:
    """Stretches of a text with the token after each as class; parts in the order of the text. Raises DataError."""
    text = re.sub(r"[ \t]+", " ", text)
    form = TextForm(tokens, 100_000, length, lower, "end")
    if tokens == "character":
        starts = np.arange(len(text))
        ends = starts + 1
    else:
        spans = np.array([m.span() for m in WORDS.finditer(text)], dtype=np.int64).reshape(-1, 2)
        starts, ends = spans[:, 0], spans[:, 1]
    count = len(starts)
    if count < length + 100:
        raise DataError(f"'{title}' has {count:,} tokens; at least {length + 100:,} are needed. Use a longer text, or "
                        "a shorter context.")
    step = max(1, -(-(count - length) // samples))
    places = np.arange(length, count, step)
    followers = [cut(text[starts[i]:ends[i]], form)[0] for i in places]
    borders = [int(count * TRAIN), int(count * (TRAIN + VALIDATION))]
    known: dict[str, int] = {}
    for place, follower in zip(places, followers, strict=True):
        if place < borders[0]:
            known[follower] = known.get(follower, 0) + 1
    names = sorted(known, key=lambda token: (-known[token], token))[:MAX_NEXT]
    kept = set(names)
    good = [i for i, follower in enumerate(followers) if follower in kept]
    notes = []
    if len(good) < len(places):
        notes.append(f"{len(places) - len(good):,} stretches left out: what follows them is too rare in the first "
                     f"{TRAIN:.0%} of the text.")
    places = places[good]
    # a stretch belongs to a part only if it lies in it wholly
    part = np.where(places < borders[0], 0, np.where(places < borders[1], 1, 2))
    started = np.where(places - length < borders[0], 0, np.where(places - length < borders[1], 1, 2))
    contexts = _objects([text[starts[i - length]:ends[i - 1]] for i in places])
    targets = _objects([shown(followers[i]) for i in good])
    whole = np.flatnonzero(part == started)
    part = part[whole]
    return Dataset(title, "texts", (
        Column("text", "text", "input", contexts[whole], layout=form),
        Column("next", "category", "target", targets[whole], tuple(shown(name) for name in names)),
    ), tuple(notes), {name: np.flatnonzero(part == i) for i, name in enumerate(("train", "validation", "test"))})


def shown(token: str) -> str:
    """A token as the name of a class: signs that cannot be seen, or that would count as missing, are written out."""
    if token in _SHOWN:
        return _SHOWN[token]
    return f"‘{token}’" if token.strip().lower() in MISSING else token


def token_of(name: str) -> str:
    """The token that `shown` made the name of a class of."""
    if name[:1] == "‘" and name[-1:] == "’" and len(name) > 2:
        return name[1:-1]
    return next((token for token, sign in _SHOWN.items() if sign == name), name)


# --- reading ---


def read_text(path: str, limit: int, what: str = "text file", odd: list[str] | None = None) -> str:
    """The text of a file, by its byte-order mark, else as UTF-8, else as Windows-1252. Raises DataError.

    Names of files that had to be read as Windows-1252 are put into `odd`.
    """
    found, _ = checked_file(path, what, limit)
    with reading(found):
        data = found.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    elif b"\0" in data:
        raise DataError(f"'{found.name}' is no text file.")
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
        if encoding == "cp1252" and odd is not None:
            odd.append(found.name)
        return text
    raise DataError(f"'{found.name}' is in an unknown encoding. Save it as UTF-8.")


def encoding_notes(odd: list[str]) -> list[str]:
    """What to say of files that are not UTF-8."""
    if not odd:
        return []
    files = "1 file is not UTF-8 and was" if len(odd) == 1 else f"{len(odd):,} files are not UTF-8 and were"
    return [f"{files} read as Windows-1252 (first: '{odd[0]}'). If letters look wrong, save it as UTF-8."]


def read_texts(path: str, column: str, progress: Progress = quiet) -> RawTable:
    """The raw text column of a file for a prediction: CSV and JSON lines by the column's name (or the only column, or
    the one named like a text), .txt one text a line. Raises DataError."""
    if Path(path).suffix.lower() in SUFFIXES:
        lines = read_text(path, MAX_BYTES).split("\n")
        numbers = [i for i, text in enumerate(lines, 1) if text.strip()]
        if not numbers:
            raise DataError(f"'{Path(path).name}' is empty.")
        return RawTable({column: _objects([lines[i - 1] for i in numbers])}, np.array(numbers), ())
    if Path(path).suffix.lower() in JSON_LINES:
        title, columns, notes, lines = _json_lines(path, progress)
    else:
        table = read_text_table(path, "auto", "auto", progress, [column])
        title, columns, notes, lines = table.file, _table_columns(table), list(table.notes), table.lines
    found = column if column in columns else _by_name(columns, TEXT_NAMES)
    if found is None and len(columns) == 1:
        found = next(iter(columns))
    if found is None:
        raise DataError(f"'{title}' lacks the column '{column}' that the network reads.")
    return RawTable({column: columns[found]}, np.asarray(lines), tuple(notes))


def _read_columns(path: str, progress: Progress) -> tuple[str, dict[str, np.ndarray], list[str]]:
    """(name of the file, columns of texts by name, notes) of a CSV or JSON lines file."""
    if Path(path).suffix.lower() in JSON_LINES:
        return _json_lines(path, progress)[:3]
    table = read_text_table(path, "auto", "auto", progress)
    return table.file, _table_columns(table), list(table.notes)


def _table_columns(table: TextTable) -> dict[str, np.ndarray]:
    return {name: _objects(table.frame.to_series(i).to_list()) for i, name in enumerate(table.names)}


def _json_lines(path: str, progress: Progress) -> tuple[str, dict[str, np.ndarray], list[str], list[int]]:
    """(name of the file, columns of texts, notes, line numbers). Lines that are no objects are left out."""
    odd: list[str] = []
    text = read_text(path, MAX_BYTES, "JSON lines file", odd)
    title = Path(path).name
    progress(0.3, f"Reading {title}")
    rows, numbers, faults = [], [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append(row)
            numbers.append(number)
        else:
            faults.append(number)
    if not rows:
        raise DataError(f"'{title}' holds no JSON object. Every line must be an object like {{\"text\": \"…\"}}.")
    notes = encoding_notes(odd)
    if faults:
        count = "1 line" if len(faults) == 1 else f"{len(faults):,} lines"
        notes.append(f"{count} left out: no JSON object (first: line {faults[0]}).")
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {
        name: _objects([None if (v := row.get(name)) is None or isinstance(v, dict | list) else str(v) for row in rows])
        for name in names}
    return title, columns, notes, numbers


# --- guessing ---


def _named(columns: dict[str, np.ndarray], name: str, what: str, title: str) -> str | None:
    if name and name not in columns:
        names = ", ".join(f"'{n}'" for n in list(columns)[:10])
        raise DataError(f"'{title}' has no {what} column '{name}'; it has {names}. Choose one of them.")
    return name or None


def _by_name(columns: dict[str, np.ndarray], names: tuple[str, ...]) -> str | None:
    known = {name.strip().casefold(): name for name in reversed(columns)}
    return next((known[name] for name in names if name in known), None)


def _longest(columns: dict[str, np.ndarray]) -> str:
    """The column with the longest texts on average."""
    return max(columns, key=lambda name: sum(len(v) for v in columns[name] if v is not None))


def _fewest(columns: dict[str, np.ndarray]) -> str | None:
    """The column with the fewest different values, two at least."""
    counts = {name: len({v for v in values if v is not None}) for name, values in columns.items()}
    usable = [name for name, n in counts.items() if n >= 2]
    return min(usable, key=lambda name: counts[name], default=None)


def _objects(values: list) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
