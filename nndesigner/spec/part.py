"""What of a batch is computed here: all of it, or a part of it on one of several threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _alone(*arrays: Any) -> tuple[Callable[[], None], tuple[Any, ...]]:
    return _nothing, arrays


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Part:
    """A part of a batch that is computed beside the others; by default the whole batch.

    `total(*arrays)` gives (step, sums): after the step, each of `sums` holds the sum of that array over all parts,
    added up in the order of the parts. The step waits until all parts have come so far, so every part must have the
    same such steps in the same order. For a whole batch the step does nothing and the sums are the arrays themselves.
    """

    number: int = 0
    #: of the samples of the batch
    share: float = 1.0
    total: Callable[..., tuple[Callable[[], None], tuple[Any, ...]]] = _alone


WHOLE = Part()
