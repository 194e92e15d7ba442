"""Dates as numbers: days since 1970, and their place in the year, the week and the day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from nndesigner.data.dataset import DataError

if TYPE_CHECKING:
    import polars

#: forms in which dates are written, the first that reads most values is taken
FORMATS = (
    "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y", "%d/%m/%Y",
    "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y-%m",
)
#: days of the cycles whose place is told to the network
CYCLES = {"year": 365.2425, "week": 7.0, "day": 1.0}
DAY = 86_400.0


def days_of_texts(texts: polars.Series) -> np.ndarray:
    """Float64 days since 1970-01-01, NaN where a text is missing or no date in the form that fits most of them."""
    best = np.full(len(texts), np.nan)
    with_zone = texts.str.replace(r"(Z|[+-]00:?00)$", "")
    for form in FORMATS:
        days = _days(with_zone, form)
        if np.count_nonzero(~np.isnan(days)) > np.count_nonzero(~np.isnan(best)):
            best = days
    return best


def _days(texts: polars.Series, form: str) -> np.ndarray:
    import polars

    day_only = "%H" not in form
    given = texts + "-01" if form == "%Y-%m" else texts
    form = "%Y-%m-%d" if form == "%Y-%m" else form
    kind = polars.Date if day_only else polars.Datetime("us")
    moments = given.str.strptime(kind, form, strict=False).cast(polars.Datetime("us"))
    numbers = moments.dt.timestamp("us").cast(polars.Float64).fill_null(float("nan")).to_numpy()
    return np.array(numbers) / (DAY * 1e6)


def days_of(values: Any, column: str) -> np.ndarray:
    """Days since 1970 from numbers of days, or from texts. Raises DataError for a text that is no date."""
    values = np.asarray(values)
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    import polars

    from nndesigner.data.encoding import MISSING  # which encodes dates by this file

    texts = [None if v is None or str(v).strip().lower() in MISSING else str(v).strip() for v in values.tolist()]
    days = days_of_texts(polars.Series(texts, dtype=polars.String))
    for row, text in enumerate(texts):
        if text is not None and math.isnan(days[row]):
            raise DataError(f"Column '{column}', row {row + 1}: '{text}' is no date like 2024-12-31.")
    return days


def text_of_days(days: float) -> str:
    """The date, with the time of day where it has one."""
    moment = datetime.fromtimestamp(round(days * DAY), tz=UTC)
    return moment.strftime("%Y-%m-%d" if moment.hour == moment.minute == moment.second == 0 else "%Y-%m-%d %H:%M")


def useful_cycles(days: np.ndarray) -> tuple[str, ...]:
    """The cycles that dates [n] without missing ones go through: at least once, in steps shorter than a half."""
    reach = float(np.ptp(days)) if len(days) else 0.0
    places = np.unique(days)
    step = float(np.min(np.diff(places))) if len(places) > 1 else math.inf
    return tuple(name for name, length in CYCLES.items() if reach >= length and step < length / 2)


def parts_of(days: np.ndarray, cycles: Sequence[str]) -> np.ndarray:
    """Float64 [n, 1 + 2 · cycles]: days, then sine and cosine of the place in each cycle."""
    angles = [2 * np.pi * np.mod(days, CYCLES[name]) / CYCLES[name] for name in cycles]
    return np.stack([days, *(f(angle) for angle in angles for f in (np.sin, np.cos))], axis=1)
