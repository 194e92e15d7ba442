"""What a crash left behind: every running window keeps its unsaved project in the state folder of the user.

Each has a file `<id>.nnd` and a lock `<id>.lock` that the system releases when the process ends, however it ends. A
project whose lock can be taken is what a crashed window left; it is offered at the next start, never forced on anybody,
and the user's own file is never touched.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import platformdirs

from nndesigner.project.container import ProjectError
from nndesigner.project.file import Project, load, peek, save

_ORIGIN = "recovered_from"
#: locks of this process: on network drives a process may be able to take its own lock twice
_own: set[Path] = set()


def state_folder() -> Path:
    """Where unsaved projects are kept."""
    return Path(platformdirs.user_state_dir("nndesigner", appauthor=False)) / "recovery"


class Autosave:
    """Keeps the unsaved project of one running window. The caller decides when (after a pause in editing)."""

    def __init__(self, folder: Path | None = None) -> None:
        """Raises OSError when the state folder cannot be written to."""
        folder = folder or state_folder()
        folder.mkdir(parents=True, exist_ok=True)
        lock = None
        while lock is None:
            self._path = folder / f"{secrets.token_hex(8)}.nnd"
            lock = _take(self._path.with_suffix(".lock"), create=True)
        self._lock: int | None = lock
        _own.add(self._path.with_suffix(".lock"))

    def write(self, project: Project, origin: Path | None) -> None:
        """Keep this state; `origin` is the file that the user works on. Raises ProjectError."""
        meta = {**project.meta, _ORIGIN: str(origin) if origin else ""}
        save(replace(project, meta=meta), self._path)

    def clear(self) -> None:
        """Nothing is unsaved."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """The window ends as it should."""
        if self._lock is not None:
            self.clear()
            _release(self._lock, self._path.with_suffix(".lock"), remove=True)
            _own.discard(self._path.with_suffix(".lock"))
            self._lock = None


class Recovery:
    """The unsaved project of a window that crashed. It is held, so that no other window offers it too, until it is
    discarded or released."""

    def __init__(self, path: Path, lock: int, meta: dict[str, Any]) -> None:
        self._path, self._lock = path, lock
        #: the file that the user worked on; None when it had not been saved yet
        self.origin = Path(meta[_ORIGIN]) if meta.get(_ORIGIN) else None
        self.title = self.origin.stem if self.origin else str(meta.get("title") or "Untitled")
        self.saved = datetime.fromtimestamp(path.stat().st_mtime)

    def load(self) -> Project:
        """The project as it was kept. Raises ProjectError."""
        project = load(self._path)
        return replace(project, meta={k: v for k, v in project.meta.items() if k != _ORIGIN})

    def discard(self) -> None:
        """Forget it for good (after the user said so, or when its content is safe elsewhere)."""
        self._path.unlink(missing_ok=True)
        self._end(remove=True)

    def release(self) -> None:
        """Leave it for the next start."""
        self._end(remove=False)

    def _end(self, remove: bool) -> None:
        if self._lock is not None:
            _release(self._lock, self._path.with_suffix(".lock"), remove)
            self._lock = None


def pending(folder: Path | None = None) -> list[Recovery]:
    """What crashed windows left, newest first. Broken leftovers are kept on disk but not offered."""
    found = []
    for path in sorted((folder or state_folder()).glob("*.lock")):
        lock = None if path in _own else _take(path, create=False)
        if lock is None:
            continue
        kept = path.with_suffix(".nnd")
        try:
            found.append(Recovery(kept, lock, peek(kept)))
        except (ProjectError, OSError):
            _release(lock, path, remove=not kept.exists())
    return sorted(found, key=lambda recovery: recovery.saved, reverse=True)


def _take(path: Path, create: bool) -> int | None:
    """Lock a file; None when another process has it (or it has just gone)."""
    try:
        descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    except FileNotFoundError:
        return None
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between opening and locking another process may have removed the file: then the lock is of no worth.
            if os.stat(path).st_ino != os.fstat(descriptor).st_ino:
                raise FileNotFoundError(path)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _release(descriptor: int, path: Path, remove: bool) -> None:
    # A locked file can be removed on POSIX, where doing it under the lock leaves no gap; Windows wants it closed first.
    if remove and os.name != "nt":
        with suppress(OSError):
            path.unlink(missing_ok=True)
    os.close(descriptor)
    if remove and os.name == "nt":
        with suppress(OSError):
            path.unlink(missing_ok=True)
