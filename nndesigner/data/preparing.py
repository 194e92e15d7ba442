"""From a raw data set to training, validation and test arrays. What is fitted sees the training part only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from nndesigner.data.dataset import Column, DataError, Dataset, Form, Role
from nndesigner.data.encoding import AXES, CHUNK, MISSING, FieldEncoding, Preparation, RawInput, codes_of, texts_of
from nndesigner.data.pictures import Ground, ground_of
from nndesigner.data.source import Source
from nndesigner.data.split import split
from nndesigner.spec import DataField, Shape, Signature, choice_of, param

Scaling = Literal["auto", "standardise", "range", "none"]

#: categories of an input that get a place of their own; rarer ones count as unknown
MAX_CATEGORIES = 100
MAX_CLASSES = 1000
#: a target of at most this many different whole numbers, each met FEWEST times on average, is taken as classes
MAX_NUMBER_CLASSES = 20
FEWEST = 5
#: pictures that are looked at to see what lies around their drawings
GROUND_SAMPLES = 1000


class DataSettings(BaseModel):
    """What data to train on, and how they are prepared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    source: choice_of(Source) | None = param(None, "Data", "Where the data come from.")
    roles: dict[str, Role] = param(
        {}, "Roles", "Which columns are inputs, which is the target, and which are ignored. Columns not named here "
        "keep the role that the source gave them.", editor="columns")
    kinds: dict[str, Literal["number", "category"]] = param(
        {}, "Kinds", "Whether a column of a table is a number or a category. Columns not named here keep their kind.",
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


@dataclass(frozen=True, eq=False)
class Part:
    """Training, validation or test samples: `rows` [n] are row numbers of the data set, `arrays` fields [n, ...]."""

    name: str
    rows: np.ndarray
    arrays: Mapping[str, np.ndarray]

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

    def part(self, name: str) -> Part:
        """The part "train", "validation" or "test". Raises KeyError."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


def prepare(dataset: Dataset, settings: DataSettings) -> Prepared:
    """Choose columns, split, fit on the training part, encode. Raises DataError with what to do."""
    if not len(dataset):
        raise DataError(f"'{dataset.title}' has no samples.")
    notes: list[str] = []
    columns = [_as_set(column, settings, notes) for column in dataset.columns]
    inputs = [c for c in columns if c.role == "input"]
    targets = [c for c in columns if c.role == "target"]
    if not inputs:
        raise DataError("No column is an input. Give at least one column the role input.")
    rows = _usable(inputs, targets, notes)
    label = next((c for c in targets if c.kind == "category"), None)
    classes = _classes(label, rows) if label is not None else ()
    labels = codes_of(texts_of(label.values[rows]), classes) if label is not None and settings.stratify else None
    parts, lonely = split(rows, labels, classes, dataset.parts, settings.validation, settings.test, settings.seed)
    notes += lonely
    preparation = Preparation((
        *_input_encodings(inputs, parts["train"], settings.scaling, notes),
        *_target_encodings(targets, rows, parts["train"], settings.scaling),
    ))
    raw = {c.column: _values(columns, c.column) for f in preparation.fields for c in f.columns}
    made = {
        name: Part(name, chosen, preparation.encode(raw, chosen, roles=("input", "target")))
        for name, chosen in parts.items()
    }
    seen = replace(dataset, columns=tuple(columns), form=_form(dataset.form, inputs, targets))
    return Prepared(
        seen, preparation.signature, preparation, made["train"], made["validation"],
        made["test"], (*dataset.notes, *notes), dataset.fingerprint,
    )


# --- columns and rows ---


def _values(columns: list[Column], name: str) -> np.ndarray:
    return next(c.values for c in columns if c.name == name)


def _as_set(column: Column, settings: DataSettings, notes: list[str]) -> Column:
    """The column with the role and kind that the user chose, or that its values suggest."""
    role = settings.roles.get(column.name, column.role)
    column = replace(column, role=role)
    kind = settings.kinds.get(column.name)
    if kind == "category" and column.kind == "number":
        return replace(column, kind="category", values=texts_of(column.values))
    if kind == "number" and column.kind == "category":
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
    return replace(column, kind="number", values=values, categories=())


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
        if column.kind == "number":
            missing = ~np.isfinite(column.values)
        elif column.kind == "category":
            missing = np.fromiter((v is None for v in texts_of(column.values)), bool, len(column.values))
        else:
            continue
        if missing.any():
            count = _count(int(missing.sum()), "sample")
            notes.append(f"{count} without a value of the target '{column.name}' left out.")
            good &= ~missing
    for column in (*inputs, *targets):
        if column.kind in ("image", "array") and column.values.dtype.kind == "f":
            bad = ~_finite_rows(column.values)
            if bad.any():
                notes.append(f"{_count(int(bad.sum()), 'sample')} left out: '{column.name}' holds values that are no "
                             f"finite numbers (first in sample {int(np.flatnonzero(bad)[0]) + 1}).")
                good &= ~bad
    rows = np.flatnonzero(good)
    if not len(rows):
        raise DataError("No sample can be used: " + " ".join(notes[-3:]))
    return rows


def _finite_rows(values: np.ndarray) -> np.ndarray:
    good = np.empty(len(values), dtype=bool)
    for part in _chunks(len(values), values[:1].size):
        chunk = values[part]
        good[part] = np.isfinite(chunk.reshape(len(chunk), -1)).all(axis=1)
    return good


def _chunks(n: int, size: int) -> list[slice]:
    """Slices over n samples of `size` values that hold about CHUNK values each."""
    step = max(1, CHUNK // max(1, size))
    return [slice(start, start + step) for start in range(0, n, step)]


def _count(n: int, what: str) -> str:
    return f"1 {what}" if n == 1 else f"{n:,} {what}s"


def sorted_texts(texts: list[str]) -> tuple[str, ...]:
    """Categories in the order people expect: numbers by value, other texts by the alphabet."""
    try:
        return tuple(sorted(texts, key=lambda t: (float(t), t)))
    except ValueError:
        return tuple(sorted(texts, key=lambda t: (t.casefold(), t)))


def _classes(column: Column, rows: np.ndarray) -> tuple[str, ...]:
    found = set(texts_of(column.values[rows]))
    if len(found) > MAX_CLASSES:
        raise DataError(f"The target '{column.name}' has {len(found):,} different values, too many for classes. "
                        "Choose another target, or set its kind to number.")
    known = tuple(c for c in column.categories if c in found)
    classes = known + sorted_texts([t for t in found if t not in set(known)])
    if len(classes) < 2:
        raise DataError(f"The target '{column.name}' has only one class, '{classes[0]}': there is nothing to tell "
                        "apart. Choose another target.")
    return classes


# --- fitting ---


def _input_encodings(
    inputs: list[Column], train: np.ndarray, scaling: Scaling, notes: list[str]
) -> list[FieldEncoding]:
    found: list[FieldEncoding] = []
    table = [c for c in inputs if c.kind in ("number", "category")]
    arrays = [c for c in inputs if c.kind in ("image", "array")]
    images = [c for c in arrays if c.kind == "image"]
    names = {c.name for c in arrays}
    if table:
        name = "features" if "features" not in names else "table features"
        found.append(_table_encoding(name, "input", table, train, scaling, notes))
    for column in arrays:
        name = "image" if images == [column] and (column.name == "image" or "image" not in names) else column.name
        found.append(_array_encoding(name, "input", column, train, scaling))
    return found


def _target_encodings(
    targets: list[Column], rows: np.ndarray, train: np.ndarray, scaling: Scaling
) -> list[FieldEncoding]:
    numbers = [c for c in targets if c.kind == "number"]
    groups = [[c] for c in targets if c.kind != "number"] + ([numbers] if numbers else [])
    found = []
    for group in groups:
        column = group[0]
        name = "target" if len(groups) == 1 or column.kind == "number" else f"target {column.name}"
        if column.kind == "category":
            classes = _classes(column, rows)
            field = DataField(name, "target", Shape("F", (len(classes),)), "class", classes)
            raw = RawInput(column.name, "category", classes, unit=column.unit)
            nothing = np.zeros(())
            found.append(FieldEncoding(field, (raw,), nothing, np.ones(()), nothing))
        elif column.kind == "number":
            how: Scaling = "none" if scaling == "none" else "standardise"
            found.append(_table_encoding(name, "target", group, train, how, []))
        else:
            found.append(_array_encoding(name, "target", column, train, scaling))
    return found


def _table_encoding(
    name: str, role: Literal["input", "target"], columns: list[Column], train: np.ndarray, scaling: Scaling,
    notes: list[str],
) -> FieldEncoding:
    raws: list[RawInput] = []
    offset: list[float] = []
    scale: list[float] = []
    fill: list[float] = []
    for column in columns:
        if column.kind == "category":
            raw = _fit_category(column, train, notes)
            if raw is None:
                continue
            offset += [0.0] * raw.width
            scale += [1.0] * raw.width
            fill += [0.0] * raw.width
        else:
            values = np.asarray(column.values, dtype=np.float64)[train]
            present = values[np.isfinite(values)]
            if not len(present):
                notes.append(f"Column '{column.name}' has no value in the training part and is ignored.")
                continue
            low, high, mean = float(present.min()), float(present.max()), float(present.mean())
            missing = int(np.count_nonzero(~np.isfinite(column.values)))
            if missing:
                notes.append(f"Column '{column.name}': {_count(missing, 'missing value')} replaced by the mean of the "
                             f"training part, {mean:.4g}.")
            if low == high and role == "input":
                notes.append(f"Column '{column.name}' has the same value in all training samples and tells nothing.")
            start, width = {"none": (0.0, 1.0), "range": (low, high - low)}.get(scaling, (mean, float(present.std())))
            raw = RawInput(column.name, "number", low=low, high=high, unit=column.unit)
            offset.append(start)
            scale.append(width if width > 0 and math.isfinite(width) else 1.0)
            fill.append(mean)
        raws.append(raw)
    if not raws:
        raise DataError("No input column has values to learn from. Give other columns the role input.")
    field = DataField(name, role, Shape("F", (len(offset),)))
    return FieldEncoding(field, tuple(raws), np.array(offset), np.array(scale), np.array(fill))


def _fit_category(column: Column, train: np.ndarray, notes: list[str]) -> RawInput | None:
    counts = Counter(t for t in texts_of(column.values[train]) if t is not None)
    if not counts:
        notes.append(f"Column '{column.name}' has no value in the training part and is ignored.")
        return None
    if len(counts) == 1:
        notes.append(f"Column '{column.name}' has the same value in all training samples and tells nothing.")
    kept = set(counts)
    if len(counts) > MAX_CATEGORIES:
        kept = {text for text, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_CATEGORIES]}
        notes.append(f"Column '{column.name}' has {len(counts):,} different texts; the {MAX_CATEGORIES} most frequent "
                     "are used, the others count as unknown. A column of names or numbers of things is better ignored.")
    missing = sum(t is None for t in texts_of(column.values))
    if missing:
        notes.append(f"Column '{column.name}': {_count(missing, 'missing value')} counted as unknown.")
    known = tuple(c for c in column.categories if c in kept)
    categories = known + sorted_texts([t for t in kept if t not in set(known)])
    return RawInput(column.name, "category", categories, unit=column.unit)


def _array_encoding(
    name: str, role: Literal["input", "target"], column: Column, train: np.ndarray, scaling: Scaling
) -> FieldEncoding:
    shape = column.values.shape[1:]
    if len(shape) not in AXES:
        raise DataError(f"'{column.name}' has samples of {len(shape)} dimensions; 1 to 4 can be used.")
    image = column.kind == "image"
    scaling = scaling if scaling != "auto" else ("range" if image else "standardise")
    each = len(shape) == 1  # features of their own meaning each get their own mean; pixels share one
    low, high, mean, deviation = _moments(column.values, train, each)
    darkest, brightest = _grey_limits(column.values.dtype, float(low.min()), float(high.max()))
    if image and scaling == "range":
        low, high = np.asarray(darkest), np.asarray(brightest)
    start, width = {
        "none": (np.zeros_like(mean), np.ones_like(mean)), "range": (low, high - low), "standardise": (mean, deviation),
    }[scaling]
    width = np.where((width > 0) & np.isfinite(width), width, 1.0)
    limits = (darkest, brightest) if image else (float(low.min()), float(high.max()))
    around = ground_of(column.values[train[:GROUND_SAMPLES]], *limits) if image else Ground()
    raw = RawInput(column.name, column.kind, (), shape, *limits, column.unit, around.ground, around.box)
    field = DataField(name, role, Shape(AXES[len(shape)], shape))
    start, width = np.asarray(start, np.float64), np.asarray(width, np.float64)
    return FieldEncoding(field, (raw,), start, width, np.zeros_like(width))


def _moments(values: np.ndarray, rows: np.ndarray, each: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(smallest, largest, mean, standard deviation) over rows, of each feature or of all values; in chunks, float64."""
    axes = (0,) if each else None
    low, high, total, squares, n = np.inf, -np.inf, 0.0, 0.0, 0
    shift = values[rows[:1]].astype(np.float64).mean(axis=axes)  # keeps squares exact for values far from zero
    for part in _chunks(len(rows), values[:1].size):
        chunk = values[rows[part]].astype(np.float64)
        low, high = np.minimum(low, chunk.min(axis=axes)), np.maximum(high, chunk.max(axis=axes))
        chunk -= shift
        total, squares = total + chunk.sum(axis=axes), squares + np.square(chunk).sum(axis=axes)
        n += len(chunk) if each else chunk.size
    mean = total / n
    deviation = np.sqrt(np.maximum(squares / n - np.square(mean), 0.0))
    return np.asarray(low), np.asarray(high), np.asarray(mean + shift), np.asarray(deviation)


def _grey_limits(dtype: np.dtype, low: float, high: float) -> tuple[float, float]:
    """Values of a picture that become 0 and 1: those of its format where bytes use it, else smallest and largest."""
    if dtype.kind == "u" and dtype.itemsize == 1 and high > 127:
        return 0.0, 255.0
    low = min(low, 0.0) if dtype.kind == "u" else low
    return (low, high) if high > low else (low, low + 1.0)
