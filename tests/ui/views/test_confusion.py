"""Stories of somebody who wants to know which classes are mistaken for which."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from nndesigner.data.generated import Curve
from nndesigner.data.samples import Digits, Iris
from nndesigner.engine.metrics import predicted_classes
from nndesigner.layers.dense import Dense
from nndesigner.layers.reshape import Flatten
from nndesigner.project.design import Design
from nndesigner.ui.views.confusion import ConfusionView, sentence, worst


def _digits(studio):
    studio.open(Digits(), Flatten(), Dense(units=24, activation="relu"), Dense(units=10), epochs=3)
    studio.train()
    view = studio.keep(ConfusionView(studio.document, studio.runner))
    view.resize(545, 260)
    view.show()
    studio.until(lambda: view.found is not None)
    return view


def _truth_and_predicted(studio):
    test = studio.runner.prepared.test
    fields = {"image": test.arrays["image"]}
    answers = studio.ask(lambda trainer: next(iter(trainer.network.predict(fields).values())))
    return test.arrays["target"], predicted_classes(answers)


def test_the_matrix_counts_every_test_sample_once(studio):
    view = _digits(studio)
    truth, predicted = _truth_and_predicted(studio)
    counts = view.found.counts
    assert counts.sum() == len(truth)
    for i, j in np.ndindex(10, 10):
        assert counts[i, j] == np.sum((truth == i) & (predicted == j))
    assert f"{100 * np.mean(truth == predicted):.1f}" in view.summary.text()


def test_hovering_says_the_cell_in_words(studio):
    view = _digits(studio)
    truth, predicted = worst(view.found.counts)
    studio.move_mouse(view.matrix, view.matrix.cell_rect(truth, predicted).center())
    count = view.found.counts[truth, predicted]
    expected = f"{count} picture{'' if count == 1 else 's'} of {truth} {'was' if count == 1 else 'were'} " \
               f"taken for {predicted}"
    assert view.sentence.text() == expected
    studio.move_mouse(view.matrix, view.matrix.cell_rect(4, 4).center())
    assert "recognised" in view.sentence.text() and "recall" in view.sentence.text()


def test_a_click_opens_the_samples_behind_the_cell(studio):
    view = _digits(studio)
    truth, predicted = _truth_and_predicted(studio)
    i, j = worst(view.found.counts)
    QTest.mouseClick(view.matrix, Qt.MouseButton.LeftButton, pos=view.matrix.cell_rect(i, j).center().toPoint())
    studio.until(lambda: view.grid.contents)
    wanted = np.flatnonzero((truth == i) & (predicted == j))
    seen = [card.row for card in view.grid.contents]
    assert seen == wanted[:len(seen)].tolist() and all(card.right is False for card in view.grid.contents)
    chosen = []
    view.sample_chosen.connect(chosen.append)
    QTest.mouseClick(view.grid.card(0), Qt.MouseButton.LeftButton)
    assert chosen == [wanted[0]]
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.matrix.isVisible()


def test_the_keyboard_reaches_and_opens_cells(studio):
    view = _digits(studio)
    i, _ = worst(view.found.counts)
    view.matrix.setFocus()
    QTest.keyClick(view.matrix, Qt.Key.Key_Down)
    for _ in range(3):
        QTest.keyClick(view.matrix, Qt.Key.Key_Down)
        QTest.keyClick(view.matrix, Qt.Key.Key_Right)
    assert view.matrix.cell == (3, 3) and "of 3" in view.matrix.accessibleDescription()
    QTest.keyClick(view.matrix, Qt.Key.Key_Return)
    studio.until(lambda: view.grid.contents)
    assert all(card.right for card in view.grid.contents)


def test_an_empty_cell_opens_nothing(studio):
    view = _digits(studio)
    i, j = (int(k) for k in np.argwhere(view.found.counts == 0)[0])
    QTest.mouseClick(view.matrix, Qt.MouseButton.LeftButton, pos=view.matrix.cell_rect(i, j).center().toPoint())
    assert view.matrix.isVisible()


def test_the_table_can_be_copied(studio):
    view = _digits(studio)
    rows = [line.split(",") for line in view.csv().splitlines()]
    assert rows[0][1:] == [f'"{i}"' for i in range(10)]
    assert [[int(v) for v in row[1:]] for row in rows[1:]] == view.found.counts.tolist()


def test_the_matrix_is_not_cut_off_in_a_small_dock(studio):
    view = _digits(studio)
    view.resize(420, 220)
    studio.settle(0.05)
    for i in (0, 9):
        cell = view.matrix.cell_rect(i, i)
        assert view.matrix.rect().contains(cell.toRect()) and cell.height() >= 10
    assert view.matrix.cell_rect(10, 9).bottom() <= view.matrix.height() + 1


def test_one_sample_is_written_in_the_singular(studio):
    studio.open(Iris(), Dense(units=3), epochs=1)
    studio.train()
    view = studio.keep(ConfusionView(studio.document, studio.runner))
    view.show()
    studio.until(lambda: view.found is not None)
    found = view.found
    found.counts[0, 1] = 1
    assert sentence(found, 0, 1, "sample") == f"1 sample of {found.classes[0]} was taken for {found.classes[1]}"


def test_values_have_no_confusion_matrix(studio):
    studio.open(Curve(samples=60), Dense(units=4), Dense(units=1), epochs=1)
    studio.train()
    view = studio.keep(ConfusionView(studio.document, studio.runner))
    view.show()
    studio.settle(0.2)
    assert view.empty.isVisible() and "classes" in view.empty.text


def test_a_question_that_is_due_when_the_project_goes_is_not_asked(studio):
    view = _digits(studio)
    view.ask_anew()
    studio.document.open(Design())
    studio.runner.drop()
    studio.settle(0.3)  # an error in the event loop would fail this test
    assert not view.showing
