"""Colours of classes must differ for eyes that see fewer colours, and stand out from the panel."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from nndesigner.ui import theme
from nndesigner.ui.views.class_colours import SHAPES, class_colours, marker

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB
_EYES = {
    "normal": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def _lab(colour: str, eye: np.ndarray) -> np.ndarray:
    rgb = np.array([int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = _TO_XYZ @ np.clip(eye @ linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", _EYES)
@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT], ids=lambda look: look.name)
def test_the_first_eight_classes_differ_for_every_eye(look, eye, monkeypatch):
    monkeypatch.setattr(theme, "_current", look)
    colours = class_colours(8)
    distances = {(a, b): float(np.linalg.norm(_lab(a, _EYES[eye]) - _lab(b, _EYES[eye])))
                 for a, b in combinations(colours, 2)}
    closest = min(distances, key=distances.get)
    assert distances[closest] > 18, f"{closest} are {distances[closest]:.1f} apart"


@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT], ids=lambda look: look.name)
def test_class_colours_stand_out_from_the_panel(look, monkeypatch):
    monkeypatch.setattr(theme, "_current", look)
    weakest = min(class_colours(10), key=lambda c: theme.contrast(c, look.panel))
    assert theme.contrast(weakest, look.panel) > 2.2, weakest


def test_ten_shapes_are_all_different():
    outlines = set()
    for i in range(len(SHAPES)):
        path = marker(i)
        outlines.add(tuple(round(path.elementAt(k).x, 3) for k in range(path.elementCount())))
        box = path.boundingRect()
        assert 0.8 < max(box.width(), box.height()) < 1.4
    assert len(outlines) == 10
