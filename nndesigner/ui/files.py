"""Opening, saving and keeping the project: files, recent files, unsaved work, recovery after a crash.

Every failure is a sentence in the banner, and changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSettings, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from nndesigner.data.corrections import Corrections
from nndesigner.data.description import Description, changes
from nndesigner.project import file as project_file
from nndesigner.project.corrections import save_corrections
from nndesigner.project.file import Project, ProjectError
from nndesigner.project.recovery import Autosave, Recovery, pending
from nndesigner.training.telemetry import Answer
from nndesigner.ui.banner import Banner
from nndesigner.ui.dialogs import Question
from nndesigner.ui.document import Document
from nndesigner.ui.remembered import texts
from nndesigner.ui.runner import Runner

FILTER = "nndesigner projects (*.nnd)"
MOST_RECENT = 12
#: pause in editing after which the unsaved project is kept, and how often while training, in milliseconds
AUTOSAVE_PAUSE, AUTOSAVE_TRAINING = 3000, 60_000
KEY = "autosave checkpoint"


class Files(QObject):
    """What stands between the open document and the disk."""

    #: another project is shown; True when it may be trained at once (a template)
    opened = Signal()
    saved = Signal()
    recent_changed = Signal()

    def __init__(self, document: Document, runner: Runner, banner: Banner, window: QWidget) -> None:
        super().__init__(window)
        self._document, self._runner, self._banner, self._window = document, runner, banner, window
        #: plain JSON of the project beside the design
        self.meta: Mapping[str, Any] = {}
        #: a project whose weights are not in a session (yet): its data are being loaded, or cannot be
        self._kept: Project | None = None
        self._saved_step = 0
        #: what is corrected in the file on the disk
        self._saved_corrections: Corrections = ()
        #: the data of the opened file as they were, until they are loaded
        self._described: Description | None = None
        #: the question on the screen, for the keyboard and for tests
        self.question: Question | None = None
        self._autosave: Autosave | None = None
        self._writing: threading.Thread | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._keep)
        document.changed.connect(lambda *_: self._pause.start(AUTOSAVE_PAUSE))
        document.data_changed.connect(self._restore_weights)
        runner.answered.connect(self._on_answered)
        runner.state_changed.connect(self._on_state)

    # --- reading ---

    @property
    def unsaved(self) -> bool:
        """Something would be lost: an edit, or what was learned."""
        return self._document.modified or self.learned_unsaved

    @property
    def learned_unsaved(self) -> bool:
        """The network has learned since it was saved."""
        return self._runner.trained and self._runner.telemetry.step != self._saved_step

    @property
    def title(self) -> str:
        """Name of the project without its ending."""
        return self._document.path.stem if self._document.path else str(self.meta.get("title") or "Untitled")

    @staticmethod
    def recent() -> list[Path]:
        """Recently used files that still exist, newest first."""
        return [path for path in map(Path, texts("recent")) if path.is_file()]

    # --- new and open ---

    def new(self) -> None:
        """An empty project, after the question about unsaved work."""
        self.when_safe(lambda: self._show(Project(), None))

    def ask_open(self) -> None:
        """Choose a file and open it."""
        start = str(self._document.path.parent) if self._document.path else ""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open a project", start, FILTER)
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Open a file, after the question about unsaved work."""
        self.when_safe(lambda: self.open_now(path))

    def open_now(self, path: Path, template: bool = False) -> bool:
        """Open a file in place of what is shown; a template becomes a project without a file. False when it cannot."""
        try:
            project = project_file.load(path)
        except ProjectError as error:
            self._banner.say("error", str(error), subject="file")
            return False
        except OSError as error:
            self._banner.say("error", f"'{path.name}' cannot be read ({error.strerror or error}).", subject="file")
            return False
        self._show(project, None if template else path.absolute())
        if not template:
            self._remember(path.absolute())
        return True

    def _show(self, project: Project, path: Path | None) -> None:
        self._banner.hide()
        self._runner.drop()
        self.meta = dict(project.meta)
        self._kept = project if project.checkpoint is not None else None
        self._saved_step = 0
        self._saved_corrections = project.design.data.corrections
        self._described = project.described
        self._document.select(())
        self._document.open(project.design, path)
        self._pause.stop()
        self._clear_autosave()
        self.opened.emit()

    def _restore_weights(self) -> None:
        """Take up the saved run as soon as the data that it was trained with are there."""
        kept, document = self._kept, self._document
        if document.data_state not in ("ready", "failed"):
            return
        changed = self._changes()
        if kept is None:
            if changed:
                self._banner.say("warning", f"The data have changed since they were saved: {changed}.", subject="data")
            return
        if document.data_state == "failed":
            self._banner.say("warning", "The data of this project could not be loaded, so what the network learned "
                             f"cannot be shown: {document.data_error} The weights are kept.", subject="data")
            return
        if kept.learned.data != document.design.data:
            return
        prepared = document.prepared
        other = kept.preparation is not None and kept.preparation.to_json() != prepared.preparation.to_json()
        if changed or other:
            words = f": {changed}" if changed else ""
            self._banner.say("warning", f"The data have changed since this network was trained{words}. Its predictions "
                             "may not mean what they did.", subject="data")
        try:
            self._runner.restore(kept.learned, prepared, kept.checkpoint)
        except ValueError as error:
            self._banner.say("warning", f"What the network learned cannot be used: {error}", subject="data")
            return
        self._kept = None
        self._saved_step = int(kept.checkpoint.state.get("updates", 0))

    def _changes(self) -> str:
        """What changed in the data since the file was saved; told once."""
        document, old, self._described = self._document, self._described, None
        if old is None or document.prepared is None or document.prepared.description is None:
            return ""
        return "; ".join(changes(old, document.prepared.description))

    # --- saving ---

    def save(self) -> bool:
        """Write the file; asks for a name when there is none. False when it was not written."""
        if self._document.path is None:
            return self.save_as()
        return self._write(self._document.path)

    def save_as(self) -> bool:
        """Choose a name and write."""
        folder = self._document.path.parent if self._document.path else Path.home()
        start = str(folder / f"{self.title}.nnd")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save the project", start, FILTER)
        if not name:
            return False
        path = Path(name)
        return self._write(path if path.suffix else path.with_suffix(".nnd"))

    def _write(self, path: Path) -> bool:
        try:
            project_file.save(self.project(), path)
        except (ProjectError, TimeoutError, RuntimeError) as error:
            self._banner.say("error", str(error), ("Save as…", self.save_as), subject="file")
            return False
        self._saved_step = self._runner.telemetry.step
        self._document.saved(path)
        self._remember(path)
        self._clear_autosave()
        self._banner.take_back("file")
        self._write_corrections(path)
        self.saved.emit()
        return True

    def _write_corrections(self, path: Path) -> None:
        """Lay a copy of changed corrections beside the data."""
        data = self._document.design.data
        if data.corrections == self._saved_corrections:
            return
        self._saved_corrections = data.corrections
        try:
            save_corrections(data, path)
        except OSError as error:
            self._banner.say("warning", "The project is saved with its corrections; no copy of them could be laid "
                             f"beside the data ({error.strerror or error}).", subject="file")

    def project(self, checkpoint: Any = None) -> Project:
        """Everything of the open project, as the file keeps it. Waits for the training step under way."""
        runner, design = self._runner, self._document.design
        checkpoint = checkpoint or runner.checkpoint()
        if checkpoint is not None:
            learned = None if runner.design == design else runner.design
            curves = runner.telemetry.curves
            return Project(design, checkpoint, runner.prepared.preparation, dict(curves), self.meta, learned,
                           runner.prepared.description)
        kept = self._kept
        if kept is not None:
            learned = None if kept.learned == design else kept.learned
            return replace(kept, design=design, trained_design=learned, meta=self.meta)
        prepared = self._document.prepared
        return Project(design, meta=self.meta, described=None if prepared is None else prepared.description)

    def _remember(self, path: Path) -> None:
        names = [str(path), *(str(p) for p in self.recent() if p != path)]
        QSettings().setValue("recent", names[:MOST_RECENT])
        self.recent_changed.emit()

    # --- unsaved work ---

    def when_safe(self, then: Callable[[], object]) -> None:
        """Do it at once when nothing would be lost, else after asking."""
        if self._runner.active:
            words = "A training is running. It ends, and what was learned so far is lost if you do not save it."
            self._ask("Stop the training?", words, ("Do not save", "Cancel", "Save"), "Save", then)
            return
        if not self.unsaved:
            then()
            return
        words = ("Your changes will be lost if you do not save them." if self._document.modified else
                 "What the network has learned will be lost if you do not save it.")
        self._ask(f"Save {self.title} first?", words, ("Do not save", "Cancel", "Save"), "Save", then)

    def _ask(self, title: str, words: str, answers: tuple[str, ...], first: str, then: Callable[[], object]) -> None:
        question = Question(self._window, title, words, answers, first)
        self.question = question
        question.finished.connect(partial(self._asked, question, then))
        question.open()

    def _asked(self, question: Question, then: Callable[[], object], _result: int) -> None:
        if self.question is question:
            self.question = None
        question.deleteLater()
        if question.answer == "Do not save" or (question.answer == "Save" and self.save()):
            then()

    # --- recovery ---

    def start_keeping(self) -> None:
        """From now on keep unsaved work aside, and offer what a crash left behind."""
        try:
            self._autosave = Autosave()
            left = pending()
        except OSError as error:
            self._banner.say("warning", f"Unsaved work cannot be kept aside ({error.strerror or error}): save often.")
            return
        for recovery in left[1:]:
            recovery.release()
        if left:
            found = left[0]
            self._banner.say(
                "offer", f"“{found.title}” was open when the program ended unexpectedly. Its last state, of "
                f"{found.saved:%d %B, %H:%M}, was kept.", ("Open it", partial(self._recover, found)),
                ("Discard", found.discard), subject="recovery")

    def _recover(self, recovery: Recovery) -> None:
        try:
            project = recovery.load()
        except ProjectError as error:
            self._banner.say("error", str(error), subject="file")
            return
        origin = recovery.origin if recovery.origin is not None and recovery.origin.is_file() else None
        self._show(Project(), None)
        self._show(project, origin)
        # The kept state is not what the file holds: an empty edit would not count, so the history starts unclean.
        self._document.undo_stack.resetClean()
        self._keep()
        recovery.discard()

    def _on_state(self, state: str) -> None:
        if state == "running":
            self._pause.start(AUTOSAVE_TRAINING)
        elif state in ("finished", "stopped"):
            self._pause.start(AUTOSAVE_PAUSE)

    def _keep(self) -> None:
        if self._autosave is None or not self.unsaved:
            return
        if self._runner.trained and self._runner.state != "failed":
            self._runner.ask(KEY, lambda trainer: trainer.checkpoint())
        else:
            self._keep_project(None)
        if self._runner.state == "running":
            self._pause.start(AUTOSAVE_TRAINING)

    def _on_answered(self, answer: Answer) -> None:
        if answer.key == KEY and not answer.error and self._autosave is not None and self.unsaved:
            self._keep_project(answer.value)

    def _keep_project(self, checkpoint: Any) -> None:
        """Write on a thread of its own: a hundred megabytes of weights must not hold up the window."""
        if self._writing is not None and self._writing.is_alive():
            self._pause.start(AUTOSAVE_PAUSE)
            return
        if checkpoint is None and self._runner.trained:
            return
        project, autosave, path = self.project(checkpoint), self._autosave, self._document.path
        self._writing = threading.Thread(
            target=_write_quietly, args=(autosave, project, path), name="autosave", daemon=True)
        self._writing.start()

    def _clear_autosave(self) -> None:
        if self._autosave is not None:
            self._finish_writing()
            self._autosave.clear()

    def _finish_writing(self) -> None:
        if self._writing is not None:
            self._writing.join(5.0)
            self._writing = None

    def close(self) -> None:
        """The window ends as it should: nothing is left to recover."""
        self._pause.stop()
        self._finish_writing()
        if self._autosave is not None:
            self._autosave.close()
            self._autosave = None


def _write_quietly(autosave: Autosave, project: Project, path: Path | None) -> None:
    """A full disk must not disturb the work; the user's own save will tell of it."""
    try:
        autosave.write(project, path)
    except ProjectError:
        return


