"""The drawing as a value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from nndesigner.graph.model import Graph
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from tests.graph.drawings import assert_sound, drawing, graphs, unknown


@settings(deadline=None)
@given(graphs())
def test_json_and_back_gives_an_equal_drawing(graph: Graph):
    again = Graph.from_json(json.loads(json.dumps(graph.to_json())))
    assert again == graph
    assert_sound(again)


def test_an_unknown_layer_is_kept_word_for_word():
    data = drawing([Input(), unknown(), Output()]).to_json()
    graph = Graph.from_json(data)
    assert graph.node("n2").layer.kind == "wavelet.v7"
    assert graph.to_json() == data


@pytest.mark.parametrize("spoil", [
    lambda d: d.pop("nodes"),
    lambda d: d["nodes"][0].pop("id"),
    lambda d: d["nodes"].append(d["nodes"][0]),
    lambda d: d["edges"].append(["n1", "n9", "in"]),
    lambda d: d["edges"].append(d["edges"][0]),
    lambda d: d["nodes"][0]["layer"].update(units=-1),
    lambda d: d.update(edges=5),
    lambda d: d.update(next_id=None),
    lambda d: d.update(next_id=1),
    lambda d: d["nodes"][0].update(x="far"),
    lambda d: d["nodes"][0].update(x=float("nan")),
    lambda d: d["nodes"][0].update(layer=7),
])
def test_what_is_no_drawing_is_refused_with_a_value_error(spoil):
    data = json.loads(json.dumps(drawing([Dense(), Output()]).to_json()))
    spoil(data)
    with pytest.raises(ValueError):
        Graph.from_json(data)
