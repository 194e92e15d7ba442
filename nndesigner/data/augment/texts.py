"""Changed texts: tokens left out or exchanged. Padding at the end of a text stays padding."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nndesigner.data.augment.step import About, Augmentation, how_often
from nndesigner.spec import param

_PADDING, _UNKNOWN = 0, 1


class _TextStep(Augmentation):
    suits = ("text",)


class TokenDropout(_TextStep):
    """Hides some tokens of a text, so that no single word decides (Iyyer et al., 2015)."""

    kind = "token_dropout.v1"
    title = "Token dropout"
    icon = "mdi6.text-box-remove-outline"
    keywords = ("word dropout", "mask", "delete", "unknown")

    share: float = param(0.1, "Share", "Share of the tokens that are hidden. More: single words matter less.", gt=0,
                         le=0.9, step=0.05)
    how: Literal["unknown", "gone"] = param(
        "unknown", "Hidden tokens", "Whether a token is taken as one that was never met, or is left out and the rest "
        "moves up.", labels={"unknown": "become unknown", "gone": "are left out"})
    chance: float = how_often()

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        hidden = (rng.random(len(sample)) < self.share) & (sample != _PADDING)
        if self.how == "unknown":
            return np.where(hidden, _UNKNOWN, sample)
        kept = sample[~hidden & (sample != _PADDING)]
        if not len(kept):
            return sample
        changed = np.full_like(sample, _PADDING)
        changed[:len(kept)] = kept
        return changed


class TokenSwap(_TextStep):
    """Exchanges some neighbouring tokens, where their exact order says little (after Wei and Zou, 2019)."""

    kind = "token_swap.v1"
    title = "Token swap"
    icon = "mdi6.swap-horizontal"
    keywords = ("order", "permute", "shuffle", "eda")

    share: float = param(0.05, "Share", "Share of the places where two tokens are exchanged. More: the order matters "
                         "less.", gt=0, le=0.5, step=0.05)
    chance: float = how_often()

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        changed = sample.copy()
        for place in np.flatnonzero((rng.random(len(sample) - 1) < self.share) & (sample[1:] != _PADDING)).tolist():
            changed[place], changed[place + 1] = changed[place + 1], changed[place]
        return changed
