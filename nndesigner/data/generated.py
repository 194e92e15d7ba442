"""Data made by a formula: the classics of the plane, a curve and a surface. Always the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

_NOISE = "How far points are shaken off their place (standard deviation). Higher: the classes overlap."


def _seed() -> int:
    return param(7, "Seed of the data", "The same seed gives the same points.", ge=0, le=2**31 - 1, advanced=True)


def _samples(default: int) -> int:
    return param(default, "Samples", "How many points. More: the shape is filled better and learning is more "
                 "reliable, but slower.", ge=10, le=100_000, step=50)


def _noise(default: float) -> float:
    return param(default, "Noise", _NOISE, ge=0, le=2, step=0.01)


class _Plane(Source):
    """Shared by the sets whose inputs are points in the plane, about -1 to 1 each way."""

    group = "Built in"
    form = "points"

    def _classes(self, points: np.ndarray, numbers: np.ndarray, names: Sequence[str]) -> Dataset:
        """Points [n, 2] with class numbers [n]."""
        labels = np.array(names, dtype=object)[numbers]
        return Dataset(self.title, "points", (
            Column("x1", "number", "input", np.ascontiguousarray(points[:, 0])),
            Column("x2", "number", "input", np.ascontiguousarray(points[:, 1])),
            Column("class", "category", "target", labels, tuple(names)),
        ))


class Xor(_Plane):
    """Exclusive or: opposite corners of a square belong together.

    Points spread evenly over the square from -1 to 1; the class tells whether both coordinates have the same sign. The
    classic example that no straight line can solve (Minsky and Papert, Perceptrons, 1969). Made by formula.
    """

    kind = "xor.v1"
    title = "XOR"
    icon = "mdi6.checkerboard"
    keywords = ("exclusive or", "squares", "2-D", "two-dimensional", "toy", "playground")

    samples: int = _samples(500)
    noise: float = _noise(0.05)
    seed: int = _seed()

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        points = rng.uniform(-1, 1, (self.samples, 2))
        same = (points[:, 0] >= 0) == (points[:, 1] >= 0)
        points += self.noise * rng.standard_normal(points.shape)
        return self._classes(points, same.astype(int), ("different", "same"))


class Circles(_Plane):
    """A disc inside a ring.

    Inner points lie up to 0.45 from the centre, outer ones from 0.65 to 1. Made by formula, as in scikit-learn's
    make_circles and TensorFlow Playground.
    """

    kind = "circles.v1"
    title = "Circles"
    icon = "mdi6.circle-double"
    keywords = ("ring", "disc", "2-D", "two-dimensional", "toy", "playground")

    samples: int = _samples(500)
    noise: float = _noise(0.05)
    seed: int = _seed()

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        outer = np.arange(self.samples) % 2
        low, high = np.where(outer, 0.65, 0.0), np.where(outer, 1.0, 0.45)
        radius = np.sqrt(rng.uniform(low**2, high**2))  # the root spreads points evenly over the area
        angle = rng.uniform(0, 2 * np.pi, self.samples)
        points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return self._classes(points + self.noise * rng.standard_normal(points.shape), outer, ("inner", "outer"))


class Moons(_Plane):
    """Two half moons that reach into each other.

    Half circles of radius 0.6, one open below and one above, shifted so that they interlock. Made by formula, as in
    scikit-learn's make_moons.
    """

    kind = "moons.v1"
    title = "Moons"
    icon = "mdi6.moon-waning-crescent"
    keywords = ("crescents", "2-D", "two-dimensional", "toy")

    samples: int = _samples(500)
    noise: float = _noise(0.05)
    seed: int = _seed()

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        lower = np.arange(self.samples) % 2
        angle = rng.uniform(0, np.pi, self.samples)
        side = np.where(lower, -1.0, 1.0)
        points = 0.6 * np.stack([side * np.cos(angle) - 0.5 * side, side * np.sin(angle) - 0.25 * side], axis=1)
        return self._classes(points + self.noise * rng.standard_normal(points.shape), lower, ("upper", "lower"))


class Spirals(_Plane):
    """Arms of a spiral, one class each: the hardest of the classics of the plane.

    Radius grows evenly with the angle from the centre to 1. Two arms with 1.75 turns are those of TensorFlow Playground
    (after Lang and Witbrock, 1988). Made by formula.
    """

    kind = "spirals.v1"
    title = "Spirals"
    icon = "mdi6.weather-hurricane"
    keywords = ("swirl", "2-D", "two-dimensional", "toy", "playground")

    samples: int = _samples(600)
    noise: float = _noise(0.02)
    arms: int = param(
        2, "Arms", "How many spirals, each a class. More: they lie closer together, which is harder.", ge=2, le=5)
    turns: float = param(
        1.75, "Turns", "How often an arm goes round. Higher: more windings to learn, which is harder.", ge=0.25, le=4,
        step=0.25)
    seed: int = _seed()

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        arm = np.arange(self.samples) % self.arms
        radius = rng.uniform(0.03, 1, self.samples)
        angle = 2 * np.pi * (self.turns * radius + arm / self.arms)
        points = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
        names = tuple(f"arm {i + 1}" for i in range(self.arms))
        return self._classes(points + self.noise * rng.standard_normal(points.shape), arm, names)


class Blobs(_Plane):
    """Round clouds of points, one class each.

    Clouds with a normal distribution round centres that stand evenly on a circle. With little noise the easiest data of
    all: straight lines separate them. Made by formula.
    """

    kind = "blobs.v1"
    title = "Blobs"
    icon = "mdi6.chart-bubble"
    keywords = ("clusters", "gaussian", "clouds", "2-D", "two-dimensional", "toy", "playground")

    samples: int = _samples(500)
    noise: float = _noise(0.15)
    clouds: int = param(3, "Clouds", "How many clouds, each a class. More: they lie closer together.", ge=2, le=10)
    seed: int = _seed()

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        cloud = np.arange(self.samples) % self.clouds
        angle = 2 * np.pi * (cloud / self.clouds + 0.125)
        centres = 0.7 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        names = tuple(f"cloud {i + 1}" for i in range(self.clouds))
        return self._classes(centres + self.noise * rng.standard_normal(centres.shape), cloud, names)


class Curve(Source):
    """A curve y(x) with noise, for regression with one input.

    x is spread evenly from -1 to 1; y is a known function plus normal noise. Made by formula.
    """

    kind = "curve.v1"
    title = "Curve"
    group = "Built in"
    icon = "mdi6.sine-wave"
    keywords = ("regression", "function", "sine", "1-D", "one-dimensional", "toy")
    form = "curve"

    function: Literal["sine", "growing", "damped", "steps", "parabola", "line"] = param(
        "sine", "Function", "The shape to learn.", labels={
            "sine": "sine, two waves", "growing": "waves that get shorter", "damped": "peak with side waves (sinc)",
            "steps": "steps", "parabola": "parabola", "line": "straight line"})
    samples: int = _samples(400)
    noise: float = param(0.05, "Noise", "How far y is shaken (standard deviation). Higher: harder to see the curve, "
                         "and the error that remains is larger.", ge=0, le=2, step=0.01)
    seed: int = _seed()

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        x = rng.uniform(-1, 1, self.samples)
        y = {
            "sine": lambda: np.sin(2 * np.pi * x),
            "growing": lambda: np.sin(1.5 * np.pi * (x + 1) ** 2),
            "damped": lambda: np.sinc(4 * x),
            "steps": lambda: np.floor(2.5 * x + 0.5) / 2,
            "parabola": lambda: 2 * x**2 - 1,
            "line": lambda: 0.8 * x + 0.1,
        }[self.function]()
        y = y + self.noise * rng.standard_normal(self.samples)
        return Dataset(self.title, "curve", (Column("x", "number", "input", x), Column("y", "number", "target", y)))


class Surface(Source):
    """A surface over the plane, for regression with two inputs.

    Points spread evenly over the square from -1 to 1; the target is the height of a known surface plus normal noise.
    "Plane" and "hills" are the two regression sets of TensorFlow Playground. Made by formula.
    """

    kind = "plane.v1"
    title = "Plane"
    group = "Built in"
    icon = "mdi6.terrain"
    keywords = ("regression", "surface", "height", "hills", "2-D", "two-dimensional", "toy", "playground")
    form = "points"

    function: Literal["plane", "hills", "saddle", "ripple"] = param(
        "plane", "Function", "The surface to learn.", labels={
            "plane": "tilted plane", "hills": "hills and hollows", "saddle": "saddle",
            "ripple": "ripple round the centre"})
    samples: int = _samples(500)
    noise: float = param(0.02, "Noise", "How far heights are shaken (standard deviation). Higher: the error that "
                         "remains is larger.", ge=0, le=2, step=0.01)
    seed: int = _seed()

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        points = rng.uniform(-1, 1, (self.samples, 2))
        x1, x2 = points.T
        height = {
            "plane": lambda: (x1 + x2) / 2,
            "hills": lambda: _hills(points),
            "saddle": lambda: x1 * x2,
            "ripple": lambda: np.cos(2 * np.pi * np.hypot(x1, x2)),
        }[self.function]()
        height = height + self.noise * rng.standard_normal(self.samples)
        return Dataset(self.title, "points", (
            Column("x1", "number", "input", np.ascontiguousarray(x1)),
            Column("x2", "number", "input", np.ascontiguousarray(x2)),
            Column("height", "number", "target", height),
        ))


def _hills(points: np.ndarray) -> np.ndarray:
    """Heights [n] of a wave of three hills and three hollows round the centre, highest 1 and lowest -1."""
    angle = np.pi / 3 * np.arange(6)
    centres = 0.65 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    squares = np.square(points[:, None, :] - centres).sum(axis=2)
    return np.exp(-squares / (2 * 0.18**2)) @ np.where(np.arange(6) % 2, -1.0, 1.0)
