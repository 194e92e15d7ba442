"""Files: save and reopen, broken ones, unsaved work, crashes, closing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QSettings

from nndesigner.graph import edit
from nndesigner.layers import Layer
from nndesigner.project import recovery
from nndesigner.project.recovery import Autosave


def add_dense(person) -> None:
    person.document.edit_graph("Add Dense", lambda g: edit.add_node(g, Layer.registry["dense.v1"](), 0, 0)[0])


def test_a_saved_project_predicts_the_same_numbers_when_reopened(make_person, tmp_path: Path):
    person = make_person()
    person.open_example("iris_table", epochs=5)
    person.train()
    wanted = person.predictions()
    path = tmp_path / "mine.nnd"
    assert person.window.files._write(path)
    assert not person.window.files.unsaved
    assert person.window.files.recent() == [path]
    assert "saved" in person.window.status.saved.text()

    other = make_person()
    other.window.files.open(path)
    assert other.document.wait_for_data()
    other.wait(lambda: other.runner.trained)
    assert np.array_equal(other.predictions(), wanted)
    assert not other.window.files.unsaved
    assert np.array_equal(other.runner.telemetry.curves["val_loss"][1], person.runner.telemetry.curves["val_loss"][1])


@pytest.mark.parametrize("content", [b"", b"not a zip at all", b"PK\x03\x04 half a zip"])
def test_a_broken_file_is_told_and_changes_nothing(person, tmp_path: Path, content: bytes):
    person.open_example("iris_table")
    design = person.document.design
    path = tmp_path / "broken.nnd"
    path.write_bytes(content)
    person.window.files.open(path)
    assert person.window.banner.isVisible() and "broken.nnd" in person.window.banner.words.text()
    assert person.document.design is design and person.document.path is None
    assert person.window.files.recent() == []


def test_a_missing_file_is_told(person, tmp_path: Path):
    person.window.files.open(tmp_path / "gone.nnd")
    assert "gone.nnd" in person.window.banner.words.text()
    assert person.window.on_start_page


def test_a_folder_that_cannot_be_written_is_told(person, tmp_path: Path):
    add_dense(person)
    assert not person.window.files._write(tmp_path / "no such folder" / "x.nnd")
    assert person.window.banner.isVisible() and person.document.modified


def test_unsaved_work_is_asked_for(person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = person.window.files
    add_dense(person)
    files.new()
    assert files.question.isVisible()
    person.answer("Cancel")
    assert len(person.document.graph.nodes) == 1
    files.new()
    path = tmp_path / "kept.nnd"
    monkeypatch.setattr(files, "save_as", lambda: files._write(path))
    person.answer("Save")
    assert path.is_file() and not person.document.graph.nodes
    add_dense(person)
    files.new()
    person.answer("Do not save")
    assert not person.document.graph.nodes and not files.unsaved


def test_what_was_learned_counts_as_unsaved(person):
    person.open_example("iris_table", epochs=2)
    person.document.undo_stack.setClean()
    assert not person.window.files.unsaved
    person.train()
    assert person.window.files.unsaved


def test_closing_while_training_asks_stops_and_ends(person):
    person.open_example("two_d_classifier", epochs=100_000)
    person.window.control.train.trigger()
    person.wait(lambda: person.runner.telemetry.step > 3)
    person.window.close()
    assert person.window.isVisible()
    person.answer("Cancel")
    assert person.runner.state == "running"
    person.window.close()
    person.answer("Do not save")
    person.wait(lambda: not person.window.isVisible(), 6.0)


def test_a_crash_is_recovered(make_person, state_folder):
    left = Autosave()
    first = make_person()
    first.window.files._autosave = left
    add_dense(first)
    first.window.files._keep()
    first.window.files._finish_writing()
    # The process dies: the lock is gone, the file stays.
    os.close(left._lock)
    recovery._own.discard(left._path.with_suffix(".lock"))
    left._lock = None
    first.window.files._autosave = None

    second = make_person()
    second.window.files.start_keeping()
    assert second.window.banner.isVisible()
    assert second.window.banner.answer_buttons() == ["Open it", "Discard"]
    second.window.banner._buttons.itemAt(0).widget().click()
    assert [n.layer.title for n in second.document.graph.nodes] == ["Dense"]
    assert second.document.modified


def test_files_are_dropped(person, tmp_path: Path):
    table = tmp_path / "flowers.csv"
    rows = "\n".join(f"{i % 7},{i % 5},{'ab'[i % 2]}" for i in range(60))
    table.write_text(f"x,y,kind\n{rows}\n", encoding="utf-8")
    person.window.open_dropped([table])
    assert person.document.wait_for_data()
    person.rest(0.05)
    assert person.document.prepared is not None, person.document.data_error
    assert "Draw a network" in person.window.banner.answer_buttons()
    picture = tmp_path / "holiday.jpeg"
    picture.write_bytes(b"x")
    person.window.open_dropped([picture])
    assert "holiday.jpeg" in person.window.banner.words.text()


def test_layout_and_theme_are_remembered(make_person):
    first = make_person()
    first.window.show_canvas()
    first.window.docks.by_name["data"].close()
    first.window.docks._own_layout = True
    first.window.choose_theme("light")
    first.window.docks.save()
    second = make_person()
    second.window.show_canvas()
    assert second.window.docks.by_name["data"].isHidden()
    assert not second.window.docks.by_name["loss"].isHidden()
    assert second.window.theme_name() == "light"
    second.window.reset_layout()
    assert not second.window.docks.by_name["data"].isHidden()
    second.window.choose_theme("dark")


@pytest.mark.parametrize("value", [b"rubbish", "text", 17, None])
def test_a_broken_layout_is_ignored(make_person, value):
    for key in ("state", "geometry"):
        QSettings().setValue(f"window/{key}", QByteArray(value) if isinstance(value, bytes) else value)
    QSettings().setValue("window/own_layout", True)
    person = make_person()
    assert all(dock.isHidden() for dock in person.window.docks.by_name.values())
    person.window.show_canvas()
    assert all(not dock.isHidden() for dock in person.window.docks.by_name.values())
