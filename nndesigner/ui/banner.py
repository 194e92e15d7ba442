"""One message at a time above the canvas: what happened, and buttons for what can be done. It blocks nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton

from nndesigner.ui import icons, theme
from nndesigner.ui.parts import button, clear, follow_theme, label, line, margins, set_icon
from nndesigner.ui.stylesheet import role

ICONS = {"error": "mdi6.alert-circle", "warning": "mdi6.alert", "note": "mdi6.information",
         "offer": "mdi6.lightbulb-on"}


class Banner(QFrame):
    """Hidden until something is to be said."""

    def __init__(self) -> None:
        super().__init__()
        self._kind = "note"
        #: what the message is about, so that who said it can take it back
        self.subject = ""
        layout = QHBoxLayout(self)
        margins(layout, 12, 6, 8, 6, gap=8)
        self._mark = QLabel()
        self.words = label("", wrap=True)
        self._buttons = line(gap=8)
        close = QToolButton()
        set_icon(close, "mdi6.close", "muted")
        close.setToolTip("Close this message (Esc)")
        close.setAccessibleName("Close this message")
        close.clicked.connect(self.hide)
        layout.addWidget(self._mark)
        layout.addWidget(self.words, 1)
        layout.addLayout(self._buttons)
        layout.addWidget(close)
        follow_theme(self, self._colour)
        self.hide()

    def say(self, kind: str, words: str, *answers: tuple[str, Callable[[], object]], subject: str = "") -> None:
        """Show a message of kind "error", "warning", "note" or "offer" with buttons that also close it."""
        self._kind, self.subject = kind, subject
        role(self, f"banner-{kind}")
        self.words.setText(words)
        self.setAccessibleName(words)
        clear(self._buttons)
        for index, (name, run) in enumerate(answers):
            kind_of_button = "primary" if index == 0 and kind == "offer" else ""
            made = button(name, kind_of_button, clicked=lambda r=run: self._answer(r))
            self._buttons.addWidget(made)
        self._colour()
        self.show()

    def take_back(self, subject: str) -> None:
        """Hide the message if it is about this."""
        if self.subject == subject:
            self.hide()

    def answer_buttons(self) -> list[str]:
        """The names of the buttons."""
        return [self._buttons.itemAt(i).widget().text() for i in range(self._buttons.count())]

    def keyPressEvent(self, event: object) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _answer(self, run: Callable[[], object]) -> None:
        self.hide()
        run()

    def _colour(self) -> None:
        tokens = theme.current()
        colour = {"error": tokens.wrong_text, "warning": tokens.warning_text}.get(self._kind, tokens.accent)
        self._mark.setPixmap(icons.pixmap(ICONS[self._kind], colour, 16, self.devicePixelRatioF()))
