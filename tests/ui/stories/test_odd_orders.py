"""What nobody plans: views of the data, edits, runs and themes in odd orders. No error, no thread, no stale sample."""

import pytest

from nndesigner.data.source import Source
from nndesigner.graph import edit, folding, grouping
from nndesigner.ui import theme
from nndesigner.ui.app import Collector
from tests.ui.stories.test_looking_at_data import rest


@pytest.fixture
def two_themes(qapp):
    """Garbage is collected as in the program, on this thread: that of closed windows must not die on another one."""
    collector = Collector(qapp)
    yield
    theme.apply(qapp, theme.DARK)
    collector.stop()


@pytest.mark.parametrize("name", ["digits_dense", "curve_regression", "moods_of_sentences", "spoken_digits"])
def test_data_are_mended_and_changed_while_it_trains(two_themes, person, qapp, name):
    document, runner, window = person.document, person.runner, person.window
    person.open_example(name, epochs=100_000)
    window.show_data()
    view = window.explore.made
    rest(person, view)
    inner = [node.id for node in document.graph.nodes][1:-1]
    document.edit_graph("Delete", lambda graph: edit.remove_nodes(graph, inner))
    document.undo_stack.undo()
    runner.train()
    person.wait(lambda: runner.telemetry.step > 0)
    document.edit_graph("Group", lambda graph: grouping.group(graph, inner[:2])[0])
    group = document.graph.groups[0].id
    for change in (folding.fold, folding.unfold, folding.fold):
        document.edit_graph("Fold", lambda graph, change=change: change(graph, group))
        person.rest(0.03)
    view.gallery.setCurrentIndex(view.gallery.rows_model.index(3))
    view.exclude()
    theme.apply(qapp, theme.LIGHT)
    view.tabs.setCurrentIndex(1)
    document.edit_data("Other data", source=Source.registry["moons.v1"](samples=100), roles={}, kinds={},
                       corrections=(), augmentation=())
    view.tabs.setCurrentIndex(0)
    rest(person, view)
    assert view.gallery.rows_model.rowCount() == 100 and runner.state == "running" and runner.stale
    document.undo_stack.undo()
    rest(person, view)
    assert len(view.samples) == len(document.dataset) > 100 and len(document.design.data.corrections) == 1
    window.show_start()
    theme.apply(qapp, theme.HIGH_CONTRAST)
    window.show_canvas()
    assert document.graph.groups[0].folded and runner.state == "running"


def test_the_theme_changes_when_the_session_has_gone(two_themes, person, qapp):
    """As the desktop may do while a window closes."""
    person.open_example("digits_vae", epochs=1)
    person.train()
    view = person.window.docks.show("generate").build()
    person.wait(lambda: view.shown is not None)
    assert person.window.end()
    theme.apply(qapp, theme.LIGHT)
    assert person.runner.session is None and view.shown is not None
