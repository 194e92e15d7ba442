"""Fits the encodings of sounds and texts to the training part: mean and deviation, vocabulary and length."""

from __future__ import annotations

import numpy as np

from nndesigner.data.dataset import Column
from nndesigner.data.encoding import FieldEncoding, RawInput
from nndesigner.data.layouts import shape_of
from nndesigner.data.sound import represented
from nndesigner.data.text import chosen_length, fitted_tokenizer, text_of_sample
from nndesigner.spec import DataField


def fit_layout(name: str, column: Column, train: np.ndarray, scaling: str, notes: list[str]) -> FieldEncoding:
    """The field of one column of sounds or texts. Raises DataError when nothing can be learned from it."""
    if column.kind == "text":
        return _fit_text(name, column, train, notes)
    return _fit_sound(name, column, train, scaling)


def _fit_text(name: str, column: Column, train: np.ndarray, notes: list[str]) -> FieldEncoding:
    texts = column.values[train].tolist()
    tokenizer = fitted_tokenizer(texts, column.layout)
    length = chosen_length(tokenizer, texts)
    empty = sum(not text_of_sample(text).strip() for text in column.values.tolist())
    if empty:
        notes.append(f"{empty:,} text{'s are' if empty > 1 else ' is'} empty and only padding to the network.")
    lengths = np.array([len(tokenizer.tokens(text_of_sample(text))) for text in texts])
    longer = int((lengths > length).sum())
    if longer:
        notes.append(f"{longer:,} of {len(texts):,} training texts are longer than {length} tokens and are cut.")
    notes.append(
        f"'{column.name}': {len(tokenizer.vocabulary):,} tokens from the training part, {length} in each text.")
    raw = RawInput(column.name, "text", tokenizer.vocabulary, (length,), layout=column.layout)
    field = DataField(name, "input", shape_of("text", column.layout, length), tokens=len(tokenizer.vocabulary))
    nothing = np.zeros(())
    return FieldEncoding(field, (raw,), nothing, np.ones(()), nothing)


def _fit_sound(name: str, column: Column, train: np.ndarray, scaling: str) -> FieldEncoding:
    """Mean and deviation of all values, of MFCC of each coefficient: the first is much larger than the others."""
    form = column.layout
    axes = 0 if form.representation == "mfcc" else None
    total, squares, low, high, n = 0.0, 0.0, np.inf, -np.inf, 0
    for row in train:
        values = represented(column.values[row], form)
        total, squares = total + values.sum(axis=axes), squares + np.square(values).sum(axis=axes)
        low, high = np.minimum(low, values.min(axis=axes)), np.maximum(high, values.max(axis=axes))
        n += values.size if axes is None else len(values)
    mean = total / n
    deviation = np.sqrt(np.maximum(squares / n - np.square(mean), 0.0))
    if scaling == "none":
        mean, deviation = np.zeros_like(mean), np.ones_like(deviation)
    elif scaling == "range":
        mean, deviation = low, high - low
    deviation = np.where(deviation > 0, deviation, 1.0)
    raw = RawInput(column.name, "sound", (), (form.length,), float(np.min(low)), float(np.max(high)), layout=form)
    field = DataField(name, "input", shape_of("sound", form, 0))
    return FieldEncoding(field, (raw,), np.asarray(mean), np.asarray(deviation), np.zeros_like(deviation))
