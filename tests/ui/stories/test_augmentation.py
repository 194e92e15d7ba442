"""Choosing augmentation by eye: the sheet follows every change, can be undone, and trains what it shows."""

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from nndesigner.data.augment.mixing import Mixup
from nndesigner.data.augment.pictures import Flip, Shift
from nndesigner.data.samples import Iris
from nndesigner.data.shape_masks import ShapeMasks
from nndesigner.training.variants import variants

LEFT = Qt.MouseButton.LeftButton


def open_sheet(person):
    section = person.window.data_panel._data._augmentation
    person.window.docks.show("data")
    person.rest(0.05)
    section.open.click()
    sheet = section.sheet
    person.wait(lambda: sheet.cards[-1].variant is not None and not sheet._background.busy)
    return section, sheet


def images(sheet):
    return np.array([card.variant.values["image"] for card in sheet.cards])


def tick(switch):
    QTest.mouseClick(switch, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(8, switch.height() // 2))


def test_the_preview_follows_and_shows_what_training_is_fed(person):
    person.open_example("digits_dense", epochs=2)
    _, sheet = open_sheet(person)
    steps = sheet.form.editors["augmentation"]
    shown = {kind for kind, switch in steps.switches.items() if not switch.isHidden()}
    assert {"flip.v1", "mixup.v1", "cutmix.v1"} <= shown
    assert not shown & {"colour.v1", "pitch.v1", "token_swap.v1", "jitter.v1"}  # what suits other data
    assert (images(sheet) == images(sheet)[0]).all()
    tick(steps.switches["shift.v1"])
    person.wait(lambda: not (images(sheet) == images(sheet)[0]).all())
    before = images(sheet)
    slider = steps.forms["shift.v1"]._rows["share"]._slider
    QTest.mousePress(slider, LEFT)
    for value in range(0, slider.maximum(), max(1, slider.maximum() // 10)):
        slider.setValue(value)
        person.rest(0.01)
    QTest.mouseRelease(slider, LEFT)
    person.wait(lambda: not sheet._background.busy and not np.array_equal(images(sheet), before))
    assert person.document.undo_stack.undoText() == "Change the augmentation"
    assert person.document.undo_stack.index() <= 3  # the drag is one step
    wanted = variants(person.document.prepared, person.document.design.training, 0, range(8))
    for card, variant in zip(sheet.cards[1:], wanted):
        np.testing.assert_array_equal(card.variant.values["image"], variant.values["image"])
    sheet.epochs.click()
    person.wait(lambda: sheet.cards[1].title == "Epoch 9")
    sheet.sample.click()
    person.wait(lambda: sheet.words.text().startswith("Training sample 2 of"))
    person.wait(lambda: not sheet._background.busy)
    sheet.close()
    person.train()
    assert person.runner.state == "finished"


def test_mixtures_tell_their_shares_and_undo_takes_them_back(person):
    person.open_example("digits_dense")
    person.document.edit_data("test", augmentation=(Mixup(alpha=4.0),))
    section, sheet = open_sheet(person)
    assert any(" + " in card.words for card in sheet.cards[1:]) and "+" not in sheet.cards[0].words
    person.document.undo_stack.undo()
    person.wait(lambda: not sheet._background.busy and not any(" + " in card.words for card in sheet.cards))
    assert section._words.text() == "Off: training sees every sample as it is."
    sheet.close()


def test_a_step_that_does_not_suit_is_told_and_can_be_taken_out(person):
    person.open_example("iris_table")
    person.document.edit_data("test", augmentation=(Flip(),))
    assert person.document.data_state == "failed" and "Flip is for pictures" in person.document.data_error
    section = person.window.data_panel._data._augmentation
    section.open.click()
    steps = section.sheet.form.editors["augmentation"]
    assert "Flip is for pictures" in section.sheet.note.text() and steps.switches["flip.v1"].isChecked()
    tick(steps.switches["flip.v1"])
    person.wait(lambda: person.document.data_state == "ready")
    person.wait(lambda: section.sheet.cards[0].variant is not None and not section.sheet._background.busy)
    section.sheet.close()


def test_masks_are_shown_moving_with_their_pictures(person):
    person.window.show_canvas()
    person.window.data_panel.choose(ShapeMasks(samples=40, size=32))
    person.wait(lambda: person.document.data_state == "ready")
    person.document.edit_data("test", augmentation=(Flip(chance=1.0),))
    _, sheet = open_sheet(person)
    switches = sheet.form.editors["augmentation"].switches
    assert switches["mixup.v1"].isHidden() and not switches["colour.v1"].isHidden()  # each pixel has its own label
    mask = person.document.prepared.signature.targets[0].name
    before, after = (card.variant.values[mask] for card in sheet.cards[:2])
    np.testing.assert_array_equal(after, before[:, ::-1])
    first, second = (card._image for card in sheet.cards[:2])
    assert first.flipped(Qt.Orientation.Horizontal) == second.convertToFormat(first.format())
    sheet.close()


def test_other_data_begin_without_augmentation(person):
    person.open_example("digits_dense")
    person.document.edit_data("test", augmentation=(Shift(),))
    person.window.data_panel.choose(Iris())
    person.wait(lambda: person.document.data_state == "ready")
    assert person.document.design.data.augmentation == ()
