"""The two models of the window, without any widget: edits and undo, background data, and a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nndesigner.data.generated import Moons
from nndesigner.data.preparing import DataSettings
from nndesigner.graph.edit import add_node, connect, move, set_params
from nndesigner.graph.model import Graph
from nndesigner.layers import Layer
from nndesigner.project.design import Design
from nndesigner.training.settings import TrainSettings
from nndesigner.ui.document import Document
from nndesigner.ui.runner import Runner


def layer(kind: str, **params: object) -> Layer:
    return Layer.from_json({"kind": kind, **params})


def chain(*layers: Layer) -> Graph:
    graph, before = Graph(), None
    for number, each in enumerate(layers):
        graph, node = add_node(graph, each, 200.0 * number, 0.0)
        if before is not None:
            graph = connect(graph, before, node)
        before = node
    return graph


@pytest.fixture
def document(qapp):
    document = Document()
    yield document
    document.close()


@pytest.fixture
def runner(document):
    runner = Runner(document)
    yield runner
    assert runner.close(), "a session thread is still alive"


def moons_design(units: int = 2, epochs: int = 20) -> Design:
    graph = chain(
        layer("input.v1"), layer("dense.v1", units=8, activation="tanh"), layer("dense.v1", units=units),
        layer("output.v1"))
    return Design(graph, DataSettings(source=Moons(samples=200, seed=1)), TrainSettings(epochs=epochs, batch_size=16))


def test_an_edit_is_one_named_step_that_undo_takes_back(document):
    seen = []
    document.changed.connect(lambda old, new: seen.append((old, new)))
    before = document.design
    assert document.edit_graph("Add Dense", lambda g: add_node(g, layer("dense.v1"), 0, 0)[0])
    after = document.design
    assert seen == [(before, after)]
    assert document.modified
    assert document.undo_stack.undoText() == "Add Dense"
    document.undo_stack.undo()
    assert document.design == before
    document.undo_stack.redo()
    assert document.design == after


def test_edits_with_one_merge_key_become_one_step_and_vanish_when_they_lead_back(document):
    document.edit_graph("Add Dense", lambda g: add_node(g, layer("dense.v1"), 0, 0)[0])
    document.undo_stack.setClean()  # Qt keeps a saved step apart
    start = document.design
    for x in (10, 20, 30):
        document.edit_graph("Move", lambda g, x=x: move(g, {"n1": (x, 0)}), merge_key="move n1")
    assert document.undo_stack.count() == 2
    document.edit_graph("Move", lambda g: move(g, {"n1": (0, 0)}), merge_key="move n1")
    assert document.design == start
    assert document.undo_stack.count() == 1


def test_an_edit_that_changes_nothing_leaves_no_step(document):
    document.edit_graph("Nothing", lambda g: g)
    assert document.undo_stack.count() == 0


def test_a_refused_edit_changes_nothing_and_says_why(document, qtbot):
    document.edit_graph("Add Dense", lambda g: add_node(g, layer("dense.v1"), 0, 0)[0])
    before = document.design
    with qtbot.waitSignal(document.edit_failed) as signal:
        assert not document.edit_graph("Units", lambda g: set_params(g, "n1", units=0))
    assert "1" in signal.args[0]
    assert document.design is before
    assert document.undo_stack.count() == 1


def test_selection_forgets_removed_nodes(document):
    document.edit_graph("Add Dense", lambda g: add_node(g, layer("dense.v1"), 0, 0)[0])
    document.select(["n1", "nobody"])
    assert document.selection == ("n1",)
    document.undo_stack.undo()
    assert document.selection == ()


def test_data_are_loaded_in_the_background_and_give_the_drawing_its_shapes(document, qtbot):
    document.open(moons_design())
    assert document.data_state == "loading"
    qtbot.waitUntil(lambda: document.data_state == "ready", timeout=20_000)
    assert document.checked.trainable, document.checked.problems
    assert document.checked.shapes["n1"].dims == (2,)
    document.edit_data("Samples", source=Moons(samples=120, seed=1))
    assert document.wait_for_data()
    assert len(document.dataset) == 120
    document.undo_stack.undo()
    assert document.wait_for_data()
    assert len(document.dataset) == 200


def test_data_that_cannot_be_read_are_a_sentence_and_leave_the_drawing(document, qtbot, tmp_path):
    from nndesigner.data.source import Source

    design = moons_design()
    missing = Source.from_json({"kind": "csv.v1", "path": str(tmp_path / "gone.csv")})
    document.open(replace(design, data=DataSettings(source=missing)))
    assert document.wait_for_data()
    assert document.data_state == "failed"
    assert "gone.csv" in document.data_error
    assert document.graph == design.graph


def ready(document, runner, qtbot, design):
    document.open(design)
    assert document.wait_for_data()
    qtbot.waitUntil(lambda: runner.state == "ready", timeout=20_000)


def test_why_not_names_what_is_missing(document, runner, qtbot):
    assert "data" in runner.why_not().lower()
    assert not runner.train()
    document.open(moons_design(units=3))
    assert document.wait_for_data()
    assert "Dense" in runner.why_not()
    document.edit_graph("Units", lambda g: set_params(g, "n3", units=2))
    assert runner.why_not() == ""


def test_a_loose_layer_is_a_warning_and_does_not_hinder_training(document, runner, qtbot):
    design = moons_design(epochs=2)
    graph, loose = add_node(design.graph, layer("dense.v1"), 0.0, 400.0)
    ready(document, runner, qtbot, design.with_graph(graph))
    assert {(p.node, p.severity) for p in document.checked.problems} == {(loose, "warning")}
    assert runner.train()
    qtbot.waitUntil(lambda: runner.state == "finished", timeout=20_000)


def test_a_large_network_is_not_made_before_it_is_trained(document, runner, qtbot, monkeypatch):
    ready(document, runner, qtbot, moons_design(epochs=2))
    monkeypatch.setattr("nndesigner.ui.runner.PREVIEW_PARAMETERS", 50)
    document.edit_graph("Units", lambda g: set_params(g, "n2", units=20))
    qtbot.waitUntil(lambda: runner.state == "none", timeout=10_000)
    assert not runner.why_not()
    assert runner.train()
    qtbot.waitUntil(lambda: runner.state == "finished", timeout=20_000)


def test_a_run_learns_repeats_to_the_bit_and_answers_questions(document, runner, qtbot):
    ready(document, runner, qtbot, moons_design())
    curves = []
    for _ in range(2):
        assert runner.train()
        qtbot.waitUntil(lambda: runner.state == "finished", timeout=60_000)
        curves.append(runner.telemetry.curves["loss"][1].copy())
    assert curves[0].tolist() == curves[1].tolist()
    assert curves[0][-20:].mean() < 0.7 * curves[0][:20].mean()
    with qtbot.waitSignal(runner.answered, timeout=10_000) as signal:
        runner.ask("epoch", lambda trainer: trainer.epoch)
    assert signal.args[0].value == 20
    saved = runner.checkpoint()
    assert saved is not None
    assert runner.train_new_seed()
    qtbot.waitUntil(lambda: runner.state == "finished", timeout=60_000)
    assert runner.telemetry.curves["loss"][1].tolist() != curves[0].tolist()
    document.undo_stack.undo()
    assert document.design.training.seed == 7


def test_pause_step_resume_stop(document, runner, qtbot):
    ready(document, runner, qtbot, moons_design(epochs=100_000))
    runner.step()
    qtbot.waitUntil(lambda: runner.state == "paused", timeout=10_000)
    assert runner.telemetry.step == 1
    runner.resume()
    qtbot.waitUntil(lambda: runner.telemetry.step > 50, timeout=10_000)
    assert runner.active
    runner.pause()
    qtbot.waitUntil(lambda: runner.state == "paused", timeout=10_000)
    runner.stop()
    qtbot.waitUntil(lambda: runner.state == "stopped", timeout=10_000)
    assert runner.trained
    assert not runner.active


def test_editing_while_training_leaves_the_run_alone_and_marks_it_stale(document, runner, qtbot):
    ready(document, runner, qtbot, moons_design(epochs=100_000))
    runner.train()
    qtbot.waitUntil(lambda: runner.telemetry.step > 5, timeout=10_000)
    session = runner.session
    document.edit_graph("Units", lambda g: set_params(g, "n2", units=4))
    assert runner.stale
    step = runner.telemetry.step
    qtbot.waitUntil(lambda: runner.telemetry.step > step + 5, timeout=10_000)
    assert runner.session is session
    document.edit_graph("Move", lambda g: move(g, {"n2": (500, 500)}))
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert not runner.stale
    runner.stop()
    qtbot.waitUntil(lambda: runner.state == "stopped", timeout=10_000)


def test_a_saved_run_is_taken_up_with_its_curves(document, runner, qtbot):
    ready(document, runner, qtbot, moons_design(epochs=5))
    runner.train()
    qtbot.waitUntil(lambda: runner.state == "finished", timeout=60_000)
    checkpoint, design, prepared = runner.checkpoint(), document.design, document.prepared
    curve = runner.telemetry.curves["loss"][1].tolist()
    runner.drop()
    assert runner.state == "none"
    runner.restore(design, prepared, checkpoint)
    qtbot.waitUntil(lambda: runner.telemetry.epoch == 5, timeout=10_000)
    assert runner.telemetry.curves["loss"][1].tolist() == curve
    assert not runner.stale
    runner.continue_training(2)
    qtbot.waitUntil(lambda: runner.telemetry.epoch == 7, timeout=10_000)
