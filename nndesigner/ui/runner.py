"""Between the window and the training session: starts runs, polls them, hands on what they tell.

The session lives on its own thread and knows no Qt; this object lives on the GUI thread and never touches its arrays.
A session exists from the moment the drawing can be trained, so that nodes show pictures before the first step.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from nndesigner.data.preparing import Prepared
from nndesigner.engine.device import Device
from nndesigner.graph.check import Checked, check
from nndesigner.graph.model import Graph
from nndesigner.project.design import Design
from nndesigner.training.checkpoint import Checkpoint
from nndesigner.training.session import Session
from nndesigner.training.telemetry import Answer, Telemetry
from nndesigner.training.trainer import Trainer
from nndesigner.ui.document import Document

#: polls a second; curves and pictures need no more, and each poll costs the training thread the interpreter lock
POLL_HZ = 15
#: pause in editing after which an untrained session is made anew for the previews
PREVIEW_DELAY_MS = 250
#: larger networks are made only when they are trained: their weights would take seconds and gigabytes after each edit
PREVIEW_PARAMETERS = 20_000_000


def _computation(graph: Graph) -> tuple:
    """What of a drawing matters for its numbers: not places and names."""
    return tuple((n.id, n.layer) for n in graph.nodes), graph.edges


class Runner(QObject):
    """Owns the training session of the open document."""

    telemetry_changed = Signal(object)
    state_changed = Signal(str)
    answered = Signal(object)
    #: another session took the place of the old one (its pictures and answers are void)
    session_changed = Signal()
    #: whether the trained network is that of the current drawing changed
    stale_changed = Signal(bool)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._session: Session | None = None
        self._design: Design | None = None
        self._prepared: Prepared | None = None
        self._checked: Checked | None = None
        self._telemetry = Telemetry()
        self._start_when_ready = False
        self._stale = False
        self._closing: list[Session] = []
        self._poll = QTimer(self)
        self._poll.setInterval(1000 // POLL_HZ)
        self._poll.timeout.connect(self._on_poll)
        self._preview = QTimer(self)
        self._preview.setSingleShot(True)
        self._preview.setInterval(PREVIEW_DELAY_MS)
        self._preview.timeout.connect(self._make_preview)
        document.checked_changed.connect(self._on_checked)
        document.changed.connect(lambda old, new: self._on_checked() if old.training != new.training else None)

    # --- reading ---

    @property
    def session(self) -> Session | None:
        return self._session

    @property
    def telemetry(self) -> Telemetry:
        return self._telemetry

    @property
    def state(self) -> str:
        """State of the session; "none" without one."""
        return "none" if self._session is None else self._telemetry.state

    @property
    def active(self) -> bool:
        """A run is under way (running, paused, or about to start)."""
        return self._session is not None and (self.state in ("running", "paused") or self._start_when_ready)

    @property
    def trained(self) -> bool:
        """The session's weights have learned something."""
        return self._session is not None and self._telemetry.step > 0

    @property
    def stale(self) -> bool:
        """The trained network belongs to an earlier drawing or other data."""
        return self._stale

    @property
    def design(self) -> Design | None:
        """The design that the session computes."""
        return self._design if self._session is not None else None

    @property
    def prepared(self) -> Prepared | None:
        """The data that the session uses."""
        return self._prepared if self._session is not None else None

    @property
    def checked(self) -> Checked | None:
        """The checked drawing that the session computes; the user may have gone on drawing since."""
        return self._checked if self._session is not None else None

    def why_not(self) -> str:
        """Why training cannot start, as a sentence; empty when it can."""
        document = self._document
        if document.data_state == "loading":
            return "The data are still being loaded."
        if document.data_state == "failed":
            return document.data_error
        if document.prepared is None:
            return "Choose data to train on."
        checked = document.checked
        error = next((p for p in checked.problems if p.severity == "error"), None)
        if error is not None:
            return error.text
        if not checked.heads:
            return "Add an Output layer: training needs something to compare with."
        return ""

    # --- commands ---

    def train(self) -> bool:
        """Start from fresh weights with the seed of the settings. Returns False (see why_not) when it cannot."""
        if self.why_not():
            return False
        if self._session is None or self.trained or self._stale or self.state not in ("preparing", "ready"):
            self._open(None)
        self._start_when_ready = True
        self._on_poll()
        return True

    def train_new_seed(self) -> bool:
        """Start with another seed, which is noted in the settings (undoable)."""
        if self.why_not():
            return False
        self._document.edit_training("Change the seed", seed=random.SystemRandom().randrange(1, 100_000))
        return self.train()

    def continue_training(self, epochs: int) -> None:
        """Go on from the learned weights for more epochs."""
        if self._session is not None and self.trained:
            self._session.extend(epochs)
            self._session.start()

    def pause(self) -> None:
        if self._session is not None:
            self._session.pause()

    def resume(self) -> None:
        if self._session is not None:
            self._session.resume()

    def step(self) -> None:
        """One step, then pause. Goes on with a run under way or stopped; opens a fresh one when there is none."""
        if self._session is None or self.state == "failed" or (self._stale and not self.trained):
            if self.why_not():
                return
            self._open(None)
        self._session.single_step()

    def stop(self) -> None:
        self._start_when_ready = False
        if self._session is not None:
            self._session.stop()

    def set_learning_rate(self, rate: float) -> None:
        """Change the rate of the running session; the settings follow as an undoable edit by the caller."""
        if self._session is not None:
            self._session.set_learning_rate(rate)

    def ask(self, key: str, fn: Callable[[Trainer], Any]) -> int | None:
        """Put a question to the session; the answer arrives through `answered`. None when there is no session."""
        return None if self._session is None else self._session.ask(key, fn)

    def restore(self, design: Design, prepared: Prepared, checkpoint: Checkpoint) -> None:
        """Take up a saved run: weights, optimiser and curves."""
        self._open(checkpoint, design, prepared)

    def checkpoint(self, seconds: float = 10.0) -> Checkpoint | None:
        """The state of the run for a file, waiting for the step under way. None when nothing was trained."""
        if self._session is None or not self.trained or self.state == "failed":
            return None
        ticket = self._session.ask("checkpoint", lambda trainer: trainer.checkpoint())
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            telemetry, answers = self._session.poll()
            found = next((a for a in answers if a.ticket == ticket), None)
            self._publish(telemetry, tuple(a for a in answers if a.ticket != ticket))
            if found is not None:
                if found.error:
                    raise RuntimeError(found.error)
                return found.value
            time.sleep(0.005)
        raise TimeoutError("The training thread did not answer in time.")

    def drop(self) -> None:
        """Forget the session (another project was opened)."""
        self._leave()
        self.session_changed.emit()
        self.state_changed.emit(self.state)

    def close(self, seconds: float = 5.0) -> bool:
        """End every session; returns whether all threads have ended."""
        self._preview.stop()
        self._poll.stop()
        self._leave()
        end = time.monotonic() + seconds
        self._closing = [s for s in self._closing if not s.close(max(0.0, end - time.monotonic()))]
        return not self._closing

    # --- inside ---

    def _open(
        self, checkpoint: Checkpoint | None, design: Design | None = None, prepared: Prepared | None = None,
    ) -> None:
        self._preview.stop()
        self._leave()
        document = self._document
        self._design = design or document.design
        self._prepared = prepared or document.prepared
        settings, data = self._design.training, self._prepared
        checked = document.checked if design is None else check(design.graph, data.signature)
        self._checked = checked
        self._session = Session(lambda: Trainer(checked, data, settings, Device(settings.device), checkpoint))
        self._telemetry = Telemetry()
        self._set_stale()
        self._poll.start()
        self.session_changed.emit()
        self.state_changed.emit(self.state)

    def _leave(self) -> None:
        self._start_when_ready = False
        if self._session is not None and not self._session.close(0.0):
            self._closing.append(self._session)
        self._session = None
        self._telemetry = Telemetry()

    def _on_checked(self) -> None:
        self._set_stale()
        if not self.active and not self.trained:
            self._preview.start()

    def _make_preview(self) -> None:
        if self.active or self.trained:
            return
        too_large = sum(self._document.checked.parameters.values()) > PREVIEW_PARAMETERS
        if too_large or self.why_not():
            if self._session is not None:
                self.drop()
        elif self._session is None or self._stale or self.state == "failed":
            self._open(None)

    def _set_stale(self) -> None:
        document = self._document
        stale = self._session is not None and (
            _computation(self._design.graph) != _computation(document.graph)
            or self._prepared is not document.prepared
            or (not self.trained and self._design.training != document.design.training)
        )
        if stale != self._stale:
            self._stale = stale
            self.stale_changed.emit(stale)

    def _on_poll(self) -> None:
        self._closing = [s for s in self._closing if not s.close(0.0)]
        if self._session is None:
            if not self._closing:
                self._poll.stop()
            return
        self._publish(*self._session.poll())
        if self._start_when_ready and self.state != "preparing":
            self._start_when_ready = False
            if self.state == "ready":
                self._session.start()

    def _publish(self, telemetry: Telemetry, answers: tuple[Answer, ...]) -> None:
        old, self._telemetry = self._telemetry, telemetry
        if telemetry is not old:
            self.telemetry_changed.emit(telemetry)
        if telemetry.state != old.state:
            self.state_changed.emit(telemetry.state)
        for answer in answers:
            self.answered.emit(answer)
