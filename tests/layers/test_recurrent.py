"""A batch of series gives what its parts give, also where its steps are worked through in other blocks."""

from __future__ import annotations

import numpy as np
import pytest

from nndesigner.layers.gated import GRU, LSTM
from nndesigner.layers.recurrent import Recurrent, SimpleRNN
from nndesigner.spec import Shape
from tests.layers.layer_cases import Case


@pytest.mark.parametrize("layer", [
    SimpleRNN(units=3, bidirectional=True), LSTM(units=3, bidirectional=True, output="sequence"), LSTM(units=5),
    GRU(units=3, bidirectional=True), GRU(units=4, output="sequence")], ids=lambda layer: layer.kind)
@pytest.mark.parametrize("training", [True, False])
def test_a_large_batch_equals_its_small_parts(layer: Recurrent, training: bool):
    case = Case(layer, (Shape("TF", (6, 4)),), batch=20)
    whole = case.bind(training=training)
    forward, backward = layer.bind(whole)
    dy = whole.dy.copy() if training else None
    forward()
    backward()
    sums = {name: np.zeros_like(grad) for name, grad in whole.grads.items()}
    for start in range(0, 20, 5):
        rows = slice(start, start + 5)
        part = case.bind(training=training, batch=5)
        part.weights.update(whole.weights)
        part.x[0][...] = whole.x[0][rows]
        if training:
            part.dy[...] = dy[rows]
        forward, backward = layer.bind(part)
        forward()
        backward()
        np.testing.assert_allclose(whole.y[rows], part.y, rtol=1e-10, atol=1e-12)
        if training:
            np.testing.assert_allclose(whole.dx[0][rows], part.dx[0], rtol=1e-10, atol=1e-12)
        for name in sums:
            sums[name] += part.grads[name]
    for name, grad in whole.grads.items():
        np.testing.assert_allclose(grad, sums[name], rtol=1e-10, atol=1e-12, err_msg=name)
