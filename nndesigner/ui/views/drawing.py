"""From ink on a drawing pad to a picture like those that the network was trained on. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from nndesigner.data.encoding import RawInput

#: training pictures that are looked at
MOST = 300
#: pictures are put together at this many times their size, then averaged down
FINE = 8
#: ink from here on counts as drawn
INK = 0.3


@dataclass(frozen=True)
class Placement:
    """Where the figure is in the training pictures: usual height, largest width and centre as shares of the picture.

    `light_ground`: dark figures on a light ground. `plain`: figures on a plain ground, so that placing makes sense.
    """

    height: float = 0.8
    width: float = 0.9
    centre_x: float = 0.5
    centre_y: float = 0.5
    light_ground: bool = False
    plain: bool = False


def placement_of(pictures: np.ndarray, low: float, high: float) -> Placement:
    """How figures lie in pictures [n, H, W, C], black `low` and white `high`."""
    grey = (pictures[:MOST].astype(np.float32).mean(axis=3) - low) / ((high - low) or 1.0)
    n, height, width = grey.shape
    if n == 0:
        return Placement()
    edges = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    light = bool(np.median(edges) > 0.5)
    ink = (1 - grey if light else grey) > INK
    rows, columns = ink.any(axis=2), ink.any(axis=1)
    drawn = rows.any(axis=1)
    plain = bool(drawn.any()) and float(ink.mean()) < 0.6
    if not plain:
        return Placement(light_ground=light)
    top, bottom = _ends(rows[drawn])
    left, right = _ends(columns[drawn])
    return Placement(
        float(np.median(bottom - top)) / height, float(np.quantile(right - left, 0.95)) / width,
        float(np.median(left + right)) / 2 / width, float(np.median(top + bottom)) / 2 / height, light, True)


def _ends(filled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First place and one after the last of True in each row of [n, k]."""
    return filled.argmax(axis=1), filled.shape[1] - filled[:, ::-1].argmax(axis=1)


def network_picture(ink: np.ndarray, column: RawInput, placement: Placement, fit: bool) -> np.ndarray:
    """Raw values float32 [1, H, W, C] of ink [S, S] from 0 to 1.

    With `fit` the figure gets the size and place that figures have in the training pictures, with its proportions kept.
    """
    height, width, channels = column.shape
    sheet = Image.fromarray(np.clip(ink * 255 + 0.5, 0, 255).astype(np.uint8))
    rows, columns = np.flatnonzero((ink > 0.1).any(axis=1)), np.flatnonzero((ink > 0.1).any(axis=0))
    if fit and len(rows):
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        tall, wide = box[3] - box[1], box[2] - box[0]
        scale = min(placement.height * height / tall, placement.width * width / wide) * FINE
        size = max(1, round(wide * scale)), max(1, round(tall * scale))
        fine = Image.new("L", (width * FINE, height * FINE))
        fine.paste(sheet.resize(size, Image.Resampling.BOX, box),
                   (round(placement.centre_x * width * FINE - size[0] / 2),
                    round(placement.centre_y * height * FINE - size[1] / 2)))
        sheet = fine
    values = np.asarray(sheet.resize((width, height), Image.Resampling.BOX), dtype=np.float32) / 255
    if placement.light_ground:
        values = 1 - values
    raw = column.low + values * np.float32(column.high - column.low)
    return np.repeat(raw[None, :, :, None], channels, axis=3).astype(np.float32)
