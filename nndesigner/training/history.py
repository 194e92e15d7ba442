"""Curves of a run, bounded in size whatever the number of steps."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np

#: A curve that reaches this many points halves them: neighbours become their mean.
LIMIT = 2000


class Curve:
    """Points (x, y). Each stands for `stride` values that came in and is the mean of them."""

    def __init__(self) -> None:
        self.stride = 1
        self._x = array("d")
        self._y = array("d")
        self._count = 0
        self._sum_x = 0.0
        self._sum_y = 0.0

    def __len__(self) -> int:
        return len(self._x) + (self._count > 0)

    def add(self, x: float, y: float) -> None:
        """Append a value; x must not fall."""
        if self.stride == 1:
            self._x.append(x)
            self._y.append(y)
        else:
            self._sum_x += x
            self._sum_y += y
            self._count += 1
            if self._count < self.stride:
                return
            self._x.append(self._sum_x / self.stride)
            self._y.append(self._sum_y / self.stride)
            self._count, self._sum_x, self._sum_y = 0, 0.0, 0.0
        if len(self._x) >= LIMIT:
            self._x, self._y = (array("d", np.array(v).reshape(-1, 2).mean(axis=1)) for v in (self._x, self._y))
            self.stride *= 2

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """(x, y), read-only copies, the values of an unfinished point included as their mean."""
        x, y = np.array(self._x), np.array(self._y)
        if self._count:
            x, y = np.append(x, self._sum_x / self._count), np.append(y, self._sum_y / self._count)
        x.flags.writeable = y.flags.writeable = False
        return x, y

    def to_state(self) -> tuple[np.ndarray, dict[str, Any]]:
        """(points [2, n], rest as JSON) from which `from_state` makes an equal curve."""
        return np.array([self._x, self._y]), {
            "stride": self.stride, "count": self._count, "sum_x": self._sum_x, "sum_y": self._sum_y}

    @classmethod
    def from_state(cls, points: np.ndarray, state: Mapping[str, Any]) -> Curve:
        curve = cls()
        curve._x, curve._y = (array("d", row.tolist()) for row in points)
        curve.stride, curve._count = int(state["stride"]), int(state["count"])
        curve._sum_x, curve._sum_y = float(state["sum_x"]), float(state["sum_y"])
        return curve


class History:
    """The curves of a run by name, and the last value of each metric of each part."""

    def __init__(self) -> None:
        self.curves: dict[str, Curve] = {}
        #: ("train" or "val", metric) -> last value
        self.metrics: dict[tuple[str, str], float] = {}
        #: grows whenever something is added
        self.version = 0
        self._shown: tuple[int, dict[str, tuple[np.ndarray, np.ndarray]]] = (-1, {})

    def curve(self, name: str) -> Curve:
        if name not in self.curves:
            self.curves[name] = Curve()
        return self.curves[name]

    def add(self, name: str, x: float, y: float) -> None:
        curve = self.curves.get(name)
        if curve is None:
            curve = self.curve(name)
        curve.add(x, y)
        self.version += 1

    def arrays(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """All curves as read-only arrays; the same object until something is added."""
        if self._shown[0] != self.version:
            self._shown = self.version, {name: curve.arrays() for name, curve in self.curves.items() if len(curve)}
        return self._shown[1]

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """(arrays, JSON) from which `from_state` makes an equal history."""
        arrays, curves = {}, {}
        for name, curve in self.curves.items():
            arrays[name], curves[name] = curve.to_state()
        # A figure of too few samples is no number (R² of one), and JSON knows none of those.
        metrics = [[*key, value] for key, value in self.metrics.items() if math.isfinite(value)]
        return arrays, {"curves": curves, "metrics": metrics}

    @classmethod
    def from_state(cls, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> History:
        history = cls()
        history.curves = {name: Curve.from_state(arrays[name], rest) for name, rest in state["curves"].items()}
        history.metrics = {(str(part), str(name)): float(value) for part, name, value in state["metrics"]}
        return history
