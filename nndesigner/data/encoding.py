"""The way from raw columns to the arrays of a network and back: fitted once, kept with the model, the same everywhere.

Training, live predictions, the command line and exported models all encode through the same `Preparation`, so a raw
value gives the same bits in each of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from nndesigner.data.dataset import DataError, Fit
from nndesigner.data.dates import CYCLES, days_of, parts_of
from nndesigner.data.layouts import (
    Layout,
    check_layout,
    decode_texts,
    encode_layout,
    layout_from_json,
    layout_json,
)
from nndesigner.data.masks import fill_masks
from nndesigner.data.rows import RawReader
from nndesigner.data.windows import SeriesForm
from nndesigner.spec import DataField, Shape, Signature

ColumnKind = Literal["number", "category", "date", "image", "array", "mask", "sound", "text"]

#: words and signs that stand for "no value" in files and forms
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-", "--", ".", "missing", "#n/a", "#na", "#null!"})
#: elements that are converted at a time, so that temporary copies of pictures stay small
CHUNK = 1 << 20
AXES = {1: "F", 2: "TF", 3: "HWC", 4: "DHWC"}


@dataclass(frozen=True)
class RawInput:
    """One column as it is before encoding: what a form, a drawing pad or a file has to deliver.

    `categories` are the known texts (of a date: the cycles whose place is told; of a mask: its classes); other texts
    count as unknown. `shape` is that of one picture, array or mask. `low` and `high` are the smallest and largest value
    of the training part; for a picture the values that become 0 and 1 (usually black and white).
    """

    column: str
    kind: ColumnKind
    categories: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    #: pictures of drawings on plain ground: which ground, and the share of the frame that a drawing takes
    ground: Literal["", "dark", "bright"] = ""
    box: float = 1.0
    #: how other pictures are brought to `shape`
    fit: Fit = "pad"
    #: the form of sounds and texts; the categories of a text are its vocabulary, its shape is the number of tokens
    layout: Layout | None = None
    #: the table behind windows over a series
    series: SeriesForm | None = None

    @property
    def width(self) -> int:
        """Number of values that it takes among the features of a table."""
        if self.kind == "date":
            return 1 + 2 * len(self.categories)
        return len(self.categories) if self.kind == "category" else 1


def text_of(value: Any) -> str | None:
    """The text under which a value counts as a category: 3.0 and "3" are the same; None when missing."""
    if value is None:
        return None
    if isinstance(value, (float, np.floating)):
        if math.isnan(value):
            return None
        return str(int(value)) if value == int(value) else repr(float(value))
    text = str(value).strip()
    return None if text.lower() in MISSING else text


def texts_of(values: np.ndarray) -> np.ndarray:
    """Object array [n] of str or None."""
    values = np.asarray(values)
    texts = np.empty(len(values), dtype=object)
    known: dict[Any, str | None] = {}
    for i, value in enumerate(values.tolist()):
        if value not in known:
            known[value] = text_of(value)
        texts[i] = known[value]
    return texts


def numbers_of(values: Any, column: str) -> np.ndarray:
    """Float64 [n], NaN where missing. Raises DataError for a text that is no number, and for infinity."""
    values = np.asarray(values)
    if values.dtype.kind in "OUS":
        numbers = np.empty(len(values))
        for i, value in enumerate(values.tolist()):
            if value is None or (isinstance(value, str) and value.strip().lower() in MISSING):
                numbers[i] = np.nan
                continue
            try:
                numbers[i] = float(value)
            except (TypeError, ValueError) as error:
                raise DataError(
                    f"Column '{column}', row {i + 1}: '{value}' is no number. Correct it, or leave it empty."
                ) from error
    elif values.dtype.kind in "biuf":
        numbers = values.astype(np.float64)
    else:
        raise DataError(f"Column '{column}' holds {values.dtype}, but numbers are needed.")
    if np.isinf(numbers).any():
        row = int(np.flatnonzero(np.isinf(numbers))[0])
        raise DataError(f"Column '{column}', row {row + 1}: the value is infinite. Correct it, or leave it empty.")
    return numbers


def codes_of(texts: np.ndarray, categories: tuple[str, ...]) -> np.ndarray:
    """Int64 [n]: place of each text among the categories, -1 for unknown and missing."""
    places = {category: i for i, category in enumerate(categories)}
    return np.fromiter((places.get(text, -1) for text in texts), np.int64, len(texts))


def chunks(n: int, size: int) -> list[slice]:
    """Slices over n samples of `size` values that hold about CHUNK values each."""
    step = max(1, CHUNK // max(1, size))
    return [slice(start, start + step) for start in range(0, n, step)]


@dataclass(frozen=True, eq=False)
class FieldEncoding:
    """How one field of the signature is made from raw columns: (raw - offset) / scale.

    A field of table columns has offset, scale and fill [F] (one-hot places have 0, 1, 0); `fill` replaces missing
    numbers. A field of arrays F or T × F has them [F], one of pictures or larger arrays [] (one number for all values).
    """

    field: DataField
    columns: tuple[RawInput, ...]
    offset: np.ndarray
    scale: np.ndarray
    fill: np.ndarray

    def encode(self, raw: Mapping[str, Any], rows: np.ndarray | None = None) -> np.ndarray:
        """Float32 [n, ...] (int64 [n] for classes, [n, H, W] for those of pixels) of the given rows, or of all.

        Raises DataError when a column is missing or a value cannot be used.
        """
        for column in self.columns:
            if column.column not in raw:
                raise DataError(f"The column '{column.column}' is missing.")
        if self.columns[0].kind in ("image", "array", "mask"):
            return self._array(raw[self.columns[0].column], rows)
        if self.field.kind == "class":
            return self._classes(raw, rows)
        if self.columns[0].layout is not None:
            return encode_layout(self, raw[self.columns[0].column], rows)
        return self._table(raw, rows)

    def _classes(self, raw: Mapping[str, Any], rows: np.ndarray | None) -> np.ndarray:
        column = self.columns[0]
        texts = texts_of(_chosen(raw[column.column], rows))
        codes = codes_of(texts, column.categories)
        if (codes < 0).any():
            row = int(np.flatnonzero(codes < 0)[0])
            raise DataError(f"Column '{column.column}', row {row + 1}: the class '{texts[row]}' is not one of "
                            f"{', '.join(column.categories[:10])}.")
        return codes

    def _table(self, raw: Mapping[str, Any], rows: np.ndarray | None) -> np.ndarray:
        chosen = [_chosen(raw[column.column], rows) for column in self.columns]
        n = len(chosen[0])
        values = np.zeros((n, len(self.offset)))
        at = 0
        for column, given in zip(self.columns, chosen, strict=True):
            if len(given) != n:
                raise DataError(f"Column '{column.column}' has {len(given)} rows, '{self.columns[0].column}' has {n}.")
            if column.kind == "category":
                codes = codes_of(texts_of(given), column.categories)
                known = np.flatnonzero(codes >= 0)
                values[known, at + codes[known]] = 1.0
            elif column.kind == "date":
                days = days_of(given, column.column)
                parts = parts_of(np.where(np.isnan(days), self.fill[at], days), column.categories)
                values[:, at:at + column.width] = parts
            else:
                numbers = numbers_of(given, column.column)
                values[:, at] = np.where(np.isnan(numbers), self.fill[at], numbers)
            at += column.width
        values -= self.offset
        values /= self.scale
        with np.errstate(over="ignore"):
            encoded = values.astype(np.float32)
        if not np.isfinite(encoded).all():
            row, place = (int(i) for i in np.argwhere(~np.isfinite(encoded))[0])
            name = self.feature_names[place]
            raise DataError(f"Row {row + 1}: the value of '{name}' is too large to calculate with.")
        return encoded

    def _array(self, given: Any, rows: np.ndarray | None) -> np.ndarray:
        column = self.columns[0]
        given = given if hasattr(given, "dtype") else np.asarray(given)
        if given.dtype.kind not in "biuf":
            raise DataError(f"'{column.column}' holds {given.dtype}, but numbers are needed.")
        if given.shape[1:] != column.shape:
            needs, got = (" × ".join(map(str, shape)) or "one number" for shape in (column.shape, given.shape[1:]))
            raise DataError(f"'{column.column}' needs samples of {needs}, got {got}.")
        n = len(given) if rows is None else len(rows)
        encoded = np.empty((n, *column.shape), dtype=np.dtype(self.field.dtype))
        self.encode_array(RawReader(given), rows, encoded)
        return encoded

    def encode_array(self, read: RawReader, rows: np.ndarray | None, out: np.ndarray) -> None:
        """Fill `out` [n, ...] with the given rows (or all) of a picture, array or mask, a chunk at a time.

        Raises DataError for values that are no finite numbers or no class, and when a file is gone.
        """
        if self.columns[0].kind == "mask":
            fill_masks(self.columns[0], read, rows, out)
            return
        offset, factor = self.offset.astype(np.float32), (1.0 / self.scale).astype(np.float32)
        plain = offset.ndim == 0 and offset == 0
        for part in chunks(len(out), math.prod(self.columns[0].shape)):
            raw, encoded = read(part if rows is None else rows[part]), out[part]
            if plain and raw.dtype == np.uint8:  # the same bits as below, in one pass
                np.multiply(raw, factor, out=encoded)
            else:
                np.subtract(raw, offset, out=encoded, casting="unsafe")
                encoded *= factor
            if not np.isfinite(encoded).all():
                bad = ~np.isfinite(encoded).reshape(len(encoded), -1).all(axis=1)
                place = part.start + int(np.flatnonzero(bad)[0])
                row = place if rows is None else int(rows[place])
                raise DataError(
                    f"Sample {row + 1} of '{self.columns[0].column}' holds values that are no finite numbers.")

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Original units: class names for class numbers, texts for tokens, float32 [n, ...] for values."""
        if self.columns[0].kind == "text":
            return decode_texts(self.columns[0], encoded)
        if self.field.kind == "class":
            return np.array(self.field.classes, dtype=object)[np.asarray(encoded)]
        return (np.asarray(encoded, dtype=np.float64) * self.scale + self.offset).astype(np.float32)

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Name of each feature of a table, "column" or "column = category"."""
        names: list[str] = []
        for column in self.columns:
            if column.kind == "category":
                names += [f"{column.column} = {category}" for category in column.categories]
            elif column.kind == "date":
                names += [column.column, *(f"{column.column} in the {cycle} ({f})" for cycle in column.categories
                                           for f in ("sine", "cosine"))]
            else:
                names.append(column.column)
        return tuple(names)

    def to_json(self) -> dict[str, Any]:
        field = self.field
        return {
            "name": field.name, "role": field.role, "kind": field.kind, "classes": list(field.classes),
            "axes": field.shape.axes, "dims": list(field.shape.dims), "tokens": field.tokens,
            "columns": [{**asdict(c), "categories": list(c.categories), "shape": list(c.shape),
                         "layout": layout_json(c.layout)} for c in self.columns],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> FieldEncoding:
        tokens = int(value.get("tokens", 0))
        shape = Shape(str(value["axes"]), tuple(int(d) for d in value["dims"]), integer=tokens > 0)
        classes = tuple(str(c) for c in value["classes"])
        field = DataField(str(value["name"]), value["role"], shape, value["kind"], classes, tokens)
        columns = tuple(
            RawInput(
                str(c["column"]), c["kind"], tuple(str(t) for t in c["categories"]), tuple(int(d) for d in c["shape"]),
                float(c["low"]), float(c["high"]), str(c["unit"]), c["ground"], float(c["box"]), c.get("fit", "pad"),
                layout_from_json(c["kind"], c.get("layout")), SeriesForm.from_json(c.get("series")),
            )
            for c in value["columns"]
        )
        if field.role not in ("input", "target") or field.kind not in ("real", "class", "text") or not columns:
            raise ValueError(f"field '{field.name}' is declared wrongly")
        if any(c.kind not in get_args(ColumnKind) for c in columns):
            raise ValueError(f"a column of field '{field.name}' has an unknown kind")
        grounds, fits = ("", "dark", "bright"), ("crop", "pad", "stretch")
        if any(c.ground not in grounds or c.fit not in fits or not 0 < c.box <= 1 for c in columns):
            raise ValueError(f"a picture of field '{field.name}' has an unknown form")
        parts = (np.asarray(arrays[f"{field.name}/{name}"], dtype=np.float64) for name in ("offset", "scale", "fill"))
        encoding = cls(field, columns, *parts)
        encoding._check_sizes()
        return encoding

    def _check_sizes(self) -> None:
        """Raises ValueError unless columns, arrays and shape of a field from a file fit each other."""
        dims = self.field.shape.dims
        if self.columns[0].layout is not None:
            fits, wanted = check_layout(self), self.offset.shape
        elif self.field.kind == "class":
            column, pixels = self.columns[0], self.columns[0].kind == "mask"
            fits = dims == (*(column.shape if pixels else ()), len(self.field.classes))
            fits = fits and column.categories == self.field.classes and pixels == (len(dims) == 3)
            wanted: tuple[int, ...] = ()
        elif self.columns[0].kind in ("image", "array"):
            fits = len(self.columns) == 1 and self.columns[0].shape == dims
            wanted = self.offset.shape if self.offset.shape in ((), dims, dims[1:2]) else ()
        else:
            fits = all(c.kind in ("number", "category", "date") for c in self.columns)
            fits = fits and all(set(c.categories) <= CYCLES.keys() for c in self.columns if c.kind == "date")
            fits = fits and (sum(c.width for c in self.columns),) == dims
            wanted = dims
        if not fits or any(a.shape != wanted for a in (self.offset, self.scale, self.fill)):
            raise ValueError(f"sizes of field '{self.field.name}' do not fit each other")
        if not all(np.isfinite(a).all() for a in (self.offset, self.scale, self.fill)) or (self.scale == 0).any():
            raise ValueError(f"field '{self.field.name}' has a scale that cannot be used")


def _chosen(given: Any, rows: np.ndarray | None) -> np.ndarray:
    given = given if isinstance(given, np.ndarray) else np.asarray(given)
    if given.ndim != 1:
        raise DataError(f"A column of numbers or texts has one value for each row, got {given.ndim} dimensions.")
    return given if rows is None else given[rows]


@dataclass(frozen=True, eq=False)
class Preparation:
    """All fields of the prepared data: the fitted part of preparing, which belongs to the model."""

    fields: tuple[FieldEncoding, ...]

    @cached_property
    def signature(self) -> Signature:
        """What a network needs to know of the data."""
        return Signature(tuple(f.field for f in self.fields))

    @cached_property
    def inputs(self) -> tuple[RawInput, ...]:
        """Raw columns that a prediction needs."""
        return tuple(c for f in self.fields if f.field.role == "input" for c in f.columns)

    @cached_property
    def targets(self) -> tuple[RawInput, ...]:
        """Raw columns that are the truth."""
        return tuple(c for f in self.fields if f.field.role == "target" for c in f.columns)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names of the first target that has classes; empty when none has."""
        return next((f.field.classes for f in self.fields if f.field.role == "target" and f.field.kind == "class"), ())

    def field(self, name: str) -> FieldEncoding:
        """The encoding of a field. Raises KeyError."""
        for encoding in self.fields:
            if encoding.field.name == name:
                return encoding
        raise KeyError(name)

    def encode(
        self, raw: Mapping[str, Any], rows: np.ndarray | None = None, roles: tuple[str, ...] = ("input",)
    ) -> dict[str, np.ndarray]:
        """Fields of these roles from raw columns {column: array [n, ...]}: float32 [n, ...], int64 [n] for classes.

        Numbers may come as texts; unknown and missing categories become none of the known ones, missing numbers the
        mean of the training part. Raises DataError naming column and row when a value cannot be used.
        """
        encoded = {f.field.name: f.encode(raw, rows) for f in self.fields if f.field.role in roles}
        if len({len(a) for a in encoded.values()}) > 1:
            lengths = ", ".join(f"{len(a)} of '{name}'" for name, a in encoded.items())
            raise DataError(f"The inputs do not have the same number of samples: {lengths}.")
        return encoded

    def decode(self, field: str, encoded: np.ndarray) -> np.ndarray:
        """A field in original units (see FieldEncoding.decode)."""
        return self.field(field).decode(encoded)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the numbers are in `arrays`."""
        return {"fields": [f.to_json() for f in self.fields]}

    def arrays(self) -> dict[str, np.ndarray]:
        """Float64 arrays by "field/offset", "field/scale", "field/fill"."""
        return {f"{f.field.name}/{name}": getattr(f, name) for f in self.fields for name in ("offset", "scale", "fill")}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Preparation:
        """Read what `to_json` and `arrays` wrote; encodes to the same bits. Raises ValueError for anything else."""
        try:
            return cls(tuple(FieldEncoding.from_json(f, arrays) for f in value["fields"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"The preparation of the data cannot be read: {error}.") from error
