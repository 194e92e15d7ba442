"""The trained network on new data, by mouse and keyboard; and the same numbers on the command line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, QPointF, QUrl
from PySide6.QtTest import QTest

from nndesigner.data.text_folder import NextToken
from nndesigner.exchange.prediction import from_project
from nndesigner.exchange.writing import go_on
from nndesigner.graph.templates import propose
from nndesigner.project.file import load
from tests.ui.stories.conftest import LEFT

ROW = {"sepal length": "6.3", "sepal width": "2.5", "petal length": "5.1", "petal width": "1.9"}


def try_view(person):
    view = person.window.docks.show("try").build()
    person.wait(lambda: view.showing and view.way)
    return view


def on_command_line(*arguments: object) -> list[dict]:
    """What `nndesigner predict --json` prints."""
    command = [sys.executable, "-m", "nndesigner.cli", "predict", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_drawn_digit_gets_probabilities_that_sum_to_one(person):
    person.open_example("digits_dense", epochs=4)
    person.train()
    view = try_view(person)
    assert view.way == "draw" and not view.found
    square = view.pad.square()
    at = [QPointF(square.x() + square.width() * x, square.y() + square.height() * y)
          for x, y in ((0.5, 0.1), (0.5, 0.4), (0.5, 0.7), (0.5, 0.9))]
    person.drag(view.pad, *at)
    person.wait(lambda: view.found)
    (found,) = view.found.values()
    assert found.probabilities.shape == (1, 10) and (found.probabilities >= 0).all()
    assert abs(float(found.probabilities.sum()) - 1) < 1e-5
    assert found.label(0) in view.answer.headline.text() and "%" in view.answer.headline.text()
    QTest.mouseClick(view.clear, LEFT)
    person.wait(lambda: not view.found)


def test_a_typed_row_gets_the_numbers_of_the_command_line(person, tmp_path: Path):
    person.open_example("iris_table", epochs=20)
    person.train()
    project = tmp_path / "iris.nnd"
    assert person.window.files._write(project)
    view = try_view(person)
    assert view.way == "row"
    before = next(iter(view.found.values()), None)
    for name, text in ROW.items():
        field = view.form.fields[name]
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
    person.wait(lambda: view.found and next(iter(view.found.values())) is not before)
    person.rest(0.4)
    (found,) = view.found.values()
    (answer,) = on_command_line(project, table(tmp_path / "row.csv", [ROW]))
    said = [answer[f"p({name})"] for name in found.classes]
    assert said == [float(p) for p in found.probabilities[0]]
    assert found.label(0) in answer.values()


def test_a_dropped_table_gets_the_numbers_of_the_command_line(person, tmp_path: Path):
    person.open_example("iris_table", epochs=10)
    person.train()
    project = tmp_path / "iris.nnd"
    assert person.window.files._write(project)
    rng = np.random.default_rng(3)
    rows = [{name: f"{float(text) * rng.uniform(0.5, 1.5):.3f}" for name, text in ROW.items()} for _ in range(60)]
    path = table(tmp_path / "new.csv", rows)
    view = try_view(person)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    person.drop(view, mime, QPointF(20, 40))
    person.wait(lambda: view.table.save.isEnabled())
    assert view.way == "table" and view.table.table.model().rowCount() == 60
    view.table.write(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        ours = list(csv.DictReader(file))
    theirs = on_command_line(project, path)
    classes = [name.removeprefix("probability ") for name in ours[0] if name.startswith("probability ")]
    assert len(classes) == 3 and len(ours) == len(theirs) == 60
    for one, other in zip(ours, theirs, strict=True):
        assert [float(one[f"probability {c}"]) for c in classes] == [other[f"p({c})"] for c in classes]
        assert one["prediction"] in other.values()


def test_trying_while_it_trains_and_after_another_project(person):
    person.open_example("iris_table", epochs=100_000)
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 3)
    view = try_view(person)
    person.wait(lambda: view.found)
    view.form.fields["petal width"].setText("")
    view.form.fields["petal length"].setText("1e400")
    person.rest(0.3)
    person.window.files.when_safe(lambda: None)
    person.answer("Do not save")
    person.document.undo_stack.setClean()
    person.window.control.stop.trigger()
    person.wait(lambda: person.runner.state == "stopped")
    person.window.files.open_now(person.window.start.cards[0].path, template=True)
    person.wait(lambda: person.document.data_state == "ready")
    person.rest(0.3)
    assert not view.found


def test_a_language_model_writes_on_and_can_be_stopped(person, tmp_path: Path):
    path = tmp_path / "sea.txt"
    path.write_text("She sells sea shells by the sea shore. " * 60, encoding="utf-8")
    person.window.show_canvas()
    person.document.edit_data("Choose a text", source=NextToken(path=str(path), length=10))
    person.wait(lambda: person.document.data_state == "ready")
    person.document.edit_graph("Propose", lambda graph: propose(person.document.prepared.signature))
    person.document.edit_training("Fewer", epochs=6)
    person.train()
    view = try_view(person)
    view.tabs.setCurrentIndex([view.tabs.tabData(i) for i in range(view.tabs.count())].index("write"))
    page = view.write
    assert page.isVisible() and not view.answer.isVisible()
    page.text.setFocus()
    person.type("she sells ")
    page.temperature.setValue(0.0)
    page.length.setValue(21)
    QTest.mouseClick(page.go, LEFT)
    assert page.busy and page.text.isReadOnly()
    person.wait(lambda: not page.busy)
    assert len(page.text.toPlainText()) == 31 and page.text.toPlainText().startswith("she sells ")
    project = tmp_path / "sea.nnd"
    assert person.window.files._write(project)
    assert go_on(from_project(load(project)), "she sells ", 21, 0.0, 1) == page.text.toPlainText()[10:]
    page.length.setValue(100_000)
    QTest.mouseClick(page.go, LEFT)
    person.wait(lambda: len(page.text.toPlainText()) > 40)
    QTest.mouseClick(page.go, LEFT)
    person.rest(0.2)
    assert not page.busy and not page.text.isReadOnly() and page.go.text() == "Write on"
