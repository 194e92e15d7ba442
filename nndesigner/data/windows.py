"""Windows over quantities in order of time: what a network sees, and what comes after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset


def windowed(
    title: str, values: np.ndarray, target: int | np.ndarray, name: str, window: int, horizon: int,
    notes: Sequence[str] = (), unit: str = "",
) -> Dataset:
    """Samples of `window` moments of values [moments, F] with what comes after them, in order of time.

    `target` is a column of the values, whose next `horizon` values are wanted, or texts [moments] of classes, of which
    the one `horizon` moments after the window is wanted. Windows share their memory. Raises DataError when there are
    too few moments.
    """
    count = len(values) - window - horizon + 1
    if count < 3:
        raise DataError(f"'{title}' has {len(values):,} moments, too few for windows of {window} and a horizon of "
                        f"{horizon}. Make both smaller.")
    views = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)[:count].swapaxes(1, 2)
    if isinstance(target, np.ndarray):
        wanted = [Column(name, "category", "target", target[window + horizon - 1:])]
    else:
        following = values[window:, target].astype(np.float64)
        wanted = [Column(f"{name} +{step + 1}" if horizon > 1 else f"next {name}", "number", "target",
                         following[step:step + count], unit=unit) for step in range(horizon)]
    columns = (Column("window", "array", "input", views, unit=unit), *wanted)
    return Dataset(title, "table", columns, tuple(notes), span=window + horizon)
