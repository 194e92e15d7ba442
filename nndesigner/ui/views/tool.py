"""The small buttons in the head line of a view."""

from __future__ import annotations

from PySide6.QtWidgets import QToolButton

from nndesigner.ui.parts import set_icon
from nndesigner.ui.stylesheet import role


def tool(icon: str, tip: str, text: str = "", checkable: bool = False) -> QToolButton:
    """A small button of a view's head line."""
    button = QToolButton()
    role(button, "view")
    button.setFixedHeight(26)
    button.setToolTip(tip)
    button.setAccessibleName(text or tip)
    button.setCheckable(checkable)
    if text:
        button.setText(text)
    if icon:
        set_icon(button, icon, "muted")
    return button
