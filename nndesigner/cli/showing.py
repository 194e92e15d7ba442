"""How results look in a terminal: progress, tables, and plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from nndesigner.graph.check import Problem
from nndesigner.graph.model import Graph
from nndesigner.training.telemetry import Telemetry

_PARTS = {"train": "Training", "validation": "Validation", "test": "Test"}
_SHARES = ("accuracy",)


class Progress:
    """The bar of a run with the epoch, and below it loss, validation metric, samples a second and time left."""

    def __init__(self, console: Console, title: str) -> None:
        self._bar = Bar(TextColumn("{task.description}"), BarColumn(), TextColumn("epoch"), MofNCompleteColumn())
        self._task = self._bar.add_task(escape(title), total=None)
        self._figures = Text()
        self._console = console
        self._live = Live(Group(self._bar, self._figures), console=console, refresh_per_second=8)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if not self._console.is_terminal:
            self._console.print()

    def show(self, telemetry: Telemetry) -> None:
        """Follow a run."""
        if telemetry.epochs:
            self._bar.update(self._task, total=telemetry.epochs, completed=telemetry.epoch)
            self._figures.plain = " · ".join(_figures(telemetry))


def _figures(telemetry: Telemetry) -> list[str]:
    texts = []
    loss = telemetry.curves.get("loss")
    if loss is not None and len(loss[1]):
        texts.append(f"loss {loss[1][-1]:.4g}")
    shown = next(((name, v) for (part, name), v in telemetry.metrics.items() if part == "val" and name != "loss"), None)
    if shown is not None:
        texts.append(f"validation {metrics_text(dict([shown]))}")
    if telemetry.samples_per_second:
        texts.append(f"{telemetry.samples_per_second:,.0f} samples/s")
    if telemetry.state == "running" and telemetry.seconds_left is not None:
        texts.append(f"{duration(telemetry.seconds_left)} left")
    return texts


def duration(seconds: float) -> str:
    """ "8 s", "3 min 5 s" or "2 h 10 min"."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def metrics_text(metrics: Mapping[str, float]) -> str:
    """For example "accuracy 98.3 %, loss 0.0612"."""
    return ", ".join(f"{name} {_value(name, value)}" for name, value in metrics.items())


def _value(name: str, value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{100 * value:.1f} %" if name.split(" ")[0] in _SHARES else f"{value:.4g}"


def finite(metrics: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    """For JSON, which knows no NaN (R² of a single sample): None instead."""
    return {part: {n: v if math.isfinite(v) else None for n, v in found.items()} for part, found in metrics.items()}


def metric_table(metrics: Mapping[str, Mapping[str, float]]) -> Table:
    """One row a part of the data."""
    names = list(dict.fromkeys(name for part in metrics.values() for name in part))
    table = Table("Part", *names)
    for part, values in metrics.items():
        table.add_row(_PARTS[part], *(_value(n, values[n]) if n in values else "" for n in names))
    return table


def problem_table(graph: Graph, problems: Sequence[Problem]) -> Table:
    """What is wrong, where, and what would cure it."""
    table = Table("", "Layer", "Problem", "Cure")
    for problem in problems:
        colour = "red" if problem.severity == "error" else "yellow"
        node = graph.by_id.get(problem.node)
        layer = f"{node.title} ({node.id})" if node else ""
        cures = "\n".join(repair.text for repair in problem.repairs)
        table.add_row(f"[{colour}]{problem.severity}[/]", escape(layer), escape(problem.text), escape(cures))
    return table


def facts_table(facts: Mapping[str, Any]) -> Table:
    """Names and values below each other."""
    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        if value == "":
            continue
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, Mapping) else str(value)
        table.add_row(f"[bold]{escape(name.replace('_', ' ').capitalize())}[/]", escape(text))
    return table
