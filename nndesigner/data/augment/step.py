"""What a step of augmentation is: a declaration with a `change`, and the kinds of data that it suits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from nndesigner.data.dataset import DataError
from nndesigner.spec import Declared, param

if TYPE_CHECKING:
    from nndesigner.data.dataset import Column
    from nndesigner.data.encoding import RawInput

#: values that stand for black and white
Range = tuple[float, float]
Kind = Literal["picture", "colour", "sound", "spectrum", "text", "numbers"]
WORDS: dict[Kind, str] = {
    "picture": "pictures", "colour": "pictures in colour", "sound": "sounds",
    "spectrum": "sounds that the network sees as spectrogram, log-mel or MFCC", "text": "texts",
    "numbers": "columns of numbers and series",
}


@dataclass(frozen=True)
class About:
    """What a step may need to know of the samples that it changes."""

    #: encoded values of pictures that stand for black and white
    limits: Range = (0.0, 1.0)
    #: axis letters of an encoded sample
    axes: str = "HWC"
    #: sounds: samples of the wave in a second
    rate: int = 0
    #: standard deviation of the encoded values, for each feature or one for all; 0 for what is no number
    spread: Any = 1.0


class Augmentation(Declared):
    """A way to change a sample that leaves its meaning.

    Every step has a parameter `chance`: the share of the samples (of batches' pairs for mixing) that it changes.
    """

    group = "Augmentation"
    #: the kinds of data that it changes
    suits: ClassVar[tuple[Kind, ...]]
    #: moves what is seen, so that a mask of the picture, or a picture that is the target, has to move along
    moves: ClassVar[bool] = False

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        """A changed sample of the same shape and type; the given one stays as it is.

        Pictures [H, W, C], spectrums, numbers and series are encoded float32 values, sounds are waves [T] in -1..1,
        texts token numbers [T] with padding 0 at the end. A step that `moves` also takes masks, int64 [H, W, 1], and
        gives one with the same class numbers, by the nearest pixel.
        """
        raise TypeError(f"{type(self).__name__} declares no change.")


def how_often(share: float = 1.0) -> Any:
    """The parameter `chance`."""
    return param(share, "Chance", "Share of the samples that it changes, drawn anew in each epoch.", ge=0, le=1,
                 step=0.05)


def kinds_of(columns: Iterable[Column | RawInput]) -> frozenset[Kind]:
    """The kinds of data that these input columns hold, as steps name them."""
    found: set[Kind] = set()
    for column in columns:
        if column.kind == "image":
            shape = column.shape if hasattr(column, "shape") else column.values.shape[1:]
            found |= {"picture", "colour"} if shape[-1] == 3 else {"picture"}
        elif column.kind == "sound":
            found |= {"sound"} if column.layout.representation == "wave" else {"sound", "spectrum"}
        elif column.kind == "text":
            found.add("text")
        elif column.kind in ("number", "array"):
            found.add("numbers")
    return frozenset(found)


def misfit(step: type[Augmentation], kinds: frozenset[Kind]) -> str:
    """Why a step does not suit these kinds of data, as a sentence; empty when it does."""
    if kinds.intersection(step.suits):
        return ""
    return f"{step.title} is for {' and '.join(WORDS[kind] for kind in step.suits)}; these data have none."


def refuse_misfits(steps: Iterable[Augmentation], kinds: frozenset[Kind]) -> None:
    """Raises DataError for a step that changes nothing of these data."""
    for step in steps:
        why = misfit(type(step), kinds)
        if why:
            raise DataError(f"{why} Take it out of the augmentation.")
