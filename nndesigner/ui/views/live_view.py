"""A view whose picture is the answer to a question put to the training session: when it asks, and how often.

Asking costs training time, because the session answers between two steps. So a view asks only while it is seen, only
when the weights have changed since its last answer, at most four times a second, and never more than its share of the
time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QStackedLayout, QWidget

from nndesigner.training.telemetry import Answer, Telemetry
from nndesigner.ui import theme
from nndesigner.ui.document import Document
from nndesigner.ui.parts import margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.views.empty_state import EmptyState

#: shortest time between two questions of one view while training runs, in seconds
INTERVAL = 0.25
#: largest share of the time that answering and showing may take for one view while training runs
SHARE = 0.015
#: wait after a change by the user before asking, so that a row of changes is one question
SETTLE = 0.03

_numbers = count()


class LiveView(QWidget):
    """Base of such views. A subclass gives `question` and `show_answer`, and calls `ask_anew` for another question."""

    title = ""
    icon = "mdi6.chart-line"

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document, self.runner = document, runner
        self.setAccessibleName(self.title)
        self._key = f"{type(self).__name__} {next(_numbers)}"
        self._ticket: int | None = None
        #: what the newest answer showed: (step, state); None before the first one
        self._shown: tuple[int, str] | None = None
        self._asked: tuple[int, str] | None = None
        self._asked_at = 0.0
        self._cost = 0.0
        #: the question changed since it was asked
        self._outdated = False
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self._ask)
        self.content = QWidget()
        self.empty = EmptyState(self.icon)
        # a stack that belongs to no widget yet would show its pages as windows of their own, which take the keyboard
        self._stack = margins(QStackedLayout(self), 0, gap=0)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.content)
        runner.answered.connect(self._on_answered)
        runner.telemetry_changed.connect(self._on_telemetry)
        runner.state_changed.connect(self._on_state)
        runner.session_changed.connect(self._on_session)
        document.data_changed.connect(self._on_document)
        document.checked_changed.connect(self._on_document)
        theme.notifier.changed.connect(self.on_theme)

    # --- what a subclass gives ---

    def question(self) -> Callable[[Any], Any] | None:
        """A function of the Trainer, run on the session's thread, that holds nothing of Qt. None: nothing to ask."""
        raise NotImplementedError

    def show_answer(self, value: Any) -> None:
        """Show what the question found."""
        raise NotImplementedError

    def show_error(self, text: str) -> None:
        """The question could not be answered."""
        self.show_empty(text)

    def session_is_new(self) -> None:
        """Another session took the place of the old one: forget what was shown of it."""

    def on_theme(self) -> None:
        """Colours changed."""
        self.update()

    def unsuited(self) -> str:
        """Why this view cannot show the network at hand; empty when it can."""
        return ""

    def why_empty(self) -> str:
        """What to do to see something here."""
        return self.runner.why_not() or self.tr("Press Train: this fills while the network learns.")

    # --- what a subclass uses ---

    @property
    def seen(self) -> bool:
        """Whether anybody can see the view."""
        return self.isVisible() and not self.window().isMinimized()

    def ask_anew(self) -> None:
        """The question changed (a filter, a page): ask soon, whatever was answered before."""
        self._shown = self._asked = self._ticket = None
        self._schedule(SETTLE)

    def ask_soon(self) -> None:
        """The question changed a little (a stroke goes on): the answer under way is still shown, then asked again."""
        self._shown = None
        self._outdated = self._ticket is not None
        self._schedule(SETTLE)

    def show_empty(self, text: str) -> None:
        """Show a sentence in place of the content."""
        self.empty.set_text(text)
        self._stack.setCurrentWidget(self.empty)

    def show_content(self) -> None:
        self._stack.setCurrentWidget(self.content)

    @property
    def showing(self) -> bool:
        """Whether the content is shown, not a sentence."""
        return self._stack.currentWidget() is self.content

    # --- inside ---

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.say()
        self._schedule(SETTLE)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._due.stop()

    def _now(self) -> tuple[int, str]:
        state = self.runner.state
        return self.runner.telemetry.step, "running" if state == "running" else "still"

    def _schedule(self, wait: float = 0.0) -> None:
        if not self.seen or self.runner.session is None or self._ticket is not None or self._now() == self._shown:
            return
        if self.runner.state == "running" and self._shown is not None:
            since = time.monotonic() - self._asked_at
            wait = max(wait, max(INTERVAL, self._cost / SHARE) - since)
        if not self._due.isActive() or wait * 1000 < self._due.remainingTime():
            self._due.start(max(0, round(wait * 1000)))

    def _ask(self) -> None:
        if not self.seen:
            return
        # The session may have gone since this was due: there may be a drawing without outputs now.
        question = None if self.runner.session is None or self.unsuited() else self.question()
        if question is None:
            self.say()
            return
        self._asked, self._asked_at = self._now(), time.monotonic()
        self._ticket = self.runner.ask(self._key, _timed(question))

    def _on_answered(self, answer: Answer) -> None:
        if answer.key != self._key or answer.ticket != self._ticket:
            return
        self._ticket, self._shown = None, None if self._outdated else self._asked
        self._outdated = False
        if answer.error:
            self.show_error(answer.error)
            self._schedule()
            return
        value, seconds = answer.value
        begin = time.perf_counter()
        if self.isVisible():
            self.show_content()
            self.show_answer(value)
        else:
            self._shown = None
        self._cost = seconds + time.perf_counter() - begin
        self._schedule()

    def _on_telemetry(self, telemetry: Telemetry) -> None:
        self._schedule()

    def _on_state(self, state: str) -> None:
        if state == "failed":
            # a failed session may answer nothing any more
            self._ticket = None
        self.say()
        self._schedule()

    def _on_session(self) -> None:
        self._ticket = self._shown = self._asked = None
        self.session_is_new()
        self.say()
        self._schedule()

    def _on_document(self) -> None:
        self.say()

    def say(self) -> None:
        """Show the sentence while there is no session to ask."""
        if self.runner.session is None or self.unsuited():
            self.show_empty(self.unsuited() or self.why_empty())
        elif self._shown is None and not self.showing:
            self.empty.set_text(self.tr("Asking the network…") if self.runner.state != "failed" else self.why_empty())


def _timed(question: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, float]]:
    def run(trainer: Any) -> tuple[Any, float]:
        begin = time.perf_counter()
        value = question(trainer)
        return value, time.perf_counter() - begin

    return run
