"""Every panel shows all of itself: nothing is cut off at the right, nothing makes the window rearrange itself."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QPlainTextEdit, QTabBar

from nndesigner.ui.parts import Column


@pytest.mark.parametrize("name", ["digits_convolution", "writing_letters", "sunspots_ahead", "shapes_by_pixel"])
def test_no_panel_needs_more_width_than_it_has(person, name):
    person.open_example(name)
    for dock in person.window.docks.by_name:
        person.window.docks.show(dock)
        person.rest(0.05)
    for column in person.window.findChildren(Column):
        if column.isVisibleTo(person.window):
            assert column.widget().minimumSizeHint().width() <= column.viewport().width(), type(column).__name__


def test_a_long_list_of_classes_does_not_push_the_canvas_away(person):
    person.open_example("writing_letters", epochs=1)
    person.train()
    before = person.window.canvas.height()
    view = person.window.docks.show("try").build()
    person.wait(lambda: view.way)
    view.tabs.setCurrentIndex([view.tabs.tabText(i) for i in range(view.tabs.count())].index("Text"))
    person.wait(lambda: view.answer.bars.isVisible())
    person.rest(0.1)
    assert len(view.answer.bars.bars) == 30 and person.window.canvas.height() == before


def test_the_panels_of_layers_give_way_to_the_samples(person):
    """In a narrow window; on the way back all is as it was."""
    person.open_example("digits_dense")
    window, docks = person.window, person.window.docks.by_name
    docks["training"].raise_()
    person.rest(0.1)
    before = window.canvas.width(), docks["training"].width()
    window.show_data()
    person.rest(0.1)
    assert docks["inspector"].isHidden() and docks["training"].isHidden() and docks["data"].isVisible()
    assert window.explore.width() > before[0] + 200
    window.docks.show("training")  # by a shortcut or a message
    assert docks["training"].isVisible()
    window.show_canvas()
    person.rest(0.1)
    assert docks["inspector"].isVisible() and (window.canvas.width(), docks["training"].width()) == before
    assert not docks["training"].visibleRegion().isEmpty(), "it stands in front again"
    window.show_data()
    window.show_start()
    window.show_canvas()
    person.rest(0.1)
    assert docks["inspector"].isVisible() and docks["training"].isVisible()


def test_whatever_takes_the_keyboard_has_a_name(person):
    """For screen readers: its own text, or an accessible name."""
    person.open_example("digits_vae", epochs=1)
    person.train()
    for dock in person.window.docks.by_name:
        person.window.docks.show(dock)
        person.rest(0.1)
    person.window.show_data()
    person.rest(0.2)
    nameless = [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}: {widget.toolTip()}"
        for kind in (QAbstractButton, QComboBox, QAbstractSlider, QAbstractItemView, QPlainTextEdit, QTabBar)
        for widget in person.window.findChildren(kind)
        if widget.isVisibleTo(person.window) and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not widget.accessibleName() and not (isinstance(widget, QAbstractButton) and widget.text().strip())]
    assert not nameless
