"""Padding changes nothing: a padded batch gives the numbers of its samples alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.graph.check import check
from nndesigner.graph.edit import add_node, connect, set_params
from nndesigner.graph.model import Graph
from nndesigner.layers import Layer
from nndesigner.layers.attention import CrossAttention, SelfAttention
from nndesigner.layers.base import Bind
from nndesigner.layers.conv import Conv1D
from nndesigner.layers.dense import Dense
from nndesigner.layers.embedding import Embedding
from nndesigner.layers.gated import GRU, LSTM
from nndesigner.layers.globalpool import GlobalAvgPool1D, GlobalMaxPool1D
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Add, Concatenate
from nndesigner.layers.norm import LayerNorm
from nndesigner.layers.recurrent import SimpleRNN
from nndesigner.layers.regular import Noise
from nndesigner.spec import DataField, Shape, Signature
from tests.layers.layer_cases import BOUND, Case

LENGTHS = (5, 2, 1, 4)


def over_time(case: Case) -> bool:
    return all(shape.axes == "TF" for shape in case.shapes)


#: noise differs from sample to sample, batch norm looks at the whole batch, learnt positions are as many as steps
ROWS = [case for case in BOUND if case.layer.masking != "stop" and over_time(case)
        and not isinstance(case.layer, Noise) and case.layer.kind not in ("batchnorm.v1", "positionalencoding.v1")
        and getattr(case.layer, "axis", "last") != "T"]


def run(layer: Layer, ctx: Bind) -> None:
    forward, backward = layer.bind(ctx)
    forward()
    backward()


def lengthened(shapes: tuple[Shape, ...], steps: int) -> tuple[Shape, ...]:
    return tuple(Shape("TF", (steps, s.dims[1])) for s in shapes)


@pytest.mark.parametrize("case", ROWS, ids=str)
def test_a_padded_batch_gives_the_numbers_of_its_samples_alone(case: Case):
    steps = max(LENGTHS)
    layer = case.layer
    together = Case(layer, lengthened(case.shapes, steps), batch=len(LENGTHS)).bind()
    mask = (np.arange(steps) < np.array(LENGTHS)[:, None]).astype(float)
    if layer.masking == "use":
        together = replace(together, masks=tuple(mask for _ in together.x))
    by_steps = layer.output_shape(*lengthened(case.shapes, steps)).axes == "TF"
    if by_steps:
        together.dy[...] *= mask[..., None]
    dy = together.dy.copy()
    run(layer, together)
    sums = {name: np.zeros_like(grad) for name, grad in together.grads.items()}
    for i, n in enumerate(LENGTHS):
        alone = Case(layer, lengthened(case.shapes, n), batch=1).bind()
        alone = replace(alone, weights=together.weights)
        for x, whole in zip(alone.x, together.x):
            x[...] = whole[i:i + 1, :n]
        alone.dy[...] = dy[i:i + 1, :n] if by_steps else dy[i:i + 1]
        run(layer, alone)
        np.testing.assert_allclose(together.y[i, :n] if by_steps else together.y[i], alone.y[0], rtol=1e-9, atol=1e-11)
        for dx, whole in zip(alone.dx, together.dx):
            np.testing.assert_allclose(whole[i, :n], dx[0], rtol=1e-9, atol=1e-11)
            np.testing.assert_allclose(whole[i, n:], 0, atol=1e-11)
        for name in sums:
            sums[name] += alone.grads[name]
    for name, grad in together.grads.items():
        np.testing.assert_allclose(grad, sums[name], rtol=1e-9, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("layer", [
    SimpleRNN(units=3), LSTM(units=3, bidirectional=True), GRU(units=3), SelfAttention(heads=2),
    SelfAttention(heads=2, causal=True), CrossAttention(heads=2), GlobalAvgPool1D(), GlobalMaxPool1D()], ids=str)
def test_a_series_that_is_all_padding_is_harmless(layer: Layer):
    ctx = Case(layer, tuple(Shape("TF", (4, 6)) for _ in layer.ports), batch=2).bind(dtype=np.float32)
    mask = np.array([[0, 0, 0, 0], [0, 1, 1, 0]], dtype=np.float32)
    ctx = replace(ctx, masks=tuple(mask for _ in ctx.x))
    run(layer, ctx)
    assert all(np.isfinite(a).all() for a in (ctx.y, *ctx.dx, *ctx.grads.values()))
    if layer.masking == "use" and "pool" in layer.kind:
        np.testing.assert_array_equal(ctx.y[0], 0)
        np.testing.assert_array_equal(ctx.dx[0][0], 0)


TOKENS = Signature((DataField("tokens", "input", Shape("T", (5,), integer=True)),
                    DataField("target", "target", Shape("F", (3,)), "class", ("a", "b", "c"))))


def drawing(*layers: Layer) -> Graph:
    graph, last = add_node(Graph(), Input(), 0, 0)
    for layer in (*layers, Output()):
        graph, new = add_node(graph, layer, 0, 0)
        graph, last = connect(graph, last, new), new
    return graph


def test_the_check_knows_how_far_a_mask_reaches():
    graph = drawing(Embedding(vocabulary=9, units=4), LayerNorm(), Dense(units=6), GRU(units=3, output="sequence"),
                    Conv1D(filters=2), GRU(units=3), Dense(units=3))
    checked = check(graph, TOKENS)
    assert dict(checked.masks) == {"n2": "n2", "n3": "n2", "n4": "n2", "n5": "n2"}
    off = check(set_params(graph, "n2", mask_padding=False), TOKENS, checked)
    assert not off.masks
    again = check(set_params(off.graph, "n2", mask_padding=True), TOKENS, off)
    assert dict(again.masks) == dict(checked.masks)


def test_a_mask_passes_merges_of_steps_but_not_of_lengths():
    graph = drawing(Embedding(vocabulary=9, units=4), Dense(units=4))
    for layer in (Add(), Concatenate(axis="T")):
        branched, new = add_node(graph, layer, 0, 0)
        branched = connect(connect(branched, "n2", new), "n3", new)
        assert (new in check(branched, TOKENS).masks) == isinstance(layer, Add)


def test_categories_are_not_padding():
    fields = (DataField("kinds", "input", Shape("F", (2,), integer=True)), *TOKENS.targets)
    assert not check(drawing(Embedding(vocabulary=9, units=4), GlobalAvgPool1D(), Dense(units=3)),
                     Signature(fields)).masks


@pytest.mark.parametrize("readout", [
    (GRU(units=4, bidirectional=True),), (LSTM(units=4, output="sequence"), GlobalMaxPool1D()),
    (SelfAttention(heads=2), LayerNorm(), GlobalAvgPool1D())], ids=str)
def test_a_network_answers_a_padded_text_like_the_text_alone(readout: tuple[Layer, ...]):
    layers = (Embedding(vocabulary=9, units=4), Dense(units=4, activation="tanh"), *readout, Dense(units=3))
    texts = [[3, 1, 4], [2], [8, 7, 6, 5, 4]]
    padded = np.array([text + [0] * (5 - len(text)) for text in texts])
    network = Network(check(drawing(*layers), TOKENS), Device("cpu"), seed=3)
    answers = next(iter(network.predict({"tokens": padded}).values()))
    for text, answer in zip(texts, answers):
        short = Signature((DataField("tokens", "input", Shape("T", (len(text),), integer=True)), *TOKENS.targets))
        alone = Network(check(drawing(*layers), short), Device("cpu"), seed=3)
        alone.weights.load(network.weights.state_dict())
        found = next(iter(alone.predict({"tokens": np.array([text])}).values()))[0]
        np.testing.assert_allclose(answer, found, rtol=1e-5, atol=1e-6)


def test_a_plan_without_padding_has_no_masks():
    graph = drawing(Embedding(vocabulary=9, units=4), Dense(units=4), Conv1D(filters=2), GlobalAvgPool1D(),
                    Dense(units=3))
    plan = Network(check(graph, TOKENS), Device("cpu"), seed=3).plan(4, training=True)
    assert not [key for key in plan._buffers if key[0] == "mask"]
