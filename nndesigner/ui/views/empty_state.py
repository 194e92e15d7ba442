"""What a view shows while it has nothing to show: one icon, and a sentence that says what to do."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from nndesigner.ui import icons, theme

_ICON = 28
_MAX_WIDTH = 360


class EmptyState(QWidget):
    """An icon above a sentence, both centred; the sentence wraps."""

    def __init__(self, icon: str, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.set_text(text)

    @property
    def text(self) -> str:
        return self._text

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 96)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        t = theme.current()
        painter.setFont(theme.font(theme.BASE))
        width = min(_MAX_WIDTH, self.width() - 24)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        needed = painter.fontMetrics().boundingRect(0, 0, width, 10_000, int(flags), self._text).height()
        with_icon = self.height() >= needed + _ICON + 16
        top = (self.height() - needed - (_ICON + 8 if with_icon else 0)) / 2
        if with_icon:
            icons.paint(painter, QRectF((self.width() - _ICON) / 2, top, _ICON, _ICON), self._icon, t.faint)
            top += _ICON + 8
        painter.setFont(theme.font(theme.BASE))
        painter.setPen(theme.colour(t.muted))
        painter.drawText(QRectF((self.width() - width) / 2, max(0.0, top), width, needed + 4), int(flags), self._text)
