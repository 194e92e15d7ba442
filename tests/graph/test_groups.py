"""Groups: what stands in them, what is drawn of them, and that edits told by boxes reach the layers behind."""

import pytest

from nndesigner.graph import edit, folding, grouping
from nndesigner.graph.blocks import BLOCKS, insert_block
from nndesigner.graph.check import check
from nndesigner.graph.edit import EditError
from nndesigner.graph.layout import arrange
from nndesigner.graph.model import NODE_H, NODE_W, Edge, Graph
from nndesigner.layers import Layer
from nndesigner.spec import Signature


def layer(kind, **params):
    return Layer.registry[f"{kind}.v1"](**params)


def chain(count=3) -> Graph:
    """n1 Input, then dense layers, then an Output, side by side."""
    graph = Graph()
    layers = [layer("input", shape=(4,)), *(layer("dense", units=4) for _ in range(count)), layer("output")]
    for k, each in enumerate(layers):
        graph, new = edit.add_node(graph, each, 192.0 * k, 0)
        graph = edit.connect(graph, f"n{k}", new) if k else graph
    return graph


def folded(graph, *ids):
    graph, group = grouping.group(graph, ids, folded=True)
    return graph, group, folding.drawn(graph)


def encoders(count):
    graph = Graph()
    for each in (layer("input", shape=(6, 8)), layer("flatten"), layer("dense", units=1), layer("output")):
        graph, new = edit.add_node(graph, each, 200.0 * len(graph.nodes), 0)
        graph = edit.connect(graph, f"n{int(new[1:]) - 1}", new) if new != "n1" else graph
    last = "n1"
    for _ in range(count):
        shapes = check(graph, Signature()).shapes
        graph, made = insert_block(graph, BLOCKS["block:transformer_encoder"], last, shapes[last])
        last = made[-1]
    return graph


def test_a_node_is_in_one_group_and_empty_groups_go():
    graph, first = grouping.group(chain(), ["n2", "n3"])
    graph, second = grouping.group(graph, ["n3", "n4"])
    assert {g.id: g.members for g in graph.groups} == {first: ("n2",), second: ("n3", "n4")}
    graph = edit.remove_nodes(graph, ["n2"])
    assert [g.id for g in graph.groups] == [second]
    graph, grown = grouping.group(graph, ["n3", "n4", "n5"])
    assert grown == second and graph.groups[0].members == ("n3", "n4", "n5"), "a whole group among them grows"
    assert grouping.ungroup(graph, ["n3"]).groups[0].members == ("n4", "n5")
    assert grouping.ungroup(graph, ["n3", "n4", "n5"]).groups == ()
    with pytest.raises(EditError, match="in a group"):
        grouping.ungroup(graph, ["n1"])


def test_copies_bring_their_groups():
    graph, group = grouping.group(chain(), ["n2", "n3"], "Body", folded=True)
    copied, ids = edit.duplicate(graph, ["n2", "n3"], 40, 40)
    assert copied.groups[1].members == ids and copied.groups[1].title == "Body" and copied.groups[1].id != group
    part, _ = edit.duplicate(graph, ["n2"], 40, 40)
    assert len(part.groups) == 1, "a part of a group is no group"


def test_files_keep_groups_and_notes_and_older_ones_open():
    graph, _ = grouping.group(chain(), ["n2", "n3"], "Body", folded=True)
    graph, note = grouping.add_note(graph, 5, 6, "look here")
    graph = grouping.set_note(graph, note, colour="pink", w=10)
    assert graph.notes[0].w == grouping.NOTE_W
    value = graph.to_json()
    assert Graph.from_json(value) == graph
    for key in ("groups", "notes"):
        del value[key]
    assert Graph.from_json(value).groups == ()


@pytest.mark.parametrize("groups", [
    [("g9", ["n77"])], [("g9", [])], [("g9", ["n2"]), ("g8", ["n2"])], [("n2", ["n2"])], [("g900", ["n2"])],
])
def test_damaged_groups_are_refused(groups):
    value = chain().to_json()
    value["next_id"] = 20
    value["groups"] = [
        {"id": i, "members": m, "title": "x", "folded": False, "colour": ""} for i, m in groups]
    with pytest.raises(ValueError, match=r"group|same id|id of an old one"):
        Graph.from_json(value)


def test_a_layer_put_between_two_of_a_group_joins_it():
    graph, _ = grouping.group(chain(), ["n2", "n3"])
    graph, new = edit.insert_on_edge(graph, Edge("n2", "n3"), layer("relu"), 0, 0)
    assert graph.groups[0].members == ("n2", "n3", new)


def test_a_folded_group_is_one_box_with_its_outer_wires():
    graph, group, shown = folded(chain(), "n2", "n3")
    box = shown.graph.node(group)
    assert [n.id for n in shown.graph.nodes] == ["n1", group, "n4", "n5"]
    assert box.layer.ports == ("n2.in",) and box.layer.emits and shown.out(group) == "n3"
    assert set(shown.graph.edges) == {Edge("n1", group, "n2.in"), Edge(group, "n4"), Edge("n4", "n5")}
    assert check(graph, Signature()).shapes == check(chain(), Signature()).shapes, "nothing is computed otherwise"


def test_an_unfolded_drawing_is_the_drawing():
    graph, _ = grouping.group(chain(), ["n2", "n3"])
    assert folding.drawn(graph).graph is graph


def test_one_source_is_one_port_and_open_ports_are_offered():
    graph = encoders(1)
    (group,) = graph.groups
    shown = folding.drawn(graph)
    assert len(shown.graph.incoming[group.id]) == 1, "norm and shortcut are fed by one wire"
    assert len(shown.behind(shown.graph.incoming[group.id][0])) == 2
    graph = shown.disconnect(graph, shown.graph.incoming[group.id][0])
    ports = folding.drawn(graph).graph.node(group.id).layer.ports
    assert len(ports) == 1, "the sum still has its other wire; the norm is open"


def test_edits_of_a_box_reach_its_layers():
    graph = encoders(2)
    first, second = graph.groups
    shown = folding.drawn(graph)
    wire = shown.graph.incoming[second.id][0]
    assert wire.source == first.id
    fed = {(e.target, e.port) for e in shown.behind(wire)}
    # the first encoder is left out: the input feeds the second one
    graph = shown.replace_source(graph, wire, "n1")
    assert {(e.target, e.port) for e in graph.outgoing["n1"] if e.target in second.members} == fed
    # a wire drawn to the wired port of a box takes the place of the old one
    graph = folding.drawn(graph).connect(graph, first.id, second.id, wire.port)
    assert folding.drawn(graph).graph.incoming[second.id] == (wire,)
    # a layer in the drawn wire stands before all that it feeds
    graph, new = folding.drawn(graph).insert(graph, wire, layer("relu"), 0, 0)
    assert {(e.target, e.port) for e in graph.outgoing[new]} == fed
    assert not [p for p in check(graph, Signature()).problems if p.severity == "error" and p.node]


def test_moving_a_box_moves_its_layers_together():
    graph, group, shown = folded(chain(), "n2", "n3")
    box = shown.graph.node(group)
    moved = shown.move(graph, {group: (box.x + 100, box.y - 40)})
    assert [(n.x, n.y) for n in moved.nodes] == [(0, 0), (292, -40), (484, -40), (576, 0), (768, 0)]


def test_what_is_drawn_is_taken_over_where_only_places_and_parameters_changed():
    graph, group, shown = folded(chain(), "n2", "n3")

    def same(a, b):
        return (a.graph, a.boxes, a.hidden, a.wires, a.ends, a.exits) == (
            b.graph, b.boxes, b.hidden, b.wires, b.ends, b.exits)

    inside = edit.set_params(edit.move(graph, {"n2": (50, 70), "n4": (900, 0)}), "n3", units=9)
    again = folding.redrawn(inside, graph, shown)
    assert same(again, folding.drawn(inside)) and again.graph.edges is shown.graph.edges
    for other in (
        edit.remove_nodes(graph, ["n3"]), edit.add_node(graph, layer("relu"), 0, 0)[0], folding.unfold(graph, group),
        edit.set_layer(graph, "n3", layer("subtract")), edit.disconnect(graph, Edge("n1", "n2")), chain(),
    ):
        assert same(folding.redrawn(other, graph, shown), folding.drawn(other))
        assert same(folding.redrawn(graph, other, folding.drawn(other)), shown)


def rects(graph):
    shown = folding.drawn(graph)
    frames = [folding.frame(graph, g) for g in graph.groups if not g.folded]
    return frames + [(n.x, n.y, NODE_W, NODE_H) for n in shown.graph.nodes if n.id not in graph.group_of]


def apart(graph):
    found = rects(graph)
    return not any(
        a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
        for k, a in enumerate(found) for b in found[:k])


def test_unfolding_makes_room_and_folding_moves_nothing():
    graph = encoders(3)
    assert apart(graph) and all(g.folded for g in graph.groups)
    assert len({n.y for n in folding.drawn(graph).graph.nodes if n.id in {g.id for g in graph.groups}}) == 1
    for group in graph.groups:
        graph = folding.unfold(graph, group.id)
        assert apart(graph)
    again = folding.fold(graph, graph.groups[0].id)
    assert again.nodes == graph.nodes and folding.unfold(again, graph.groups[0].id) == graph


@pytest.mark.parametrize("unfolded", [(), (1,), (0, 1, 2)])
def test_arrange_keeps_groups_together(unfolded):
    graph = encoders(3)
    for k in unfolded:
        graph = folding.unfold(graph, graph.groups[k].id)
    placed = arrange(graph)
    assert apart(placed) and arrange(placed) == placed
    for group in placed.groups:
        corners = {(placed.node(i).x, placed.node(i).y) for i in group.members}
        assert len(corners) == len(group.members), "also what is hidden lies side by side"
    whole = folding.drawn(placed, placed.groups)
    order = [whole.graph.node(g.id) for g in placed.groups]
    assert all((a.y, a.x) < (b.y, b.x) or a.x < b.x for a, b in zip(order, order[1:]))


def test_colours_are_those_there_are():
    graph, group = grouping.group(chain(), ["n2"])
    assert grouping.set_group(graph, group, colour="teal").groups[0].colour == "teal"
    with pytest.raises(EditError, match="no colour"):
        grouping.set_group(graph, group, colour="#ff0000")
