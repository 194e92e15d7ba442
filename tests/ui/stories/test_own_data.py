"""The user's own data: good ones, odd ones, and parts without samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from nndesigner.data.preparing import DataSettings
from nndesigner.data.rows import EncodedRows
from nndesigner.data.samples import Iris
from nndesigner.data.source import Source, quiet
from nndesigner.data.stored_table import StoredColumn
from nndesigner.training.settings import TrainSettings
from tests.ui.stories.conftest import LEFT


def flowers(path: Path) -> Path:
    """Iris as a CSV file of the user's own."""
    columns = Iris().load(quiet).columns
    rows = "\n".join(",".join(map(str, row)) for row in zip(*(c.values for c in columns), strict=True))
    path.write_text(",".join(c.name for c in columns) + "\n" + rows + "\n", encoding="utf-8")
    return path


def drop(person, path: Path) -> None:
    person.drop_files(path)
    person.wait(lambda: person.document.data_state in ("ready", "failed"))
    person.rest(0.05)


def every_view(person) -> None:
    """Look at each panel for a moment: none may fail with these data."""
    for name, dock in person.window.docks.by_name.items():
        person.window.docks.show(name)
        getattr(dock.content, "build", lambda: None)()
        person.rest(0.03)


def test_a_dropped_csv_gets_a_network_that_learns_it(person, tmp_path: Path):
    assert person.window.on_start_page
    drop(person, flowers(tmp_path / "flowers.csv"))
    assert not person.window.on_start_page
    banner = person.window.banner
    assert banner.isVisible()
    button = next(b for b in banner.findChildren(QPushButton) if b.text() == "Draw a network")
    steps = person.document.undo_stack.count()
    QTest.mouseClick(button, LEFT)
    assert person.document.undo_stack.count() == steps + 1, "drawing and settings are one step"
    assert person.document.design.training != TrainSettings()
    assert not banner.isVisible() and not person.runner.why_not()
    person.train()
    assert person.runner.state == "finished"
    assert person.runner.telemetry.metrics["val", "accuracy"] >= 0.85
    person.document.undo_stack.undo()
    assert not person.document.graph.nodes and person.document.design.training == TrainSettings()


def test_the_proposal_is_taken_back_when_it_makes_no_sense_any_more(person, tmp_path: Path):
    banner = person.window.banner
    person.window.show_canvas()
    person.choose_data("moons.v1")
    person.rest(0.05)
    assert banner.answer_buttons() == ["Draw a network"] and banner.isVisible()
    person.window.add_layer("dense.v1")
    assert not banner.isVisible(), "it would replace what was drawn"
    person.document.undo_stack.undo()
    drop(person, flowers(tmp_path / "flowers.csv"))
    assert banner.isVisible()
    person.document.undo_stack.undo()
    person.document.undo_stack.undo()
    assert person.document.prepared is None and not banner.isVisible()


@pytest.mark.parametrize(("name", "content"), [
    ("one_row.csv", b"a,b,kind\n1,2,x\n"),
    ("two_rows.csv", b"a,b,kind\n1,2,x\n3,4,y\n"),
    ("only_head.csv", b"a,b,kind\n"),
    ("empty.csv", b""),
    ("no_newline.csv", b"5"),
    ("one_column.csv", b"a\n" + b"1\n2\n3\n" * 20),
    ("binary.csv", bytes(range(256)) * 40),
    ("same.csv", b"a,b,kind\n" + b"1,1,x\n" * 40),
    ("texts.csv", b"a,b,kind\n" + b"foo,bar,x\nbar,foo,y\n" * 40),
    ("missing.csv", b"a,b,kind\n" + b",,x\n1,,y\n" * 40),
    ("huge.csv", b"a,b,kind\n" + b"1e300,-1e300,x\n1e-300,1e308,y\n" * 40),
    ("ragged.csv", b"a,b,kind\n1,2\n1,2,3,4,5\nx\n" * 20),
    ("quotes.csv", b'a,b,kind\n"1,2,3\n4,5,6\n'),
    ("not.npz", b"PK\x03\x04 not an archive"),
    ("not-idx3-ubyte", b"\0\0\x08\x03\xff\xff\xff\xff"),
])
def test_odd_files_are_used_or_told_and_nothing_breaks(person, tmp_path: Path, name: str, content: bytes):
    path = tmp_path / name
    path.write_bytes(content)
    drop(person, path)
    every_view(person)
    document = person.document
    if document.design.data.source is None:
        assert person.window.banner.isVisible()
    elif document.data_state == "failed":
        assert document.data_error.endswith((".", "”", "'")), document.data_error
        assert not person.window.control.train.isEnabled()
    else:
        person.window.draw_proposal()
        document.edit_training("short", epochs=2)
        if person.runner.why_not():
            return
        person.train()
        failure = person.runner.telemetry.failure
        assert person.runner.state == "finished" or failure.text.endswith("."), failure
        every_view(person)


@pytest.mark.parametrize("kind", ["iris.v1", "curve.v1", "digits.v1"])
@pytest.mark.parametrize("parts", [(0.0, 0.0), (0.0, 0.15), (0.15, 0.0)])
def test_parts_without_samples(person, kind: str, parts: tuple[float, float]):
    person.window.show_canvas()
    person.document.edit_data("choose", source=Source.registry[kind](), validation=parts[0], test=parts[1])
    assert person.document.wait_for_data()
    person.window.draw_proposal()
    person.document.edit_training("short", epochs=2, early_stopping=1)
    every_view(person)
    person.train()
    assert person.runner.state == "finished", person.runner.telemetry.failure
    every_view(person)
    assert ("val_loss" in person.runner.telemetry.curves) == (parts[0] > 0)


def test_a_table_without_a_target_gets_an_autoencoder(person, tmp_path: Path):
    drop(person, flowers(tmp_path / "flowers.csv"))
    columns = [c.name for c in person.document.dataset.columns]
    person.document.edit_data("no target", roles={columns[-1]: "ignore"})
    assert person.document.wait_for_data()
    person.rest(0.05)
    person.window.draw_proposal()
    person.document.edit_training("short", epochs=3)
    every_view(person)
    person.train()
    assert person.runner.state == "finished", person.runner.telemetry.failure
    assert {head.task for head in person.document.checked.heads.values()} == {"reconstruction"}
    every_view(person)


def test_a_file_that_vanishes_and_comes_back(person, tmp_path: Path):
    path = flowers(tmp_path / "flowers.csv")
    drop(person, path)
    person.window.draw_proposal()
    path.unlink()
    person.document.reload_data()
    person.wait(lambda: person.document.data_state == "failed")
    assert "flowers.csv" in person.document.data_error
    every_view(person)
    assert not person.window.control.train.isEnabled()
    flowers(path)
    person.document.reload_data()
    person.wait(lambda: person.document.data_state == "ready")
    assert person.window.control.train.isEnabled()


def test_the_split_follows_its_fields_at_once(person):
    person.open_example("iris_table")
    before = len(person.document.prepared.train)
    form = person.window.docks.show("data")._data._split
    assert isinstance(person.document.design.data, DataSettings)
    form.changed.emit("validation", 0.3, None)
    assert person.document.wait_for_data()
    person.rest(0.05)
    assert len(person.document.prepared.train) < before
    assert np.intersect1d(person.document.prepared.train.rows, person.document.prepared.validation.rows).size == 0


def test_a_table_that_stays_on_the_disk(person, tmp_path: Path, monkeypatch):
    """Larger than memory, as far as the program knows: nothing that a person does reads it whole."""
    monkeypatch.setattr("nndesigner.data.large_table.STORE_FROM", 0)
    for module in ("stored_table", "large_table"):
        monkeypatch.setattr(f"nndesigner.data.{module}.table_folder", lambda: tmp_path / "tables")
    drop(person, flowers(tmp_path / "flowers.csv"))
    assert isinstance(person.document.dataset.columns[0].values, StoredColumn)
    assert isinstance(person.document.prepared.train.arrays["features"], EncodedRows)
    QTest.mouseClick(next(b for b in person.window.banner.findChildren(QPushButton) if b.text() == "Draw a network"),
                     LEFT)
    person.train()
    assert person.runner.telemetry.metrics["val", "accuracy"] >= 0.8
    every_view(person)
    person.rest(0.3)
