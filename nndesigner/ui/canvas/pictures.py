"""Keeps the live pictures on the nodes: asks the session what the probe sample does in every layer, and shows the answers.

Asks at most a few times a second, only while the canvas is seen, and never while a question is unanswered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QTimer

from nndesigner.training.telemetry import Answer
from nndesigner.ui.runner import Runner

if TYPE_CHECKING:
    from nndesigner.training.trainer import Trainer
    from nndesigner.ui.canvas.view import CanvasView

#: shortest time between two questions
_INTERVAL_MS = 200
_KEY = "pictures"


class PictureFeed(QObject):
    """Between runner and scene."""

    def __init__(self, view: CanvasView, runner: Runner) -> None:
        super().__init__(view)
        self._view, self._runner = view, runner
        #: row of the test part that is looked at
        self._row = 0
        self._ticket: int | None = None
        self._wanted = False
        self._step = -1
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.timeout.connect(self._ask)
        runner.session_changed.connect(self._another_session)
        runner.state_changed.connect(lambda _: self.refresh())
        runner.telemetry_changed.connect(self._telemetry)
        runner.answered.connect(self._answered)
        view.installEventFilter(self)
        self.refresh()

    @property
    def probe(self) -> int:
        return self._row

    def set_probe(self, row: int) -> None:
        """Look at another sample of the test part."""
        if row != self._row:
            self._row = row
            self.refresh()

    def refresh(self) -> None:
        """Ask as soon as allowed."""
        self._wanted = True
        if not self._timer.isActive() and self._ticket is None:
            self._ask()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show:
            self._wanted = True
            self._timer.start(0)
            self._timer.setInterval(_INTERVAL_MS)
        elif event.type() == QEvent.Type.Hide:
            self._timer.stop()
        return False

    def _another_session(self) -> None:
        self._ticket, self._step = None, -1
        if self._runner.session is None:
            self._view.board.show_pictures({})
            self._view.board.show_signals({})
        self.refresh()

    def _telemetry(self, telemetry: Any) -> None:
        if telemetry.step != self._step:
            self._step = telemetry.step
            self.refresh()

    def _ask(self) -> None:
        if (
            not self._wanted
            or not self._view.isVisible()
            or self._runner.state in ("none", "preparing", "failed", "closed")
        ):
            return
        self._wanted = False
        row = self._row
        self._ticket = self._runner.ask(_KEY, lambda trainer: _look(trainer, row))

    def _answered(self, answer: Answer) -> None:
        if answer.key != _KEY or answer.ticket != self._ticket:
            return
        self._ticket = None
        if not answer.error:
            pictures, strengths = answer.value
            self._view.board.show_pictures(pictures)
            self._view.board.show_signals(strengths)
        if self._view.isVisible():
            self._timer.start()


def _look(trainer: Trainer, row: int) -> tuple[dict[str, Any], dict[str, float]]:
    """On the session's thread: pictures of every node for one sample of the test part, and how strong its signals are."""
    from nndesigner.insight.probe import node_pictures

    prepared = trainer.prepared
    part = next((p for p in (prepared.test, prepared.validation, prepared.train) if len(p)), prepared.train)
    row = min(row, len(part) - 1)
    sample = {f.name: part.arrays[f.name][row : row + 1] for f in prepared.signature.inputs}
    return node_pictures(trainer.network, sample), {}
