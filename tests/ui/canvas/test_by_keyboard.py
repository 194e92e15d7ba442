"""Without a mouse: the quick menu, and the outline for keyboard and screen reader."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nndesigner.graph import edit
from nndesigner.graph.model import Edge
from nndesigner.ui.canvas import Outline, ranking
from tests.ui.canvas.conftest import CTRL, chain, drawn, layer


def space(hands) -> None:
    QTest.keyClick(hands.view, Qt.Key.Key_Space)


def test_build_a_network_with_the_keyboard_alone(hands):
    space(hands)
    hands.type("inp")
    hands.key(Qt.Key.Key_Return)
    for word in ("dense", "dropout", "dense", "output"):
        hands.key(Qt.Key.Key_Tab)
        assert hands.view.menu.isVisible() and hands.view.menu.search.hasFocus()
        hands.type(word)
        hands.key(Qt.Key.Key_Return)
        assert hands.view.hasFocus()
    assert [n.layer.kind for n in hands.graph.nodes] == ["input.v1", "dense.v1", "dropout.v1", "dense.v1", "output.v1"]
    assert hands.graph.edges == tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(1, 5))
    taken = [(n.x, n.y) for n in hands.graph.nodes]
    assert all(abs(a[0] - b[0]) >= 160 or abs(a[1] - b[1]) >= 126 for i, a in enumerate(taken) for b in taken[:i])
    hands.key(Qt.Key.Key_Left, CTRL)
    hands.key(Qt.Key.Key_Backspace)
    assert Edge("n3", "n5") in hands.graph.edges


def test_arrows_choose_and_escape_closes(hands):
    hands.show(drawn((layer("input", shape=(8, 8, 1)), 0, 0)))
    hands.document.select(["n1"])
    space(hands)
    second = hands.view.menu.rows[1].layer
    hands.key(Qt.Key.Key_Down)
    hands.key(Qt.Key.Key_Return)
    assert hands.graph.nodes[-1].layer.kind == second.kind
    space(hands)
    hands.key(Qt.Key.Key_Escape)
    assert not hands.view.menu.isVisible() and hands.view.hasFocus() and len(hands.graph.nodes) == 2


def test_a_click_elsewhere_closes_the_menu(hands):
    hands.show(chain())
    hands.double_click((100, 300))
    assert hands.view.menu.isVisible()
    hands.click((100, 200))
    assert not hands.view.menu.isVisible() and len(hands.graph.nodes) == 4


def test_a_click_in_the_menu_takes(hands):
    hands.show(drawn((layer("input", shape=(4,)), 0, 0)))
    hands.double_click((300, 300))
    menu = hands.view.menu
    row = next(n for n, c in enumerate(menu.rows) if c.layer.kind == "dense.v1")
    box = menu.list.visualRect(menu.list.model().index(row, 0))
    QTest.mouseClick(menu.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, box.center())
    assert hands.graph.nodes[-1].layer.kind == "dense.v1"


def test_the_menu_stays_within_the_view(hands):
    hands.show(chain())
    room = hands.view.rect()
    for corner in ((room.right() - 2, room.bottom() - 2), (2, 2)):
        hands.view.add_menu.open(
            hands.view.scene_at(QApplication.instance().activeWindow().rect().topLeft().toPointF() + _point(*corner))
        )
        assert room.contains(hands.view.menu.geometry())


def _point(x: float, y: float) -> object:
    from PySide6.QtCore import QPointF

    return QPointF(x, y)


def test_search_finds_by_name_first_then_by_meaning(qapp):
    assert ranking.choices(ranking.Place(), "dense")[0].layer.kind == "dense.v1"
    assert ranking.choices(ranking.Place(), "conv")[0].layer.kind == "conv2d.v1"
    assert ranking.choices(ranking.Place(), "zzzz") == []


def test_what_does_not_fit_is_offered_only_when_asked_for_and_says_why(qapp):
    from nndesigner.spec import Shape

    place = ranking.Place(after="input.v1", shape=Shape("HWC", (8, 8, 1)), needs_input=True)
    assert "dense.v1" not in [c.layer.kind for c in ranking.choices(place, "")]
    found = ranking.choices(place, "dense")
    row = next(c for c in found if c.layer.kind == "dense.v1")
    assert row.objection.startswith("needs")
    assert "input.v1" not in [c.layer.kind for c in ranking.choices(place, "")]


def test_the_menu_learns_what_this_user_puts_after_a_layer(qapp):
    place = ranking.Place(after="dense.v1", needs_input=True)
    assert ranking.choices(place, "")[0].layer.kind != "layernorm.v1"
    for _ in range(3):
        ranking.note_use("dense.v1", "layernorm.v1")
    assert ranking.choices(place, "")[0].layer.kind == "layernorm.v1"
    assert ranking.choices(ranking.Place(after="conv2d.v1"), "")[0].layer.kind != "layernorm.v1"


def test_broken_settings_do_not_stop_the_menu(qapp):
    from PySide6.QtCore import QSettings

    for broken in ("{", "[]", '{"dense.v1": 3}', '{"dense.v1": {"relu.v1": "x"}}'):
        QSettings().setValue("canvas/used_after", broken)
        assert ranking.choices(ranking.Place(after="dense.v1"), "")


def test_outline_lists_layers_with_their_wires_and_shares_the_selection(hands, qtbot):
    outline = Outline(hands.document)
    qtbot.addWidget(outline)
    outline.show()
    hands.show(chain())
    model = outline.tree.model()
    assert [model.index(r, 0).data().split()[0] for r in range(model.rowCount())] == [
        "Input",
        "Dense",
        "Dense",
        "Output",
    ]
    dense = model.index(1, 0)
    words = [model.index(r, 0, dense).data(Qt.ItemDataRole.AccessibleTextRole) for r in range(model.rowCount(dense))]
    assert words == ["fed by Input", "feeds Dense"]
    hands.document.select(["n2"])
    assert outline.tree.currentIndex() == dense
    outline.tree.setFocus()
    QTest.keyClick(outline.tree, Qt.Key.Key_Left)  # fold
    QTest.keyClick(outline.tree, Qt.Key.Key_Down)
    assert hands.document.selection == ("n3",)
    with qtbot.waitSignal(outline.show_wanted) as caught:
        outline.tree.activated.emit(model.index(1, 0, model.index(2, 0)))
    assert caught.args == ["n4"] and hands.document.selection == ("n4",)
    hands.document.edit_graph("x", lambda g: edit.remove_nodes(g, ["n2"]))
    assert model.rowCount() == 3
    assert any("error" in model.index(r, 0).data(Qt.ItemDataRole.AccessibleTextRole) for r in range(3))


def test_widgets_have_accessible_names(hands):
    view = hands.view
    for widget in (view, view.menu.search, view.menu.list, view.minimap, view.title_editor, view.empty):
        assert widget.accessibleName()


def test_a_hidden_outline_does_nothing_and_catches_up(hands, qtbot):
    from nndesigner.ui import theme

    outline = Outline(hands.document)
    qtbot.addWidget(outline)
    outline.show()
    hands.show(chain())
    outline.hide()
    hands.document.edit_graph("x", lambda g: edit.remove_nodes(g, ["n2", "n3"]))
    assert outline.tree.model().rowCount() == 4
    theme.notifier.changed.emit()
    hands.document.select(["n4"])
    outline.show()
    assert outline.tree.model().rowCount() == 2 and outline.tree.currentIndex().row() == 1
