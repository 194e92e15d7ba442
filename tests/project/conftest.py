"""Small projects for the tests of this room."""

import pytest

from nndesigner.cli.running import load_data, train
from nndesigner.data.generated import Spirals
from nndesigner.data.preparing import DataSettings
from nndesigner.graph import edit
from nndesigner.graph.model import Graph
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.norm import BatchNorm
from nndesigner.project.design import Design
from nndesigner.project.file import Project
from nndesigner.training.settings import TrainSettings


def chain(*layers):
    """A drawing of layers one after the other."""
    graph, previous = Graph(), None
    for layer in layers:
        graph, node = edit.add_node(graph, layer, 0, 0)
        graph = edit.connect(graph, previous, node) if previous else graph
        previous = node
    return graph


@pytest.fixture(scope="session")
def design():
    graph = chain(Input(), Dense(units=3, activation="tanh"), BatchNorm(), Dense(units=2), Output())
    settings = TrainSettings(epochs=3, early_stopping=2, batch_size=8)
    return Design(graph, DataSettings(source=Spirals(samples=40)), settings)


@pytest.fixture(scope="session")
def trained(design):
    """A project with weights, moments, best weights, running statistics and curves."""
    project = Project(design, meta={"title": "Two arms", "description": "A test — ünïcode", "view": {"zoom": 1.5}})
    return train(project, load_data(design)).project
