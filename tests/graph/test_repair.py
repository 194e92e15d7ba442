"""The law of repairs: each is a pure edit that leaves a sound drawing and takes its problem away."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from nndesigner.engine.losses import BinaryCrossEntropy
from nndesigner.graph import edit
from nndesigner.graph.check import Checked, Problem, check
from nndesigner.graph.model import NODE_H, NODE_W, Graph
from nndesigner.layers.activation import ReLU
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.gated import GRU, LSTM
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Add, Concatenate
from nndesigner.layers.pool import MaxPool2D
from nndesigner.layers.reshape import Flatten
from nndesigner.spec import Signature
from tests.graph.drawings import (
    CLASSES,
    FEATURES,
    IMAGE,
    MORE,
    NUMBER,
    SERIES,
    TEXT,
    YES_NO,
    assert_sound,
    broken_graphs,
    data,
    drawing,
    graphs,
    signatures,
)
from tests.graph.test_check import WRONG

#: problems that only the user can solve, or no edit of the drawing can
NO_CURE = {"flat to picture", "too few steps"}

MORE_WRONG = [
    ("flatten missing", [Input(), Conv2D(), Dense(units=3), Output()], "", data(IMAGE, CLASSES)),
    ("picture from a row", [Input(), Conv2D(), Flatten(), Dense(units=3), Output()], "", data(FEATURES, CLASSES)),
    ("large pool", [Input(), MaxPool2D(kernel=(9, 9)), Flatten(), Dense(units=3), Output()], "", data(IMAGE, CLASSES)),
    ("relu between", [Input(), Dense(units=10), ReLU(), Output()], "", data(FEATURES, CLASSES)),
    ("maker feeds two", [Input(), Dense(units=10), Output(), Output()], "1>2 2>3 2>4", data(FEATURES, CLASSES)),
    ("row to picture", [Input(), Flatten(), Dense(units=9), Output(task="reconstruction")], "", data(IMAGE)),
    ("reshape missing", [Input(), Flatten(), Output(task="reconstruction")], "", data(IMAGE)),
    ("filters wrong", [Input(), Conv2D(filters=9), Output(task="reconstruction")], "", data(IMAGE)),
    ("add pictures", [Input(), Conv2D(filters=9), Conv2D(filters=4), Add(), Flatten(), Dense(units=3), Output()],
     "1>2 1>3 2>4 3>4 4>5 5>6 6>7", data(IMAGE, CLASSES)),
    ("add rows", [Input(), Input(), Add(), Dense(units=3), Output()], "1>3 2>3 3>4 4>5", data(FEATURES, MORE, CLASSES)),
    ("join picture and rows", [Input(), Input(), Input(), Concatenate(), Dense(units=3), Output()],
     "1>4 2>4 3>4 4>5 5>6", data(FEATURES, IMAGE, MORE, CLASSES)),
    ("binary", [Input(), Conv2D(), Output(loss=BinaryCrossEntropy())], "", data(IMAGE, YES_NO)),
    ("one number", [Input(), Conv2D(), Output()], "", data(IMAGE, NUMBER)),
    ("nothing", [], "", data(FEATURES, CLASSES)),
    ("series of scores", [Input(), Dense(units=3), Output()], "", data(SERIES, CLASSES)),
    ("series of features", [Input(), Dense(units=8), Output()], "", data(SERIES, CLASSES)),
    ("features to text", [Input(), Dense(units=8), Output()], "", data(FEATURES, TEXT)),
    ("states to text", [Input(), GRU(units=8, output="sequence"), Output()], "", data(SERIES, TEXT)),
    ("states of all steps", [Input(), GRU(units=8, output="sequence"), Output()], "", data(SERIES, CLASSES)),
]
TABLE = [(w[0], *w[1:4]) for w in WRONG] + MORE_WRONG


def same(problem: Problem, checked: Checked) -> int:
    """How often a result holds this problem."""
    return sum((p.node, p.text, p.edge) == (problem.node, problem.text, problem.edge) for p in checked.problems)


def assert_law(graph: Graph, signature: Signature) -> int:
    """Each repair of each problem: pure, sound where the drawing was, and the problem is gone. Returns their number."""
    before = json.dumps(graph.to_json())
    checked = check(graph, signature)
    count = 0
    for problem in checked.problems:
        texts = [r.text for r in problem.repairs]
        assert len(set(texts)) == len(texts), f"two repairs with one text: {texts}"
        for repair in problem.repairs:
            mended = repair.apply(graph)
            assert repair.text[0].isupper() and not repair.text.endswith(".")
            assert mended != graph and json.dumps(graph.to_json()) == before
            assert mended == repair.apply(graph), "not a function"
            after = check(mended, signature, checked)
            assert same(problem, after) < same(problem, checked), f"{repair.text} does not cure: {problem.text}"
            count += 1
    return count


@pytest.mark.parametrize(("name", "layers", "wires", "signature"), TABLE, ids=[case[0] for case in TABLE])
def test_every_repair_takes_its_problem_away(name: str, layers, wires: str, signature: Signature):
    count = assert_law(drawing(layers, wires), signature)
    assert bool(count) == (name not in NO_CURE)


@pytest.mark.parametrize(("name", "layers", "wires", "signature"), TABLE, ids=[case[0] for case in TABLE])
def test_taking_the_first_repair_again_and_again_ends_in_a_network_that_trains(name, layers, wires, signature):
    graph = drawing(layers, wires)
    for _ in range(12):
        checked = check(graph, signature)
        cures = [p.repairs[0] for p in checked.problems if p.repairs]
        if not cures:
            break
        graph = cures[0].apply(graph)
    if name not in NO_CURE:
        assert check(graph, signature).trainable, [p.text for p in check(graph, signature).problems]


@settings(max_examples=150, deadline=None)
@given(graphs(), signatures())
def test_the_law_holds_for_random_drawings(graph: Graph, signature: Signature):
    assert_law(graph, signature)
    for problem in check(graph, signature).problems:
        for repair in problem.repairs:
            assert_sound(repair.apply(graph))


@settings(max_examples=100, deadline=None)
@given(broken_graphs(), signatures())
def test_the_law_holds_for_whatever_a_file_may_hold(graph: Graph, signature: Signature):
    assert_law(graph, signature)


def test_the_best_repairs_come_first():
    def proposed(layers, wires, signature) -> list[str]:
        return [r.text for r in check(drawing(layers, wires), signature).problems[0].repairs]

    assert proposed([Input(), Dense(units=10), Output()], "", data(FEATURES, CLASSES)) == [
        "Set the units of Dense to 3", "Insert Dense (3 units) before Output"]
    assert proposed([Input(), Conv2D(), Dense(units=3), Output()], "", data(IMAGE, CLASSES)) == [
        "Insert Flatten before Dense"]
    assert proposed([Input(), Flatten(), Output(task="reconstruction")], "", data(IMAGE))[0] == (
        "Insert Reshape (8 × 8 × 1) before Output")
    assert proposed([Input(), Input(), Concatenate(), Dense(units=3), Output()], "1>3 2>3 3>4 4>5",
                    data(IMAGE, FEATURES, CLASSES))[0] == "Insert Flatten between Input and Concatenate"
    unwired = check(drawing([Input(), Dense(units=3), Output()], "2>3"), data(FEATURES, CLASSES))
    assert [[r.text for r in p.repairs] for p in unwired.problems if p.node == "n2"] == [
        ["Connect Input to Dense", "Remove Dense"]]


@pytest.mark.parametrize("layers, texts", [
    ([Dense(units=3)], ["Insert GlobalAvgPool1D before Output",
                        "Insert GRU (32 units) and Dense (3 units) before Output"]),
    ([GRU(units=8, output="sequence", bidirectional=True)],
     ["Insert GlobalAvgPool1D and Dense (3 units) before Output",
      "Set the output of GRU to last and insert Dense (3 units) before Output",
      "Insert GRU (32 units) and Dense (3 units) before Output"]),
    ([LSTM(units=8, output="sequence"), Dense(units=3)],
     ["Insert GlobalAvgPool1D before Output", "Set the output of LSTM to last",
      "Insert GRU (32 units) and Dense (3 units) before Output"])])
def test_a_series_is_offered_a_read_out(layers, texts):
    checked = check(drawing([Input(), *layers, Output()], ""), data(SERIES, CLASSES))
    (problem,) = checked.problems
    assert "a series needs a read-out, so insert GlobalAvgPool1D" in problem.text
    assert [repair.text for repair in problem.repairs] == texts
    for repair in problem.repairs:
        assert check(repair.apply(checked.graph), checked.signature).trainable


def test_an_inserted_layer_finds_room():
    graph = drawing([Input(), Conv2D(), Dense(units=3), Output()])
    graph = check(graph, data(IMAGE, CLASSES)).problems[0].repairs[0].apply(graph)
    nodes = sorted(graph.nodes, key=lambda n: n.x)
    assert [n.layer.kind for n in nodes] == ["input.v1", "conv2d.v1", "flatten.v1", "dense.v1", "output.v1"]
    assert all(b.x - a.x >= NODE_W and abs(a.y - b.y) < NODE_H for a, b in zip(nodes, nodes[1:]))


def test_a_repair_made_before_an_edit_still_applies_after_it():
    """The problems list may be a moment older than the drawing."""
    graph = drawing([Input(), Dense(units=10), Output()])
    repair = check(graph, data(FEATURES, CLASSES)).problems[0].repairs[0]
    later = edit.rename(graph, "n1", "data")
    assert check(repair.apply(later), data(FEATURES, CLASSES)).trainable
    with pytest.raises(edit.EditError):
        repair.apply(edit.remove_nodes(later, ["n2"]))
