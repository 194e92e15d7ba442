"""Sounds as pictures: their spectrogram where the network sees one, else the wave."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor, QImage

from nndesigner.data.sound import SoundForm, represented
from nndesigner.ui import theme
from nndesigner.ui.views.sample_picture import picture_image

#: pixels of the picture of a wave
WIDTH, HEIGHT = 160, 96


def sound_image(wave: np.ndarray, form: SoundForm) -> QImage:
    """The picture of a wave [n] that the network sees, or its wave for the forms that are no picture."""
    if form.axes == "HWC":
        return picture_image(represented(wave, form))
    return wave_image(wave)


def wave_image(wave: np.ndarray) -> QImage:
    """The reach of a wave [n] in each stretch of time, as loud as fits, in the colours of the theme in force."""
    edges = np.linspace(0, len(wave), WIDTH + 1).astype(int)[:-1]
    high, low = np.maximum.reduceat(wave, edges), np.minimum.reduceat(wave, edges)
    reach = max(float(np.abs(wave).max()), 1e-6)
    rows = np.arange(HEIGHT)[:, None]
    middle = (HEIGHT - 1) / 2
    top, bottom = middle - high / reach * (middle - 3), middle - low / reach * (middle - 3)
    inked = (rows >= np.floor(top)) & (rows <= np.ceil(bottom))
    tokens = theme.current()
    ground, ink = (QColor(theme.colour(c)).rgb() for c in (tokens.canvas, tokens.accent))
    pixels = np.where(inked, np.uint32(ink), np.uint32(ground)).astype(np.uint32)
    return QImage(np.ascontiguousarray(pixels).data, WIDTH, HEIGHT, 4 * WIDTH, QImage.Format.Format_RGB32).copy()
