"""Figures that people read, computed on the host from predictions and truths."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from nndesigner.spec import Declared
from nndesigner.spec.loss import Task


class Metric(Declared):
    """A figure that says how good predictions are."""

    group = "Metric"

    #: name in curves and files
    name: ClassVar[str]
    tasks: ClassVar[tuple[Task, ...]]
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        """The figure over all samples, NaN without samples.

        predictions: probabilities [n, ..., K] (or [n, 1] of the second of two classes), or values [n, ...]; targets:
        class numbers [n, ...], or values of the shape of predictions.
        """
        raise TypeError(f"{type(self).__name__} declares no measure.")


def predicted_classes(predictions: np.ndarray) -> np.ndarray:
    """Class numbers from probabilities [..., K]; one probability is that of the second of two classes, chosen from 0.5 on."""
    if predictions.shape[-1] == 1:
        return (predictions[..., 0] >= 0.5).astype(np.int64)
    return predictions.argmax(axis=-1)


class Accuracy(Metric):
    """Share of samples whose most probable class is the right one."""

    kind = "accuracy.v1"
    title = "Accuracy"
    icon = "mdi6.bullseye-arrow"
    name = "accuracy"
    tasks = ("classification",)

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        if targets.size == 0:
            return float("nan")
        return float(np.mean(predicted_classes(predictions) == targets.reshape(predictions.shape[:-1])))


class MeanAbsoluteError(Metric):
    """Mean distance between prediction and truth, in the units of the target."""

    kind = "mae_metric.v1"
    title = "Mean absolute error"
    icon = "mdi6.arrow-expand-vertical"
    name = "mae"
    tasks = ("regression", "reconstruction")
    better = "lower"

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        if targets.size == 0:
            return float("nan")
        return float(np.mean(np.abs(predictions - targets), dtype=np.float64))


class RootMeanSquaredError(Metric):
    """Typical distance between prediction and truth; large errors count more."""

    kind = "rmse_metric.v1"
    title = "Root mean squared error"
    icon = "mdi6.square-root"
    name = "rmse"
    tasks = ("regression", "reconstruction")
    better = "lower"

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        if targets.size == 0:
            return float("nan")
        return float(np.sqrt(np.mean(np.square(predictions - targets), dtype=np.float64)))


class R2(Metric):
    """Share of the target's variance that is explained: 1 is perfect, 0 no better than the mean.

    R² = 1 − Σ (t − y)² / Σ (t − mean t)², the sums over samples and over the values of a target, so that values that
    hardly change count little (scikit-learn: multioutput="variance_weighted"). A target that never changes gives 1 when
    it is met and 0 otherwise.
    """

    kind = "r2.v1"
    title = "R²"
    icon = "mdi6.chart-scatter-plot"
    name = "r2"
    tasks = ("regression", "reconstruction")

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        n = len(targets)
        if targets.size == 0 or n < 2:
            return float("nan")
        truth = targets.reshape(n, -1).astype(np.float64)
        rest = np.square(truth - predictions.reshape(n, -1)).sum()
        total = np.square(truth - truth.mean(axis=0)).sum()
        if total == 0:
            return 1.0 if rest == 0 else 0.0
        return float(1.0 - rest / total)


def metrics_for(task: Task) -> tuple[Metric, ...]:
    """The figures shown for a task, the most telling first."""
    if task == "classification":
        return (Accuracy(),)
    if task == "regression":
        return (R2(), MeanAbsoluteError(), RootMeanSquaredError())
    return (RootMeanSquaredError(), R2())
