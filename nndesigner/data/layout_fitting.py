"""Fits the encodings of sounds and texts to the training part: mean and deviation, vocabulary and length."""

from __future__ import annotations

import numpy as np

from nndesigner.data.dataset import Column
from nndesigner.data.encoding import FieldEncoding, RawInput
from nndesigner.data.layouts import shape_of
from nndesigner.data.sound import represented
from nndesigner.data.text import MAX_AUTO_LENGTH, SPECIAL, chosen_length, fitted_tokenizer, text_of_sample
from nndesigner.spec import DataField, Shape


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


def fit_text_target(name: str, column: Column, rows: np.ndarray, train: np.ndarray, notes: list[str]) -> FieldEncoding:
    """The field of texts to be written: the vocabulary of the training part, room for the longest text of all `rows`.

    Raises DataError when the training part holds no text.
    """
    tokenizer = fitted_tokenizer(column.values[train].tolist(), column.layout)
    texts = column.values[rows].tolist()
    lengths = np.array([len(tokenizer.tokens(text_of_sample(text))) for text in texts])
    length = column.layout.length or min(MAX_AUTO_LENGTH, int(lengths.max()))
    vocabulary, known = tokenizer.vocabulary, set(tokenizer.vocabulary)
    longer = int((lengths > length).sum())
    strange = sum(not known.issuperset(tokenizer.tokens(text_of_sample(text))) for text in texts)
    if longer:
        notes.append(f"{longer:,} of {len(texts):,} texts of '{column.name}' are longer than {length} tokens and are "
                     "cut.")
    if strange:
        notes.append(f"{strange:,} of {len(texts):,} texts of '{column.name}' hold tokens that the training part does "
                     "not: no network can write them.")
    notes.append(f"'{column.name}': {len(vocabulary) - len(SPECIAL)} tokens to write, at most {length} in a text.")
    raw = RawInput(column.name, "text", vocabulary, (length,), layout=column.layout)
    field = DataField(name, "target", Shape("TF", (length, len(vocabulary))), "text", vocabulary)
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
