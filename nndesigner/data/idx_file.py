"""Pictures and labels in the IDX format of MNIST (Yann LeCun's page, "The IDX file format"), also packed with gzip."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.files import checked_file, reading
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

MAX_BYTES = 4 << 30
#: deflate cannot pack better than 1032 to 1, so a header that promises more lies
DEFLATE_RATIO = 1032
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CHUNK = 1 << 24
#: beginnings of file names by which the four files of a set find each other
_PARTNERS = (("images", "labels"), ("idx3", "idx1"))
_TEST = (("train", "t10k"), ("train", "test"))


def read_idx(path: str, what: str, progress: Progress) -> np.ndarray:
    """The array in an IDX file, plain or gzip. `what` says in errors which file is meant.

    The header is checked against the length of the file before memory is taken. Raises DataError.
    """
    found, size = checked_file(path, what, MAX_BYTES)
    with reading(found):
        try:
            with found.open("rb") as file:
                packed = file.read(2) == b"\x1f\x8b"
            with gzip.open(found) if packed else found.open("rb") as file:
                return _read(file, found.name, size, packed, progress)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"'{found.name}' is damaged: it cannot be unpacked ({error}). Fetch it again.") from error


def _read(file: gzip.GzipFile, name: str, size: int, packed: bool, progress: Progress) -> np.ndarray:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES:
        raise DataError(f"'{name}' is no IDX file (it does not begin with two zero bytes and a type). MNIST's files "
                        "are called train-images-idx3-ubyte or similar.")
    dtype = np.dtype(TYPES[head[2]])
    raw = file.read(4 * head[3])
    if not 1 <= head[3] <= 5 or len(raw) < 4 * head[3]:
        raise DataError(f"'{name}' is damaged: its header is cut off or has {head[3]} dimensions (1 to 5 can be read).")
    shape = tuple(int(d) for d in np.frombuffer(raw, dtype=">u4"))
    wanted = math.prod(shape) * dtype.itemsize
    if not wanted:
        raise DataError(f"'{name}' holds no data (its size is {' × '.join(map(str, shape))}).")
    if wanted > MAX_BYTES:
        raise DataError(f"'{name}' would take {wanted / (1 << 30):.3g} GB; at most {MAX_BYTES >> 30} GB can be loaded.")
    there = size * DEFLATE_RATIO if packed else size - 4 - 4 * head[3]
    if wanted > there:
        raise DataError(f"'{name}' is cut off or damaged: its header promises {wanted:,} bytes, which the file does "
                        "not hold. Fetch it again.")
    values = np.empty(shape, dtype=dtype)
    view = memoryview(values.reshape(-1).view(np.uint8))
    at = 0
    while at < wanted:
        progress(at / wanted, f"Reading {name}")
        count = file.readinto(view[at:at + CHUNK])
        if not count:
            raise DataError(f"'{name}' is cut off: it ends after {at:,} of {wanted:,} bytes. Fetch it again.")
        at += count
    if file.read(1):
        raise DataError(f"'{name}' is damaged: it holds more than its header says.")
    return values.astype(dtype.newbyteorder("="), copy=False)


class Idx(Source):
    """Pictures and labels in files like those of MNIST and Fashion-MNIST.

    One file of pictures (N × H × W bytes) and one of labels (N numbers), plain or .gz. With test files the parts are
    kept as the files give them, and only the validation part is drawn from the training files.
    """

    kind = "idx.v1"
    title = "Pictures (IDX)"
    group = "Files"
    icon = "mdi6.image-multiple-outline"
    keywords = ("MNIST", "Fashion-MNIST", "EMNIST", "ubyte", "images", "digits", "own data")
    form = "images"
    suffixes = ("-ubyte", "-ubyte.gz", ".idx", ".idx.gz", ".idx3", ".idx3.gz")

    images: str = param("", "Pictures", "File of pictures, for example train-images-idx3-ubyte.gz.", editor="file")
    labels: str = param("", "Labels", "File of labels, for example train-labels-idx1-ubyte.gz. Empty: none, "
                        "so a network can only repeat the pictures.", editor="file")
    test_images: str = param("", "Test pictures", "File of pictures kept for testing. Empty: the test part is drawn "
                             "from the pictures.", editor="file", advanced=True)
    test_labels: str = param("", "Test labels", "File of labels of the test pictures.", editor="file", advanced=True)

    @classmethod
    def for_file(cls, path: Path) -> Idx:
        """The source for a file of pictures or labels, with the files that by their names belong to it."""
        images = _partner(path, tuple((label, image) for image, label in _PARTNERS)) or path
        labels = _partner(images, _PARTNERS)
        test = _partner(images, _TEST)
        test_labels = _partner(test, _PARTNERS) if test else None
        if test is None or (labels is not None and test_labels is None):
            test = test_labels = None
        return cls(images=str(images), labels=str(labels or ""), test_images=str(test or ""),
                   test_labels=str(test_labels or ""))

    def load(self, progress: Progress) -> Dataset:
        if self.test_labels and not self.test_images:
            raise DataError("There are test labels but no test pictures. Choose both, or neither.")
        pictures, labels = _pair(self.images, self.labels, "file of pictures", progress)
        parts: dict[str, np.ndarray] = {}
        if self.test_images:
            more, more_labels = _pair(self.test_images, self.test_labels, "file of test pictures", progress)
            if more.shape[1:] != pictures.shape[1:]:
                raise DataError(f"The test pictures are {_size(more)}, the training pictures {_size(pictures)}. They "
                                "must have the same size.")
            if (labels is None) != (more_labels is None):
                raise DataError("Only one of training and test pictures has labels. Choose labels for both, or none.")
            n = len(pictures)
            parts = {"train": np.arange(n), "test": np.arange(n, n + len(more))}
            pictures = np.concatenate([pictures, more])
            if labels is not None:
                labels = np.concatenate([labels, more_labels])
        columns = [Column("image", "image", "input", pictures)]
        if labels is not None:
            numbers, place = np.unique(labels, return_inverse=True)
            names = tuple(str(int(number)) for number in numbers)
            columns.append(Column("label", "category", "target", np.array(names, dtype=object)[place], names))
        return Dataset(Path(self.images).name, "images", tuple(columns), (), parts)


def _pair(images: str, labels: str, what: str, progress: Progress) -> tuple[np.ndarray, np.ndarray | None]:
    """(pictures [N, H, W, C], labels [N] or None)."""
    pictures = read_idx(images, what, progress)
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    if pictures.ndim != 4:
        hint = " It seems to be the file of labels." if pictures.ndim == 1 else ""
        raise DataError(f"'{Path(images).name}' holds {pictures.ndim} dimensions, pictures have 3 (number, height, "
                        f"width).{hint}")
    if not labels:
        return pictures, None
    numbers = read_idx(labels, "file of labels", progress)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise DataError(f"'{Path(labels).name}' holds no labels: they are one whole number for each picture.")
    if len(numbers) != len(pictures):
        raise DataError(f"There are {len(pictures):,} pictures in '{Path(images).name}' but {len(numbers):,} labels in "
                        f"'{Path(labels).name}'. Choose files that belong together.")
    return pictures, numbers


def _size(pictures: np.ndarray) -> str:
    return " × ".join(map(str, pictures.shape[1:3]))


def _partner(path: Path, words: tuple[tuple[str, str], ...]) -> Path | None:
    """The file whose name has each word replaced by its partner, if there is one."""
    name = path.name
    for word, other in words:
        name = name.replace(word, other)
    for candidate in dict.fromkeys([name, *(path.name.replace(word, other) for word, other in words)]):
        if candidate != path.name and (path.parent / candidate).is_file():
            return path.parent / candidate
    return None
