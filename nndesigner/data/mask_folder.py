"""Pictures with masks: a network learns the class of every pixel (segmentation)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from nndesigner.data import masks
from nndesigner.data.dataset import Column, DataError, Dataset, Fit
from nndesigner.data.folders import names_in
from nndesigner.data.image_folder import AT_ONCE, AT_ONCE_BYTES, for_each_file, without_faults
from nndesigner.data.mask_files import ClassNames, Pair, class_names, has_masks, pairs_in
from nndesigner.data.masks import Palette, nearest, pixel_codes
from nndesigner.data.picture_cache import Pictures
from nndesigner.data.pictures import check_picture, decoded, open_picture, picture_size
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

#: colours met in one mask from which on it is a photo, or was saved with losses
MOST_COLOURS = 1024
#: how much the proportions of a picture and its mask may differ, for masks of half the size
TOLERANCE = 0.02


class MaskFolder(Source):
    """Pictures with masks that tell the class of every pixel, for segmentation.

    Pictures lie in a folder "images", masks with the same names in "masks" (or labels, annotations …), or both in one
    folder as a.jpg and a_mask.png. Masks are PNG, BMP, GIF or TIFF with a palette, grey numbers or colours. Folders
    named train, val and test are kept as parts. Names of the classes are read from a file classes.txt beside them.
    """

    kind = "mask_folder.v1"
    title = "Pictures with masks"
    group = "Files"
    icon = "mdi6.layers-triple-outline"
    keywords = ("segmentation", "pixels", "semantic", "labels", "annotations", "own data", "u-net", "background")
    form = "images"

    path: str = param("", "Folder", "The folder with pictures and masks.", editor="folder")
    masks: str = param("", "Masks", "The folder of the masks, where it lies elsewhere. Empty: found by its name.",
                       editor="folder", advanced=True)
    height: int = param(
        64, "Height", "Height to which pictures and masks are brought. Higher: finer borders, slower training.", ge=8,
        le=1024, unit="pixels")
    width: int = param(
        64, "Width", "Width to which pictures and masks are brought. Higher: finer borders, slower training.", ge=8,
        le=1024, unit="pixels")
    colour: Literal["colour", "grey"] = param("colour", "Colour", "Grey pictures have a third of the values; keep "
                                              "colour where it tells classes apart.")
    classes: str = param("", "Classes", "Names of the classes, separated by commas, in the order of their numbers. "
                         "Empty: from a file classes.txt, else the numbers or colours themselves.")
    fit: Fit = param("stretch", "Proportions", "What happens to pictures of other proportions, and to their masks.",
                     labels={"crop": "cut to the middle", "pad": "keep whole, fill the edge", "stretch": "stretch"})

    @classmethod
    def reads(cls, path: Path) -> bool:
        return path.is_dir() and has_masks(path)

    def load(self, progress: Progress) -> Dataset:
        if not self.path:
            raise DataError("Choose a folder of pictures and masks.")
        folder = Path(self.path).expanduser()
        progress(None, f"Looking through {folder.name}")
        pairs, notes = pairs_in(folder, self.masks)
        found: list[tuple[bool, dict[int, int]]] = [(False, {})] * len(pairs)

        def look(i: int) -> str:
            try:
                found[i] = _looked_through(pairs[i])
            except DataError as error:
                return str(error)
            return ""

        faults = for_each_file([p.picture for p in pairs], look, progress, "Looking through")
        good = without_faults(faults, len(pairs), folder.name, notes)
        palette = self._palette(folder, pairs[good[0]].mask.parent, [found[i] for i in good], notes)
        images, labels, kept = self._values([pairs[i] for i in good], palette, folder.name, progress, notes)
        parts = {}
        for name in ("train", "validation", "test"):
            rows = [row for row, i in enumerate(kept) if pairs[good[i]].part == name]
            if rows:
                parts[name] = np.array(rows)
        columns = (Column("image", "image", "input", images, limits=(0, 255), fit=self.fit),
                   Column("mask", "mask", "target", labels, palette.names, fit=self.fit))
        return Dataset(folder.name, "images", columns, tuple(notes), parts,
                       names=names_in(folder, [pairs[good[i]].picture for i in kept]))

    def _palette(
        self, folder: Path, mask_folder: Path, found: list[tuple[bool, dict[int, int]]], notes: list[str]
    ) -> Palette:
        """What the pixels of the masks stand for."""
        grey = all(not colour or all(code % 0x010101 == 0 for code in codes) for colour, codes in found)
        counts: Counter[int] = Counter()
        for colour, codes in found:
            if colour == (not grey):
                counts.update(codes)
            elif colour:
                counts.update({code & 0xFF: n for code, n in codes.items()})
        typed = tuple(name.strip() for name in self.classes.split(",") if name.strip())
        known = ClassNames("", typed) if typed else class_names(folder, mask_folder)
        if known is not None and known.file:
            notes.append(f"Names of the classes: '{known.file}'.")
        if known is not None and known.colours and not grey:
            order = np.argsort(known.colours)
            return Palette(True, tuple(known.colours[i] for i in order), tuple(order.tolist()), known.names)
        try:
            palette, note = masks.named(counts, not grey, known.names if known is not None else ())
        except DataError as error:
            raise DataError(f"'{folder.name}': {error}.") from error
        notes += [note] if note else []
        return palette

    def _values(
        self, pairs: list[Pair], palette: Palette, name: str, progress: Progress, notes: list[str]
    ) -> tuple[np.ndarray | Pictures, np.ndarray | Pictures, list[int]]:
        """(pictures [n, H, W, C], masks [n, H, W], numbers of the pairs that can be read)."""
        pictures, labels = [p.picture for p in pairs], [p.mask for p in pairs]
        shape = (self.height, self.width, 1 if self.colour == "grey" else 3)
        if len(pairs) > AT_ONCE or len(pairs) * math.prod(shape) > AT_ONCE_BYTES:
            images, classes = Pictures(pictures, *shape, self.fit), Masks(labels, *shape[:2], self.fit, palette)
            broken = {int(i): f"'{paths[i].name}' is damaged and cannot be read." for values, paths in (
                (images, pictures), (classes, labels)) for i in values.known_broken()}
            good = without_faults(broken, len(pairs), name, notes)
            return (images.only(good), classes.only(good), good) if broken else (images, classes, good)
        images = np.empty((len(pairs), *shape), dtype=np.uint8)
        classes = np.empty((len(pairs), *shape[:2]), dtype=np.uint8)

        def one(i: int) -> str:
            try:
                images[i] = decoded(str(pictures[i]), *shape, self.fit)
                classes[i] = decoded_mask(labels[i], *shape[:2], self.fit, palette)
            except DataError as error:
                return str(error)
            return ""

        faults = for_each_file(pictures, one, progress, "Reading")
        good = without_faults(faults, len(pairs), name, notes)
        return (images, classes, good) if not faults else (images[good], classes[good], good)


class Masks(Pictures):
    """Masks [n, H, W], uint8, of files, read when they are wanted and kept as decoded pictures are."""

    def __init__(self, paths: Sequence[Path], height: int, width: int, fit: Fit, palette: Palette) -> None:
        self._palette = palette
        super().__init__(paths, height, width, 1, fit, repr(palette))
        self.shape, self.ndim = self.shape[:3], 3

    def _decoded(self, path: Path) -> np.ndarray:
        return decoded_mask(path, *self.shape[1:], self._fit, self._palette)


def decoded_mask(path: Path, height: int, width: int, fit: Fit, palette: Palette) -> np.ndarray:
    """Class numbers uint8 [height, width] of a mask file, brought to size as its picture is. Raises DataError."""
    from PIL import ImageOps

    with open_picture(str(path)) as opened:
        codes = nearest(pixel_codes(ImageOps.exif_transpose(opened), palette.colour), height, width, fit)
    try:
        return palette.class_numbers(codes)
    except DataError as error:
        raise DataError(f"'{path.name}' cannot be used: {error}. Correct it, or name the class.") from error


def _looked_through(pair: Pair) -> tuple[bool, dict[int, int]]:
    """(whether the mask is in colour, what its pixels say: code -> number of pixels). Raises DataError."""
    check_picture(pair.picture)
    size = picture_size(pair.picture)[::-1]
    with open_picture(str(pair.mask)) as opened:
        if opened.format in ("JPEG", "WEBP"):
            raise DataError(f"'{pair.mask.name}' is a {opened.format} file, which changes pixels when it is saved, so "
                            "class numbers are lost. Save masks as PNG.")
        width, height = opened.size
        if abs(math.log(width / height * size[1] / size[0])) > TOLERANCE:
            raise DataError(f"'{pair.mask.name}' has {width} × {height} pixels, its picture '{pair.picture.name}' "
                            f"{size[0]} × {size[1]}: the proportions differ.")
        colour = opened.mode in ("RGB", "RGBA")
        if opened.mode in ("P", "L", "RGB"):
            found = opened.getcolors(MOST_COLOURS)
            counts = None if found is None else {masks.packed(value): n for n, value in found}
        else:
            values, numbers = np.unique(pixel_codes(opened, colour), return_counts=True)
            counts = dict(zip(values.tolist(), numbers.tolist())) if len(values) <= MOST_COLOURS else None
    if counts is None:
        raise DataError(f"'{pair.mask.name}' has more than {MOST_COLOURS:,} colours and is no mask. A mask has one "
                        "colour or number for each class.")
    return colour, counts
