"""Which files of a folder are pictures, which are their masks, and what the classes are called."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from nndesigner.data.dataset import DataError
from nndesigner.data.files import checked_file, reading
from nndesigner.data.folders import PARTS
from nndesigner.data.pictures import SUFFIXES

PICTURE_FOLDERS = frozenset({
    "images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "input", "inputs", "x"})
MASK_FOLDERS = frozenset({
    "masks", "mask", "labels", "label", "annotations", "annotation", "segmentation", "segmentations",
    "segmentationclass", "gt", "groundtruth", "ground_truth", "targets", "y"})
#: what the name of a mask has behind that of its picture
ENDING = re.compile(r"[_\- .]?(mask|masks|label|labels|seg|segmentation|gt|groundtruth|annotation|_l|_p)$", re.I)
CLASS_FILES = ("classes.txt", "class_names.txt", "codes.txt", "names.txt", "labels.txt", "label_colors.txt",
               "labelmap.txt", "class_dict.csv")
MAX_FILES = 1_000_000
#: files looked at to tell whether a folder holds masks
LOOKED_AT = 400


@dataclass(frozen=True)
class Pair:
    """A picture and its mask; `part` is "train", "validation", "test" or "" by a folder on the way to it."""

    picture: Path
    mask: Path
    part: str


@dataclass(frozen=True)
class ClassNames:
    """Names of classes in the order of their numbers; `colours` (0xRRGGBB) where the file tells them, else empty."""

    file: str
    names: tuple[str, ...]
    colours: tuple[int, ...] = ()


def has_masks(folder: Path) -> bool:
    """Whether a folder holds pictures with masks, by the names of folders and of the first files."""
    try:
        files = list(islice(_files(folder), LOOKED_AT))
        for place, inner, _ in os.walk(folder):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            masks = [name for name in inner if name.lower() in MASK_FOLDERS]
            pictures = [name for name in inner if name.lower() in PICTURE_FOLDERS]
            if masks and pictures:
                for name in (*masks, *pictures):
                    files += islice(_files(Path(place, name)), LOOKED_AT)
            if len(Path(place).relative_to(folder).parts) >= 2:
                inner.clear()
        return bool(_paired(folder, list(dict.fromkeys(files)))[0])
    except OSError:
        return False


def pairs_in(folder: Path, masks: str = "") -> tuple[list[Pair], list[str]]:
    """(pictures with their masks in the order of names, sentences about files that have no partner).

    `masks` is the folder of the masks where it lies elsewhere. Raises DataError when there is no pair.
    """
    with reading(folder):
        if not folder.is_dir():
            raise DataError(f"'{folder}' is not a folder. Choose the folder that holds pictures and masks.")
        files = list(islice(_files(folder), MAX_FILES + 1))
        if len(files) > MAX_FILES:
            raise DataError(f"'{folder.name}' holds more than {MAX_FILES:,} pictures. Choose a folder with fewer.")
        elsewhere = Path(masks).expanduser() if masks else None
        if elsewhere is not None:
            with reading(elsewhere):
                if not elsewhere.is_dir():
                    raise DataError(f"'{elsewhere}' is not a folder. Choose the folder that holds the masks.")
                files += [f for f in islice(_files(elsewhere), MAX_FILES) if f not in set(files)]
    pairs, lonely, unused = _paired(folder, files, elsewhere)
    if not pairs:
        raise DataError(
            f"No picture of '{folder.name}' has a mask. Put the pictures into a folder 'images' and the masks into a "
            "folder 'masks' beside it, with the same names, or call the mask of 'a.jpg' 'a_mask.png'.")
    notes = []
    if lonely:
        notes.append(f"{len(lonely):,} pictures without a mask left out (first: '{lonely[0].name}').")
    if unused:
        notes.append(f"{len(unused):,} masks without a picture left out (first: '{unused[0].name}').")
    return pairs, notes


def class_names(folder: Path, masks: Path) -> ClassNames | None:
    """The names in a file such as classes.txt in the folder or beside the masks, None without one.

    One name a line; a line may begin with a number, or hold a colour as three numbers. Raises DataError.
    """
    places = dict.fromkeys((folder, masks, masks.parent))
    found = next((p / name for p in places for name in CLASS_FILES if (p / name).is_file()), None)
    if found is None:
        return None
    path, _ = checked_file(str(found), "file of class names", 1 << 20)
    with reading(path):
        text = path.read_text("utf-8", "replace")
    names, colours = [], []
    for line in text.splitlines():
        line = line.strip().lstrip("\ufeff")
        if not line or line.startswith("#") or re.fullmatch(r"name\W+r\W+g\W+b", line, re.I):
            continue
        colour = re.search(r"\b(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})\b", line)
        if colour is not None and all(int(c) < 256 for c in colour.groups()):
            red, green, blue = map(int, colour.groups())
            colours.append(red << 16 | green << 8 | blue)
            line = line[:colour.start()] + line[colour.end():]
        else:
            line = re.sub(r"^\d+\s*[:;,.\s]\s*(?=\S)", "", line)
        names.append(line.strip(" \t,;:") or f"class {len(names)}")
    if not names:
        raise DataError(f"'{path.name}' names no classes. Write one name a line, or remove it.")
    return ClassNames(path.name, tuple(names), tuple(colours) if len(colours) == len(names) else ())


def _paired(folder: Path, files: list[Path], elsewhere: Path | None = None
            ) -> tuple[list[Pair], list[Path], list[Path]]:
    """(pairs, pictures without a mask, masks without a picture)."""
    pictures: dict[tuple[str, ...], Path] = {}
    masks: dict[tuple[str, ...], Path] = {}
    loose: dict[tuple[str, ...], Path] = {}
    for path in files:
        if elsewhere is not None and path.is_relative_to(elsewhere):
            masks[(*path.relative_to(elsewhere).parts[:-1], path.stem)] = path
            continue
        above = path.relative_to(folder).parts[:-1]
        lower = [part.lower() for part in above]
        mask = next((i for i, part in enumerate(lower) if part in MASK_FOLDERS), None)
        picture = next((i for i, part in enumerate(lower) if part in PICTURE_FOLDERS), None)
        if picture is None and mask is not None and elsewhere is None:
            masks[(*above[:mask], *above[mask + 1:], path.stem)] = path
        elif picture is not None:
            pictures[(*above[:picture], *above[picture + 1:], path.stem)] = path
        else:
            loose[(*above, path.stem)] = path
    if not pictures:  # masks lie among the pictures, or only they have a folder
        named = {key for key in loose if elsewhere is None and _without_ending(key) in loose.keys() - {key}}
        masks |= {key: loose[key] for key in named}
        pictures = {key: path for key, path in loose.items() if key not in named}
    if not masks:
        return [], [], []
    by_stem: dict[str, tuple[str, ...] | None] = {}
    for key in pictures if not loose.keys() & pictures.keys() else ():  # folders of classes may use the same names
        by_stem[key[-1]] = None if key[-1] in by_stem else key
    pairs, unused = {}, []
    for key, path in masks.items():
        short = _without_ending(key)
        match = next((k for k in (key, short, by_stem.get(key[-1]), by_stem.get(short[-1])) if k in pictures), None)
        if match is None or match in pairs:
            unused.append(path)
            continue
        part = next((PARTS[p.lower()] for p in key[:-1] if p.lower() in PARTS), "")
        pairs[match] = Pair(pictures[match], path, part)
    lonely = [path for key, path in pictures.items() if key not in pairs]
    return [pairs[key] for key in sorted(pairs)], lonely, unused


def _without_ending(key: tuple[str, ...]) -> tuple[str, ...]:
    return (*key[:-1], ENDING.sub("", key[-1]))


def _files(folder: Path) -> Iterator[Path]:
    """Pictures in a folder and below it, in the order of names; hidden ones and linked folders are passed over."""
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(place, name)
