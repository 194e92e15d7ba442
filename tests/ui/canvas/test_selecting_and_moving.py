"""Selecting, moving, deleting, copying: what one does with layers that are there."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from nndesigner.graph import edit
from nndesigner.graph.model import Edge
from tests.ui.canvas.conftest import ALT, CTRL, SHIFT, chain


def places(hands) -> dict[str, tuple[float, float]]:
    return {n.id: (n.x, n.y) for n in hands.graph.nodes}


def test_rubber_band_selects_what_it_touches(hands):
    hands.show(chain())
    hands.drag((-40, 160), (300, 100))
    assert set(hands.document.selection) == {"n1", "n2"}
    assert hands.view.board.nodes["n1"].selected and not hands.view.board.nodes["n3"].selected
    hands.drag((900, 200), (650, 100), keys=SHIFT)
    assert set(hands.document.selection) == {"n1", "n2", "n4"}
    hands.drag((-40, 160), (100, 100), keys=CTRL)
    assert set(hands.document.selection) == {"n2", "n4"}


def test_ctrl_click_toggles_and_a_click_on_nothing_clears(hands):
    hands.show(chain())
    hands.click(hands.middle("n1"))
    hands.click(hands.middle("n2"), keys=CTRL)
    hands.click(hands.middle("n3"), keys=SHIFT)
    assert hands.document.selection == ("n1", "n2", "n3")
    hands.click(hands.middle("n2"), keys=CTRL)
    assert hands.document.selection == ("n1", "n3")
    hands.click((100, 300))
    assert hands.document.selection == ()


def test_selection_made_elsewhere_shows_on_the_canvas(hands):
    hands.show(chain())
    hands.document.select(["n3"])
    assert [i for i, item in hands.view.board.nodes.items() if item.selected] == ["n3"]


def test_a_drag_is_one_step_on_the_grid_and_takes_the_selection_along(hands):
    hands.show(chain())
    hands.drag((-40, 160), (300, 100))
    before = places(hands)
    hands.drag(hands.middle("n1"), (80 + 47, 60 + 108))
    after = places(hands)
    assert after["n1"] == (40, 100) and after["n2"] == (280, 100) and after["n3"] == before["n3"]
    assert hands.document.undo_stack.count() == 1 and hands.document.undo_stack.undoText() == "Move 2 layers"
    end = hands.view.board.edges[Edge("n2", "n3")].path().elementAt(0)
    assert (end.x, end.y) == (440, 163), "the wire follows"
    hands.document.undo_stack.undo()
    assert places(hands) == before
    assert hands.view.board.nodes["n1"].pos().toTuple() == (0, 0)


def test_a_drag_there_and_back_is_no_edit(hands):
    hands.show(chain())
    start = hands.middle("n2")
    hands.press(start)
    hands.move((start[0] + 100, start[1]))
    hands.move(start)
    hands.release(start)
    assert hands.document.undo_stack.count() == 0


def test_escape_ends_a_drag_without_a_trace(hands):
    hands.show(chain())
    hands.press(hands.middle("n2"))
    hands.move((500, 300))
    hands.key(Qt.Key.Key_Escape)
    assert hands.view.gesture is None
    assert hands.view.board.nodes["n2"].pos().toTuple() == (240, 0)
    hands.release((500, 300))
    assert hands.document.undo_stack.count() == 0


def test_alt_moves_off_the_grid(hands, monkeypatch):
    from PySide6.QtCore import QPointF

    from nndesigner.ui.canvas.gestures import MoveNodes, Pointer

    hands.show(chain())
    start = Pointer(QPointF(0, 0), QPointF(0, 0), Qt.KeyboardModifier.NoModifier)
    gesture = MoveNodes(hands.view, start, ("n2",))
    end = Pointer(QPointF(7, 9), QPointF(7, 9), ALT)
    gesture.move(end)
    gesture.finish(end)
    assert places(hands)["n2"] == (247, 9)


def test_a_node_removed_during_its_drag_ends_the_drag(hands):
    hands.show(chain())
    hands.press(hands.middle("n2"))
    hands.move((400, 300))
    hands.document.edit_graph("Delete", lambda g: edit.remove_nodes(g, ["n2"]))
    assert hands.view.gesture is None
    hands.move((420, 320))
    hands.release((420, 320))
    assert "n2" not in hands.graph.by_id and "n2" not in hands.view.board.nodes


def test_a_node_removed_while_a_wire_is_drawn_from_it_ends_the_wire(hands):
    hands.show(chain())
    hands.press(hands.output("n2"))
    hands.move((400, 300))
    before = len(hands.view.board.items())
    hands.document.edit_graph("Delete", lambda g: edit.remove_nodes(g, ["n2"]))
    assert hands.view.gesture is None and len(hands.view.board.items()) < before
    hands.release((400, 300))
    assert not hands.view.menu.isVisible()


def test_another_drawing_opened_during_a_drag_is_safe(hands):
    hands.show(chain())
    hands.press(hands.middle("n2"))
    hands.move((400, 300))
    from nndesigner.project.design import Design

    hands.document.open(Design())
    hands.release((400, 300))
    assert not hands.view.board.nodes and not hands.graph.nodes


def test_delete_cuts_and_backspace_rejoins(hands):
    hands.show(chain())
    hands.click(hands.middle("n2"))
    hands.key(Qt.Key.Key_Backspace)
    assert set(hands.graph.edges) == {Edge("n1", "n3"), Edge("n3", "n4")}
    hands.document.undo_stack.undo()
    hands.click(hands.middle("n2"))
    hands.key(Qt.Key.Key_Delete)
    assert hands.graph.edges == (Edge("n3", "n4"),)


def test_a_selected_wire_is_deleted_by_key(hands):
    hands.show(chain())
    hands.click((440, 63))
    assert hands.view.board.selected_edges == {Edge("n2", "n3")} and hands.document.selection == ()
    hands.key(Qt.Key.Key_Delete)
    assert Edge("n2", "n3") not in hands.graph.edges
    assert hands.view.board.selected_edges == frozenset()
    hands.document.undo_stack.undo()
    assert Edge("n2", "n3") in hands.view.board.edges


def test_copy_and_paste_keeps_wires_and_parameters(hands):
    hands.show(chain())
    hands.document.select(["n2", "n3"])
    hands.key(Qt.Key.Key_C, CTRL)
    hands.key(Qt.Key.Key_V, CTRL)
    assert len(hands.graph.nodes) == 6 and hands.document.selection == ("n5", "n6")
    assert Edge("n5", "n6") in hands.graph.edges
    assert hands.graph.node("n5").layer == hands.graph.node("n2").layer
    hands.key(Qt.Key.Key_V, CTRL)
    assert len({(n.x, n.y) for n in hands.graph.nodes}) == 8, "a second paste does not hide the first"


def test_cut_and_duplicate_are_named_steps(hands):
    hands.show(chain())
    hands.document.select(["n2"])
    hands.key(Qt.Key.Key_D, CTRL)
    assert hands.document.undo_stack.undoText() == "Duplicate Dense"
    hands.key(Qt.Key.Key_X, CTRL)
    assert hands.document.undo_stack.undoText() == "Cut Dense" and len(hands.graph.nodes) == 4


HOSTILE = [
    "",
    "hello",
    "{",
    "[" * 100_000,
    "nndesigner layers",
    '{"clip": "nndesigner layers"}',
    '{"clip": "nndesigner layers", "nodes": [], "edges": [], "next_id": 1}',
    '{"clip": "nndesigner layers", "nodes": [1], "edges": [], "next_id": 1}',
    json.dumps(
        {
            "clip": "nndesigner layers",
            "next_id": 2,
            "edges": [["n1", "n9", "in"]],
            "nodes": [{"id": "n1", "layer": {"kind": "dense.v1"}, "x": 0, "y": 0, "name": ""}],
        }
    ),
    json.dumps(
        {
            "clip": "nndesigner layers",
            "next_id": 2,
            "edges": [],
            "nodes": [{"id": "n1", "layer": {"kind": "dense.v1", "units": -5}, "x": 0, "y": 0}],
        }
    ),
    '{"clip": "nndesigner layers", "next_id": 2, "edges": [], "nodes": [{"id": "n1", "layer": {"kind": "dense.v1"},'
    ' "x": NaN, "y": 1e999}]}',
    json.dumps(
        {
            "clip": "nndesigner layers",
            "next_id": 2,
            "edges": [],
            "nodes": [{"id": "n1", "layer": {"kind": "dense.v1"}, "x": 1e300, "y": 0}],
        }
    ),
    json.dumps(
        {"clip": "nndesigner layers", "next_id": 2, "edges": [], "nodes": [{"id": "n1", "layer": 3, "x": 1, "y": 0}]}
    ),
    json.dumps(
        {
            "clip": "nndesigner layers",
            "next_id": 3,
            "edges": [["n1", "n2", "in"], ["n2", "n1", "in"]],
            "nodes": [
                {"id": "n1", "layer": {"kind": "dense.v1"}, "x": 0, "y": 0},
                {"id": "n2", "layer": {"kind": "dense.v1"}, "x": 0, "y": 0},
            ],
        }
    ),
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:24])
def test_a_strange_clipboard_is_refused_without_harm(hands, text):
    hands.show(chain())
    before = hands.graph
    QApplication.clipboard().setText(text)
    hands.key(Qt.Key.Key_V, CTRL)
    if "n2" in text:  # two nodes that feed each other are a drawing with a problem, not a danger
        assert any("circle" in p.text for p in hands.document.checked.problems)
    else:
        assert hands.graph == before


def test_arrow_keys_move_by_a_cell_as_one_step(hands):
    hands.show(chain())
    hands.document.select(["n2"])
    for _ in range(3):
        hands.key(Qt.Key.Key_Right)
    hands.key(Qt.Key.Key_Up)
    assert places(hands)["n2"] == (300, -20)
    assert hands.document.undo_stack.count() == 1
    hands.document.undo_stack.undo()
    assert places(hands)["n2"] == (240, 0)


def test_ctrl_arrows_walk_along_wires(hands):
    hands.show(chain())
    hands.view.setFocus()
    hands.key(Qt.Key.Key_Right, CTRL)
    assert hands.document.selection == ("n1",)
    hands.key(Qt.Key.Key_Right, CTRL)
    hands.key(Qt.Key.Key_Right, CTRL)
    hands.key(Qt.Key.Key_Left, CTRL)
    assert hands.document.selection == ("n2",)


def test_select_all_align_and_arrange(hands):
    hands.show(chain())
    hands.view.setFocus()
    hands.key(Qt.Key.Key_A, CTRL)
    assert len(hands.document.selection) == 4
    hands.view.commands["align_column"].trigger()
    assert len({x for x, _ in places(hands).values()}) == 1
    hands.key(Qt.Key.Key_L, CTRL)
    assert len({y for _, y in places(hands).values()}) == 1
    assert hands.document.undo_stack.undoText() == "Arrange"


def test_rename_in_place(hands):
    hands.show(chain())
    x, y = hands.middle("n2")
    hands.double_click((x, 15))
    assert hands.view.title_editor.isVisible()
    hands.type("features")
    hands.key(Qt.Key.Key_Return)
    assert hands.graph.node("n2").name == "features"
    assert hands.view.board.nodes["n2"].face.title == "features"
    hands.document.select(["n2"])
    hands.key(Qt.Key.Key_F2)
    hands.type("nonsense")
    hands.key(Qt.Key.Key_Escape)
    assert hands.graph.node("n2").name == "features"


def test_commands_that_cannot_work_say_why(hands):
    commands = hands.view.commands
    assert not commands["copy"].isEnabled() and "Select" in commands["copy"].toolTip()
    assert not commands["fit"].isEnabled() and "empty" in commands["fit"].toolTip()
    hands.show(chain())
    hands.document.select(["n1"])
    assert commands["copy"].isEnabled() and "Select" not in commands["copy"].toolTip()
    assert all(action.text() and action.toolTip() and not action.icon().isNull() for action in commands.values())
