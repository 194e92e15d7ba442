"""The frame around an open group: a quiet card behind its nodes, with a title to hold and a button to fold it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from nndesigner.graph.model import Group
from nndesigner.ui import icons, theme
from nndesigner.ui.canvas.area_item import AreaItem
from nndesigner.ui.canvas.geometry import CORNER

#: height of the strip in which the frame can be taken
TITLE_H = 30.0
#: below this zoom a title is only pixels
_WORDLESS = 0.2


class GroupItem(AreaItem):
    """One frame. The scene says where it is; the view says what is done with it."""

    def __init__(self, group: Group) -> None:
        super().__init__(QRectF(), -2)
        self.group = group

    def show_group(self, group: Group) -> None:
        if group is not self.group:
            self.group = group
            self.update()

    @property
    def title_area(self) -> QRectF:
        return QRectF(self.area.left(), self.area.top(), self.area.width(), TITLE_H)

    @property
    def button_area(self) -> QRectF:
        """Where a press folds."""
        return QRectF(self.area.left() + 6, self.area.top() + 4, 24, 24)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.title_area)
        return path

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        tokens = theme.current()
        colour = theme.group_colour(theme.MARKS[self.group.colour or "grey"])
        painter.setPen(QPen(theme.colour(tokens.accent) if self._selected else theme.colour(colour, 0.45),
                            2.0 if self._selected else 1.0))
        painter.setBrush(theme.colour(colour, 0.07))
        painter.drawRoundedRect(self.area, CORNER + 4, CORNER + 4)
        zoom = painter.worldTransform().m11()
        if zoom < _WORDLESS:
            return
        icons.paint(painter, self.button_area.adjusted(4, 4, -4, -4), "mdi6.chevron-down", tokens.muted)
        count = f"{len(self.group.members)} layers" if len(self.group.members) > 1 else "1 layer"
        font, small = theme.font(13, 600), theme.font(11)
        wide = QFontMetricsF(small).horizontalAdvance(count)
        room = self.area.width() - 44 - wide - 16
        row = self.title_area.adjusted(32, 2, -12, 2)
        painter.setFont(font)
        painter.setPen(theme.colour(tokens.text))
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter,
                         QFontMetricsF(font).elidedText(self.group.title, Qt.TextElideMode.ElideMiddle, room))
        painter.setFont(small)
        painter.setPen(theme.colour(tokens.muted))
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, count)
