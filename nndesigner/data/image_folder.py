"""Pictures from folders: one folder a class, or a table of labels beside them; brought to one size.

Few pictures are decoded when they are loaded, many when they are wanted (see picture_cache).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset, Fit
from nndesigner.data.files import reading
from nndesigner.data.folders import classed_files, holds, names_in, sizes_of
from nndesigner.data.label_table import read_labels
from nndesigner.data.mask_files import has_masks
from nndesigner.data.picture_cache import Pictures
from nndesigner.data.pictures import SUFFIXES, check_picture, decoded
from nndesigner.data.sound import SUFFIXES as SOUNDS
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

MAX_FILES = 1_000_000
#: up to this many pictures, and bytes, are decoded at once; of more each when it is wanted
AT_ONCE, AT_ONCE_BYTES = 2000, 1 << 30
#: pictures that wait for a thread at a time, so that cancelling is quick
WAITING = 64


class ImageFolder(Source):
    """Pictures of your own: a folder with one folder for each class.

    The names of the folders are the classes. Folders named train, val and test above them are kept as parts. Pictures
    (PNG, JPEG, BMP, GIF, WEBP, TIFF) are turned upright and brought to one size. Without class folders a CSV file
    beside the pictures may tell their labels; else there are only pictures, as for an autoencoder.
    """

    kind = "image_folder.v1"
    title = "Folder of pictures"
    group = "Files"
    icon = "mdi6.folder-image"
    keywords = ("images", "photos", "own data", "jpeg", "png", "classes", "directory")
    form = "images"

    path: str = param("", "Folder", "The folder with one folder for each class.", editor="folder")
    height: int = param(
        32, "Height", "Height to which pictures are brought. Higher: more detail, slower training.", ge=4, le=1024,
        unit="pixels")
    width: int = param(
        32, "Width", "Width to which pictures are brought. Higher: more detail, slower training.", ge=4, le=1024,
        unit="pixels")
    colour: Literal["colour", "grey"] = param("colour", "Colour", "Grey pictures have a third of the values; keep "
                                              "colour where it tells classes apart.")
    labels: str = param("", "Labels", "A CSV file with a column of file names and one of labels. Empty: the names of "
                        "the folders, or the only CSV file beside the pictures.", editor="file")
    fit: Fit = param("crop", "Proportions", "What happens to pictures of other proportions.", labels={
        "crop": "cut to the middle", "pad": "keep whole, fill the edge", "stretch": "stretch"})

    @classmethod
    def reads(cls, path: Path) -> bool:
        return path.is_dir() and not holds(path, (*SOUNDS, ".txt")) and not has_masks(path)

    def load(self, progress: Progress) -> Dataset:
        if not self.path:
            raise DataError("Choose a folder of pictures.")
        folder = Path(self.path).expanduser()
        progress(None, f"Looking through {folder.name}")
        with reading(folder):
            if not folder.is_dir():
                raise DataError(f"'{folder}' is not a folder. Choose the folder that holds a folder for each class.")
            found = list(islice(classed_files(folder, SUFFIXES), MAX_FILES + 1))
        if not found:
            raise DataError(f"'{folder.name}' holds no pictures ({', '.join(SUFFIXES)}). Put the pictures of each "
                            "class into a folder of its own below it.")
        if len(found) > MAX_FILES:
            raise DataError(f"'{folder.name}' holds more than {MAX_FILES:,} pictures. Choose a folder with fewer.")
        notes: list[str] = []
        target = None
        table = self.labels or (_table_beside(folder) if all(label is None for _, label, _ in found) else "")
        if table:
            target, labelled = read_labels(table, [path for path, _, _ in found], progress, notes)
            found = [found[i] for i in labelled]
        values, good = self._values([path for path, _, _ in found], folder.name, progress, notes)
        columns = [Column("image", "image", "input", values, limits=(0, 255), fit=self.fit)]
        labels = np.empty(len(good), dtype=object)
        labels[:] = [found[i][1] for i in good]
        if target is not None:
            columns.append(replace(target, values=target.values[good]))
        elif any(label is not None for label in labels):
            columns.append(Column("class", "category", "target", labels))
        parts = {}
        for name in ("train", "validation", "test"):
            rows = [row for row, i in enumerate(good) if found[i][2] == name]
            if rows:
                parts[name] = np.array(rows)
        kept = [found[i][0] for i in good]
        names, sizes = names_in(folder, kept), sizes_of(kept)
        return Dataset(folder.name, "images", tuple(columns), tuple(notes), parts, names=names, sizes=sizes)

    def _values(
        self, paths: list[Path], name: str, progress: Progress, notes: list[str]
    ) -> tuple[np.ndarray | Pictures, list[int]]:
        """(pictures [n, H, W, C], numbers of the files that can be read)."""
        shape = (self.height, self.width, 1 if self.colour == "grey" else 3)
        if len(paths) <= AT_ONCE and len(paths) * math.prod(shape) <= AT_ONCE_BYTES:
            values = np.empty((len(paths), *shape), dtype=np.uint8)
            faults = for_each_file(paths, self._decoding(paths, values), progress, "Reading")
            good = without_faults(faults, len(paths), name, notes)
            return (values if not faults else values[good]), good
        pictures = Pictures(paths, *shape, self.fit)
        faults = {int(i): f"'{paths[i].name}' is damaged and cannot be read." for i in pictures.known_broken()}
        if not pictures.complete:
            faults |= for_each_file(paths, lambda i: _fault(check_picture, paths[i]), progress, "Checking")
        good = without_faults(faults, len(paths), name, notes)
        if faults:
            pictures = pictures.only(good)
        if pictures.complete and pictures.nbytes <= AT_ONCE_BYTES:
            return pictures[:], good
        return pictures, good

    def _decoding(self, paths: list[Path], values: np.ndarray) -> Callable[[int], str]:
        def one(i: int) -> str:
            try:
                values[i] = decoded(str(paths[i]), *values.shape[1:], self.fit)
            except DataError as error:
                return str(error)
            return ""

        return one


def _fault(check: Callable[[Path], None], path: Path) -> str:
    try:
        check(path)
    except DataError as error:
        return str(error)
    return ""


def for_each_file(
    paths: Sequence[Path], one: Callable[[int], str], progress: Progress, doing: str
) -> dict[int, str]:
    """Number of the picture -> fault, for all of which `one` tells one; by several threads."""
    faults: dict[int, str] = {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "pictures") as pool:
        for start in range(0, len(paths), WAITING):
            progress(start / len(paths), f"{doing} picture {start:,} of {len(paths):,}")
            for i, fault in enumerate(pool.map(one, range(start, min(start + WAITING, len(paths)))), start):
                if fault:
                    faults[i] = fault
    return faults


def without_faults(faults: dict[int, str], count: int, name: str, notes: list[str]) -> list[int]:
    """Numbers of the pictures without a fault, with a note of the others. Raises DataError when none is left."""
    if len(faults) == count:
        raise DataError(f"No picture of '{name}' can be read. The first fault: {faults[min(faults)]}")
    if faults:
        left_out = "1 picture" if len(faults) == 1 else f"{len(faults):,} pictures"
        notes.append(f"{left_out} left out. The first fault: {faults[min(faults)]}")
    return [i for i in range(count) if i not in faults]


def _table_beside(folder: Path) -> str:
    """The only CSV file in the folder, or ""."""
    found = [p for p in folder.iterdir() if p.suffix.lower() in (".csv", ".tsv") and not p.name.startswith(".")]
    return str(found[0]) if len(found) == 1 else ""
