"""Icons of the program: glyphs of the Material Design set that the qtawesome package ships.

The font file is read directly. Importing qtawesome itself costs 120 ms of the start (it brings qtpy and eleven other
fonts;
measured), and its icons are made for one fixed size.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontDatabase, QIcon, QPainter, QPixmap

from nndesigner.ui import theme

#: shown for a name that the set does not have, so that a wrong name is seen and breaks nothing
UNKNOWN = "help-circle-outline"
#: pixel ratios for which an icon keeps a sharp picture
RATIOS = (1.0, 1.5, 2.0)


@cache
def _set() -> tuple[QFont, dict[str, str]]:
    """The icon font and its names."""
    spec = importlib.util.find_spec("qtawesome")
    folder = Path(spec.origin).parent / "fonts"
    font_file = sorted(folder.glob("materialdesignicons6-webfont*.ttf"))[-1]
    names_file = sorted(folder.glob("materialdesignicons6-webfont-charmap*.json"))[-1]
    family = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(font_file)))[0]
    names = json.loads(names_file.read_text(encoding="utf-8"))
    return QFont(family), {name: chr(int(code, 16)) for name, code in names.items()}


def known(name: str) -> bool:
    """Whether the set has this icon ("mdi6.layers" or "layers")."""
    return name.removeprefix("mdi6.") in _set()[1]


@cache
def pixmap(name: str, colour: str, size: int = 16, ratio: float = 1.0) -> QPixmap:
    """One glyph in a square of `size` logical pixels at a device pixel ratio. Shared: do not paint on it."""
    found = QPixmap(round(size * ratio), round(size * ratio))
    found.setDevicePixelRatio(ratio)
    found.fill(Qt.GlobalColor.transparent)
    painter = QPainter(found)
    paint(painter, QRectF(0, 0, size, size), name, colour)
    painter.end()
    return found


def paint(painter: QPainter, rect: QRectF, name: str, colour: str) -> None:
    """Draw one glyph into a rectangle."""
    base, names = _set()
    font = QFont(base)
    font.setPixelSize(max(1, round(min(rect.width(), rect.height()))))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    painter.setPen(theme.colour(colour))
    glyph = names.get(name.removeprefix("mdi6."), names[UNKNOWN])
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip, glyph)


@cache
def icon(name: str, colour: str, size: int = 16, disabled: str = "") -> QIcon:
    """A QIcon of one glyph, sharp at 100, 150 and 200 %. `disabled` colours it where the control is off."""
    found = QIcon()
    for ratio in RATIOS:
        found.addPixmap(pixmap(name, colour, size, ratio))
        if disabled:
            found.addPixmap(pixmap(name, disabled, size, ratio), QIcon.Mode.Disabled)
    return found


def size(pixels: int) -> QSize:
    """A square QSize, for setIconSize."""
    return QSize(pixels, pixels)


@cache
def tile(name: str, colour: str, size: int = 20, glyph: int = 14) -> QIcon:
    """An icon on a rounded square of its own colour at 13 %, as palette and nodes show layers."""
    found = QIcon()
    for ratio in RATIOS:
        picture = QPixmap(round(size * ratio), round(size * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        paint_tile(painter, QRectF(0, 0, size, size), name, colour, glyph)
        painter.end()
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            found.addPixmap(picture, mode)
    return found


def paint_tile(painter: QPainter, rect: QRectF, name: str, colour: str, glyph: float = 14) -> None:
    """Draw a layer's icon on its tinted square."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(colour, 0.13))
    painter.drawRoundedRect(rect, rect.width() / 5, rect.height() / 5)
    inner = QRectF(0, 0, glyph, glyph)
    inner.moveCenter(rect.center())
    paint(painter, inner, name, colour)
