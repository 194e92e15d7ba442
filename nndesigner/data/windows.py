"""Windows over quantities in order of time: what a network sees, and what comes after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset


@dataclass(frozen=True)
class SeriesForm:
    """The table behind the windows: its columns in order, the one to predict and how far ahead.

    `time` is the column whose dates or numbers (`dates`) put the rows in order; "" where they stay as they are.
    """

    columns: tuple[str, ...]
    target: str
    horizon: int
    time: str = ""
    dates: bool = False

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> SeriesForm | None:
        """Read what `dataclasses.asdict` gave. Raises KeyError, TypeError and ValueError for anything else."""
        if value is None:
            return None
        columns, horizon = tuple(str(c) for c in value["columns"]), int(value["horizon"])
        if not columns or not 1 <= horizon <= 100_000:
            raise ValueError("the form of the series has a size that cannot be used")
        return cls(columns, str(value["target"]), horizon, str(value["time"]), bool(value["dates"]))


def windows_of(values: np.ndarray, window: int) -> np.ndarray:
    """All windows [moments - window + 1, window, F] of values [moments, F]. They share their memory."""
    return np.lib.stride_tricks.sliding_window_view(values, window, axis=0).swapaxes(1, 2)


def windowed(
    title: str, values: np.ndarray, target: int | np.ndarray, window: int, form: SeriesForm, notes: Sequence[str] = (),
    unit: str = "",
) -> Dataset:
    """Samples of `window` moments of values [moments, F] with what comes after them, in order of time.

    `target` is a column of the values, whose next `horizon` values are wanted, or texts [moments] of classes, of which
    the one `horizon` moments after the window is wanted. Windows share their memory. Raises DataError when there are
    too few moments.
    """
    name, horizon = form.target, form.horizon
    count = len(values) - window - horizon + 1
    if count < 3:
        raise DataError(f"'{title}' has {len(values):,} moments, too few for windows of {window} and a horizon of "
                        f"{horizon}. Make both smaller.")
    views = windows_of(values, window)[:count]
    if isinstance(target, np.ndarray):
        wanted = [Column(name, "category", "target", target[window + horizon - 1:])]
    else:
        following = values[window:, target].astype(np.float64)
        wanted = [Column(f"{name} +{step + 1}" if horizon > 1 else f"next {name}", "number", "target",
                         following[step:step + count], unit=unit) for step in range(horizon)]
    columns = (Column("window", "array", "input", views, unit=unit, series=form), *wanted)
    return Dataset(title, "table", columns, tuple(notes), span=window + horizon)
