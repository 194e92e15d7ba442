"""Metrics against scikit-learn's."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    jaccard_score,
    log_loss,
    mean_absolute_error,
    precision_score,
    r2_score,
    recall_score,
    roc_auc_score,
    root_mean_squared_error,
    top_k_accuracy_score,
)

from nndesigner.engine.metrics import (
    AUC,
    F1,
    R2,
    Accuracy,
    MeanAbsoluteError,
    MeanIoU,
    Metric,
    Perplexity,
    Precision,
    Recall,
    RootMeanSquaredError,
    TopK,
    metrics_for,
)

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
    (MeanAbsoluteError(), mean_absolute_error), (RootMeanSquaredError(), root_mean_squared_error),
    (R2(), partial(r2_score, multioutput="variance_weighted"))])
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


def probabilities(n: int, k: int) -> np.ndarray:
    scores = rng.random((n, k)) ** 3 + 0.01
    return scores / scores.sum(axis=1, keepdims=True)


def test_figures_of_classes_agree_with_scikit_learn():
    labels, p = rng.integers(0, 4, 60), probabilities(60, 4)
    guesses = p.argmax(1)
    assert TopK(k=2).measure(p, labels) == pytest.approx(top_k_accuracy_score(labels, p, k=2))
    assert TopK(k=1).measure(p, labels) == Accuracy().measure(p, labels)
    for metric, reference in ((Precision(), precision_score), (Recall(), recall_score), (F1(), f1_score),
                              (MeanIoU(), jaccard_score)):
        assert metric.measure(p, labels) == pytest.approx(reference(labels, guesses, average="macro"))
    assert AUC().measure(p, labels) == pytest.approx(roc_auc_score(labels, p, multi_class="ovr"))
    assert Perplexity().measure(p, labels) == pytest.approx(np.exp(log_loss(labels, p)))


def test_two_classes_with_one_probability():
    labels, p = rng.integers(0, 2, 60), rng.random((60, 1))
    both = np.concatenate([1 - p, p], axis=1)
    for metric in (AUC(), Perplexity(), Precision(), Recall(), F1(), TopK(k=1)):
        assert metric.measure(p, labels) == pytest.approx(metric.measure(both, labels))
    assert AUC().measure(p, labels) == pytest.approx(roc_auc_score(labels, p[:, 0]))


def test_figures_of_pixels_are_those_of_all_pixels_together():
    truth, p = rng.integers(0, 3, (5, 4, 6)), probabilities(120, 4).reshape(5, 4, 6, 4)
    guesses = p.argmax(-1).reshape(-1)
    assert Accuracy().measure(p, truth) == pytest.approx(accuracy_score(truth.reshape(-1), guesses))
    # the fourth class is only guessed, a fifth would not occur at all
    for metric, reference in ((MeanIoU(), jaccard_score), (F1(), f1_score), (Recall(), recall_score)):
        expected = reference(truth.reshape(-1), guesses, average="macro", zero_division=0)
        assert metric.measure(p, truth) == pytest.approx(expected)
    assert MeanIoU().measure(np.eye(4)[truth], truth) == 1.0
    dice = np.mean([2 * ((guesses == k) & (truth.reshape(-1) == k)).sum()
                    / ((guesses == k).sum() + (truth == k).sum()) for k in range(4)])
    assert F1().measure(p, truth) == pytest.approx(dice)


def test_figures_that_need_all_classes_say_so_by_nan():
    assert math.isnan(AUC().measure(probabilities(5, 3), np.array([0, 1, 0, 1, 1])))
    for metric in (TopK(), Precision(), Perplexity()):
        assert math.isnan(metric.measure(np.zeros((0, 3)), np.zeros(0, int)))


@pytest.mark.parametrize("metric", [cls() for cls in Metric.all()], ids=lambda metric: metric.kind)
def test_declarations(metric: Metric):
    assert metric.title and metric.icon and metric.name and metric.tasks
    assert Metric.from_json(metric.to_json()) == metric


def test_pictures_of_classes_are_judged_by_areas():
    assert [metric.name for metric in metrics_for("classification", pixels=True)] == ["mean_iou", "accuracy"]
    assert [metric.name for metric in metrics_for("classification", (Accuracy(),), pixels=True)] == ["accuracy"]
