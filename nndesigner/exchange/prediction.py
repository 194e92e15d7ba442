"""Predictions on new raw data with a trained network. The window and the command line use the same code, to the bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import Preparation, RawInput
from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.graph.check import check
from nndesigner.insight.answers import class_probabilities, in_units, most_likely, texts_written
from nndesigner.spec.loss import Task

if TYPE_CHECKING:
    from nndesigner.project.file import Project

@dataclass(frozen=True, eq=False)
class Prediction:
    """Answers of one head for n samples.

    Classification: `probabilities` [n, K] and `predicted` class numbers int64 [n] (-1: no finite answer); of pixels
    [n, H, W, K] and [n, H, W]. Transcription: `texts`, objects [n] of str (None: no finite answer). Else `values`
    [n, ...] in original units; `names` are the columns that they predict.
    """

    head: str
    task: Task
    classes: tuple[str, ...]
    names: tuple[str, ...]
    probabilities: np.ndarray | None = None
    predicted: np.ndarray | None = None
    values: np.ndarray | None = None
    texts: np.ndarray | None = None

    def __len__(self) -> int:
        return len(next(a for a in (self.probabilities, self.values, self.texts) if a is not None))

    @property
    def by_pixel(self) -> bool:
        """Whether every pixel has a class."""
        return self.predicted is not None and self.predicted.ndim > 1

    def label(self, row: int) -> str:
        """The predicted class in words, of pixels the largest; empty without a finite answer or a class."""
        if self.by_pixel:
            return self.ranked(row, 1)[0][0]
        if self.predicted is None or self.predicted[row] < 0:
            return ""
        return self.classes[int(self.predicted[row])]

    def ranked(self, row: int, count: int | None = None) -> list[tuple[str, float]]:
        """(class, probability) of one sample, or (class, share of the pixels), the largest first."""
        if self.probabilities is None:
            raise ValueError("This Output gives values or a text, not classes.")
        shares = self.shares[row]
        order = np.argsort(-shares, kind="stable")[:count]
        return [(self.classes[int(i)], float(shares[i])) for i in order]

    @property
    def shares(self) -> np.ndarray:
        """[n, K]: the probabilities, or for pixels the share of them that each class takes."""
        if not self.by_pixel:
            return self.probabilities
        found = self.predicted.reshape(len(self), -1, 1) == np.arange(len(self.classes))
        return found.mean(axis=1)


class Predictor:
    """A trained network with the preparation that belongs to it. Belongs to one thread at a time."""

    def __init__(self, network: Network, preparation: Preparation) -> None:
        self.network = network
        self.preparation = preparation

    @property
    def inputs(self) -> tuple[RawInput, ...]:
        """Raw columns that a prediction needs."""
        used = set(self.network.checked.inputs.values())
        return tuple(c for f in self.preparation.fields if f.field.name in used for c in f.columns)

    def predict(self, raw: Mapping[str, Any]) -> Prediction:
        """Answers of the first head for raw columns {column: array [n, ...]}. Raises DataError for unusable values."""
        return next(iter(self.predict_all(raw).values()))

    def predict_all(self, raw: Mapping[str, Any]) -> dict[str, Prediction]:
        """Answers of every head, by Output node. Raises DataError for values it cannot use."""
        used = set(self.network.checked.inputs.values())
        encoded = {f.field.name: f.encode(raw) for f in self.preparation.fields if f.field.name in used}
        lengths = {name: len(array) for name, array in encoded.items()}
        if len(set(lengths.values())) != 1:
            raise DataError("The inputs do not have the same number of samples: "
                            + ", ".join(f"{n} of '{name}'" for name, n in lengths.items()) + ".")
        n = next(iter(lengths.values()))
        if n == 0:
            raise DataError("There is nothing to predict: the data have no rows.")
        # One sample at a time (about 25 µs each): the last bits of a matrix product depend on the number of rows and on
        # the place among them, and the answer for a sample must not depend on what else is asked in the same call.
        parts = [self.network.predict({name: a[i:i + 1] for name, a in encoded.items()}) for i in range(n)]
        return {node: self._prediction(node, np.concatenate([p[node] for p in parts])) for node in parts[0]}

    def _prediction(self, node: str, answers: np.ndarray) -> Prediction:
        head = self.network.heads[node]
        names = tuple(c.column for c in self.preparation.field(head.target).columns)
        if head.task == "classification":
            return Prediction(
                node, head.task, head.classes, names, class_probabilities(answers), most_likely(answers))
        if head.task == "transcription":
            return Prediction(node, head.task, (), names, texts=texts_written(self.preparation, head, answers))
        return Prediction(node, head.task, (), names, values=in_units(self.preparation, head, answers))


def from_project(project: Project, device: Device | None = None) -> Predictor:
    """The predictor of a saved project. Raises DataError when nothing was trained or the weights do not fit."""
    if project.checkpoint is None or project.preparation is None:
        raise DataError("The project holds no trained weights. Train it first.")
    design = project.learned
    checked = check(design.graph, project.preparation.signature)
    error = next((p.text for p in checked.problems if p.severity == "error"), None)
    if error is not None or not checked.heads:
        raise DataError(f"The drawing of the project cannot be used: {error or 'it has no Output.'}")
    network = Network(checked, device or Device("cpu"), design.training.seed)
    try:
        network.weights.load(project.checkpoint.part("weights"))
    except ValueError as fault:
        raise DataError(str(fault)) from fault
    return Predictor(network, project.preparation)
