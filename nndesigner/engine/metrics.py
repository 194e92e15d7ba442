"""Figures that people read, computed on the host from predictions and truths."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from nndesigner.engine.transcripts import edit_distances
from nndesigner.spec import Declared, param
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
        class numbers [n, ...], or values of the shape of predictions. Of padded series n counts their real steps. Of
        texts both are token numbers int64 [n, L], 0 behind the end (`transcripts.best_paths`).
        """
        raise TypeError(f"{type(self).__name__} declares no measure.")


def predicted_classes(predictions: np.ndarray) -> np.ndarray:
    """Class numbers from probabilities [..., K]. A single one is that of the second of two classes: 1 from 0.5 on."""
    if predictions.shape[-1] == 1:
        return (predictions[..., 0] >= 0.5).astype(np.int64)
    return predictions.argmax(axis=-1)


class Accuracy(Metric):
    """Share of samples whose most probable class is the right one."""

    kind = "accuracy.v1"
    title = "Accuracy"
    icon = "mdi6.bullseye-arrow"
    keywords = ("right", "share", "hits", "pixels")
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
    keywords = ("mae", "l1", "distance")
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
    keywords = ("rmse", "l2", "standard error")
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
    keywords = ("r2", "coefficient of determination", "explained variance")
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


class TopK(Metric):
    """Share of samples whose right class is among the k most probable ones."""

    kind = "top_k.v1"
    title = "Top-k accuracy"
    icon = "mdi6.podium"
    keywords = ("top-5", "ranking")
    name = "top_k"
    tasks = ("classification",)

    k: int = param(5, "K", "How many guesses count. Higher: easier; 1: accuracy.", ge=1, le=10_000)

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        if targets.size == 0:
            return float("nan")
        rows, truth = _by_class(predictions), targets.reshape(-1)
        right = np.take_along_axis(rows, truth[:, None], axis=1)
        return float(np.mean((rows > right).sum(axis=1) < self.k))


class _AveragedOverClasses(Metric):
    """Shared by the figures that are found for each class and averaged over the classes that occur."""

    tasks = ("classification",)

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        if targets.size == 0:
            return float("nan")
        size = max(predictions.shape[-1], 2)
        pairs = targets.reshape(-1) * size + predicted_classes(predictions).reshape(-1)
        counts = np.bincount(pairs, minlength=size * size).reshape(size, size)  # [truth, answer]
        true, said = counts.sum(axis=1), counts.sum(axis=0)
        met = true + said > 0
        return float(np.mean(self.of_classes(counts.diagonal()[met], true[met], said[met])))

    def of_classes(self, right: np.ndarray, true: np.ndarray, said: np.ndarray) -> np.ndarray:
        """The figure of each class from its numbers of right answers, samples and answers; not all of them are 0."""
        raise TypeError(f"{type(self).__name__} declares no of_classes.")


class Precision(_AveragedOverClasses):
    """Of the samples said to be of a class, the share that are; the mean over classes."""

    kind = "precision.v1"
    title = "Precision"
    icon = "mdi6.target"
    keywords = ("positive predictive value", "false alarms")
    name = "precision"

    def of_classes(self, right: np.ndarray, true: np.ndarray, said: np.ndarray) -> np.ndarray:
        return right / np.maximum(said, 1)


class Recall(_AveragedOverClasses):
    """Of the samples of a class, the share that are found; the mean over classes."""

    kind = "recall.v1"
    title = "Recall"
    icon = "mdi6.magnify-scan"
    keywords = ("sensitivity", "true positive rate", "missed", "balanced accuracy")
    name = "recall"

    def of_classes(self, right: np.ndarray, true: np.ndarray, said: np.ndarray) -> np.ndarray:
        return right / np.maximum(true, 1)


class F1(_AveragedOverClasses):
    """One figure for precision and recall together, their harmonic mean; the mean over classes.

    Of classes of pixels it is the Dice coefficient: twice the common area by the sum of both areas.
    """

    kind = "f1.v1"
    title = "F1 (Dice)"
    icon = "mdi6.scale-balance"
    keywords = ("f-score", "harmonic mean", "imbalanced", "dice", "sorensen", "segmentation")
    name = "f1"

    def of_classes(self, right: np.ndarray, true: np.ndarray, said: np.ndarray) -> np.ndarray:
        return 2 * right / (true + said)


class MeanIoU(_AveragedOverClasses):
    """How well predicted areas cover true ones: their common part by the area of both together; the mean over classes.

    Stricter than accuracy on pictures that are mostly background. 1 is perfect.
    """

    kind = "mean_iou.v1"
    title = "Mean IoU"
    icon = "mdi6.set-center"
    keywords = ("intersection over union", "jaccard", "segmentation", "masks", "overlap", "miou", "pixels")
    name = "mean_iou"

    def of_classes(self, right: np.ndarray, true: np.ndarray, said: np.ndarray) -> np.ndarray:
        return right / (true + said - right)


class AUC(Metric):
    """How surely a sample of a class gets a higher probability of it than one of another class; the mean over classes.

    Area under the receiver operating characteristic, each class against all others. 1 is perfect, 0.5 is guessing. NaN
    when a class has no sample, or all of them.
    """

    kind = "auc.v1"
    title = "AUC"
    icon = "mdi6.chart-areaspline-variant"
    keywords = ("roc", "area under the curve", "ranking", "imbalanced")
    name = "auc"
    tasks = ("classification",)

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        rows, truth = _by_class(predictions), targets.reshape(-1)
        counts = np.bincount(truth, minlength=rows.shape[1])
        if (counts == 0).any() or (counts == len(truth)).any():
            return float("nan")
        from sklearn.metrics import roc_auc_score

        return float(np.mean([roc_auc_score(truth == k, rows[:, k]) for k in range(rows.shape[1])]))


class Perplexity(Metric):
    """Among how many equally likely classes the network seems to choose: 1 is certain, the number of classes is
    guessing.

    exp(mean of −log p of the right class)
    """

    kind = "perplexity.v1"
    title = "Perplexity"
    icon = "mdi6.dice-multiple-outline"
    keywords = ("language model", "cross-entropy", "uncertainty")
    name = "perplexity"
    tasks = ("classification",)
    better = "lower"

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        if targets.size == 0:
            return float("nan")
        rows, truth = _by_class(predictions), targets.reshape(-1)
        right = np.take_along_axis(rows, truth[:, None], axis=1).astype(np.float64)
        with np.errstate(divide="ignore"):
            return float(np.exp(-np.mean(np.log(right))))


class CharacterErrorRate(Metric):
    """How many characters are wrong, missing or too many, per character of the true texts: 0 is perfect.

    Σ edit distance (Levenshtein) / Σ length of the truth. Can be above 1. For texts of words it counts words (word
    error rate).
    """

    kind = "character_error_rate.v1"
    title = "Character error rate"
    icon = "mdi6.format-strikethrough-variant"
    keywords = ("cer", "wer", "word error rate", "edit distance", "levenshtein", "speech", "transcription")
    name = "cer"
    tasks = ("transcription",)
    better = "lower"

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        length = int(np.count_nonzero(targets))
        return float(edit_distances(predictions, targets).sum() / length) if length else float("nan")


class WholeTexts(Metric):
    """Share of texts that are right from the first to the last character."""

    kind = "whole_texts.v1"
    title = "Texts wholly right"
    icon = "mdi6.text-box-check-outline"
    keywords = ("exact match", "sequence accuracy", "share", "speech", "transcription")
    name = "whole_texts"
    tasks = ("transcription",)

    def measure(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        return float(np.mean(edit_distances(predictions, targets) == 0)) if len(targets) else float("nan")


def _by_class(predictions: np.ndarray) -> np.ndarray:
    """Probabilities [n, K]; one probability is that of the second of two classes."""
    rows = predictions.reshape(-1, predictions.shape[-1])
    return np.concatenate([1 - rows, rows], axis=1) if rows.shape[1] == 1 else rows


def named_metrics(text: str) -> tuple[Metric, ...]:
    """The metrics that a text like "accuracy, f1" names, in that order; so they stand in files of earlier versions.

    Raises ValueError for unknown names.
    """
    known = {metric.name: metric for metric in Metric.all()}
    names = list(dict.fromkeys(name.lower() for name in text.replace(",", " ").split()))
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise ValueError(f"There is no metric '{unknown}'. There are {', '.join(known)}.")
    return tuple(known[name]() for name in names)


def metrics_for(task: Task, chosen: tuple[Metric, ...] = (), pixels: bool = False) -> tuple[Metric, ...]:
    """The figures shown for a task, the most telling first: those chosen that suit it, else the usual ones.

    `pixels`: there is a class for every pixel, most of which may be background.
    """
    suiting = tuple(metric for metric in chosen if task in metric.tasks)
    if suiting:
        return suiting
    if task == "classification":
        return (MeanIoU(), Accuracy()) if pixels else (Accuracy(),)
    if task == "transcription":
        return (CharacterErrorRate(), WholeTexts())
    if task == "regression":
        return (R2(), MeanAbsoluteError(), RootMeanSquaredError())
    return (RootMeanSquaredError(), R2())
