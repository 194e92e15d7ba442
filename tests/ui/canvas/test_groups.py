"""Grouping, folding and writing notes by hand, on the real canvas."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from nndesigner.graph import edit
from nndesigner.graph.model import Edge
from nndesigner.ui.canvas.context_menu import menu_for
from nndesigner.ui.canvas.outline import Outline
from tests.ui.canvas.conftest import CTRL, NONE, SHIFT, chain, layer


def grouped(hands, *ids: str) -> str:
    """Select by clicks and press Ctrl+G. Returns the group's id."""
    hands.show(chain())
    for node_id in ids:
        hands.click(hands.middle(node_id), keys=CTRL)
    hands.key(Qt.Key.Key_G, CTRL)
    return hands.graph.groups[0].id


def title(hands, group: str) -> tuple[float, float]:
    return (hands.view.board.frames[group].title_area.center() + QPointF(30, 0)).toTuple()


def test_group_fold_unfold_and_undo(hands):
    group = grouped(hands, "n2", "n3")
    board = hands.view.board
    assert board.frames[group].selected and hands.graph.groups[0].members == ("n2", "n3")
    hands.click(board.frames[group].button_area.center().toTuple())
    assert set(board.nodes) == {"n1", group, "n4"} and not board.frames
    face = board.nodes[group].face
    assert (face.title, face.summary, face.shape) == ("Group", "2 layers", "3") and face.parameters == "67"
    assert set(board.edges) == {Edge("n1", group, "n2.in"), Edge(group, "n4")}
    hands.double_click(hands.middle(group))
    assert set(board.nodes) == {"n1", "n2", "n3", "n4"} and group in board.frames
    hands.key(Qt.Key.Key_G)
    assert group in board.nodes
    hands.key(Qt.Key.Key_G, CTRL | SHIFT)
    assert hands.graph == chain().derived(hands.graph.nodes, hands.graph.edges, hands.graph.next_id)
    hands.document.undo_stack.setIndex(0)
    assert hands.graph == chain()


def test_drag_by_the_title_moves_all_in_one_step(hands):
    group = grouped(hands, "n2", "n3")
    steps = hands.document.undo_stack.count()
    start = title(hands, group)
    hands.click((100, 400))
    hands.drag(start, (start[0] + 40, start[1] + 200))
    assert [(hands.graph.node(i).x, hands.graph.node(i).y) for i in ("n2", "n3")] == [(280, 200), (520, 200)]
    assert hands.graph.node("n1").x == 0 and hands.document.undo_stack.count() == steps + 1
    assert hands.view.board.frames[group].area.left() < 280


def test_a_box_is_moved_copied_and_deleted_as_one(hands):
    group = grouped(hands, "n2", "n3")
    hands.key(Qt.Key.Key_G)
    hands.click((100, 500))
    at = hands.middle(group)
    hands.drag(at, (at[0], at[1] + 200))
    assert {hands.graph.node(i).y for i in ("n2", "n3")} == {200}
    hands.key(Qt.Key.Key_D, CTRL)
    assert len(hands.graph.groups) == 2 and len(hands.view.board.nodes) == 4
    hands.key(Qt.Key.Key_Delete)
    hands.click(hands.middle(group))
    assert set(hands.document.selection) == {"n2", "n3"} and hands.view.board.nodes[group].selected
    hands.key(Qt.Key.Key_Backspace)
    assert hands.graph.edges == (Edge("n1", "n4"),) and hands.graph.groups == ()


def test_wires_are_drawn_to_and_from_a_box(hands):
    group = grouped(hands, "n2", "n3")
    hands.key(Qt.Key.Key_G)
    board = hands.view.board
    hands.click(((board.port_place("n1", "") + board.port_place(group, "n2.in")) / 2).toTuple())
    hands.key(Qt.Key.Key_Delete)
    assert hands.graph.incoming["n2"] == ()
    hands.drag(hands.output("n1"), hands.input(group, "n2.in"))
    assert hands.graph.incoming["n2"] == (Edge("n1", "n2"),)
    hands.document.edit_graph("x", lambda g: edit.add_node(g, layer("relu"), 300, 300)[0])
    loose = hands.graph.nodes[-1].id
    hands.drag(hands.output(group), hands.input(loose))
    assert hands.graph.incoming[loose] == (Edge("n3", loose),)
    hands.drag(hands.output(loose), hands.input(group, "n2.in"))
    assert hands.graph.incoming["n2"] == (Edge("n1", "n2"),), "this would close a circle"


def test_a_problem_inside_shows_on_the_box_and_leads_inside(hands):
    group = grouped(hands, "n2", "n3")
    hands.document.edit_graph("x", lambda g: edit.disconnect(g, Edge("n2", "n3")))
    hands.key(Qt.Key.Key_G)
    face = hands.view.board.nodes[group].face
    assert face.severity == "error" and "Dense" in face.problem
    hands.view.show_node("n3")
    assert "n3" in hands.view.board.nodes and hands.document.selection == ("n3",)


def test_rename_colour_and_outline(hands, qtbot):
    group = grouped(hands, "n2", "n3")
    hands.key(Qt.Key.Key_F2)
    hands.type("Body")
    hands.key(Qt.Key.Key_Return)
    assert hands.graph.groups[0].title == "Body"
    menu = menu_for(hands.view, QPointF(*title(hands, group)))
    colours = next(a.menu() for a in menu.actions() if a.text() == "Colour")
    next(a for a in colours.actions() if a.text() == "Teal").trigger()
    menu.close()
    assert hands.graph.groups[0].colour == "teal"
    outline = Outline(hands.document)
    qtbot.addWidget(outline)
    outline.show()
    rows = [outline.tree.model().index(k, 0) for k in range(outline.tree.model().rowCount())]
    row = next(r for r in rows if r.data().startswith("Body"))
    assert outline.tree.model().rowCount(row) == 2
    hands.document.select(())
    outline.tree.setCurrentIndex(row)
    assert set(hands.document.selection) == {"n2", "n3"}


def test_walking_passes_through_a_box(hands):
    group = grouped(hands, "n2", "n3")
    hands.key(Qt.Key.Key_G)
    hands.click(hands.middle("n1"))
    hands.key(Qt.Key.Key_Right, CTRL)
    assert set(hands.document.selection) == {"n2", "n3"} and hands.view.board.nodes[group].selected
    hands.key(Qt.Key.Key_Right, CTRL)
    assert hands.document.selection == ("n4",)


def test_a_note_is_written_moved_sized_coloured_and_deleted(hands):
    hands.show(chain())
    QTest.mouseMove(hands.view.viewport(), hands.pixel(300, 300))
    hands.view.flush_moves()
    hands.key(Qt.Key.Key_N)
    hands.type("Why two layers?")
    hands.click((700, 350))
    (note,) = hands.graph.notes
    assert (note.text, note.x, note.y) == ("Why two layers?", 300, 300)
    hands.drag((320, 320), (380, 360))
    assert (hands.graph.notes[0].x, hands.graph.notes[0].y) == (360, 340)
    corner = hands.view.board.notes[note.id].area.bottomRight() - QPointF(5, 5)
    hands.drag(corner.toTuple(), (corner.x() + 60, corner.y() + 20), keys=NONE)
    assert hands.graph.notes[0].w > note.w and hands.graph.notes[0].h > note.h
    hands.double_click((400, 360))
    hands.type("x")
    hands.key(Qt.Key.Key_Escape)
    assert hands.graph.notes[0].text == "Why two layers?"
    hands.click((400, 360))
    hands.key(Qt.Key.Key_Delete)
    assert not hands.graph.notes and len(hands.graph.nodes) == 4
    hands.document.undo_stack.setIndex(0)
    assert hands.graph == chain()
