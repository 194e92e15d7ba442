"""What an empty canvas says: the next steps, quietly, in the middle."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from nndesigner.ui import icons, theme

_TITLE = "Build your first network"
_STEPS = (
    ("mdi6.gesture-tap-hold", "Drag a layer here from the list on the left"),
    ("mdi6.cursor-default-click-outline", "Double-click, or press Space, to search one"),
    ("mdi6.file-import-outline", "Drop a data file to train on"),
)


class EmptyState(QWidget):
    """Lies over the canvas and lets every event through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(_TITLE)
        self.setAccessibleDescription(". ".join(text for _, text in _STEPS))
        theme.notifier.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, row = 320.0, 28.0
        height = 126 + 40 + row * len(_STEPS)
        left, top = (self.width() - width) / 2, (self.height() - height) / 2
        # two outlined nodes and a wire between them: what is going to stand here
        pen = QPen(theme.colour(tokens.faint, 0.7), 1.5, Qt.PenStyle.DashLine)
        middle = self.width() / 2
        painter.setPen(pen)
        for x in (middle - 124, middle + 24):
            painter.drawRoundedRect(QRectF(x, top, 100, 78), 10, 10)
        painter.setPen(QPen(theme.colour(tokens.accent), 2))
        painter.drawLine(round(middle - 19), round(top + 39), round(middle + 19), round(top + 39))
        painter.setBrush(theme.colour(tokens.canvas))
        for x in (middle - 24, middle + 24):
            painter.drawEllipse(QRectF(x - 5, top + 34, 10, 10))
        painter.setPen(theme.colour(tokens.text))
        painter.setFont(theme.font(theme.PANEL_TITLE, 600))
        painter.drawText(QRectF(left, top + 102, width, 24), Qt.AlignmentFlag.AlignCenter, _TITLE)
        painter.setFont(theme.font(theme.BASE))
        for number, (icon, text) in enumerate(_STEPS):
            y = top + 142 + number * row
            icons.paint(painter, QRectF(left + 10, y, 16, 16), icon, tokens.muted)
            painter.setFont(theme.font(theme.BASE))
            painter.setPen(theme.colour(tokens.muted))
            painter.drawText(QRectF(left + 38, y - 4, width - 38, 24), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
