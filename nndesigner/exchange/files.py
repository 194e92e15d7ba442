"""Raw values for a prediction from a file: a picture, a sound, texts, or a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nndesigner.data.csv_file import RawTable, read_inputs
from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import RawInput
from nndesigner.data.files import reading
from nndesigner.data.pictures import SUFFIXES as PICTURES
from nndesigner.data.pictures import read_picture
from nndesigner.data.sound import is_sound, read_sound
from nndesigner.data.text_folder import read_texts
from nndesigner.exchange.series import is_series, read_series

_KINDS = {"image": "a picture", "sound": "a sound"}


@dataclass(frozen=True, eq=False)
class RawFile:
    """Raw columns {column: array [n, ...]}; `places` tell where each sample came from, `notes` what was repaired.

    `pictures` are the files where each sample is one. `truth` is what came after the windows of a series, as far as the
    table goes: {column: [n], NaN where it ends}.
    """

    columns: Mapping[str, np.ndarray]
    places: tuple[str, ...]
    notes: tuple[str, ...] = ()
    pictures: tuple[Path, ...] = ()
    truth: Mapping[str, np.ndarray] = field(default_factory=dict)


def read_file(path: Path, inputs: Sequence[RawInput], invert: bool | None = None) -> RawFile:
    """The inputs of a network from a file; `invert` None exchanges light and dark of a picture where that is needed.

    A folder stands for the pictures in it. Raises DataError for a file that cannot be used or is not what the network
    takes.
    """
    if path.is_dir():
        return _read_folder(path, _only(inputs, "image"), invert)
    if path.suffix.lower() in PICTURES:
        column = _only(inputs, "image")
        return RawFile({column.column: read_picture(str(path), column, invert)}, (path.name,), pictures=(path,))
    if is_sound(path):
        return RawFile(read_sound_input(path, inputs), (path.name,))
    if is_series(inputs):
        series = read_series(path, inputs[0])
        places = tuple(str(line) for line in series.lines[series.ends])
        return RawFile({inputs[0].column: series.windows}, places, series.notes, truth=series.truth())
    table = read_rows(path, inputs)
    return RawFile(table.columns, tuple(str(line) for line in table.lines), table.notes)


def _read_folder(folder: Path, column: RawInput, invert: bool | None) -> RawFile:
    """All pictures of a folder, those that cannot be read told in notes."""
    with reading(folder):
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES and not p.name.startswith("."))
    good, values, faults = [], [], []
    for path in paths:
        try:
            values.append(read_picture(str(path), column, invert))
            good.append(path)
        except DataError as error:
            faults.append(str(error))
    if not good:
        raise DataError(f"'{folder.name}' holds no picture that can be read."
                        + (f" The first fault: {faults[0]}" if faults else ""))
    notes = (f"{len(faults):,} pictures left out. The first fault: {faults[0]}",) if faults else ()
    names = tuple(path.name for path in good)
    return RawFile({column.column: np.concatenate(values)}, names, notes, tuple(good))


def read_sound_input(path: Path, inputs: Sequence[RawInput]) -> dict[str, np.ndarray]:
    """The raw column of a network that takes one sound, from a sound file. Raises DataError."""
    column = _only(inputs, "sound")
    return {column.column: read_sound(str(path), column.layout)}


def read_rows(path: Path, inputs: Sequence[RawInput]) -> RawTable:
    """The rows of a table, or texts. Raises DataError."""
    kinds = {column.kind for column in inputs}
    if kinds == {"text"} and len(inputs) == 1:
        return read_texts(str(path), inputs[0].column)
    if kinds & _KINDS.keys():
        wanted = " and ".join(_KINDS[kind] for kind in sorted(kinds & _KINDS.keys()))
        raise DataError(f"'{path.name}' is no file that this network takes: it was trained on {wanted}.")
    return read_inputs(str(path), inputs)


def _only(inputs: Sequence[RawInput], kind: str) -> RawInput:
    if len(inputs) != 1:
        raise DataError(f"The network needs {len(inputs)} inputs; {_KINDS[kind]} alone is not enough.")
    if kind == "sound" and inputs[0].kind != kind:
        raise DataError("This network does not take sounds.")
    return inputs[0]
