"""Predictions on raw data: the same bits alone and in company, before and after saving, for every kind of data."""

import numpy as np
import pytest

from nndesigner.data.csv_file import Csv, read_inputs
from nndesigner.data.dataset import DataError
from nndesigner.data.generated import Spirals
from nndesigner.data.pictures import fit_picture
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import Source, quiet
from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.exchange.prediction import Predictor, from_project
from nndesigner.graph.check import check
from nndesigner.graph.model import Edge, Graph, Node
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.reshape import Flatten
from nndesigner.project.design import Design
from nndesigner.project.file import Project, load, save
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.networks import chain, drawing


def data(kind, settings=None, **params):
    return prepare(Source.registry[kind](**params).load(quiet), settings or DataSettings())


def predictor(prepared, *layers):
    return Predictor(Network(chain(layers, prepared.signature.fields), Device("cpu"), 3), prepared.preparation)


def raw_of(prepared, rows=slice(None)):
    return {c.column: prepared.dataset.column(c.column).values[rows] for c in prepared.preparation.inputs}


@pytest.mark.parametrize("kind,layers", [
    ("digits.v1", (Conv2D(filters=6, activation="relu"), Flatten(), Dense(units=10))),
    ("wine.v1", (Dense(units=30, activation="gelu"), Dense(units=3))),
    ("diabetes.v1", (Dense(units=17, activation="tanh"), Dense(units=1))),
])
def test_the_answer_for_a_sample_does_not_depend_on_its_company(kind, layers):
    prepared = data(kind)
    found = predictor(prepared, *layers)
    rows = np.arange(0, len(prepared.dataset), 7)
    everything = found.predict(raw_of(prepared, rows))
    answers = everything.values if everything.probabilities is None else everything.probabilities
    for i in (0, 1, 13, len(rows) - 1):
        one = found.predict(raw_of(prepared, rows[i:i + 1]))
        alone = one.values if one.probabilities is None else one.probabilities
        assert alone[0].tobytes() == answers[i].tobytes()
    batch = found.network.predict(prepared.preparation.encode(raw_of(prepared, rows)))["out"]
    if everything.probabilities is not None:
        np.testing.assert_allclose(everything.probabilities, batch, atol=1e-5)


def test_classes_are_named_and_ranked():
    prepared = data("iris.v1")
    found = predictor(prepared, Dense(units=3)).predict({
        "sepal length": ["5.1"], "sepal width": [3.5], "petal length": [1.4], "petal width": [None]})
    assert found.task == "classification" and found.names == ("species",) and len(found) == 1
    ranked = found.ranked(0)
    assert [p for _, p in ranked] == sorted(found.probabilities[0], reverse=True)
    assert found.label(0) == ranked[0][0] in prepared.preparation.classes and len(found.ranked(0, 2)) == 2


def test_values_have_their_units():
    prepared = data("diabetes.v1")
    found = predictor(prepared, Dense(units=1, initialiser="zeros")).predict(raw_of(prepared, slice(0, 5)))
    target = prepared.dataset.column("progression").values[prepared.train.rows]
    np.testing.assert_allclose(found.values, target.mean(), rtol=1e-5)
    assert found.names == ("progression",) and found.label(0) == ""
    with pytest.raises(ValueError, match="not classes"):
        found.ranked(0)


def test_several_outputs_and_only_the_inputs_that_are_used():
    prepared = data("iris.v1", DataSettings(roles={"petal width": "target"}))
    checked = drawing({
        "in": Input(), "a": Dense(units=3), "b": Dense(units=1), "classes": Output(target="target species"),
        "values": Output(target="target"),
    }, ["in>a", "in>b", "a>classes", "b>values"], prepared.signature.fields)
    found = Predictor(Network(checked, Device("cpu"), 3), prepared.preparation).predict_all(raw_of(prepared))
    assert found["classes"].probabilities.shape == (150, 3) and found["values"].values.shape == (150, 1)
    assert found["values"].names == ("petal width",)


@pytest.mark.parametrize("raw,said", [
    ({}, "column 'x1' is missing"), ({"x1": [], "x2": []}, "no rows"), ({"x1": ["one"], "x2": [1]}, "is no number"),
    ({"x1": [1, 2], "x2": [1]}, "has 1 rows"),
])
def test_raw_values_that_cannot_be_used_are_sentences(raw, said):
    with pytest.raises(DataError, match=said):
        predictor(data("xor.v1"), Dense(units=2)).predict(raw)


def test_a_network_that_diverged_gives_no_class():
    found = predictor(data("xor.v1"), Dense(units=2))
    found.network.weights.views["n1/W"][:] = np.nan
    answer = found.predict({"x1": [1.0], "x2": [2.0]})
    assert answer.predicted[0] == -1 and answer.label(0) == ""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A spiral project of three layers, trained for a moment, saved and loaded again."""
    source = Spirals(samples=200)
    layers = (Input(), Dense(units=16, activation="tanh"), Dense(units=2), Output())
    graph = Graph(tuple(Node(f"n{i + 1}", layer) for i, layer in enumerate(layers)),
                  tuple(Edge(f"n{i}", f"n{i + 1}") for i in (1, 2, 3)), 5)
    design = Design(graph, DataSettings(source=source), TrainSettings(epochs=3))
    prepared = prepare(source.load(quiet), design.data)
    trainer = Trainer(check(graph, prepared.signature), prepared, design.training, Device("cpu"))
    trainer.run()
    path = tmp_path_factory.mktemp("project") / "spirals.nnd"
    save(Project(design, trainer.checkpoint(), prepared.preparation), path)
    return trainer, path


def test_a_saved_project_predicts_the_same_bits(trained):
    trainer, path = trained
    raw = raw_of(trainer.prepared)
    before = Predictor(trainer.network, trainer.prepared.preparation).predict(raw)
    after = from_project(load(path)).predict(raw)
    assert before.probabilities.tobytes() == after.probabilities.tobytes() and after.classes == ("arm 1", "arm 2")
    assert [c.column for c in from_project(load(path)).inputs] == ["x1", "x2"]


def test_a_csv_file_gives_the_bits_of_a_typed_row(trained, tmp_path):
    table = tmp_path / "points.csv"
    table.write_text("x2,x1,remark\n0.25,-0.5,a\n0.75,0.125,b\n")
    found = from_project(load(trained[1]))
    rows = read_inputs(str(table), found.inputs)
    typed = found.predict({"x1": ["-0.5"], "x2": ["0.25"]})
    assert found.predict(rows.columns).probabilities[0].tobytes() == typed.probabilities[0].tobytes()


def test_projects_that_cannot_predict_are_sentences(trained):
    trainer, path = trained
    project = load(path)
    with pytest.raises(DataError, match="no trained weights"):
        from_project(Project(project.design))
    other = Project(project.design.with_graph(Graph()), project.checkpoint, project.preparation)
    with pytest.raises(DataError, match="cannot be used"):
        from_project(other)


def test_a_drawn_digit_is_recognised(tmp_path):
    """A test digit drawn large and dark on white paper gets the answer of the digit itself."""
    prepared = data("digits.v1")
    checked = chain((Flatten(), Dense(units=32, activation="relu"), Dense(units=10)), prepared.signature.fields)
    trainer = Trainer(checked, prepared, TrainSettings(epochs=40), Device("cpu"))
    trainer.run()
    assert trainer.evaluate("test")["accuracy"] > 0.93
    found = Predictor(trainer.network, prepared.preparation)
    images, right = prepared.dataset.column("image").values, 0
    for row in prepared.test.rows[:60]:
        paper = np.ones((260, 300))
        paper[40:200, 60:220] -= np.kron(images[row, ..., 0] / 16, np.ones((20, 20)))
        answer = found.predict({"image": fit_picture(paper, found.inputs[0])})
        right += answer.label(0) == prepared.dataset.column("digit").values[row]
    assert right >= 52


def test_a_table_end_to_end(tmp_path):
    rng = np.random.default_rng(0)
    size, colour = rng.normal(3, 1, 300), rng.choice(["red", "blue"], 300)
    kind = np.where((size > 3) == (colour == "red"), "rose", "iris")
    lines = [f"{s:.3f};{c};{k}".replace(".", ",") for s, c, k in zip(size, colour, kind)]
    (tmp_path / "flowers.csv").write_text("size;colour;kind\n" + "\n".join(lines))
    source = Csv(path=str(tmp_path / "flowers.csv"))
    prepared = prepare(source.load(quiet), DataSettings(source=source))
    checked = chain((Dense(units=16, activation="relu"), Dense(units=2)), prepared.signature.fields)
    trainer = Trainer(checked, prepared, TrainSettings(epochs=60), Device("cpu"))
    trainer.run()
    assert trainer.evaluate("test")["accuracy"] > 0.9
    found = Predictor(trainer.network, prepared.preparation).predict({
        "size": ["4.5", "1,5".replace(",", "."), 4.5, ""], "colour": ["red", "red", "violet", None]})
    assert (found.label(0), found.label(1)) == ("rose", "iris") and np.isfinite(found.probabilities).all()
