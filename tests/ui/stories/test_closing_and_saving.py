"""Saving and leaving at awkward moments."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

from nndesigner.data.source import Source
from nndesigner.graph import edit
from nndesigner.project import file as project_file
from nndesigner.resources import resource

LONG = 100_000


def train_on(person) -> None:
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 3)


def gone(person) -> bool:
    return not person.window.isVisible() and not any("training" in t.name for t in threading.enumerate())


def test_saving_while_it_trains_keeps_a_state_that_goes_on(make_person, tmp_path: Path):
    person = make_person()
    person.open_example("two_d_classifier", epochs=LONG)
    train_on(person)
    path = tmp_path / "running.nnd"
    assert person.window.files._write(path)
    at = person.runner.telemetry.step
    person.wait(lambda: person.runner.telemetry.step > at)
    assert person.runner.state == "running" and person.window.files.unsaved
    other = make_person()
    other.window.files.open(path)
    other.wait(lambda: other.runner.trained)
    assert 3 < other.runner.telemetry.step <= person.runner.telemetry.step
    other.window.control.go_on.trigger()
    other.wait(lambda: other.runner.state == "running")
    other.window.control.stop.trigger()
    other.wait(lambda: other.runner.state == "stopped")


@pytest.mark.parametrize("answer", ["Save", "Do not save"])
def test_closing_while_it_trains(person, tmp_path: Path, monkeypatch, answer: str):
    person.open_example("two_d_classifier", epochs=LONG)
    train_on(person)
    path = tmp_path / "closed.nnd"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(path), ""))
    for _ in range(3):  # an impatient user
        person.window.close()
    person.answer(answer)
    person.wait(lambda: gone(person), 10)
    assert path.is_file() == (answer == "Save")
    if path.is_file():
        assert project_file.load(path).checkpoint is not None


def test_closing_is_called_off_when_saving_is(person, monkeypatch):
    person.open_example("two_d_classifier", epochs=LONG)
    train_on(person)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: ("", ""))
    person.window.close()
    person.answer("Save")
    person.rest(0.2)
    assert person.window.isVisible() and person.runner.state == "running"


def test_closing_while_data_are_loaded(person):
    person.document.edit_data("large", source=Source.registry["shapes.v1"](samples=50_000, size=64))
    assert person.document.data_state == "loading"
    person.window.close()
    person.answer("Do not save")
    person.wait(lambda: gone(person), 10)
    assert not any(t.name == "data" for t in threading.enumerate())


def test_closing_while_the_network_is_prepared(person):
    person.open_example("digits_convolution", epochs=LONG)
    person.window.control.train.trigger()
    person.window.close()
    if person.window.files.question is not None:
        person.answer("Do not save")
    person.wait(lambda: gone(person), 10)


def test_weights_are_kept_when_the_data_are_gone(make_person, tmp_path: Path):
    person = make_person()
    table, path = tmp_path / "t.csv", tmp_path / "p.nnd"
    table.write_text("a,b,kind\n" + "".join(f"{i % 7},{i % 5},{'xy'[i % 2]}\n" for i in range(60)), encoding="utf-8")
    person.drop_files(table)
    person.wait(lambda: person.document.data_state == "ready")
    person.window.draw_proposal()
    person.document.edit_training("few", epochs=3)
    person.train()
    wanted = person.predictions()
    assert person.window.files._write(path)
    content = table.read_text(encoding="utf-8")
    table.unlink()

    other = make_person()
    other.window.files.open(path)
    other.wait(lambda: other.document.data_state == "failed")
    assert other.window.banner.isVisible() and "kept" in other.window.banner.words.text()
    other.document.edit_graph("move", lambda g: edit.move(g, {g.nodes[0].id: (-200.0, -200.0)}))
    assert other.window.files.save()

    table.write_text(content, encoding="utf-8")
    third = make_person()
    third.window.files.open(path)
    third.wait(lambda: third.runner.trained)
    assert np.array_equal(third.predictions(), wanted)
    assert third.document.graph.nodes[0].x == -200


def test_a_project_edited_since_it_was_trained_shows_the_network_that_was_trained(make_person, tmp_path: Path):
    person = make_person()
    person.open_example("iris_table", epochs=5)
    person.train()
    wanted = person.predictions()
    output = next(n.id for n in person.document.graph.nodes if n.layer.kind == "output.v1")
    person.document.edit_graph("cut off", lambda g: edit.remove_nodes(g, [output]))
    path = tmp_path / "edited.nnd"
    assert person.window.files._write(path)
    other = make_person()
    other.window.files.open(path)
    other.wait(lambda: other.runner.trained)
    assert other.runner.stale and not other.document.checked.heads
    for name in ("predictions", "confusion", "try", "metric", "loss", "inspector"):
        other.window.docks.show(name)
        other.rest(0.1)
    view = other.window.docks.show("predictions").build()
    other.wait(lambda: view.page is not None and view.page.showing)
    confusion = other.window.docks.show("confusion").build()
    other.wait(lambda: confusion.showing)
    assert np.array_equal(other.predictions(), wanted)


def test_an_example_whose_data_fail_does_not_train_later_data(person, monkeypatch):
    def fail(self, progress):
        raise RuntimeError("no disk")

    iris = Source.registry["iris.v1"]
    monkeypatch.setattr(iris, "load", fail)
    person.window.open_example(resource("examples/iris_table.nnd"), train=True)
    person.wait(lambda: person.document.data_state == "failed")
    monkeypatch.undo()
    person.document.reload_data()
    person.wait(lambda: person.document.data_state == "ready")
    person.rest(0.3)
    assert not person.runner.active and not person.runner.trained
