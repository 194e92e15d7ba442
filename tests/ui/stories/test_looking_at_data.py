"""Looking at one's data, and mending it: labels set right, samples left out, nothing of it in the user's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from nndesigner.data.corrections import read_corrections
from nndesigner.data.source import Source
from nndesigner.project.file import load
from nndesigner.ui.explore.charts import Balance, Correlations, Histogram
from nndesigner.ui.explore.view import ExploreView
from tests.ui.stories.conftest import LEFT
from tests.ui.stories.test_own_data import drop, flowers


def look(person) -> ExploreView:
    """Press the button of the data panel, and wait for the samples."""
    person.window.docks.show("data")
    person.rest(0.05)
    QTest.mouseClick(person.window.data_panel._data._explore, LEFT)
    view = person.window.explore.made
    person.wait(lambda: view.samples is not None and not view.busy)
    return view


def rest(person, view: ExploreView) -> None:
    person.wait(lambda: person.document.data_state != "loading" and not view.busy)


def press(view: ExploreView, key: Qt.Key) -> None:
    """A key while the gallery has the focus."""
    QTest.keyClick(view.gallery, key)


def choose(person, view: ExploreView, *places: int) -> list[int]:
    """Click tiles, the later ones with Ctrl."""
    gallery = view.gallery
    for i, place in enumerate(places):
        index = gallery.rows_model.index(place)
        gallery.scrollTo(index)
        keys = Qt.KeyboardModifier.ControlModifier if i else Qt.KeyboardModifier.NoModifier
        QTest.mouseClick(gallery.viewport(), LEFT, keys, gallery.visualRect(index).center())
    return gallery.chosen_rows


def test_labels_are_set_right_by_keys_and_undone(person):
    person.open_example("digits_dense")
    view = look(person)
    assert view.gallery.rows_model.rowCount() == 1797
    row, = choose(person, view, 4)
    assert view.samples.labels[row] == "4"
    press(view, Qt.Key.Key_8)  # the eighth class
    rest(person, view)
    assert person.document.prepared.dataset.column("digit").values[row] == "7"
    assert view.gallery.current_row == row + 1, "the next one is at hand"
    choose(person, view, 4)
    assert "“4” in the file" in view.detail.about.text()
    person.document.undo_stack.undo()
    rest(person, view)
    assert not person.document.design.data.corrections
    assert person.document.prepared.dataset.column("digit").values[row] == "4"


def test_samples_are_left_out_and_taken_back(person):
    person.open_example("digits_dense")
    view = look(person)
    before = len(person.document.prepared.train)
    rows = choose(person, view, 0, 1, 2)
    assert len(rows) == 3 and view.detail.name.text() == "3 samples chosen"
    trained = sum(view.samples.part[row] == 0 for row in rows)
    press(view, Qt.Key.Key_Delete)
    rest(person, view)
    assert len(person.document.prepared.train) == before - trained
    view.filters.show_.choose("corrected")
    rest(person, view)
    assert view.gallery.rows_model.rows.tolist() == rows
    view.gallery.selectAll()
    press(view, Qt.Key.Key_Backspace)
    rest(person, view)
    assert len(person.document.prepared.train) == before
    view.filters.label.choose("3")
    rest(person, view)
    assert view.gallery.rows_model.rowCount() == 183
    press(view, Qt.Key.Key_Escape)
    rest(person, view)
    assert view.gallery.rows_model.rowCount() == 1797
    press(view, Qt.Key.Key_Escape)
    assert person.window.canvas.isVisible() and not view.isVisible()


def test_a_trained_network_names_a_wrong_label(person):
    """One label of the data is wrong; after a run it is among the suspects, and one key sets it right."""
    person.open_example("digits_dense", epochs=8)
    view = look(person)
    wrong, = choose(person, view, 10)
    press(view, Qt.Key.Key_5)  # a 0 becomes a 4
    rest(person, view)
    person.train()
    person.wait(lambda: view.judge.judgement is not None and not view.busy)
    view.filters.show_.choose("suspects")
    rest(person, view)
    rows = view.gallery.rows_model.rows.tolist()
    assert wrong in rows
    choose(person, view, rows.index(wrong))
    assert view.detail.suggestion == "0" and view.detail.use.isVisible()
    press(view, Qt.Key.Key_Return)
    rest(person, view)
    assert not person.document.design.data.corrections, "it is as in the file again"


def test_corrections_travel_beside_the_data(make_person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    table = flowers(tmp_path / "flowers.csv")
    text = table.read_bytes()
    one = make_person()
    drop(one, table)
    view = look(one)
    row, = choose(one, view, 0)
    view.detail.typed.setText("tulip")
    QTest.keyClick(view.detail.typed, Qt.Key.Key_Return)
    rest(one, view)
    choose(one, view, 5)
    press(view, Qt.Key.Key_Delete)
    rest(one, view)
    target = tmp_path / "p.nnd"
    monkeypatch.setattr("nndesigner.ui.files.QFileDialog.getSaveFileName", lambda *_: (str(target), ""))
    assert one.window.files.save()
    beside = tmp_path / "flowers.csv.corrections.json"
    assert [c.value for c in read_corrections(beside)] == ["tulip", ""] and table.read_bytes() == text
    assert len(load(target).design.data.corrections) == 2

    other = make_person()
    drop(other, table)
    other.window.docks.show("data")
    offer = other.window.data_panel._data._corrections
    assert offer.isVisible() and "2 samples" in offer.words.text()
    QTest.mouseClick(offer.use, LEFT)
    other.wait(lambda: other.document.data_state == "ready")
    assert other.document.prepared.dataset.columns[-1].values[row] == "tulip"
    assert any("1 label set right and 1 sample left out" in note for note in other.document.prepared.notes)
    assert not offer.isVisible()


def test_a_click_on_a_class_a_bar_and_a_cell_shows_the_samples_behind_it(person):
    person.choose_data("iris.v1")
    view = look(person)
    page = view.statistics
    view.tabs.setCurrentIndex(1)
    person.wait(lambda: page.overview is not None and not view.busy)

    def click(chart, part: int) -> list[int]:
        view.tabs.setCurrentIndex(1)
        page._column.ensureWidgetVisible(chart)
        places = ((x, y) for y in range(1, chart.height(), 3) for x in range(1, chart.width(), 3))
        x, y = next(p for p in places if chart.part_at(*p) == part)
        QTest.mouseClick(chart, LEFT, pos=QPoint(x, y))
        rest(person, view)
        assert view.gallery.isVisible()
        return view.gallery.rows_model.rows.tolist()

    assert click(page.findChild(Balance), 1) == list(range(50, 100))
    view.filters.clear()
    chart = page.findChildren(Histogram)[2]
    values = person.document.dataset.column("petal length").values
    edges = chart.view.statistics.edges
    rows = click(chart, 0)
    assert rows == [i for i in range(150) if values[i] < edges[1]] and view.filters.chip.isVisible()
    table = page.findChild(Correlations)
    assert len(click(table, 1)) == 150 and "off the relation" in view.filters.chip.text()
    press(view, Qt.Key.Key_Escape)
    rest(person, view)
    assert view.gallery.rows_model.rows.tolist() == list(range(150)) and not view.filters.chip.isVisible()


def test_statistics_follow_the_data(person):
    person.choose_data("iris.v1")
    view = look(person)
    view.tabs.setCurrentIndex(1)
    person.wait(lambda: view.statistics.overview is not None and not view.busy)
    person.document.edit_data("More to test", test=0.4)
    person.wait(lambda: view.statistics.overview.balance[2].sum() == 60)


def test_a_reopened_project_says_what_changed_in_its_data(make_person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    table, target = flowers(tmp_path / "flowers.csv"), tmp_path / "p.nnd"
    monkeypatch.setattr("nndesigner.ui.files.QFileDialog.getSaveFileName", lambda *_: (str(target), ""))
    one = make_person()
    drop(one, table)
    one.window.draw_proposal()
    one.document.edit_training("short", epochs=2)
    one.train()
    assert one.window.files.save()
    table.write_text("\n".join(table.read_text("utf-8").splitlines()[:-12]) + "\n", "utf-8")

    other = make_person()
    other.window.files.open(target)
    other.wait(lambda: other.document.data_state == "ready" and other.runner.trained)
    words = other.window.banner.words.text()
    assert other.window.banner.isVisible() and "since this network was trained: 12 samples fewer" in words


def test_corrections_that_fit_no_sample_can_be_removed(person):
    person.choose_data("moons.v1")
    view = look(person)
    choose(person, view, 3)
    press(view, Qt.Key.Key_Delete)
    rest(person, view)
    lost = person.window.data_panel._data._lost
    assert not lost.isVisible()
    source = person.document.design.data.source
    person.document.edit_data("Other points", source=source.replaced(seed=source.seed + 1))
    rest(person, view)
    assert lost.isVisible() and "1 correction made by hand fits no sample" in lost.words.text()
    QTest.mouseClick(lost.remove, LEFT)
    rest(person, view)
    assert not lost.isVisible() and not person.document.design.data.corrections


@pytest.mark.parametrize("kind, network", [
    ("iris.v1", "4 values, to tell 3 classes apart. Dense layers"), ("digits.v1", "Convolutions"),
    ("diabetes.v1", "to predict 1 number. Dense layers"), ("sines.v1", "32 moments, to predict 1 number. A recurrent"),
    ("sentences.v1", "tokens, to tell 3 classes apart. An embedding"), ("spoken_digits.v1", "Convolutions"),
    ("shape_masks.v1", "to tell 4 classes apart in every pixel. A U-Net"),
])
def test_the_proposal_says_what_fits_and_trains(person, kind, network):
    person.window.show_canvas()
    person.document.edit_data("Use", source=Source.registry[kind](
        **({"samples": 60} if kind == "shape_masks.v1" else {"moments": 300} if kind == "sines.v1" else {})))
    person.wait(lambda: person.document.data_state == "ready")
    person.rest(0.05)
    assert network in person.window.banner.words.text()
    person.window.draw_proposal()
    person.document.edit_training("short", epochs=1, early_stopping=0)
    assert not person.runner.why_not()
    person.train()
    assert person.runner.state == "finished"


def test_a_table_that_stays_on_the_disk_is_looked_at(person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nndesigner.data.large_table.STORE_FROM", 0)
    for module in ("stored_table", "large_table"):
        monkeypatch.setattr(f"nndesigner.data.{module}.table_folder", lambda: tmp_path / "tables")
    drop(person, flowers(tmp_path / "flowers.csv"))
    view = look(person)
    choose(person, view, 2)
    assert view.detail._grid.count() == 8, "names and values of four columns"
    view.filters.label.choose("setosa")
    rest(person, view)
    assert view.gallery.rows_model.rowCount() == 50
    view.filters.search.setText("setosa")
    rest(person, view)
    view.tabs.setCurrentIndex(1)
    person.wait(lambda: view.statistics.overview is not None and not view.busy)
    assert view.statistics.overview.balance.sum() == 150
    view.tabs.setCurrentIndex(0)
    row, = choose(person, view, 0)
    press(view, Qt.Key.Key_2)
    rest(person, view)
    assert person.document.prepared.dataset.columns[-1].values[row] == "versicolor"


def test_other_data_come_while_samples_are_being_chosen(person):
    """What is found in the old data must not be shown of the new ones."""
    person.open_example("digits_dense")
    view = look(person)
    view.filters.label.choose("3")
    assert view._choosing.busy
    person.document.edit_data("Other data", source=Source.registry["moons.v1"](), roles={}, kinds={})
    rest(person, view)
    assert view.gallery.rows_model.rowCount() == len(person.document.dataset)
    person.document.edit_data("No data", source=None)
    view.filters.changed.emit()
    rest(person, view)
    assert view.samples is None and not view.gallery.rows_model.rowCount()
    assert "Choose data" in view.empty.text and not view.detail.name.isVisible()


def test_numbers_as_labels_are_read_as_people_write_them(person):
    person.open_example("curve_regression")
    view = look(person)
    row, = choose(person, view, 2)
    exact = person.document.dataset.columns[-1].values[row]
    assert view.detail.name.text() == f"{exact:.6g}" and len(view.samples.labels[row]) > 12
    assert not view.detail.labels.isVisible() and view.detail.typed.placeholderText() == "Other value"
    assert view.hint.text().startswith("L value")
    press(view, Qt.Key.Key_L)
    assert person.window.focusWidget() is view.detail.typed
    QTest.keyClicks(view.detail.typed, "0.25")
    QTest.keyClick(view.detail.typed, Qt.Key.Key_Return)
    rest(person, view)
    choose(person, view, 2)
    assert view.detail.name.text() == "0.25" and f"“{exact:.6g}” in the file" in view.detail.about.text()
