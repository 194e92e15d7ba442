"""Mixup and CutMix: pairs of samples of a batch are mixed, and so are their labels.

H. Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018, arXiv:1710.09412; S. Yun et al., CutMix, 2019,
arXiv:1905.04899. Who is mixed with whom, and how much, depends on (seed, epoch, place of the batch). Unlike there,
each sample draws a share of its own, and the larger share is that of the sample itself: as pairs are drawn by chance,
the mixtures are as likely as those of the papers, and the label of a sample stays that of its larger part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nndesigner.data.augment.step import Augmentation, how_often
from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import Preparation
from nndesigner.spec import param


class Mixing(Augmentation):
    """A step that mixes pairs of samples. Of several, each sample draws one."""

    def alpha_of(self) -> float:
        """The parameter of the distribution of shares, Beta(alpha, alpha)."""
        raise TypeError(f"{type(self).__name__} declares no share.")


def _alpha(value: float) -> float:
    return param(value, "Alpha", "Shares are drawn from Beta(alpha, alpha). Higher: more even mixtures, a stronger "
                 "effect; lower: most samples stay nearly as they are. Training metrics compare the answer with the "
                 "label of the larger part, so they are lower than on real samples.", gt=0, le=8, step=0.1)


class Mixup(Mixing):
    """Blends pairs of samples and their labels: 70 % of one and 30 % of another (Zhang et al., 2018).

    The loss sees the shares of both labels. Training metrics compare the answer with the larger part, so they are lower
    than on real samples; judge by the validation figures.
    """

    kind = "mixup.v1"
    title = "Mixup"
    icon = "mdi6.vector-combine"
    keywords = ("blend", "soft labels", "interpolate", "mixing")
    suits = ("picture", "sound", "numbers")

    alpha: float = _alpha(0.2)
    chance: float = how_often()

    def alpha_of(self) -> float:
        return self.alpha


class CutMix(Mixing):
    """Puts a rectangle of one picture into another; labels are shared by area (Yun et al., 2019).

    The loss sees the shares of both labels. Training metrics compare the answer with the larger part, so they are lower
    than on real samples; judge by the validation figures.
    """

    kind = "cutmix.v1"
    title = "CutMix"
    icon = "mdi6.puzzle-outline"
    keywords = ("paste", "patch", "soft labels", "mixing")
    suits = ("picture",)

    alpha: float = _alpha(1.0)
    chance: float = how_often()

    def alpha_of(self) -> float:
        return self.alpha


@dataclass(frozen=True, eq=False)
class Pairs:
    """How the samples of one batch [n] are mixed.

    Sample i becomes `share[i]` (0.5 to 1) of itself, the rest is `partner[i]`; where `boxed[i]`, the rectangle
    `box[i]` (top, left, bottom, right in pixels) is that of the partner.
    """

    partner: np.ndarray
    share: np.ndarray
    boxed: np.ndarray
    box: np.ndarray

    def of(self, place: int) -> Pairs:
        """The same for one sample and its partner alone, which then lie at 0 and 1."""
        only = [place, int(self.partner[place])]
        return Pairs(np.array([1, 0]), np.where([True, False], self.share[only], 1).astype(np.float32),
                     np.array([self.boxed[place], False]), self.box[only])

    def mix(self, fields: Mapping[str, np.ndarray]) -> None:
        """Mix float arrays [n, ...] by field in place; rectangles are put into what has axes [n, H, W, C]."""
        mixed = np.flatnonzero(self.share < 1)
        if not len(mixed):
            return
        for values in fields.values():
            others = values[self.partner[mixed]]
            pictures = values.ndim == 4
            for i, other in zip(mixed.tolist(), others):
                if pictures and self.boxed[i]:
                    top, left, bottom, right = self.box[i]
                    values[i, top:bottom, left:right] = other[top:bottom, left:right]
                else:
                    values[i] *= self.share[i]
                    values[i] += (np.float32(1) - self.share[i]) * other


class Mixer:
    """The chosen mixing of the training part. `size` is (height, width) of its pictures. May be used from threads."""

    def __init__(self, steps: Sequence[Mixing], seed: int, size: tuple[int, int]) -> None:
        self._steps, self._seed, self._size = tuple(steps), seed, size

    def pairs(self, count: int, epoch: int, position: int) -> Pairs:
        """How the batch of `count` samples at this place of an epoch is mixed."""
        rng = np.random.Generator(np.random.Philox(key=[self._seed, epoch], counter=[0, 0, 1, position]))
        partner, chosen = rng.permutation(count), rng.integers(len(self._steps), size=count)
        alphas = np.array([step.alpha_of() for step in self._steps])[chosen]
        share = rng.beta(alphas, alphas)
        share = np.maximum(share, 1.0 - share)
        chances = np.array([step.chance for step in self._steps])[chosen]
        idle = (rng.random(count) >= chances) | (partner == np.arange(count))
        boxed = np.array([isinstance(step, CutMix) for step in self._steps])[chosen] & ~idle
        box = _boxes(share, rng.random((count, 2)), self._size)
        if boxed.any():  # the share is what is left of the picture
            area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
            share = np.where(boxed, 1.0 - area / (self._size[0] * self._size[1]), share)
        return Pairs(partner, np.where(idle, 1.0, share).astype(np.float32), boxed, box)


def _boxes(share: np.ndarray, middle: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Rectangles [n, 4] that take 1 - share of the area about a middle [n, 2] in 0..1, as far as they lie inside."""
    half, centre = (0.5 * np.sqrt(1.0 - share)[:, None] * size).astype(np.intp), (middle * size).astype(np.intp)
    return np.concatenate([np.maximum(centre - half, 0), np.minimum(centre + half, size)], axis=1)


class SoftLabels:
    """Class numbers [n] as probabilities [n, K] that can be mixed."""

    dtype = np.dtype(np.float32)

    def __init__(self, numbers: np.ndarray, classes: int) -> None:
        self._numbers = numbers
        self.shape = (len(numbers), classes)
        self.nbytes = 4 * len(numbers) * classes

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self, places: np.ndarray, out: np.ndarray, epoch: int = 0) -> None:
        """Fill `out` [n, K]: 1 for the class, 0 for the others."""
        out.fill(0)
        out[np.arange(len(places)), self._numbers[places]] = 1


def mixer_of(steps: Sequence[Augmentation], seed: int, preparation: Preparation) -> Mixer | None:
    """The mixing among the steps. Raises DataError where samples cannot be mixed."""
    chosen = [step for step in steps if isinstance(step, Mixing)]
    if not chosen:
        return None
    inputs = [f for f in preparation.fields if f.field.role == "input"]
    targets = [f for f in preparation.fields if f.field.role == "target"]
    title = chosen[0].title
    if any(f.field.tokens for f in inputs):
        raise DataError(f"{title} cannot blend texts: there is nothing between two words. Take it out of the "
                        "augmentation.")
    if any(f.field.kind == "text" for f in targets):
        raise DataError(f"{title} cannot blend the texts to be written. Take it out of the augmentation.")
    if any(f.field.kind == "class" and len(f.field.shape.dims) > 1 for f in targets):
        raise DataError(f"{title} mixes one label a sample, and here every pixel has its own. Take it out of the "
                        "augmentation.")
    size = (1, 1)
    if any(isinstance(step, CutMix) for step in chosen):
        if len(inputs) > 1 or any(f.columns[0].kind == "image" for f in targets):
            raise DataError("CutMix needs one picture as the only input, and a label or numbers as the target. Take it "
                            "out of the augmentation.")
        size = inputs[0].field.shape.dims[:2]
    return Mixer(chosen, seed, size)
