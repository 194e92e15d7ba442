"""CIFAR-10 and CIFAR-100 in their binary form."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.files import checked_file, reading
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

PIXELS = 3 * 32 * 32
MAX_BYTES = 1 << 30
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Cifar(Source):
    """CIFAR-10 or CIFAR-100: 32 × 32 colour pictures in binary files (.bin).

    Choose one of the files: data_batch_1.bin to data_batch_5.bin and test_batch.bin (or train.bin and test.bin of
    CIFAR-100) beside it are read together, and the test pictures are kept for testing. Data by A. Krizhevsky, Learning
    Multiple Layers of Features from Tiny Images, 2009.
    """

    kind = "cifar.v1"
    title = "CIFAR pictures"
    group = "Files"
    icon = "mdi6.image-multiple"
    keywords = ("images", "cifar-10", "cifar-100", "binary", "bin", "own data")
    form = "images"
    suffixes = (".bin",)

    path: str = param("", "File", "One of the .bin files; its companions are found beside it.", editor="file")

    def load(self, progress: Progress) -> Dataset:
        found, _ = checked_file(self.path, "CIFAR file", MAX_BYTES)
        train, test = _companions(found)
        labels, pictures, counts = [], [], []
        names: tuple[str, ...] = ()
        for i, path in enumerate((*train, *test)):
            progress(i / (len(train) + len(test)), f"Reading {path.name}")
            with reading(path):
                data = np.fromfile(path, dtype=np.uint8)
            before = _label_bytes(path, len(data))
            records = data.reshape(-1, before + PIXELS)
            labels.append(records[:, before - 1])
            pictures.append(records[:, before:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
            counts.append(len(records))
            names = names or _names(path.parent, fine=before == 2)
        numbers = np.concatenate(labels)
        if int(numbers.max()) >= len(names):
            raise DataError(f"'{found.name}' holds the label {numbers.max()}, but there are only {len(names)} classes. "
                            "It is no CIFAR file.")
        column = Column("class", "category", "target", np.array(names, dtype=object)[numbers], names)
        split = sum(counts[:len(train)])
        parts = {"train": np.arange(split), "test": np.arange(split, len(numbers))} if train and test else {}
        notes = (f"{len(numbers) - split:,} test samples are kept as the files give them.",) if parts else ()
        return Dataset(found.parent.name if len(counts) > 1 else found.name, "images", (
            Column("image", "image", "input", np.concatenate(pictures), limits=(0, 255)), column), notes, parts)


def _companions(path: Path) -> tuple[list[Path], list[Path]]:
    """(training files, test files) that belong to a file."""
    name = path.name.lower()
    if name.startswith("data_batch") or name == "test_batch.bin":
        tests = [p for p in (path.parent / "test_batch.bin",) if p.is_file()]
        return sorted(path.parent.glob("data_batch_*.bin")), tests
    if name in ("train.bin", "test.bin"):
        return tuple([p for p in (path.parent / part,) if p.is_file()] for part in ("train.bin", "test.bin"))
    return [path], []


def _label_bytes(path: Path, size: int) -> int:
    """1 for CIFAR-10, 2 (coarse and fine label) for CIFAR-100. Raises DataError for other files."""
    for before in (1, 2):
        if size and size % (before + PIXELS) == 0:
            return before
    raise DataError(f"'{path.name}' has {size:,} bytes, which is no whole number of CIFAR records ({PIXELS + 1:,} "
                    f"bytes each, {PIXELS + 2:,} for CIFAR-100). It is cut off, or another kind of file.")


def _names(folder: Path, fine: bool) -> tuple[str, ...]:
    """Class names from the text file beside the data, else those of CIFAR-10 or numbers."""
    path = folder / ("fine_label_names.txt" if fine else "batches.meta.txt")
    if path.is_file():
        names = tuple(line.strip() for line in path.read_text("utf-8", "replace").splitlines() if line.strip())
        if len(set(names)) == len(names) == (100 if fine else 10):
            return names
    return tuple(str(i) for i in range(100)) if fine else CLASSES
