"""Turns what a probe found about a node into the small picture on its body. Knows no session and no item."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen, QPixmap

from nndesigner.ui import numbers, theme

if TYPE_CHECKING:
    from nndesigner.insight.probe import NodePicture

#: gap between two tiles, in scene units
_GAP = 4.0
#: most tiles of a picture: more would be too small to be read
MOST_TILES = 8
#: most bars; more values are drawn in groups by their strongest
MOST_BARS = 46


@dataclass(frozen=True, eq=False)
class Curves:
    """Answers of a node's units along the only input, [units, points]."""

    kind: ClassVar[str] = "curves"
    data: np.ndarray


def render(
    picture: NodePicture | Curves, width: float, height: float, scale: float, group: str, right: bool | None = None
) -> QPixmap:
    """The picture in `width` x `height` scene units, at `scale` pixels each, in the colours of the theme in force.

    `right` says whether an answer is the true one, where that is known.
    """
    pixmap = QPixmap(max(1, round(width * scale)), max(1, round(height * scale)))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.scale(pixmap.width() / width, pixmap.height() / height)
    area = QRectF(0, 0, width, height)
    if picture.kind == "class":
        _paint_class(painter, area, picture.label, picture.probability, right)
    elif picture.kind == "text":
        painter.setFont(theme.font(theme.CAPTION))
        painter.setPen(theme.colour(theme.current().text))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(area.adjusted(4, 2, -4, -2), int(flags), picture.label)
    elif picture.kind == "bars":
        _paint_bars(painter, area, np.ravel(picture.data), theme.group_colour(group))
    elif picture.kind == "curves":
        _paint_curves(painter, area, picture.data[:MOST_TILES], theme.group_colour(group))
    elif picture.kind == "maps":
        _paint_tiles(painter, area.adjusted(1, 0, -1, 0), [signed_image(tile) for tile in picture.data[:MOST_TILES]])
    else:
        _paint_tiles(painter, area.adjusted(1, 0, -1, 0), [grey_image(tile) for tile in picture.data[:MOST_TILES]])
    painter.end()
    return pixmap


def grey_image(values: np.ndarray) -> QImage:
    """A grey picture of values [h, w]. Values outside 0..1 are brought there by their own range."""
    values = np.nan_to_num(np.asarray(values, dtype=np.float32))
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    if low < 0 or high > 1:
        values = (values - low) / max(high - low, 1e-12)
    elif 0 < high < 0.35:
        values = values / high
    grey = np.ascontiguousarray(np.round(values * 255).astype(np.uint8))
    return QImage(grey.data, grey.shape[1], grey.shape[0], grey.shape[1], QImage.Format.Format_Grayscale8).copy()


def signed_image(values: np.ndarray) -> QImage:
    """A picture of signed values [h, w]: orange positive, blue negative, the panel's colour at zero."""
    values = np.nan_to_num(np.asarray(values, dtype=np.float32))
    reach = max(float(np.abs(values).max(initial=0.0)), 1e-12)
    table = _signed_table(theme.current().name)
    steps = np.round((values / reach + 1) * 127.5).astype(np.uint8)
    pixels = np.ascontiguousarray(table[steps])
    return QImage(pixels.data, values.shape[1], values.shape[0], values.shape[1] * 4, QImage.Format.Format_RGB32).copy()


@cache
def _signed_table(theme_name: str) -> np.ndarray:
    """256 colours from the strongest negative to the strongest positive, as uint32 0xffRRGGBB."""
    tokens = theme.THEMES[theme_name]
    shades = []
    for step in range(256):
        value = step / 127.5 - 1
        shades.append(theme.mixed(tokens.positive if value > 0 else tokens.negative, tokens.panel, abs(value)))
    return np.array([0xFF000000 | int(shade[1:], 16) for shade in shades], dtype=np.uint32)


def _tiles(area: QRectF, count: int, aspect: float) -> list[QRectF]:
    """Rows of equal tiles of a width by height of `aspect`, as large as the area allows, in its middle."""

    def height(rows: int) -> float:
        columns = math.ceil(count / rows)
        high = (area.height() - 2 - (rows - 1) * _GAP) / rows
        return min(high, (area.width() - (columns - 1) * _GAP) / columns / aspect)

    rows = max(range(1, min(3, count) + 1), key=height)
    columns = math.ceil(count / rows)
    high = min(height(rows), 56.0)
    wide = high * aspect
    left = area.center().x() - (columns * wide + (columns - 1) * _GAP) / 2
    top = area.center().y() - (rows * high + (rows - 1) * _GAP) / 2
    return [
        QRectF(left + (n % columns) * (wide + _GAP), top + n // columns * (high + _GAP), wide, high)
        for n in range(count)
    ]


def _paint_tiles(painter: QPainter, area: QRectF, images: list[QImage]) -> None:
    if not images:
        return
    boxes = _tiles(area, len(images), images[0].width() / max(images[0].height(), 1))
    # few pixels stay squares, many are smoothed
    scale = painter.worldTransform().m11()
    many = images[0].width() >= 16 or images[0].width() > boxes[0].width() * scale
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, many)
    for box, image in zip(boxes, images):
        painter.drawImage(box, image)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.colour(theme.current().line), 1))
    painter.drawRects(boxes)


def _paint_curves(painter: QPainter, area: QRectF, curves: np.ndarray, colour: str) -> None:
    """One small chart a unit, all on one scale, with the zero line."""
    curves = np.nan_to_num(np.atleast_2d(curves).astype(np.float32))
    high, low = max(float(curves.max(initial=0.0)), 0.0), min(float(curves.min(initial=0.0)), 0.0)
    span = max(high - low, 1e-12)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    boxes = _tiles(area.adjusted(0, 2, 0, -2), len(curves), 2.3 if len(curves) == 1 else 1.0)
    for box, curve in zip(boxes, curves):
        painter.setPen(QPen(theme.colour(theme.current().line), 1))
        zero = box.top() + 2 + (box.height() - 4) * high / span
        painter.drawRect(box)
        painter.drawLine(QPointF(box.left(), zero), QPointF(box.right(), zero))
        xs = np.linspace(box.left() + 2, box.right() - 2, len(curve))
        ys = zero - curve / span * (box.height() - 4)
        painter.setPen(QPen(theme.colour(colour), 1.4))
        painter.drawPolyline([QPointF(x, y) for x, y in zip(xs, ys)])


def _paint_bars(painter: QPainter, area: QRectF, values: np.ndarray, colour: str) -> None:
    """One bar a value, from the zero line up or down."""
    values = np.nan_to_num(values.astype(np.float32))
    if not len(values):
        return
    if len(values) > MOST_BARS:
        edges = np.linspace(0, len(values), MOST_BARS + 1).astype(int)[:-1]
        high, low = np.maximum.reduceat(values, edges), np.minimum.reduceat(values, edges)
        values = np.where(high >= -low, high, low)
    top, bottom = max(float(values.max()), 0.0), min(float(values.min()), 0.0)
    span = max(top - bottom, 1e-12)
    box = area.adjusted(3, 8, -3, -8)
    zero = box.top() + box.height() * top / span
    slot = box.width() / len(values)
    wide = max(slot * 0.74, slot - 3)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    full, below = theme.colour(colour), theme.colour(colour, 0.55)
    for number, value in enumerate(values):
        high = max(abs(float(value)) / span * box.height(), 1.2)
        left = box.left() + number * slot + (slot - wide) / 2
        painter.setBrush(full if value >= 0 else below)
        painter.drawRoundedRect(
            QRectF(left, zero - high if value >= 0 else zero, wide, high), min(wide / 4, 1.5), min(wide / 4, 1.5)
        )


def _paint_class(painter: QPainter, area: QRectF, label: str, probability: float | None, right: bool | None) -> None:
    """The class in large letters and its probability beside it, under it where the name is long."""
    tokens = theme.current()
    share = "" if probability is None else numbers.percent(probability)
    small = theme.font(15, 500)
    share_width = QFontMetricsF(small).horizontalAdvance(share)
    colour = theme.colour(tokens.muted if right is None else tokens.right_text if right else tokens.wrong_text)
    for pixels in (30, 24, 19):
        large = theme.font(pixels, 600)
        width = QFontMetricsF(large).horizontalAdvance(label)
        if width + share_width + 10 <= area.width():
            left = area.center().x() - (width + share_width + (10 if share else 0)) / 2
            baseline = area.center().y() + pixels * 0.36
            painter.setFont(large)
            painter.setPen(theme.colour(tokens.text))
            painter.drawText(QPointF(left, baseline), label)
            painter.setFont(small)
            painter.setPen(colour)
            painter.drawText(QPointF(left + width + 10, baseline), share)
            return
    large = theme.font(17, 600)
    painter.setFont(large)
    painter.setPen(theme.colour(tokens.text))
    painter.drawText(
        area.adjusted(0, 4, 0, -area.height() / 2 + 2),
        Qt.AlignmentFlag.AlignCenter,
        QFontMetricsF(large).elidedText(label, Qt.TextElideMode.ElideMiddle, area.width()),
    )
    painter.setFont(small)
    painter.setPen(colour)
    painter.drawText(area.adjusted(0, area.height() / 2, 0, -4), Qt.AlignmentFlag.AlignCenter, share)
