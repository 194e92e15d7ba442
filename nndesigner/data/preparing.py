"""From a raw data set to training, validation and test arrays. What is fitted sees the training part only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from nndesigner.data.augment import Augmentation, Mixer, changed_rows, mixer_of
from nndesigner.data.corrections import Corrections, by_row, corrected, excluded_rows, notes_of
from nndesigner.data.dataset import Column, DataError, Dataset, Form, Role
from nndesigner.data.description import Description, describe_data
from nndesigner.data.duplicates import marks, matches
from nndesigner.data.encoding import MISSING, Preparation, chunks, codes_of, texts_of
from nndesigner.data.fitting import Scaling, classes_of, counted, fit_inputs, fit_targets
from nndesigner.data.rows import IN_MEMORY, EncodedRows, RawReader, Rows
from nndesigner.data.source import Progress, Source, quiet
from nndesigner.data.split import split
from nndesigner.data.stored_table import EncodedTable, StoredColumn
from nndesigner.data.text import TextForm
from nndesigner.spec import Signature, choice_of, param

#: a target of at most this many different whole numbers, each met FEWEST times on average, is taken as classes
MAX_NUMBER_CLASSES = 20
FEWEST = 5
#: inputs of more bytes are not searched for duplicates between the parts
LEAK_BYTES = 256 << 20
BYTES = {"float32": 4, "int64": 8}
#: a text that a network is to write: letter by letter, whole
SPELLED = TextForm("character", lower=False)


class DataSettings(BaseModel):
    """What data to train on, and how they are prepared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    source: choice_of(Source) | None = param(None, "Data", "Where the data come from.")
    roles: dict[str, Role] = param(
        {}, "Roles", "Which columns are inputs, which is the target, and which are ignored. Columns not named here "
        "keep the role that the source gave them.", editor="columns")
    kinds: dict[str, Literal["number", "category", "text"]] = param(
        {}, "Kinds", "Whether a column is a number, a category, or a text, which is read word by word and, as the "
        "target, written letter by letter. Columns not named here keep their kind.",
        editor="columns")
    validation: float = param(0.15, "Validation", "Share of the samples that steer training but are not learned from. "
                              "More: surer figures, fewer samples to learn from.", ge=0, le=0.45, step=0.05)
    test: float = param(0.15, "Test", "Share of the samples kept aside for the final judgement. More: a surer "
                        "judgement, fewer samples to learn from.", ge=0, le=0.45, step=0.05)
    seed: int = param(
        7, "Seed of the split", "The same seed puts the same samples into the same parts.", ge=0, le=2**31 - 1)
    stratify: bool = param(True, "Keep class shares", "Each part gets its share of every class. Off: samples are "
                           "drawn without looking at their class.")
    scaling: Scaling = param(
        "auto", "Scaling", "Brings inputs and number targets to a size that networks learn well from. Without it, "
        "large columns drown small ones.", labels={
            "auto": "auto (standardise; pictures to 0…1)", "standardise": "mean 0, deviation 1", "range": "0 to 1"})
    augmentation: tuple[choice_of(Augmentation), ...] = param(
        (), "Steps", "Ways to change training samples, new in each epoch, so that a network does not learn "
        "them by heart. Validation and test samples stay as they are.", advanced=True)

    corrections: Corrections = param(
        (), "Corrections", "Labels set right and samples left out by hand. The files stay as they are.",
        editor="samples")


@dataclass(frozen=True, eq=False)
class Part:
    """Training, validation or test samples: `rows` [n] are row numbers of the data set, `arrays` fields [n, ...].

    A field that is too large for memory is EncodedRows, which give arrays when indexed.
    """

    name: str
    rows: np.ndarray
    arrays: Mapping[str, Rows]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Data ready for training, and all that is known of how they became so.

    `dataset` has the roles and kinds that the settings gave to its columns. `notes` are sentences for the user.
    """

    dataset: Dataset
    signature: Signature
    preparation: Preparation
    train: Part
    validation: Part
    test: Part
    notes: tuple[str, ...]
    #: sha256 of the raw contents, as hexadecimal text
    fingerprint: str
    #: what is remembered of the raw data
    description: Description | None = None
    #: how samples of a training batch are mixed with each other; None: not at all
    mixer: Mixer | None = None

    def part(self, name: str) -> Part:
        """The part "train", "validation" or "test". Raises KeyError."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


def prepare(dataset: Dataset, settings: DataSettings, progress: Progress = quiet) -> Prepared:
    """Choose columns, split, fit on the training part, encode.

    Raises DataError with what to do, and Cancelled when `progress` does.
    """
    if not len(dataset):
        raise DataError(f"'{dataset.title}' has no samples.")
    notes: list[str] = []
    columns: list[Column] = []
    for column in dataset.columns:
        progress(None, f"Preparing {column.name}")
        columns.append(_as_set(column, settings, notes))
    inputs = [c for c in columns if c.role == "input"]
    targets = [c for c in columns if c.role == "target"]
    if not inputs:
        raise DataError("No column is an input. Give at least one column the role input.")
    keys = [c for c in columns if c.role in ("group", "time")]
    progress(None, "Looking for samples that cannot be used")
    rows = _usable(inputs, [*targets, *keys], notes)
    progress(None, "Splitting")
    label = next((c for c in targets if c.kind == "category"), None)
    classes = classes_of(label, rows) if label is not None else ()
    labels = codes_of(texts_of(label.values[rows]), classes) if label is not None and settings.stratify else None
    groups, order = _keys(keys, rows, dataset, notes)
    parts, lonely = split(rows, labels, classes, dataset.parts, settings.validation, settings.test, settings.seed,
                          groups, order, max(1, dataset.span))
    notes += lonely
    # After the split, which a correction must not change: else test samples would come into training.
    columns, parts, rows = _mended(dataset, settings.corrections, columns, parts, rows, notes)
    inputs, targets = ([c for c in columns if c.role == role] for role in ("input", "target"))
    progress(None, "Measuring the training part")
    preparation = Preparation((
        *fit_inputs(inputs, parts["train"], settings.scaling, notes),
        *fit_targets(targets, rows, parts["train"], settings.scaling, notes),
    ))
    raw = {c.column: _values(columns, c.column) for f in preparation.fields for c in f.columns}
    made = _encoded(preparation, raw, parts, progress)
    notes += _leaks(preparation, made, progress)
    seen = replace(dataset, columns=tuple(columns), form=_form(dataset.form, inputs, targets))
    plain = Prepared(
        seen, preparation.signature, preparation, made["train"], made["validation"],
        made["test"], (*dataset.notes, *notes), dataset.fingerprint, describe_data(dataset),
    )
    return augmented(plain, settings.augmentation, settings.seed)


def _keys(
    keys: list[Column], rows: np.ndarray, dataset: Dataset, notes: list[str]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(numbers of groups, order in time) of the rows, as far as columns have these roles."""
    if len(keys) > 1:
        raise DataError(f"The columns {', '.join(repr(c.name) for c in keys)} have the roles group or time; only one "
                        "column can say how samples are split.")
    if not keys:
        return None, rows.astype(np.float64) if dataset.span else None
    column = keys[0]
    values = column.values[rows]
    if column.kind in ("image", "array", "mask", "sound"):
        raise DataError(f"Column '{column.name}' holds no single values and cannot have the role {column.role}.")
    if column.role == "time" and column.kind not in ("number", "date"):
        raise DataError(f"Column '{column.name}' holds texts that are no dates, so it cannot tell the order in time.")
    if column.role == "time":
        notes.append(f"Split by time: the latest samples by '{column.name}' test, those before them validate.")
        return None, values
    numbers = np.unique(texts_of(values).astype(str), return_inverse=True)[1]
    if numbers.max() < 2:
        raise DataError(f"Column '{column.name}' has only {numbers.max() + 1} groups; at least 3 are needed to split "
                        "by them.")
    notes.append(f"Split by '{column.name}': each of its {numbers.max() + 1:,} groups lies in one part.")
    return numbers, None


def _mended(
    dataset: Dataset, corrections: Corrections, columns: list[Column], parts: dict[str, np.ndarray], rows: np.ndarray,
    notes: list[str],
) -> tuple[list[Column], dict[str, np.ndarray], np.ndarray]:
    """(columns, rows of the parts, all usable rows) after what was corrected by hand."""
    if not corrections:
        return columns, parts, rows
    found = by_row(dataset, corrections)
    notes += notes_of(corrections, found)
    gone = excluded_rows(found)
    parts = {name: np.setdiff1d(part, gone, assume_unique=True) for name, part in parts.items()}
    if not len(parts["train"]):
        raise DataError("All training samples are left out by hand. Take some of them back.")
    return corrected(columns, found), parts, np.setdiff1d(rows, gone, assume_unique=True)


def _leaks(preparation: Preparation, parts: Mapping[str, Part], progress: Progress) -> list[str]:
    """A note when inputs of test or validation samples are exactly those of training samples."""
    fields = [f.field.name for f in preparation.fields if f.field.role == "input"]
    arrays = {name: [part.arrays[field] for field in fields] for name, part in parts.items()}
    in_memory = all(isinstance(a, np.ndarray) for given in arrays.values() for a in given)
    if not in_memory or sum(a.nbytes for given in arrays.values() for a in given) > LEAK_BYTES:
        return []
    seen = {name: marks({f: part.arrays[f] for f in fields}, len(part), progress) for name, part in parts.items()}
    found = {name: len(matches(seen["train"], seen[name])) for name in ("validation", "test")}
    told = [f"{counted(n, f'{name} sample')}" for name, n in found.items() if n]
    if not told:
        return []
    return [f"{' and '.join(told)} have exactly the inputs of a training sample, so the figures look better than they "
            "are. Remove duplicates, or give a column the role group that such samples share."]


def _encoded(
    preparation: Preparation, raw: Mapping[str, Any], parts: Mapping[str, np.ndarray], progress: Progress
) -> dict[str, Part]:
    """The parts, with arrays of the fields that fit into memory."""
    made: dict[str, dict[str, Rows]] = {name: {} for name in parts}
    for encoding in preparation.fields:
        values = raw[encoding.columns[0].column]
        if any(isinstance(raw[c.column], StoredColumn) for c in encoding.columns):
            for name, rows in parts.items():
                made[name][encoding.field.name] = EncodedTable(encoding, raw, rows)
            continue
        size = math.prod(encoding.field.sample_dims) * BYTES[encoding.field.dtype] * sum(map(len, parts.values()))
        large = encoding.columns[0].kind in ("image", "array", "mask") and size > IN_MEMORY
        if large or not isinstance(values, np.ndarray):
            reader = RawReader(values)
            for name, rows in parts.items():
                made[name][encoding.field.name] = EncodedRows(encoding, reader, rows)
        else:
            for name, rows in parts.items():
                progress(None, f"Encoding {name} samples")
                made[name][encoding.field.name] = encoding.encode(raw, rows)
    return {name: Part(name, rows, made[name]) for name, rows in parts.items()}


def augmented(prepared: Prepared, steps: Sequence[Augmentation], seed: int) -> Prepared:
    """The same data whose training part is changed by these steps, and by no others.

    Raises DataError for a step that does not suit.
    """
    train, preparation = prepared.train, prepared.preparation
    raw = {c.name: c.values for c in prepared.dataset.columns}
    rows = changed_rows(steps, seed, preparation, train.arrays, train.rows, raw)
    return replace(prepared, train=replace(train, arrays=rows), mixer=mixer_of(steps, seed, preparation))


# --- columns and rows ---


def _values(columns: list[Column], name: str) -> np.ndarray:
    return next(c.values for c in columns if c.name == name)


def _as_set(column: Column, settings: DataSettings, notes: list[str]) -> Column:
    """The column with the role and kind that the user chose, or that its values suggest."""
    role = settings.roles.get(column.name, column.role)
    if role == "target" and column.kind == "text" and column.role != "target":
        column = replace(column, layout=SPELLED)
    column = replace(column, role=role)
    kind = settings.kinds.get(column.name, column.kind)
    if isinstance(column.values, StoredColumn) and (role not in ("input", "ignore") or kind != column.kind):
        column = replace(column, values=column.values[:])  # targets and what the user has changed are looked through
    if column.kind == "date" and (role == "target" or settings.kinds.get(column.name) == "number"):
        return replace(column, kind="number", unit="days")
    kind = settings.kinds.get(column.name)
    if kind == "text" and column.kind in ("number", "category"):
        layout = SPELLED if role == "target" else TextForm()
        if column.kind == "number":
            notes.append(f"Column '{column.name}' was read as numbers and is spelled as such: zeros in front are gone.")
        return replace(column, kind="text", values=texts_of(column.values), categories=(), layout=layout)
    if kind == "category" and column.kind in ("number", "text"):
        return replace(column, kind="category", values=texts_of(column.values), layout=None)
    if kind == "number" and column.kind in ("category", "text"):
        return _as_number(column, notes)
    if kind is None and role == "target" and column.kind == "number":
        values = column.values[~np.isnan(column.values)]
        distinct = np.unique(values)
        few = 2 <= len(distinct) <= MAX_NUMBER_CLASSES and len(values) >= FEWEST * len(distinct)
        if few and (distinct % 1 == 0).all():
            notes.append(f"The target '{column.name}' has only {len(distinct)} different whole numbers and is taken "
                         "as classes. Set its kind to number to predict it as a number.")
            return replace(column, kind="category", values=texts_of(column.values))
    return column


def _as_number(column: Column, notes: list[str]) -> Column:
    values = np.full(len(column.values), np.nan)
    bad: list[int] = []
    for i, text in enumerate(column.values):
        if text is not None and text.strip().lower() not in MISSING:
            try:
                number = float(text)
            except ValueError:
                number = math.inf
            if math.isfinite(number):
                values[i] = number
            else:
                bad.append(i)
    if bad:
        notes.append(f"Column '{column.name}': {len(bad)} values are no numbers and count as missing (first: "
                     f"'{column.values[bad[0]]}' in sample {bad[0] + 1}).")
    return replace(column, kind="number", values=values, categories=(), layout=None)


def _form(form: Form, inputs: list[Column], targets: list[Column]) -> Form:
    """How to show the chosen columns: two numbers are points in the plane, one number and one to predict a curve."""
    if form not in ("points", "curve", "table"):
        return form
    if len(targets) == 1 and all(c.kind == "number" for c in inputs):
        if len(inputs) == 2 and targets[0].kind in ("number", "category"):
            return "points"
        if len(inputs) == 1 and targets[0].kind == "number":
            return "curve"
    return "table"


def _usable(inputs: list[Column], targets: list[Column], notes: list[str]) -> np.ndarray:
    """Row numbers of samples that have a target and pictures and arrays of finite numbers."""
    good = np.ones(len(inputs[0].values), dtype=bool)
    for column in targets:
        if column.kind in ("number", "date"):
            missing = ~np.isfinite(column.values)
        elif column.kind in ("category", "text"):
            missing = np.fromiter((v is None for v in texts_of(column.values)), bool, len(column.values))
        else:
            continue
        if missing.any():
            count = counted(int(missing.sum()), "sample")
            what = "target " if column.role == "target" else ""
            notes.append(f"{count} without a value of the {what or 'column '}'{column.name}' left out.")
            good &= ~missing
    for column in (*inputs, *targets):
        if column.kind in ("image", "array") and column.values.dtype.kind == "f":
            if column.values.nbytes > IN_MEMORY:
                notes.append(f"'{column.name}' is too large to be looked through beforehand: training stops at the "
                             "first sample with a value that is no finite number.")
                continue
            bad = ~_finite_rows(column.values)
            if bad.any():
                notes.append(f"{counted(int(bad.sum()), 'sample')} left out: '{column.name}' holds values that are no "
                             f"finite numbers (first in sample {int(np.flatnonzero(bad)[0]) + 1}).")
                good &= ~bad
    rows = np.flatnonzero(good)
    if not len(rows):
        raise DataError("No sample can be used: " + " ".join(notes[-3:]))
    return rows


def _finite_rows(values: np.ndarray) -> np.ndarray:
    good = np.empty(len(values), dtype=bool)
    for part in chunks(len(values), values[:1].size):
        chunk = values[part]
        good[part] = np.isfinite(chunk.reshape(len(chunk), -1)).all(axis=1)
    return good
