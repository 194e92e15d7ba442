"""A wire on the canvas. Painted by Qt itself, with no Python in the frame; the scene says where it runs."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem

from nndesigner.graph.model import Edge
from nndesigner.ui import theme
from nndesigner.ui.canvas.geometry import WIRE_REACH

#: pen widths: of a quiet wire, and the most that a strong signal adds
WIDTH, SIGNAL = 2.0, 1.75


class EdgeItem(QGraphicsPathItem):
    """One wire. Selected and hovered in the accent; with a problem dashed in the problem's colour."""

    Type = QGraphicsItem.UserType + 2

    def __init__(self, edge: Edge) -> None:
        super().__init__()
        self.edge = edge
        self._selected = False
        self._hovered = False
        self._severity = ""
        self._signal = 0.0
        self._far = False
        self._grasp: QPainterPath | None = None
        self.setBrush(Qt.BrushStyle.NoBrush)
        self.restyle()

    def type(self) -> int:
        return EdgeItem.Type

    def run(self, path: QPainterPath) -> None:
        """Take another way."""
        self.setPath(path)
        self._grasp = None  # only now: setPath still asks for the old bounds, which Qt takes from the shape

    def set_selected(self, on: bool) -> None:
        if on != self._selected:
            self._selected = on
            self.restyle()

    def set_hovered(self, on: bool) -> None:
        if on != self._hovered:
            self._hovered = on
            self.restyle()

    def set_far(self, on: bool) -> None:
        """Seen from far away, where 2 px would be a hair."""
        if on != self._far:
            self._far = on
            self.restyle()

    def set_severity(self, severity: str) -> None:
        if severity != self._severity:
            self._severity = severity
            self.restyle()

    def set_signal(self, share: float) -> None:
        """Strength of what flows through it, 0 to 1, seen as thickness. Small changes are not worth a repaint."""
        if abs(share - self._signal) > 0.08 or (share == 0.0 and self._signal):
            self._signal = share
            self.restyle()

    @property
    def selected(self) -> bool:
        return self._selected

    @property
    def severity(self) -> str:
        return self._severity

    def restyle(self) -> None:
        """Take the pen that fits state and theme."""
        if self._selected or self._hovered:
            token = "accent"
        elif self._severity:
            token = "wrong" if self._severity == "error" else "warning"
        else:
            token = "wire"
        width = WIDTH + round(SIGNAL * self._signal * 4) / 4 + (0.5 if self._hovered and not self._selected else 0.0)
        if self._far:
            width += 3.0
        self.setPen(_pen(theme.current().name, token, width, bool(self._severity)))
        self.setZValue(0.5 if self._selected or self._hovered else 0.0)

    def shape(self) -> QPainterPath:
        if self._grasp is None:
            stroker = QPainterPathStroker()
            stroker.setWidth(WIRE_REACH)
            self._grasp = stroker.createStroke(self.path())
        return self._grasp


@cache
def _pen(theme_name: str, token: str, width: float, dashed: bool) -> QPen:
    pen = QPen(theme.colour(getattr(theme.THEMES[theme_name], token)), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    if dashed:
        pen.setDashPattern([4.0, 3.0])
    return pen
