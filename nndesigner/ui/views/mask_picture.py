"""Classes of pixels as colours over their picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtGui import QColor, QImage

from nndesigner.ui.views.class_colours import class_colours
from nndesigner.ui.views.legend import Entry

#: how much of the colour of a class is laid over the picture
STRENGTH = 0.6
#: names of a first class that is what lies around things, whose pixels keep the colours of the picture
GROUNDS = frozenset({"background", "ground", "0", "void", "none", "#000000", "unlabelled"})


def has_ground(classes: Sequence[str]) -> bool:
    """Whether the first class is what lies around things."""
    return bool(classes) and classes[0].strip().lower() in GROUNDS


def mask_image(picture: np.ndarray | None, mask: np.ndarray, classes: Sequence[str]) -> QImage:
    """Colours of the classes [H, W] over a picture [H, W, C] of values around 0 to 1, or on grey without one.

    Pixels without an answer (-1) are black.
    """
    height, width = mask.shape
    if picture is None or picture.shape[:2] != mask.shape:
        below = np.full((height, width, 3), 128.0)
    else:
        values = np.nan_to_num(picture[..., :3] if picture.shape[-1] >= 3 else picture[..., :1]).astype(np.float64)
        low, high = min(0.0, float(values.min())), max(1.0, float(values.max()))
        below = np.broadcast_to(255 * (values - low) / (high - low), (height, width, 3))
    colours = np.array([QColor(c).getRgb()[:3] for c in class_colours(max(1, len(classes)))], dtype=np.float64)
    strength = np.full((height, width, 1), STRENGTH)
    if has_ground(classes):
        strength[mask == 0] = 0.0
    shown = below * (1 - strength) + colours[np.maximum(mask, 0)] * strength
    shown[mask < 0] = 0.0
    pixels = np.ascontiguousarray(np.round(shown).astype(np.uint8))
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def class_entries(classes: Sequence[str], most: int = 12) -> tuple[Entry, ...]:
    """The legend of the classes that have a colour."""
    first = 1 if has_ground(classes) else 0
    return tuple(Entry(name, shape=i) for i, name in enumerate(classes[:most]) if i >= first)
