"""Reads the files that scripts/make_goldens.py wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "goldens"


@dataclass(frozen=True)
class Golden:
    """One case: what was declared, and PyTorch's arrays by name."""

    name: str
    declared: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def group(self, prefix: str) -> dict[str, np.ndarray]:
        """Arrays below a prefix, for example all of "weight/"."""
        return {n.removeprefix(prefix): a for n, a in self.arrays.items() if n.startswith(prefix)}

    def __str__(self) -> str:
        return self.name


def goldens(family: str) -> list[Golden]:
    """All cases of a family ("layers", "losses", "optimizers", "schedules")."""
    return list(_read(family))


def _read(family: str) -> Iterator[Golden]:
    for path in sorted((FOLDER / family).glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        for number in sorted({int(name.split("/")[0]) for name in arrays}):
            case = {n.split("/", 1)[1]: a for n, a in arrays.items() if n.split("/")[0] == str(number)}
            yield Golden(f"{path.stem}-{number}", json.loads(str(case.pop("declared"))), case)


def assert_agrees(ours: np.ndarray, theirs: np.ndarray, what: str = "", rtol: float = 1e-5) -> None:
    """Ours, in single precision, equals PyTorch's to 1e-5 of each value and of the largest one, whichever is more.

    Values near zero are differences of large ones, so their own size is no measure of the precision of either side.
    """
    assert ours.dtype == np.float32
    scale = float(np.abs(theirs).max()) if theirs.size else 0.0
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * scale, err_msg=what)
