"""The training panel: start, how to train, the learning rate while it runs, and what happened."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSlider, QSpinBox, QVBoxLayout, QWidget

from nndesigner.engine.metrics import Metric
from nndesigner.spec import Declared
from nndesigner.training.telemetry import Failure, Telemetry
from nndesigner.ui import numbers
from nndesigner.ui.devices import Devices
from nndesigner.ui.document import Document
from nndesigner.ui.form import Choices, Form
from nndesigner.ui.parts import Column, Fold, WheelGuard, button, clear, heading, label, line, margins, rule
from nndesigner.ui.problems import SeverityMark
from nndesigner.ui.run_bar import action_button
from nndesigner.ui.run_control import RunControl
from nndesigner.ui.runner import Runner
from nndesigner.ui.stylesheet import role

#: the slider of the learning rate goes from a thousandth to a thousand times the rate of the settings
DECADES = 3
NOTCHES = 20


class TrainingPanel(Column):
    """Everything about the run."""

    #: the layer that failed is to be shown
    jump_wanted = Signal(str)

    def __init__(self, document: Document, runner: Runner, control: RunControl, devices: Devices) -> None:
        super().__init__(14, 12, 14, 12, gap=10)
        self._document, self._runner = document, runner
        content = self.content
        content.addWidget(label("Training", "title"))
        starts = QHBoxLayout()
        margins(starts, 0, gap=8)
        starts.addWidget(action_button(control.train, "primary"), 1)
        starts.addWidget(action_button(control.new_seed, text="New seed"), 1)
        content.addLayout(starts)
        same = "Train starts with the seed below and gives the same curve each time."
        content.addWidget(label(same, "caption", wrap=True))
        self.missing = label("", "warning", wrap=True)
        content.addWidget(self.missing)
        self.stale = label("The drawing or the data changed since this network was trained. Predictions and curves "
                           "are those of the earlier drawing.", "warning", wrap=True)
        content.addWidget(self.stale)
        self.failure = FailureBanner()
        self.failure.jump_wanted.connect(self.jump_wanted)
        content.addWidget(self.failure)

        content.addWidget(rule())
        self.form = Form(Choices(devices=devices.choices, fits=self._metric_fits))
        self.form.changed.connect(self._set)
        content.addWidget(self.form)
        self.find_rate = button("Find the learning rate …", icon="mdi6.chart-bell-curve", clicked=self._find_rate,
                                tip="Train a copy for a few steps with growing rates, and propose one.")
        content.addWidget(self.find_rate)

        content.addWidget(rule())
        content.addWidget(heading("While it runs"))
        self.rate = RateSlider(document, runner)
        content.addWidget(self.rate)
        more = QSpinBox()
        more.setRange(1, 100_000)
        more.setValue(control.more_epochs)
        more.setSuffix(" epochs")
        more.setMinimumWidth(80)  # its own minimum, for the largest number, is wider than the panel has room for
        more.lineEdit().setTextMargins(8, 0, 0, 0)
        more.setAccessibleName("Epochs to add")
        self._guard = WheelGuard(more)
        more.installEventFilter(self._guard)
        more.valueChanged.connect(lambda epochs: self._set_more(control, epochs))
        content.addLayout(line(action_button(control.go_on, text="Continue for"), more, 1))

        self._messages_fold = Fold("Messages", open_=True)
        content.addWidget(self._messages_fold)
        content.addStretch(1)
        self._messages: tuple[str, ...] = ()

        document.changed.connect(lambda old, new: self._show_settings())
        document.checked_changed.connect(self._show_settings)
        runner.telemetry_changed.connect(self._show_run)
        runner.state_changed.connect(lambda _: self._show_run(runner.telemetry))
        runner.session_changed.connect(lambda: self._show_run(runner.telemetry))
        runner.stale_changed.connect(lambda _: self._show_run(runner.telemetry))
        control.changed.connect(lambda: self._show_run(runner.telemetry))
        devices.changed.connect(self._show_settings)
        self._show_settings()
        self._show_run(runner.telemetry)

    def focus_seed(self) -> None:
        """Put the cursor into the seed's field."""
        editor = self.form.editors["seed"]
        self.ensureWidgetVisible(editor)
        editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_settings(self) -> None:
        self.form.show_model(self._document.design.training)
        self.rate.refresh()

    def _metric_fits(self, cls: type[Declared]) -> str:
        """Why a metric says nothing of what the drawing predicts; empty for everything else."""
        tasks = {head.task for head in self._document.checked.heads.values()}
        if not issubclass(cls, Metric) or not tasks or tasks & set(cls.tasks):
            return ""
        return f"For {' and '.join(cls.tasks)}; this network does {' and '.join(sorted(tasks))}."

    def _show_run(self, telemetry: Telemetry) -> None:
        runner = self._runner
        why_not = "" if runner.active else runner.why_not()
        self.find_rate.setEnabled(not runner.why_not())
        self.missing.setText(why_not)
        self.missing.setVisible(bool(why_not))
        self.stale.setVisible(runner.stale and runner.trained)
        failure = telemetry.failure if runner.session is not None and telemetry.state == "failed" else None
        node = None if failure is None else self._document.graph.by_id.get(failure.node or "")
        self.failure.show_failure(failure, "" if node is None else node.title)
        self.rate.refresh()
        if telemetry.messages != self._messages:
            self._messages = telemetry.messages
            clear(self._messages_fold.body)
            for message in reversed(telemetry.messages[-12:]):
                self._messages_fold.body.addWidget(label(message, "caption", wrap=True))
        self._messages_fold.setVisible(bool(telemetry.messages))

    def _find_rate(self) -> None:
        from nndesigner.ui.range_sheet import RangeSheet  # pyqtgraph would delay the start of the window

        RangeSheet(self, self._document).open()

    def _set(self, name: str, value: Any, merge_key: str | None) -> None:
        title = type(self._document.design.training).model_fields[name].title
        self._document.edit_training(f"Set {title}", merge_key, **{name: value})

    @staticmethod
    def _set_more(control: RunControl, epochs: int) -> None:
        control.more_epochs = epochs
        control.refresh()


class RateSlider(QWidget):
    """The learning rate: in the settings, and at once in a run under way. Evenly by powers of ten."""

    def __init__(self, document: Document, runner: Runner) -> None:
        super().__init__()
        self._document, self._runner = document, runner
        self._visit = 0
        self._middle: float | None = None
        layout = QVBoxLayout(self)
        margins(layout, 0, gap=4)
        self._value = label("", "value")
        self._name = label("Learning rate", "muted")
        layout.addLayout(line(self._name, 1, self._value))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(-DECADES * NOTCHES, DECADES * NOTCHES)
        self.slider.setPageStep(NOTCHES)
        self.slider.setAccessibleName("Learning rate")
        self.slider.setToolTip("Higher: faster, but it may overshoot. Acts at once in a running training.")
        self._guard = WheelGuard(self.slider)
        self.slider.installEventFilter(self._guard)
        self.slider.valueChanged.connect(self._moved)
        self.slider.sliderPressed.connect(self._grasped)
        layout.addWidget(self.slider)

    def refresh(self) -> None:
        """Show the rate of the settings; while a run is under way also the one that the schedule made of it."""
        rate = self._document.design.training.optimizer.learning_rate
        if not self.slider.isSliderDown():
            if self._middle is None or not self._near(rate):
                self._middle = rate
            with QSignalBlocker(self.slider):
                self.slider.setValue(round(math.log10(rate / self._middle) * NOTCHES))
        telemetry = self._runner.telemetry
        now = telemetry.learning_rate if self._runner.active and telemetry.learning_rate else rate
        self._value.setText(f"{now:.3g}" if math.isclose(now, rate, rel_tol=1e-3) else f"{rate:.3g} · now {now:.3g}")
        self._value.setToolTip("The schedule changes it during the run" if now != rate else "")
        self._name.setText("Learning rate")
        self._value.setAccessibleName(f"Learning rate {numbers.plain(now)}")

    def _near(self, rate: float) -> bool:
        return abs(math.log10(rate / self._middle)) < DECADES - 0.5

    def _grasped(self) -> None:
        self._visit += 1

    def _moved(self, at: int) -> None:
        rate = float(f"{self._middle * 10 ** (at / NOTCHES):.2g}")
        optimizer = self._document.design.training.optimizer
        changed = self._document.edit_training("Change the learning rate", f"learning rate {self._visit}",
                                               optimizer=optimizer.replaced(learning_rate=rate))
        if changed and self._runner.active:
            self._runner.set_learning_rate(rate)


class FailureBanner(QFrame):
    """Why the run stopped, where, and what to do."""

    jump_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        role(self, "failure")
        self._failure: Failure | None = None
        layout = QVBoxLayout(self)
        margins(layout, 10, gap=8)
        self._title = label("Training stopped", "name")
        layout.addLayout(line(SeverityMark("error"), self._title, 1))
        self._words = label("", wrap=True)
        layout.addWidget(self._words)
        self._detail = Fold("Details")
        self._detail_words = label("", "caption", wrap=True)
        self._detail_words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._detail.body.addWidget(self._detail_words)
        self.show_layer = button("Show layer", "repair", clicked=self._jump)
        layout.addWidget(self.show_layer, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._detail)
        self.hide()

    def show_failure(self, failure: Failure | None, layer: str) -> None:
        """Show a failure and the title of its layer; hide without one."""
        self._failure = failure
        self.setVisible(failure is not None)
        if failure is not None:
            self._title.setText(f"Training stopped at {layer}" if layer else "Training stopped")
            self._words.setText(failure.text)
            self._detail_words.setText(failure.detail)
            self._detail.setVisible(bool(failure.detail))
            self.show_layer.setVisible(bool(layer))

    def _jump(self) -> None:
        if self._failure is not None and self._failure.node:
            self.jump_wanted.emit(self._failure.node)
