"""Pictures of several drawn shapes with the class of every pixel: segmentation with a known answer."""

from __future__ import annotations

import numpy as np

from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.shapes import SHAPES
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

GROUND = "background"


class ShapeMasks(Source):
    """Colour pictures of drawn shapes that cover each other, with the class of every pixel.

    Place, size, turn and colour of each shape are drawn by chance, so a network must learn the form. The masks are
    exact: a pixel belongs to the uppermost shape that covers its middle. Made by formula, with smooth edges.
    """

    kind = "shape_masks.v1"
    title = "Shapes with masks"
    group = "Built in"
    icon = "mdi6.layers-triple-outline"
    keywords = ("segmentation", "pixels", "mask", "u-net", "images", "pictures", "geometry", "synthetic", "semantic")
    form = "images"

    samples: int = param(400, "Samples", "How many pictures. More: more reliable learning, but slower.", ge=10,
                         le=50_000, step=50)
    size: int = param(48, "Size", "Height and width of a picture. Higher: finer shapes, slower training.", ge=16,
                      le=512, step=16, unit="pixels")
    classes: int = param(3, "Shapes", "How many kinds of shape, each a class beside the background.", ge=1,
                         le=len(SHAPES))
    most: int = param(3, "Most in a picture", "Each picture shows one to so many shapes. More: they cover each other.",
                      ge=1, le=12)
    noise: float = param(0.05, "Noise", "How far pixels are shaken (standard deviation). Higher: shapes drown in it.",
                         ge=0, le=1, step=0.05)
    seed: int = param(
        7, "Seed of the data", "The same seed gives the same pictures.", ge=0, le=2**31 - 1, advanced=True)

    def load(self, progress: Progress) -> Dataset:
        names = tuple(SHAPES)[:self.classes]
        pictures = np.empty((self.samples, self.size, self.size, 3), dtype=np.uint8)
        masks = np.zeros((self.samples, self.size, self.size), dtype=np.uint8)
        for i in range(self.samples):
            if i % 64 == 0:
                progress(i / self.samples, "Drawing shapes")
            # each picture of its own seed: more samples keep those that there are
            self._draw(np.random.default_rng([self.seed, i]), names, pictures[i], masks[i])
        return Dataset(self.title, "images", (
            Column("image", "image", "input", pictures, limits=(0, 255), fit="stretch"),
            Column("mask", "mask", "target", masks, (GROUND, *names), fit="stretch"),
        ))

    def _draw(self, rng: np.random.Generator, names: tuple[str, ...], picture: np.ndarray, mask: np.ndarray) -> None:
        """Fill `picture` [s, s, 3] and `mask` [s, s]."""
        size = self.size
        middles = (np.arange(size) + 0.5) / size
        ground = rng.uniform(0.0, 0.35, 3)
        values = np.broadcast_to(ground, (size, size, 3)).copy()
        for _ in range(int(rng.integers(1, self.most + 1))):
            kind = int(rng.integers(len(names)))
            radius = rng.uniform(0.14, 0.3)
            x0, y0 = rng.uniform(radius * 0.7, 1 - radius * 0.7, 2)
            turn = rng.uniform(0, 2 * np.pi)
            colour = rng.uniform(0.45, 1.0, 3)
            right, down = middles[None, :] - x0, middles[:, None] - y0
            x = (np.cos(turn) * right + np.sin(turn) * down) / radius
            y = (np.cos(turn) * down - np.sin(turn) * right) / radius
            inside = SHAPES[names[kind]](x, y)
            # One pixel wide, an edge passes from what lies below to the shape.
            share = np.clip(inside * radius * size + 0.5, 0, 1)[..., None]
            values = values * (1 - share) + colour * share
            mask[inside > 0] = kind + 1
        values += self.noise * rng.standard_normal(values.shape)
        picture[...] = np.round(255 * np.clip(values, 0, 1))
