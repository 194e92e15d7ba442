"""Made the files in tests/project/golden with version 0.1.0: python -m tests.project.make_golden

They stand for the projects that users have. Once a version is released its golden files are never made again: a later
version that cannot read them needs a migration.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nndesigner.cli.running import load_data, train
from nndesigner.data.csv_file import Csv, read_inputs
from nndesigner.data.preparing import DataSettings
from nndesigner.data.samples import Digits
from nndesigner.engine.losses import CrossEntropy
from nndesigner.engine.optimizers import AdamW, Momentum
from nndesigner.engine.schedules import Cosine, Plateau
from nndesigner.exchange.prediction import from_project
from nndesigner.graph import edit
from nndesigner.graph.model import Graph
from nndesigner.layers.activation import ReLU
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.norm import BatchNorm
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.regular import Dropout
from nndesigner.layers.reshape import Flatten
from nndesigner.project.design import Design
from nndesigner.project.file import Project, load, save
from nndesigner.training.settings import TrainSettings

FOLDER = Path(__file__).resolve().parent / "golden"


def chain(*layers):
    graph, previous = Graph(), None
    for place, layer in enumerate(layers):
        graph, node = edit.add_node(graph, layer, 200.0 * place, 40.0, f"Layer {place}" if place == 1 else "")
        graph = edit.connect(graph, previous, node) if previous else graph
        previous = node
    return graph


def pictures() -> Design:
    """Running statistics, best weights, dropout, a schedule within the epoch, a loss of its own."""
    graph = chain(
        Input(), Conv2D(filters=2), BatchNorm(), ReLU(), MaxPool2D(), Flatten(), Dropout(rate=0.1), Dense(units=10),
        Output(loss=CrossEntropy(label_smoothing=0.1)))
    training = TrainSettings(
        epochs=3, batch_size=64, optimizer=AdamW(learning_rate=0.01), schedule=Cosine(), early_stopping=2,
        clip_norm=1.0)
    return Design(graph, DataSettings(source=Digits()), training)


def table() -> Design:
    """Numbers, a category and missing values from a CSV file beside the project."""
    graph = chain(Input(), Dense(units=3, activation="tanh"), Dense(units=2), Output())
    training = TrainSettings(
        epochs=5, batch_size=8, optimizer=Momentum(learning_rate=0.1), schedule=Plateau(patience=1), seed=11)
    return Design(graph, DataSettings(source=Csv(path=str(FOLDER / "version1_table.csv")), scaling="range"), training)


def answers(project: Project) -> list[list[float]]:
    """Probabilities of the first rows of the project's own data."""
    predictor = from_project(project)
    if project.design.data.source.kind == "csv.v1":
        raw = read_inputs(project.design.data.source.path, predictor.inputs).columns
    else:
        raw = {c.name: c.values for c in load_data(project.design).dataset.columns}
    return predictor.predict({name: values[:6] for name, values in raw.items()}).probabilities.tolist()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(5)
    rows = ["size,colour,kind"]
    for _ in range(60):
        red, size = rng.random() < 0.5, rng.normal()
        kind = "rose" if size + red > 0.6 else "iris"
        rows.append(f"{'' if rng.random() < 0.1 else f'{size:.3f}'},{'red' if red else 'blue'},{kind}")
    (FOLDER / "version1_table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    expected = {}
    for name, design in (("version1", pictures()), ("version1_table", table())):
        project = train(Project(design, meta={"title": name, "view": {"zoom": 1.25}}), load_data(design)).project
        path = save(project, FOLDER / f"{name}.nnd")
        expected[name] = {"answers": answers(load(path)), "epoch": project.checkpoint.state["epoch"]}
    (FOLDER / "version1.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
