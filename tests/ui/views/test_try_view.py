"""Stories of somebody who tries the trained network on data of his own."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest

from nndesigner.data.samples import Diabetes, Digits, Iris
from nndesigner.exchange.prediction import Predictor
from nndesigner.graph.edit import set_params
from nndesigner.layers.dense import Dense
from nndesigner.layers.reshape import Flatten
from nndesigner.ui.views.draw_pad import DrawPad
from nndesigner.ui.views.try_view import TryView

#: a ring, which every network that learned digits calls a zero
ZERO = [(0.5 + 0.24 * math.sin(a), 0.5 - 0.38 * math.cos(a)) for a in np.linspace(0, 2 * math.pi, 24)]


def _shown(studio, *layers, source, epochs=5):
    studio.open(source, *layers, epochs=epochs)
    view = studio.keep(TryView(studio.document, studio.runner))
    view.resize(545, 260)
    view.show()
    return view


def _digits(studio, epochs=15):
    view = _shown(studio, Flatten(), Dense(units=32, activation="relu"), Dense(units=10), source=Digits(),
                  epochs=epochs)
    studio.train()
    studio.until(lambda: view.showing)
    return view


def _draw(studio, pad: DrawPad, points=ZERO):
    """One stroke with the mouse through points given as shares of the pad."""
    square = pad.square()
    places = [QPointF(square.left() + x * square.width(), square.top() + y * square.height()) for x, y in points]
    QTest.mousePress(pad, Qt.MouseButton.LeftButton, pos=places[0].toPoint())
    for a, b in zip(places, places[1:]):
        for k in range(1, 9):
            studio.move_mouse(pad, a + (b - a) * k / 8, pressed=True)
    QTest.mouseRelease(pad, Qt.MouseButton.LeftButton, pos=places[-1].toPoint())


def _predictor(trainer):
    return Predictor(trainer.network, trainer.prepared.preparation)


# --- drawing ---


def test_before_training_it_says_what_to_do(studio):
    view = _shown(studio, Flatten(), Dense(units=10), source=Digits())
    studio.settle(0.2)
    assert view.empty.isVisible() and "Train" in view.empty.text


def test_a_stroke_gives_probabilities_that_sum_to_one(studio):
    view = _digits(studio)
    assert view.way == "draw" and not view.answer.bars.isVisible()
    _draw(studio, view.pad)
    studio.until(lambda: view.found)
    (found,) = view.found.values()
    assert np.isclose(found.probabilities.sum(), 1.0, atol=1e-5) and found.probabilities.shape == (1, 10)
    assert found.label(0) == "0"
    assert view.answer.headline.text().startswith("0: ") and view.answer.headline.text().endswith("%")
    assert view.answer.bars.bars[0].name == "0" and view.answer.seen.isVisible()


def test_the_answer_follows_the_pen_while_it_draws(studio):
    view = _digits(studio, epochs=2)
    pad = view.pad
    QTest.mousePress(pad, Qt.MouseButton.LeftButton, pos=QPoint(40, 40))
    answers = set()
    for i in range(60):
        studio.move_mouse(pad, QPointF(40 + 2 * i, 40 + i), pressed=True)
        studio.settle(0.01)
        if view.found:
            answers.add(id(next(iter(view.found.values()))))
    assert len(answers) >= 2, "answers must come before the pen is lifted"
    QTest.mouseRelease(pad, Qt.MouseButton.LeftButton, pos=QPoint(160, 100))


def test_undo_takes_back_a_stroke_and_clear_all(studio):
    view = _digits(studio, epochs=1)
    _draw(studio, view.pad)
    one = view.pad.ink().copy()
    _draw(studio, view.pad, [(0.2, 0.5), (0.8, 0.5)])
    assert view.pad.ink().sum() > one.sum()
    studio.until(lambda: view.found)
    view.pad.setFocus()
    QTest.keyClick(view.pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert np.array_equal(view.pad.ink(), one)
    view.clear.click()
    assert view.pad.empty and view.pad.ink().max() == 0
    studio.until(lambda: not view.found)
    assert not view.answer.bars.isVisible() and "Draw" in view.answer.note.text()


def test_a_wider_brush_leaves_more_ink(studio):
    view = _digits(studio, epochs=1)
    view.brush.setValue(5)
    _draw(studio, view.pad)
    thin = view.pad.ink().sum()
    view.pad.clear()
    view.brush.setValue(20)
    _draw(studio, view.pad)
    assert view.pad.ink().sum() > 2 * thin


def test_a_small_drawing_in_a_corner_is_placed_like_the_training_pictures(studio):
    view = _digits(studio)
    _draw(studio, view.pad)
    (large,) = view.raw().values()
    view.pad.clear()
    view.brush.setValue(5)
    _draw(studio, view.pad, [(0.05 + 0.35 * x, 0.05 + 0.35 * y) for x, y in ZERO])
    (small,) = view.raw().values()
    assert large.shape == small.shape == (1, 8, 8, 1)
    assert np.corrcoef(large.reshape(-1), small.reshape(-1))[0, 1] > 0.95
    studio.until(lambda: view.found)
    assert next(iter(view.found.values())).label(0) == "0"


# --- pictures ---


def _picture(path, light: bool):
    """A dark ring on white, or a light one on black."""
    picture = Image.new("L", (64, 64))
    ImageDraw.Draw(picture).ellipse((12, 0, 52, 63), outline=255, width=11)
    (ImageOps.invert(picture) if light else picture).save(path)
    return path


@pytest.mark.parametrize("light", [False, True])
def test_a_picture_file_is_answered_whether_light_or_dark(studio, tmp_path, light):
    view = _digits(studio)
    view.show_picture(_picture(tmp_path / "ring.png", light))
    assert view.picture.invert.isChecked() == light, "paper white and ink black must be exchanged"
    studio.until(lambda: view.found)
    (found,) = view.found.values()
    assert found.label(0) == "0"
    raw = view.raw()
    same = studio.ask(lambda trainer: _predictor(trainer).predict(raw))
    assert np.array_equal(same.probabilities, found.probabilities)


def test_a_dropped_and_a_pasted_picture(studio, tmp_path):
    view = _digits(studio, epochs=1)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(_picture(tmp_path / "ring.png", False)))])
    view.dropEvent(QDropEvent(QPointF(10, 10), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
                              Qt.KeyboardModifier.NoModifier))
    studio.until(lambda: view.found)
    assert view.way == "picture" and view.picture.name.text() == "ring.png"
    QGuiApplication.clipboard().setImage(QImage(str(tmp_path / "ring.png")))
    QTest.keyClick(view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert view.picture.name.text() == "pasted.png"


def test_a_file_that_is_no_picture_is_refused_with_a_sentence(studio, tmp_path):
    view = _digits(studio, epochs=1)
    (tmp_path / "no.png").write_bytes(b"not a picture at all")
    view.show_picture(tmp_path / "no.png")
    assert "no picture" in view.picture.name.text() and view.raw() is None


# --- rows ---


def test_a_typed_row_equals_the_command_line_to_the_bit(studio):
    view = _shown(studio, Dense(units=8, activation="tanh"), Dense(units=3), source=Iris(), epochs=20)
    studio.train()
    studio.until(lambda: view.found)
    typed = {"sepal length": "6.3", "sepal width": "2.5", "petal length": "5.1", "petal width": "1.9"}
    assert set(typed) == set(view.form.fields)
    before = next(iter(view.found.values()))
    for name, text in typed.items():
        view.form.fields[name].setText(text)
    studio.until(lambda: next(iter(view.found.values())) is not before)
    studio.settle(0.3)
    found = next(iter(view.found.values()))
    raw = {name: np.array([float(text)]) for name, text in typed.items()}
    wanted = studio.ask(lambda trainer: _predictor(trainer).predict(raw))
    assert np.array_equal(found.probabilities, wanted.probabilities)
    assert found.probabilities.tobytes() == wanted.probabilities.tobytes()


def test_fields_begin_with_the_means_of_the_training_part(studio):
    view = _shown(studio, Dense(units=3), source=Iris(), epochs=1)
    studio.train()
    studio.until(lambda: view.showing)
    prepared = studio.runner.prepared
    values = prepared.dataset.column("petal length").values[prepared.train.rows]
    assert float(view.form.fields["petal length"].text()) == pytest.approx(values.mean(), rel=1e-3)
    QTest.keyClick(view.form.fields["petal length"], Qt.Key.Key_Up)
    assert float(view.form.fields["petal length"].text()) > values.mean()
    view.usual.click()
    assert float(view.form.fields["petal length"].text()) == pytest.approx(values.mean(), rel=1e-3)


def test_a_text_that_is_no_number_is_named(studio):
    view = _shown(studio, Dense(units=3), source=Iris(), epochs=1)
    studio.train()
    studio.until(lambda: view.found)
    view.form.fields["sepal width"].setText("wide")
    studio.until(lambda: not view.found)
    assert "sepal width" in view.answer.note.text()
    view.form.fields["sepal width"].setText("3")
    studio.until(lambda: view.found)


def test_a_regression_answers_with_value_and_name(studio):
    view = _shown(studio, Dense(units=4), Dense(units=1), source=Diabetes(), epochs=3)
    studio.train()
    studio.until(lambda: view.found)
    found = next(iter(view.found.values()))
    assert view.answer.headline.text().startswith(f"{float(found.values.reshape(-1)[0]):.4g}")
    assert view.answer.note.text() == studio.runner.prepared.preparation.targets[0].column


def test_a_typed_row_stays_when_training_starts_again(studio):
    view = _shown(studio, Dense(units=3), source=Iris(), epochs=1)
    studio.train()
    studio.until(lambda: view.found)
    view.form.fields["sepal width"].setText("2.75")
    studio.train()
    studio.until(lambda: view.showing and view.found)
    assert view.form.fields["sepal width"].text() == "2.75"


# --- tables ---


def test_a_table_is_answered_row_by_row_and_saved(studio, tmp_path):
    view = _shown(studio, Dense(units=8, activation="tanh"), Dense(units=3), source=Iris(), epochs=5)
    studio.train()
    studio.until(lambda: view.showing)
    columns = [c for c in studio.runner.prepared.dataset.columns if c.role == "input"]
    with (tmp_path / "new.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([c.name for c in columns])
        for i in range(30):
            writer.writerow([c.values[5 * i] for c in columns])
    view.show_table(tmp_path / "new.csv")
    studio.until(lambda: view.table.save.isEnabled())
    assert view.way == "table" and "30 of 30" in view.table.note.text()
    raw = {c.name: c.values[:150:5] for c in columns}
    wanted = studio.ask(lambda trainer: _predictor(trainer).predict(raw))
    model = view.table.table.model()
    assert model.rowCount() == 30
    assert [model.index(i, 1).data() for i in range(30)] == [wanted.label(i) for i in range(30)]
    view.table.write(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["prediction"] for row in rows] == [wanted.label(i) for i in range(30)]
    assert float(rows[3][f"probability {wanted.classes[1]}"]) == float(wanted.probabilities[3, 1])


def test_a_table_without_the_columns_is_refused_with_a_sentence(studio, tmp_path):
    view = _shown(studio, Dense(units=3), source=Iris(), epochs=1)
    studio.train()
    studio.until(lambda: view.showing)
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n3,4\n")
    view.show_table(tmp_path / "wrong.csv")
    studio.until(lambda: "lacks" in view.table.note.text())
    assert "sepal length" in view.table.note.text() and not view.table.save.isEnabled()


# --- changes ---


def test_a_changed_drawing_is_said_and_the_old_network_still_answers(studio):
    view = _digits(studio, epochs=1)
    _draw(studio, view.pad)
    studio.until(lambda: view.found)
    assert not view.stale_note.isVisible()
    dense = next(n.id for n in studio.document.graph.nodes if isinstance(n.layer, Dense))
    studio.document.edit_graph("Change units", lambda graph: set_params(graph, dense, units=20))
    assert view.stale_note.isVisible()
    view.clear.click()
    _draw(studio, view.pad)
    studio.until(lambda: view.found)


def test_controls_fit_into_a_small_dock(studio):
    view = _digits(studio, epochs=1)
    view.resize(420, 220)
    _draw(studio, view.pad)
    studio.until(lambda: view.found)
    for child in (view.brush, view.undo, view.clear, view.pad, view.answer):
        corner = child.mapTo(view, QPoint(child.width(), child.height()))
        assert child.isVisible() and corner.x() <= view.width() and corner.y() <= view.height()
