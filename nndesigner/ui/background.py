"""Work beside the GUI thread, for one asker: the newest wish is worked on, what it found is handed over here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from nndesigner.data.source import Cancelled, Progress

LOOK_MS = 25


class _Job:
    """Runs on a thread of its own. Owns no QObject."""

    def __init__(self, work: Callable[[Progress], Any], done: Callable[[Any], object]) -> None:
        self.done = done
        self.fraction: float | None = None
        self.words = ""
        self.value: Any = None
        self.error = ""
        self.cancelled = threading.Event()
        self._work = work
        self.thread = threading.Thread(target=self._run, name="nndesigner looking", daemon=True)
        self.thread.start()

    def _progress(self, fraction: float | None, words: str) -> None:
        if self.cancelled.is_set():
            raise Cancelled
        self.fraction, self.words = fraction, words

    def _run(self) -> None:
        try:
            self.value = self._work(self._progress)
        except Cancelled:
            self.cancelled.set()
        except Exception as error:  # must reach the window, not vanish with the thread
            self.error = str(error) or type(error).__name__
        self._work = None  # it may hold large arrays


class Background(QObject):
    """At most one job that counts; a new one takes the place of the old one, which is cancelled."""

    #: fraction done or None, what is being done
    progressed = Signal(object, str)
    failed = Signal(str)
    #: no job any more
    idle = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: _Job | None = None
        self._leaving: list[_Job] = []
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._poll)

    @property
    def busy(self) -> bool:
        return self._job is not None

    def run(self, work: Callable[[Progress], Any], done: Callable[[Any], object]) -> None:
        """Work on another thread (`work` may hold nothing of Qt), then call `done` with the value on this one."""
        self.cancel()
        self._job = _Job(work, done)
        self._look.start()

    def cancel(self) -> None:
        """Forget the job under way."""
        if self._job is not None:
            self._job.cancelled.set()
            self._leaving.append(self._job)
            self._job = None

    def close(self, seconds: float = 2.0) -> None:
        """End, waiting for the threads."""
        self.cancel()
        self._look.stop()
        for job in self._leaving:
            job.thread.join(seconds)
        self._leaving = []

    def _poll(self) -> None:
        self._leaving = [job for job in self._leaving if job.thread.is_alive()]
        job = self._job
        if job is not None and job.thread.is_alive():
            self.progressed.emit(job.fraction, job.words)
            return
        if job is None:
            if not self._leaving:
                self._look.stop()
            return
        self._job = None
        if job.error:
            self.failed.emit(job.error)
        elif not job.cancelled.is_set():
            job.done(job.value)
        if self._job is None:
            self.idle.emit()
