"""Arrays from .npz and .npy files. Nothing is unpickled, and sizes are checked before memory is taken.

Large arrays stay in their file: they are mapped, and read batch by batch.
"""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import chunks
from nndesigner.data.files import checked_file, reading
from nndesigner.data.rows import RawReader
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

MAX_BYTES = 8 << 30
#: files whose arrays can be mapped may be larger
MAX_MAPPED = 16 << 40
#: arrays of more bytes than this are mapped when their file is not packed
MAP_FROM = 256 << 20
MAX_MEMBERS = 1000
#: deflate cannot pack better than 1032 to 1; a member that is larger than FREE_SIZE and packed this well is a bomb
MAX_RATIO = 1000
FREE_SIZE = 64 << 20
#: names under which arrays are looked for, in this order
X_NAMES = ("x_train", "x", "train_images", "images", "data", "features", "inputs", "arr_0")
Y_NAMES = ("y_train", "y", "train_labels", "labels", "label", "target", "targets", "arr_1")
TEST_NAMES = {"x_train": "x_test", "train_images": "test_images", "y_train": "y_test", "train_labels": "test_labels"}
#: arrays of at most this many features become columns of a table, each with a role of its own
MAX_TABLE = 64
MAX_CLASSES = 1000
#: larger arrays of targets are not looked through for one-hot rows
MAX_ONE_HOT = 1 << 28


class Npz(Source):
    """Arrays from a NumPy file (.npz): samples x and, if there are any, targets y.

    x: N × F numbers, N × H × W or N × H × W × C pictures, N × T × F series. y: N whole numbers or texts are classes,
    N × H × W whole numbers beside pictures are the classes of their pixels, others are values. Names are guessed (x, X,
    data, images, x_train ...); x_test and y_test are kept for testing.
    """

    kind = "npz.v1"
    title = "Arrays (NumPy)"
    group = "Files"
    icon = "mdi6.zip-box-outline"
    keywords = ("npz", "npy", "numpy", "array", "matrix", "own data")
    form = "table"
    suffixes = (".npz", ".npy")

    path: str = param("", "File", "The .npz file.", editor="file")
    x: str = param("", "Samples", "Name of the array of samples. Empty: guessed.")
    y: str = param("", "Targets", "Name of the array of targets. Empty: guessed, or none.")

    def load(self, progress: Progress) -> Dataset:
        found, size = checked_file(self.path, "NumPy file", MAX_MAPPED)
        with reading(found):
            if found.suffix.lower() == ".npy":
                with found.open("rb") as file:
                    arrays = {"x": _array(file, found.name, size, found)}
                    return dataset_of(found.name, arrays, "x", None)
            try:
                with zipfile.ZipFile(found) as archive:
                    infos = _members(archive, found.name)
                    x = _chosen(self.x, X_NAMES, infos, found.name, "samples")
                    y = None
                    if self.y or _guess(Y_NAMES, infos):
                        y = _chosen(self.y, Y_NAMES, infos, found.name, "targets")
                    both = (x, y, TEST_NAMES.get(x.lower()), TEST_NAMES.get((y or "").lower()))
                    wanted = [name for name in dict.fromkeys(both) if name in infos]
                    together = any(name in wanted for name in both[2:])  # two arrays become one in memory
                    mappable = {n: not together and infos[n].compress_type == zipfile.ZIP_STORED for n in wanted}
                    _check_total([infos[n] for n in wanted if not mappable[n]], found.name)
                    arrays = {}
                    for i, name in enumerate(wanted):
                        progress(i / len(wanted), f"Reading {name} of {found.name}")
                        with archive.open(infos[name]) as member:
                            place = (found, _data_offset(found, infos[name])) if mappable[name] else ()
                            arrays[name] = _array(member, f"{found.name}: {name}", infos[name].file_size, *place)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                raise DataError(f"'{found.name}' is no NumPy file, or it is damaged ({error}).") from error
        return dataset_of(found.name, arrays, x, y)


# --- reading ---


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise DataError(f"'{name}' holds {len(infos):,} arrays; at most {MAX_MEMBERS:,} can be looked at.")
    return {info.filename.removesuffix(".npy"): info for info in infos if info.filename.endswith(".npy")}


def _guess(names: tuple[str, ...], infos: dict[str, zipfile.ZipInfo]) -> str | None:
    by_lower = {found.lower(): found for found in infos}
    return next((by_lower[name] for name in names if name in by_lower), None)


def _chosen(wanted: str, names: tuple[str, ...], infos: dict[str, zipfile.ZipInfo], file: str, what: str) -> str:
    there = ", ".join(sorted(infos)[:20]) or "none"
    if wanted:
        if wanted not in infos:
            raise DataError(f"'{file}' holds no array '{wanted}'. Its arrays: {there}.")
        return wanted
    guess = _guess(names, infos)
    if guess is not None:
        return guess
    if len(infos) == 1:
        return next(iter(infos))
    raise DataError(f"It is not clear which array of '{file}' holds the {what}. Type its name; its arrays: {there}.")


def _check_total(infos: list[zipfile.ZipInfo], name: str) -> None:
    """Raises DataError for an archive that would unpack to more than it should."""
    total = sum(info.file_size for info in infos)
    if total > MAX_BYTES:
        raise DataError(f"'{name}' would take {total / (1 << 30):.3g} GB unpacked; at most {MAX_BYTES >> 30} GB can be "
                        "loaded.")
    for info in infos:
        if info.file_size > FREE_SIZE and info.file_size > MAX_RATIO * max(1, info.compress_size):
            ratio = info.file_size / max(1, info.compress_size)
            raise DataError(f"'{name}': the array '{info.filename}' unpacks to {ratio:,.0f} times its size, like a zip "
                            "bomb. It was not loaded.")


def _data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Where the bytes of an unpacked member begin: behind its local header, whose length only it tells."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(30)
        if header[:4] != b"PK\3\4":
            raise zipfile.BadZipFile(f"no member at byte {info.header_offset:,}")
        name, extra = (int.from_bytes(header[i:i + 2], "little") for i in (26, 28))
        return info.header_offset + 30 + name + extra


def _array(file: IO[bytes], name: str, size: int, path: Path | None = None, offset: int = 0) -> np.ndarray:
    """The array in an .npy stream of `size` bytes; a large one is mapped when the stream is `path` from `offset` on."""
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = header(file)
    except (ValueError, SyntaxError, tokenize.TokenError) as error:
        raise DataError(f"'{name}' is no NumPy array, or it is damaged ({str(error).splitlines()[0]}).") from error
    if dtype.hasobject:
        raise DataError(f"'{name}' holds Python objects (pickle), which could run any program when opened, so it is "
                        "not loaded. Save it as plain numbers, for example with .astype(float).")
    if dtype.kind not in "biufUS":
        raise DataError(f"'{name}' holds {dtype}; numbers or texts are needed.")
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > size:
        raise DataError(f"'{name}' is cut off or damaged: its header promises {wanted:,} bytes, there are {size:,}.")
    if path is not None and wanted > MAP_FROM and not fortran and dtype.kind in "biuf":
        return np.memmap(path, dtype, "r", offset + file.tell(), shape)
    if wanted > MAX_BYTES:
        kept = " It is kept column by column (Fortran order): save it with np.ascontiguousarray." if fortran else ""
        raise DataError(f"'{name}' would take {wanted / (1 << 30):.3g} GB of memory; at most {MAX_BYTES >> 30} GB can "
                        f"be loaded.{kept}")
    data = bytearray(wanted)
    view, at = memoryview(data), 0
    while at < wanted:
        count = file.readinto(view[at:at + (1 << 24)])
        if not count:
            raise DataError(f"'{name}' is cut off: it ends after {at:,} of {wanted:,} bytes.")
        at += count
    values = np.frombuffer(data, dtype=dtype)
    values = values.reshape(shape[::-1]).T if fortran else values.reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)


# --- meaning ---


def dataset_of(file: str, arrays: dict[str, np.ndarray], x: str, y: str | None) -> Dataset:
    notes: list[str] = []
    parts: dict[str, np.ndarray] = {}
    samples, targets = _as_array(arrays, x), None if y is None else arrays[y]
    if targets is not None and (targets.ndim == 0 or len(targets) != len(samples)):
        count = len(targets) if targets.ndim else 1
        raise DataError(f"'{file}': {x} has {len(samples):,} samples, {y} has {count:,} targets. They must be as many.")
    test_x = arrays.get(TEST_NAMES.get(x.lower(), ""))
    test_y = arrays.get(TEST_NAMES.get((y or "").lower(), ""))
    if test_x is not None and (targets is None) == (test_y is None):
        if test_x.shape[1:] != samples.shape[1:]:
            raise DataError(f"'{file}': training samples have the shape {samples.shape[1:]}, test samples "
                            f"{test_x.shape[1:]}. They must be the same.")
        if test_y is not None and len(test_y) != len(test_x):
            raise DataError(f"'{file}': there are {len(test_x):,} test samples and {len(test_y):,} test targets.")
        parts = {"train": np.arange(len(samples)), "test": np.arange(len(samples), len(samples) + len(test_x))}
        samples = np.concatenate([samples, test_x])
        if targets is not None:
            targets = np.concatenate([targets, test_y])
        notes.append(f"{len(test_x):,} test samples are kept as the file gives them.")
    if not len(samples):
        raise DataError(f"'{file}': the array {x} has no samples.")
    inputs = inputs_of(samples, x, notes)
    columns = inputs
    if targets is not None:
        mask = _mask(targets, y or "y", inputs[0], notes)
        columns = [*inputs, mask if mask is not None else _target(targets, y or "y", notes)]
    form = "images" if inputs[0].kind == "image" else "table"
    return Dataset(file, form, tuple(columns), tuple(notes), parts)


def _as_array(arrays: dict[str, np.ndarray], x: str) -> np.ndarray:
    samples = arrays[x]
    if samples.ndim == 0 or samples.dtype.kind not in "biuf":
        raise DataError(f"The array '{x}' holds no samples: N numbers, rows, pictures or series are needed.")
    return samples


def inputs_of(samples: np.ndarray, name: str, notes: list[str]) -> list[Column]:
    """Columns for the samples [N, ...]: pictures, numbers of a table, or one array."""
    if samples.dtype.kind == "b":
        samples = samples.view(np.uint8)
    shape = samples.shape[1:]
    if len(shape) == 2 and min(shape) >= 8 and (samples.dtype == np.uint8 or shape[0] == shape[1]):
        return [Column("image", "image", "input", samples[..., None])]
    if len(shape) == 3 and shape[2] in (1, 2, 3, 4):
        return [Column("image", "image", "input", samples)]
    if len(shape) == 3 and shape[0] in (1, 3, 4):
        notes.append(f"'{name}' holds pictures with the channels first; they were put last.")
        return [Column("image", "image", "input", np.moveaxis(samples, 1, -1))]
    if len(shape) == 0:
        return [Column(name, "number", "input", samples.astype(np.float64))]
    if len(shape) == 1 and shape[0] <= MAX_TABLE and samples.size * 8 <= MAX_BYTES:
        return [Column(f"{name}{i + 1}", "number", "input", samples[:, i].astype(np.float64)) for i in range(shape[0])]
    return [Column(name, "array", "input", samples)]


def _target(targets: np.ndarray, name: str, notes: list[str]) -> Column:
    """Classes from whole numbers, texts or one-hot rows; else values."""
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim == 2 and targets.size <= MAX_ONE_HOT and targets.dtype.kind in "biuf" and _one_hot(targets):
        notes.append(f"'{name}' marks the class by a 1 in its column (one-hot); classes are numbered from 0.")
        targets = targets.argmax(axis=1)
    if targets.ndim == 1 and targets.dtype.kind in "biuUS":
        values, place = np.unique(targets, return_inverse=True)
        if targets.dtype.kind in "US" or len(values) <= MAX_CLASSES:
            if targets.dtype.kind == "S":
                texts = np.char.decode(values, "utf-8", "replace")
            else:
                texts = (values if targets.dtype.kind == "U" else values.astype(np.int64)).astype(str)
            names = tuple(texts.tolist())
            return Column(name, "category", "target", np.array(names, dtype=object)[place], names)
    if targets.dtype.kind not in "biuf":
        raise DataError(f"The array '{name}' holds texts in {targets.ndim} dimensions; one for each sample is needed.")
    if targets.ndim == 1:
        return Column(name, "number", "target", targets.astype(np.float64))
    return Column(name, "array", "target", targets)


def _mask(targets: np.ndarray, name: str, picture: Column, notes: list[str]) -> Column | None:
    """Classes of the pixels of pictures, from few different whole numbers; None for other targets."""
    if targets.ndim == 4 and targets.shape[-1] == 1:
        targets = targets[..., 0]
    if picture.kind != "image" or targets.dtype.kind not in "biu" or targets.shape != picture.values.shape[:3]:
        return None
    read, numbers = RawReader(targets), np.zeros(0, dtype=np.int64)
    for part in chunks(len(targets), math.prod(targets.shape[1:])):
        numbers = np.union1d(numbers, read(part).astype(np.int64))
        if len(numbers) > MAX_CLASSES:
            return None
    if numbers[0] < 0:
        raise DataError(f"The array '{name}' holds the class number {int(numbers[0])}. Classes of pixels are numbered "
                        "from 0.")
    if numbers[-1] >= 2 * len(numbers) and isinstance(targets, np.memmap):
        raise DataError(f"The array '{name}' holds {len(numbers)} classes with numbers up to {int(numbers[-1])}. "
                        "Number them from 0 without gaps, or save the file packed (np.savez_compressed).")
    if numbers[-1] >= 2 * len(numbers):
        notes.append(f"'{name}' numbers its {len(numbers)} classes with gaps; they are counted from 0.")
        targets = np.searchsorted(numbers, targets).astype(np.uint16)
        names = tuple(map(str, numbers.tolist()))
    else:
        names = tuple(map(str, range(int(numbers[-1]) + 1)))
    if len(names) == 2:
        names = ("background", "object")
    return Column("mask", "mask", "target", targets, names)


def _one_hot(targets: np.ndarray) -> bool:
    marks = bool(((targets == 0) | (targets == 1)).all())
    return targets.shape[1] > 1 and marks and bool((targets.sum(axis=1) == 1).all())
