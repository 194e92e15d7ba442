"""Samples that need not be in memory: read from a mapped file or decoded from pictures when a batch wants them.

What a `Part` holds for a field is an array where it fits into memory, else `EncodedRows`. Both have a shape, a dtype, a
length, and give arrays when indexed; `EncodedRows` can also fill a buffer, which is how a trainer reads batches ahead.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nndesigner.data.dataset import DataError

if TYPE_CHECKING:
    from nndesigner.data.augment import Augmenter
    from nndesigner.data.encoding import FieldEncoding

#: a field that takes more than this when encoded stays where it is and is encoded on reading
IN_MEMORY = 1 << 30
#: bytes of a mapped file that are looked at before their pages are handed back to the system
KEPT_PAGES = 64 << 20
#: what the system maps around each page that is touched
AROUND = 64 << 10


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

    def __init__(
        self, encoding: FieldEncoding, reader: RawReader, rows: np.ndarray, augmenter: Augmenter | None = None
    ) -> None:
        self._encoding, self._reader, self._rows, self._augmenter = encoding, reader, rows, augmenter
        self.shape = (len(rows), *encoding.field.shape.dims)
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """What the encoded samples would take in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def read(self, places: np.ndarray, out: np.ndarray, epoch: int = 0) -> None:
        """Fill `out` [n, ...] with the samples at these places, changed as augmentation wants it in this epoch.

        May be called from several threads. Raises DataError when the file is gone or a sample cannot be used.
        """
        rows = self._rows[places]
        self._encoding.encode_array(self._reader, rows, out)
        if self._augmenter is not None:
            self._augmenter.apply(out, rows, epoch)

    def at(self, places: np.ndarray | slice) -> EncodedRows:
        """The samples at these places, not read yet and not augmented."""
        return EncodedRows(self._encoding, self._reader, self._rows[places])

    def __getitem__(self, index: Any) -> np.ndarray:
        """The samples as an array, not augmented."""
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
    """Copies rows of a raw column. Of a mapped file it first sees that the file is still whole (reading behind its end
    would end the process), and gives pages back, so that memory stays small however much is read."""

    def __init__(self, values: Any) -> None:
        self._file = mapped(values)
        self._values = np.asarray(values) if isinstance(values, np.ndarray) else values
        self._touched = 0

    def __call__(self, rows: np.ndarray | slice) -> np.ndarray:
        """The raw samples [n, ...]. Raises DataError when the file is gone or shorter than it was."""
        if self._file is None:
            return self._values[rows]
        check_whole(self._file)
        found = self._values[rows]
        self._touched += found.nbytes if isinstance(rows, slice) else max(found.nbytes, len(found) * AROUND)
        if self._touched > KEPT_PAGES:
            self.release()
        return found

    def release(self) -> None:
        """Hand the pages back that were read; they are read again when needed."""
        self._touched = 0
        if self._file is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._file.base.madvise(mmap.MADV_DONTNEED)


def check_whole(file: np.memmap) -> None:
    """Raises DataError unless the file is still there and as long as when it was mapped."""
    name = os.path.basename(str(file.filename))
    try:
        size = os.stat(file.filename).st_size
    except OSError as error:
        raise DataError(f"'{name}' has vanished while it was used ({error.strerror}). Put it back, or choose the data "
                        "again.") from error
    if size < len(file.base):
        raise DataError(f"'{name}' has become shorter while it was used. Choose the data again.")


def sampled(rows: np.ndarray, row_bytes: int, limit: int, seed: Sequence[int]) -> np.ndarray:
    """Rows in rising order whose raw samples take at most `limit` bytes: all, or some drawn by chance."""
    count = max(1, limit // max(row_bytes, 1))
    if len(rows) <= count:
        return rows
    rng = np.random.default_rng(seed)
    return rows[np.unique(rng.integers(0, len(rows), count))]
