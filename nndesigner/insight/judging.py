"""What a trained network thinks of every sample: how far it is off, how sure it is, and which labels it doubts.

Label suspects follow confident learning (Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in
Dataset Labels, JAIR 70, 2021): the threshold of a class is the mean probability that the network gives it on samples
labelled so; a label is suspect where the network is less sure of it than that, and at least as sure of another class as
that class's own threshold. Of the classes above their threshold only the most probable one is looked at here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nndesigner.data.preparing import Prepared
from nndesigner.engine.network import Network
from nndesigner.engine.transcripts import best_paths, edit_distances
from nndesigner.insight.answers import answers_of, chosen_head, predictions

#: samples of a class, not learned from, from which on its threshold is taken from them alone
ENOUGH = 5
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Judged:
    """Some samples of a part. `rows` int64 [n] are rows of the data set; `loss` float32 [n]: -log of the probability of
    the true class, the character error rate of a text, or the mean squared error in scaled units.

    Classes only: `truth`, `answer` int64 [n] (answer -1: none that is finite), `likely` and `sure` float32 [n]: the
    probability of the true class and of the answer. Else these are None.
    """

    part: str
    rows: np.ndarray
    loss: np.ndarray
    classes: tuple[str, ...] = ()
    truth: np.ndarray | None = None
    answer: np.ndarray | None = None
    likely: np.ndarray | None = None
    sure: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Judgement:
    """Of all samples, by row of the data set [N]; NaN and -1 for samples in no part."""

    classes: tuple[str, ...]
    loss: np.ndarray
    #: 1 - probability of the answer; NaN for values
    doubt: np.ndarray
    #: class that the network answers
    answer: np.ndarray
    #: whether it is the class of the label; False also where there are no classes
    right: np.ndarray
    #: rows of suspect labels, the most surely contradicted first
    suspects: np.ndarray


def judge(network: Network, prepared: Prepared, part: str, start: int, stop: int, head: str | None = None) -> Judged:
    """Look at samples start..stop of a part. Raises ValueError for outputs that are not one answer a sample."""
    chosen = chosen_head(network, head)
    if chosen.task == "transcription":
        data, places = prepared.part(part), np.arange(start, stop)
        truth = np.asarray(data.arrays[chosen.target][places])
        errors = edit_distances(best_paths(answers_of(network, data, chosen, places)), truth)
        lengths = np.maximum(np.count_nonzero(truth, axis=1), 1)
        return Judged(part, data.rows[places], (errors / lengths).astype(np.float32))
    found = predictions(network, prepared, part, np.arange(start, stop), chosen.node)
    if chosen.task != "classification":
        scale = np.asarray(prepared.preparation.field(chosen.target).scale)
        with np.errstate(over="ignore", invalid="ignore"):
            error = np.square((found.values - found.truth) / scale)
            return Judged(part, found.rows, error.reshape(len(error), -1).mean(axis=1).astype(np.float32))
    if found.truth.ndim != 1:
        raise ValueError("Samples with many labels each cannot be judged one by one.")
    places = np.arange(len(found.truth))
    likely = found.probabilities[places, found.truth]
    sure = np.where(found.predicted >= 0, found.probabilities[places, found.predicted], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        loss = -np.log(np.maximum(likely, np.float32(1e-12)))
    return Judged(part, found.rows, loss.astype(np.float32), found.classes, found.truth, found.predicted,
                  likely.astype(np.float32), sure.astype(np.float32))


def gathered(judged: Sequence[Judged], count: int) -> Judgement:
    """The judgement of a data set of `count` rows from looks at all its parts."""
    classes = next((j.classes for j in judged), ())
    loss, doubt = (np.full(count, np.nan, dtype=np.float32) for _ in range(2))
    answer, right = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=bool)
    for j in judged:
        loss[j.rows] = j.loss
        if j.answer is not None:
            doubt[j.rows], answer[j.rows], right[j.rows] = 1 - j.sure, j.answer, j.answer == j.truth
    return Judgement(classes, loss, doubt, answer, right, _suspects(judged, len(classes)))


def _suspects(judged: Sequence[Judged], classes: int) -> np.ndarray:
    """Rows of suspect labels. Thresholds come from samples that were not learned from, where a class has enough."""
    if not classes:
        return np.zeros(0, dtype=np.int64)
    truth, answer, likely, sure, rows = (
        np.concatenate([getattr(j, name) for j in judged])
        for name in ("truth", "answer", "likely", "sure", "rows"))
    kept = np.concatenate([np.full(len(j.rows), j.part != "train") for j in judged])
    finite = np.isfinite(likely) & (answer >= 0)
    thresholds = np.full(classes, np.inf)
    for label in range(classes):
        mine = finite & (truth == label)
        chosen = mine & kept if (mine & kept).sum() >= ENOUGH else mine
        if chosen.any():
            thresholds[label] = likely[chosen].mean()
    suspect = finite & (answer != truth)
    suspect &= (likely < thresholds[truth]) & (sure >= thresholds[np.maximum(answer, 0)])
    order = np.argsort((likely - sure)[suspect], kind="stable")
    return rows[suspect][order]
