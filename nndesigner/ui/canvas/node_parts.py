"""The parts that nodes are painted from: ports, marks, frames and the shadow, made once for each theme."""

from __future__ import annotations

import math
from functools import cache, lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap

from nndesigner.ui import icons, theme
from nndesigner.ui.canvas.face import Face
from nndesigner.ui.canvas.geometry import CORNER, NODE_H, NODE_W, PORT, node_rect

#: room around the body for ports, frame and shadow
MARGIN = 14.0
BODY = node_rect(0, 0)
#: corner radius of a node seen from far away
FAR_CORNER = CORNER * 1.6
#: below these zooms there is no room for its title, and for its icon
_TITLED, _WORDLESS = 0.3, 0.12
BOUNDS = BODY.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)


def elided(text: str, font: QFont, width: float) -> str:
    """The text, with its middle left out where it is too long."""
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideMiddle, max(width, 0.0))


def is_elided(face: Face) -> bool:
    """Whether the node cannot show all its words, so that a tooltip must."""
    room = NODE_W - 46
    title = QFontMetricsF(theme.font(13, 600)).horizontalAdvance(face.title)
    summary = QFontMetricsF(theme.font(11)).horizontalAdvance(face.summary) + 6 if face.summary else 0.0
    shape = QFontMetricsF(theme.font(11)).horizontalAdvance(face.shape + face.parameters) + 8
    return title + summary > room or shape > NODE_W - 22


def paint_port(painter: QPainter, place: QPointF, line: str, fill: str, size: float = PORT) -> None:
    painter.setPen(QPen(theme.colour(line), 2))
    painter.setBrush(theme.colour(fill))
    radius = size / 2 - 1
    painter.drawEllipse(place, radius, radius)


def paint_mark(painter: QPainter, box: QRectF, severity: str) -> None:
    """The sign of a problem: a disc with an exclamation mark, a triangle for a warning; shape and colour both tell."""
    tokens = theme.current()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(tokens.canvas))
    painter.drawEllipse(box)
    name, colour = ("mdi6.alert-circle", tokens.wrong) if severity == "error" else ("mdi6.alert", tokens.warning)
    inset = box.width() * (0.06 if severity == "error" else 0.14)
    icons.paint(painter, box.adjusted(inset, inset, -inset, -inset), name, colour)


@cache
def outline() -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(BODY, CORNER, CORNER)
    return path


@cache
def frame_pen(theme_name: str, token: str, width: float) -> QPen:
    return QPen(theme.colour(getattr(theme.THEMES[theme_name], token)), width)


@cache
def far_colours(theme_name: str, group: str) -> tuple[QColor, QColor]:
    """Fill and ink of the flat rectangle."""
    tokens = theme.THEMES[theme_name]
    fill = theme.mixed(theme.group_colour(group), tokens.panel, 0.8 if tokens.dark else 0.85)
    ink = max(("#FFFFFF", "#101216"), key=lambda c: theme.contrast(c, fill))
    return theme.colour(fill), theme.colour(ink)


@lru_cache(maxsize=400)
def far_body(theme_name: str, group: str, icon: str, title: str, zoom: float, ratio: float) -> QPixmap:
    """A node seen from far away: a flat rectangle in the group's colour with its title, or its
    icon where no title can be read.

    Equal nodes share one picture: text and round corners for each of 1,000 nodes took 15 ms a frame (measured).
    """
    width, height = NODE_W * zoom, NODE_H * zoom
    pixmap = QPixmap(math.ceil(width * ratio), math.ceil(height * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    fill, ink = far_colours(theme_name, group)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawRoundedRect(QRectF(0, 0, width, height), FAR_CORNER * zoom, FAR_CORNER * zoom)
    body = QRectF(0, 0, width, height)
    if zoom >= _TITLED:
        font = theme.font(10, 600)
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(body, Qt.AlignmentFlag.AlignCenter, elided(title, font, width - 3))
    elif zoom >= _WORDLESS:
        size = min(14.0, height - 4)
        icons.paint(
            painter, QRectF(body.center().x() - size / 2, body.center().y() - size / 2, size, size), icon, ink.name()
        )
    painter.end()
    return pixmap


@cache
def shadow(dark: bool) -> QPixmap:
    """A soft shadow for the whole bounds, made once: rounded rectangles laid over each other, each a little larger."""
    pixmap = QPixmap(round(BOUNDS.width()), round(BOUNDS.height()))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 9 if dark else 2))
    body = BODY.translated(MARGIN, MARGIN)
    for reach in range(-2, round(MARGIN) - 3, 1 if dark else 2):
        painter.drawRoundedRect(body.adjusted(-reach, -reach, reach, reach), CORNER + reach, CORNER + reach)
    painter.end()
    return pixmap
