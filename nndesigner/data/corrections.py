"""What the user mends in data by hand: labels set right, samples left out. The user's own files are never written.

Corrections belong to the settings of the data, so they are undone, saved and applied like these. A copy beside the data
(`corrections_file`) offers them to other projects that choose the same data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.files import checked_file, reading
from nndesigner.data.fitting import counted
from nndesigner.data.source import Source

FORMAT, VERSION = "nndesigner corrections", 1
MAX_BYTES = 64 << 20


class Correction(BaseModel):
    """Of one sample, known by its key (`SampleKeys`): another value of a target column, or left out, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample: str
    column: str = ""
    value: str = ""
    excluded: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Correction:
        if not (self.column or self.excluded):
            raise ValueError("a correction names a column or leaves the sample out")
        return self


Corrections = tuple[Correction, ...]


def with_label(given: Corrections, samples: Iterable[str], column: str, value: str) -> Corrections:
    """The corrections after these samples got another label."""
    found = {c.sample: c for c in given}
    for sample in samples:
        excluded = sample in found and found[sample].excluded
        found[sample] = Correction(sample=sample, column=column, value=value, excluded=excluded)
    return tuple(found.values())


def with_excluded(given: Corrections, samples: Iterable[str]) -> Corrections:
    """The corrections after these samples were left out."""
    found = {c.sample: c for c in given}
    for sample in samples:
        old = found.get(sample)
        found[sample] = (Correction(sample=sample, excluded=True) if old is None
                         else old.model_copy(update={"excluded": True}))
    return tuple(found.values())


def without(given: Corrections, samples: Iterable[str]) -> Corrections:
    """The corrections without those of these samples."""
    gone = set(samples)
    return tuple(c for c in given if c.sample not in gone)


# --- applying ---


def by_row(dataset: Dataset, corrections: Corrections) -> dict[int, Correction]:
    """Row of the data set -> its correction; what matches no sample is left out."""
    rows = ((dataset.keys.row(c.sample), c) for c in corrections)
    return {row: c for row, c in rows if row is not None}


def corrected(columns: list[Column], found: Mapping[int, Correction]) -> list[Column]:
    """The columns with the labels that were set right. Raises DataError for a label that is no number."""
    changes: dict[str, dict[int, str]] = {}
    for row, correction in found.items():
        if correction.column:
            changes.setdefault(correction.column, {})[row] = correction.value
    return [_changed(c, changes[c.name]) if c.name in changes else c for c in columns]


def _changed(column: Column, changes: Mapping[int, str]) -> Column:
    if column.kind not in ("category", "number", "text"):
        raise DataError(f"Column '{column.name}' was corrected by hand, but holds no labels any more. Revert the "
                        "corrections of these data.")
    values = column.values.copy()
    for row, value in changes.items():
        try:
            values[row] = float(value) if column.kind == "number" else value
        except ValueError as error:
            raise DataError(f"Sample {row + 1} was corrected to '{value}', but '{column.name}' is now a column of "
                            "numbers. Set its kind to category, or revert the correction.") from error
    return replace(column, values=values)


def notes_of(corrections: Corrections, found: Mapping[int, Correction]) -> list[str]:
    """What was done, in sentences."""
    labels = sum(bool(c.column) and not c.excluded for c in found.values())
    excluded = sum(c.excluded for c in found.values())
    told = [f"{counted(labels, 'label')} set right"] * bool(labels)
    told += [f"{counted(excluded, 'sample')} left out"] * bool(excluded)
    notes = [f"By hand: {' and '.join(told)}. Your files are as they were."] if told else []
    lost = len(corrections) - len(found)
    if lost:
        notes.append(f"{counted(lost, 'correction')} made by hand {'fits' if lost == 1 else 'fit'} no sample any more: "
                     "the data have changed since.")
    return notes


# --- the copy beside the data ---


def corrections_file(source: Source | None) -> Path | None:
    """Where the corrections of a source lie: beside its first file or folder. None for data that are made or built in.

    The paths of the source must be whole (`Source.resolve`).
    """
    if source is None:
        return None
    first = next(iter(source.files().values()), "")
    if not first:
        return None
    path = Path(first).expanduser()
    return path.with_name(f"{path.name}.corrections.json")


def read_corrections(path: Path) -> Corrections:
    """Read what `corrections_text` gave. Raises DataError."""
    with reading(path):
        checked_file(str(path), "file of corrections", MAX_BYTES)
        text = path.read_text("utf-8", errors="replace")
    try:
        value = json.loads(text)
        if value["format"] != FORMAT or value["version"] != VERSION:
            raise ValueError("it is of another format")
        return tuple(Correction.model_validate(c) for c in value["corrections"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        why = "a correction is not whole" if isinstance(error, ValidationError) else error
        raise DataError(f"'{path.name}' holds no corrections that can be used ({why}).") from error


def corrections_text(data: str, corrections: Corrections) -> str:
    """The contents of the file, one line for each correction."""
    def line(value: dict[str, Any]) -> str:
        return "  " + json.dumps(value, ensure_ascii=False)

    lines = ",\n".join(line(c.model_dump(exclude_defaults=True)) for c in corrections)
    head = json.dumps({"format": FORMAT, "version": VERSION, "data": data}, ensure_ascii=False)[:-1]
    return f'{head}, "corrections": [\n{lines}\n]}}\n'


def excluded_rows(found: Mapping[int, Correction]) -> np.ndarray:
    """Row numbers of the samples that are left out, in rising order."""
    return np.array(sorted(row for row, c in found.items() if c.excluded), dtype=np.int64)
