"""Automatic placement: no overlaps, forward in rows, branches stacked, few crossings."""

from __future__ import annotations

import math
import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from nndesigner.graph import edit
from nndesigner.graph.layout import GAP_X, GAP_Y, GRID, NODE_H, NODE_W, arrange, free_spot
from nndesigner.graph.model import Edge, Graph, Node
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Add
from tests.graph.drawings import broken_graphs, dags, drawing, graphs

STEP_X, STEP_Y = NODE_W + GAP_X, NODE_H + GAP_Y


def net(count: int, wires: list[tuple[int, int]]) -> Graph:
    nodes = tuple(Node(f"n{k}", Add()) for k in range(1, count + 1))
    return Graph(nodes, tuple(Edge(f"n{a}", f"n{b}") for a, b in wires), count + 1)


def places(graph: Graph) -> dict[str, tuple[float, float]]:
    """Column and row of every node, in steps of the layout."""
    return {n.id[1:]: (n.x / STEP_X, n.y / STEP_Y) for n in graph.nodes}


def assert_apart(graph: Graph, gap_x: float = 0.0, gap_y: float = 0.0) -> None:
    nodes = sorted(graph.nodes, key=lambda n: n.x)
    for k, a in enumerate(nodes):
        for b in nodes[k + 1:]:
            if b.x - a.x >= NODE_W + gap_x:
                break
            assert abs(a.y - b.y) >= NODE_H + gap_y, f"{a.id} and {b.id} overlap"


def straight_crossings(graph: Graph) -> int:
    """Pairs of wires that cross when drawn as straight lines between ports."""
    ends = [(graph.node(e.source), graph.node(e.target)) for e in graph.edges]
    lines = [(s.x + NODE_W, s.y, t.x, t.y) for s, t in ends]

    def side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
        return (bx - ax) * (py - ay) - (by - ay) * (px - ax)

    count = 0
    for k, (a, b, c, d) in enumerate(lines):
        for e, f, g, h in lines[k + 1:]:
            apart = side(a, b, c, d, e, f) * side(a, b, c, d, g, h) < 0
            count += apart and side(e, f, g, h, a, b) * side(e, f, g, h, c, d) < 0
    return count


# --- laws ---


@settings(max_examples=150, deadline=None)
@given(dags())
def test_no_two_nodes_come_near(graph: Graph):
    assert_apart(arrange(graph), GAP_X, GAP_Y - 1)  # heights are rounded to whole units


@settings(max_examples=50, deadline=None)
@given(graphs() | broken_graphs())
def test_any_drawing_can_be_arranged_also_one_with_circles(graph: Graph):
    arranged = arrange(graph)
    assert_apart(arranged)
    assert [(n.id, n.layer, n.name) for n in arranged.nodes] == [(n.id, n.layer, n.name) for n in graph.nodes]
    assert arranged.edges == graph.edges


@settings(max_examples=100, deadline=None)
@given(dags(), st.randoms(use_true_random=False))
def test_the_result_depends_on_the_wires_only_and_stays_at_the_corner(graph: Graph, rnd: random.Random):
    arranged = arrange(graph)
    assert arrange(arranged) == arranged
    shuffled = edit.move(graph, {n.id: (rnd.uniform(-500, 500), rnd.uniform(-500, 500)) for n in graph.nodes})
    left, top = min(n.x for n in shuffled.nodes), min(n.y for n in shuffled.nodes)
    for a, b in zip(arranged.nodes, arrange(shuffled).nodes):
        assert math.isclose(b.x - left, a.x, abs_tol=1e-6) and math.isclose(b.y - top, a.y, abs_tol=1e-6)


@settings(max_examples=100, deadline=None)
@given(dags(most=6))
def test_wires_run_to_the_right_in_a_drawing_of_one_row(graph: Graph):
    arranged = arrange(graph)
    for edge in graph.edges:
        assert arranged.node(edge.target).x >= arranged.node(edge.source).x + STEP_X


# --- examples ---


def test_a_short_chain_is_a_straight_row():
    graph = arrange(drawing([Input(), Dense(), Dense(), Dense(), Dense(), Output()]))
    assert [(n.x, n.y) for n in graph.nodes] == [(192 + k * STEP_X, 0) for k in range(6)]


def test_a_long_chain_wraps_into_rows_like_the_mock_up():
    chain = net(9, [(k, k + 1) for k in range(1, 9)])
    assert list(places(arrange(chain)).values()) == [
        (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (1, 1), (2, 1), (3, 1), (4, 1)]


def test_a_very_long_chain_fills_a_page_not_a_tower():
    graph = arrange(net(200, [(k, k + 1) for k in range(1, 200)]))
    width, height = max(n.x for n in graph.nodes) + NODE_W, max(n.y for n in graph.nodes) + NODE_H
    assert 1 < width / height < 2.5


def test_branches_are_stacked_around_the_trunk():
    assert places(arrange(net(6, [(1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5), (5, 6)]))) == {
        "1": (0, 1), "2": (1, 0), "3": (1, 1), "4": (1, 2), "5": (2, 1), "6": (3, 1)}


def test_a_shortcut_leaves_the_trunk_straight():
    found = places(arrange(net(5, [(1, 2), (2, 3), (3, 4), (1, 4), (4, 5)])))
    assert found == {str(k): (k - 1, 0) for k in range(1, 6)}


def test_an_input_that_enters_late_stands_near_where_it_enters():
    found = places(arrange(net(5, [(1, 2), (2, 3), (4, 3), (3, 5)])))
    assert found["4"][0] == found["3"][0] - 1


def test_parts_and_single_nodes_stand_below_one_another():
    found = places(arrange(net(6, [(1, 2), (3, 4)])))
    assert found == {"1": (0, 0), "2": (1, 0), "3": (0, 1), "4": (1, 1), "5": (0, 2), "6": (1, 2)}


def test_folding_prefers_a_place_where_one_wire_passes():
    # ten columns; in the fourth and fifth two branches run side by side: folding behind the fifth would cut both
    wires = [(1, 2), (2, 3), (3, 4), (3, 5), (4, 6), (5, 7), (6, 8), (7, 8), (8, 9), (9, 10), (10, 11), (11, 12)]
    graph = arrange(net(12, wires))
    back = [e for e in graph.edges if graph.node(e.target).x <= graph.node(e.source).x]
    assert len(back) == 1


def test_crossed_branches_are_untangled():
    # two chains side by side, drawn so that a naive order crosses them at every step, and a binary tree
    ladder = net(9, [(1, 3), (1, 2), (2, 5), (3, 4), (4, 7), (5, 6), (6, 8), (7, 8), (8, 9)])
    assert straight_crossings(arrange(ladder)) == 0
    tree = net(15, [(k, 2 * k + b) for k in range(1, 8) for b in (1, 0)])
    assert straight_crossings(arrange(tree)) == 0


def test_fewer_crossings_than_in_the_order_of_drawing():
    rnd = random.Random(5)
    total, naive = 0, 0
    for _ in range(20):
        columns = [list(range(1 + 5 * c, 6 + 5 * c)) for c in range(5)]
        wires = [(rnd.choice(columns[c - 1]), b) for c in range(1, 5) for b in columns[c]]
        wires += [(a, rnd.choice(columns[c + 1])) for c in range(4) for a in columns[c]]
        graph = net(25, sorted(set(wires)))
        naive += straight_crossings(edit.move(graph, {
            f"n{i}": (c * STEP_X, k * STEP_Y) for c, column in enumerate(columns) for k, i in enumerate(column)}))
        total += straight_crossings(arrange(graph))
    assert total < 0.5 * naive


def test_a_thousand_nodes_are_arranged_quickly():
    rnd = random.Random(3)
    wires = sorted({tuple(sorted(rnd.sample(range(max(1, k - 20), k + 1), 2))) for k in range(25, 1001) for _ in "ab"})
    graph = net(1000, wires)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        arrange(graph)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5


# --- free places ---


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 400)), max_size=12),
       st.floats(0, 500), st.floats(0, 400))
def test_free_spot_is_on_the_grid_and_overlaps_nothing_and_is_the_nearest(others, x: float, y: float):
    graph = Graph(tuple(Node(f"n{k}", Add(), float(a), float(b)) for k, (a, b) in enumerate(others)))

    def free(px: float, py: float) -> bool:
        return all(abs(px - n.x) >= NODE_W or abs(py - n.y) >= NODE_H for n in graph.nodes)

    px, py = free_spot(graph, x, y)
    assert px % GRID == 0 and py % GRID == 0 and free(px, py)
    distance = math.hypot(px - x, py - y)
    reach = int(distance // GRID) + 2
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            qx, qy = (round(x / GRID) + i) * GRID, (round(y / GRID) + j) * GRID
            assert math.hypot(qx - x, qy - y) >= distance - 1e-9 or not free(qx, qy)


def test_free_spot_of_an_empty_place_is_that_place():
    assert free_spot(Graph(), 203, 396) == (200, 400)
