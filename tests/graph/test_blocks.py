"""Blocks fit into a drawing, keep the shape of what arrives, and train."""

import numpy as np
import pytest

from nndesigner.engine.device import Device
from nndesigner.graph import edit
from nndesigner.graph.blocks import BLOCKS, insert_block
from nndesigner.graph.check import check
from nndesigner.graph.edit import EditError
from nndesigner.graph.model import Graph
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.reshape import Flatten
from nndesigner.spec import DataField, Shape, Signature
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.networks import prepared, random_arrays


def begin(shape):
    graph, ids = Graph(), []
    for place, layer in enumerate((Input(), Flatten(), Dense(units=1), Output())):
        graph, node = edit.add_node(graph, layer, 200.0 * place, 0)
        graph = edit.connect(graph, ids[-1], node) if ids else graph
        ids.append(node)
    fields = DataField("x", "input", shape), DataField("target", "target", Shape("F", (1,)))
    return graph, ids[0], Signature(fields)


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("features", [6, 5, 8])
def test_a_block_keeps_the_shape_and_trains(kind, features):
    block = BLOCKS[kind]
    shape = Shape(block.axes, (4, 3, features)[-len(block.axes):])
    graph, source, signature = begin(shape)
    graph, ids = insert_block(graph, block, source, shape, memory=source)
    checked = check(graph, signature)
    assert not [p for p in checked.problems if p.severity == "error"], checked.problems
    assert checked.shapes[ids[-1]] == shape
    assert [e.source for e in graph.incoming["n2"]] == [ids[-1]], "what followed the node now follows the block"
    assert len({(n.x, n.y) for n in graph.nodes}) == len(graph.nodes)
    trainer = Trainer(checked, prepared(checked, random_arrays(checked, 40)), TrainSettings(epochs=1), Device("cpu"))
    trainer.run()
    assert np.isfinite(trainer.history.metrics["train", "loss"])


def test_the_decoder_asks_for_its_memory():
    shape = Shape("TF", (4, 8))
    graph, source, signature = begin(shape)
    graph, _ = insert_block(graph, BLOCKS["block:transformer_decoder"], source, shape)
    problems = [p.text for p in check(graph, signature).problems if p.severity == "error"]
    assert len(problems) == 1 and "Look at the memory" in problems[0]


def test_what_does_not_fit_is_refused():
    graph, source, _ = begin(Shape("TF", (4, 8)))
    with pytest.raises(EditError, match="Residual block needs H × W × C"):
        insert_block(graph, BLOCKS["block:residual"], source, Shape("TF", (4, 8)))
