"""A monkey at the canvas: whatever it does, the scene shows the document, and undo brings everything back."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nndesigner.graph import edit, folding
from nndesigner.ui.canvas.edge_item import EdgeItem
from nndesigner.ui.canvas.group_item import GroupItem
from nndesigner.ui.canvas.node_item import NodeItem
from nndesigner.ui.canvas.note_item import NoteItem
from tests.ui.canvas.conftest import CTRL, NONE, SHIFT, chain

KINDS = ["dense.v1", "conv2d.v1", "add.v1", "output.v1", "input.v1", "flatten.v1", "subtract.v1"]
KEYS = [
    (Qt.Key.Key_Delete, NONE), (Qt.Key.Key_Backspace, NONE), (Qt.Key.Key_Escape, NONE), (Qt.Key.Key_A, CTRL),
    (Qt.Key.Key_C, CTRL), (Qt.Key.Key_V, CTRL), (Qt.Key.Key_D, CTRL), (Qt.Key.Key_X, CTRL), (Qt.Key.Key_L, CTRL),
    (Qt.Key.Key_Left, NONE), (Qt.Key.Key_Right, CTRL), (Qt.Key.Key_F, NONE), (Qt.Key.Key_0, CTRL),
    (Qt.Key.Key_Tab, NONE),
    (Qt.Key.Key_Return, NONE), (Qt.Key.Key_F2, NONE), (Qt.Key.Key_Down, SHIFT),
    (Qt.Key.Key_G, CTRL), (Qt.Key.Key_G, CTRL), (Qt.Key.Key_G, CTRL | SHIFT), (Qt.Key.Key_G, NONE),
    (Qt.Key.Key_G, NONE), (Qt.Key.Key_N, NONE),
]  # fmt: skip


def check(hands) -> None:
    """The scene shows the document, and nothing else once no gesture goes on."""
    board, graph = hands.view.board, hands.graph
    assert set(hands.document.selection) <= set(graph.by_id)
    graph = folding.drawn(graph).graph
    assert set(board.nodes) == set(graph.by_id) and set(board.edges) == set(graph.edges)
    assert board.selected_edges <= set(graph.edges)
    assert set(board.frames) == {g.id for g in hands.graph.groups if not g.folded}
    assert set(board.notes) == {n.id for n in hands.graph.notes}
    if hands.view.gesture is None:
        assert all(board.nodes[n.id].pos().toTuple() == (n.x, n.y) for n in graph.nodes)
        assert all(item.isVisible() for item in board.edges.values())
        assert not any(item.lit or item.opacity() < 1 for item in board.nodes.values())
        others = [item for item in board.items() if not isinstance(item, (NodeItem, EdgeItem, GroupItem, NoteItem))]
        assert len(others) <= (1 if hands.view.refusal.text else 0), others
        for edge, item in board.edges.items():
            path = item.path()
            assert (path.pointAtPercent(0) - board.port_place(edge.source, "")).manhattanLength() < 0.01
            assert (path.currentPosition() - board.port_place(edge.target, edge.port)).manhattanLength() < 0.01


def act(hands, chance: random.Random) -> None:
    """One thing that hands can do, well or badly aimed."""
    area = hands.view.visible_area()

    def somewhere() -> tuple[float, float]:
        nodes = hands.view.board.graph.nodes
        if nodes and chance.random() < 0.7:
            node = chance.choice(nodes)
            corner = chance.choice(
                [(80, 60), (80, 15), (0, 63), (160, 63), (0, 42), (180, 63), (80, 140), (80, -20), (-4, -30)])
            return node.x + corner[0], node.y + corner[1]
        return chance.uniform(area.left(), area.right()), chance.uniform(area.top(), area.bottom())

    doing = chance.randrange(11)
    if doing == 0:
        hands.drop(chance.choice(KINDS), somewhere())
    elif doing in (1, 2, 3):
        hands.drag(somewhere(), somewhere(), keys=chance.choice([NONE, NONE, CTRL, SHIFT]))
    elif doing == 4:
        hands.click(somewhere(), keys=chance.choice([NONE, CTRL, SHIFT]))
    elif doing == 5:
        hands.double_click(somewhere())
    elif doing == 6:
        key, keys = chance.choice(KEYS)
        QTest.keyClick(QApplication.focusWidget() or hands.view, key, keys)
    elif doing == 7:
        hands.press(somewhere())
        hands.move(somewhere())
        if chance.random() < 0.5 and hands.graph.nodes:
            gone = chance.choice(hands.graph.nodes).id
            hands.document.edit_graph("Remove", lambda g: edit.remove_nodes(g, [gone]))
        else:
            chance.choice([hands.document.undo_stack.undo, hands.document.undo_stack.redo])()
        hands.move(somewhere())
        hands.release(somewhere())
    elif doing == 8:
        for _ in range(chance.randrange(1, 4)):
            hands.document.undo_stack.undo()
    elif doing == 9:
        hands.document.undo_stack.redo()
    else:
        hands.view.set_zoom(chance.choice([0.2, 0.38, 0.5, 1.0, 1.0, 1.7]))
        hands.view.grab()


@pytest.mark.parametrize("seed", range(6))
def test_monkey(hands, seed):
    chance = random.Random(seed)
    hands.show(chain())
    start = hands.graph
    for _ in range(150):
        act(hands, chance)
        check(hands)
        if len(hands.graph.nodes) > 40:
            hands.document.undo_stack.setIndex(0)
    hands.view.cancel_gesture()
    end, count = hands.graph, hands.document.undo_stack.count()
    hands.document.undo_stack.setIndex(0)
    assert hands.graph == start
    check(hands)
    hands.document.undo_stack.setIndex(count)
    check(hands)
    assert hands.document.undo_stack.index() == count and (hands.graph == end or hands.document.undo_stack.canUndo())
