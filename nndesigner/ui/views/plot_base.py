"""pyqtgraph plots in the look of the window: quiet axes, horizontal lines, fixed ranges, values under the cursor.

Automatic ranging is off: it costs four times a redraw with fixed ranges (measured). Views set the range when the data
leave it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from nndesigner.ui import numbers, theme

#: room for the numbers of the left axis
AXIS_WIDTH = 40


def nice_top(value: float) -> float:
    """The smallest of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten that is not below a positive value."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * 0.999999)


def nice_step(span: float, most: int) -> float:
    """Step of 1, 2, 2.5 or 5 times a power of ten that divides a span into at most `most` parts."""
    least = span / max(most, 1)
    power = 10 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= least * 0.999999)


class Axis(pg.AxisItem):
    """Axis with few ticks of round numbers, written by a function; on a log scale values are powers of ten."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation, showValues=True, maxTickLength=0)
        self.write: Callable[[float, bool], str] = lambda value, last: short(value)
        self.logarithmic = False

    def boundingRect(self) -> QRectF:
        # labels that do not lie inside are not drawn; those of the first and last tick reach over the ends
        return super().boundingRect().adjusted(-24, -10, 24, 10)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        low, high = min(low, high), max(low, high)
        if high - low < 1e-30 or not math.isfinite(high - low):
            return []
        if self.logarithmic and high - low > 0.35:
            # one to three labels in a decade, as far as there is room
            for steps in ((1, 2, 5), (1, 3), (1,)):
                found = [k + math.log10(s) for k in range(math.floor(low), math.ceil(high) + 1) for s in steps]
                found = [v for v in found if low <= v <= high]
                if len(found) <= max(2, size / 24):
                    break
            every = math.ceil(len(found) / max(2, size / 24))
            return [(1.0, found[::every])]
        step = nice_step(high - low, max(3, int(size / (34 if self.orientation == "left" else 60))))
        first = math.ceil(low / step - 1e-9)
        return [(step, [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        real = [10 ** v for v in values] if self.logarithmic else values
        return [self.write(v, i == len(real) - 1) for i, v in enumerate(real)]


def short(value: float) -> str:
    """A tick's number without needless figures."""
    size = abs(value)
    if size >= 10_000:
        return numbers.count(value)
    return f"{value:.0e}".replace("e-0", "e-") if 0 < size < 0.001 else f"{value:.5g}"


class Plot(pg.PlotWidget):
    """A plot with horizontal lines and a crosshair.

    `pointed` tells the x and y under the cursor, None and None when it left; with the arrow keys y is None.
    """

    pointed = Signal(object, object)
    #: the user zoomed or moved the plot by hand
    zoomed = Signal()
    #: the user wants to see everything again (double click, or Home)
    whole_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        self.bottom, self.left = Axis("bottom"), Axis("left")
        super().__init__(parent, axisItems={"bottom": self.bottom, "left": self.left}, background=None,
                         enableMenu=False)
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.getViewBox().setDefaultPadding(0.0)
        item.disableAutoRange()
        # a fixed width: else the plot jumps whenever a label becomes longer
        self.left.setWidth(AXIS_WIDTH)
        # lines of the grid belong behind the curves
        self.left.setZValue(-10)
        item.layout.setContentsMargins(0, 8, 14, 0)
        item.setDownsampling(auto=True, mode="peak")
        self.setFrameShape(self.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.cross = pg.InfiniteLine(angle=90, movable=False)
        self.cross.setZValue(50)
        self.cross.hide()
        self.addItem(self.cross, ignoreBounds=True)
        item.getViewBox().sigRangeChangedManually.connect(lambda _: self.zoomed.emit())
        self.restyle()

    def restyle(self) -> None:
        """Take the colours of the theme in force."""
        t = theme.current()
        self.setBackground(theme.colour(t.panel))
        for axis in (self.bottom, self.left):
            axis.setPen(pg.mkPen(theme.colour(t.line)))
            axis.setTextPen(pg.mkPen(theme.colour(t.muted)))
            axis.setStyle(tickFont=theme.font(theme.CAPTION), tickTextOffset=6)
        self.left.setGrid(255 if t.dark else 220)
        self.cross.setPen(pg.mkPen(theme.colour(t.muted), width=1))

    def set_range(self, x: tuple[float, float] | None = None, y: tuple[float, float] | None = None) -> None:
        """Show exactly this part of the plane."""
        box = self.getPlotItem().getViewBox()
        if x is not None and x[1] > x[0]:
            box.setXRange(*x, padding=0)
        if y is not None and y[1] > y[0]:
            box.setYRange(*y, padding=0)

    def point_at(self, x: float | None, y: float | None = None) -> None:
        """Put the crosshair at x and tell it; None takes it away."""
        self.cross.setVisible(x is not None)
        if x is not None:
            self.cross.setPos(x)
        self.pointed.emit(x, y)

    def plane(self, position: QPointF) -> QPointF | None:
        """Place in the plane under a place of the widget, None outside the axes."""
        box = self.getPlotItem().getViewBox()
        scene = self.mapToScene(position.toPoint())
        return box.mapSceneToView(scene) if box.sceneBoundingRect().contains(scene) else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        place = self.plane(event.position())
        self.point_at(*((None, None) if place is None else (place.x(), place.y())))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.point_at(None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.whole_wanted.emit()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        (low, high), _ = self.getPlotItem().getViewBox().viewRange()
        at = self.cross.value() if self.cross.isVisible() else None
        match event.key():
            case Qt.Key.Key_Left:
                self.point_at(high if at is None else max(low, at - (high - low) / 60))
            case Qt.Key.Key_Right:
                self.point_at(low if at is None else min(high, at + (high - low) / 60))
            case Qt.Key.Key_Home:
                self.whole_wanted.emit()
            case Qt.Key.Key_Escape if at is not None:
                self.point_at(None)
            case _:
                event.ignore()
