"""Shapes with named axes, and the error that says which axes were met and which were wanted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AXIS_NAMES = {"T": "time", "D": "depth", "H": "height", "W": "width", "C": "channel", "F": "feature"}


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of one sample, without the batch axis. Layout is channels-last: an image is axes "HWC".

    `integer` marks token ids or class numbers, which only some layers accept.
    """

    axes: str
    dims: tuple[int, ...]
    integer: bool = False

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.dims) or any(a not in AXIS_NAMES for a in self.axes):
            raise ValueError(f"Axes {self.axes!r} do not name the dimensions {self.dims}.")
        if any(d < 1 for d in self.dims):
            raise ValueError(f"Every dimension must be at least 1, got {self.dims}.")

    @property
    def size(self) -> int:
        """Number of values in one sample."""
        return math.prod(self.dims)

    def __str__(self) -> str:
        return " × ".join(str(d) for d in self.dims) or "scalar"

    @property
    def lettered(self) -> str:
        """With axis letters, for example "8 H × 8 W × 32 C"."""
        return " × ".join(f"{d} {a}" for d, a in zip(self.dims, self.axes, strict=True)) or "scalar"


@dataclass(frozen=True)
class Insert:
    """Remedy: put a layer of this kind in front of the node that complains."""

    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Set:
    """Remedy: change parameters of the node that complains."""

    params: Mapping[str, Any]


Remedy = Insert | Set


class ShapeError(ValueError):
    """A layer cannot take what it is given.

    `needs` completes "<layer> needs ..."; `got` is what came; `todo` is an imperative sentence part ("put a Flatten
    before it"); `remedies` are edits that would cure it.
    """

    def __init__(self, needs: str, got: Shape | str, todo: str, remedies: tuple[Remedy, ...] = ()) -> None:
        got_text = got.lettered if isinstance(got, Shape) else got
        super().__init__(f"needs {needs}, got {got_text}: {todo}.")
        self.needs = needs
        self.got = got_text
        self.todo = todo
        self.remedies = remedies
