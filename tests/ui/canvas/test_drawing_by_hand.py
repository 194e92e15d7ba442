"""A person draws a network with the mouse."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from nndesigner.graph.model import Edge
from tests.ui.canvas.conftest import Hands, chain, drawn, layer


def kinds(hands: Hands) -> list[str]:
    return [n.layer.kind for n in hands.graph.nodes]


def test_draw_a_network_from_nothing_and_undo_it_all(hands):
    start = hands.graph
    assert hands.view.empty.isVisible()
    hands.drop("input.v1", (-300, 0))
    hands.drop("dense.v1", (0, 200))
    hands.drop("output.v1", (300, 0))
    assert not hands.view.empty.isVisible()
    assert kinds(hands) == ["input.v1", "dense.v1", "output.v1"] and not hands.graph.edges
    hands.drag(hands.output("n1"), hands.input("n2"))
    hands.drag(hands.input("n3"), hands.output("n2"))  # backwards, from the input
    assert hands.graph.edges == (Edge("n1", "n2"), Edge("n2", "n3"))
    hands.drag(hands.middle("n2"), (0, 60))
    hands.document.edit_graph("Shape", lambda g: g)
    finished = hands.graph
    names = [hands.document.undo_stack.text(i) for i in range(hands.document.undo_stack.count())]
    assert names == [
        "Add Input",
        "Add Dense",
        "Add Output",
        "Wire Input to Dense",
        "Wire Dense to Output",
        "Move Dense",
    ]
    while hands.document.undo_stack.canUndo():
        hands.document.undo_stack.undo()
    assert hands.graph == start and not hands.view.board.nodes and not hands.view.board.edges
    while hands.document.undo_stack.canRedo():
        hands.document.undo_stack.redo()
    assert hands.graph == finished
    assert set(hands.view.board.nodes) == {"n1", "n2", "n3"} and set(hands.view.board.edges) == set(finished.edges)


def test_a_layer_dropped_beside_another_is_wired_to_it(hands):
    hands.show(drawn((layer("input", shape=(4,)), 0, 0)))
    hands.drop("dense.v1", (0 + 160 + 40 + 80, 63))
    assert hands.graph.edges == (Edge("n1", "n2"),)
    hands.document.undo_stack.undo()
    assert len(hands.graph.nodes) == 1 and not hands.graph.edges


def test_a_layer_dropped_between_two_is_wired_to_both(hands):
    hands.show(drawn((layer("input", shape=(4,)), 0, 0), (layer("output"), 400, 0)))
    hands.drop("dense.v1", (200 + 80, 63))
    assert set(hands.graph.edges) == {Edge("n1", "n3"), Edge("n3", "n2")}


def test_a_dropped_layer_lands_on_the_grid_and_on_no_other(hands):
    hands.show(chain())
    hands.drop("dense.v1", (307, 85))
    new = hands.graph.nodes[-1]
    assert new.x % 20 == 0 and new.y % 20 == 0
    others = hands.graph.nodes[:-1]
    assert all(abs(n.x - new.x) >= 160 or abs(n.y - new.y) >= 126 for n in others)
    assert hands.document.selection == (new.id,)


def test_a_layer_dropped_on_a_wire_is_put_into_it(hands):
    hands.show(chain())
    hands.drop("dropout.v1", (440, 63))
    assert Edge("n2", "n5") in hands.graph.edges and Edge("n5", "n3") in hands.graph.edges
    assert Edge("n2", "n3") not in hands.graph.edges
    assert hands.document.undo_stack.undoText() == "Add Dropout"
    places = sorted((n.x, n.id) for n in hands.graph.nodes)
    assert [i for _, i in places] == ["n1", "n2", "n5", "n3", "n4"], "the nodes behind made room"
    assert all(b[0] - a[0] >= 160 for a, b in zip(places, places[1:], strict=False))


def test_leaving_with_a_dragged_layer_leaves_no_trace(hands):
    from PySide6.QtCore import QMimeData
    from PySide6.QtGui import QDragLeaveEvent

    from nndesigner.ui.palette import MIME

    hands.show(chain())
    before = len(hands.view.board.items())
    mime = QMimeData()
    mime.setData(MIME, b"dense.v1")
    hands.drag_in(mime, (440, 63))
    assert len(hands.view.board.items()) > before
    QApplication.sendEvent(hands.view.viewport(), QDragLeaveEvent())
    assert len(hands.view.board.items()) == before


def test_an_unknown_kind_is_not_accepted(hands):
    hands.drop("teapot.v9", (0, 0))
    assert not hands.graph.nodes


def test_rewire_by_the_end_of_a_wire(hands):
    graph = drawn(
        (layer("input", shape=(4,)), 0, 0), (layer("dense"), 300, 0), (layer("dense"), 300, 200), wires=((1, 2),)
    )
    hands.show(graph)
    hands.drag(hands.input("n2"), hands.input("n3"))
    assert hands.graph.edges == (Edge("n1", "n3"),)
    assert hands.document.undo_stack.undoText() == "Rewire"


def test_the_beginning_of_a_wire_can_be_taken_too(hands):
    graph = drawn(
        (layer("input", shape=(4,)), 0, 0),
        (layer("input", shape=(4,)), 0, 200),
        (layer("dense"), 400, 0),
        wires=((1, 3),),
    )
    hands.show(graph)
    x, y = hands.output("n1")
    hands.drag((x + 20, y), hands.output("n2"))
    assert hands.graph.edges == (Edge("n2", "n3"),)


def test_the_end_of_a_wire_let_go_over_nothing_deletes_it(hands):
    hands.show(chain())
    hands.drag(hands.input("n3"), (400, 300))
    assert Edge("n2", "n3") not in hands.graph.edges
    assert not hands.view.menu.isVisible()


def test_a_click_on_a_wired_port_changes_nothing_but_the_selection(hands):
    hands.show(chain())
    before = hands.graph
    hands.click(hands.input("n3"))
    assert hands.graph is before
    assert hands.view.board.selected_edges == {Edge("n2", "n3")}


def test_a_wire_that_would_close_a_circle_is_refused_with_a_sentence(hands):
    graph = drawn((layer("dense"), 0, 0), (layer("add"), 300, 0), (layer("dense"), 600, 0), wires=((1, 2), (2, 3)))
    hands.show(graph)
    hands.press(hands.output("n3"))
    hands.move((500, 200))
    assert hands.view.board.nodes["n2"].lit == frozenset(), "ports that cannot be reached stay dark"
    hands.move(hands.input("n2"))
    hands.release(hands.input("n2"))
    assert hands.graph == graph
    assert "circle" in hands.view.refusal.text


def test_ports_that_fit_light_up(hands):
    hands.show(drawn((layer("input", shape=(4,)), 0, 0), (layer("dense"), 300, 0), (layer("output"), 300, 200)))
    hands.press(hands.output("n1"))
    hands.move((250, 150))
    lit = {i: item.lit for i, item in hands.view.board.nodes.items()}
    assert lit == {"n1": frozenset(), "n2": {"in"}, "n3": {"in"}}
    hands.key(Qt.Key.Key_Escape)
    assert all(not item.lit for item in hands.view.board.nodes.values())
    hands.release((250, 150))
    assert not hands.graph.edges


def test_a_wire_let_go_over_nothing_offers_what_fits_and_wires_it(hands):
    hands.show(drawn((layer("input", shape=(8, 8, 1)), 0, 0)))
    hands.drag(hands.output("n1"), (300, 100))
    assert hands.view.menu.isVisible()
    offered = [c.layer.kind for c in hands.view.menu.rows]
    assert offered[0] == "conv2d.v1" and "input.v1" not in offered
    assert "dense.v1" not in offered, "Dense cannot take a picture"
    hands.key(Qt.Key.Key_Return)
    new = hands.graph.nodes[-1]
    assert new.layer.kind == "conv2d.v1" and hands.graph.edges == (Edge("n1", new.id),)
    assert abs(new.x - 300) <= 20 and abs(new.y + 63 - 100) <= 20, "its port is where the wire was let go"


def test_a_wire_drawn_backwards_offers_layers_that_emit(hands):
    hands.show(drawn((layer("dense"), 300, 0)))
    hands.drag(hands.input("n1"), (100, 100))
    assert "output.v1" not in [c.layer.kind for c in hands.view.menu.rows]
    hands.type("input")
    hands.key(Qt.Key.Key_Return)
    assert hands.graph.edges == (Edge("n2", "n1"),)


def test_a_misfit_is_allowed_but_told(hands):
    hands.show(drawn((layer("input", shape=(8, 8, 1)), 0, 0), (layer("dense"), 300, 0)))
    hands.press(hands.output("n1"))
    hands.move((250, 60))
    hands.move(hands.input("n2"))
    assert "Flatten" in hands.view.gesture._bubble.text
    hands.release(hands.input("n2"))
    assert hands.graph.edges == (Edge("n1", "n2"),)
    assert hands.view.board.nodes["n2"].face.severity == "error"


def test_double_click_on_a_wire_inserts(hands):
    hands.show(chain())
    hands.double_click((440, 63))
    hands.type("drop")
    hands.key(Qt.Key.Key_Return)
    assert Edge("n2", "n5") in hands.graph.edges and hands.graph.node("n5").layer.kind == "dropout.v1"


def test_a_loose_node_let_go_on_a_wire_is_put_into_it(hands):
    graph = drawn(
        (layer("input", shape=(4,)), 0, 0), (layer("dense"), 500, 0), (layer("dropout"), 200, 300), wires=((1, 2),)
    )
    hands.show(graph)
    hands.drag(hands.middle("n3"), (330, 60))
    assert set(hands.graph.edges) == {Edge("n1", "n3"), Edge("n3", "n2")}
    assert hands.document.undo_stack.count() == 1


def test_a_layer_dropped_near_the_usual_place_is_put_in_line(hands):
    hands.show(drawn((layer("input", shape=(4,)), 7, 13)))
    hands.drop("dense.v1", (7 + 160 + 32 + 80 + 9, 13 + 63 - 8))
    new = hands.graph.nodes[-1]
    assert (new.x, new.y) == (7 + 160 + 32, 13)
