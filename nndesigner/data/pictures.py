"""From a picture of the user (a file, or a drawing) to the form of the pictures that a network was trained on."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from nndesigner.data.dataset import DataError, Fit
from nndesigner.data.encoding import RawInput
from nndesigner.data.files import checked_file

if TYPE_CHECKING:
    from PIL import Image

#: Pillow reads far more; these are the formats that people have and whose readers are looked after
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
MAX_BYTES = 256 << 20
MAX_PIXELS = 64 << 20
#: share of the strongest ink from which on a pixel belongs to the drawing, and the weakest ink that is one
INK = 0.15
FAINTEST = 0.05
#: drawings that fill less than this of their frame are centred by their mass (as MNIST does), others by their box
FILLED = 0.9
GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


def load_picture(path: str, colour: bool = False) -> np.ndarray:
    """A picture file as float32 [H, W, 1] or, in colour, [H, W, 3], values 0 (black) to 1 (white).

    It is turned the way its camera data say; what is transparent becomes white; of an animation the first picture is
    taken. Raises DataError for other formats, damaged files and pictures of too many pixels.
    """
    with open_picture(path) as opened:
        picture = upright(opened, colour)
        values = picture if isinstance(picture, np.ndarray) else np.asarray(picture, dtype=np.float32) / 255
    return values if values.ndim == 3 else values[..., None]


def decoded(path: str, height: int, width: int, channels: int, fit: Fit) -> np.ndarray:
    """A picture file as uint8 [height, width, channels], the way pictures of a folder are brought to one size.

    A large JPEG is decoded at a half, a quarter or an eighth of its size, at least twice the wanted one. Raises
    DataError as `load_picture` does.
    """
    with open_picture(path) as opened:
        if opened.format == "JPEG":
            turned = opened.getexif().get(0x0112, 1) >= 5  # Orientation: the sides will be exchanged
            sides = (2 * height, 2 * width) if turned else (2 * width, 2 * height)
            opened.draft("RGB" if channels >= 3 else "L", sides)
        return brought_to(upright(opened, channels >= 3), height, width, channels, fit)


def brought_to(picture: Image.Image | np.ndarray, height: int, width: int, channels: int, fit: Fit) -> np.ndarray:
    """What `upright` gives as uint8 [height, width, channels]."""
    from PIL import Image

    if not isinstance(picture, np.ndarray) and fit != "pad" and channels in (1, 3):
        step = (picture.width / width, picture.height / height)
        if fit == "crop":
            step = (min(step),) * 2
        left, top = (picture.width - width * step[0]) / 2, (picture.height - height * step[1]) / 2
        box = (max(0.0, left), max(0.0, top), min(picture.width, left + width * step[0]),
               min(picture.height, top + height * step[1]))
        values = np.asarray(picture.resize((width, height), Image.Resampling.BOX, box))
        return values if values.ndim == 3 else values[..., None]
    values = picture if isinstance(picture, np.ndarray) else np.asarray(picture, dtype=np.float32) / 255
    values = _with_channels(values if values.ndim == 3 else values[..., None], channels)
    return np.round(255 * np.clip(scaled(values, height, width, fit), 0, 1)).astype(np.uint8)


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) of a picture file, turned upright. Raises DataError."""
    with open_picture(str(path)) as opened:
        width, height = opened.size
        return (width, height) if opened.getexif().get(0x0112, 1) >= 5 else (height, width)


def check_picture(path: Path) -> None:
    """Raises DataError unless a file begins and ends like a picture that can be read; it is not decoded."""
    with open_picture(str(path)) as opened, path.open("rb") as file:
        end = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}.get(opened.format or "")
        file.seek(-min(64, path.stat().st_size), 2)
        if end is not None and end not in file.read():
            raise DataError(f"'{path.name}' is damaged and cannot be read (its end is missing).")


def upright(opened: Image.Image, colour: bool) -> Image.Image | np.ndarray:
    """In mode RGB or L, turned upright, on white paper; grey of more than 8 bits as float32 [H, W, C] from 0 to 1."""
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(opened)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _wide_grey(np.asarray(picture, dtype=np.float32), colour)
    if picture.has_transparency_data:
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture.convert("RGBA"))
        picture = paper
    return picture.convert("RGB" if colour else "L")


@contextlib.contextmanager
def open_picture(path: str) -> Iterator[Image.Image]:
    """The picture of a file, not yet decoded. Raises DataError, also for what goes wrong within the context."""
    from PIL import Image, UnidentifiedImageError

    found, _ = checked_file(path, "picture", MAX_BYTES)
    try:
        with Image.open(found, formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise DataError(f"'{found.name}' has {width:,} × {height:,} pixels; at most {MAX_PIXELS:,} can be "
                                "loaded. Make it smaller.")
            yield opened
    except UnidentifiedImageError as error:
        raise DataError(f"'{found.name}' is no picture that can be read. Formats: {', '.join(FORMATS)}.") from error
    except Image.DecompressionBombError as error:
        # Pillow refuses before the sides are known; its sentence begins with their product
        pixels = next((int(word) for word in str(error).replace("(", " ").split() if word.isdecimal()), 0)
        raise DataError(f"'{found.name}' has {pixels:,} pixels; at most {MAX_PIXELS:,} can be loaded. Make it "
                        "smaller.") from error
    except (OSError, SyntaxError, EOFError, ValueError, IndexError, struct.error, zlib.error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"'{found.name}' is damaged and cannot be read ({error}).") from error


def _wide_grey(values: np.ndarray, colour: bool) -> np.ndarray:
    """Grey of more than 8 bits [H, W], by the range of its format where that is known, else by its own."""
    low, high = min(0.0, float(values.min())), float(values.max())
    if low == 0 and 255 < high <= 65535:
        high = 65535.0
    grey = ((values - low) / max(high - low, 1e-12))[..., None]
    return np.repeat(grey, 3, axis=2) if colour else grey


def read_picture(path: str, wanted: RawInput, invert: bool | None = None) -> np.ndarray:
    """A picture file in the form of a raw column of pictures, [1, H, W, C] (see fit_picture). Raises DataError."""
    if wanted.kind == "image" and len(wanted.shape) == 3 and not wanted.ground and not invert:
        shade = decoded(path, *wanted.shape, wanted.fit).astype(np.float32) / 255  # as a folder of pictures is read
        return (wanted.low + shade * (wanted.high - wanted.low)).astype(np.float32)[None]
    return fit_picture(load_picture(path, colour=wanted.shape[-1:] >= (3,)), wanted, invert)


def fit_picture(picture: np.ndarray, wanted: RawInput, invert: bool | None = None) -> np.ndarray:
    """A picture or drawing [h, w] or [h, w, C], 0 black to 1 white, in the form of a raw column: float32 [1, H, W, C].

    Where training saw drawings on plain ground (`wanted.ground`), the drawing is cut out and brought to their size and
    place. Other pictures are scaled as those of the training were. `invert` exchanges light and dark; None: where that
    is needed (see wants_inversion). Raises DataError for an empty drawing.
    """
    if wanted.kind != "image" or len(wanted.shape) != 3:
        raise DataError("This network was not trained on pictures, so a picture cannot be used.")
    height, width, channels = wanted.shape
    picture = _checked(picture)
    if invert is None:
        invert = wants_inversion(picture, wanted)
    picture = 1 - picture if invert else picture
    if wanted.ground and channels == 1:
        ink = _ink(_grey(picture), wanted.ground == "dark")
        fitted = _resampled(ink[..., None], *_window(ink, wanted.box, height, width), height, width)
        fitted = fitted if wanted.ground == "dark" else 1.0 - fitted
    else:
        fitted = scaled(_with_channels(picture, channels), height, width, wanted.fit)
    return (wanted.low + fitted * (wanted.high - wanted.low)).astype(np.float32)[None]


def scaled(picture: np.ndarray, height: int, width: int, fit: Fit) -> np.ndarray:
    """A picture [h, w, C] as [height, width, C], by averaging over areas.

    "crop" takes the largest window of the wanted proportions in the middle, "pad" the whole picture with an edge of its
    own colour round it, "stretch" pulls it to the wanted proportions.
    """
    steps = picture.shape[0] / height, picture.shape[1] / width
    if fit != "stretch":
        steps = (min(steps),) * 2 if fit == "crop" else (max(steps),) * 2
    edge = np.median(_border(picture), axis=0)
    starts = ((n - count * step) / 2 for n, count, step in zip(picture.shape, (height, width), steps))
    return edge + _resampled(picture - edge, *starts, steps, height, width)


def wants_inversion(picture: np.ndarray, wanted: RawInput) -> bool:
    """Whether a picture has bright ground where training saw drawings on dark ground, or the other way round."""
    if not wanted.ground:
        return False
    bright = float(np.median(_border(_grey(_checked(picture))[..., None]))) > 0.5
    return bright != (wanted.ground == "bright")


def _checked(picture: np.ndarray) -> np.ndarray:
    """float32 [h, w, C]."""
    picture = np.asarray(picture, dtype=np.float32)
    picture = picture[..., None] if picture.ndim == 2 else picture
    if picture.ndim != 3 or not picture.size or not np.isfinite(picture).all():
        raise DataError("The picture is empty or holds values that are no numbers.")
    return picture


def _border(picture: np.ndarray) -> np.ndarray:
    """Outermost pixels [n, C] of a picture [h, w, C]."""
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


@dataclass(frozen=True)
class Ground:
    """What training pictures have around their drawing: plain "dark" or "bright", or "" when they fill their frame
    differently; `box`: typical share of the frame that a drawing takes along its longer side."""

    ground: Literal["", "dark", "bright"] = ""
    box: float = 1.0


def ground_of(pictures: np.ndarray, low: float, high: float) -> Ground:
    """What lies around the drawings in pictures [n, H, W, C] with values low to high."""
    if pictures.shape[-1] != 1 or min(pictures.shape[1:3]) < 4 or not len(pictures) or not high > low:
        return Ground()
    grey = (pictures[..., 0].astype(np.float32) - low) / (high - low)
    ring = np.concatenate([grey[:, 0], grey[:, -1], grey[:, 1:-1, 0], grey[:, 1:-1, -1]], axis=1)
    dark, bright = float((ring < 0.1).mean()), float((ring > 0.9).mean())
    if max(dark, bright) < 0.5 or min(dark, bright) > 0.2:
        return Ground()
    ink = grey if dark > bright else 1 - grey
    marked = ink > INK
    rows, columns = marked.any(axis=2), marked.any(axis=1)
    drawn = rows.any(axis=1)
    if not drawn.any():
        return Ground()
    sides = [_extent(axis[drawn]) / axis.shape[1] for axis in (rows, columns)]
    return Ground("dark" if dark > bright else "bright", float(np.median(np.maximum(*sides))))


def _extent(marked: np.ndarray) -> np.ndarray:
    """Distance between the first and the last mark of each row of bool [n, length], at least one in each."""
    length = marked.shape[1]
    return length - marked[:, ::-1].argmax(axis=1) - marked.argmax(axis=1)


def _grey(picture: np.ndarray) -> np.ndarray:
    return picture[..., :3] @ GREY if picture.shape[2] >= 3 else picture[..., 0]


def _with_channels(picture: np.ndarray, channels: int) -> np.ndarray:
    if picture.shape[2] == channels:
        return picture
    if channels < 3 or picture.shape[2] < 3:
        return np.repeat(_grey(picture)[..., None], channels, axis=2)
    alpha = np.ones((*picture.shape[:2], channels), dtype=np.float32)
    alpha[..., :3] = picture[..., :3]
    return alpha


def _ink(grey: np.ndarray, on_dark: bool) -> np.ndarray:
    """How strongly each pixel [h, w] differs from the ground, 0 to 1. The ground is what most of the border shows."""
    ground = float(np.median(_border(grey[..., None])))
    ink = np.clip(grey - ground if on_dark else ground - grey, 0, None)
    peak = float(ink.max())
    if peak < FAINTEST:
        raise DataError("The picture is empty: nothing in it stands out from its ground.")
    ink /= peak
    return np.where(ink < INK, np.float32(0), ink)


def _window(ink: np.ndarray, box: float, height: int, width: int) -> tuple[float, float, tuple[float, float]]:
    """(top, left, pixels of the drawing for one wanted pixel) so that the ink fills `box` of the wanted frame."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    (top, bottom), (left, right) = ((float(places[0]), float(places[-1] + 1)) for places in (rows, columns))
    step = max((bottom - top) / (box * height), (right - left) / (box * width))
    middle = [(top + bottom) / 2, (left + right) / 2]
    if box < FILLED:
        weight = float(ink.sum())
        middle = [float((np.arange(n) + 0.5) @ ink.sum(axis=1 - axis)) / weight for axis, n in enumerate(ink.shape)]
    spans = ((middle[0], height, top, bottom), (middle[1], width, left, right))
    # The middle by mass must not push an end of the drawing out of the frame.
    starts = [min(max(m - n * step / 2, high - n * step), low) for m, n, low, high in spans]
    return starts[0], starts[1], (step, step)


def _resampled(
    values: np.ndarray, top: float, left: float, steps: tuple[float, float], height: int, width: int
) -> np.ndarray:
    """Averages [height, width, C] over rectangles of `steps` pixels from (top, left) on; 0 outside of the picture."""
    h, w, channels = values.shape
    rows = (_shares(h, top, steps[0], height) @ values.reshape(h, w * channels)).reshape(height, w, channels)
    return _shares(w, left, steps[1], width) @ rows


def _shares(n: int, start: float, step: float, count: int) -> np.ndarray:
    """[count, n]: which share of each of `count` stretches of length `step` lies on each of n pixels."""
    starts = start + step * np.arange(count)[:, None]
    pixels = np.arange(n)[None]
    overlap = np.minimum(starts + step, pixels + 1) - np.maximum(starts, pixels)
    return (np.clip(overlap, 0, None) / step).astype(np.float32)
