"""A node on the canvas. Shows a Face and a live picture; knows no document and takes no mouse events.

Painting in Python is what a canvas pays for, so the body is painted once into a pixmap of the zoom in force and then
only copied. While the zoom changes, the old pixmap is stretched; the view sharpens it when the zoom rests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QTransform,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from nndesigner.ui import icons, theme
from nndesigner.ui.canvas import thumbnails
from nndesigner.ui.canvas.face import Face
from nndesigner.ui.canvas.geometry import (
    CORNER,
    FAR,
    FOOTER_Y,
    NODE_H,
    NODE_W,
    PICTURE_H,
    PICTURE_Y,
    PORT,
)
from nndesigner.ui.canvas.node_parts import (
    BODY,
    BOUNDS,
    FAR_CORNER,
    MARGIN,
    elided,
    far_body,
    frame_pen,
    outline,
    paint_mark,
    paint_port,
    shadow,
)

if TYPE_CHECKING:
    from nndesigner.insight.probe import NodePicture
    from nndesigner.ui.canvas.thumbnails import Curves

#: room for the names of several inputs
_NAMES_W = 40


@dataclass(frozen=True)
class Ports:
    """Places of a node's ports, relative to its corner."""

    inputs: tuple[tuple[str, QPointF], ...]
    output: QPointF | None


class NodeItem(QGraphicsItem):
    """One node. The scene moves it and gives it its face; the view says what is under the pointer."""

    Type = QGraphicsItem.UserType + 1

    def __init__(self, node_id: str, face: Face, ports: Ports) -> None:
        super().__init__()
        self.node_id = node_id
        self.setZValue(1)
        self._face = face
        self._ports = ports
        self._picture: NodePicture | Curves | None = None
        self._right: bool | None = None
        self._selected = False
        self._hovered = False
        #: name of the port under the pointer or taken by a gesture; "" for the output, None for none
        self._hot_port: str | None = None
        #: ports that a wire being drawn could end at
        self._lit: frozenset[str] = frozenset()
        self._dim = False
        self._body: QPixmap | None = None
        self._body_scale = 0.0
        self._thumb: QPixmap | None = None
        self._thumb_scale = 0.0

    # --- what the scene tells it ---

    @property
    def face(self) -> Face:
        return self._face

    @property
    def ports(self) -> Ports:
        return self._ports

    def show_face(self, face: Face, ports: Ports) -> None:
        if face != self._face or ports != self._ports:
            self._face, self._ports = face, ports
            self._body = self._thumb = None
            self.update()

    def show_picture(self, picture: NodePicture | Curves | None, right: bool | None = None) -> None:
        """The live picture; `right` marks an answer as true or false."""
        if picture is not self._picture or right != self._right:
            self._picture, self._right = picture, right
            self._thumb = None
            self.update()

    def set_selected(self, on: bool) -> None:
        if on != self._selected:
            self._selected = on
            self.setZValue(2 if on else 1)
            self.update()

    def set_hovered(self, on: bool) -> None:
        if on != self._hovered:
            self._hovered = on
            self.update()

    def set_hot_port(self, port: str | None) -> None:
        if port != self._hot_port:
            self._hot_port = port
            self.update()

    def light(self, ports: frozenset[str], dim: bool = False) -> None:
        """Mark ports that fit a wire being drawn ("" is the output); `dim` says that none does."""
        if ports != self._lit or dim != self._dim:
            self._lit, self._dim = ports, dim
            self.setOpacity(0.45 if dim else 1.0)
            self.update()

    def forget_pixels(self) -> None:
        """Another theme, or far outside the view: paint anew when next seen."""
        self._body = self._thumb = None

    @property
    def selected(self) -> bool:
        return self._selected

    @property
    def lit(self) -> frozenset[str]:
        return self._lit

    # --- Qt ---

    def type(self) -> int:
        return NodeItem.Type

    def boundingRect(self) -> QRectF:
        return BOUNDS

    def shape(self) -> QPainterPath:
        return outline()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        zoom = painter.worldTransform().m11()
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        if zoom < FAR:
            self._paint_far(painter, zoom, ratio)
            return
        scale = zoom * ratio
        scene = self.scene()
        settled = scene is None or scene.settled
        if self._body is None or (settled and self._body_scale != scale):
            self._body, self._body_scale = self._paint_body(scale, ratio), scale
        if self._body_scale == scale:
            self._copy(painter, self._body, BOUNDS.topLeft(), ratio)
        else:
            painter.drawPixmap(BOUNDS, self._body, QRectF(self._body.rect()))
        if self._picture is not None:
            self._paint_picture(painter, scale, settled)
        if self._selected or self._hovered or self._face.severity:
            self._paint_frame(painter)
        self._paint_hot_ports(painter)

    # --- painting ---

    def _paint_far(self, painter: QPainter, zoom: float, ratio: float) -> None:
        tokens, face = theme.current(), self._face
        self._copy(
            painter, far_body(tokens.name, face.group, face.icon, face.title, zoom, ratio), BODY.topLeft(), ratio
        )
        if token := self._frame_token():
            # outside the colour, as the accent is one of the groups' colours
            gap = min(3 / zoom, MARGIN - 3)
            painter.setPen(frame_pen(tokens.name, token, min(2 / zoom, 6)))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(BODY.adjusted(-gap, -gap, gap, gap), FAR_CORNER + gap, FAR_CORNER + gap)
        if face.severity:
            size = 15 / zoom
            paint_mark(painter, QRectF(NODE_W - size * 0.6, -size * 0.4, size, size), face.severity)

    def _copy(self, painter: QPainter, pixmap: QPixmap, corner: QPointF, ratio: float) -> None:
        """Put pixels of this zoom on the screen one by one: no stretching, no blur."""
        world = painter.worldTransform()
        at = world.map(corner)
        painter.setWorldTransform(
            QTransform.fromTranslate(round(at.x() * ratio) / ratio, round(at.y() * ratio) / ratio)
        )
        painter.drawPixmap(QPointF(0, 0), pixmap)
        painter.setWorldTransform(world)

    def _paint_body(self, scale: float, ratio: float) -> QPixmap:
        """Shadow, body, header, footer and quiet ports, at `scale` pixels of a device with this pixel ratio."""
        tokens = theme.current()
        pixmap = QPixmap(round(BOUNDS.width() * scale + 1), round(BOUNDS.height() * scale + 1))
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.scale(scale, scale)
        painter.translate(MARGIN, MARGIN)
        painter.drawPixmap(BOUNDS.translated(0, 2), shadow(tokens.dark), QRectF(shadow(tokens.dark).rect()))
        painter.setPen(QPen(theme.colour(tokens.line), 2 if tokens.strong_lines else 1))
        painter.setBrush(theme.colour(tokens.panel))
        for inset in (12, 6) if self._face.stacked else ():  # cards behind: there are more layers than one sees
            painter.drawRoundedRect(BODY.adjusted(inset, -inset * 0.7, -inset, -60), CORNER, CORNER)
        painter.drawRoundedRect(BODY.adjusted(0.5, 0.5, -0.5, -0.5), CORNER, CORNER)
        painter.drawLine(QPointF(1, FOOTER_Y), QPointF(NODE_W - 1, FOOTER_Y))
        self._paint_header(painter)
        self._paint_footer(painter)
        if len(self._ports.inputs) > 1 and not self._face.stacked:
            self._paint_port_names(painter)
        for _, place in self._ports.inputs:
            paint_port(painter, place, tokens.faint, tokens.canvas)
        if self._ports.output is not None:
            paint_port(painter, self._ports.output, tokens.faint, tokens.canvas)
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _paint_header(self, painter: QPainter) -> None:
        tokens, face = theme.current(), self._face
        colour = theme.group_colour(face.group)
        tile = QRectF(10, 9, 20, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(colour, 0.13))
        painter.drawRoundedRect(tile, 5, 5)
        icons.paint(painter, tile.adjusted(3, 3, -3, -3), face.icon, colour)
        title_font, summary_font = theme.font(13, 600), theme.font(11)
        room = NODE_W - 36 - (10 if self._ports.output is not None else 28)  # an answer gets a tick
        title = elided(face.title, title_font, room)
        width = QFontMetricsF(title_font).horizontalAdvance(title)
        painter.setFont(title_font)
        painter.setPen(theme.colour(tokens.text))
        painter.drawText(QRectF(36, 8, room + 2, 22), Qt.AlignmentFlag.AlignVCenter, title)
        rest = room - width - 6
        summary = QFontMetricsF(summary_font).elidedText(face.summary, Qt.TextElideMode.ElideRight, rest)
        if rest > 20 and (summary == face.summary or not face.stacked):  # half of "3 layers" tells nothing
            painter.setFont(summary_font)
            painter.setPen(theme.colour(tokens.muted))
            painter.drawText(QRectF(36 + width + 6, 9, rest + 2, 22), Qt.AlignmentFlag.AlignVCenter, summary)

    def _paint_footer(self, painter: QPainter) -> None:
        tokens, face = theme.current(), self._face
        font = theme.font(11)
        painter.setFont(font)
        painter.setPen(theme.colour(tokens.muted))
        row = QRectF(11, FOOTER_Y, NODE_W - 22, NODE_H - FOOTER_Y - 1)
        right = QFontMetricsF(font).horizontalAdvance(face.parameters)
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, face.parameters)
        painter.drawText(
            row,
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            elided(face.shape, font, row.width() - right - 8),
        )

    def _paint_port_names(self, painter: QPainter) -> None:
        """Which of several inputs is which, beside the ports."""
        font = theme.font(10)
        painter.setFont(font)
        painter.setPen(theme.colour(theme.current().muted))
        for name, place in self._ports.inputs:
            box = QRectF(10, place.y() - 8, _NAMES_W, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, elided(name, font, _NAMES_W))

    def _paint_picture(self, painter: QPainter, scale: float, settled: bool) -> None:
        left = 11 if len(self._ports.inputs) < 2 or self._face.stacked else 14 + _NAMES_W
        area = QRectF(left, PICTURE_Y, NODE_W - 11 - left, PICTURE_H)
        if self._thumb is None or (settled and self._thumb_scale != scale):
            self._thumb = thumbnails.render(
                self._picture, area.width(), area.height(), scale, self._face.group, self._right
            )
            self._thumb_scale = scale
        painter.drawPixmap(area, self._thumb, QRectF(self._thumb.rect()))
        if self._right is not None:
            tokens = theme.current()
            name, colour = ("mdi6.check-bold", tokens.right) if self._right else ("mdi6.close-thick", tokens.wrong)
            icons.paint(painter, QRectF(NODE_W - 26, 12, 14, 14), name, colour)

    def _frame_token(self) -> str:
        if self._selected:
            return "accent"
        if self._face.severity:
            return "wrong" if self._face.severity == "error" else "warning"
        return "faint" if self._hovered else ""

    def _paint_frame(self, painter: QPainter) -> None:
        token = self._frame_token()
        painter.setPen(frame_pen(theme.current().name, token, 1.0 if token == "faint" else 2.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = 0.5 if token == "faint" else 0.0
        painter.drawRoundedRect(BODY.adjusted(inset, inset, -inset, -inset), CORNER, CORNER)
        tokens = theme.current()
        for place in [p for _, p in self._ports.inputs] + ([self._ports.output] if self._ports.output else []):
            paint_port(painter, place, getattr(tokens, token) if token != "faint" else tokens.muted, tokens.canvas)
        if self._face.severity:
            paint_mark(painter, QRectF(NODE_W - 11, -7, 18, 18), self._face.severity)

    def _paint_hot_ports(self, painter: QPainter) -> None:
        if self._hot_port is None and not self._lit:
            return
        tokens = theme.current()
        places = dict(self._ports.inputs)
        if self._ports.output is not None:
            places[""] = self._ports.output
        for name in self._lit:
            if name in places:
                paint_port(
                    painter, places[name], tokens.accent, theme.mixed(tokens.accent, tokens.canvas, 0.35), PORT + 2
                )
        if self._hot_port in places:
            paint_port(painter, places[self._hot_port], tokens.accent, tokens.accent, PORT + 5)
