"""Keeps the live pictures on the nodes: asks the session what the probe sample does in every layer.

Asks at most a few times a second, only while the canvas is seen, and never while a question is unanswered.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QTimer

from nndesigner.insight import probe
from nndesigner.training.telemetry import Answer
from nndesigner.ui.canvas.thumbnails import Curves
from nndesigner.ui.runner import Runner

if TYPE_CHECKING:
    from nndesigner.training.trainer import Trainer
    from nndesigner.ui.canvas.view import CanvasView

#: shortest time between two questions
_INTERVAL_MS = 300
_KEY = "pictures"
#: largest part of the training's time that pictures may take
_SHARE = 0.03
#: points of a neuron's curve where the data have one input
_CURVE_POINTS = 60


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
        self._timer.timeout.connect(self._ask)
        runner.session_changed.connect(self._another_session)
        runner.state_changed.connect(self.refresh)
        runner.telemetry_changed.connect(self._telemetry)
        runner.answered.connect(self._answered)
        view.installEventFilter(self)
        self.refresh()

    @property
    def row(self) -> int:
        """Row of the test part that is looked at."""
        return self._row

    def set_probe(self, row: int) -> None:
        """Look at another sample of the test part."""
        if row != self._row:
            self._row = row
            self.refresh()

    def refresh(self, *_: object) -> None:
        """Ask as soon as allowed."""
        self._wanted = True
        if not self._timer.isActive() and self._ticket is None:
            self._ask()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show:
            self._wanted = True
            self._timer.start(_INTERVAL_MS)
        elif event.type() == QEvent.Type.Hide:
            self._timer.stop()
        return False

    def _another_session(self) -> None:
        self._ticket, self._step = None, -1
        if self._runner.session is None:
            self._view.board.show_pictures({}, {})
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
        self._ticket = self._runner.ask(_KEY, lambda trainer: look(trainer, row))

    def _answered(self, answer: Answer) -> None:
        if answer.key != _KEY or answer.ticket != self._ticket:
            return
        self._ticket, pause = None, _INTERVAL_MS
        if not answer.error:
            seen: Seen = answer.value
            self._view.board.show_pictures(seen.pictures, seen.right)
            self._view.board.show_signals(seen.strengths)
            pause = max(pause, round(1000 * seen.seconds / _SHARE))
        if self._view.isVisible():
            self._timer.start(pause)


@dataclass(frozen=True, eq=False)
class Seen:
    """What one question brought, by node: pictures, whether answers are true, and strengths of signals from 0 to 1."""

    pictures: dict[str, Any]
    right: dict[str, bool]
    strengths: dict[str, float]
    #: how long it took to find out
    seconds: float


def look(trainer: Trainer, row: int) -> Seen:
    """On the session's thread: what every node does with one sample of the test part.

    Where the data have one or two inputs, a neuron is shown by its answers over all of them: a curve, or a map.
    """
    start = time.perf_counter()
    network, prepared = trainer.network, trainer.prepared
    part = next((p for p in (prepared.test, prepared.validation, prepared.train) if len(p)), prepared.train)
    sample = probe.sample_of(part, min(row, len(part) - 1))
    pictures: dict[str, Any] = dict(probe.node_pictures(network, sample, prepared.preparation))
    right = {
        head.node: int(sample[head.target][0]) == head.classes.index(pictures[head.node].label)
        for head in network.checked.heads.values()
        if head.task == "classification" and pictures[head.node].label in head.classes
    }
    right |= {
        head.node: pictures[head.node].label == prepared.preparation.decode(head.target, sample[head.target])[0]
        for head in network.checked.heads.values() if head.task == "transcription"
    }
    inputs = prepared.preparation.inputs
    if network.heads and all(column.kind == "number" for column in inputs):
        if len(inputs) == 2:
            pictures.update(_over_plane(probe.decision_map(network, prepared, size=probe.NEURON_SIDE)))
        elif len(inputs) == 1:
            answers = probe.curve_map(network, prepared, size=_CURVE_POINTS)
            pictures.update({node: Curves(values) for node, values in answers.neurons.items()})
            if answers.task == "regression":
                pictures[answers.head] = Curves(answers.values.T)
    return Seen(pictures, right, _strengths(pictures), time.perf_counter() - start)


def _over_plane(answers: probe.DecisionMap) -> dict[str, probe.NodePicture]:
    """Maps of the neurons with the vertical axis upwards; of the answer where it has one number or two classes."""
    found = {node: probe.NodePicture("maps", values[:, ::-1]) for node, values in answers.neurons.items()}
    values = answers.values[::-1]
    if values.shape[-1] == 2:
        found[answers.head] = probe.NodePicture("maps", (values[..., 1] - values[..., 0])[None])
    elif values.shape[-1] == 1:
        centred = values[..., 0] - (0.5 if answers.task == "classification" else np.mean(values))
        found[answers.head] = probe.NodePicture("maps", centred[None])
    return found


def _strengths(pictures: dict[str, Any]) -> dict[str, float]:
    """Mean size of what each node gives, 0 to 1 among the nodes of the drawing."""
    sizes = {node: float(np.mean(np.abs(p.data))) for node, p in pictures.items() if p.kind in ("maps", "bars")}
    sizes = {node: size for node, size in sizes.items() if np.isfinite(size)}
    most = max(sizes.values(), default=0.0)
    return {node: (size / most) ** 0.5 for node, size in sizes.items()} if most > 0 else {}
