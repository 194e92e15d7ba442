"""The commands of a training run as actions, which say in their tooltips why they cannot be used just now."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence

from nndesigner.training.telemetry import Telemetry
from nndesigner.ui import numbers
from nndesigner.ui.document import Document
from nndesigner.ui.runner import Runner


class RunControl(QObject):
    """Train, pause, step, stop. `changed` after each change of what can be done."""

    changed = Signal()

    def __init__(self, document: Document, runner: Runner, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._runner = document, runner
        self.train = self._action("Train", "F5", self._toggle, "mdi6.play")
        self.new_seed = self._action("Train with a new seed", "Ctrl+F5", self._train_new_seed,
                                     "mdi6.dice-multiple-outline")
        self.step = self._action("Step", "F10", runner.step, "mdi6.skip-next")
        self.stop = self._action("Stop", "Shift+F5", runner.stop, "mdi6.stop")
        self.go_on = self._action("Continue for more epochs", "Ctrl+Shift+F5", self._continue, "mdi6.fast-forward")
        #: epochs that `go_on` adds
        self.more_epochs = 10
        self.actions = (self.train, self.new_seed, self.step, self.stop, self.go_on)
        runner.state_changed.connect(self.refresh)
        runner.session_changed.connect(self.refresh)
        runner.stale_changed.connect(self.refresh)
        document.checked_changed.connect(self.refresh)
        document.data_changed.connect(self.refresh)
        self.refresh()

    def _action(self, text: str, shortcut: str, slot: object, icon: str) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(shortcut))
        action.setProperty("icon_name", icon)
        action.triggered.connect(lambda: slot())
        return action

    def refresh(self) -> None:
        """Bring texts, tooltips and availability up to date."""
        runner = self._runner
        state, why_not = runner.state, runner.why_not()
        running = state == "running"
        starting = runner.active and state in ("preparing", "ready")
        if running or starting:
            self._set(self.train, "Pause", True, "Hold the training; it goes on where it stood", "mdi6.pause")
        elif state == "paused":
            self._set(self.train, "Resume", True, "Go on with the training", "mdi6.play")
        else:
            self._set(self.train, "Train", not why_not, why_not or "Train from fresh weights with the seed of the "
                      "settings",
                      "mdi6.play")
        self._set(self.new_seed, None, not why_not, why_not or "Train from other fresh weights: another seed is drawn")
        can_step = not running and not starting and (state == "paused" or not why_not)
        self._set(self.step, None, can_step, "Pause first" if running or starting else
                  (why_not if not can_step else "Do one step with one batch, then pause"))
        self._set(self.stop, None, runner.active, "End the run; what was learned stays" if runner.active else
                  "Nothing is being trained")
        can_go_on = runner.trained and state in ("ready", "finished", "stopped") and not runner.stale
        more = f"Train {self.more_epochs} epochs more from what was learned"
        self._set(self.go_on, None, can_go_on, more if can_go_on else self._why_not_on(state))
        self.changed.emit()

    def _why_not_on(self, state: str) -> str:
        if not self._runner.trained:
            return "Train first: there is nothing to continue yet"
        if state in ("running", "paused"):
            return "The run is not over yet"
        reason = "The drawing or the data changed since" if self._runner.stale else "The run failed"
        return f"{reason}: train anew"

    @staticmethod
    def _set(action: QAction, text: str | None, enabled: bool, tip: str, icon: str = "") -> None:
        if text is not None:
            action.setText(text)
        if icon:
            action.setProperty("icon_name", icon)
        action.setEnabled(enabled)
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({keys})" if keys else tip)

    def _toggle(self) -> None:
        state = self._runner.state
        if state == "running":
            self._runner.pause()
        elif state == "paused":
            self._runner.resume()
        elif self._runner.active:
            self._runner.stop()
        else:
            self._runner.train()
        self.refresh()

    def _train_new_seed(self) -> None:
        self._runner.train_new_seed()
        self.refresh()

    def _continue(self) -> None:
        self._runner.continue_training(self.more_epochs)


def progress_words(runner: Runner, telemetry: Telemetry) -> str:
    """Where the run stands: "epoch 19 of 30 · 4 120 samples/s · 21 s left". Without a run: what is missing for one."""
    state = telemetry.state if runner.session is not None else "none"
    epoch = f"epoch {min(telemetry.epoch + 1, telemetry.epochs)} of {numbers.exact(telemetry.epochs)}"
    if state == "running":
        parts = [epoch]
        if telemetry.samples_per_second > 0:
            parts.append(f"{numbers.exact(round(telemetry.samples_per_second))} samples/s")
        if telemetry.seconds_left is not None:
            parts.append(f"{numbers.duration(telemetry.seconds_left)} left")
        return " · ".join(parts)
    if state == "paused":
        return f"paused · {epoch} · step {numbers.exact(telemetry.step)}"
    if state == "finished":
        best = f" · best {telemetry.best_epoch}" if telemetry.best_epoch is not None else ""
        return f"finished · {numbers.exact(telemetry.epoch)} epochs in {numbers.duration(telemetry.seconds_run)}{best}"
    if state == "stopped":
        return f"stopped after {numbers.duration(telemetry.seconds_run)} · {numbers.exact(telemetry.epoch)} epochs"
    if state == "failed":
        return "stopped by a problem"
    if runner.active or state == "preparing":
        return "getting ready"
    if runner.trained:
        return f"trained for {numbers.exact(telemetry.epoch)} epochs"
    return runner.why_not() or "ready to train"
