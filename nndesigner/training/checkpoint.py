"""The whole state of a run between two steps, as plain arrays and JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Checkpoint:
    """What a run needs to go on exactly where it stood.

    `arrays` are host copies named "weights/<node>/<array>" (trained arrays and running statistics),
    "trained/<node>/<array>" (what training goes on from, when the weights are averages of it),
    "gathered/<node>/<array>" (gradients since the last update), "optimizer/<slot>/<node>/<array>",
    "best/<node>/<array>", "running/<key of measured_by>" (of the unfinished epoch) and "curve/<name>";
    `state` holds JSON values only, all finite.
    """

    arrays: Mapping[str, np.ndarray]
    state: Mapping[str, Any]

    def part(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays below a prefix, without it: part("weights") -> {"n2/W": ...}."""
        start = prefix + "/"
        return {name[len(start):]: array for name, array in self.arrays.items() if name.startswith(start)}
