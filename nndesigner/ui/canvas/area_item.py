"""What frames of groups and notes share: a place behind the nodes, and whether it is selected."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QGraphicsItem


class AreaItem(QGraphicsItem):
    """A rectangle of the canvas."""

    def __init__(self, area: QRectF, depth: float) -> None:
        super().__init__()
        #: where it is shown in the scene, also while it is dragged
        self.area = area
        self._selected = False
        self.setZValue(depth)

    def place(self, area: QRectF) -> None:
        """Show it elsewhere, or in another size."""
        if area != self.area:
            self.prepareGeometryChange()
            self.area = area

    def set_selected(self, on: bool) -> None:
        if on != self._selected:
            self._selected = on
            self.update()

    @property
    def selected(self) -> bool:
        return self._selected

    def boundingRect(self) -> QRectF:
        return self.area.adjusted(-2, -2, 2, 2)
