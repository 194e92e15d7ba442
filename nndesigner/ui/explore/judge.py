"""Has the session's network answer every sample, a few at a time, so that training and window go on beside it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from nndesigner.insight.judging import PARTS, Judged, Judgement, gathered, judge
from nndesigner.training.telemetry import Answer
from nndesigner.training.trainer import Trainer
from nndesigner.ui.runner import Runner

KEY = "judge samples"
#: samples for each question
AT_ONCE = 512


class Judge(QObject):
    """Asks the session. `judgement` is that of the network when it was asked."""

    #: share done; a new judgement; a sentence why there is none
    progressed = Signal(float)
    judged = Signal()
    failed = Signal(str)

    def __init__(self, runner: Runner, parent: QObject) -> None:
        super().__init__(parent)
        self._runner = runner
        self.judgement: Judgement | None = None
        #: step of the run that the judgement is of
        self.step = -1
        self._places: list[tuple[str, int, int]] = []
        self._found: list[Judged] = []
        self._count = 0
        self._ticket: int | None = None
        self._asked_at = -1
        runner.answered.connect(self._on_answered)
        runner.session_changed.connect(self._forget)

    @property
    def busy(self) -> bool:
        return self._ticket is not None

    def start(self) -> None:
        """Ask about all samples."""
        prepared = self._runner.prepared
        if prepared is None or self.busy:
            return
        self._places = [(part, start, min(start + AT_ONCE, len(prepared.part(part))))
                        for part in PARTS for start in range(0, len(prepared.part(part)), AT_ONCE)]
        self._found, self._count, self._asked_at = [], len(prepared.dataset), self._runner.telemetry.step
        self._next()

    def cancel(self) -> None:
        """Ask no more."""
        self._ticket = None

    def _forget(self) -> None:
        self.cancel()
        if self.judgement is not None:
            self.judgement, self.step = None, -1
            self.judged.emit()

    def _next(self) -> None:
        if len(self._found) == len(self._places):
            self._ticket = None
            self.judgement, self.step = gathered(self._found, self._count), self._asked_at
            self._found = []
            self.judged.emit()
            return
        self.progressed.emit(len(self._found) / len(self._places))
        self._ticket = self._runner.ask(KEY, _question(*self._places[len(self._found)]))

    def _on_answered(self, answer: Answer) -> None:
        if answer.key != KEY or answer.ticket != self._ticket:
            return
        if answer.error:
            self._ticket = None
            self.failed.emit(answer.error)
            return
        self._found.append(answer.value)
        self._next()


def _question(part: str, start: int, stop: int) -> Callable[[Trainer], Judged]:
    """Holds nothing of Qt: it runs on the session's thread."""
    return lambda trainer: judge(trainer.network, trainer.prepared, part, start, stop)
