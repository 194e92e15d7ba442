"""Masks: the class of every pixel of a picture. Read from files, brought to a size, given back as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nndesigner.data.dataset import DataError, Fit

if TYPE_CHECKING:
    from PIL import Image

    from nndesigner.data.encoding import RawInput
    from nndesigner.data.rows import RawReader

#: classes are kept as bytes
MAX_CLASSES = 256
#: value of pixels that the network has not seen
UNSEEN = 255


def fill_masks(column: RawInput, read: RawReader, rows: np.ndarray | None, out: np.ndarray) -> None:
    """Fill `out` int64 [n, H, W] with the class numbers of the given rows, or of all.

    Raises DataError for a number that is no class.
    """
    out[...] = read(slice(None) if rows is None else rows)
    bad = (out < 0) | (out >= len(column.categories))
    if bad.any():
        place, y, x = (int(i) for i in np.argwhere(bad)[0])
        row = place if rows is None else int(rows[place])
        raise DataError(f"Sample {row + 1} of '{column.column}' holds the class number {int(out[place, y, x])} (row "
                        f"{y + 1}, column {x + 1}), but there are only the classes 0 to {len(column.categories) - 1}. "
                        "Correct it, or leave it out.")


@dataclass(frozen=True)
class Palette:
    """What the pixels of mask files stand for: a number or colour (0xRRGGBB) for each class, in rising order.

    `classes` [codes] are the class numbers, `names` those of the classes.
    """

    colour: bool
    codes: tuple[int, ...]
    classes: tuple[int, ...]
    names: tuple[str, ...]

    def class_numbers(self, values: np.ndarray) -> np.ndarray:
        """Class numbers uint8 of the pixels `values`. Raises DataError naming the first value that is no class."""
        if self.colour:
            codes = np.array(self.codes)
            places = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
            unknown, found = codes[places] != values, np.array(self.classes, dtype=np.uint8)[places]
        else:
            places = np.clip(values, -1, self.codes[-1] + 1).astype(np.intp)  # the last two places know no class
            table = self._table[places]
            unknown, found = table < 0, table.astype(np.uint8)
        if unknown.any():
            value = int(values[unknown][0])
            what = f"the colour #{value:06X}" if self.colour else f"the number {value}"
            raise DataError(f"{what} is none of the {len(self.names)} classes")
        return found

    @cached_property
    def _table(self) -> np.ndarray:
        """Class number of each number up to the largest, -1 of those without, and two more -1."""
        table = np.full(self.codes[-1] + 3, -1, dtype=np.int16)
        table[list(self.codes)] = self.classes
        return table


def pixel_codes(mask: Image.Image, colour: bool) -> np.ndarray:
    """What each pixel of a mask file says, whole numbers [H, W]: in a palette, or grey, or as a colour 0xRRGGBB.

    Raises ValueError for pixels of broken numbers.
    """
    if mask.mode == "F":
        raise ValueError("its pixels hold broken numbers")
    if colour:
        red, green, blue = np.moveaxis(np.asarray(mask.convert("RGB")).astype(np.int32), -1, 0)
        return red << 16 | green << 8 | blue
    if mask.mode in ("P", "L") or mask.mode.startswith("I"):
        return np.asarray(mask)
    return np.asarray(mask.convert("L"))


def packed(value: int | tuple[int, ...]) -> int:
    """A pixel as one number: a colour as 0xRRGGBB."""
    return value if isinstance(value, int) else value[0] << 16 | value[1] << 8 | value[2]


def nearest(values: np.ndarray, height: int, width: int, fit: Fit) -> np.ndarray:
    """Values [h, w] as [height, width], the window that `pictures.scaled` takes; of each pixel the one in its middle.

    What "pad" adds is what most of the border shows.
    """
    steps = values.shape[0] / height, values.shape[1] / width
    if fit != "stretch":
        steps = (min(steps),) * 2 if fit == "crop" else (max(steps),) * 2
    places = []
    for n, count, step in zip(values.shape, (height, width), steps):
        at = np.floor((n - count * step) / 2 + (np.arange(count) + 0.5) * step).astype(np.int64)
        places.append((np.clip(at, 0, n - 1), (at < 0) | (at >= n)))
    (rows, above), (columns, beside) = places
    found = values[rows][:, columns]
    if above.any() or beside.any():
        border = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
        kinds, counts = np.unique(border, return_counts=True)
        found[above | np.zeros(height, dtype=bool)] = kinds[counts.argmax()]
        found[:, beside] = kinds[counts.argmax()]
    return found


def as_large_as(mask: np.ndarray, height: int, width: int, fit: Fit) -> np.ndarray:
    """A mask of the network, uint8 [h, w], as large as the picture that it was made of; the way back of `nearest`.

    Pixels that "crop" has cut off are UNSEEN.
    """
    steps = height / mask.shape[0], width / mask.shape[1]
    if fit != "stretch":
        steps = (min(steps),) * 2 if fit == "crop" else (max(steps),) * 2
    places, unseen = [], []
    for n, count, step in zip((height, width), mask.shape, steps):
        at = np.floor(((np.arange(n) + 0.5) - (n - count * step) / 2) / step).astype(np.int64)
        places.append(np.clip(at, 0, count - 1))
        unseen.append((at < 0) | (at >= count))
    found = mask[places[0]][:, places[1]]
    found[unseen[0]] = UNSEEN
    found[:, unseen[1]] = UNSEEN
    return found


def named(codes: Mapping[int, int], colour: bool, names: tuple[str, ...]) -> tuple[Palette, str]:
    """(the palette for codes met in so many pixels, a sentence on what was guessed or "").

    With `names` a number below their count is the place of its name; other numbers, and colours, take the names in
    rising order. Without names two classes are background and object, others are called by their number or colour.
    Raises DataError when the names do not fit or there are too many classes.
    """
    found = tuple(sorted(codes))
    if names and not colour and found[-1] < len(names):
        return Palette(False, tuple(range(len(names))), tuple(range(len(names))), names), ""
    if len(found) > MAX_CLASSES:
        raise DataError(f"the masks hold {len(found):,} different {'colours' if colour else 'numbers'}, too many for "
                        f"classes (at most {MAX_CLASSES}). Masks must be saved without loss and without soft edges")
    numbers = tuple(range(len(found)))
    if names:
        if len(names) != len(found):
            raise DataError(f"the masks hold {len(found)} different {'colours' if colour else 'numbers'} "
                            f"({_listed(found, colour)}), but {len(names)} classes are named. Name as many")
        return Palette(colour, found, numbers, names), ""
    if len(found) == 2 and found[0] == 0:
        return Palette(colour, found, numbers, ("background", "object")), ""
    texts = [f"#{code:06X}" if colour else str(code) for code in found]
    note = ""
    if not colour and len(found) > 2 and found[-1] == 255 > found[-2] + 1:
        share = codes[255] / sum(codes.values())
        texts[-1] = "unlabelled"
        note = (f"The number 255 ({100 * share:.1f} % of the pixels) is far from the others and is called "
                "'unlabelled'. It counts as a class.")
    return Palette(colour, found, numbers, tuple(texts)), note


def _listed(codes: tuple[int, ...], colour: bool) -> str:
    shown = [f"#{code:06X}" if colour else str(code) for code in codes[:8]]
    return ", ".join(shown) + (", …" if len(codes) > 8 else "")


def colour_map(count: int) -> np.ndarray:
    """Colours uint8 [count, 3] for class numbers: 0 is black, further ones are spread over the bits of the channels.

    The scheme of the PASCAL VOC segmentation challenge (Everingham et al., 2010).
    """
    colours = np.zeros((count, 3), dtype=np.uint8)
    numbers = np.arange(count)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return colours


def mask_png(mask: np.ndarray, size: tuple[int, int], fit: Fit) -> bytes:
    """A PNG with a palette of an answer int64 [h, w], made as large as its picture (see as_large_as)."""
    from PIL import Image

    whole = as_large_as(np.where(mask < 0, UNSEEN, mask).astype(np.uint8), *size, fit)
    picture = Image.frombytes("P", size[::-1], whole.tobytes())
    picture.putpalette(colour_map(256).tobytes())
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
