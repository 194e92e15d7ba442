"""What `check` finds: shapes, costs, heads and problems, from nothing and after an edit."""

from __future__ import annotations

import time
from typing import ClassVar

import pytest
from hypothesis import given, settings

from nndesigner.engine.losses import BinaryCrossEntropy, CrossEntropy, MeanSquaredError
from nndesigner.graph import edit
from nndesigner.graph.check import check
from nndesigner.graph.model import Edge, Graph
from nndesigner.layers import Layer
from nndesigner.layers.activation import ReLU
from nndesigner.layers.conv import Conv1D, Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.gated import GRU
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Add, Concatenate
from nndesigner.layers.reshape import Flatten, Reshape
from nndesigner.layers.squash import Sigmoid, Softmax
from nndesigner.spec import DataField, Shape, Signature
from tests.graph.drawings import (
    CLASSES,
    FEATURES,
    IMAGE,
    MORE,
    NUMBER,
    SERIES,
    TEXT,
    YES_NO,
    broken_graphs,
    data,
    drawing,
    perform,
    random_edits,
    signatures,
    texts,
    unknown,
    words,
)

TABLE = data(FEATURES, CLASSES)


# --- what is right ---


def test_a_whole_network():
    graph = drawing([Input(), Dense(units=8, activation="relu"), Dense(units=3), Output()])
    checked = check(graph, TABLE)
    assert checked.trainable and not checked.problems
    assert checked.order == ("n1", "n2", "n3", "n4")
    assert {i: s.lettered for i, s in checked.shapes.items()} == {"n1": "4 F", "n2": "8 F", "n3": "3 F", "n4": "3 F"}
    assert dict(checked.parameters) == {"n1": 0, "n2": 40, "n3": 27, "n4": 0}
    assert dict(checked.multiply_adds) == {"n1": 0, "n2": 32, "n3": 24, "n4": 0}
    assert dict(checked.inputs) == {"n1": "features"}
    head = checked.heads["n4"]
    assert (head.task, head.target, head.classes, head.loss) == ("classification", "target", ("a", "b", "c"), None)


def test_the_valid_part_of_half_a_drawing_keeps_its_shapes():
    graph = drawing([Input(), Conv2D(filters=4, padding="same"), Dense(units=3), Output()], "1>2 2>3 3>4")
    checked = check(graph, data(IMAGE, CLASSES))
    assert checked.order == ("n1", "n2")
    assert checked.shapes["n2"].lettered == "8 H × 8 W × 4 C"
    assert texts(checked) == ["Dense needs F or T × F, got 8 H × 8 W × 4 C: put a Flatten before it."]


def test_without_data_typed_shapes_are_used_and_one_thing_is_missing():
    graph = drawing([Input(shape=(8, 8, 1)), Flatten(), Dense(units=10), Output()])
    checked = check(graph, Signature())
    assert checked.shapes["n3"].dims == (10,)
    assert texts(checked) == ["Choose data to train on."]
    assert not checked.heads and not checked.trainable
    stated = check(edit.set_params(graph, "n4", task="regression"), Signature())
    assert stated.heads["n4"].task == "regression" and not stated.trainable


def test_an_empty_drawing_says_what_to_do_first():
    assert texts(check(Graph(), TABLE)) == ["The drawing is empty: drag an Input onto it, then layers."]


@pytest.mark.parametrize(("signature", "last", "task", "target"), [
    (TABLE, Dense(units=3), "classification", "target"),
    (data(FEATURES, NUMBER), Dense(units=1), "regression", "target"),
    (data(FEATURES), Dense(units=4), "reconstruction", "features"),
    (data(FEATURES, MORE), Dense(units=3), "reconstruction", "more"),
])
def test_the_task_follows_the_target(signature: Signature, last: Layer, task: str, target: str):
    checked = check(drawing([Input(), last, Output()]), signature)
    assert checked.trainable, texts(checked)
    assert (checked.heads["n3"].task, checked.heads["n3"].target) == (task, target)


def test_an_autoencoder_of_labelled_pictures():
    layers = [Input(), Flatten(), Dense(units=64), Reshape(shape=(8, 8, 1)), Output(task="reconstruction")]
    checked = check(drawing(layers), data(IMAGE, CLASSES))
    assert checked.trainable
    assert (checked.heads["n5"].target, checked.heads["n5"].classes) == ("image", ())


def test_inputs_take_the_fields_in_turn():
    graph = drawing([Input(), Input(field="features"), Concatenate(), Dense(units=3), Output()], "1>3 2>3 3>4 4>5")
    checked = check(graph, data(FEATURES, MORE, CLASSES))
    assert checked.inputs == {"n1": "features", "n2": "features"}
    graph = edit.set_params(graph, "n2", field="")
    assert check(graph, data(FEATURES, MORE, CLASSES)).inputs == {"n1": "features", "n2": "more"}


def test_two_outputs_share_the_only_target_and_part_two():
    graph = drawing([Input(), Dense(units=3), Dense(units=3), Output(), Output()], "1>2 1>3 2>4 3>5")
    heads = check(graph, TABLE).heads
    assert [h.target for h in heads.values()] == ["target", "target"]
    second = type(CLASSES)("second", "target", Shape("F", (3,)), "class", ("x", "y", "z"))
    assert [h.target for h in check(graph, data(FEATURES, CLASSES, second)).heads.values()] == ["target", "second"]


def test_a_binary_loss_wants_one_score_for_two_classes():
    graph = drawing([Input(), Dense(units=2), Output(loss=BinaryCrossEntropy())])
    checked = check(graph, data(FEATURES, YES_NO))
    assert texts(checked) == ["Output needs 1 score for 2 classes, got 2 F: set the units of Dense to 1."]
    assert check(checked.problems[0].repairs[0].apply(graph), data(FEATURES, YES_NO)).trainable


# --- what is wrong: the sentences ---

WRONG = [
    ("scores", [Input(), Dense(units=10), Output()], "", TABLE,
     "Output needs 3 scores, one for each class, got 10 F: set the units of Dense to 3."),
    ("values", [Input(), Dense(units=10), Output()], "", data(FEATURES, NUMBER),
     "Output needs 1 value to predict 'target', got 10 F: set the units of Dense to 1."),
    ("picture to scores", [Input(), Conv2D(filters=4), Output()], "", data(IMAGE, CLASSES),
     "Output needs 3 scores, one for each class, got 8 H × 8 W × 4 C: insert GlobalAvgPool2D and Dense (3 "
     "units) before Output."),
    ("softmax twice", [Input(), Dense(units=3), Softmax(), Output()], "", TABLE,
     "Output applies softmax itself, so with Softmax before it learning slows down: remove Softmax."),
    ("relu at the end", [Input(), Dense(units=3, activation="relu"), Output()], "", TABLE,
     "Output needs scores of either sign, but the relu of Dense before it cuts off all below zero: set the activation "
     "of Dense to none."),
    ("ReLU layer at the end", [Input(), Dense(units=1), ReLU(), Output()], "", data(FEATURES, NUMBER),
     "Output needs values of either sign, but ReLU before it cuts off all below zero: remove ReLU."),
    ("sigmoid inside", [Input(), Dense(units=3, activation="sigmoid"), Output()], "", TABLE,
     "Output applies softmax itself, so with the sigmoid of Dense before it learning slows down: set the activation of "
     "Dense to none."),
    ("tokens", [Input(), GRU(output="sequence"), Dense(units=3), Output()], "", data(SERIES, TEXT),
     "Output needs at least 2 T × 5 F, at each step a score for each of the 5 tokens, got 6 T × 3 F: set the units of "
     "Dense to 5."),
    ("picture to text", [Input(), Conv2D(filters=4), Output()], "", data(IMAGE, TEXT),
     "Output needs at least 2 T × 5 F, at each step a score for each of the 5 tokens, got 8 H × 8 W × 4 C: insert "
     "Permute, Reshape (8 × -1) and Dense (5 units) before Output."),
    ("too few steps", [Input(), Conv1D(kernel=6, padding="valid"), Dense(units=5), Output()], "", data(SERIES, TEXT),
     "Output needs at least 2 T × 5 F, at each step a score for each of the 5 tokens, got 1 T × 5 F: let the layers "
     "before it keep more steps, with fewer strides and smaller pools."),
    ("another task", [Input(), Dense(units=5), Output(task="classification")], "", data(SERIES, TEXT),
     "Output is set to classification, but its target 'target' holds texts: set its task to transcription."),
    ("a loss for classes", [Input(), Dense(units=5), Output(loss=CrossEntropy())], "", data(SERIES, TEXT),
     "Output does transcription, but its loss Cross-entropy is for classification: choose another loss, or none to "
     "have it chosen."),
    ("softmax before CTC", [Input(), Dense(units=5), Softmax(), Output()], "", data(SERIES, TEXT),
     "Output applies softmax itself, so with Softmax before it learning slows down: remove Softmax."),
    ("no wire", [Input(), Dense(units=3), Output()], "2>3", TABLE,
     "Dense has no input: draw a wire to it from an earlier layer."),
    ("one branch", [Input(), Add(), Dense(units=3), Output()], "1>2 2>3 3>4", TABLE,
     "Add needs two or more wires, got 1: draw another, or remove it."),
    ("circle", [Input(), Add(), Dense(units=3), Output()], "1>2 3>2 2>3 3>4", TABLE,
     "These wires form a circle (Add → Dense → Add), so no layer can begin: remove one of them."),
    ("unknown layer", [Input(), unknown(), Dense(units=3), Output()], "", TABLE,
     "This version does not know the layer 'wavelet.v7': update nndesigner, or remove it."),
    ("dead end", [Input(), Dense(units=3), Output(), ReLU()], "1>2 2>3 1>4", TABLE,
     "ReLU leads to no Output, so it has no effect: draw a wire from it, or remove it."),
    ("no Input", [Dense(units=3), Output()], "", TABLE,
     "The drawing has no Input: add one, so that data can enter."),
    ("no Output", [Input(), Dense(units=3)], "", TABLE,
     "The drawing has no Output: add one behind the last layer, so that there is something to learn."),
    ("two wires", [Input(), Input(field="features"), Dense(units=3), Output()], "1>3 2>3 3>4", TABLE,
     "Dense takes one wire, got 2: keep one of them."),
    ("unknown field", [Input(field="pixels"), Dense(units=3), Output()], "", TABLE,
     "Input wants the field 'pixels', but the inputs of the data are 'features': choose one of them."),
    ("no field left", [Input(), Input(), Add(), Dense(units=3), Output()], "1>3 2>3 3>4 4>5", TABLE,
     "Input finds no field left, because other inputs read 'features' already: choose a field, or remove it."),
    ("unknown target", [Input(), Dense(units=3), Output(target="truth")], "", TABLE,
     "Output compares with the field 'truth', but the data have 'features', 'target': choose one of them."),
    ("wrong task", [Input(), Dense(units=3), Output(task="regression")], "", TABLE,
     "Output is set to regression, but its target 'target' holds classes: set its task to classification."),
    ("no target", [Input(), Dense(units=3), Output(task="classification")], "", data(FEATURES),
     "Output is set to classification, but the data have no target: choose a target column in the data, or let it "
     "repeat its input."),
    ("wrong loss", [Input(), Dense(units=3), Output(loss=MeanSquaredError())], "", TABLE,
     "Output does classification, but its loss Mean squared error is for regression and reconstruction: choose another "
     "loss, or none to have it chosen."),
    ("binary loss", [Input(), Dense(units=3), Output(loss=BinaryCrossEntropy())], "", TABLE,
     "Binary cross-entropy needs a target of two classes, got 3 classes: choose cross-entropy."),
    ("flat to picture", [Input(), Conv2D(), Flatten(), Dense(units=3), Output()], "", data(MORE, CLASSES),
     "Conv2D needs H × W × C, got 3 F: connect another input, or put a Reshape before it."),
    ("large window", [Input(), Conv2D(kernel=(9, 9), padding="valid"), Flatten(), Dense(units=3), Output()], "",
     data(IMAGE, CLASSES),
     "Conv2D needs at least 9 H for its window, got 8 H × 8 W × 1 C: choose a smaller window or padding same."),
    ("unlike branches", [Input(), Dense(units=5), Add(), Dense(units=3), Output()], "1>2 1>3 2>3 3>4 4>5", TABLE,
     "Add needs inputs of one shape"),
    ("picture and row", [Input(), Input(), Concatenate(), Dense(units=3), Output()], "1>3 2>3 3>4 4>5",
     data(IMAGE, FEATURES, CLASSES),
     "Concatenate needs inputs that agree in all but"),
]


@pytest.mark.parametrize(
    ("layers", "wires", "signature", "sentence"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_problem_is_a_sentence_that_says_what_to_do(layers, wires: str, signature: Signature, sentence: str):
    """Sentences that a layer's rule makes are only begun here."""
    assert any(text.startswith(sentence) for text in texts(check(drawing(layers, wires), signature)))


@pytest.mark.parametrize("steps", [2, 3, 50])
def test_a_text_may_come_at_any_time(steps: int):
    series = DataField("series", "input", Shape("TF", (steps, 4)))
    checked = check(drawing([Input(), Dense(units=5), Output()]), data(series, TEXT))
    assert checked.trainable and not checked.problems
    assert (checked.heads["n3"].task, checked.heads["n3"].classes) == ("transcription", TEXT.classes)


def test_warnings_do_not_stop_training():
    checked = check(drawing([Input(), Dense(units=3), Softmax(), Output()]), TABLE)
    assert [p.severity for p in checked.problems] == ["warning"] and checked.trainable
    # for other losses a sigmoid is in its place
    assert not check(drawing([Input(), Dense(units=1), Sigmoid(), Output()]), data(FEATURES, NUMBER)).problems


def test_losses_that_fit_are_accepted():
    graph = drawing([Input(), Dense(units=3), Output(loss=CrossEntropy(label_smoothing=0.1), weight=2.0)])
    head = check(graph, TABLE).heads["n3"]
    assert head.loss == CrossEntropy(label_smoothing=0.1) and head.weight == 2.0


def test_a_named_node_is_called_by_its_name():
    graph = edit.rename(drawing([Input(), Dense(units=10), Output()]), "n2", "Scores")
    assert texts(check(graph, TABLE)) == [
        "Output needs 3 scores, one for each class, got 10 F: set the units of Scores to 3."]


class _Faulty(Layer):
    """Its rule has a fault."""

    title = "Faulty"

    def output_shape(self, *inputs: Shape) -> Shape:
        raise RuntimeError("oops")


def test_a_fault_in_a_layers_rule_is_a_problem_of_its_node():
    checked = check(drawing([Input(), _Faulty(), Dense(units=3), Output()]), TABLE)
    assert texts(checked) == ["Faulty cannot work with 4 F: its rule fails with RuntimeError: oops."]


# --- laws ---


@settings(max_examples=150, deadline=None)
@given(broken_graphs(), signatures())
def test_check_never_raises(graph: Graph, signature: Signature):
    checked = check(graph, signature)
    place = {node: k for k, node in enumerate(checked.order)}
    assert place.keys() == checked.shapes.keys() == checked.parameters.keys() == checked.multiply_adds.keys()
    for node in checked.order:
        layer = graph.node(node).layer
        assert all(place[e.source] < place[node] for e in graph.incoming[node]), layer
    for problem in checked.problems:
        assert problem.node is None or problem.node in graph.by_id
        assert problem.text[0].isupper() and problem.text.endswith(".") and len(problem.repairs) <= 3
    if checked.trainable:
        assert checked.heads.keys() <= checked.shapes.keys()


@settings(max_examples=200, deadline=None)
@given(random_edits(), signatures())
def test_checking_after_each_edit_says_the_same_as_checking_anew(steps, signature: Signature):
    graph, checked = Graph(), check(Graph(), signature)
    history = [graph]
    for step in steps:
        try:
            graph = perform(graph, *step)
        except edit.EditError:  # go back to an earlier drawing instead, as undo does
            graph = history[step[1] % len(history)]
        history.append(graph)
        checked = check(graph, signature, checked)
        fresh = check(Graph(graph.nodes, graph.edges, graph.next_id), signature)
        assert words(checked) == words(fresh)


@settings(deadline=None)
@given(broken_graphs(), broken_graphs(), signatures(), signatures())
def test_a_result_for_quite_another_drawing_does_no_harm(first, second, signature, other):
    assert words(check(second, other, check(first, signature))) == words(check(second, other))


# --- cost ---


def _large(count: int = 1000) -> Graph:
    """A chain with shortcuts."""
    kinds = [Dense(), ReLU(), Dense(units=32, activation="relu"), Add()]
    layers = [Input(), Dense(), *(kinds[k % 4] for k in range(count - 3)), Output()]
    graph = drawing(layers)
    edges = [*graph.edges]
    for k, layer in enumerate(layers, 1):
        if isinstance(layer, Add):
            edges.append(Edge(f"n{k - 2}", f"n{k}"))
    return Graph(graph.nodes, tuple(edges), graph.next_id)


class _Counting(Dense):
    """Counts how often its rule is asked."""

    asked: ClassVar[list] = []

    def output_shape(self, *inputs: Shape) -> Shape:
        self.asked.append(inputs)
        return super().output_shape(*inputs)


def test_only_what_an_edit_touches_is_worked_out_again():
    graph = drawing([Input(), *[_Counting() for _ in range(50)], Dense(units=3), Output()])
    checked = check(graph, TABLE)
    _Counting.asked.clear()
    checked = check(graph := edit.move(graph, {"n5": (7, 7)}), TABLE, checked)
    assert len(_Counting.asked) == 0
    checked = check(graph := edit.add_node(graph, _Counting(), 0, 0)[0], TABLE, checked)
    assert len(_Counting.asked) == 0
    checked = check(graph := edit.set_params(graph, "n5", activation="relu"), TABLE, checked)
    assert len(_Counting.asked) <= 2  # itself, and its follower, whose sentences may name it
    assert check(graph, TABLE, checked) is checked


@pytest.mark.parametrize("change", [
    "move", "params", "add", "connect", "disconnect", "join", "insert", "remove",
])
def test_an_edit_of_a_thousand_nodes_is_checked_within_five_milliseconds(change: str):
    graph = _large()
    checked = check(graph, TABLE)
    if change == "join":  # the wire that gives all nodes behind it their shapes again
        graph = edit.disconnect(graph, Edge("n1", "n2"))
        checked = check(graph, TABLE, checked)

    def changed(k: int) -> Graph:
        node = f"n{500 + 4 * k}"
        return {
            "move": lambda: edit.move(graph, {node: (k, k)}),
            "params": lambda: edit.set_params(graph, "n3", units=64 + k),
            "add": lambda: edit.add_node(graph, Dense(), 0, 0)[0],
            "connect": lambda: edit.connect(graph, f"n{10 + k}", "n998"),
            "disconnect": lambda: edit.disconnect(graph, graph.edges[500 + k]),
            "join": lambda: edit.connect(graph, "n1", "n2"),
            "insert": lambda: edit.insert_on_edge(graph, graph.edges[500 + k], ReLU(), 0, 0)[0],
            "remove": lambda: edit.remove_nodes(graph, [node], rejoin=True),
        }[change]()

    times = []
    for k in range(15):
        start = time.perf_counter()
        check(changed(k), TABLE, checked)
        times.append(time.perf_counter() - start)
    best = sorted(times)[3]  # others use the machine too
    print(f"{change}: {1e3 * best:.2f} ms")
    assert best < 5e-3
