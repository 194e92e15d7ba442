"""Train a project without a window, by the same session that the window uses."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from nndesigner.data.dataset import DataError
from nndesigner.data.preparing import Prepared, prepare
from nndesigner.data.source import quiet
from nndesigner.engine.device import Device
from nndesigner.graph.check import Checked, check
from nndesigner.project.design import Design
from nndesigner.project.file import Project
from nndesigner.training.checkpoint import Checkpoint
from nndesigner.training.session import Session
from nndesigner.training.telemetry import Telemetry
from nndesigner.training.trainer import Trainer

#: seconds between looks at the session, and between checkpoints handed to `keep`
LOOK_EVERY = 0.05
KEEP_EVERY = 60.0

PARTS = ("train", "validation", "test")


class RunFailed(Exception):
    """Training could not start or failed. The text is a sentence and names the layer where one is known."""


@dataclass(frozen=True)
class Outcome:
    """What a run gave."""

    #: the project with weights, preparing and curves
    project: Project
    #: part ("train", "validation", "test"; only those with samples) -> metric -> value
    metrics: Mapping[str, Mapping[str, float]]
    telemetry: Telemetry
    #: stopped by the user before its end
    interrupted: bool


def load_data(design: Design, folder: Path | None = None) -> Prepared:
    """Load and prepare the data of a design; relative paths count from `folder`. Raises DataError."""
    if design.data.source is None:
        raise DataError("The project has no data: choose a data set in the window.")
    return prepare(design.data.source.resolve(folder).load(quiet), design.data)


def checked_for_training(design: Design, prepared: Prepared) -> Checked:
    """The checked drawing. Raises RunFailed when it cannot be trained."""
    checked = check(design.graph, prepared.signature)
    if not checked.trainable:
        errors = [p for p in checked.problems if p.severity == "error"]
        raise RunFailed(sentence(checked, errors[0].text, errors[0].node) if errors else "The drawing has no Output.")
    return checked


def sentence(checked: Checked, text: str, node: str | None) -> str:
    """A problem with the name of the layer in front, unless the text names it already."""
    title = checked.graph.by_id[node].title if node in checked.graph.by_id else ""
    return text if title in text else f"{title}: {text}"


def train(
    project: Project,
    prepared: Prepared,
    *,
    resume: bool = False,
    more_epochs: int = 0,
    follow: Callable[[Telemetry], None] = lambda telemetry: None,
    keep: Callable[[Project], None] | None = None,
) -> Outcome:
    """Train to the end, or until the user interrupts with Ctrl-C; what was learned until then is in the outcome.

    With `resume` the saved run goes on where it stood, for `more_epochs` beyond its end. `follow` sees the telemetry
    some 20 times a second, `keep` the project once a minute. Raises RunFailed, and what `follow` and `keep` raise.
    """
    checked = checked_for_training(project.design, prepared)
    settings = project.design.training
    checkpoint = project.checkpoint if resume else None
    session = Session(lambda: Trainer(checked, prepared, settings, Device(settings.device), checkpoint))

    def result(checkpoint: Checkpoint, telemetry: Telemetry) -> Project:
        return replace(
            project, checkpoint=checkpoint, preparation=prepared.preparation, history=dict(telemetry.curves),
            trained_design=None, described=prepared.description)

    try:
        interrupted = False
        kept = time.monotonic()
        try:
            _wait(session, checked, follow, "ready")
            if more_epochs:
                session.extend(more_epochs)
            session.start()
            while (telemetry := _look(session, checked, follow)).state not in ("finished", "stopped"):
                if keep is not None and time.monotonic() - kept > KEEP_EVERY:
                    keep(result(_ask(session, checked, lambda trainer: trainer.checkpoint()), telemetry))
                    kept = time.monotonic()
                time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            interrupted = True
            session.stop()
            telemetry = _wait(session, checked, follow, "stopped", "finished", "ready")
        parts = [part for part in PARTS if len(prepared.part(part))]
        checkpoint, metrics = _ask(
            session, checked,
            lambda trainer: (trainer.checkpoint(), {part: trainer.evaluate(part) for part in parts}))
        return Outcome(result(checkpoint, telemetry), metrics, telemetry, interrupted)
    finally:
        session.close(5.0)


def _look(session: Session, checked: Checked, follow: Callable[[Telemetry], None]) -> Telemetry:
    telemetry, _ = session.poll()
    follow(telemetry)
    if telemetry.state in ("failed", "closed"):
        failure = telemetry.failure
        raise RunFailed(sentence(checked, failure.text, failure.node) if failure else "The run ended unexpectedly.")
    return telemetry


def _wait(session: Session, checked: Checked, follow: Callable[[Telemetry], None], *states: str) -> Telemetry:
    while (telemetry := _look(session, checked, follow)).state not in states:
        time.sleep(LOOK_EVERY)
    return telemetry


def _ask(session: Session, checked: Checked, question: Callable[[Trainer], object]) -> object:
    """Put a question to the session and wait for its answer."""
    ticket = session.ask("project", question)
    while True:
        telemetry, answers = session.poll()
        for answer in answers:
            if answer.ticket == ticket:
                if answer.error:
                    raise RunFailed(answer.error)
                return answer.value
        if telemetry.state in ("failed", "closed"):
            _look(session, checked, lambda telemetry: None)
        time.sleep(0.005)
