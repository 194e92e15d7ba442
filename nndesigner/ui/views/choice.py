"""A small button that shows one of a few choices and offers the others in its menu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QStyle, QStyleOptionToolButton, QToolButton, QWidget

from nndesigner.ui import icons, theme
from nndesigner.ui.stylesheet import role

_PAD = 5
_ARROW = 12


class Choice(QToolButton):
    """Text of the chosen item; click, Space or Down opens the list. `chosen` tells only of choices by the user."""

    chosen = Signal()

    def __init__(self, items: Sequence[tuple[str, Any]], value: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[tuple[str, Any]] = []
        self._value: Any = None
        role(self, "view")
        self.setFixedHeight(26)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        theme.notifier.changed.connect(self.update)
        self.setMenu(QMenu(self))
        self._group = QActionGroup(self)
        self.offer(items, value)

    @property
    def value(self) -> Any:
        """What the chosen item stands for; None without items."""
        return self._value

    @property
    def values(self) -> list[Any]:
        return [value for _, value in self._items]

    def offer(self, items: Sequence[tuple[str, Any]], value: Any) -> None:
        """Other items; `value` is chosen when it is among them, else the first."""
        self._items = list(items)
        menu = self.menu()
        menu.clear()
        for text, item in self._items:
            action = menu.addAction(text.replace("&", "&&"))
            action.setCheckable(True)
            action.setData(item)
            self._group.addAction(action)
            action.triggered.connect(lambda _=False, chosen=item: self.choose(chosen))
        self._show(value if value in self.values else (self.values[0] if self._items else None))

    def choose(self, value: Any) -> None:
        """Choose as the user does."""
        if value != self._value:
            self._show(value)
            self.chosen.emit()

    def _show(self, value: Any) -> None:
        self._value = value
        text = next((text for text, item in self._items if item == value), "")
        self.setText(text if len(text) <= 28 else text[:27] + "…")
        self.setAccessibleDescription(text)
        for action in self.menu().actions():
            action.setChecked(action.data() == value)

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2 * _PAD + _ARROW + 2, 26)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        painter = QPainter(self)
        self.style().drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option, painter, self)
        t = theme.current()
        lively = self.underMouse() or self.hasFocus()
        painter.setPen(theme.colour(t.faint if not self.isEnabled() else t.text if lively else t.muted))
        painter.setFont(self.font())
        painter.drawText(QRectF(self.rect()).adjusted(_PAD, 0, -_PAD - _ARROW, 0),
                         Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        icons.paint(painter, QRectF(self.width() - _PAD - _ARROW, (self.height() - _ARROW) / 2, _ARROW, _ARROW),
                    "mdi6.chevron-down", t.muted)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.showMenu()
        else:
            super().keyPressEvent(event)
