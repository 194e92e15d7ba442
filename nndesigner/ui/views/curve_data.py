"""Curves of a run as plots show them: smoothing, the value at an epoch, and the table for export. Knows no Qt."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np


def smoothed(y: np.ndarray, weight: float) -> np.ndarray:
    """Exponential moving average with the start corrected, as TensorBoard does it.

    s_t = w s_(t-1) + (1 - w) y_t, shown as s_t / (1 - w^t). y: [n]; values that are not finite are passed over.
    """
    if weight <= 0 or len(y) == 0:
        return np.asarray(y, dtype=np.float64)
    out = np.empty(len(y))
    sum_, seen = 0.0, 0.0
    for i, value in enumerate(y.tolist()):
        if value - value == 0:  # finite
            sum_ = weight * sum_ + (1 - weight) * value
            seen = weight * seen + (1 - weight)
        out[i] = sum_ / seen if seen else np.nan
    return out


def thinned(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """At most about `most` points of a smooth curve, the last one among them."""
    if len(x) <= most:
        return x, y
    rows = np.linspace(0, len(x) - 1, most).round().astype(int)
    return x[rows], y[rows]


def value_at(x: np.ndarray, y: np.ndarray, at: float) -> float | None:
    """Value of the point nearest to `at`; None where the curve has not begun or is over by more than one point."""
    if len(x) == 0:
        return None
    i = int(np.clip(np.searchsorted(x, at), 0, len(x) - 1))
    if i > 0 and abs(x[i - 1] - at) <= abs(x[i] - at):
        i -= 1
    reach = max(x[-1] - x[-2], 0.5) if len(x) > 1 else 0.5
    return float(y[i]) if x[0] - reach <= at <= x[-1] + reach else None


@dataclass(frozen=True, eq=False)
class CurvePair:
    """One quantity during training and on the validation part. x in epochs; arrays may be empty."""

    name: str
    train_x: np.ndarray
    train_y: np.ndarray
    val_x: np.ndarray
    val_y: np.ndarray

    @property
    def empty(self) -> bool:
        return len(self.train_x) == 0 and len(self.val_x) == 0

    def to_csv(self, weight: float) -> str:
        """A table with one row for each epoch at which a curve has a point: raw, smoothed, validation."""
        columns = (
            dict(zip(self.train_x.tolist(), self.train_y.tolist())),
            dict(zip(self.train_x.tolist(), smoothed(self.train_y, weight).tolist())),
            dict(zip(self.val_x.tolist(), self.val_y.tolist())),
        )
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["epoch", f"training {self.name}", f"training {self.name} smoothed {weight:g}",
                         f"validation {self.name}"])
        for x in sorted(set().union(*columns)):
            writer.writerow([repr(x), *("" if x not in column else repr(column[x]) for column in columns)])
        return out.getvalue()
