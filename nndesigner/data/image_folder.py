"""Pictures from folders: one folder a class, decoded by several threads and brought to one size."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset, Fit
from nndesigner.data.files import reading
from nndesigner.data.folders import classed_files, holds
from nndesigner.data.pictures import SUFFIXES, load_picture, scaled
from nndesigner.data.sound import SUFFIXES as SOUNDS
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

MAX_FILES = 1_000_000
MAX_BYTES = 4 << 30
#: pictures that wait for a thread at a time, so that cancelling is quick
WAITING = 64


class ImageFolder(Source):
    """Pictures of your own: a folder with one folder for each class.

    The names of the folders are the classes. Folders named train, val and test above them are kept as parts. Pictures
    (PNG, JPEG, BMP, GIF, WEBP, TIFF) are turned upright and brought to one size. Without class folders there are only
    pictures, as for an autoencoder.
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
    fit: Fit = param("crop", "Proportions", "What happens to pictures of other proportions.", labels={
        "crop": "cut to the middle", "pad": "keep whole, fill the edge", "stretch": "stretch"})

    @classmethod
    def reads(cls, path: Path) -> bool:
        return path.is_dir() and not holds(path, (*SOUNDS, ".txt"))

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
        channels = 1 if self.colour == "grey" else 3
        size = len(found) * self.height * self.width * channels
        if len(found) > MAX_FILES or size > MAX_BYTES:
            raise DataError(f"'{folder.name}' holds {len(found):,} pictures, which would take {size / (1 << 30):.3g} "
                            f"GB. Choose a smaller size, or fewer pictures (at most {MAX_BYTES >> 30} GB).")
        values = np.empty((len(found), self.height, self.width, channels), dtype=np.uint8)
        faults = self._decode([path for path, _, _ in found], values, progress)
        good = [i for i in range(len(found)) if i not in faults]
        if not good:
            raise DataError(f"No picture of '{folder.name}' can be read. The first fault: {faults[min(faults)]}")
        notes = []
        if faults:
            count = "1 picture" if len(faults) == 1 else f"{len(faults):,} pictures"
            notes.append(f"{count} left out. The first fault: {faults[min(faults)]}")
            values = values[good]
        columns = [Column("image", "image", "input", values, limits=(0, 255), fit=self.fit)]
        labels = np.empty(len(good), dtype=object)
        labels[:] = [found[i][1] for i in good]
        if any(label is not None for label in labels):
            columns.append(Column("class", "category", "target", labels))
        parts = {}
        for name in ("train", "validation", "test"):
            rows = [row for row, i in enumerate(good) if found[i][2] == name]
            if rows:
                parts[name] = np.array(rows)
        return Dataset(folder.name, "images", tuple(columns), tuple(notes), parts)

    def _decode(self, paths: list[Path], values: np.ndarray, progress: Progress) -> dict[int, str]:
        """Fill `values` [n, H, W, C]; returns number of the picture -> fault for those that cannot be read."""
        faults: dict[int, str] = {}

        def one(i: int) -> str:
            try:
                picture = load_picture(str(paths[i]), colour=values.shape[-1] == 3)
            except DataError as error:
                return str(error)
            values[i] = np.round(255 * np.clip(scaled(picture, self.height, self.width, self.fit), 0, 1))
            return ""

        with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "pictures") as pool:
            for start in range(0, len(paths), WAITING):
                progress(start / len(paths), f"Reading picture {start:,} of {len(paths):,}")
                for i, fault in enumerate(pool.map(one, range(start, min(start + WAITING, len(paths)))), start):
                    if fault:
                        faults[i] = fault
        return faults
