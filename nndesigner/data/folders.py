"""Files of one kind in folders: one folder a class, perhaps below folders for fixed parts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

#: names of folders that hold fixed parts, each with the classes below it
PARTS = {"train": "train", "training": "train", "val": "validation", "valid": "validation",
         "validation": "validation", "test": "test", "testing": "test"}
#: files looked at to tell what a folder holds
LOOKED_AT = 200
#: files whose sizes are remembered
MOST_SIZES = 20_000


def classed_files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[Path, str | None, str]]:
    """(file, class or None, part or "") of every file with such an ending, in the order of names.

    Hidden files are passed over; without folders inside there are no classes. May raise OSError.
    """
    below = _folders(folder)
    parts = [f for f in below if f.name.lower() in PARTS]
    if parts and len(parts) == len(below):
        for part in parts:
            for path, label, _ in _by_class(part, suffixes):
                yield path, label, PARTS[part.name.lower()]
    else:
        yield from _by_class(folder, suffixes)


def names_in(folder: Path, paths: Iterable[Path]) -> tuple[str, ...]:
    """Names of files by their way from the folder on, the same on every system."""
    start = len(str(folder)) + 1
    return tuple(str(path)[start:].replace(os.sep, "/") for path in paths)


def sizes_of(paths: Sequence[Path]) -> tuple[int, ...]:
    """Sizes of files in bytes, -1 for one that is gone; empty for so many that looking would take long."""
    if len(paths) > MOST_SIZES:
        return ()
    found = []
    for path in paths:
        try:
            found.append(path.stat().st_size)
        except OSError:
            found.append(-1)
    return tuple(found)


def holds(folder: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether most of the first files in a folder, hidden ones aside, have such an ending."""
    try:
        names = [path.name.lower() for path in islice(_files(folder, ("",)), LOOKED_AT)]
    except OSError:
        return False
    return 2 * sum(name.endswith(suffixes) for name in names) > len(names)


def _by_class(folder: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[Path, str | None, str]]:
    below = _folders(folder)
    for inner in below:
        for path in _files(inner, suffixes):
            yield path, inner.name, ""
    if not below:
        for path in _files(folder, suffixes):
            yield path, None, ""


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Files in a folder and all folders below it; links to folders are not followed."""
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(suffixes) and not name.startswith("."):
                yield Path(place, name)
