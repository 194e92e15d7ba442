"""What a card shows of one sample: its picture, or its values as people read them."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from nndesigner.data.dates import text_of_days
from nndesigner.data.preparing import Part, Prepared
from nndesigner.data.text import text_of_sample
from nndesigner.ui import numbers
from nndesigner.ui.views.sample_picture import picture_image
from nndesigner.ui.views.sound_picture import sound_image

#: lines on a card without a picture
LINES = 8


def picture_field(prepared: Prepared) -> str | None:
    """Name of the input that is a picture (H x W x C), if there is one."""
    return next((f.name for f in prepared.signature.inputs if f.shape.axes == "HWC"), None)


def picture_of(prepared: Prepared, part: Part, place: int) -> QImage | None:
    """The picture of a sample, of sounds their spectrogram or wave; None where the data have none."""
    field = picture_field(prepared)
    if field is not None:
        return picture_image(part.arrays[field][place])
    sound = next((c for c in prepared.dataset.columns if c.kind == "sound" and c.role == "input"), None)
    return None if sound is None else sound_image(sound.values[int(part.rows[place])], sound.layout)


def passage_of(prepared: Prepared, part: Part, place: int) -> str:
    """The text of a sample, empty where the data have none."""
    column = next((c for c in prepared.dataset.columns if c.kind == "text" and c.role == "input"), None)
    return "" if column is None else " ".join(text_of_sample(column.values[int(part.rows[place])]).split())


def lines_of(prepared: Prepared, part: Part, place: int) -> tuple[tuple[str, str], ...]:
    """(name, value with unit) of the first input columns of a sample."""
    row = int(part.rows[place])
    found = []
    for column in prepared.dataset.columns:
        if column.role == "input" and column.kind == "date":
            days = float(column.values[row])
            found.append((column.name, numbers.NONE if days != days else text_of_days(days)))
        elif column.role == "input" and column.kind in ("number", "category"):
            found.append((column.name, value_text(column.values[row], column.unit)))
        if len(found) == LINES:
            break
    return tuple(found)


def written(text: str | None) -> str:
    """A text that a network wrote; words where there is none."""
    return "no finite number" if text is None else text or "(nothing)"


def value_text(value: object, unit: str = "") -> str:
    """A raw value with its unit; a dash where it is missing."""
    if value is None:
        return numbers.NONE
    if isinstance(value, (float, int, np.floating, np.integer)):
        text = numbers.NONE if value != value else f"{value:.4g}"
        return f"{text}{numbers.GAP}{unit}" if unit and text != numbers.NONE else text
    return str(value)
