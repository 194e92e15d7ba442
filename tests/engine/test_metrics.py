"""Metrics against scikit-learn's."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score, root_mean_squared_error

from nndesigner.engine.metrics import R2, Accuracy, MeanAbsoluteError, Metric, RootMeanSquaredError, metrics_for

rng = np.random.default_rng(3)
TRUTH = rng.standard_normal((40, 3)).astype(np.float32)
VALUES = TRUTH + 0.3 * rng.standard_normal((40, 3)).astype(np.float32)


def test_accuracy():
    labels, scores = rng.integers(0, 4, 50), rng.random((50, 4))
    assert Accuracy().measure(scores, labels) == pytest.approx(accuracy_score(labels, scores.argmax(1)))
    yes = rng.random((50, 1))
    assert Accuracy().measure(yes, labels % 2) == pytest.approx(accuracy_score(labels % 2, yes[:, 0] >= 0.5))
    series = rng.random((5, 10, 4))
    assert Accuracy().measure(series, labels.reshape(5, 10)) == pytest.approx(
        accuracy_score(labels, series.reshape(50, 4).argmax(1)))


@pytest.mark.parametrize(("metric", "reference"), [
    (MeanAbsoluteError(), mean_absolute_error), (RootMeanSquaredError(), root_mean_squared_error), (R2(), partial(r2_score, multioutput="variance_weighted"))])
def test_values(metric: Metric, reference):
    truth, values = TRUTH[:, :1], VALUES[:, :1]
    assert metric.measure(values, truth) == pytest.approx(reference(truth, values), rel=1e-5)
    if metric.kind != "rmse_metric.v1":  # scikit-learn averages roots of columns, we take the root over all values
        assert metric.measure(VALUES, TRUTH) == pytest.approx(reference(TRUTH, VALUES), rel=1e-5)


def test_r2_of_a_constant_target_follows_scikit_learn():
    truth = np.ones((5, 1))
    assert R2().measure(truth, truth) == r2_score(truth, truth) == 1.0
    assert R2().measure(truth + 1, truth) == r2_score(truth, truth + 1) == 0.0


def test_no_samples_give_no_number():
    assert math.isnan(Accuracy().measure(np.zeros((0, 3)), np.zeros(0, int)))
    for metric in (R2(), MeanAbsoluteError(), RootMeanSquaredError()):
        assert math.isnan(metric.measure(np.zeros((0, 1)), np.zeros((0, 1))))


@pytest.mark.parametrize("task", ["classification", "regression", "reconstruction"])
def test_metrics_suit_their_task(task: str):
    metrics = metrics_for(task)
    assert metrics and all(task in metric.tasks for metric in metrics)
    assert len({metric.name for metric in metrics}) == len(metrics)
