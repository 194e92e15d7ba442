"""The answers of a network over the plane of two inputs as a coloured picture, with the data as points on it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from nndesigner.insight.probe import DecisionMap
from nndesigner.ui import theme
from nndesigner.ui.views.class_colours import class_colours, marker
from nndesigner.ui.views.plot_base import nice_step, short

#: the map may be this many times wider than high, so that a picture of the plane stays recognisable
WIDEST = 1.6
POINT = 9
_LEFT, _BOTTOM, _TOP, _RIGHT = 44, 20, 8, 10


def class_image(probabilities: np.ndarray, areas: bool) -> QImage:
    """Picture of [rows, columns, K] probabilities, row 0 at the bottom.

    The colour is that of the most probable class, the paler the less sure the network is; with `areas` equally strong.
    """
    count = probabilities.shape[2]
    winner = probabilities.argmax(axis=2)
    top = np.nan_to_num(probabilities.max(axis=2), nan=0.0)
    sure = np.clip((top - 1 / count) / (1 - 1 / count), 0, 1) if count > 1 else np.ones_like(top)
    share = np.full_like(top, 0.5) if areas else 0.06 + 0.6 * sure
    colours = np.array([_rgb(colour) for colour in class_colours(count)], dtype=np.float32)
    under = np.array(_rgb(theme.current().panel), dtype=np.float32)
    return _image(under + (colours[winner] - under) * share[..., None].astype(np.float32))


def value_image(values: np.ndarray, low: float, high: float, areas: bool) -> QImage:
    """Picture of [rows, columns] values: orange above the middle of low and high, blue below, panel colour between."""
    t = theme.current()
    scaled = value_share(values, low, high)
    if areas:
        scaled = np.round(scaled * 4) / 4
    ends = np.array([_rgb(t.negative), _rgb(t.panel), _rgb(t.positive)], dtype=np.float32)
    weight = np.abs(scaled)[..., None].astype(np.float32)
    strong = np.where((scaled > 0)[..., None], ends[2], ends[0])
    return _image(ends[1] + (strong - ends[1]) * weight * 0.85)


def value_share(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values as -1 (low) to 1 (high)."""
    half = (high - low) / 2 or 1.0
    return np.clip(np.nan_to_num((values - (low + high) / 2) / half), -1, 1)


def _rgb(colour: str) -> tuple[int, int, int]:
    return QColor(colour).red(), QColor(colour).green(), QColor(colour).blue()


def _image(pixels: np.ndarray) -> QImage:
    """QImage of float [rows, columns, 3], turned so that row 0 is the bottom."""
    rows, columns = pixels.shape[:2]
    data = np.ascontiguousarray(np.clip(pixels[::-1] + 0.5, 0, 255).astype(np.uint8))
    return QImage(data.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()


class MapPicture(QWidget):
    """The map with axes and points. `pointed` tells the place under the cursor in raw units, None when it left."""

    pointed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._map: DecisionMap | None = None
        self._image = QImage()
        self._points: list[tuple[float, float, int | float]] = []
        self._span = (0.0, 1.0)
        self._layer = QPixmap()
        self._place: tuple[float, float] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_map(self, found: DecisionMap, image: QImage, span: tuple[float, float]) -> None:
        """Show a map; `span` are the values of the two ends of the colours for a map of values."""
        moved = self._map is None or (self._map.x0, self._map.x1, self._map.y0, self._map.y1) != (
            found.x0, found.x1, found.y0, found.y1)
        self._map, self._image, self._span = found, image, span
        if moved:
            self._layer = QPixmap()
        self.update()

    def show_points(self, points: list[tuple[float, float, int | float]]) -> None:
        """Data points (x, y, class number or value) in raw units."""
        self._points = points
        self._layer = QPixmap()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 200)

    def area(self) -> QRectF:
        """Where the map is."""
        height = max(20.0, self.height() - _TOP - _BOTTOM)
        width = max(20.0, min(self.width() - _LEFT - _RIGHT, WIDEST * height))
        left = _LEFT + (self.width() - _LEFT - _RIGHT - width) / 2
        return QRectF(left, _TOP, width, height)

    def plane(self, position: QPointF) -> tuple[float, float] | None:
        """Raw values of the two inputs at a place of the widget, None outside the map."""
        area, found = self.area(), self._map
        if found is None or not area.contains(position):
            return None
        return (found.x0 + (position.x() - area.left()) / area.width() * (found.x1 - found.x0),
                found.y1 - (position.y() - area.top()) / area.height() * (found.y1 - found.y0))

    def screen(self, x: float, y: float) -> QPointF:
        """Place in the widget of two raw values."""
        area, found = self.area(), self._map
        return QPointF(area.left() + (x - found.x0) / (found.x1 - found.x0) * area.width(),
                       area.bottom() - (y - found.y0) / (found.y1 - found.y0) * area.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layer = QPixmap()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._layer = QPixmap()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._map is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = self.area()
        painter.drawImage(area, self._image)
        if self._layer.isNull():
            self._layer = self._painted_points()
        painter.drawPixmap(0, 0, self._layer)
        self._paint_axes(painter, area)
        t = theme.current()
        if self._place is not None:
            place = self.screen(*self._place)
            painter.setPen(QPen(theme.colour(t.muted), 1))
            painter.drawLine(QPointF(place.x(), area.top()), QPointF(place.x(), area.bottom()))
            painter.drawLine(QPointF(area.left(), place.y()), QPointF(area.right(), place.y()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour(t.accent if self.hasFocus() else t.line), 1))
        painter.drawRect(area)

    def _painted_points(self) -> QPixmap:
        """All points on a layer of their own: they change seldom, the map below them often."""
        ratio = self.devicePixelRatioF()
        layer = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
        layer.setDevicePixelRatio(ratio)
        layer.fill(Qt.GlobalColor.transparent)
        if not self._points:
            return layer
        t = theme.current()
        painter = QPainter(layer)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self.area())
        size = min(POINT, max(4.0, self.area().height() / 26)) * (1.0 if len(self._points) <= 600 else 0.75)
        pen = QPen(theme.colour(t.panel), 1.2 / size)
        painter.setPen(pen)
        by_class = self._map.task == "classification"
        colours = class_colours(len(self._map.classes)) if by_class else []
        brushes = [theme.colour(colour) for colour in colours]
        for x, y, value in self._points:
            place = self.screen(x, y)
            painter.setTransform(painter.transform().fromTranslate(place.x(), place.y()).scale(size, size))
            if by_class:
                painter.setBrush(brushes[int(value)])
                painter.drawPath(marker(int(value)))
            else:
                share = float(value_share(np.float64(value), *self._span))
                strong = t.positive if share > 0 else t.negative
                painter.setBrush(theme.colour(theme.mixed(strong, t.panel, abs(share))))
                painter.setPen(QPen(theme.colour(t.text), 0.6 / size))
                painter.drawPath(marker(0))
        painter.end()
        return layer

    def _paint_axes(self, painter: QPainter, area: QRectF) -> None:
        found, t = self._map, theme.current()
        painter.setFont(theme.font(theme.CAPTION))
        painter.setPen(theme.colour(t.muted))
        for low, high, horizontal in ((found.x0, found.x1, True), (found.y0, found.y1, False)):
            length = area.width() if horizontal else area.height()
            step = nice_step(high - low, max(4, int(length / (70 if horizontal else 34))))
            value = np.ceil(low / step) * step
            while value <= high + 1e-12:
                text = short(0.0 if abs(value) < step / 1e6 else float(value))
                if horizontal:
                    x = self.screen(value, found.y0).x()
                    painter.drawText(QRectF(x - 30, area.bottom() + 3, 60, 16), Qt.AlignmentFlag.AlignHCenter, text)
                else:
                    y = self.screen(found.x0, value).y()
                    painter.drawText(QRectF(area.left() - 46, y - 8, 40, 16),
                                     Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
                value += step

    # --- values under the cursor ---

    def point_at(self, place: tuple[float, float] | None) -> None:
        """Put the cross at a place in raw units and tell it."""
        if place != self._place:
            self._place = place
            self.pointed.emit(place)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.point_at(self.plane(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.point_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, found = Qt.Key, self._map
        moves = {key.Key_Left: (-1, 0), key.Key_Right: (1, 0), key.Key_Up: (0, 1), key.Key_Down: (0, -1)}
        if found is None or event.key() not in moves:
            super().keyPressEvent(event)
            return
        x, y = self._place or ((found.x0 + found.x1) / 2, (found.y0 + found.y1) / 2)
        right, up = moves[event.key()]
        x = min(found.x1, max(found.x0, x + right * (found.x1 - found.x0) / 40))
        y = min(found.y1, max(found.y0, y + up * (found.y1 - found.y0) / 40))
        self.point_at((x, y))
