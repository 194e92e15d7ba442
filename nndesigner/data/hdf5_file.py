"""Arrays from HDF5 files. Nothing in them may point out of the file, and large arrays stay where they are."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.files import checked_file, reading
from nndesigner.data.npz_file import (
    MAP_FROM,
    MAX_BYTES,
    MAX_MAPPED,
    MAX_MEMBERS,
    TEST_NAMES,
    X_NAMES,
    Y_NAMES,
    dataset_of,
    inputs_of,
)
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

if TYPE_CHECKING:
    import h5py


class Hdf5(Source):
    """Arrays from an HDF5 file (.h5): samples x and, if there are any, targets y.

    Understood as the arrays of a NumPy file. Names are guessed (x, data, images, x_train ...) wherever in the groups of
    the file they stand. Large arrays are read batch by batch. Needs h5py: pip install "nndesigner[data]".
    """

    kind = "hdf5.v1"
    title = "Arrays (HDF5)"
    group = "Files"
    icon = "mdi6.database-outline"
    keywords = ("h5", "hdf5", "keras", "matlab", "array", "own data", "scientific")
    form = "table"
    suffixes = (".h5", ".hdf5", ".he5")

    path: str = param("", "File", "The HDF5 file.", editor="file")
    x: str = param("", "Samples", "Name of the array of samples, with its groups (train/images). Empty: guessed.")
    y: str = param("", "Targets", "Name of the array of targets. Empty: guessed, or none.")

    def load(self, progress: Progress) -> Dataset:
        if importlib.util.find_spec("h5py") is None:
            raise DataError("HDF5 files need the library h5py, which is not installed. Install it with: pip install "
                            "\"nndesigner[data]\"")
        import h5py

        found, _ = checked_file(self.path, "HDF5 file", MAX_MAPPED)
        progress(0.0, f"Looking through {found.name}")
        with reading(found):
            if not h5py.is_hdf5(found):
                raise DataError(f"'{found.name}' is no HDF5 file, or it is damaged.")
            try:
                with h5py.File(found, "r") as file:
                    return self._dataset(found, _arrays(file, found.name), progress)
            except (RuntimeError, KeyError, OverflowError) as error:  # what h5py raises for damaged files
                raise DataError(f"'{found.name}' is damaged and cannot be read ({error}).") from error

    def _dataset(self, path: Path, arrays: dict[str, h5py.Dataset], progress: Progress) -> Dataset:
        x = _chosen(self.x, X_NAMES, arrays, path.name, "samples")
        y = _chosen(self.y, Y_NAMES, arrays, path.name, "targets") if self.y or _guess(Y_NAMES, arrays) else None
        near = {name: _beside(name, TEST_NAMES.get(_base(name)), arrays) for name in (x, y) if name is not None}
        tests = [name for name in near.values() if name is not None]
        progress(0.2, f"Reading {x} of {path.name}")
        if arrays[x].nbytes > MAP_FROM and not tests:
            columns, notes = _large(path, x, arrays[x])
            if columns:
                targets = {} if y is None else {"y": _values(arrays[y], path.name, progress)}
                if y is not None and len(targets["y"]) != len(columns[0].values):
                    raise DataError(f"'{path.name}': {x} has {len(columns[0].values):,} samples, {y} has "
                                    f"{len(targets['y']):,} targets. They must be as many.")
                shown = np.broadcast_to(np.zeros((), arrays[x].dtype), arrays[x].shape)
                made = dataset_of(path.name, {"x": shown, **targets}, "x", "y" if targets else None)
                kept = tuple(c for c in made.columns if c.role == "target")
                return Dataset(path.name, made.form, (*columns, *kept), tuple(notes))
        # the arrays of a test part are known by the names that they have in NumPy files
        names = {name: _base(name) for name in (x, y, *tests) if name is not None}
        read = {short: _values(arrays[name], path.name, progress) for name, short in names.items()}
        return dataset_of(path.name, read, names[x], None if y is None else names[y])


def _arrays(file: h5py.File, name: str) -> dict[str, h5py.Dataset]:
    """Every array of the file by its path. Links to other files and places are not followed."""
    import h5py

    found: dict[str, h5py.Dataset] = {}

    def visit(path: str, item: Any) -> bool | None:
        if isinstance(item, h5py.Dataset):
            found[path] = item
        return True if len(found) > MAX_MEMBERS else None

    file.visititems(visit)  # passes over soft and external links
    if len(found) > MAX_MEMBERS:
        raise DataError(f"'{name}' holds more than {MAX_MEMBERS:,} arrays, too many to look at.")
    if not found:
        raise DataError(f"'{name}' holds no arrays of its own. Links to other files are not followed.")
    return found


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1].lower()


def _guess(names: tuple[str, ...], arrays: dict[str, Any]) -> str | None:
    by_base = {_base(name): name for name in reversed(arrays)}
    return next((by_base[name] for name in names if name in by_base), None)


def _beside(name: str, wanted: str | None, arrays: dict[str, Any]) -> str | None:
    """The array of this name in the same group."""
    group = name.rsplit("/", 1)[0] if "/" in name else ""
    return next((n for n in arrays if wanted is not None and _base(n) == wanted
                 and (n.rsplit("/", 1)[0] if "/" in n else "") == group), None)


def _chosen(wanted: str, names: tuple[str, ...], arrays: dict[str, Any], file: str, what: str) -> str:
    there = ", ".join(f"{name} ({' × '.join(map(str, a.shape)) or 'one value'})"
                      for name, a in list(arrays.items())[:20])
    if wanted:
        if wanted.strip("/") not in arrays:
            raise DataError(f"'{file}' holds no array '{wanted}'; links to other files are not followed. Its arrays: "
                            f"{there}.")
        return wanted.strip("/")
    guess = _guess(names, arrays)
    if guess is not None:
        return guess
    if len(arrays) == 1:
        return next(iter(arrays))
    raise DataError(f"It is not clear which array of '{file}' holds the {what}. Type its name; its arrays: {there}.")


def _checked(array: h5py.Dataset, file: str) -> None:
    """Raises DataError for an array whose values lie elsewhere, or are no numbers or texts."""
    import h5py

    name = f"{file}: {array.name}"
    if array.external or array.is_virtual:
        raise DataError(f"'{name}' keeps its values in other files, which are not opened. Copy them into one file.")
    texts = h5py.check_string_dtype(array.dtype) is not None
    if array.dtype.hasobject and not texts:
        raise DataError(f"'{name}' holds references or lists of different lengths, not plain numbers. Save it as one "
                        "array of numbers.")
    if array.dtype.kind not in "biufS" and not texts:
        raise DataError(f"'{name}' holds {array.dtype}; numbers or texts are needed.")


def _values(array: h5py.Dataset, file: str, progress: Progress) -> np.ndarray:
    """All values of an array, in memory. Raises DataError when there are too many."""
    import h5py

    _checked(array, file)
    if array.nbytes > MAX_BYTES:
        raise DataError(f"'{file}: {array.name}' would take {array.nbytes / (1 << 30):.3g} GB of memory; at most "
                        f"{MAX_BYTES >> 30} GB can be loaded.")
    if h5py.check_string_dtype(array.dtype) is not None:
        return np.asarray(array.asstr(errors="replace")[()]).astype(str)
    if not array.shape:
        return np.asarray(array[()])
    values = np.empty(array.shape, array.dtype.newbyteorder("="))
    step = max(1, (1 << 24) // max(1, math.prod(array.shape[1:]) * array.dtype.itemsize))
    for start in range(0, len(array), step):
        progress(start / len(array), f"Reading {array.name} of {file}")
        values[start:start + step] = array[start:start + step]
    return values


def _large(path: Path, name: str, array: h5py.Dataset) -> tuple[list[Column], list[str]]:
    """(the column of samples that stay in the file, notes); no column where they are the columns of a table."""
    _checked(array, path.name)
    notes: list[str] = []
    # what the column will be tells an array of the same form that takes no memory
    shown = inputs_of(np.broadcast_to(np.zeros((), array.dtype), array.shape), _base(name), notes)
    if len(shown) != 1 or shown[0].kind not in ("image", "array"):
        return [], []
    column = shown[0]
    arrange: Callable[[np.ndarray], np.ndarray] = lambda values: values  # noqa: E731
    if column.values.ndim > array.ndim:
        arrange = lambda values: values[..., None]  # noqa: E731
    elif column.values.shape != array.shape:
        arrange = lambda values: np.moveaxis(values, 1, -1)  # noqa: E731
    offset = array.id.get_offset()  # known where the values lie in one piece, unpacked
    if offset is not None and not array.compression:
        values: Any = arrange(np.memmap(path, array.dtype, "r", offset, array.shape))
    else:
        values = Hdf5Rows(path, name, column.values.shape, array.dtype, arrange)
    return [Column(column.name, column.kind, "input", values)], notes


class Hdf5Rows:
    """Samples of a packed array, read when they are wanted. May be read from several threads."""

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype,
                 arrange: Callable[[np.ndarray], np.ndarray]) -> None:
        self.shape, self.dtype, self.ndim = shape, dtype.newbyteorder("="), len(shape)
        self.size = math.prod(shape)
        self.nbytes = self.size * dtype.itemsize
        self._path, self._name, self._arrange = path, name, arrange
        self._lock = threading.Lock()
        self._file: Any = None
        status = path.stat()
        mark = f"{path}\0{name}\0{status.st_size}\0{status.st_mtime_ns}"
        self.fingerprint = hashlib.sha256(mark.encode("utf-8", "surrogateescape")).hexdigest()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        """The samples at an index. Raises DataError when the file is gone or damaged."""
        import h5py

        numbers = np.atleast_1d(np.arange(len(self))[index])
        try:
            os.stat(self._path)  # a deleted file could still be read, but not by the next run
            with self._lock:
                if self._file is None:
                    self._file = h5py.File(self._path, "r")
                rising, back = np.unique(numbers, return_inverse=True)  # the order in which HDF5 reads
                values = self._file[self._name][rising][back] if len(rising) else np.empty((0, *self.shape[1:]))
        except (OSError, RuntimeError, KeyError) as error:
            raise DataError(f"'{self._path.name}' has vanished or changed while it was used ({error}). Put it back, or "
                            "choose the data again.") from error
        values = self._arrange(values.astype(self.dtype, copy=False)) if len(rising) else values
        return values if np.ndim(np.arange(len(self))[index]) else values[0]
