"""Every panel shows all of itself: nothing is cut off at the right, nothing makes the window rearrange itself."""

import pytest

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
