"""What the views ask the training session: functions of its Trainer that return plain host arrays. Knows no Qt.

They run on the session's thread, so the functions returned here may hold numbers and texts only, nothing of a window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nndesigner.data.preparing import Part, Prepared
from nndesigner.data.rows import Rows
from nndesigner.engine.network import Network
from nndesigner.exchange.prediction import Prediction, Predictor
from nndesigner.exchange.writing import go_on
from nndesigner.insight.answers import Confusion, Predictions, Scatter, chosen_head, confusion, predictions, scatter
from nndesigner.training.trainer import Trainer


def shown_part(prepared: Prepared) -> Part:
    """The part whose samples are shown: test samples, else validation samples, else training samples."""
    return next((part for part in (prepared.test, prepared.validation, prepared.train) if len(part)), prepared.train)


def known_head(network: Network, node: str) -> str:
    """This Output node, or the first one where the network has no such node. Raises ValueError without any."""
    return node if node in network.heads else chosen_head(network, None).node


@dataclass(frozen=True)
class Selection:
    """Which samples to show. `truth` is a class number (of pixels: one that they show), -1 for all; `seed` 0 takes the
    classes by turns, in the order of the part."""

    node: str
    seed: int = 0
    only_mistakes: bool = False
    truth: int = -1
    first: int = 0
    count: int = 8


@dataclass(frozen=True, eq=False)
class Page:
    """Answers for one page of a selection; `total` samples fit the selection, `first` is the number of the first."""

    answers: Predictions
    total: int
    first: int


def by_turns(classes: np.ndarray) -> np.ndarray:
    """Places 0..n-1 so that the first of each class come first, then the second of each, and so on. classes: [n]."""
    order = np.argsort(classes, kind="stable")
    _, starts, counts = np.unique(classes[order], return_index=True, return_counts=True)
    turn = np.empty(len(classes), dtype=np.int64)
    turn[order] = np.arange(len(classes)) - np.repeat(starts, counts)
    return np.lexsort((classes, turn))


def page(selection: Selection) -> Callable[[Trainer], Page]:
    """Question for the answers for the samples of a selection."""

    def look(trainer: Trainer) -> Page:
        network, prepared = trainer.network, trainer.prepared
        part, node = shown_part(prepared), known_head(network, selection.node)
        head = network.heads[node]
        by_pixel = part.arrays[head.target].dtype.kind == "i" and len(part.arrays[head.target].shape) > 1
        places = np.arange(len(part))
        if selection.seed:
            np.random.default_rng(selection.seed).shuffle(places)
        elif head.task == "classification" and not by_pixel:
            places = by_turns(np.asarray(part.arrays[head.target][places]))
        if head.task == "classification" and selection.truth >= 0:
            places = places[_shows(part.arrays[head.target], places, selection.truth)]
        judged = head.task == "transcription" or (head.task == "classification" and not by_pixel)
        if selection.only_mistakes and judged:
            places = places[~predictions(network, prepared, part.name, places, node).right]
        first = max(0, min(selection.first, (len(places) - 1) // selection.count * selection.count))
        shown = places[first:first + selection.count]
        return Page(predictions(network, prepared, part.name, shown, node), len(places), first)

    return look


def _shows(truth: Rows, places: np.ndarray, wanted: int) -> np.ndarray:
    """Which samples are of a class, or have a pixel of it, bool [n]; read a few at a time."""
    parts = [(truth[places[i:i + 256]] == wanted).reshape(len(places[i:i + 256]), -1).any(axis=1)
             for i in range(0, len(places), 256)]
    return np.concatenate([np.zeros(0, dtype=bool), *parts])


def confusion_of(node: str) -> Callable[[Trainer], Confusion]:
    """Question for the confusion matrix of the shown part."""
    return lambda trainer: confusion(
        trainer.network, trainer.prepared, shown_part(trainer.prepared).name, known_head(trainer.network, node))


def answers_at(node: str, places: np.ndarray) -> Callable[[Trainer], Predictions]:
    """Question for the answers for the samples at these places of the shown part."""
    return lambda trainer: predictions(
        trainer.network, trainer.prepared, shown_part(trainer.prepared).name, places, known_head(trainer.network, node))


def scatter_of(node: str, output: int) -> Callable[[Trainer], Scatter]:
    """Question for true against predicted values of one target column."""
    return lambda trainer: scatter(
        trainer.network, trainer.prepared, shown_part(trainer.prepared).name, output, known_head(trainer.network, node))


def answer_to(raw: dict[str, np.ndarray]) -> Callable[[Trainer], dict[str, Prediction]]:
    """Question for the answers of all heads to raw columns, by Output node."""
    return lambda trainer: Predictor(trainer.network, trainer.prepared.preparation).predict_all(raw)


def writing(text: str, count: int, temperature: float, seed: int, done: int) -> Callable[[Trainer], str]:
    """Question for the next `count` tokens that a language model writes behind a text (exchange.writing.go_on)."""
    return lambda trainer: go_on(
        Predictor(trainer.network, trainer.prepared.preparation), text, count, temperature, seed, done)
