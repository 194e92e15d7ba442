"""What gestures draw over the network while they last: a ghost, a wire in the making, a frame, a sentence."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import (
    QGraphicsItem,
    QGraphicsPathItem,
    QGraphicsRectItem,
    QStyleOptionGraphicsItem,
    QWidget,
)

from nndesigner.layers import Layer
from nndesigner.ui import icons, theme
from nndesigner.ui.canvas.geometry import CORNER, node_rect

_TOP = 10.0


class GhostItem(QGraphicsItem):
    """The landing cell of a layer that is not there yet."""

    def __init__(self, layer: type[Layer]) -> None:
        super().__init__()
        self._layer = layer
        self.setZValue(_TOP)

    def boundingRect(self) -> QRectF:
        return node_rect(0, 0).adjusted(-2, -2, 2, 2)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        tokens = theme.current()
        colour = theme.group_colour(self._layer.group)
        painter.setPen(QPen(theme.colour(tokens.accent), 1.5, Qt.PenStyle.DashLine))
        painter.setBrush(theme.colour(tokens.panel, 0.75))
        painter.drawRoundedRect(node_rect(0, 0), CORNER, CORNER)
        tile = QRectF(10, 9, 20, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(colour, 0.13))
        painter.drawRoundedRect(tile, 5, 5)
        icons.paint(painter, tile.adjusted(3, 3, -3, -3), self._layer.icon, colour)
        painter.setFont(theme.font(13, 600))
        painter.setPen(theme.colour(tokens.text))
        painter.drawText(QRectF(36, 8, 116, 22), Qt.AlignmentFlag.AlignVCenter, self._layer.title)


class WirePreview(QGraphicsPathItem):
    """A wire that would be made."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(_TOP)
        self.set_good(True)

    def set_good(self, good: bool) -> None:
        """In the accent where it may end here, in the colour of wrong where it may not."""
        tokens = theme.current()
        pen = QPen(theme.colour(tokens.accent if good else tokens.wrong), 2.0)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if not good:
            pen.setDashPattern([4.0, 3.0])
        self.setPen(pen)


class FrameItem(QGraphicsRectItem):
    """The rubber band."""

    def __init__(self) -> None:
        super().__init__()
        tokens = theme.current()
        pen = QPen(theme.colour(tokens.accent), 1)
        pen.setCosmetic(True)
        self.setPen(pen)
        self.setBrush(theme.colour(tokens.accent, 0.10))
        self.setZValue(_TOP)


class GuideItem(QGraphicsPathItem):
    """Lines that show with which other nodes a dragged one stands in line."""

    def __init__(self) -> None:
        super().__init__()
        pen = QPen(theme.colour(theme.current().accent, 0.6), 1)
        pen.setCosmetic(True)
        self.setPen(pen)
        self.setZValue(_TOP)

    def show_lines(self, lines: list[tuple[QPointF, QPointF]]) -> None:
        path = QPainterPath()
        for start, end in lines:
            path.moveTo(start)
            path.lineTo(end)
        self.setPath(path)


class BubbleItem(QGraphicsItem):
    """A sentence beside the cursor, always in the size of the screen."""

    _WIDTH = 300.0

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(_TOP + 1)
        self.text = ""
        self._severity = ""
        self._box = QRectF()
        self.hide()

    def say(self, text: str, at: QPointF, severity: str = "") -> None:
        """Show a sentence at a point of the scene; nothing to say hides it."""
        if text != self.text or severity != self._severity:
            self.prepareGeometryChange()
            self.text, self._severity = text, severity
            indent = 22 if severity else 0
            bounds = QFontMetricsF(theme.font(12)).boundingRect(
                QRectF(0, 0, self._WIDTH, 400), Qt.TextFlag.TextWordWrap, text
            )
            self._box = QRectF(16, 16, bounds.width() + indent + 20, bounds.height() + 14)
        self.setPos(at)
        self.setVisible(bool(text))

    def boundingRect(self) -> QRectF:
        return self._box.adjusted(-2, -2, 2, 2)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        tokens = theme.current()
        line = {"error": tokens.wrong, "warning": tokens.warning}.get(self._severity, tokens.line)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(line), 1))
        painter.setBrush(theme.colour(tokens.raised))
        painter.drawRoundedRect(self._box, 6, 6)
        text = self._box.adjusted(10, 7, -8, -7)
        if self._severity:
            name = "mdi6.alert-circle" if self._severity == "error" else "mdi6.alert"
            icons.paint(painter, QRectF(text.left(), text.top(), 16, 16), name, line)
            text.setLeft(text.left() + 22)
        painter.setFont(theme.font(12))
        painter.setPen(theme.colour(tokens.text))
        painter.drawText(text, Qt.TextFlag.TextWordWrap, self.text)
