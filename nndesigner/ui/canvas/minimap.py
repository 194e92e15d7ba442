"""A small picture of the whole drawing in the corner, with a frame around what is seen. Hidden when all is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from nndesigner.graph.model import NODE_H, NODE_W
from nndesigner.ui import theme

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView

_WIDTH, _HEIGHT, _MARGIN = 190, 130, 12


class MiniMap(QWidget):
    """Click or drag in it to go there."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view = view
        self.setFixedSize(_WIDTH, _HEIGHT)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Overview of the canvas")
        self.setToolTip("Overview: click or drag to go there")
        self.hide()
        #: the drawing without the frame, kept until something in it changes
        self._drawing: QPixmap | None = None
        view.looked_elsewhere.connect(self.follow)
        view.zoom_changed.connect(self.follow)
        view.board.places_changed.connect(self._redraw)
        view.document.selection_changed.connect(self._redraw)
        theme.notifier.changed.connect(self._redraw)

    def follow(self, *_: object) -> None:
        """The drawing, the zoom or the place changed."""
        view = self._view
        drawing = view.board.extent()
        hidden = drawing.isEmpty() or view.visible_area().contains(drawing)
        self.setVisible(not hidden and view.width() > 2.2 * _WIDTH and view.height() > 2.2 * _HEIGHT)
        if self.isVisible():
            self.move(view.width() - _WIDTH - _MARGIN, view.height() - _HEIGHT - _MARGIN)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        area, scale, origin = self._mapping()
        if self._drawing is None:
            self._drawing = self._draw(area, scale, origin)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPixmap(0, 0, self._drawing)
        seen = self._view.visible_area()
        corner = QPointF(
            origin.x() + (seen.left() - area.left()) * scale, origin.y() + (seen.top() - area.top()) * scale
        )
        frame = QRectF(corner.x(), corner.y(), seen.width() * scale, seen.height() * scale)
        painter.setPen(QPen(theme.colour(tokens.accent), 1.5))
        painter.setBrush(theme.colour(tokens.accent, 0.08))
        painter.drawRoundedRect(frame.intersected(QRectF(self.rect()).adjusted(2, 2, -2, -2)), 3, 3)
        painter.end()

    def _draw(self, area: QRectF, scale: float, origin: QPointF) -> QPixmap:
        """Panel and nodes, one call for each colour."""
        ratio, tokens = self.devicePixelRatioF(), theme.current()
        pixmap = QPixmap(round(_WIDTH * ratio), round(_HEIGHT * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(tokens.line), 1))
        painter.setBrush(theme.colour(tokens.panel, 0.94))
        painter.drawRoundedRect(QRectF(0.5, 0.5, _WIDTH - 1, _HEIGHT - 1), 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        wide, high = max(NODE_W * scale, 2), max(NODE_H * scale, 2)
        board = self._view.board
        chosen = set(board.drawn.items(self._view.document.selection))
        boxes: dict[str, list[QRectF]] = {}
        for node in board.graph.nodes:
            colour = tokens.accent if node.id in chosen else theme.group_colour(board.nodes[node.id].face.group)
            left = origin.x() + (node.x - area.left()) * scale
            top = origin.y() + (node.y - area.top()) * scale
            boxes.setdefault(colour, []).append(QRectF(left, top, wide, high))
        for colour, rects in boxes.items():
            painter.setBrush(theme.colour(colour, 0.8))
            painter.drawRects(rects)
        painter.end()
        return pixmap

    def _redraw(self) -> None:
        self._drawing = None
        self.follow()

    def _mapping(self) -> tuple[QRectF, float, QPointF]:
        """Area of the scene that is shown, pixels a unit, and where its corner stands."""
        area = self._view.board.extent().adjusted(-60, -60, 60, 60)
        scale = min((_WIDTH - 12) / area.width(), (_HEIGHT - 12) / area.height())
        return area, scale, QPointF((_WIDTH - area.width() * scale) / 2, (_HEIGHT - area.height() * scale) / 2)

    def _go(self, at: QPointF) -> None:
        area, scale, origin = self._mapping()
        self._view.centerOn(area.left() + (at.x() - origin.x()) / scale, area.top() + (at.y() - origin.y()) / scale)
