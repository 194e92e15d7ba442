"""The sentence that says near the cursor why something cannot be done. It goes away by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from nndesigner.ui.canvas.overlay import BubbleItem

if TYPE_CHECKING:
    from nndesigner.ui.canvas.view import CanvasView

_SHOWN_MS = 4000


class Refusal(QObject):
    """One sentence at a time; also spoken by screen readers."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view = view
        self._bubble: BubbleItem | None = None
        self._timer = view.one_shot(_SHOWN_MS, self.end)

    @property
    def text(self) -> str:
        """What is shown now; empty for nothing."""
        return self._bubble.text if self._bubble is not None else ""

    def say(self, text: str, at: QPointF) -> None:
        """Show a sentence at a point of the scene."""
        self.end()
        self._bubble = BubbleItem()
        self._view.board.addItem(self._bubble)
        self._bubble.say(text, at, "error")
        self._timer.start()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._view, text))

    def end(self) -> None:
        """Take it away."""
        self._timer.stop()
        if self._bubble is not None:
            self._view.board.removeItem(self._bubble)
            self._bubble = None
