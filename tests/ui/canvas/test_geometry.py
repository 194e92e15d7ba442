"""The way of wires: never through a node where there is another way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF

from nndesigner.graph import layout
from nndesigner.graph.model import NODE_H, NODE_W
from nndesigner.ui.canvas.geometry import Boxes, path_of, snap, wire
from tests.ui.canvas.conftest import drawn, layer


def route(places: dict[str, tuple[float, float]], source: str = "a", target: str = "b") -> list[QPointF]:
    """Points along the wire from one node to another."""
    boxes = Boxes((name, x, y) for name, (x, y) in places.items())
    (sx, sy), (ex, ey) = places[source], places[target]
    start, end = QPointF(sx + NODE_W, sy + NODE_H / 2), QPointF(ex, ey + NODE_H / 2)
    path = path_of(wire(start, end, source, target, boxes))
    assert path.pointAtPercent(0) == start and (path.pointAtPercent(1) - end).manhattanLength() < 1e-6
    return [path.pointAtPercent(t) for t in np.linspace(0, 1, 400)]


def crossed(points: list[QPointF], places: dict[str, tuple[float, float]]) -> set[str]:
    """Nodes whose body the points enter; touching the edge is the ports' right."""
    return {
        name
        for name, (x, y) in places.items()
        if any(x + 1 < p.x() < x + NODE_W - 1 and y + 1 < p.y() < y + NODE_H - 1 for p in points)
    }


def test_neighbours_are_joined_by_a_straight_line():
    points = route({"a": (0, 0), "b": (192, 0)})
    assert {round(p.y(), 6) for p in points} == {63.0}


def test_a_wire_goes_forward_without_detour_when_nothing_is_in_the_way():
    points = route({"a": (0, 0), "b": (400, 300)})
    assert all(160 <= p.x() <= 400 and 63 <= p.y() <= 363 for p in points)


def test_the_break_of_a_row_runs_between_the_rows():
    places = {"a": (760, 0), "b": (190, 194)} | {f"r{i}": (i * 190.0, 0) for i in range(4)}
    points = route(places)
    assert not crossed(points, places)
    between = [p.y() for p in points if 300 < p.x() < 800]
    assert between and all(126 < y < 194 for y in between)


def test_a_wire_around_the_node_between():
    places = {"a": (0, 0), "between": (192, 0), "b": (384, 0)}
    assert not crossed(route(places), places)


def test_a_backward_wire_in_one_row_goes_below_or_above():
    places = {"a": (400, 0), "between": (200, 0), "b": (0, 0)}
    points = route(places)
    assert not crossed(points, places)
    assert max(p.y() for p in points) > 126 or min(p.y() for p in points) < 0


@pytest.mark.parametrize("dx", [-300, -160, -100, 0, 100, 170])
@pytest.mark.parametrize("dy", [-400, -200, 200, 400])
def test_two_nodes_anywhere_apart(dx, dy):
    places = {"a": (0, 0), "b": (float(dx), float(dy))}
    assert not crossed(route(places), places)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["dense", "relu", "dropout", "batchnorm"]), min_size=1, max_size=22), st.data())
def test_no_wire_of_an_arranged_chain_with_skips_crosses_a_node(kinds, data):
    rows = [(layer("input", shape=(4,)), 0, 0), *((layer(k), 0, 0) for k in kinds), (layer("add"), 0, 0)]
    wires = [(i, i + 1) for i in range(1, len(rows))]
    skip = (data.draw(st.integers(1, len(rows) - 1)), len(rows))
    graph = layout.arrange(drawn(*rows, wires=tuple(dict.fromkeys([*wires, skip]))))
    places = {n.id: (n.x, n.y) for n in graph.nodes}
    for edge in graph.edges:
        hit = crossed(route(places, edge.source, edge.target), places)
        assert not hit, f"{edge} crosses {hit} in {places}"


def test_snap_and_boxes():
    assert [snap(v) for v in (-11, -9, 9, 11, 30.1)] == [-20, 0, 0, 20, 40]
    boxes = Boxes([("a", 0.0, 0.0), ("b", 500.0, 0.0)])
    assert [i for i, _, _ in boxes.within(10, 10, 10, 10)] == ["a"]
    boxes.place("b", 0.0, 50.0)
    assert [i for i, _, _ in boxes.within(10, 60, 10, 60)] == ["a", "b"]
    assert Boxes().within(0, 0, 1, 1) == []
