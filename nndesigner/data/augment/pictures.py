"""Changed pictures: flip, shift, rotate, zoom, crop, light, colour, noise, erase.

A mask of classes, or a target picture, has to move with its picture. Steps that `moves` therefore take masks too,
int64 [H, W, 1]: `_affine` gives them the class number of the nearest pixel where it blends the four around in pictures,
and flips and shifts move whole pixels anyway. With the same random numbers both move alike.
"""

from __future__ import annotations

import numpy as np

from nndesigner.data.augment.step import About, Augmentation, how_often
from nndesigner.spec import param


class _PictureStep(Augmentation):
    suits = ("picture",)


class _Move(_PictureStep):
    moves = True


class Flip(_Move):
    """Mirrors some pictures, where left and right, or up and down, mean the same."""

    kind = "flip.v1"
    title = "Flip"
    icon = "mdi6.flip-horizontal"
    keywords = ("mirror",)

    sideways: bool = param(True, "Left and right", "Mirrors sideways. Not for writing and digits.")
    upright: bool = param(False, "Up and down", "Mirrors upside down, as for pictures seen from above.")
    chance: float = how_often(0.5)

    def change(self, picture: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        ways = [axes for axes, on in (((1,), self.sideways), ((0,), self.upright)) if on]
        if len(ways) == 2:
            ways.append((0, 1))
        return np.flip(picture, ways[rng.integers(len(ways))]) if ways else picture


class Shift(_Move):
    """Moves pictures by whole pixels; what comes in repeats the edge."""

    kind = "shift.v1"
    title = "Shift"
    icon = "mdi6.arrow-all"
    keywords = ("translate", "move")

    share: float = param(0.1, "Farthest", "Farthest way, as a share of the side. More: the place matters less.", gt=0,
                         le=0.5, step=0.05)
    chance: float = how_often()

    def change(self, picture: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        for axis in (0, 1):
            size = picture.shape[axis]
            way = round(float(rng.uniform(-1, 1)) * self.share * size)
            picture = np.take(picture, np.clip(np.arange(size) + way, 0, size - 1), axis=axis)
        return picture


class Rotate(_Move):
    """Turns pictures about their middle; corners repeat the edge."""

    kind = "rotate.v1"
    title = "Rotate"
    icon = "mdi6.rotate-right"
    keywords = ("turn", "angle")

    degrees: float = param(10.0, "Farthest", "Largest angle to either side. More: the direction matters less.", gt=0,
                           le=180, step=5, unit="°")
    chance: float = how_often()

    def change(self, picture: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        angle = np.radians(rng.uniform(-self.degrees, self.degrees))
        cos, sin = np.cos(angle), np.sin(angle)
        return _affine(picture, ((cos, sin), (-sin, cos)), (0.0, 0.0))


class Zoom(_Move):
    """Brings pictures nearer or moves them away, about their middle."""

    kind = "zoom.v1"
    title = "Zoom"
    icon = "mdi6.magnify-plus-outline"
    keywords = ("scale", "size")

    share: float = param(0.15, "Strongest", "Largest change of size. More: the size of things matters less.", gt=0,
                         le=0.8, step=0.05)
    chance: float = how_often()

    def change(self, picture: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        step = float(np.exp(rng.uniform(-1, 1) * np.log1p(self.share)))
        return _affine(picture, ((step, 0.0), (0.0, step)), (0.0, 0.0))


class Crop(_Move):
    """Shows a part of each picture, drawn by chance, as large as the whole."""

    kind = "crop.v1"
    title = "Crop"
    icon = "mdi6.crop"
    keywords = ("cut", "part")

    share: float = param(0.2, "Most cut off", "Most of a side that is cut off. More: things are seen in part only.",
                         gt=0, le=0.8, step=0.05)
    chance: float = how_often()

    def change(self, picture: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        step = 1.0 - float(rng.uniform(0, self.share))
        room = (1.0 - step) / 2
        offset = rng.uniform(-room, room, 2) * picture.shape[:2]
        return _affine(picture, ((step, 0.0), (0.0, step)), (float(offset[0]), float(offset[1])))


class Light(_PictureStep):
    """Makes pictures brighter or darker, and changes their contrast."""

    kind = "light.v1"
    title = "Light"
    icon = "mdi6.brightness-6"
    keywords = ("brightness", "contrast", "exposure")

    brightness: float = param(0.1, "Brightness", "Largest change, as a share of the way from black to white.", ge=0,
                              le=0.8, step=0.05)
    contrast: float = param(0.2, "Contrast", "Largest change of the contrast.", ge=0, le=0.9, step=0.05)
    chance: float = how_often()

    def change(self, picture: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        low, high = about.limits
        shift = rng.uniform(-1, 1) * self.brightness * (high - low)
        factor = 1.0 + rng.uniform(-1, 1) * self.contrast
        middle = picture.mean(dtype=np.float64)
        changed = picture * np.float32(factor) + np.float32(middle * (1 - factor) + shift)
        return np.clip(changed, low, high, out=changed)


class Colour(_PictureStep):
    """Turns the colours round and makes them stronger or paler; what is grey stays grey, and light stays light.

    In the YIQ system of NTSC hue is an angle and saturation a length: (I, Q) is turned and stretched, Y is kept.
    """

    kind = "colour.v1"
    title = "Colour"
    icon = "mdi6.palette-outline"
    keywords = ("hue", "saturation", "jitter", "tint")
    suits = ("colour",)

    hue: float = param(10.0, "Hue", "Largest turn of the circle of colours. More: the colour matters less.", ge=0,
                       le=180, step=5, unit="°")
    saturation: float = param(0.3, "Saturation", "Largest change of the strength of colours; 1 reaches grey.", ge=0,
                              le=1, step=0.05)
    chance: float = how_often()

    def change(self, picture: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        turn, stretch = rng.uniform(-1, 1, 2)
        angle, length = np.radians(turn * self.hue), 1.0 + stretch * self.saturation
        cos, sin = length * np.cos(angle), length * np.sin(angle)
        matrix = _TO_RGB @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ _TO_YIQ
        low, high = about.limits
        # rows of the matrix add up to 1, so values need not begin at black
        changed = np.einsum("hwc,dc->hwd", picture, matrix.astype(np.float32))  # not BLAS: its bits depend on threads
        return np.clip(changed, low, high, out=changed)


_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_TO_RGB = np.linalg.inv(_TO_YIQ)


class Noise(_PictureStep):
    """Shakes each pixel a little, as a camera in dim light does."""

    kind = "noise.v1"
    title = "Noise"
    icon = "mdi6.grain"
    keywords = ("gaussian", "grain")

    deviation: float = param(0.05, "Strength", "Standard deviation, as a share of the way from black to white.", gt=0,
                             le=1, step=0.01)
    chance: float = how_often()

    def change(self, picture: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        low, high = about.limits
        changed = rng.standard_normal(picture.shape, dtype=np.float32)
        changed *= np.float32(self.deviation * (high - low))
        changed += picture
        return np.clip(changed, low, high, out=changed)


class Erase(_PictureStep):
    """Covers a rectangle with one shade, so that no single place decides (DeVries and Taylor, 2017)."""

    kind = "erase.v1"
    title = "Erase"
    icon = "mdi6.eraser"
    keywords = ("cutout", "occlusion", "cover")

    share: float = param(0.3, "Largest side", "Largest side of the rectangle, as a share of the picture's.", gt=0,
                         le=0.9, step=0.05)
    chance: float = how_often(0.5)

    def change(self, picture: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        shade, *places = rng.random(5)
        changed = picture.copy()
        spans = []
        for size, length, start in zip(picture.shape, places[:2], places[2:]):
            covered = max(1, round(length * self.share * size))
            first = int(start * (size - covered + 1))
            spans.append(slice(first, first + covered))
        changed[spans[0], spans[1]] = about.limits[0] + shade * (about.limits[1] - about.limits[0])
        return changed


def _affine(
    picture: np.ndarray, matrix: tuple[tuple[float, float], tuple[float, float]], offset: tuple[float, float]
) -> np.ndarray:
    """The picture [H, W, C] at matrix · (place - middle) + middle + offset.

    Between pixels in proportion (bilinear); class numbers of a mask are those of the nearest pixel.
    """
    height, width = picture.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    y0, x0 = (height - 1) / 2, (width - 1) / 2
    (a, b), (c, d) = matrix
    y = np.clip(a * (rows - y0) + b * (columns - x0) + y0 + offset[0], 0, height - 1)
    x = np.clip(c * (rows - y0) + d * (columns - x0) + x0 + offset[1], 0, width - 1)
    if picture.dtype.kind == "i":
        return picture[np.rint(y).astype(np.intp), np.rint(x).astype(np.intp)]
    top, left = y.astype(np.intp), x.astype(np.intp)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = (y - top).astype(np.float32)[..., None], (x - left).astype(np.float32)[..., None]
    flat = picture.reshape(height * width, -1)
    above = flat[top * width + left] * (1 - across) + flat[top * width + right] * across
    below = flat[bottom * width + left] * (1 - across) + flat[bottom * width + right] * across
    return above * (1 - down) + below * down
