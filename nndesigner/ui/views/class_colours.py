"""Colours and marker shapes of classes. Shape and colour change together: each alone tells classes apart.

The first eight colours differ also for eyes with deuteranopia, protanopia and tritanopia (a test measures it); they
start from the palette of Okabe and Ito (2008) and were moved by a search for the largest distance on the panels of
each theme.
"""

from __future__ import annotations

import math
from functools import cache

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath, QPolygonF

from nndesigner.ui import theme

_DARK = ("#5B9DFF", "#FFA94D", "#00D286", "#C49DD5", "#FFFB98", "#E0361E", "#C8F3F8", "#A055AC", "#A9B0BC", "#8FA85A")
_LIGHT = ("#2B6FDB", "#D98A00", "#258E50", "#994BA7", "#9D660F", "#89081B", "#44B9B5", "#78607F", "#6B7280", "#5C7A1F")

SHAPES = ("circle", "square", "triangle", "diamond", "cross", "pentagon", "plus", "star", "triangle down", "hexagon")


def class_colour(index: int) -> str:
    """Colour of class `index` in the theme in force; they repeat after ten."""
    colours = _DARK if theme.current().dark else _LIGHT
    return colours[index % len(colours)]


def class_colours(count: int) -> list[str]:
    return [class_colour(i) for i in range(count)]


@cache
def marker(index: int) -> QPainterPath:
    """Marker of class `index`, centred on 0,0 and about one unit wide. Shared: do not change it."""
    path = QPainterPath()
    match SHAPES[index % len(SHAPES)]:
        case "circle":
            path.addEllipse(QPointF(0, 0), 0.5, 0.5)
        case "square":
            path.addRect(QRectF(-0.44, -0.44, 0.88, 0.88))
        case "triangle":
            path.addPolygon(_regular(3, -90, 0.62))
        case "diamond":
            path.addPolygon(_regular(4, 0, 0.62))
        case "cross":
            path.addPolygon(_rotated(_plus(), 45))
        case "pentagon":
            path.addPolygon(_regular(5, -90, 0.56))
        case "plus":
            path.addPolygon(_rotated(_plus(), 0))
        case "star":
            outer, inner = _points(5, -90, 0.66), _points(5, -54, 0.28)
            path.addPolygon(QPolygonF([p for pair in zip(outer, inner) for p in pair]))
        case "triangle down":
            path.addPolygon(_regular(3, 90, 0.62))
        case "hexagon":
            path.addPolygon(_regular(6, 0, 0.54))
    path.closeSubpath()
    return path


def _points(count: int, first: float, radius: float) -> list[QPointF]:
    angles = (math.radians(first + 360 * i / count) for i in range(count))
    return [QPointF(radius * math.cos(a), radius * math.sin(a)) for a in angles]


def _regular(count: int, first: float, radius: float) -> QPolygonF:
    return QPolygonF(_points(count, first, radius))


def _plus() -> list[tuple[float, float]]:
    a, b = 0.2, 0.56
    return [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]


def _rotated(points: list[tuple[float, float]], degrees: float) -> QPolygonF:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return QPolygonF([QPointF(c * x - s * y, s * x + c * y) for x, y in points])
