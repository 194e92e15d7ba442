"""Changed numbers: what measures imprecisely should not be learned by heart."""

from __future__ import annotations

import numpy as np

from nndesigner.data.augment.step import About, Augmentation, how_often
from nndesigner.spec import param


class Jitter(Augmentation):
    """Shakes numbers a little; categories and dates stay. In a series each moment is shaken by itself."""

    kind = "jitter.v1"
    title = "Jitter"
    icon = "mdi6.chart-scatter-plot"
    keywords = ("noise", "gaussian", "series", "table", "shake")
    suits = ("numbers",)

    strength: float = param(0.05, "Strength", "Standard deviation of the change, as a share of that of the column. "
                            "More: small differences matter less.", gt=0, le=1, step=0.01)
    chance: float = how_often()

    def change(self, sample: np.ndarray, rng: np.random.Generator, about: About) -> np.ndarray:
        changed = rng.standard_normal(sample.shape, dtype=np.float32)
        changed *= np.asarray(self.strength * about.spread, dtype=np.float32)
        changed += sample
        return changed
