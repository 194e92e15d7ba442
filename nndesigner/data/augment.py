"""Changed pictures for training: the same sample looks a little different in each epoch.

Each change is a function of (seed, epoch, sample) alone, so a run repeats and resumes to the bit, whichever thread
reads the sample. Validation and test pictures stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nndesigner.spec import Declared, param

#: values that stand for black and white
Range = tuple[float, float]


class Augmentation(Declared):
    """A way to change a picture that leaves its meaning."""

    group = "Augmentation"
    #: moves what is seen, so that a mask of the picture has to move along
    moves: ClassVar[bool] = False

    def change(self, picture: np.ndarray, rng: np.random.Generator, limits: Range) -> np.ndarray:
        """A changed picture of the same shape [H, W, C], float32, values mostly within the limits.

        A step that `moves` also takes masks, int64 [H, W, 1], and gives one with the same class numbers.
        """
        raise TypeError(f"{type(self).__name__} declares no change.")


class Flip(Augmentation):
    """Mirrors half of the pictures, where left and right, or up and down, mean the same."""

    kind = "flip.v1"
    moves = True
    title = "Flip"
    icon = "mdi6.flip-horizontal"
    keywords = ("mirror",)

    sideways: bool = param(True, "Left and right", "Mirrors sideways. Not for writing and digits.")
    upright: bool = param(False, "Up and down", "Mirrors upside down, as for pictures seen from above.")

    def change(self, picture: np.ndarray, rng: np.random.Generator, limits: Range) -> np.ndarray:
        sideways, upright = rng.random(2) < 0.5
        picture = picture[:, ::-1] if sideways and self.sideways else picture
        return picture[::-1] if upright and self.upright else picture


class Shift(Augmentation):
    """Moves pictures by whole pixels; what comes in repeats the edge."""

    kind = "shift.v1"
    moves = True
    title = "Shift"
    icon = "mdi6.arrow-all"
    keywords = ("translate", "move")

    share: float = param(0.1, "Farthest", "Farthest way, as a share of the side. More: the place matters less.", gt=0,
                         le=0.5, step=0.05)

    def change(self, picture: np.ndarray, rng: np.random.Generator, limits: Range) -> np.ndarray:
        for axis in (0, 1):
            size = picture.shape[axis]
            way = round(float(rng.uniform(-1, 1)) * self.share * size)
            picture = np.take(picture, np.clip(np.arange(size) + way, 0, size - 1), axis=axis)
        return picture


class Rotate(Augmentation):
    """Turns pictures about their middle; corners repeat the edge."""

    kind = "rotate.v1"
    moves = True
    title = "Rotate"
    icon = "mdi6.rotate-right"
    keywords = ("turn", "angle")

    degrees: float = param(10.0, "Farthest", "Largest angle to either side. More: the direction matters less.", gt=0,
                           le=180, step=5, unit="°")

    def change(self, picture: np.ndarray, rng: np.random.Generator, limits: Range) -> np.ndarray:
        angle = np.radians(rng.uniform(-self.degrees, self.degrees))
        cos, sin = np.cos(angle), np.sin(angle)
        return _affine(picture, ((cos, sin), (-sin, cos)), (0.0, 0.0))


class Zoom(Augmentation):
    """Brings pictures nearer or moves them away, about their middle."""

    kind = "zoom.v1"
    moves = True
    title = "Zoom"
    icon = "mdi6.magnify-plus-outline"
    keywords = ("scale", "size")

    share: float = param(0.15, "Strongest", "Largest change of size. More: the size of things matters less.", gt=0,
                         le=0.8, step=0.05)

    def change(self, picture: np.ndarray, rng: np.random.Generator, limits: Range) -> np.ndarray:
        step = float(np.exp(rng.uniform(-1, 1) * np.log1p(self.share)))
        return _affine(picture, ((step, 0.0), (0.0, step)), (0.0, 0.0))


class Crop(Augmentation):
    """Shows a part of each picture, drawn by chance, as large as the whole."""

    kind = "crop.v1"
    moves = True
    title = "Crop"
    icon = "mdi6.crop"
    keywords = ("cut", "part")

    share: float = param(0.2, "Most cut off", "Most of a side that is cut off. More: things are seen in part only.",
                         gt=0, le=0.8, step=0.05)

    def change(self, picture: np.ndarray, rng: np.random.Generator, limits: Range) -> np.ndarray:
        step = 1.0 - float(rng.uniform(0, self.share))
        room = (1.0 - step) / 2
        offset = rng.uniform(-room, room, 2) * picture.shape[:2]
        return _affine(picture, ((step, 0.0), (0.0, step)), (float(offset[0]), float(offset[1])))


class Light(Augmentation):
    """Makes pictures brighter or darker, and changes their contrast."""

    kind = "light.v1"
    title = "Light"
    icon = "mdi6.brightness-6"
    keywords = ("brightness", "contrast", "exposure", "colour")

    brightness: float = param(0.1, "Brightness", "Largest change, as a share of the way from black to white.", ge=0,
                              le=0.8, step=0.05)
    contrast: float = param(0.2, "Contrast", "Largest change of the contrast.", ge=0, le=0.9, step=0.05)

    def change(self, picture: np.ndarray, rng: np.random.Generator, limits: Range) -> np.ndarray:
        low, high = limits
        shift = rng.uniform(-1, 1) * self.brightness * (high - low)
        factor = 1.0 + rng.uniform(-1, 1) * self.contrast
        middle = picture.mean(dtype=np.float64)
        changed = picture * np.float32(factor) + np.float32(middle * (1 - factor) + shift)
        return np.clip(changed, low, high, out=changed)


class Noise(Augmentation):
    """Shakes each pixel a little, as a camera in dim light does."""

    kind = "noise.v1"
    title = "Noise"
    icon = "mdi6.grain"
    keywords = ("gaussian", "grain")

    deviation: float = param(0.05, "Strength", "Standard deviation, as a share of the way from black to white.", gt=0,
                             le=1, step=0.01)

    def change(self, picture: np.ndarray, rng: np.random.Generator, limits: Range) -> np.ndarray:
        low, high = limits
        changed = rng.standard_normal(picture.shape, dtype=np.float32)
        changed *= np.float32(self.deviation * (high - low))
        changed += picture
        return np.clip(changed, low, high, out=changed)


class Erase(Augmentation):
    """Covers a rectangle with one shade in half of the pictures, so that no single place decides (DeVries, 2017)."""

    kind = "erase.v1"
    title = "Erase"
    icon = "mdi6.eraser"
    keywords = ("cutout", "occlusion", "cover")

    share: float = param(0.3, "Largest side", "Largest side of the rectangle, as a share of the picture's.", gt=0,
                         le=0.9, step=0.05)

    def change(self, picture: np.ndarray, rng: np.random.Generator, limits: Range) -> np.ndarray:
        chance, shade, *places = rng.random(6)
        if chance < 0.5:
            return picture
        changed = picture.copy()
        spans = []
        for size, length, start in zip(picture.shape, places[:2], places[2:]):
            covered = max(1, round(length * self.share * size))
            first = int(start * (size - covered + 1))
            spans.append(slice(first, first + covered))
        changed[spans[0], spans[1]] = limits[0] + shade * (limits[1] - limits[0])
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


class Augmenter:
    """The chosen steps, applied to encoded pictures of training. May be used from several threads."""

    def __init__(self, steps: Sequence[Augmentation], seed: int, limits: Range) -> None:
        self._steps, self._seed, self._limits = tuple(enumerate(steps)), seed, limits

    def apply(self, pictures: np.ndarray, rows: np.ndarray, epoch: int) -> None:
        """Change pictures [n, H, W, C] of these rows of the data set in place, as this epoch wants it.

        Masks, int64 [n, H, W], move as the pictures of their rows do: each step has random numbers of its own, so that
        those that change no mask can be left out.
        """
        masks = pictures.dtype.kind == "i"
        for place, row in enumerate(rows.tolist()):
            picture = pictures[place][..., None] if masks else pictures[place]
            for number, step in self._steps:
                if step.moves or not masks:
                    key, counter = [self._seed, epoch << 40 | row], [0, 0, 0, number]
                    rng = np.random.Generator(np.random.Philox(key=key, counter=counter))
                    picture = step.change(picture, rng, self._limits)
            pictures[place] = picture[..., 0] if masks else picture
