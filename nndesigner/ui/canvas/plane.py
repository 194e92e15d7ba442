"""The view of the scene: zoom, panning, and the dotted canvas behind. Knows no document and no gesture."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QNativeGestureEvent, QPainter, QPixmap, QResizeEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QFrame, QGestureEvent, QGraphicsView, QPinchGesture, QWidget

from nndesigner.ui import theme
from nndesigner.ui.canvas.geometry import GRID, NODE_W
from nndesigner.ui.canvas.scene import CanvasScene

ZOOM_MIN, ZOOM_MAX = 0.08, 4.0
#: half the side of the plane on which one can pan
_PLANE = 100_000.0
#: pause after which zooming counts as finished and nodes are painted sharp
_SETTLE_MS = 140
#: room around the drawing when all of it is shown
_FIT_MARGIN = 48


class Plane(QGraphicsView):
    """An endless plane to look at from near and far."""

    #: another zoom, as a factor
    zoom_changed = Signal(float)
    #: another part of the plane is seen
    looked_elsewhere = Signal()

    #: the drawing was shown once, so that its place is the user's from now on
    _placed = False

    def __init__(self, board: CanvasScene, parent: QWidget | None = None) -> None:
        super().__init__(board, parent)
        board.setParent(self)
        self.board = board
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setSceneRect(-_PLANE, -_PLANE, 2 * _PLANE, 2 * _PLANE)
        self.viewport().grabGesture(Qt.GestureType.PinchGesture)
        self._dots: tuple[tuple, QPixmap] | None = None
        self._settle_timer = self.one_shot(_SETTLE_MS, self.settle)
        theme.notifier.changed.connect(self._theme_changed)

    @property
    def zoom(self) -> float:
        return self.board.zoom

    def zoom_at(self, at: QPointF, factor: float) -> None:
        """Zoom by a factor; the point of the drawing under `at` (in view pixels) stays where it is."""
        self.set_zoom(self.zoom * factor, at)

    def set_zoom(self, zoom: float, at: QPointF | None = None) -> None:
        zoom = min(max(zoom, ZOOM_MIN), ZOOM_MAX)
        if abs(zoom - 1) < 0.03:
            zoom = 1.0  # comes to rest where pixels are exact
        if zoom == self.zoom:
            return
        at = QPointF(self.viewport().rect().center()) if at is None else at
        fixed = self.scene_at(at)
        self.board.set_zoom(zoom)
        self.setTransform(QTransform.fromScale(zoom, zoom))
        self.pan(at - self.viewportTransform().map(fixed))
        self._settle_timer.start()
        self.viewport().update()
        self.zoom_changed.emit(zoom)

    def pan(self, by: QPointF) -> None:
        """Move the drawing by pixels."""
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        # one repaint for both; shifting pixels is slower, as the mini-map lies over them (17 against 13 ms)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        across.setValue(across.value() - round(by.x()))
        down.setValue(down.value() - round(by.y()))
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)

    def fit(self, ids: Iterable[str] | None = None) -> None:
        """Show all nodes (or some), not larger than 100 %."""
        area = self.board.extent(ids or None)
        if area.isEmpty():
            self.set_zoom(1.0)
            self.centerOn(0, 0)
            return
        area = area.adjusted(-48, -48, 48, 48)
        room = self.viewport().rect()
        self.set_zoom(min(room.width() / area.width(), room.height() / area.height(), 1.0))
        self.centerOn(area.center())

    def reset_zoom(self) -> None:
        self.set_zoom(1.0)

    def visible_area(self) -> QRectF:
        """The part of the scene that is seen."""
        return self.viewportTransform().inverted()[0].mapRect(QRectF(self.viewport().rect()))

    def scene_at(self, at: QPointF) -> QPointF:
        """A point of the view in scene units, to the fraction of a pixel."""
        return self.viewportTransform().inverted()[0].map(at)

    def reveal_nodes(self, ids: Iterable[str]) -> None:
        """Pan as far as needed to see them."""
        self.reveal_area(self.board.extent(ids))

    def reveal_area(self, area: QRectF) -> None:
        """Pan as far as needed to see a part of the scene."""
        area = area.adjusted(-24, -24, 24, 24)
        if not self.visible_area().contains(area):
            self.ensureVisible(area, 0, 0)

    def reveal(self, at: QPointF) -> None:
        """Pan a little when a drag comes to the edge of the view."""
        room, edge = self.viewport().rect(), 18
        dx = min(at.x() - edge, 0) + max(at.x() - room.width() + edge, 0)
        dy = min(at.y() - edge, 0) + max(at.y() - room.height() + edge, 0)
        if dx or dy:
            self.pan(QPointF(-dx / 2, -dy / 2))

    def one_shot(self, milliseconds: int, slot: Callable[[], None]) -> QTimer:
        """A timer of this view that fires once, not yet started."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer

    def settle(self) -> None:
        """Zooming has come to rest: paint what is seen sharp, forget the pixels of the rest."""
        self.board.settled = True
        seen = self.visible_area().adjusted(-NODE_W, -NODE_W, NODE_W, NODE_W)
        near = set(self.board.nodes_in(seen))
        for node_id, item in self.board.nodes.items():
            if node_id not in near:
                item.forget_pixels()
        self.viewport().update()

    # --- Qt ---

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels, ctrl = event.pixelDelta(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if not pixels.isNull() and not ctrl and event.phase() != Qt.ScrollPhase.NoScrollPhase:
            self.pan(QPointF(pixels))
        else:
            turned = event.angleDelta().y() or event.angleDelta().x()
            self.zoom_at(event.position(), 1.0015**turned)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_at(event.position(), 1 + event.value())
            return True
        if isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                centre = self.viewport().mapFromGlobal(pinch.centerPoint().toPoint())
                self.zoom_at(QPointF(centre), pinch.scaleFactor())
                return True
        return super().viewportEvent(event)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        if self._placed:
            self.looked_elsewhere.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._placed and self.isVisible():
            self._placed = True
            self.fit()
        self.looked_elsewhere.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        self._settle_timer.stop()
        self.board.settled = True
        super().hideEvent(event)

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        """The canvas and its dots, drawn in whole pixels of the screen from one tile."""
        tokens = theme.current()
        transform = painter.worldTransform()
        area = transform.mapRect(rect).toAlignedRect()
        painter.resetTransform()
        painter.fillRect(area, theme.colour(tokens.canvas))
        step = GRID * self.zoom * (1 if self.zoom >= 0.6 else 2 if self.zoom >= 0.3 else 0)
        if step:
            ratio = self.devicePixelRatioF()
            tile, cells = self._dot_tile(step, ratio), 8
            size = step * cells
            left, top = transform.dx() % size - size, transform.dy() % size - size
            first_x, first_y = int((area.left() - left) // size), int((area.top() - top) // size)
            last_x, last_y = int((area.right() - left) // size), int((area.bottom() - top) // size)
            painter.setClipRect(area)
            for row in range(first_y, last_y + 1):
                for column in range(first_x, last_x + 1):
                    painter.drawPixmap(QPoint(round(left + column * size), round(top + row * size)), tile)
            painter.setClipping(False)
        painter.setWorldTransform(transform)

    def _dot_tile(self, step: float, ratio: float) -> QPixmap:
        key = (step, ratio, theme.current().name)
        if self._dots is None or self._dots[0] != key:
            side = round(step * 8) + 2
            tile = QPixmap(round(side * ratio), round(side * ratio))
            tile.setDevicePixelRatio(ratio)
            tile.fill(Qt.GlobalColor.transparent)
            painter = QPainter(tile)
            colour, size = theme.colour(theme.current().dots), 2 if self.zoom > 0.8 else 1
            for row in range(8):
                for column in range(8):
                    painter.fillRect(QRectF(round(column * step), round(row * step), size, size), colour)
            painter.end()
            self._dots = (key, tile)
        return self._dots[1]

    def _theme_changed(self) -> None:
        self._dots = None
        self.viewport().update()
