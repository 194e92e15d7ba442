"""The way to try a language model: it goes on with a text."""

from __future__ import annotations

from itertools import count

from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QDoubleSpinBox, QPlainTextEdit, QSpinBox, QVBoxLayout, QWidget

from nndesigner.exchange.writing import MOST_TOKENS
from nndesigner.training.telemetry import Answer
from nndesigner.ui.parts import WheelGuard, button, label, line, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.views.questions import writing
from nndesigner.ui.views.tool import tool

#: tokens that are asked for at a time, so that training gets its turn and the text grows before one's eyes
AT_ONCE = 8

_keys = count()


class WritePage(QWidget):
    """A text that the network goes on with when asked. `tools` are its buttons, for the head line of the view."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._runner = runner
        self._key = f"write {next(_keys)}"
        self._ticket: int | None = None
        self._left = self._done = self._seed = 0
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText(self.tr("Type a beginning here, then let the network write on"))
        self.text.setAccessibleName(self.tr("Text"))
        self.text.setTabChangesFocus(True)
        self.go = button(self.tr("Write on"), "primary", icon="mdi6.typewriter", clicked=self._pressed)
        self.length = QSpinBox()
        self.length.setRange(1, MOST_TOKENS)
        self.length.setValue(200)
        self.length.setSuffix(self.tr(" tokens"))
        self.length.setAccessibleName(self.tr("How many characters or words"))
        self.temperature = QDoubleSpinBox()
        self.temperature.setRange(0.0, 10.0)
        self.temperature.setSingleStep(0.1)
        self.temperature.setDecimals(2)
        self.temperature.setValue(0.8)
        self.temperature.setToolTip(self.tr("Higher: bolder and less sensible; lower: safer and more repetitive; 0: "
                                            "always the most probable."))
        self.temperature.setAccessibleName(self.tr("Temperature"))
        self._guard = WheelGuard(self)
        for field in (self.length, self.temperature):
            field.lineEdit().setTextMargins(8, 0, 0, 0)
            field.installEventFilter(self._guard)
        self.note = label("", "caption", True)
        self.note.hide()
        clear = tool("mdi6.eraser", self.tr("Begin with an empty text"))
        clear.clicked.connect(self.text.clear)
        self.tools = (clear,)
        layout = margins(QVBoxLayout(self), 0, gap=8)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.note)
        name = label(self.tr("Temperature"), "muted")
        name.setBuddy(self.temperature)
        layout.addLayout(line(self.go, self.length, name, self.temperature, 1, gap=8))
        runner.answered.connect(self._on_answer)

    @property
    def busy(self) -> bool:
        """Whether the network is writing."""
        return self._ticket is not None

    def forget(self) -> None:
        """Another session: what was asked of the old one will not be answered."""
        self._rest()

    def _pressed(self) -> None:
        if self.busy:
            self._rest()
            return
        self._left, self._done, self._seed = self.length.value(), 0, self._seed + 1
        self.note.hide()
        self.text.setReadOnly(True)
        self.go.setText(self.tr("Stop"))
        self._ask()

    def _ask(self) -> None:
        self._ticket = self._runner.ask(self._key, writing(
            self.text.toPlainText(), min(AT_ONCE, self._left), self.temperature.value(), self._seed, self._done))
        if self._ticket is None:
            self._rest()

    def _on_answer(self, answer: Answer) -> None:
        if answer.key != self._key or answer.ticket != self._ticket:
            return
        if answer.error:
            self.note.setText(answer.error)
            self.note.show()
            self._rest()
            return
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        self.text.insertPlainText(answer.value)
        self.text.ensureCursorVisible()
        asked = min(AT_ONCE, self._left)
        self._left -= asked
        self._done += asked
        if self._left:
            self._ask()
        else:
            self._rest()

    def _rest(self) -> None:
        self._ticket = None
        self.text.setReadOnly(False)
        self.go.setText(self.tr("Write on"))
