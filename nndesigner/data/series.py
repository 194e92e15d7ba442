"""Series: tables whose rows follow each other in time, and two that are made by formula."""

from __future__ import annotations

import numpy as np

from nndesigner.data.csv_file import TARGET_NAMES, table_column
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.source import Progress, Source
from nndesigner.data.table_file import read_table
from nndesigner.data.windows import SeriesForm, windowed
from nndesigner.spec import param

#: names of columns of numbers that tell the time
TIME_NAMES = frozenset({"time", "date", "datetime", "timestamp", "t", "year", "month", "day", "hour", "ds"})


def _window(default: int) -> int:
    return param(default, "Window", "How many moments the network sees. Longer: it can use what was long ago, but "
                 "learns more slowly.", ge=1, le=10_000)


def _horizon() -> int:
    return param(1, "Horizon", "How many moments ahead it predicts. Further ahead is harder.", ge=1, le=1000)


class Series(Source):
    """A table whose rows follow each other in time: what comes next?

    Rows are put in order by the first column of dates (else they stay as in the file). All columns of numbers are seen
    through a window that moves along; the target's next values, or its class, are predicted. The latest samples test.
    """

    kind = "series.v1"
    title = "Series (table)"
    group = "Files"
    icon = "mdi6.chart-line"
    keywords = ("time series", "forecast", "prediction", "sequence", "window", "csv", "parquet", "own data")
    form = "table"

    path: str = param("", "File", "A CSV, TSV, Parquet or JSON lines file.", editor="file")
    target: str = param("", "Target", "Name of the column to predict. Empty: guessed.")
    window: int = _window(24)
    horizon: int = _horizon()

    def load(self, progress: Progress) -> Dataset:
        if not self.path:
            raise DataError("Choose a table whose rows follow each other in time.")
        table = read_table(self.path, progress)
        notes = list(table.notes)
        found: list[Column] = []
        for i, name in enumerate(table.names):
            progress(0.5 + 0.5 * i / len(table.names), f"Reading column {name}")
            told: list[str] = []
            found.append(table_column(table, i, "auto", told))
            notes += [note for note in told if "to number the rows" not in note]
        time = next((c for c in found if c.kind == "date"), None)
        time = time or next((c for c in found if c.name.strip().casefold() in TIME_NAMES and c.kind == "number"), None)
        order = np.arange(len(table.lines))
        if time is not None:
            known = np.isfinite(time.values)
            if not known.all():
                notes.append(f"{int((~known).sum()):,} rows without a value of '{time.name}' left out.")
            order = np.flatnonzero(known)[np.argsort(time.values[known], kind="stable")]
            if len(np.unique(time.values[order])) < len(order):
                notes.append(f"Some rows have the same value of '{time.name}' and stay in the order of the file.")
        target = self._target([c for c in found if c is not time], table.file)
        seen = [c for c in found if c.kind == "number" and c is not time and np.isfinite(c.values).any()]
        if not seen:
            raise DataError(f"'{table.file}' has no column of numbers to look at.")
        left_out = [c.name for c in found if c not in seen and c is not time and c is not target]
        if left_out:
            notes.append(f"Columns without numbers are not seen: {', '.join(left_out[:10])}.")
        values = np.stack([c.values[order] for c in seen], axis=1).astype(np.float32)
        form = SeriesForm(tuple(c.name for c in seen), target.name, self.horizon, time.name if time else "",
                          time is not None and time.kind == "date")
        wanted = seen.index(target) if target.kind == "number" else target.values[order]
        return windowed(table.file, values, wanted, self.window, form, notes)

    def _target(self, columns: list[Column], file: str) -> Column:
        if self.target:
            found = next((c for c in columns if c.name == self.target), None)
            if found is None:
                names = ", ".join(c.name for c in columns[:20])
                raise DataError(f"'{file}' has no column '{self.target}' to predict. Its columns: {names}.")
            return found
        if not columns:
            raise DataError(f"'{file}' has only a column of times; it needs one to predict, too.")
        named = {c.name.strip().casefold(): c for c in reversed(columns)}
        numbers = [c for c in columns if c.kind == "number"]
        return next((named[name] for name in TARGET_NAMES if name in named), (numbers or columns)[-1])


class _Generated(Source):
    group = "Built in"
    form = "table"


def _seed() -> int:
    return param(7, "Seed of the data", "The same seed gives the same series.", ge=0, le=2**31 - 1, advanced=True)


class Sines(_Generated):
    """A mixture of sine waves of unrelated periods, with noise.

    The next value follows from the past up to the noise, so the error that remains can be known. Made by formula.
    """

    kind = "sines.v1"
    title = "Mixed sine waves"
    icon = "mdi6.sine-wave"
    keywords = ("time series", "forecast", "sequence", "periodic", "toy", "recurrent", "lstm")

    moments: int = param(2000, "Moments", "Length of the series. Longer: more to learn from.", ge=100, le=200_000)
    waves: int = param(3, "Waves", "How many sine waves are added. More: harder.", ge=1, le=6)
    noise: float = param(0.05, "Noise", "How far values are shaken (standard deviation). Higher: the error that "
                         "remains is larger.", ge=0, le=2, step=0.01)
    window: int = _window(32)
    horizon: int = _horizon()
    seed: int = _seed()

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        time = np.arange(self.moments)
        periods = 12.0 * np.sqrt([2, 3, 5, 7, 11, 13])[:self.waves]
        phases, heights = rng.uniform(0, 2 * np.pi, self.waves), rng.uniform(0.5, 1.0, self.waves)
        waves = heights[:, None] * np.sin(2 * np.pi * time / periods[:, None] + phases[:, None])
        values = waves.sum(axis=0) + self.noise * rng.standard_normal(self.moments)
        form = SeriesForm(("value",), "value", self.horizon)
        return windowed(self.title, values[:, None].astype(np.float32), 0, self.window, form)


class SunspotsLike(_Generated):
    """A series like the monthly number of sunspots: cycles of about 11 years, none like the other.

    Each cycle rises quickly and falls slowly, strong ones rise faster; form of a cycle after D. Hathaway, R. Wilson and
    E. Reichmann, The shape of the sunspot cycle, Solar Physics 151, 1994. Made by formula, no measured values.
    """

    kind = "sunspots_like.v1"
    title = "Sunspot-like series"
    icon = "mdi6.white-balance-sunny"
    keywords = ("time series", "forecast", "sequence", "cycles", "solar", "toy", "recurrent", "lstm")

    cycles: int = param(24, "Cycles", "How many cycles of about 11 years. More: more to learn from.", ge=4, le=500)
    noise: float = param(0.15, "Noise", "How far months are shaken, as a share of their height. Higher: the error that "
                         "remains is larger.", ge=0, le=1, step=0.05)
    window: int = _window(48)
    horizon: int = _horizon()
    seed: int = _seed()

    def load(self, progress: Progress) -> Dataset:
        rng = np.random.default_rng(self.seed)
        heights = rng.uniform(60, 220, self.cycles)
        lengths = np.clip(rng.normal(131, 12, self.cycles), 100, 165)  # months
        starts = np.cumsum(lengths) - lengths
        months = np.arange(int(lengths.sum()))
        smooth = np.zeros(len(months))
        for height, start in zip(heights, starts):
            x = np.clip((months - start) / (62 - 0.08 * height), 0, 6)
            shape = x**3 / (np.exp(x**2) - 0.71)
            smooth += height * shape / 0.504  # the largest value of the shape
        values = np.maximum(0, smooth * (1 + self.noise * rng.standard_normal(len(months)))
                            + 20 * self.noise * rng.standard_normal(len(months)))
        form = SeriesForm(("spots",), "spots", self.horizon)
        return windowed(self.title, values[:, None].astype(np.float32), 0, self.window, form)
