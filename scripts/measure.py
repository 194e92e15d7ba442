"""Measure what the examples learn: python scripts/measure.py prints the table of the README.

Each example is trained as it is bundled, and judged once by its test part. The test parts of small tables hold some
twenty samples, where one more mistake moves the figure by 4 %: so each is measured over ten further splits too.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table

from nndesigner.cli.running import Outcome, load_data, train
from nndesigner.data.preparing import DataSettings, Prepared
from nndesigner.data.samples import Diabetes
from nndesigner.engine.optimizers import AdamW
from nndesigner.exchange.prediction import from_project
from nndesigner.graph.templates import propose
from nndesigner.project.design import Design
from nndesigner.project.file import Project, load
from nndesigner.resources import resource
from nndesigner.training.settings import TrainSettings

SPLITS = range(1, 11)


@dataclass(frozen=True)
class Case:
    """One promise: figure(outcome, data) compared with a bound, which is a floor or, for errors, a ceiling."""

    title: str
    project: Callable[[], Project]
    words: str
    figure: Callable[[Outcome, Prepared], float]
    bound: float
    ceiling: bool = False
    #: most seconds of training
    seconds: float = 60.0

    def kept(self, value: float) -> bool:
        """Whether a measured figure keeps the promise."""
        return value <= self.bound if self.ceiling else value >= self.bound


def cases() -> tuple[Case, ...]:
    """The promises of the program, by the names of the examples."""
    def example(name: str) -> Callable[[], Project]:
        return lambda: load(resource(f"examples/{name}.nnd"))

    return (
        Case("two_d_classifier", example("two_d_classifier"), "accuracy", _metric("accuracy"), 0.97),
        Case("digits_dense", example("digits_dense"), "accuracy", _metric("accuracy"), 0.95),
        Case("digits_convolution", example("digits_convolution"), "accuracy", _metric("accuracy"), 0.98),
        Case("curve_regression", example("curve_regression"), "R²", _metric("r2"), 0.95),
        Case("iris_table", example("iris_table"), "accuracy", _metric("accuracy"), 0.93),
        Case("digits_autoencoder", example("digits_autoencoder"), "error / variance", _unexplained, 0.25, ceiling=True),
        Case("spoken_digits", example("spoken_digits"), "accuracy", _metric("accuracy"), 0.95),
        Case("spoken_numbers", example("spoken_numbers"), "character error rate", _metric("cer"), 0.10, ceiling=True,
             seconds=180.0),
        Case("moods_of_sentences", example("moods_of_sentences"), "accuracy", _metric("accuracy"), 0.97),
        Case("sunspots_ahead", example("sunspots_ahead"), "R²", _metric("r2"), 0.85),
        Case("shapes_by_pixel", example("shapes_by_pixel"), "mean IoU", _metric("mean_iou"), 0.75, seconds=180.0),
        Case("writing_letters", example("writing_letters"), "accuracy", _metric("accuracy"), 0.70),
        Case("diabetes", _diabetes, "R²", _metric("r2"), 0.40),
    )


def measure(project: Project) -> tuple[Outcome, Prepared]:
    """Train a project; its test part is looked at once, at the end."""
    prepared = load_data(project.design)
    return train(project, prepared), prepared


def with_split(project: Project, seed: int) -> Project:
    """The same project with another split of the data and another seed of the weights."""
    design = project.design
    data, training = (settings.model_copy(update={"seed": seed}) for settings in (design.data, design.training))
    return replace(project, design=replace(design, data=data, training=training))


def _metric(name: str) -> Callable[[Outcome, Prepared], float]:
    return lambda outcome, prepared: outcome.metrics["test"][name]


def _unexplained(outcome: Outcome, prepared: Prepared) -> float:
    """Squared error of the reconstruction as a share of the variance of the pictures around their mean picture."""
    pictures = prepared.test.arrays["image"].astype(np.float64)
    network = from_project(outcome.project).network
    (drawn,) = network.predict({"image": prepared.test.arrays["image"]}).values()
    return float(np.square(drawn - pictures).sum() / np.square(pictures - pictures.mean(axis=0)).sum())


def _diabetes() -> Project:
    """No example of the start page: the network that the program proposes for the table."""
    data = DataSettings(source=Diabetes())
    graph = propose(load_data(Design(data=data)).signature)
    training = TrainSettings(
        epochs=200, batch_size=16, optimizer=AdamW(learning_rate=0.001, weight_decay=1.0), early_stopping=20)
    return Project(Design(graph, data, training))


def main() -> None:
    table = Table("Example", "Figure (test)", "Promised", "Seed 7", "Training", "Mean of 10 splits", "Lowest … highest")
    for case in cases():
        project = case.project()
        outcome, prepared = measure(project)
        value = case.figure(outcome, prepared)
        others = [case.figure(*measure(with_split(project, seed))) for seed in SPLITS]
        sign = "≤" if case.ceiling else "≥"
        table.add_row(
            case.title, f"{case.words}, n = {len(prepared.test)}", f"{sign} {case.bound:g}",
            f"{value:.4f}{'' if case.kept(value) else ' MISSED'}", f"{outcome.telemetry.seconds_run:.1f} s",
            f"{np.mean(others):.4f}", f"{min(others):.3f} … {max(others):.3f}")
    console = Console(width=130)
    console.print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
                  f"NumPy {np.__version__}, device cpu")
    console.print(table)


if __name__ == "__main__":
    main()
