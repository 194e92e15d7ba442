"""The open project: one frozen Design, its undo history, and what follows from it (problems, prepared data).

Widgets read from here, change it only through `edit`, and refresh on its signals.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from nndesigner.data.dataset import DataError, Dataset
from nndesigner.data.preparing import DataSettings, Prepared, augmented, prepare
from nndesigner.data.source import Cancelled, Source
from nndesigner.graph.check import Checked, check
from nndesigner.graph.model import Graph
from nndesigner.project.design import Design
from nndesigner.spec import Signature

#: samples that the data panel shows at once
SHOWN_FIRST = 80


class _DesignEdit(QUndoCommand):
    """One step of the history: the whole value before and after. It has no parent (see qt traps: that crashes)."""

    def __init__(self, document: Document, text: str, before: Design, after: Design, merge_key: str | None) -> None:
        super().__init__(text)
        self.document, self.before, self.after, self.merge_key = document, before, after, merge_key

    def id(self) -> int:
        return 1 if self.merge_key is not None else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if other.merge_key != self.merge_key:
            return False
        self.after = other.after
        self.setObsolete(self.after == self.before)
        return True

    def redo(self) -> None:
        self.document._show(self.after)

    def undo(self) -> None:
        self.document._show(self.before)


class DataJob:
    """Loads and prepares data on a thread of its own. Owns no QObject; the document polls it."""

    def __init__(self, settings: DataSettings, base: Path | None, loaded: tuple[Source, Dataset] | None) -> None:
        self.settings = settings
        self.fraction: float | None = None
        self.text = "Loading data"
        self.dataset: Dataset | None = None
        self.prepared: Prepared | None = None
        self.error = ""
        self._loaded = loaded
        self._base = base
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="data", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def cancel(self) -> None:
        self._cancelled.set()

    def wait(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return self.done

    def _progress(self, fraction: float | None, text: str) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self.fraction, self.text = fraction, text

    def _run(self) -> None:
        try:
            source = self.settings.source
            if self._loaded is not None and self._loaded[0] == source:
                self.dataset = self._loaded[1]
            else:
                self.dataset = source.resolve(self._base).load(self._progress)
            self.prepared = prepare(self.dataset, self.settings, self._progress)
            self._progress(None, "Making the preview")
            for column in self.dataset.columns:
                with contextlib.suppress(DataError):  # told where the sample is used
                    column.values[:SHOWN_FIRST]  # decoded and kept by this thread, not by the window's
        except Cancelled:
            self.error = "Loading was cancelled."
        except DataError as error:
            self.error = str(error)
        except Exception as error:  # any other fault of a file must reach the user, not vanish with the thread
            self.error = f"The data could not be read ({type(error).__name__}: {error})."


class Document(QObject):
    """The open project. Signals tell what changed; values are read from the properties."""

    #: old Design, new Design
    changed = Signal(object, object)
    checked_changed = Signal()
    selection_changed = Signal()
    #: data_state, prepared, data_error or data_progress changed
    data_changed = Signal()
    #: a refused edit, as a sentence
    edit_failed = Signal(str)
    #: path or modified mark changed
    file_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self.undo_stack.cleanChanged.connect(self._on_clean_changed)
        self._design = Design()
        self._path: Path | None = None
        self._selection: tuple[str, ...] = ()
        self._prepared: Prepared | None = None
        self._dataset: Dataset | None = None
        self._loaded: tuple[Source, Dataset] | None = None
        #: the settings that the prepared data were made with
        self._prepared_by: DataSettings | None = None
        self._data_error = ""
        self._checked = check(self._design.graph, Signature())
        self._job: DataJob | None = None
        self._abandoned: list[DataJob] = []
        self._poll = QTimer(self)
        self._poll.setInterval(30)
        self._poll.timeout.connect(self._poll_data)

    # --- reading ---

    @property
    def design(self) -> Design:
        return self._design

    @property
    def graph(self) -> Graph:
        return self._design.graph

    @property
    def checked(self) -> Checked:
        """Order, shapes, costs and problems of the current drawing."""
        return self._checked

    @property
    def dataset(self) -> Dataset | None:
        """Raw data as loaded, also when preparing failed."""
        return self._dataset

    @property
    def prepared(self) -> Prepared | None:
        """Data ready for training, or None while there are none."""
        return self._prepared

    @property
    def data_state(self) -> str:
        """"none", "loading", "ready" or "failed"."""
        if self._job is not None:
            return "loading"
        if self._data_error:
            return "failed"
        return "ready" if self._prepared is not None else "none"

    @property
    def data_error(self) -> str:
        return self._data_error

    @property
    def data_progress(self) -> tuple[float | None, str]:
        """Fraction done (None when unknown) and what is being done."""
        return (self._job.fraction, self._job.text) if self._job is not None else (None, "")

    @property
    def selection(self) -> tuple[str, ...]:
        return self._selection

    @property
    def path(self) -> Path | None:
        return self._path

    @property
    def modified(self) -> bool:
        return not self.undo_stack.isClean()

    # --- changing ---

    def edit(self, text: str, fn: Callable[[Design], Design], merge_key: str | None = None) -> bool:
        """Apply a pure edit as one named undo step; edits with the same merge_key in a row become one.

        A ValueError of `fn` (an impossible edit, a bad parameter) changes nothing and is told through `edit_failed`.
        Returns whether something changed.
        """
        try:
            after = fn(self._design)
        except ValueError as error:
            self.edit_failed.emit(_sentence(error))
            return False
        if after == self._design:
            return False
        self.undo_stack.push(_DesignEdit(self, text, self._design, after, merge_key))
        return True

    def edit_graph(self, text: str, fn: Callable[[Graph], Graph], merge_key: str | None = None) -> bool:
        """`edit` for the drawing alone."""
        return self.edit(text, lambda design: design.with_graph(fn(design.graph)), merge_key)

    def edit_data(self, text: str, merge_key: str | None = None, **changes: object) -> bool:
        """`edit` for fields of the data settings."""
        return self.edit(text, lambda d: replace(d, data=_validated(d.data, changes)), merge_key)

    def edit_training(self, text: str, merge_key: str | None = None, **changes: object) -> bool:
        """`edit` for fields of the training settings."""
        return self.edit(text, lambda d: replace(d, training=_validated(d.training, changes)), merge_key)

    def select(self, ids: Iterable[str]) -> None:
        known = tuple(i for i in ids if i in self.graph.by_id)
        if known != self._selection:
            self._selection = known
            self.selection_changed.emit()

    def open(self, design: Design, path: Path | None = None) -> None:
        """Show another project: forgets the history and loads its data in the background."""
        self.undo_stack.clear()
        self._path = path
        self._show(design, force_data=True)
        self.file_changed.emit()

    def saved(self, path: Path) -> None:
        """The current value is on disk at `path`."""
        self._path = path
        self.undo_stack.setClean()
        self.file_changed.emit()

    def reload_data(self) -> None:
        """Read the data again, also when the settings did not change (the file did)."""
        self._loaded = None
        self._start_data()

    def cancel_data(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def wait_for_data(self, seconds: float = 30.0) -> bool:
        """Block until loading ended. For scripts and tests; the window follows `data_changed`."""
        if self._job is not None and not self._job.wait(seconds):
            return False
        self._poll_data()
        return True

    def close(self, seconds: float = 2.0) -> None:
        """End background work."""
        self._poll.stop()
        for job in (*self._abandoned, *([self._job] if self._job else [])):
            job.cancel()
            job.wait(seconds)
        self._job = None
        self._abandoned = []

    # --- inside ---

    def _on_clean_changed(self, clean: bool) -> None:
        self.file_changed.emit()

    def _show(self, design: Design, force_data: bool = False) -> None:
        old, self._design = self._design, design
        # Before anybody is told: no one may find a selected node that is not there.
        selected, self._selection = self._selection, tuple(i for i in self._selection if i in design.graph.by_id)
        if old.graph is not design.graph:
            self._check()
        self.changed.emit(old, design)
        if selected != self._selection:
            self.selection_changed.emit()
        if force_data:
            self._prepared_by = None
        if force_data or old.data != design.data:
            self._start_data()

    def _check(self) -> None:
        signature = self._prepared.signature if self._prepared is not None else Signature()
        self._checked = check(self._design.graph, signature, self._checked)
        self.checked_changed.emit()

    def _start_data(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._abandoned.append(self._job)
            self._job = None
        self._data_error = ""
        if self._augment():
            self.data_changed.emit()
            return
        if self._design.data.source is None:
            self._dataset = self._prepared = None
            self._check()
        else:
            self._job = DataJob(self._design.data, self._path.parent if self._path else None, self._loaded)
            self._poll.start()
        self.data_changed.emit()

    def _augment(self) -> bool:
        """Another augmentation needs no preparing anew: whether that was all, and is done."""
        wanted, made = self._design.data, self._prepared_by
        if self._prepared is None or made is None or self._loaded is None:
            return False
        if wanted == made or wanted.model_copy(update={"augmentation": made.augmentation}) != made:
            return False
        try:
            self._prepared = augmented(self._prepared, wanted.augmentation, wanted.seed)
        except DataError as error:
            self._prepared, self._data_error = None, str(error)
        self._prepared_by = wanted
        self._check()
        return True

    def _poll_data(self) -> None:
        self._abandoned = [job for job in self._abandoned if not job.done]
        job = self._job
        if job is None:
            if not self._abandoned:
                self._poll.stop()
            return
        if job.done:
            self._job = None
            self._dataset, self._prepared, self._data_error = job.dataset, job.prepared, job.error
            self._prepared_by = job.settings
            if job.dataset is not None:
                self._loaded = (job.settings.source, job.dataset)
            self._check()
        self.data_changed.emit()


def _validated(settings: object, changes: dict[str, object]) -> object:
    """A settings model with some fields changed, checked against its limits."""
    return type(settings).model_validate({**dict(settings), **changes})


def _sentence(error: ValueError) -> str:
    """What the user should read of a refused edit: pydantic's first complaint, or the text as it is."""
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
