"""What a card shows of one sample: its picture, or its values as people read them."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from nndesigner.data.preparing import Part, Prepared
from nndesigner.ui import numbers
from nndesigner.ui.views.sample_picture import picture_image

#: lines on a card without a picture
LINES = 8


def picture_field(prepared: Prepared) -> str | None:
    """Name of the input that is a picture (H x W x C), if there is one."""
    return next((f.name for f in prepared.signature.inputs if f.shape.axes == "HWC"), None)


def picture_of(prepared: Prepared, part: Part, place: int) -> QImage | None:
    """The picture of a sample, None where the data have none."""
    field = picture_field(prepared)
    return None if field is None else picture_image(part.arrays[field][place])


def lines_of(prepared: Prepared, part: Part, place: int) -> tuple[tuple[str, str], ...]:
    """(name, value with unit) of the first input columns of a sample."""
    row = int(part.rows[place])
    found = []
    for column in prepared.dataset.columns:
        if column.role == "input" and column.kind in ("number", "category"):
            found.append((column.name, value_text(column.values[row], column.unit)))
            if len(found) == LINES:
                break
    return tuple(found)


def value_text(value: object, unit: str = "") -> str:
    """A raw value with its unit; a dash where it is missing."""
    if value is None:
        return numbers.NONE
    if isinstance(value, (float, int, np.floating, np.integer)):
        text = numbers.NONE if value != value else f"{value:.4g}"
        return f"{text}{numbers.GAP}{unit}" if unit and text != numbers.NONE else text
    return str(value)
