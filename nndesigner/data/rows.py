"""Samples that need not be in memory: read from a mapped file or decoded from pictures when a batch wants them.

What a `Part` holds for a field is an array where it fits into memory, else `EncodedRows`. Both have a shape, a dtype, a
length, and give arrays when indexed; `EncodedRows` can also fill a buffer, which is how a trainer reads batches ahead.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nndesigner.data.dataset import DataError

if TYPE_CHECKING:
    from nndesigner.data.encoding import FieldEncoding

#: a field that takes more than this when encoded stays where it is and is encoded on reading
IN_MEMORY = 1 << 30


class Rows(Protocol):
    """Samples of one field, [n, ...], in memory or not. An ndarray is one."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any) -> np.ndarray: ...


class RawRows(Protocol):
    """Raw samples of one column that are made when they are asked for, such as pictures decoded from their files.

    Indexed by a slice or an array of row numbers it gives an array. Raises DataError for a sample that is gone.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    #: a mark that changes when the contents do
    fingerprint: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any) -> np.ndarray: ...


class EncodedRows:
    """Rows of a raw column that are encoded when they are read."""

    def __init__(self, encoding: FieldEncoding, reader: RawReader, rows: np.ndarray) -> None:
        self._encoding, self._reader, self._rows = encoding, reader, rows
        self.shape = (len(rows), *encoding.field.sample_dims)
        self.dtype = np.dtype(encoding.field.dtype)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """What the encoded samples would take in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def read(self, places: np.ndarray, out: np.ndarray, epoch: int = 0) -> None:
        """Fill `out` [n, ...] with the samples at these places, as they are in this epoch (see augment.ChangedRows).

        May be called from several threads. Raises DataError when the file is gone or a sample cannot be used.
        """
        self._encoding.encode_array(self._reader, self._rows[places], out)

    def at(self, places: np.ndarray | slice) -> Any:
        """The samples at these places, not read yet."""
        return EncodedRows(self._encoding, self._reader, self._rows[places])

    def changed(self, places: np.ndarray, epoch: int) -> np.ndarray:
        """The samples at these places as training meets them in this epoch."""
        out = np.empty((len(places), *self.shape[1:]), dtype=self.dtype)
        self.read(places, out, epoch)
        return out

    def __getitem__(self, index: Any) -> np.ndarray:
        """The samples as an array."""
        rows = self._rows[index]
        chosen = np.atleast_1d(rows)
        out = np.empty((len(chosen), *self.shape[1:]), dtype=self.dtype)
        self._encoding.encode_array(self._reader, chosen, out)
        return out if rows.ndim else out[0]


def samples_at(rows: Any, places: np.ndarray) -> Any:
    """The samples at these places: an array of those in memory, else rows that are read later."""
    return rows.at(places) if isinstance(rows, EncodedRows) else rows[places]


# --- mapped files ---


def mapped(values: Any) -> np.memmap | None:
    """The mapped file behind an array, or None."""
    while isinstance(values, np.ndarray):
        if isinstance(values, np.memmap) and isinstance(values.base, mmap.mmap):
            return values
        values = values.base
    return None


class RawReader:
    """Copies rows of a raw column, from several threads if need be.

    Of a mapped file it reads rows with ordinary file reading: touching the map would keep every page in memory, and
    would end the process where the file has become shorter.
    """

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values) if isinstance(values, np.ndarray) else values
        self._file = mapped(values)
        if self._file is not None:
            each = [(n - 1) * stride for n, stride in zip(values.shape[1:], values.strides[1:])]
            if min((0, *each)) < 0 or sum(each) + values.itemsize > values.strides[0]:
                self._file = None  # samples that lie across each other
        if self._file is not None:
            map_start = self._file.offset - self._file.offset % mmap.ALLOCATIONGRANULARITY
            self._start = map_start + _address(values) - _address(np.frombuffer(self._file.base, np.uint8))
            self._opened = threading.local()

    def __call__(self, rows: np.ndarray | slice) -> np.ndarray:
        """The raw samples [n, ...]. Raises DataError when the file is gone or shorter than it was."""
        if self._file is None:
            return self._values[rows]
        path = Path(str(self._file.filename))
        try:
            os.stat(path)  # a deleted file could still be read, but not by the next run
            if not hasattr(self._opened, "file"):
                self._opened.file = path.open("rb", buffering=0)
            return self._read(self._opened.file, rows)
        except OSError as error:
            raise DataError(f"'{path.name}' has vanished while it was used ({error.strerror}). Put it back, or choose "
                            "the data again.") from error
        except EOFError as error:
            raise DataError(f"'{path.name}' has become shorter while it was used. Choose the data again.") from error

    def _read(self, file: FileIO, rows: np.ndarray | slice) -> np.ndarray:
        """The samples as they lie in the file. Raises OSError, and EOFError where it ends too early."""
        shape, strides, dtype = self._values.shape, self._values.strides, self._values.dtype
        numbers = np.arange(len(self._values))[rows]
        data = np.empty((len(numbers), strides[0]), dtype=np.uint8)
        size = sum((n - 1) * stride for n, stride in zip(shape[1:], strides[1:])) + dtype.itemsize
        place = 0
        for run in np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1):
            if not len(run):
                continue
            file.seek(self._start + int(run[0]) * strides[0])
            view = memoryview(data[place:place + len(run)]).cast("B")[:(len(run) - 1) * strides[0] + size]
            while len(view):
                count = file.readinto(view)
                if not count:
                    raise EOFError
                view = view[count:]
            place += len(run)
        return np.ndarray((len(numbers), *shape[1:]), dtype, data, strides=strides)


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def sampled(rows: np.ndarray, row_bytes: int, limit: int, seed: Sequence[int]) -> np.ndarray:
    """Rows in rising order whose raw samples take at most `limit` bytes: all, or some drawn by chance."""
    count = max(1, limit // max(row_bytes, 1))
    if len(rows) <= count:
        return rows
    rng = np.random.default_rng(seed)
    return rows[np.unique(rng.integers(0, len(rows), count))]
