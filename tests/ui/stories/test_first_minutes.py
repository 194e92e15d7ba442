"""From the start page to a trained network, and what one does with it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from nndesigner.data.source import Source
from nndesigner.graph import edit
from nndesigner.ui import theme
from nndesigner.ui.problems import ProblemRow


def curve(person, name="val_loss"):
    return person.runner.telemetry.curves[name][1].copy()


def test_an_example_opens_with_one_click_and_trains_with_one_more(person):
    window = person.window
    assert window.on_start_page
    person.wait(lambda: window.start.cards and all(card.loaded for card in window.start.cards))
    assert len(window.start.cards) >= 6
    card = next(c for c in window.start.cards if c.path.stem == "iris_table")
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    assert not window.on_start_page
    assert len(person.document.graph.nodes) >= 3
    assert person.document.path is None and not person.document.modified
    assert person.document.wait_for_data()
    person.document.edit_training("fewer", epochs=5)
    window.bar.train.click()
    person.wait(lambda: person.runner.state == "finished")
    assert len(curve(person)) == 5
    assert "finished" in window.bar.words.text()
    loss = window.docks.by_name["loss"].content.build()
    person.rest(0.3)
    assert loss.isVisible()


def test_the_arrow_of_an_example_also_trains_it(person):
    window = person.window
    person.wait(lambda: window.start.cards)
    card = next(c for c in window.start.cards if c.path.stem == "iris_table")
    QTest.mouseClick(card.start, Qt.MouseButton.LeftButton)
    person.wait(lambda: person.runner.telemetry.step > 0)
    person.runner.stop()


def test_the_same_seed_gives_the_same_curve_and_a_new_one_another(person):
    person.open_example("iris_table", epochs=4)
    person.train()
    first = curve(person)
    person.train()
    assert np.array_equal(curve(person), first)
    seed = person.document.design.training.seed
    person.window.control.new_seed.trigger()
    person.wait(lambda: person.runner.state == "finished" and person.document.design.training.seed != seed)
    assert not np.array_equal(curve(person), first)
    person.document.undo_stack.undo()
    assert person.document.design.training.seed == seed


def test_pause_step_resume_stop_and_continue(person):
    person.open_example("iris_table", epochs=100_000)
    control, runner = person.window.control, person.runner
    control.train.trigger()
    person.wait(lambda: runner.telemetry.step > 3 and runner.state == "running")
    assert control.train.text() == "Pause" and not control.step.isEnabled()
    control.train.trigger()
    person.wait(lambda: runner.state == "paused")
    at = runner.telemetry.step
    assert control.train.text() == "Resume"
    control.step.trigger()
    person.wait(lambda: runner.telemetry.step == at + 1)
    control.train.trigger()
    person.wait(lambda: runner.telemetry.step > at + 1)
    control.stop.trigger()
    person.wait(lambda: runner.state == "stopped")
    assert not control.stop.isEnabled() and control.stop.toolTip().startswith("Nothing is being trained")


def test_the_learning_rate_acts_while_it_runs(person):
    person.open_example("iris_table", epochs=100_000)
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 3)
    before = person.document.design.training.optimizer.learning_rate
    slider = person.window.training.rate.slider
    slider.setValue(slider.value() + 20)
    rate = person.document.design.training.optimizer.learning_rate
    assert rate > 5 * before
    person.wait(lambda: abs(person.runner.telemetry.learning_rate - rate) < 1e-9)
    person.runner.stop()
    person.wait(lambda: person.runner.state == "stopped")


def test_a_run_that_blows_up_names_its_layer(person):
    person.open_example("iris_table", epochs=50)
    sgd = person.document.design.training.optimizer.registry["sgd.v1"]
    person.document.edit_training("too fast", optimizer=sgd(learning_rate=1000.0))
    person.train()
    assert person.runner.state == "failed"
    failure = person.runner.telemetry.failure
    title = person.document.graph.node(failure.node).title
    panel = person.window.training
    person.window.docks.show("training")
    assert panel.failure.isVisible() and title in panel.failure._title.text()
    assert person.window.banner.isVisible() and "Show layer" in person.window.banner.answer_buttons()
    panel.failure.show_layer.click()
    assert person.document.selection == (failure.node,)


def test_disabled_buttons_say_what_is_missing(person):
    control = person.window.control
    assert not control.train.isEnabled()
    assert "Choose data" in control.train.toolTip()
    assert "Choose data" in person.window.bar.train.toolTip()
    assert "Nothing to undo" in person.window.menus.undo.toolTip()
    for action in control.actions:
        assert action.isEnabled() or action.toolTip()


def test_layers_are_found_by_typing_and_added_with_enter(person):
    person.window.show_canvas()
    palette = person.window.palette_panel
    palette.search.setFocus()
    QTest.keyClicks(palette.search, "picture")
    assert palette.tree.currentItem() is not None
    palette.search.clear()
    QTest.keyClicks(palette.search, "drop")
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert [n.layer.title for n in person.document.graph.nodes] == ["Dropout"]
    assert palette.search.text() == "drop"
    QTest.keyClicks(palette.search, "xyz")
    assert palette.tree.currentItem() is None
    QTest.keyClick(palette.search, Qt.Key.Key_Escape)
    assert palette.search.text() == ""


def test_a_parameter_is_changed_undone_and_redone_as_one_step(person):
    person.open_example("iris_table")
    node = next(n for n in person.document.graph.nodes if n.layer.kind == "dense.v1")
    units = node.layer.units
    person.document.select([node.id])
    field = person.window.inspector.form.editors["units"].field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "123")
    assert person.document.graph.node(node.id).layer.units == 123
    assert person.document.undo_stack.count() == 1
    person.window.menus.undo.trigger()
    assert person.document.graph.node(node.id).layer.units == units
    assert field.text() == str(units)
    person.window.menus.redo.trigger()
    assert field.text() == "123"
    assert "Units" in person.document.undo_stack.undoText()


def test_a_wrong_value_is_marked_at_the_field_and_changes_nothing(person):
    person.open_example("iris_table")
    node = next(n for n in person.document.graph.nodes if n.layer.kind == "dense.v1")
    person.document.select([node.id])
    row = person.window.inspector.form._rows["units"]
    row.editor.field.setFocus()
    row.editor.field.selectAll()
    QTest.keyClicks(row.editor.field, "0")
    assert person.document.graph.node(node.id).layer.units == node.layer.units
    assert "Units needs a whole number" in row._complaint.text() and row.editor.field.property("invalid")
    person.window.training.form.editors["epochs"].field.setFocus()
    QApplication.sendEvent(row.editor.field, QFocusEvent(QFocusEvent.Type.FocusOut))
    assert row.editor.field.text() == str(node.layer.units)


def test_several_layers_are_changed_together(person):
    person.open_example("two_d_classifier")
    dense = [n.id for n in person.document.graph.nodes if n.layer.kind == "dense.v1"][:3]
    person.document.select(dense)
    form = person.window.inspector.form
    form.changed.emit("activation", "tanh", None)
    assert {person.document.graph.node(i).layer.activation for i in dense} == {"tanh"}
    assert person.document.undo_stack.count() == 1


def test_problems_are_listed_and_repaired(person):
    person.open_example("iris_table")
    graph = person.document.graph
    last = [n for n in graph.nodes if n.layer.kind == "dense.v1"][-1]
    right = last.layer.units
    person.document.edit_graph("break", lambda g: edit.set_params(g, last.id, units=right + 4))
    problems = person.document.checked.problems
    assert len(problems) == 1 and problems[0].repairs
    assert person.window.docks.by_name["problems"].windowTitle() == "Problems 1"
    assert not person.window.control.train.isEnabled()
    assert problems[0].text in person.window.control.train.toolTip()
    person.window.docks.show("problems")
    person.rest(0.05)
    row = next(r for r in person.window.problems.findChildren(ProblemRow) if r.isVisible())
    QTest.keyClick(row, Qt.Key.Key_Return)
    assert person.document.selection == (problems[0].node,)
    row.findChildren(QPushButton)[0].click()
    assert not person.document.checked.problems
    assert person.window.control.train.isEnabled()


def test_commands_are_found_by_typing(person):
    person.open_example("iris_table")
    palette = person.window._commands
    person.window.menus.commands.trigger()
    QTest.keyClicks(palette.search, "add maxpool2d")
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert any(n.layer.kind == "maxpool2d.v1" for n in person.document.graph.nodes)
    person.window.commands_wanted()
    QTest.keyClicks(palette.search, "light theme")
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert theme.current() is theme.LIGHT
    person.window.choose_theme("dark")
    assert theme.current() is theme.DARK


def test_data_are_chosen_and_a_network_is_proposed(person):
    window = person.window
    data = window.docks.show("data")
    person.rest(0.05)
    data._sources.cards["moons.v1"].click()
    assert person.document.wait_for_data()
    person.rest(0.05)
    assert person.document.prepared is not None
    assert window.banner.answer_buttons() == ["Draw a network"]
    window.draw_proposal()
    assert person.runner.why_not() == ""
    person.document.undo_stack.undo()
    assert not person.document.graph.nodes
    person.document.undo_stack.undo()
    assert person.document.design.data.source is None


def test_column_roles_and_kinds_can_be_set(person):
    person.document.edit_data("iris", source=Source.registry["iris.v1"]())
    assert person.document.wait_for_data()
    data = person.window.docks.show("data")
    person.rest(0.05)
    columns = data._data._columns
    menu = columns.menu_for(0)
    next(a for a in menu.actions() if a.text() == "left out").trigger()
    assert person.document.wait_for_data()
    assert person.document.prepared.signature.inputs[0].shape.dims == (3,)
    columns.menu_for(1).actions()[1].trigger()  # a number becomes the target, the species steps back
    assert person.document.wait_for_data()
    assert person.document.prepared.signature.targets[0].kind == "real"
    assert len(person.document.prepared.signature.targets) == 1
    menu.deleteLater()


def test_the_drawing_can_be_edited_while_it_trains(person):
    person.open_example("iris_table", epochs=100_000)
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 3)
    first = person.document.graph.nodes[1]
    person.document.edit_graph("Set Units", lambda g: edit.set_params(g, first.id, units=19))
    at = person.runner.telemetry.step
    person.wait(lambda: person.runner.telemetry.step > at + 3)
    assert person.runner.state == "running" and person.runner.stale
    person.window.docks.show("training")
    assert person.window.training.stale.isVisible()
    person.document.undo_stack.undo()
    assert not person.runner.stale and not person.window.training.stale.isVisible()
    person.window.control.stop.trigger()
    person.wait(lambda: person.runner.state == "stopped")


def test_all_can_be_undone_and_redone(person):
    person.open_example("two_d_classifier")
    begin = person.document.design
    ids = [n.id for n in begin.graph.nodes]
    person.document.edit_graph("Delete", lambda g: edit.remove_nodes(g, ids[1:3], rejoin=True))
    person.document.edit_training("Set Epochs", epochs=7)
    person.document.edit_data("Use XOR", source=Source.registry["xor.v1"]())
    person.window.add_layer("dropout.v1")
    person.document.select([ids[-2]])
    person.window.inspector.title.setText("Scores")
    person.window.inspector.title.textEdited.emit("Scores")
    end, stack = person.document.design, person.document.undo_stack
    assert person.document.graph.node(ids[-2]).title == "Scores"
    while stack.canUndo():
        stack.undo()
    assert person.document.design == begin and not person.document.modified
    while stack.canRedo():
        stack.redo()
    assert person.document.design == end
    assert person.document.wait_for_data()
