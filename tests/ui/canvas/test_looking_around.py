"""Zoom, pan, fit, the mini-map, and what the canvas shows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nndesigner.graph import edit
from nndesigner.graph.model import Edge
from nndesigner.ui import theme
from tests.ui.canvas.conftest import LEFT, MIDDLE, NONE, chain, drawn, layer


def wheel(hands, at: QPointF, angle: int = 0, pixels: QPoint | None = None, keys=NONE) -> None:
    phase = Qt.ScrollPhase.NoScrollPhase if pixels is None else Qt.ScrollPhase.ScrollUpdate
    view = hands.view.viewport()
    QApplication.sendEvent(
        view,
        QWheelEvent(
            at,
            QPointF(view.mapToGlobal(at.toPoint())),
            pixels or QPoint(),
            QPoint(0, angle),
            Qt.MouseButton.NoButton,
            keys,
            phase,
            False,
        ),
    )


@pytest.mark.parametrize("angle", [120, -120, 30, -600])
def test_wheel_zooms_and_keeps_the_point_under_the_cursor(hands, angle):
    hands.show(chain())
    at = QPointF(333, 217)
    before = hands.view.scene_at(at)
    wheel(hands, at, angle)
    after = hands.view.scene_at(at)
    assert (hands.view.zoom > 1) == (angle > 0)
    assert abs(after.x() - before.x()) * hands.view.zoom <= 1 and abs(after.y() - before.y()) * hands.view.zoom <= 1


def test_zoom_there_and_back_rests_at_exactly_100_percent(hands):
    hands.show(chain())
    for angle in (120, 120, -120, -120):
        wheel(hands, QPointF(400, 300), angle)
    assert hands.view.zoom == 1.0


def test_zoom_has_limits(hands):
    hands.show(chain())
    for _ in range(60):
        wheel(hands, QPointF(400, 300), 600)
    assert hands.view.zoom == 4.0
    for _ in range(60):
        wheel(hands, QPointF(400, 300), -600)
    assert hands.view.zoom == 0.08


def test_trackpad_pans_and_ctrl_zooms(hands):
    hands.show(chain())
    before = hands.view.scene_at(QPointF(0, 0))
    wheel(hands, QPointF(400, 300), 40, QPoint(30, -20))
    after = hands.view.scene_at(QPointF(0, 0))
    assert (before - after).toTuple() == (30, -20) and hands.view.zoom == 1.0
    wheel(hands, QPointF(400, 300), 40, QPoint(0, 20), Qt.KeyboardModifier.ControlModifier)
    assert hands.view.zoom > 1.0


def test_middle_button_and_space_pan(hands):
    hands.show(chain())
    before = hands.view.scene_at(QPointF(0, 0))
    QTest.mousePress(hands.view.viewport(), MIDDLE, NONE, QPoint(100, 100))
    QTest.mouseMove(hands.view.viewport(), QPoint(160, 130))
    QTest.mouseRelease(hands.view.viewport(), MIDDLE, NONE, QPoint(160, 130))
    assert (before - hands.view.scene_at(QPointF(0, 0))).toTuple() == (60, 30)
    QTest.keyPress(hands.view, Qt.Key.Key_Space)
    QTest.mousePress(hands.view.viewport(), LEFT, NONE, QPoint(160, 130))
    QTest.mouseMove(hands.view.viewport(), QPoint(100, 100))
    QTest.mouseRelease(hands.view.viewport(), LEFT, NONE, QPoint(100, 100))
    QTest.keyRelease(hands.view, Qt.Key.Key_Space)
    assert hands.view.scene_at(QPointF(0, 0)) == before
    assert not hands.view.menu.isVisible(), "the space bar panned, so it opens no menu"
    assert hands.document.undo_stack.count() == 0


def test_fit_shows_everything_and_never_enlarges(hands):
    hands.show(drawn((layer("dense"), -2000, 0), (layer("dense"), 2000, 900)))
    hands.view.setFocus()
    hands.key(Qt.Key.Key_F)
    assert hands.view.visible_area().contains(hands.view.board.extent()) and hands.view.zoom < 1
    hands.key(Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert hands.view.zoom == 1.0
    hands.document.edit_graph("x", lambda g: edit.remove_nodes(g, ["n2"]))
    hands.key(Qt.Key.Key_F)
    assert hands.view.zoom == 1.0


def test_minimap_hides_when_all_is_seen_and_takes_one_there(hands):
    hands.show(chain())
    assert not hands.view.minimap.isVisible()
    hands.document.edit_graph("x", lambda g: edit.move(g, {"n4": (6000, 3000)}))
    assert hands.view.minimap.isVisible()
    far = hands.view.board.extent(["n4"]).center()
    assert not hands.view.visible_area().contains(far)
    QTest.mouseClick(
        hands.view.minimap, LEFT, NONE, QPoint(hands.view.minimap.width() - 12, hands.view.minimap.height() - 26)
    )
    assert hands.view.visible_area().contains(far)


def test_show_node_selects_and_brings_into_view(hands):
    hands.show(chain())
    hands.document.edit_graph("x", lambda g: edit.move(g, {"n4": (6000, 3000)}))
    hands.view.show_node("n4")
    assert hands.document.selection == ("n4",)
    assert hands.view.visible_area().contains(hands.view.board.extent(["n4"]))


def test_a_node_shows_shape_parameters_and_problems(hands):
    hands.show(chain())
    face = hands.view.board.nodes["n2"].face
    assert (face.title, face.shape, face.parameters, face.severity) == ("Dense", "8", "40", "")
    hands.document.edit_graph("x", lambda g: edit.set_params(g, "n2", units=2000))
    assert hands.view.board.nodes["n2"].face.parameters == "10.0\u202fk"
    hands.document.edit_graph("x", lambda g: edit.disconnect(g, Edge("n1", "n2")))
    face = hands.view.board.nodes["n2"].face
    assert face.severity == "error" and face.problem.endswith(".") and face.shape == "—"


def test_only_what_changed_gets_another_item(hands):
    hands.show(chain())
    items = dict(hands.view.board.nodes)
    hands.document.edit_graph("x", lambda g: edit.set_params(g, "n2", units=5))
    hands.document.edit_graph("x", lambda g: edit.add_node(g, layer("dense"), 0, 300)[0])
    assert all(hands.view.board.nodes[i] is item for i, item in items.items())


def test_problems_are_told_on_hover(hands, qtbot):
    from PySide6.QtGui import QHelpEvent
    from PySide6.QtWidgets import QToolTip

    hands.show(drawn((layer("dense"), 0, 0)))
    at = hands.pixel(80, 60)
    QApplication.sendEvent(
        hands.view.viewport(), QHelpEvent(QHelpEvent.Type.ToolTip, at, hands.view.viewport().mapToGlobal(at))
    )
    assert hands.view.board.nodes["n1"].face.problem == QToolTip.text() != ""


def test_another_theme_repaints(hands):
    hands.show(chain())
    dark = hands.view.grab().toImage()
    theme.apply(QApplication.instance(), theme.LIGHT)
    try:
        light = hands.view.grab().toImage()
    finally:
        theme.apply(QApplication.instance(), theme.DARK)
    again = hands.view.grab().toImage()
    centre = hands.pixel(300, 110)
    assert dark.pixelColor(5, 5).name() == theme.DARK.canvas.lower()
    assert light.pixelColor(5, 5).name() == theme.LIGHT.canvas.lower()
    assert dark.pixelColor(centre) != light.pixelColor(centre) and dark.pixelColor(centre) == again.pixelColor(centre)


@pytest.mark.parametrize("zoom", [0.09, 0.2, 0.35, 0.41, 0.77, 1.0, 2.5])
def test_every_zoom_paints_nodes(hands, zoom):
    hands.show(chain())
    hands.document.select(["n2"])
    hands.view.set_zoom(zoom)
    hands.view.settle()
    picture = hands.view.grab().toImage()
    at = hands.pixel(300, 121) if zoom < 4 else QPoint()
    if hands.view.viewport().rect().contains(at):
        assert picture.pixelColor(at).name() != theme.DARK.canvas.lower()


def test_dropped_files_are_handed_on(hands, qtbot, tmp_path):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "data.csv"))])
    hands.drag_in(mime, (0, 0))
    with qtbot.waitSignal(hands.view.files_dropped) as caught:
        QApplication.sendEvent(
            hands.view.viewport(), QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, mime, LEFT, NONE)
        )
    assert caught.args == [[tmp_path / "data.csv"]]


def test_the_right_menu_for_each_place(hands):
    from nndesigner.ui.canvas.context_menu import menu_for

    hands.show(
        drawn(
            (layer("input", shape=(8, 8, 1)), 0, 0),
            (layer("dense"), 240, 0),
            (layer("output"), 480, 0),
            wires=((1, 2), (2, 3)),
        )
    )
    node = [a.text() for a in menu_for(hands.view, QPointF(300, 60)).actions()]
    assert any("Flatten" in text for text in node), "the repairs of the problem come first"
    assert hands.document.selection == ("n2",)
    wire = [a.text() for a in menu_for(hands.view, QPointF(200, 63)).actions()]
    assert "Insert a layer…" in wire and hands.view.board.selected_edges == {Edge("n1", "n2")}
    empty = [a.text() for a in menu_for(hands.view, QPointF(200, 400)).actions()]
    assert "Paste" in empty and "Arrange" in empty


def test_an_opened_project_is_shown_whole(hands):
    from nndesigner.project.design import Design

    hands.document.open(Design(drawn((layer("dense"), 5000, 5000), (layer("dense"), 9000, 7000))))
    assert hands.view.visible_area().contains(hands.view.board.extent())
    hands.view.set_zoom(1.0)
    hands.document.edit_graph("x", lambda g: edit.remove_nodes(g, ["n1"]))
    hands.document.undo_stack.undo()
    assert hands.view.zoom == 1.0, "an edit does not take the view away"


def test_a_wire_with_a_problem_is_dashed(hands):
    hands.show(drawn((layer("input", shape=(8, 8, 1)), 0, 0), (layer("dense"), 300, 0), wires=((1, 2),)))
    item = hands.view.board.edges[Edge("n1", "n2")]
    assert item.severity == "error" and item.pen().style() == Qt.PenStyle.CustomDashLine
    hands.document.edit_graph("x", lambda g: edit.set_layer(g, "n2", layer("conv2d")))
    assert item.severity == "" and item.pen().style() == Qt.PenStyle.SolidLine
