"""Projects on disk for the tests of the command line."""

import pytest

from nndesigner.cli.running import load_data, train
from nndesigner.data.csv_file import Csv
from nndesigner.data.generated import Curve, Spirals
from nndesigner.data.preparing import DataSettings
from nndesigner.engine.optimizers import SGD, Adam
from nndesigner.graph import edit
from nndesigner.graph.model import Graph
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.project.design import Design
from nndesigner.project.file import Project, save
from nndesigner.training.settings import TrainSettings


def dense(units, *hidden, output=None):
    """A drawing with dense layers of the given widths."""
    graph, previous = Graph(), None
    layers = [Input(), *(Dense(units=n, activation="tanh") for n in hidden), Dense(units=units), output or Output()]
    for layer in layers:
        graph, node = edit.add_node(graph, layer, 0, 0)
        graph = edit.connect(graph, previous, node) if previous else graph
        previous = node
    return graph


@pytest.fixture
def spirals(tmp_path):
    """An untrained project of two arms."""
    design = Design(dense(2, 8), DataSettings(source=Spirals(samples=120)), TrainSettings(epochs=4))
    return save(Project(design, meta={"title": "Two arms"}), tmp_path / "spirals.nnd")


@pytest.fixture
def flowers(tmp_path):
    """A trained project whose CSV file lies beside it: a number and a colour tell the kind."""
    rows = [f"{i % 7 + 0.5},red,rose" if i % 2 else f"{i % 7},blue,iris" for i in range(60)]
    (tmp_path / "flowers.csv").write_text("size,colour,kind\n" + "\n".join(rows) + "\n", encoding="utf-8")
    source = Csv(path=str(tmp_path / "flowers.csv"))
    training = TrainSettings(epochs=20, optimizer=Adam(learning_rate=0.03))
    project = Project(Design(dense(2, 4), DataSettings(source=source), training))
    return save(train(project, load_data(project.design)).project, tmp_path / "flowers.nnd")


@pytest.fixture
def failing(tmp_path):
    """A project that diverges in the first steps."""
    training = TrainSettings(epochs=50, optimizer=SGD(learning_rate=1000.0))
    design = Design(dense(1), DataSettings(source=Curve(samples=120)), training)
    return save(Project(design), tmp_path / "failing.nnd")
