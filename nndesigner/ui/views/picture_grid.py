"""Pictures in rows and columns, as large as fit, with hard pixel edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from nndesigner.ui import theme
from nndesigner.ui.views.class_colours import class_colour
from nndesigner.ui.views.sample_picture import paint_picture, picture_image

_GAP = 4.0
#: curves drawn of a series of many features
_CURVES = 8


class PictureGrid(QWidget):
    """Shows what it is given. With `columns` 0 it chooses as many columns as make the pictures largest."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures: list[QImage] = []
        self._columns = 0
        self.setMinimumSize(80, 60)

    @property
    def pictures(self) -> list[QImage]:
        return self._pictures

    def show_pictures(self, pictures: Sequence[QImage], columns: int = 0) -> None:
        self._pictures, self._columns = list(pictures), columns
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._pictures:
            return
        painter = QPainter(self)
        columns, side = self._columns, 0.0
        counts = [columns] if columns else range(1, len(self._pictures) + 1)
        for count in counts:
            rows = -(-len(self._pictures) // count)
            fits = min(self.width() / count, self.height() / rows)
            if fits > side:
                columns, side = count, fits
        rows = -(-len(self._pictures) // columns)
        left, top = (self.width() - columns * side) / 2, (self.height() - rows * side) / 2
        for number, picture in enumerate(self._pictures):
            row, column = divmod(number, columns)
            place = QRectF(left + column * side, top + row * side, side, side)
            paint_picture(painter, place.adjusted(_GAP / 2, _GAP / 2, -_GAP / 2, -_GAP / 2), picture)
        painter.end()


def image_of(values: np.ndarray, axes: str, low: float, high: float) -> QImage:
    """A generated sample: a picture as it is, a series as curves, a list of features as bars, between two values."""
    if axes in ("HWC", "HW"):
        return picture_image(values, low, high)
    width, height = 160, 100
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(theme.colour(theme.current().raised))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    span = (high - low) or 1.0

    def y(value: float) -> float:
        return height - 6 - (height - 12) * min(max((float(value) - low) / span, 0.0), 1.0)

    table = np.nan_to_num(np.asarray(values, dtype=np.float64).reshape(len(values), -1))
    if axes == "F":
        wide = (width - 12) / len(table)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.current().training))
        base = y(min(max(0.0, low), high))
        for i, value in enumerate(table[:, 0]):
            painter.drawRect(QRectF(6 + i * wide, min(base, y(value)), max(wide - 1, 1), abs(base - y(value))))
    else:
        for number in range(min(table.shape[1], _CURVES)):
            painter.setPen(QPen(theme.colour(class_colour(number)), 1.5))
            step = (width - 12) / max(len(table) - 1, 1)
            painter.drawPolyline(QPolygonF([QPointF(6 + i * step, y(v)) for i, v in enumerate(table[:, number])]))
    painter.end()
    return image
