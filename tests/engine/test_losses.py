"""Losses: gradients, PyTorch's values, and what they ask of the network."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np
import pytest

from nndesigner.engine.gradcheck import check_loss
from nndesigner.engine.losses import (
    BinaryCrossEntropy,
    ConnectionistTemporal,
    CosineDistance,
    CrossEntropy,
    Focal,
    Hinge,
    Huber,
    KullbackLeibler,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
    default_loss,
)
from nndesigner.spec import DataField, Shape, ShapeError
from nndesigner.spec.loss import Loss, LossBind
from tests.golden_files import Golden, assert_agrees, goldens

GOLDENS = goldens("losses")
LABELS = np.array([1, 0, 2, 2])
SHARES = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.1, 0.8, 0.1], [0.4, 0.4, 0.2]])
#: repeated characters, an empty text, one that needs every step, one that needs more
TEXTS = np.array([[1, 1, 2, 0], [0, 0, 0, 0], [3, 3, 3, 3], [2, 1, 0, 0]])
#: every loss with a shape of scores and its target; a loss that is not here fails the tests
CASES: list[tuple[Loss, tuple[int, ...], Any]] = [
    (MeanSquaredError(), (4, 3), None),
    (MeanAbsoluteError(), (4, 3), None),
    (Huber(), (4, 3), None),
    (Huber(delta=0.2), (2, 3, 2), None),
    (CrossEntropy(), (4, 3), LABELS),
    (CrossEntropy(label_smoothing=0.2), (4, 3), LABELS),
    (CrossEntropy(), (2, 2, 3), LABELS.reshape(2, 2)),
    (CrossEntropy(class_weights=(0.5, 2.0, 1.0)), (4, 3), LABELS),
    (CrossEntropy(class_weights=(0.5, 2.0, 1.0), label_smoothing=0.1), (4, 3), LABELS),
    (CrossEntropy(), (4, 3), SHARES),
    (CrossEntropy(class_weights=(0.5, 2.0, 1.0)), (4, 3), SHARES),
    (Focal(), (4, 3), LABELS),
    (Focal(gamma=0.5), (4, 3), LABELS),
    (Hinge(), (4, 3), LABELS),
    (KullbackLeibler(), (4, 3), LABELS),
    (KullbackLeibler(), (4, 3), SHARES),
    (ConnectionistTemporal(), (4, 7, 4), TEXTS),
    (LogCosh(), (4, 3), None),
    (Poisson(), (4, 2), np.array([[0.0, 3], [1, 2], [5, 0], [2, 2]])),
    (CosineDistance(), (4, 3), None),
    (CosineDistance(), (2, 3, 4), None),
    (BinaryCrossEntropy(), (4, 1), np.array([0, 1, 1, 0])),
    (BinaryCrossEntropy(), (4, 3), np.random.default_rng(0).random((4, 3))),
]
cases = pytest.mark.parametrize(("loss", "shape", "target"), CASES, ids=lambda value: getattr(value, "kind", None))


def bind(loss: Loss, x: np.ndarray, target: np.ndarray, weight: float = 1.0, training: bool = True) -> LossBind:
    arrays: dict[str, np.ndarray] = {}

    def scratch(name: str, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        array = arrays.setdefault(name, np.zeros(shape, dtype=dtype or x.dtype))
        assert array.shape == tuple(shape)
        return array

    dx = np.full_like(x, np.nan) if training else None
    return LossBind(np, x, target, np.full_like(x, np.nan), dx, np.zeros(1, np.float32), weight, scratch)


def inputs(shape: tuple[int, ...], target: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return rng.standard_normal(shape), rng.standard_normal(shape) if target is None else target


def test_every_loss_is_in_the_table_and_has_golden_values():
    kinds = {loss.kind for loss in Loss.all()}
    assert {loss.kind for loss, _, _ in CASES} == kinds
    assert {golden.declared["kind"] for golden in GOLDENS} == kinds


@cases
def test_backward_is_the_derivative_of_forward(loss: Loss, shape: tuple[int, ...], target: np.ndarray | None):
    check_loss(loss, *inputs(shape, target), weight=0.7)


@cases
def test_value_and_prediction_without_training(loss: Loss, shape: tuple[int, ...], target: np.ndarray | None):
    x, target = inputs(shape, target)
    results = []
    for training in (True, False):
        ctx = bind(loss, x, target, training=training)
        loss.bind(ctx)[0]()
        assert np.isfinite(ctx.y).all()
        results.append((ctx.value[0], ctx.y.copy()))
    assert results[0][0] == results[1][0]
    np.testing.assert_array_equal(results[0][1], results[1][1])
    assert Loss.from_json(json.loads(json.dumps(loss.to_json()))) == loss


@pytest.mark.parametrize("golden", GOLDENS, ids=str)
def test_agrees_with_pytorch(golden: Golden):
    loss = Loss.from_json(golden.declared)
    ctx = bind(loss, golden["x"], golden["target"])
    forward, backward = loss.bind(ctx)
    forward()
    backward()
    assert_agrees(ctx.value, golden["value"].reshape(1), "value")
    assert_agrees(ctx.y, golden["y"], "prediction")
    assert_agrees(ctx.dx, golden["dx"], "dx")


@cases
def test_the_weight_of_an_output_scales_only_the_gradient(loss: Loss, shape: tuple[int, ...], target: Any):
    found = []
    for weight in (1.0, 3.0):
        ctx = bind(loss, *inputs(shape, target), weight=weight)
        forward, backward = loss.bind(ctx)
        forward()
        backward()
        found.append((ctx.value[0], ctx.dx))
    assert found[0][0] == found[1][0]
    np.testing.assert_allclose(found[1][1], 3 * found[0][1], rtol=1e-12)


@pytest.mark.parametrize(("loss", "shape", "target"), [case for case in CASES if case[0].kind != "ctc.v1"],
                         ids=lambda value: getattr(value, "kind", None))
def test_a_padded_series_loses_what_its_samples_lose_alone(loss: Loss, shape: tuple[int, ...], target: Any):
    rng, lengths, steps = np.random.default_rng(1), (3, 1, 2), 3
    x = rng.standard_normal((len(lengths), steps, shape[-1]))
    values = rng.standard_normal(x.shape) if target is None else target
    labels = values.ndim == 1 or values.dtype.kind == "i"
    truth = rng.integers(0, 2, x.shape[:2]) if labels else np.abs(rng.standard_normal(x.shape))
    together = bind(loss, x, truth)
    together.mask = (np.arange(steps) < np.array(lengths)[:, None]).astype(float)
    forward, backward = loss.bind(together)
    forward()
    backward()
    value, dx = together.value.copy(), together.dx.copy()
    assert not dx[together.mask == 0].any()
    if getattr(loss, "class_weights", ()):  # the mean is over the whole batch
        x[together.mask == 0] = 7.0
        forward()
        backward()
        np.testing.assert_array_equal(together.value, value)
        np.testing.assert_array_equal(together.dx, dx)
        return
    total = 0.0
    for i, n in enumerate(lengths):
        alone = bind(loss, x[i:i + 1, :n], truth[i:i + 1, :n], weight=1 / len(lengths))
        forward, backward = loss.bind(alone)
        forward()
        backward()
        total += alone.value[0] / len(lengths)
        np.testing.assert_allclose(dx[i, :n], alone.dx[0], rtol=1e-9, atol=1e-12)
    assert value[0] == pytest.approx(total, rel=1e-5)


def test_ctc_passes_over_padded_steps_wherever_they_are():
    rng = np.random.default_rng(2)
    x, texts = rng.standard_normal((2, 8, 4)), np.array([[1, 1, 2, 0], [3, 0, 0, 0]])
    mask = np.ones((2, 8))
    mask[0, 6:] = mask[1, [0, 3, 7]] = 0
    together = bind(ConnectionistTemporal(), x, texts)
    together.mask = mask
    steps = ConnectionistTemporal().bind(together)
    for step in steps:
        step()
    assert not together.dx[mask == 0].any()
    for i in range(2):
        alone = bind(ConnectionistTemporal(), x[i:i + 1, mask[i] == 1], texts[i:i + 1], weight=0.5)
        for step in ConnectionistTemporal().bind(alone):
            step()
        np.testing.assert_allclose(together.dx[i, mask[i] == 1], alone.dx[0], rtol=1e-9, atol=1e-12)


def test_ctc_is_the_sum_over_all_ways_to_say_the_text():
    def text_of(way: tuple[int, ...]) -> list[int]:
        return [k for k, last in zip(way, (0, *way)) if k and k != last]

    x, text = np.random.default_rng(4).standard_normal((1, 5, 3)), [1, 1, 2]
    p = np.exp(x[0]) / np.exp(x[0]).sum(axis=1, keepdims=True)
    ways = [way for way in product(range(3), repeat=5) if text_of(way) == text]
    expected = -np.log(sum(np.prod([p[t, k] for t, k in enumerate(way)]) for way in ways)) / 3
    ctx = bind(ConnectionistTemporal(), x, np.array([text]))
    ConnectionistTemporal().bind(ctx)[0]()
    assert ctx.value[0] == pytest.approx(expected, rel=1e-6)


def test_ctc_leaves_samples_out_whose_text_does_not_fit():
    x = np.random.default_rng(4).standard_normal((2, 3, 3))
    both = bind(ConnectionistTemporal(), x, np.array([[1, 1, 1], [1, 2, 0]]))  # 1 1 1 needs five steps
    for step in ConnectionistTemporal().bind(both):
        step()
    assert not both.dx[0].any() and both.dx[1].any() and np.isfinite(both.value).all()


def test_extreme_scores_stay_finite():
    for loss, target in ((CrossEntropy(), np.array([0, 1])), (BinaryCrossEntropy(), np.eye(2, dtype=np.float32))):
        x = np.array([[1e4, -1e4], [1e4, -1e4]], dtype=np.float32)
        ctx = bind(loss, x, target)
        forward, backward = loss.bind(ctx)
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            forward()
            backward()
        assert np.isfinite(ctx.value).all() and np.isfinite(ctx.dx).all()


def test_what_a_loss_wants_of_the_network():
    two = DataField("y", "target", Shape("F", (2,)), "class", ("no", "yes"))
    three = DataField("y", "target", Shape("F", (3,)), "class", ("a", "b", "c"))
    values = DataField("y", "target", Shape("F", (3,)))
    assert CrossEntropy().scores(three) == (3,)
    assert BinaryCrossEntropy().scores(two) == (1,)
    assert BinaryCrossEntropy().scores(values) == (3,)
    with pytest.raises(ShapeError, match="choose cross-entropy"):
        BinaryCrossEntropy().scores(three)
    with pytest.raises(ShapeError, match="3 class weights, one for each class, got 2"):
        CrossEntropy(class_weights=(1.0, 2.0)).scores(three)
    for loss in (Focal(), Hinge()):
        with pytest.raises(ShapeError, match="target of classes"):
            loss.scores(values)


def test_default_losses_suit_their_tasks():
    for task in ("classification", "regression", "reconstruction"):
        assert task in default_loss(task).tasks
