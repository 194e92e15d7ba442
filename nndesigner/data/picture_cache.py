"""Pictures decoded when they are wanted, and kept decoded in a file, so that each is decoded once.

The files lie in the user's cache folder, one pair for each folder of pictures and size; the oldest go when the limit is
reached, and all may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from nndesigner.data.dataset import DataError, Fit
from nndesigner.data.pictures import decoded

#: bytes that all decoded pictures may take together unless the user says otherwise, and that must stay free on the disk
LIMIT = 20 << 30
FREE = 2 << 30
#: pictures from which on a single question is answered by several threads
MANY = 32
WAITING, DONE, BROKEN = 0, 1, 2


def cache_folder() -> Path:
    """Where decoded pictures are kept."""
    return user_cache_path("nndesigner") / "pictures"


def cache_size() -> int:
    """Bytes that decoded pictures take on the disk."""
    return sum(_taken(path) for path in _cached())


def clear_cache() -> None:
    """Delete all decoded pictures. Data in use go on; what cannot be deleted now stays."""
    for path in _cached():
        _delete(path)


def cache_limit() -> int:
    """Bytes that all decoded pictures may take together."""
    with contextlib.suppress(OSError, ValueError):
        return max(0, int((cache_folder() / "limit").read_text("ascii")))
    return LIMIT


def set_cache_limit(size: int) -> None:
    """Another limit, from now on; what is above it goes, that used longest ago first. Raises OSError."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    (cache_folder() / "limit").write_text(str(max(0, size)), "ascii")
    make_room(0, cache_folder())


def _cached() -> list[Path]:
    folder = cache_folder()
    return sorted(folder.glob("*.pixels")) if folder.is_dir() else []


def _taken(path: Path) -> int:
    try:
        status = path.stat()
    except OSError:
        return 0
    return status.st_blocks * 512 if hasattr(status, "st_blocks") else status.st_size


def _delete(path: Path) -> None:
    for one in (path, path.with_suffix(".marks")):
        with contextlib.suppress(OSError):  # in use on Windows, or deleted by someone else
            one.unlink()


def make_room(size: int, keep: Path) -> bool:
    """Delete the caches used longest ago until `size` bytes more may be kept; whether that succeeded."""
    others = sorted((p for p in _cached() if p != keep), key=lambda p: p.stat().st_mtime)
    limit = cache_limit()
    while others and sum(map(_taken, others)) + size > limit:
        _delete(others.pop(0))
    return size <= limit and shutil.disk_usage(cache_folder()).free > size + FREE


class Pictures:
    """Pictures [n, H, W, C], uint8, of files: decoded when they are first read. May be read from several threads."""

    def __init__(
        self, paths: Sequence[Path], height: int, width: int, channels: int, fit: Fit, form: str = ""
    ) -> None:
        self.shape = (len(paths), height, width, channels)
        self.dtype = np.dtype(np.uint8)
        self.ndim = 4
        self.size = self.nbytes = int(np.prod(self.shape, dtype=np.int64))
        self._paths, self._fit = list(paths), fit
        self.fingerprint = _mark(paths, (height, width, channels, fit, *([form] if form else [])))
        self._each = height * width * channels
        self._numbers = np.arange(len(paths))
        self._lock = threading.Lock()
        self._marks = np.zeros(len(paths), dtype=np.uint8)
        self._file: Any = None
        with contextlib.suppress(OSError):  # no place to keep them: they are decoded anew each time
            self._open()

    def _open(self) -> None:
        cache_folder().mkdir(parents=True, exist_ok=True)
        path = cache_folder() / f"{self.fingerprint}.pixels"
        marks = path.with_suffix(".marks")
        whole = path.is_file() and path.stat().st_size == self.nbytes
        whole = whole and marks.is_file() and marks.stat().st_size == len(self)
        if not whole:
            if not make_room(self.nbytes, path):
                return
            _delete(path)
            with path.open("wb") as file:
                file.truncate(self.nbytes)
            with marks.open("wb") as file:
                file.truncate(len(self))
        os.utime(path)
        self._marks = np.memmap(marks, np.uint8, "r+", shape=(len(self),))
        self._file = path.open("r+b", buffering=0)

    def only(self, numbers: Sequence[int]) -> Pictures:
        """Some of these pictures, kept in the same cache."""
        some = copy.copy(self)
        some._numbers = self._numbers[np.asarray(numbers, dtype=np.int64)]
        some.shape = (len(some._numbers), *self.shape[1:])
        some.size = some.nbytes = len(some._numbers) * self._each
        some.fingerprint = hashlib.sha256(self.fingerprint.encode() + some._numbers.tobytes()).hexdigest()
        return some

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> np.ndarray:
        """The pictures at an index, as of an array. Raises DataError naming the first file that cannot be read."""
        numbers = self._numbers[index]
        chosen = np.atleast_1d(numbers)
        out = np.empty((len(chosen), *self.shape[1:]), dtype=np.uint8)

        def one(place: int) -> None:
            self._read(int(chosen[place]), out[place])

        if np.count_nonzero(self._marks[chosen] != DONE) >= MANY:
            with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "pictures") as pool:
                list(pool.map(one, range(len(chosen))))
        else:
            for place in range(len(chosen)):
                one(place)
        return out if numbers.ndim else out[0]

    def _read(self, number: int, out: np.ndarray) -> None:
        """One picture into `out` [H, W, C], from the cache or from its file."""
        if self._file is not None and self._marks[number] == DONE:
            with self._lock:
                self._file.seek(number * self._each)
                count = self._file.readinto(memoryview(out).cast("B"))
            if count == self._each:
                return
        path = self._paths[number]
        try:
            out[...] = self._decoded(path)
        except DataError as error:
            if path.exists():
                self._marks[number] = BROKEN
                raise DataError(f"{error} Load the data again: the picture is then left out.") from error
            raise
        if self._file is not None:
            with self._lock, contextlib.suppress(OSError):  # a full disk: decoded again next time
                self._file.seek(number * self._each)
                if self._file.write(memoryview(out).cast("B")) == self._each:
                    self._marks[number] = DONE

    def _decoded(self, path: Path) -> np.ndarray:
        """The picture of a file. Raises DataError."""
        return decoded(str(path), *self.shape[1:], self._fit)

    def known_broken(self) -> np.ndarray:
        """Numbers of the files whose decoding failed before."""
        return np.flatnonzero(self._marks == BROKEN)

    @property
    def complete(self) -> bool:
        """Whether every one of these pictures is decoded already."""
        return bool((self._marks[self._numbers] == DONE).all())


def _mark(paths: Sequence[Path], form: tuple[Any, ...]) -> str:
    """sha256 of names, sizes and times of the files and of the form to which they are brought."""
    digest = hashlib.sha256(repr(form).encode())
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
