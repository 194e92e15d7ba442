"""How good the answers are: for each sample, by class, and as predicted against true values.

All functions read the network and return small frozen values; they are asked through the session. NaN in the answers of
a network that diverged is counted, never taken for a class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nndesigner.data.encoding import Preparation
from nndesigner.data.preparing import Part, Prepared
from nndesigner.data.rows import samples_at
from nndesigner.engine.network import Network
from nndesigner.engine.transcripts import best_paths
from nndesigner.graph.check import Head
from nndesigner.spec.loss import Task

#: points of a scatter plot; more would only cover each other
SCATTER_POINTS = 2000
#: samples whose answers are counted at a time
AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Predictions:
    """Answers for samples of a part. `positions` [n] are places in the part, `rows` [n] row numbers of the data set.

    Classification: `probabilities` [n, K], `truth` and `predicted` class numbers int64 [n] (predicted -1: no finite
    answer); of pixels [n, H, W, K] and [n, H, W]. Transcription: `texts` and `truth`, objects [n] of str (None: no
    finite answer). Else `values` and `truth` [n, ...] in original units.
    """

    head: str
    task: Task
    classes: tuple[str, ...]
    positions: np.ndarray
    rows: np.ndarray
    truth: np.ndarray
    probabilities: np.ndarray | None = None
    predicted: np.ndarray | None = None
    values: np.ndarray | None = None
    texts: np.ndarray | None = None

    @property
    def right(self) -> np.ndarray | None:
        """Which samples got their true class or text, bool [n], or which pixels, [n, H, W]; None for values."""
        if self.texts is not None:
            return self.texts == self.truth
        return None if self.predicted is None else self.predicted == self.truth

    @property
    def by_pixel(self) -> bool:
        """Whether every pixel has a class."""
        return self.predicted is not None and self.predicted.ndim > 1


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often a true class (row) was taken for a class (column); `by_pixel` pixels are counted.

    `cells` holds the places in the part of the samples behind each cell that is not empty. `failed` samples got no
    finite answer.
    """

    head: str
    classes: tuple[str, ...]
    counts: np.ndarray
    cells: Mapping[tuple[int, int], np.ndarray]
    failed: int = 0
    by_pixel: bool = False

    @property
    def accuracy(self) -> float:
        """Share of right answers, NaN without samples."""
        total = int(self.counts.sum()) + self.failed
        return float(np.trace(self.counts) / total) if total else float("nan")


@dataclass(frozen=True, eq=False)
class Scatter:
    """True against predicted values [n] of one target in original units; `r2` over all samples of the part."""

    head: str
    name: str
    unit: str
    truth: np.ndarray
    predicted: np.ndarray
    positions: np.ndarray
    r2: float


def chosen_head(network: Network, head: str | None) -> Head:
    """The head of this node, or the first one. Raises ValueError when there is none."""
    if head is not None and head in network.heads:
        return network.heads[head]
    if head is not None or not network.heads:
        raise ValueError("The network has no such Output." if head else "The network has no Output.")
    return next(iter(network.heads.values()))


def class_probabilities(answers: np.ndarray) -> np.ndarray:
    """[n, ..., K] from the answers of a classification head; a single one is the probability of the second of two."""
    if answers.shape[-1] == 1:
        return np.concatenate([1.0 - answers, answers], axis=-1)
    return answers


def most_likely(answers: np.ndarray) -> np.ndarray:
    """Class numbers int64 [n, ...] from answers [n, ..., K] of a classification head, -1 where one is not finite.

    With one probability (of the second of two classes) it is 1 from 0.5 on, as in the accuracy of training.
    """
    bad = ~np.isfinite(answers).all(axis=-1)
    finite = np.where(bad[..., None], 0.0, answers)
    numbers = finite[..., 0] >= 0.5 if answers.shape[-1] == 1 else finite.argmax(axis=-1)
    return np.where(bad, -1, numbers.astype(np.int64))


def in_units(preparation: Preparation, head: Head, answers: np.ndarray) -> np.ndarray:
    """Values of a head in original units, in the shape of the target's samples."""
    encoding = preparation.field(head.target)
    return encoding.decode(answers.reshape(len(answers), *encoding.field.shape.dims))


def texts_written(preparation: Preparation, head: Head, answers: np.ndarray) -> np.ndarray:
    """Texts, objects [n], of the answers [n, T, K] of a head that transcribes; None where one is not finite."""
    texts = preparation.decode(head.target, best_paths(answers))
    texts[~np.isfinite(answers).all(axis=(1, 2))] = None
    return texts


def predictions(
    network: Network, prepared: Prepared, part: str = "test", positions: np.ndarray | None = None,
    head: str | None = None,
) -> Predictions:
    """Answers for samples of a part, all or those at `positions`."""
    chosen = chosen_head(network, head)
    data = prepared.part(part)
    positions = np.arange(len(data)) if positions is None else np.asarray(positions, dtype=np.int64)
    answers = answers_of(network, data, chosen, positions)
    truth = data.arrays[chosen.target][positions]
    shared = (chosen.node, chosen.task, chosen.classes, positions, data.rows[positions])
    if chosen.task == "classification":
        return Predictions(*shared, truth, class_probabilities(answers), most_likely(answers))
    if chosen.task == "transcription":
        written = texts_written(prepared.preparation, chosen, answers)
        return Predictions(*shared, prepared.preparation.decode(chosen.target, truth), texts=written)
    truth = in_units(prepared.preparation, chosen, truth)
    return Predictions(*shared, truth, values=in_units(prepared.preparation, chosen, answers))


def confusion(network: Network, prepared: Prepared, part: str = "test", head: str | None = None) -> Confusion:
    """Counts of true against predicted classes. Raises ValueError for a head that does not classify."""
    chosen = chosen_head(network, head)
    if chosen.task != "classification":
        raise ValueError("A confusion matrix needs an Output that classifies.")
    size, total = len(chosen.classes), len(prepared.part(part))
    counts, failed, by_pixel = np.zeros(size * size, dtype=np.int64), 0, False
    places: dict[int, list[int]] = {}
    for start in range(0, max(total, 1), AT_ONCE):  # answers for pixels are large
        positions = np.arange(start, min(start + AT_ONCE, total))
        found = predictions(network, prepared, part, positions, chosen.node)
        by_pixel = found.by_pixel
        good = found.predicted >= 0
        pairs = (found.truth * size + found.predicted)[good]
        samples = np.broadcast_to(positions.reshape(-1, *[1] * (good.ndim - 1)), good.shape)[good]
        counts += np.bincount(pairs, minlength=size * size)
        failed += int((~good).sum())
        for pair, position in np.unique(np.stack([pairs, samples], axis=1), axis=0).tolist():
            places.setdefault(pair, []).append(position)
    cells = {(pair // size, pair % size): np.array(places[pair], dtype=np.int64) for pair in sorted(places)}
    return Confusion(chosen.node, chosen.classes, counts.reshape(size, size), cells, failed, by_pixel)


def scatter(
    network: Network, prepared: Prepared, part: str = "test", output: int = 0, head: str | None = None,
    limit: int = SCATTER_POINTS,
) -> Scatter:
    """True and predicted values of one target; of a large part evenly chosen samples. Raises ValueError for classes."""
    chosen = chosen_head(network, head)
    if chosen.task in ("classification", "transcription"):
        raise ValueError("A scatter plot needs an Output that predicts values.")
    found = predictions(network, prepared, part, head=chosen.node)
    n = len(found.positions)
    truth, values = (a.reshape(n, -1)[:, output] if n else np.zeros(0) for a in (found.truth, found.values))
    columns = prepared.preparation.field(chosen.target).columns
    column = columns[output] if output < len(columns) else columns[0]
    shown = np.unique(np.linspace(0, n - 1, min(n, limit)).astype(np.int64)) if n else np.zeros(0, np.int64)
    return Scatter(chosen.node, column.column, column.unit, truth[shown], values[shown], found.positions[shown],
                   _r2(truth.astype(np.float64), values.astype(np.float64)))


def answers_of(network: Network, part: Part, head: Head, positions: np.ndarray) -> np.ndarray:
    """Answers of one head for samples of a part, [n, ...]."""
    if not len(positions):
        dims = network.checked.shapes[head.node].dims
        return np.zeros((0, *dims), dtype=np.float32)
    inputs = {field: samples_at(part.arrays[field], positions) for field in set(network.checked.inputs.values())}
    return network.predict(inputs)[head.node]


def _r2(truth: np.ndarray, values: np.ndarray) -> float:
    """Coefficient of determination, NaN where it is not defined."""
    spread = float(np.square(truth - truth.mean()).sum()) if len(truth) > 1 else 0.0
    return 1.0 - float(np.square(truth - values).sum()) / spread if spread > 0 else float("nan")
