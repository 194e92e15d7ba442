"""Edits of a drawing: what each does, and what all of them keep true."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from nndesigner.graph import edit
from nndesigner.graph.edit import EditError
from nndesigner.graph.model import GAP_X, GAP_Y, NODE_H, NODE_W, Edge, Graph
from nndesigner.layers.activation import ReLU
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Add
from nndesigner.layers.reshape import Flatten
from tests.graph.drawings import assert_sound, drawing, graphs, perform, random_edits, unknown


def wires(graph: Graph) -> list[str]:
    return [f"{e.source[1:]}>{e.target[1:]}" for e in graph.edges]


def chain() -> Graph:
    return drawing([Input(), Dense(units=8), Dense(units=3), Output()])


# --- laws ---


@settings(max_examples=200, deadline=None)
@given(random_edits())
def test_random_edits_keep_the_drawing_sound_and_change_no_older_value(steps):
    graph, history = Graph(), []
    for step in steps:
        before = json.dumps(graph.to_json())
        tables = [dict(graph.by_id), dict(graph.incoming), dict(graph.outgoing)]
        history.append((graph, before, tables))
        try:
            graph = perform(graph, *step)
        except EditError as error:
            assert str(error).endswith(".")
            continue
        assert_sound(graph)
    for old, text, tables in history:  # undo by value: every earlier drawing is still what it was
        assert json.dumps(old.to_json()) == text
        assert [dict(old.by_id), dict(old.incoming), dict(old.outgoing)] == tables


@settings(deadline=None)
@given(random_edits())
def test_ids_are_never_used_again(steps):
    graph, seen = Graph(), set()
    for step in steps:
        before = set(graph.by_id)
        try:
            graph = perform(graph, *step)
        except EditError:
            continue
        new = graph.by_id.keys() - before
        assert not new & seen
        seen |= new


@settings(deadline=None)
@given(graphs())
def test_copy_and_paste_keeps_layers_and_inner_wires_under_new_ids(graph: Graph):
    part = [n.id for n in graph.nodes][::2]
    pasted, new = edit.paste(graph, json.loads(json.dumps(edit.copy_part(graph, part))), 30, -10)
    assert_sound(pasted)
    assert len(new) == len(part) and not set(new) & set(graph.by_id)
    twin = dict(zip(part, new))
    for old, fresh in twin.items():
        a, b = graph.node(old), pasted.node(fresh)
        assert (b.layer, b.name, b.x, b.y) == (a.layer, a.name, a.x + 30, a.y - 10)
    inner = [Edge(twin[e.source], twin[e.target], e.port) for e in graph.edges if e.source in twin and e.target in twin]
    assert pasted.edges == (*graph.edges, *inner)


# --- nodes ---


def test_add_node_gives_the_next_id():
    graph, first = edit.add_node(Graph(), Input(), 10, 20, "data")
    graph, second = edit.add_node(graph, Dense(), 0, 0)
    assert (first, second, graph.next_id) == ("n1", "n2", 3)
    assert (graph.node("n1").x, graph.node("n1").y, graph.node("n1").title) == (10, 20, "data")
    assert graph.node("n2").title == "Dense"


def test_remove_cuts_and_rejoin_joins():
    assert wires(edit.remove_nodes(chain(), ["n2"])) == ["3>4"]
    assert wires(edit.remove_nodes(chain(), ["n2"], rejoin=True)) == ["1>3", "3>4"]
    assert wires(edit.remove_nodes(chain(), ["n2", "n3"], rejoin=True)) == ["1>4"]
    assert wires(edit.remove_nodes(chain(), ["n1"], rejoin=True)) == ["2>3", "3>4"]


def test_rejoin_brings_all_branches_to_a_merge_but_only_one_to_a_single_port():
    graph = drawing([Input(), Input(), Add(), Add(), Input(), Output()], "1>3 2>3 3>4 5>4 4>6")
    assert wires(edit.remove_nodes(graph, ["n3"], rejoin=True)) == ["1>4", "2>4", "5>4", "4>6"]
    assert wires(edit.remove_nodes(graph, ["n3", "n4"], rejoin=True)) == ["5>6"]


def test_rejoin_makes_no_wire_twice():
    graph = drawing([Input(), ReLU(), Add(), Output()], "1>2 1>3 2>3 3>4")
    assert wires(edit.remove_nodes(graph, ["n2"], rejoin=True)) == ["1>3", "3>4"]


def test_removing_nothing_is_no_change():
    graph = chain()
    assert edit.remove_nodes(graph, []) is graph


def test_rename_and_parameters():
    graph = edit.rename(chain(), "n2", "  hidden ")
    assert graph.node("n2").title == "hidden"
    assert edit.rename(graph, "n2", "").node("n2").title == "Dense"
    graph = edit.set_params(graph, "n2", units=64, activation="relu")
    assert graph.node("n2").layer == Dense(units=64, activation="relu")
    with pytest.raises(ValueError):
        edit.set_params(graph, "n2", units=0)
    with pytest.raises(EditError):
        edit.set_params(drawing([unknown()]), "n1", strength=4)


def test_an_edit_that_changes_nothing_returns_the_same_drawing():
    graph = chain()
    assert edit.set_params(graph, "n2", units=8) is graph
    assert edit.move(graph, {"n1": (graph.node("n1").x, 0)}) is graph
    assert edit.connect(graph, "n1", "n2") is graph


def test_set_layer_keeps_the_wires_for_which_there_is_room():
    assert wires(edit.set_layer(chain(), "n2", ReLU())) == ["1>2", "2>3", "3>4"]
    assert wires(edit.set_layer(chain(), "n2", Output())) == ["1>2", "3>4"]
    assert wires(edit.set_layer(chain(), "n2", Input())) == ["2>3", "3>4"]
    merge = drawing([Input(), Input(), Add(), Output()], "1>3 2>3 3>4")
    assert wires(edit.set_layer(merge, "n3", Dense())) == ["1>3", "3>4"]


# --- wires ---


def test_connect_replaces_the_wire_on_a_single_port_and_adds_to_a_merge():
    graph, extra = edit.add_node(chain(), Input(), 0, 0)
    assert wires(edit.connect(graph, extra, "n2")) == ["5>2", "2>3", "3>4"]
    graph = edit.set_layer(graph, "n2", Add())
    assert wires(edit.connect(graph, extra, "n2")) == ["1>2", "2>3", "3>4", "5>2"]


@pytest.mark.parametrize(("source", "target", "port", "sentence"), [
    ("n3", "n2", "in", "Dense already leads to Dense: this wire would close a circle."),
    ("n2", "n2", "in", "Dense cannot feed itself."),
    ("n4", "n2", "in", "Output has no output: it ends the network."),
    ("n2", "n1", "in", "Input has no input: it begins the network."),
    ("n1", "n3", "side", "Dense has no port 'side': it has in."),
    ("n9", "n3", "in", "The drawing has no layer 'n9' any more."),
])
def test_impossible_wires_are_refused_with_a_sentence(source: str, target: str, port: str, sentence: str):
    with pytest.raises(EditError) as caught:
        edit.connect(chain(), source, target, port)
    assert str(caught.value) == sentence


def test_insert_on_edge_keeps_the_chain_and_the_order_at_a_merge():
    graph, new = edit.insert_on_edge(chain(), Edge("n2", "n3"), ReLU(), 5, 6)
    assert new == "n5" and set(wires(graph)) == {"1>2", "2>5", "5>3", "3>4"}
    merge = drawing([Input(), Input(), Add(), Output()], "1>3 2>3 3>4")
    graph, new = edit.insert_on_edge(merge, Edge("n1", "n3"), Flatten(), 0, 0)
    assert [e.source for e in graph.incoming["n3"]] == [new, "n2"]
    for layer in (Input(), Output()):
        with pytest.raises(EditError, match="cannot stand within a wire"):
            edit.insert_on_edge(merge, Edge("n1", "n3"), layer, 0, 0)
    with pytest.raises(EditError, match="does not have this wire any more"):
        edit.insert_on_edge(merge, Edge("n1", "n4"), Flatten(), 0, 0)


def test_rewire_source_and_target():
    graph = drawing([Input(), Input(), Dense(), Dense(), Add()], "1>3 2>4 3>5 4>5")
    assert wires(edit.replace_source(graph, Edge("n3", "n5"), "n1")) == ["1>3", "2>4", "1>5", "4>5"]
    assert wires(edit.replace_target(graph, Edge("n1", "n3"), "n4")) == ["1>4", "3>5", "4>5"]
    assert wires(edit.replace_source(graph, Edge("n3", "n5"), "n4")) == ["1>3", "2>4", "4>5"]
    with pytest.raises(EditError, match="circle"):
        edit.replace_source(graph, Edge("n1", "n3"), "n5")
    # the wire itself is no obstacle: turning a chain round is possible
    short = drawing([Dense(), Dense()])
    with pytest.raises(EditError, match="feed itself"):
        edit.replace_source(short, Edge("n1", "n2"), "n2")


# --- parts and places ---


@pytest.mark.parametrize("clip", [
    None, 5, "text", {}, {"clip": "other"}, {"clip": edit.CLIP}, {"clip": edit.CLIP, "nodes": 3},
    {**edit.copy_part(chain(), ["n1"]), "edges": [["n1", "n7", "in"]]},
])
def test_a_foreign_clipboard_is_refused(clip):
    with pytest.raises(EditError) as caught:
        edit.paste(Graph(), clip)
    assert str(caught.value).startswith("The ")


def test_align():
    graph = edit.move(chain(), {"n1": (50, 70), "n2": (10, 300), "n3": (400, 20)})
    ids = ["n1", "n2", "n3"]

    def places(g: Graph) -> list[tuple[float, float]]:
        return [(g.node(i).x, g.node(i).y) for i in ids]

    assert places(edit.align(graph, ids, "left")) == [(10, 70), (10, 300), (10, 20)]
    assert places(edit.align(graph, ids, "top")) == [(50, 20), (10, 20), (400, 20)]
    step_x, step_y = NODE_W + GAP_X, NODE_H + GAP_Y
    assert places(edit.align(graph, ids, "row")) == [(10 + step_x, 20), (10, 20), (10 + 2 * step_x, 20)]
    assert places(edit.align(graph, ids, "column")) == [(10, 20 + step_y), (10, 20 + 2 * step_y), (10, 20)]
    with pytest.raises(EditError):
        edit.align(graph, ids, "spiral")
