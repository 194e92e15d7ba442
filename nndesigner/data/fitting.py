"""Fits the encodings of all fields to the training part: scales, categories, classes, forms of pictures."""

from __future__ import annotations

import math
from collections import Counter
from typing import Literal

import numpy as np

from nndesigner.data.dataset import Column, DataError
from nndesigner.data.dates import useful_cycles
from nndesigner.data.encoding import AXES, FieldEncoding, RawInput, chunks, texts_of
from nndesigner.data.layout_fitting import fit_layout, fit_text_target
from nndesigner.data.pictures import Ground, ground_of
from nndesigner.data.rows import RawReader, sampled
from nndesigner.data.stored_table import StoredColumn
from nndesigner.spec import DataField, Shape

Scaling = Literal["auto", "standardise", "range", "none"]

#: categories of an input that get a place of their own; rarer ones count as unknown
MAX_CATEGORIES = 100
MAX_CLASSES = 1000
#: pictures that are looked at to see what lies around their drawings
GROUND_SAMPLES = 1000
#: pictures that are decoded for it
FIT_DECODED = 1000
#: bytes of a picture or array column that are read to measure its scale; of a larger one samples drawn by chance
FIT_BYTES = 1 << 29
#: bytes of a stored table that are looked at where single values count, as for the cycles of dates
SEEN_BYTES = 1 << 24


def counted(n: int, what: str) -> str:
    """ "1 sample", "2,000 samples"."""
    return f"1 {what}" if n == 1 else f"{n:,} {what}s"


def sorted_texts(texts: list[str]) -> tuple[str, ...]:
    """Categories in the order people expect: numbers by value, other texts by the alphabet."""
    try:
        return tuple(sorted(texts, key=lambda t: (float(t), t)))
    except ValueError:
        return tuple(sorted(texts, key=lambda t: (t.casefold(), t)))


def classes_of(column: Column, rows: np.ndarray) -> tuple[str, ...]:
    """Class names of a target: in the order of the source, then sorted. Raises DataError unless they can be learned."""
    found = set(texts_of(column.values[rows]))
    if len(found) > MAX_CLASSES:
        raise DataError(f"The target '{column.name}' has {len(found):,} different values, too many for classes. "
                        "Choose another target, or set its kind to number, or to text to have it written.")
    known = tuple(c for c in column.categories if c in found)
    classes = known + sorted_texts([t for t in found if t not in set(known)])
    if len(classes) < 2:
        raise DataError(f"The target '{column.name}' has only one class, '{classes[0]}': there is nothing to tell "
                        "apart. Choose another target.")
    return classes


def fit_inputs(
    inputs: list[Column], train: np.ndarray, scaling: Scaling, notes: list[str]
) -> list[FieldEncoding]:
    """One field of all table columns, one of each picture and array. Raises DataError when nothing is left."""
    found: list[FieldEncoding] = []
    mask = next((c for c in inputs if c.kind == "mask"), None)
    if mask is not None:
        raise DataError(f"'{mask.name}' holds the classes of pixels and can only be a target.")
    table = [c for c in inputs if c.kind in ("number", "category", "date")]
    arrays = [c for c in inputs if c.kind in ("image", "array")]
    images = [c for c in arrays if c.kind == "image"]
    names = {c.name for c in arrays}
    if table:
        name = "features" if "features" not in names else "table features"
        found.append(_table_encoding(name, "input", table, train, scaling, notes))
    for column in arrays:
        name = "image" if images == [column] and (column.name == "image" or "image" not in names) else column.name
        found.append(_array_encoding(name, "input", column, train, scaling, notes))
    return found + [fit_layout(c.name, c, train, scaling, notes) for c in inputs if c.kind in ("sound", "text")]


def fit_targets(
    targets: list[Column], rows: np.ndarray, train: np.ndarray, scaling: Scaling, notes: list[str]
) -> list[FieldEncoding]:
    """One field of each target with classes, texts, picture or array, and one of all numbers; "target" when it is the
    only one."""
    numbers = [c for c in targets if c.kind == "number"]
    groups = [[c] for c in targets if c.kind != "number"] + ([numbers] if numbers else [])
    found = []
    for group in groups:
        column = group[0]
        name = "target" if len(groups) == 1 or column.kind == "number" else f"target {column.name}"
        if column.kind == "category":
            classes = classes_of(column, rows)
            field = DataField(name, "target", Shape("F", (len(classes),)), "class", classes)
            raw = RawInput(column.name, "category", classes, unit=column.unit)
            nothing = np.zeros(())
            found.append(FieldEncoding(field, (raw,), nothing, np.ones(()), nothing))
        elif column.kind == "mask":
            found.append(_mask_encoding(name, column))
        elif column.kind == "number":
            how: Scaling = "none" if scaling == "none" else "standardise"
            found.append(_table_encoding(name, "target", group, train, how, []))
        elif column.kind == "text":
            found.append(fit_text_target(name, column, rows, train, notes))
        elif column.layout is not None:
            raise DataError(f"'{column.name}' is a {column.kind} and cannot be a target. Give it the role input.")
        else:
            found.append(_array_encoding(name, "target", column, train, scaling, notes))
    return found


def _mask_encoding(name: str, column: Column) -> FieldEncoding:
    """Classes of pixels: all that the source names, whether or not the training part shows them."""
    if len(column.categories) < 2:
        raise DataError(f"'{column.name}' has only one class: there is nothing to tell apart in the pictures.")
    shape = column.values.shape[1:]
    field = DataField(name, "target", Shape("HWC", (*shape, len(column.categories))), "class", column.categories)
    raw = RawInput(column.name, "mask", column.categories, shape, fit=column.fit)
    nothing = np.zeros(())
    return FieldEncoding(field, (raw,), nothing, np.ones(()), nothing)


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
            present, missing = _present(column, train)
            if not len(present):
                notes.append(f"Column '{column.name}' has no value in the training part and is ignored.")
                continue
            low, high, mean, deviation = _spread(column, present, train)
            if missing:
                notes.append(f"Column '{column.name}': {counted(missing, 'missing value')} replaced by the mean of the "
                             f"training part, {mean:.4g}.")
            if low == high and role == "input":
                notes.append(f"Column '{column.name}' has the same value in all training samples and tells nothing.")
            start, width = {"none": (0.0, 1.0), "range": (low, high - low)}.get(scaling, (mean, deviation))
            cycles = useful_cycles(present) if column.kind == "date" else ()
            kind = "date" if column.kind == "date" else "number"
            raw = RawInput(column.name, kind, cycles, low=low, high=high, unit=column.unit)
            offset += [start, *[0.0] * (raw.width - 1)]
            scale += [width if width > 0 and math.isfinite(width) else 1.0, *[1.0] * (raw.width - 1)]
            fill += [mean, *[0.0] * (raw.width - 1)]
        raws.append(raw)
    if not raws:
        raise DataError("No input column has values to learn from. Give other columns the role input.")
    field = DataField(name, role, Shape("F", (len(offset),)))
    return FieldEncoding(field, tuple(raws), np.array(offset), np.array(scale), np.array(fill))


def _present(column: Column, train: np.ndarray) -> tuple[np.ndarray, int]:
    """(values of training rows that are not missing, number of missing ones in all rows).

    Of a stored table some dates, which tell their cycles, and of numbers only the smallest and the largest.
    """
    if isinstance(column.values, StoredColumn):
        table, place, missing = column.values.table, column.values.place, column.values.missing
        if column.kind == "date":
            values = column.values[sampled(train, 8 * table.columns, SEEN_BYTES, (len(train), 0xF17))]
        else:
            values = np.array([table.figures(train).low[place], table.figures(train).high[place]])
    else:
        every = np.asarray(column.values, dtype=np.float64)
        values, missing = every[train], int(np.count_nonzero(~np.isfinite(every)))
    return values[np.isfinite(values)], missing


def _spread(column: Column, present: np.ndarray, train: np.ndarray) -> tuple[float, float, float, float]:
    """(smallest, largest, mean, standard deviation) of the training rows, whose finite values are `present` [n]."""
    with np.errstate(over="ignore", invalid="ignore"):
        if isinstance(column.values, StoredColumn):
            figures, place = column.values.table.figures(train), column.values.place
            found = tuple(float(a[place]) for a in (figures.low, figures.high, figures.mean, figures.deviation))
        else:
            found = tuple(float(f(present)) for f in (np.min, np.max, np.mean, np.std))
    if not all(map(math.isfinite, found)):
        largest = max(map(abs, found[:2]))
        raise DataError(f"Column '{column.name}' holds numbers too large to calculate with (up to {largest:.3g}). "
                        "Correct them, or give the column the role ignore.")
    return found


def _counted_texts(column: Column, train: np.ndarray) -> tuple[Counter[str], int]:
    """(how often each text is met in the training rows, number of missing ones in all rows)."""
    if not isinstance(column.values, StoredColumn):
        texts = texts_of(column.values)
        return Counter(t for t in texts[train] if t is not None), sum(t is None for t in texts)
    figures, place = column.values.table.figures(train), column.values.place
    met = zip(column.values.texts, figures.counts[place].tolist())
    return Counter({text: n for text, n in met if n}), column.values.missing


def _fit_category(column: Column, train: np.ndarray, notes: list[str]) -> RawInput | None:
    counts, missing = _counted_texts(column, train)
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
    if missing:
        notes.append(f"Column '{column.name}': {counted(missing, 'missing value')} counted as unknown.")
    known = tuple(c for c in column.categories if c in kept)
    categories = known + sorted_texts([t for t in kept if t not in set(known)])
    return RawInput(column.name, "category", categories, unit=column.unit)


def _array_encoding(
    name: str, role: Literal["input", "target"], column: Column, train: np.ndarray, scaling: Scaling, notes: list[str]
) -> FieldEncoding:
    shape = column.values.shape[1:]
    if len(shape) not in AXES:
        raise DataError(f"'{column.name}' has samples of {len(shape)} dimensions; 1 to 4 can be used.")
    image = column.kind == "image"
    scaling = scaling if scaling != "auto" else ("range" if image else "standardise")
    if image and scaling == "range" and column.limits:  # nothing has to be measured
        limits = column.limits
        start, width = np.asarray(limits[0]), np.asarray(limits[1] - limits[0])
    else:
        low, high, mean, deviation = _measured(column, train, notes)
        darkest, brightest = column.limits or _grey_limits(column.values.dtype, float(low.min()), float(high.max()))
        if image and scaling == "range":
            low, high = np.asarray(darkest), np.asarray(brightest)
        start, width = {
            "none": (np.zeros_like(mean), np.ones_like(mean)), "range": (low, high - low),
            "standardise": (mean, deviation),
        }[scaling]
        limits = (darkest, brightest) if image else (float(low.min()), float(high.max()))
    width = np.where((width > 0) & np.isfinite(width), width, 1.0)
    around = ground_of(RawReader(column.values)(train[:GROUND_SAMPLES]), *limits) if image else Ground()
    raw = RawInput(column.name, column.kind, (), shape, *limits, column.unit, around.ground, around.box, column.fit,
                   series=column.series)
    field = DataField(name, role, Shape(AXES[len(shape)], shape))
    start, width = np.asarray(start, np.float64), np.asarray(width, np.float64)
    return FieldEncoding(field, (raw,), start, width, np.zeros_like(width))


def _measured(
    column: Column, train: np.ndarray, notes: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What `_moments` finds in the training part, or in samples of it where it is large or must be decoded first."""
    shape, dtype = column.values.shape[1:], column.values.dtype
    limit = FIT_BYTES if isinstance(column.values, np.ndarray) else FIT_DECODED * math.prod(shape) * dtype.itemsize
    rows = sampled(train, math.prod(shape) * dtype.itemsize, limit, (len(train), 0xF17))
    if len(rows) < len(train):
        notes.append(f"'{column.name}' is large: its scale was measured on {len(rows):,} training samples drawn by "
                     "chance.")
    # Features of their own meaning each get their own mean, also those of series; pixels share one.
    axes = None if column.kind == "image" or len(shape) > 2 else tuple(range(len(shape)))
    return _moments(RawReader(column.values), rows, math.prod(shape), axes)


def _moments(
    read: RawReader, rows: np.ndarray, size: int, axes: tuple[int, ...] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(smallest, largest, mean, standard deviation) over rows, of each feature or of all values; in chunks, float64."""
    low, high, total, squares, n = np.inf, -np.inf, 0.0, 0.0, 0
    shift = read(rows[:1]).astype(np.float64).mean(axis=axes)  # keeps squares exact for values far from zero
    for part in chunks(len(rows), size):
        chunk = read(rows[part]).astype(np.float64)
        low, high = np.minimum(low, chunk.min(axis=axes)), np.maximum(high, chunk.max(axis=axes))
        chunk -= shift
        total, squares = total + chunk.sum(axis=axes), squares + np.square(chunk).sum(axis=axes)
        n += chunk.size // np.size(total)
    mean = total / n
    deviation = np.sqrt(np.maximum(squares / n - np.square(mean), 0.0))
    return np.asarray(low), np.asarray(high), np.asarray(mean + shift), np.asarray(deviation)


def _grey_limits(dtype: np.dtype, low: float, high: float) -> tuple[float, float]:
    """Values of a picture that become 0 and 1: those of its format where bytes use it, else smallest and largest."""
    if dtype.kind == "u" and dtype.itemsize == 1 and high > 127:
        return 0.0, 255.0
    low = min(low, 0.0) if dtype.kind == "u" else low
    return (low, high) if high > low else (low, low + 1.0)
