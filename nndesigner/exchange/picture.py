"""A picture file as a raw value that a trained network can be asked about."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import RawInput
from nndesigner.data.files import checked_file, reading

#: kinds of files that are read; each further one is further code that strangers can feed
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
MAX_BYTES = 256 << 20
MAX_PIXELS = 64_000_000


def read_picture(path: str, column: RawInput, invert: bool = False) -> np.ndarray:
    """The picture as float32 [1, H, W, C] of the column's shape, black as `column.low` and white as `column.high`.

    It is fitted in with its proportions kept; what is left over gets the colour of its edge. `invert` exchanges light
    and dark (for dark writing where the network learned light writing). Raises DataError.
    """
    if column.kind != "image" or len(column.shape) != 3 or column.shape[2] not in (1, 3):
        raise DataError("This network was not trained on grey or coloured pictures, so a picture cannot be used.")
    found, _ = checked_file(path, "picture", MAX_BYTES)
    height, width, channels = column.shape
    picture = _opened(found).convert("L" if channels == 1 else "RGB")
    if invert:
        picture = ImageOps.invert(picture)
    scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    ground = tuple(int(v) for v in np.atleast_1d(_edge_colour(np.asarray(picture))))
    fitted = Image.new(picture.mode, (width, height), ground if channels == 3 else ground[0])
    # The mean of the covered area: exact for drawings that are many times larger than the network's input.
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    fitted.paste(picture.resize(size, how), ((width - size[0]) // 2, (height - size[1]) // 2))
    values = np.asarray(fitted, dtype=np.float32).reshape(1, height, width, channels) / 255
    return column.low + values * np.float32(column.high - column.low)


def _opened(path: Path) -> Image.Image:
    """The first frame, upright, transparent parts on white."""
    try:
        with reading(path), warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
            warnings.simplefilter("ignore")  # size is looked at below, with a sentence
            if image.width * image.height > MAX_PIXELS:
                raise DataError(f"'{path.name}' has {image.width} × {image.height} points, more than can be read.")
            image.load()
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(f"'{path.name}' is no picture that can be read ({', '.join(FORMATS)}).") from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(f"'{path.name}' is a damaged picture ({error}).") from error
    return Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)


def _edge_colour(values: np.ndarray) -> np.ndarray:
    """Median of the outermost points, [channels]."""
    edge = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    return np.median(edge, axis=0)
