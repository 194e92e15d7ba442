"""Columns whose raw values need more than a scale: sounds and texts. Encoding, files and checks of their forms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nndesigner.data.dataset import DataError
from nndesigner.data.sound import SoundForm, represented
from nndesigner.data.text import SPECIAL, TextForm, Tokenizer
from nndesigner.spec import Shape

if TYPE_CHECKING:
    from nndesigner.data.encoding import FieldEncoding, RawInput

Layout = SoundForm | TextForm
KINDS = {"sound": SoundForm, "text": TextForm}


@lru_cache(maxsize=32)
def tokenizer_of(column: RawInput) -> Tokenizer:
    """The tokenizer of a text column; its vocabulary are the column's categories."""
    return Tokenizer(column.layout, column.categories)


def encode_layout(encoding: FieldEncoding, given: Any, rows: np.ndarray | None) -> np.ndarray:
    """Float32 [n, ...] of sounds, int64 [n, length] of texts. Raises DataError for values that cannot be used.

    Every sample is computed by itself: a prediction for one gives the bits that training saw.
    """
    column = encoding.columns[0]
    given = np.asarray(given)
    if column.kind == "text":
        if given.ndim != 1:
            raise DataError(f"'{column.column}' needs one text for each sample.")
        return tokenizer_of(column).encode((given if rows is None else given[rows]).tolist(), column.shape[0])
    if given.dtype.kind not in "iuf" or given.shape[1:] != column.shape:
        raise DataError(f"'{column.column}' needs sounds of {column.shape[0]:,} samples at {column.layout.rate:,} Hz.")
    chosen = range(len(given)) if rows is None else rows
    encoded = np.empty((len(chosen), *encoding.field.shape.dims), dtype=np.float32)
    for place, row in enumerate(chosen):
        encoded[place] = (represented(given[row], column.layout) - encoding.offset) / encoding.scale
    if not np.isfinite(encoded).all():
        row = int(np.flatnonzero(~np.isfinite(encoded).reshape(len(encoded), -1).all(axis=1))[0])
        raise DataError(f"Sample {row + 1} of '{column.column}' holds values that are no finite numbers.")
    return encoded


def decode_texts(column: RawInput, encoded: np.ndarray) -> np.ndarray:
    """Texts [n] of token numbers [n, length], as the network sees them."""
    tokenizer = tokenizer_of(column)
    texts = np.empty(len(encoded), dtype=object)
    texts[:] = [tokenizer.decode(row) for row in np.asarray(encoded)]
    return texts


def layout_json(layout: Layout | None) -> dict[str, Any] | None:
    return None if layout is None else layout.to_json()


def layout_from_json(kind: str, value: Mapping[str, Any] | None) -> Layout | None:
    """Raises KeyError, TypeError and ValueError for anything that `layout_json` did not write."""
    if kind not in KINDS:
        return None
    return KINDS[kind].from_json(value)


def shape_of(kind: str, layout: Layout, length: int) -> Shape:
    """The shape in which the network meets a sound, or a text of so many tokens."""
    return Shape("T", (length,), integer=True) if kind == "text" else Shape(layout.axes, layout.shape)


def check_layout(encoding: FieldEncoding) -> bool:
    """Whether column, arrays and field of a file fit each other."""
    column, field = encoding.columns[0], encoding.field
    shapes = {a.shape for a in (encoding.offset, encoding.scale, encoding.fill)}
    if len(encoding.columns) != 1 or len(column.shape) != 1:
        return False
    if field.kind == "text":
        fits = field.role == "target" and column.kind == "text" and field.classes == column.categories
        fits = fits and column.categories[:2] == SPECIAL and shapes == {()}
        return fits and field.shape == Shape("TF", (column.shape[0], len(column.categories)))
    if field.role != "input" or field.kind != "real":
        return False
    if column.kind == "text":
        known = column.categories[:2] == SPECIAL and field.tokens == len(column.categories)
        return known and field.shape == shape_of("text", column.layout, column.shape[0]) and shapes == {()}
    wanted = {(), (column.layout.coefficients,)} if column.layout.representation == "mfcc" else {()}
    fits = column.shape == (column.layout.length,) and field.shape == shape_of("sound", column.layout, 0)
    return fits and len(shapes) == 1 and shapes <= wanted
