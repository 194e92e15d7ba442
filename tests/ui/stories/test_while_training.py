"""What an impatient user does while a network trains: nothing breaks, nothing hangs, nothing lies."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from nndesigner.data.source import Source
from nndesigner.engine.device import CPU_STATUS, DeviceStatus
from nndesigner.engine.metrics import F1, TopK
from nndesigner.engine.optimizers import SGD
from nndesigner.graph import edit
from nndesigner.graph.templates import two_d_classifier
from nndesigner.layers import Layer
from nndesigner.resources import resource
from nndesigner.ui import theme
from tests import fake_cupy
from tests.ui.stories.conftest import LEFT

LONG = 100_000


@pytest.fixture
def training(person):
    """A window in which a network trains for a long time, with all views on show at one time or another."""
    person.open_example("two_d_classifier", epochs=LONG)
    for dock in person.window.docks.by_name.values():
        getattr(dock.content, "build", lambda: None)()
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 3)
    return person


def goes_on(person) -> bool:
    """Whether training makes steps."""
    at = person.runner.telemetry.step
    person.wait(lambda: person.runner.telemetry.step > at)
    return person.runner.state == "running"


def every_view(person, seconds: float = 0.1) -> None:
    """Look at each panel for a moment."""
    for name in person.window.docks.by_name:
        person.window.docks.show(name)
        person.rest(seconds)


def test_all_layers_are_deleted_and_brought_back(training):
    person = training
    person.window.canvas.setFocus()
    person.window.canvas.commands["select_all"].trigger()
    person.window.canvas.commands["delete"].trigger()
    assert not person.document.graph.nodes
    every_view(person)
    assert goes_on(person) and person.runner.stale
    person.document.undo_stack.undo()
    assert goes_on(person) and not person.runner.stale


def test_everything_is_undone_while_it_trains(person):
    person.window.show_canvas()
    person.choose_data("xor.v1")
    person.window.draw_proposal()
    person.document.edit_training("long", epochs=LONG)
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 3)
    stack = person.document.undo_stack
    while stack.canUndo():
        stack.undo()
        person.rest(0.05)
    every_view(person, 0.03)
    assert not person.document.graph.nodes and person.document.data_state == "none"
    assert goes_on(person)
    while stack.canRedo():
        stack.redo()
    person.wait(lambda: person.document.data_state == "ready")
    person.window.control.stop.trigger()
    person.wait(lambda: person.runner.state == "stopped")


def test_an_output_is_deleted_while_it_trains_with_two(person):
    graph = two_d_classifier()
    dense = [n.id for n in graph.nodes if n.layer.kind == "dense.v1"]
    graph, second = edit.add_node(graph, Layer.registry["output.v1"](), 900, 500)
    graph = edit.connect(graph, dense[-1], second)
    person.window.show_canvas()
    person.document.edit_graph("two outputs", lambda _: graph)
    person.choose_data("moons.v1")
    person.document.edit_training("long", epochs=LONG)
    view = person.window.docks.show("predictions").build()
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 3)
    person.wait(lambda: view.page is not None and view.page.showing)
    assert len(view.outputs.values) == 2
    person.document.edit_graph("delete", lambda g: edit.remove_nodes(g, [second]))
    view.outputs.chosen.emit()
    person.document.edit_graph("delete", lambda g: edit.remove_nodes(g, [n.id for n in g.nodes]))
    view.outputs.chosen.emit()
    every_view(person)
    assert goes_on(person)


def test_buttons_pressed_many_times_at_once(person):
    person.open_example("two_d_classifier", epochs=LONG)
    bar, control = person.window.bar, person.window.control
    for _ in range(6):
        QTest.mouseClick(bar.train, LEFT)
        control.new_seed.trigger()
        control.stop.trigger()
        control.step.trigger()
        QTest.mouseClick(bar.train, LEFT)
    for _ in range(10):
        control.new_seed.trigger()
    person.wait(lambda: person.runner.state == "running")
    assert goes_on(person)
    person.wait(lambda: sum("training" in t.name for t in threading.enumerate()) == 1)
    control.stop.trigger()
    person.wait(lambda: person.runner.state == "stopped")


def test_a_double_click_on_train_trains(person):
    person.open_example("iris_table", epochs=LONG)
    person.wait(lambda: person.runner.state == "ready")
    button = person.window.bar.train
    QTest.mouseClick(button, LEFT)
    QTest.mouseDClick(button, LEFT)
    person.wait(lambda: person.runner.state in ("running", "paused", "stopped"))
    person.rest(0.2)
    state = person.runner.state
    assert {"running": "Pause", "paused": "Resume", "stopped": "Train"}[state] in button.text()
    if state != "running":
        QTest.mouseClick(button, LEFT)
        person.wait(lambda: person.runner.state == "running")
    assert goes_on(person)


def test_other_data_are_chosen_while_it_trains(training):
    person = training
    person.document.edit_data("Use digits", source=Source.registry["digits.v1"]())
    every_view(person, 0.03)
    assert person.document.wait_for_data()
    person.rest(0.1)
    every_view(person)
    assert goes_on(person) and person.runner.stale
    person.window.control.stop.trigger()
    person.wait(lambda: person.runner.state == "stopped")
    assert not person.window.control.train.isEnabled() and person.runner.why_not()
    person.document.undo_stack.undo()
    assert person.document.wait_for_data()
    person.rest(0.1)
    assert person.window.control.train.isEnabled()


def test_another_project_is_opened_while_it_trains(training):
    person = training
    person.window.files.open(resource("examples/iris_table.nnd"))
    person.answer("Cancel")
    assert goes_on(person)
    person.window.files.open(resource("examples/iris_table.nnd"))
    person.answer("Do not save")
    assert person.document.path.name == "iris_table.nnd" and not person.runner.active
    person.wait(lambda: person.document.data_state == "ready" and person.runner.state == "ready")
    person.wait(lambda: sum("training" in t.name for t in threading.enumerate()) == 1)
    assert not person.document.undo_stack.canUndo()


@pytest.mark.parametrize("name", ["confusion", "predictions"])
def test_a_view_stays_open_while_projects_of_other_tasks_come_and_go(person, name: str):
    view = person.window.docks.show(name).build()
    for example in ("iris_table", "curve_regression", "digits_autoencoder", "two_d_classifier"):
        person.window.files.open_now(resource(f"examples/{example}.nnd"), template=True)
        person.window.docks.show(name)
        person.wait(lambda: person.document.data_state == "ready" and person.runner.state == "ready")
        if hasattr(view, "ask_anew"):
            view.ask_anew()
        person.rest(0.1)
        person.window.control.train.trigger()
        person.wait(lambda: person.runner.telemetry.step > 3)
        person.rest(0.1)
        assert view.isVisible()


def test_another_project_is_opened_while_data_are_loaded(person):
    for name in ("digits_convolution", "iris_table", "digits_dense", "two_d_classifier"):
        person.window.open_example(resource(f"examples/{name}.nnd"), train=True)
    person.wait(lambda: person.runner.telemetry.step > 0)
    assert person.runner.prepared is person.document.prepared
    assert person.document.prepared.dataset.title == person.document.design.data.source.title
    person.window.control.stop.trigger()


def test_the_theme_changes_while_it_trains(training):
    person = training
    for name in (*theme.THEMES, "dark"):
        person.window.choose_theme(name)
        every_view(person, 0.01)
    assert goes_on(person)
    assert theme.current() is theme.DARK


def test_a_device_that_is_not_there_is_told(training):
    person = training
    person.document.edit_training("Choose the device", device="cuda:0")
    assert goes_on(person)
    person.window.control.stop.trigger()
    person.wait(lambda: person.runner.state == "stopped")
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.state == "failed")
    assert person.window.banner.isVisible() and person.window.banner.words.text()
    every_view(person, 0.03)
    person.document.edit_training("Choose the device", device="cpu")
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 0)
    assert not person.window.banner.isVisible()


def test_the_device_is_changed_between_two_runs(person, monkeypatch):
    fake_cupy.install(monkeypatch)
    person.open_example("two_d_classifier", epochs=2)
    devices, button = person.window.devices, person.window.bar.device
    devices.found = (CPU_STATUS, DeviceStatus("cuda:0", "GPU 0: Stand-in", True, library="CuPy"))
    devices.changed.emit()
    answers = []
    for title in ("CPU · NumPy", "GPU 0: Stand-in · CuPy", "CPU · NumPy"):
        button.menu().aboutToShow.emit()
        next(action for action in button.menu().actions() if action.text() == title).trigger()
        person.train()
        assert person.runner.state == "finished", person.runner.telemetry.failure
        assert title.split(":")[0].split(" ·")[0] in button.text()
        every_view(person, 0.03)
        answers.append(person.predictions())
    np.testing.assert_array_equal(answers[2], answers[0])
    np.testing.assert_allclose(answers[1], answers[0], rtol=0.05, atol=0.02)


@pytest.mark.parametrize("size", [(800, 500), (300, 200), (2500, 400), (900, 2000)])
def test_the_window_becomes_small_and_large(training, size):
    person = training
    person.window.resize(*size)
    every_view(person, 0.03)
    person.window.resize(1280, 800)
    every_view(person, 0.03)
    assert goes_on(person)


def test_nan_names_the_layer_and_the_weights_stay_finite(person):
    person.open_example("digits_dense", epochs=3)
    person.document.edit_training("too fast", optimizer=SGD(learning_rate=1000.0))
    person.train()
    assert person.runner.state == "failed"
    failure = person.runner.telemetry.failure
    assert person.document.graph.node(failure.node).title in failure.text
    assert np.isfinite(person.predictions()).all()
    every_view(person, 0.03)
    assert person.runner.stale is False
    person.document.edit_training("slower", optimizer=SGD(learning_rate=0.01))
    person.train()
    assert person.runner.state == "finished"


def test_huge_and_broken_numbers_in_fields(person):
    person.open_example("iris_table", epochs=2)
    node = next(n for n in person.document.graph.nodes if n.layer.kind == "dense.v1")
    person.document.select([node.id])
    forms = {"inspector": person.window.inspector.form, "training": person.window.training.form}
    for name, form in forms.items():
        person.window.docks.show(name)
        for editor in list(form.editors.values()):
            field = getattr(editor, "field", None)
            if field is None or not hasattr(field, "selectAll"):
                continue
            for text in ("1e999", "-1", "999999999999999999999", "nan", "", "ten", "0.0000000000000000001"):
                field.setFocus()
                field.selectAll()
                QTest.keyClicks(field, text)
                QTest.keyClick(field, Qt.Key.Key_Return)
    person.rest(0.4)
    while person.document.undo_stack.canUndo():
        person.document.undo_stack.undo()
    person.document.edit_training("fewer", epochs=2)
    person.train()
    assert person.runner.state == "finished"


def test_a_layer_too_large_for_the_memory_is_told(person):
    person.open_example("iris_table", epochs=2)
    dense = [n.id for n in person.document.graph.nodes if n.layer.kind == "dense.v1"]
    person.document.edit_graph("huge", lambda g: edit.set_params(g, dense[0], units=1_000_000))
    person.document.edit_graph("huge", lambda g: edit.insert_on_edge(
        g, g.outgoing[dense[0]][0], Layer.registry["dense.v1"](units=1_000_000), 400, 0)[0])
    if not person.runner.why_not():
        person.window.control.train.trigger()
        person.wait(lambda: person.runner.state == "failed")
        assert "memory" in person.runner.telemetry.failure.text.lower()
    person.document.undo_stack.undo()
    person.document.undo_stack.undo()
    person.train()
    assert person.runner.state == "finished"


def test_ticked_metrics_are_drawn_and_only_fitting_ones_are_offered(person):
    person.open_example("digits_dense", epochs=2)
    person.window.docks.show("training")
    editor = person.window.training.form.editors["metrics"]
    assert editor.switches["mae_metric.v1"].isHidden() and not editor.switches["f1.v1"].isHidden()
    for kind in ("top_k.v1", "f1.v1"):
        editor.switches[kind].click()
    editor.forms["top_k.v1"].entered.emit()
    editor.forms["top_k.v1"].changed.emit("k", 2, None)
    assert person.document.design.training.metrics == (TopK(k=2), F1())
    person.train()
    shown = {name for part, name in person.runner.telemetry.metrics if part == "val"}
    assert shown == {"loss", "top_k", "f1"}
    person.document.undo_stack.undo()
    assert person.document.design.training.metrics == (TopK(), F1())
