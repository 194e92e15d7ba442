"""Small pieces that several panels are built from: headings, rules, folds, labels that elide, scrolling columns."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nndesigner.ui import icons, theme
from nndesigner.ui.stylesheet import role


def label(text: str = "", kind: str = "", wrap: bool = False) -> QLabel:
    """A label with a role of the style sheet ("title", "caption", ...). Text is shown as it is, never as HTML."""
    found = QLabel(text)
    found.setTextFormat(Qt.TextFormat.PlainText)
    found.setWordWrap(wrap)
    if wrap:
        found.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    if kind:
        role(found, kind)
    return found


def heading(text: str) -> QLabel:
    """Heading of a section, in small capitals as the mock-up has it."""
    return label(text.upper(), "heading")


def rule(vertical: bool = False) -> QFrame:
    """A line between sections."""
    return role(QFrame(), "rule-vertical" if vertical else "rule")


def button(text: str, kind: str = "", icon: str = "", tip: str = "", clicked: Callable[[], object] | None = None,
           ) -> QPushButton:
    """A push button; its icon follows the theme and the colour of its text."""
    found = QPushButton(text)
    if kind:
        role(found, kind)
    if icon:
        set_icon(found, icon)
    if tip:
        found.setToolTip(tip)
        if not text:
            found.setAccessibleName(tip)
    if clicked is not None:
        found.clicked.connect(lambda: clicked())
    found.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return found


def set_icon(widget: QPushButton | QToolButton, name: str, token: str = "", size: int = 16) -> None:
    """Give a button an icon of the set that keeps the theme's colour. `token` names a colour of the theme."""
    widget.setProperty("icon_name", name)
    if token:
        widget.setProperty("icon_token", token)
    widget.setIconSize(QSize(size, size))
    if not widget.property("icon_follows"):
        widget.setProperty("icon_follows", True)
        follow_theme(widget, lambda: _colour_icon(widget))
    else:
        _colour_icon(widget)


def _colour_icon(widget: QPushButton | QToolButton) -> None:
    tokens = theme.current()
    default = "on_accent" if widget.property("role") == "primary" else "text"
    colour = getattr(tokens, widget.property("icon_token") or default)
    widget.setIcon(icons.icon(widget.property("icon_name"), colour, widget.iconSize().width(), tokens.faint))


class _Follower(QObject):
    """Child of the widget it refreshes: Qt ends the connection when the widget dies."""

    def __init__(self, owner: QObject, refresh: Callable[[], None]) -> None:
        super().__init__(owner)
        self._refresh = refresh
        theme.notifier.changed.connect(self.refresh)

    def refresh(self) -> None:
        self._refresh()


def follow_theme(owner: QObject, refresh: Callable[[], None]) -> None:
    """Call `refresh` now and at each change of the theme, as long as `owner` lives."""
    _Follower(owner, refresh).refresh()


def margins(layout: QLayout, *sides: int, gap: int = 8) -> QLayout:
    """Set margins (one number, or left, top, right, bottom) and the gap of a layout. Returns it."""
    layout.setContentsMargins(*(sides * 4 if len(sides) == 1 else sides or (0, 0, 0, 0)))
    layout.setSpacing(gap)
    return layout


def column(*sides: int, gap: int = 8) -> tuple[QWidget, QVBoxLayout]:
    """A widget with a vertical layout."""
    widget = QWidget()
    layout = QVBoxLayout(widget)
    margins(layout, *sides, gap=gap)
    return widget, layout


def line(*widgets: QWidget | int, gap: int = 8) -> QHBoxLayout:
    """A row of widgets; a number is a stretch."""
    layout = QHBoxLayout()
    margins(layout, 0, gap=gap)
    for widget in widgets:
        if isinstance(widget, int):
            layout.addStretch(widget)
        else:
            layout.addWidget(widget)
    return layout


def clear(layout: QLayout) -> None:
    """Remove everything from a layout and let its widgets go."""
    while layout.count():
        item = layout.takeAt(0)
        if item.widget() is not None:
            item.widget().hide()
            item.widget().deleteLater()
        elif item.layout() is not None:
            clear(item.layout())


class ElidedLabel(QLabel):
    """One line of text that is shortened in the middle where there is no room; the whole is in the tooltip."""

    def __init__(self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._mode = mode
        self.setMinimumWidth(24)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        text = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        self.setToolTip(self.text() if text != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)


class Card(QAbstractButton):
    """Base of what is painted as a card and pressed like a button: with the mouse, Space or Enter."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setText(text)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    @property
    def active(self) -> bool:
        """Under the pointer, or with the keyboard's focus."""
        return self.isEnabled() and (self.underMouse() or self.hasFocus())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class Column(QScrollArea):
    """A column that scrolls up and down and never sideways. Add to `.content` (a QVBoxLayout)."""

    def __init__(self, *sides: int, gap: int = 8) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner, self.content = column(*(sides or (12,)), gap=gap)
        self.setWidget(inner)
        role(self, "panel")


class Fold(QWidget):
    """A section that can be folded. Add to `.body` (a QVBoxLayout)."""

    def __init__(self, title: str, open_: bool = False) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        margins(layout, 0, gap=8)
        self.toggle = QPushButton(title)
        role(self.toggle, "fold")
        self.toggle.setCheckable(True)
        self.toggle.setChecked(open_)
        inner, self.body = column(0, gap=8)
        layout.addWidget(self.toggle)
        layout.addWidget(inner)
        self._inner = inner
        self.toggle.toggled.connect(self._show)
        follow_theme(self, lambda: self._show(self.toggle.isChecked()))

    def _show(self, open_: bool) -> None:
        self._inner.setVisible(open_)
        name = "mdi6.chevron-down" if open_ else "mdi6.chevron-right"
        self.toggle.setIcon(icons.icon(name, theme.current().muted, 16))


class Combo(QComboBox):
    """A choice whose text is shortened where there is no room; the wheel changes it only while it has the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(3)
        self.setMaxVisibleItems(20)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        text = option.currentText or self.placeholderText()
        area = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self)
        option.currentText = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width() - 4)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class WheelGuard(QObject):
    """Keeps the wheel from changing a field that has no focus: the panel scrolls instead."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            event.ignore()
            return True
        return False
