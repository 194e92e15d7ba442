"""Pictures of drawn shapes: any size and number, with a known answer."""

from __future__ import annotations

import numpy as np

from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

#: samples drawn at a time
CHUNK = 256


def _polygon(x: np.ndarray, y: np.ndarray, sides: int) -> np.ndarray:
    """Distance inside a regular polygon of radius 1."""
    angles = 2 * np.pi * np.arange(sides) / sides
    reach = np.max([x * np.cos(a) + y * np.sin(a) for a in angles], axis=0)
    return np.cos(np.pi / sides) - reach


def _bar(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.minimum(1 - np.abs(x), 0.22 - np.abs(y))


#: name -> how far a point (x, y) lies inside the shape (negative: outside); shapes have about radius 1
SHAPES = {
    "disc": lambda x, y: 0.85 - np.hypot(x, y),
    "square": lambda x, y: _polygon(x, y, 4),
    "triangle": lambda x, y: _polygon(x, y, 3),
    "cross": lambda x, y: np.maximum(_bar(x, y), _bar(y, x)),
    "ring": lambda x, y: 0.2 - np.abs(np.hypot(x, y) - 0.7),
    "bar": _bar,
}


class DrawnShapes(Source):
    """Grey pictures of one shape each: disc, square, triangle, cross, ring or bar.

    Place, size and turn are drawn by chance, so a network must learn the form itself: convolutions do it with few
    weights, dense layers hardly. Made by formula, with smooth edges.
    """

    kind = "shapes.v1"
    title = "Drawn shapes"
    group = "Built in"
    icon = "mdi6.shape-outline"
    keywords = ("images", "pictures", "geometry", "figures", "toy", "classification", "synthetic", "convolution")
    form = "images"

    samples: int = param(1500, "Samples", "How many pictures. More: more reliable learning, but slower.", ge=10,
                         le=50_000, step=100)
    size: int = param(24, "Size", "Height and width of a picture. Higher: finer shapes, slower training.", ge=8, le=128,
                      unit="pixels")
    classes: int = param(4, "Shapes", "How many kinds of shape, each a class.", ge=2, le=len(SHAPES))
    noise: float = param(0.05, "Noise", "How far pixels are shaken (standard deviation). Higher: shapes drown in it.",
                         ge=0, le=1, step=0.05)
    seed: int = param(
        7, "Seed of the data", "The same seed gives the same pictures.", ge=0, le=2**31 - 1, advanced=True)

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        names = tuple(SHAPES)[:self.classes]
        kinds = np.arange(self.samples) % self.classes
        radius = rng.uniform(0.22, 0.42, self.samples)  # as a share of the picture
        centre = rng.uniform(radius, 1 - radius, (2, self.samples))
        turn = rng.uniform(0, 2 * np.pi, self.samples)
        shade = rng.uniform(0.6, 1.0, self.samples)
        middles = (np.arange(self.size) + 0.5) / self.size
        values = np.empty((self.samples, self.size, self.size, 1), dtype=np.uint8)
        for start in range(0, self.samples, CHUNK):
            progress(start / self.samples, "Drawing shapes")
            part = slice(start, min(start + CHUNK, self.samples))
            right, down = (middles[None] - c[part, None] for c in centre)
            cos, sin, r = (f[part, None, None] for f in (np.cos(turn), np.sin(turn), radius))
            x = (cos * right[:, None, :] + sin * down[:, :, None]) / r
            y = (cos * down[:, :, None] - sin * right[:, None, :]) / r
            inside = np.empty_like(x)
            for number, name in enumerate(names):
                mine = kinds[part] == number
                inside[mine] = SHAPES[name](x[mine], y[mine])
            # One pixel wide, an edge passes from ground to shape.
            picture = shade[part, None, None] * np.clip(inside * r * self.size + 0.5, 0, 1)
            picture += self.noise * rng.standard_normal(picture.shape)
            values[part, ..., 0] = np.round(255 * np.clip(picture, 0, 1))
        labels = np.array(names, dtype=object)[kinds]
        return Dataset(self.title, "images", (
            Column("image", "image", "input", values, limits=(0, 255)),
            Column("shape", "category", "target", labels, names),
        ))
