"""A network drawn by mouse from nothing, trained, saved and found again; and one drawn by the keyboard alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from tests.ui.stories.conftest import LEFT


def kinds(person) -> list[str]:
    return [node.layer.kind for node in person.document.graph.nodes]


def test_drawn_by_mouse_trained_saved_and_reopened_with_the_same_numbers(make_person, tmp_path: Path, monkeypatch):
    person = make_person()
    window, document = person.window, person.document
    QTest.mouseClick(window.start.empty, LEFT)
    assert not window.on_start_page and not document.graph.nodes
    person.rest(0.05)

    # Draw: two layers by double click, which follow each other, two by dragging; the loose ends are wired by hand.
    window.canvas.set_zoom(0.8)
    person.double_click_in_palette("input.v1")
    person.double_click_in_palette("dense.v1")
    assert kinds(person) == ["input.v1", "dense.v1"] and len(document.graph.edges) == 1
    person.drop_layer("dense.v1", (500, 400))
    person.drop_layer("output.v1", (100, 400))
    assert kinds(person)[2:] == ["dense.v1", "output.v1"] and len(document.graph.edges) == 1
    window.canvas.fit()
    person.wire("n2", "n3")
    person.wire("n3", "n4")
    assert {(e.source, e.target) for e in document.graph.edges} == {("n1", "n2"), ("n2", "n3"), ("n3", "n4")}
    assert not window.control.train.isEnabled()

    # Data; the last layer needs as many units as there are classes: the problem's repair sets them.
    person.choose_data("moons.v1")
    problems = [p for p in document.checked.problems if p.severity == "error"]
    assert problems and problems[0].repairs
    document.edit_graph(problems[0].repairs[0].text, problems[0].repairs[0].apply)
    assert window.control.train.isEnabled(), person.runner.why_not()

    # Train: curves and answers arrive.
    document.edit_training("more", epochs=20)
    predictions = window.docks.show("predictions").build()
    loss = window.docks.show("loss").build()
    QTest.mouseClick(window.bar.train, LEFT)
    person.wait(lambda: person.runner.state == "finished")
    person.wait(lambda: loss.val_curve.getData()[0] is not None and len(loss.val_curve.getData()[0]) == 20)
    assert np.isfinite(loss.val_curve.getData()[1]).all()
    person.wait(lambda: predictions.page is not None and predictions.page.showing)
    wanted = person.predictions()

    # Undo everything, redo everything.
    drawn, stack = document.design, document.undo_stack
    while stack.canUndo():
        stack.undo()
    assert not document.graph.nodes and document.design.data.source is None
    while stack.canRedo():
        stack.redo()
    assert document.design == drawn
    person.wait(lambda: document.data_state == "ready")

    # Save under a name, reopen in another window: the same numbers, to the bit.
    path = tmp_path / "by hand.nnd"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(path), ""))
    person.key(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    person.wait(path.is_file)
    assert not window.isWindowModified() and "by hand" in window.windowTitle()
    other = make_person()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args: (str(path), ""))
    QTest.mouseClick(other.window.start.open, LEFT)
    other.wait(lambda: other.runner.trained)
    assert other.document.design == document.design
    assert np.array_equal(other.predictions(), wanted)
    for name, (x, y) in person.runner.telemetry.curves.items():
        np.testing.assert_array_equal(other.runner.telemetry.curves[name], (x, y), err_msg=name)


def test_drawn_and_trained_by_the_keyboard_alone(person):
    window, document = person.window, person.document
    control = Qt.KeyboardModifier.ControlModifier
    person.wait(window.isActiveWindow)
    person.key(Qt.Key.Key_K, control)
    person.type("guide")
    assert window._commands.search.text() == "guide"
    person.key(Qt.Key.Key_Escape)
    window.activateWindow()  # off the screen no window manager gives the keyboard back
    person.wait(window.isActiveWindow)
    window.show_canvas()
    window.canvas.setFocus()
    for name in ("input", "dense", "relu", "dense", "output"):
        person.key(Qt.Key.Key_Space)
        assert window.canvas.menu.isVisible()
        person.type(name)
        person.key(Qt.Key.Key_Return)
    assert kinds(person) == ["input.v1", "dense.v1", "relu.v1", "dense.v1", "output.v1"]
    assert len(document.graph.edges) == 4
    # Walk back to the last dense layer along the wires and set its units where the inspector is.
    person.key(Qt.Key.Key_Left, control)
    assert document.selection == ("n4",)
    panel = window.docks.show("data")
    card = panel._sources.cards["circles.v1"]
    card.setFocus()
    QTest.keyClick(card, Qt.Key.Key_Return)
    person.wait(lambda: document.data_state == "ready")
    field = window.inspector.form.editors["units"].field
    window.docks.show("inspector")
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "2")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert not person.runner.why_not()
    document.edit_training("fewer", epochs=3)
    window.canvas.setFocus()
    person.key(Qt.Key.Key_F5)
    person.wait(lambda: person.runner.state == "finished")


def test_undo_of_adding_the_selected_layer(person):
    person.window.show_canvas()
    for kind in ("input.v1", "dense.v1"):
        person.window.add_layer(kind)
    person.document.select(["n1", "n2"])
    seen = []
    person.document.changed.connect(lambda *_: seen.append(person.document.selection))
    person.document.undo_stack.undo()
    assert seen == [("n1",)]
    person.document.undo_stack.undo()
    assert person.document.selection == ()


def test_layers_of_several_kinds_are_selected_together(person):
    person.open_example("digits_convolution")
    form = person.window.inspector.form
    person.window.canvas.commands["select_all"].trigger()
    assert len(person.document.selection) == len(person.document.graph.nodes)
    assert not form.isVisibleTo(person.window.inspector)
    person.document.select([n.id for n in person.document.graph.nodes if n.layer.kind == "conv2d.v1"])
    assert form.isVisibleTo(person.window.inspector) and "filters" in form.editors


def test_opening_shows_no_window_but_the_one(person, qapp):
    shown = []

    class Watch(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Show and isinstance(watched, QWindow):
                shown.append(watched)
            return False

    watch = Watch()
    qapp.installEventFilter(watch)
    person.open_example("iris_table", epochs=3)
    for name in person.window.docks.by_name:
        person.window.docks.show(name)
        person.rest(0.03)
    person.train()
    qapp.removeEventFilter(watch)
    assert not shown
