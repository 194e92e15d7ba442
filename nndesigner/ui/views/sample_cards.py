"""Chosen samples with the network's answers: probability bars for classes, the reconstruction for autoencoders."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from nndesigner.data.preparing import Prepared
from nndesigner.insight.answers import Predictions
from nndesigner.ui import numbers
from nndesigner.ui.document import Document
from nndesigner.ui.parts import label, line, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.views import questions
from nndesigner.ui.views.cards import (
    HEIGHT,
    PICTURE_WIDTH,
    STRIP_HEIGHT,
    STRIP_WIDTH,
    WIDTH,
    CardContent,
    CardGrid,
)
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.legend import Legend
from nndesigner.ui.views.live_view import LiveView
from nndesigner.ui.views.mask_picture import class_entries, mask_image
from nndesigner.ui.views.probability_bars import Bar, ranked
from nndesigner.ui.views.sample_content import lines_of, passage_of, picture_field, picture_of, written
from nndesigner.ui.views.sample_picture import picture_image
from nndesigner.ui.views.tool import tool


class SampleCardsView(LiveView):
    """Pages of cards. `sample_chosen` gives the place of a clicked sample in the test part."""

    title = "Samples"
    icon = "mdi6.cards-outline"
    sample_chosen = Signal(int)

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(document, runner, parent)
        self.node = ""
        self._first = 0
        self._seed = 0
        self._page_shown: questions.Page | None = None
        self.shuffle = tool("mdi6.shuffle-variant", self.tr("Show other samples"))
        self.mistakes = tool("", self.tr("Show only samples that are answered wrongly"), self.tr("only mistakes"), True)
        self.classes = Choice([(self.tr("all classes"), -1)], -1)
        self.classes.setAccessibleName(self.tr("True class"))
        self.legend = Legend()
        self.legend.hide()
        self.position = label("", "caption")
        self.back = tool("mdi6.chevron-left", self.tr("Samples before these"))
        self.on = tool("mdi6.chevron-right", self.tr("Next samples"))
        self.grid = CardGrid()
        self.grid.chosen.connect(self.sample_chosen)
        layout = margins(QVBoxLayout(self.content), 12, 4, 12, 8, gap=4)
        self.head = line(self.shuffle, self.mistakes, self.classes, self.legend, 1, self.position, self.back, self.on,
                         gap=2)
        layout.addLayout(self.head)
        layout.addWidget(self.grid, 1)
        self.shuffle.clicked.connect(self._shuffle)
        self.mistakes.toggled.connect(self._restart)
        self.classes.chosen.connect(self._restart)
        self.back.clicked.connect(lambda: self._page(-1))
        self.on.clicked.connect(lambda: self._page(1))
        self.grid.capacity_changed.connect(self.ask_anew)

    def set_node(self, node: str) -> None:
        """Show the answers of this Output node."""
        if node != self.node:
            self.node = node
            self.ask_anew()

    @property
    def shown(self) -> questions.Page | None:
        """The answers that the cards show."""
        return self._page_shown

    def question(self) -> Callable[[Any], Any] | None:
        return questions.page(questions.Selection(
            self.node, self._seed, self.mistakes.isChecked(), self.classes.value, self._first, self.grid.capacity))

    def show_answer(self, found: questions.Page) -> None:
        self._page_shown = found
        self._first = found.first
        answers = found.answers
        classification = answers.task == "classification"
        self.mistakes.setVisible(answers.right is not None and not answers.by_pixel)
        self.legend.set_entries(*class_entries(answers.classes) if answers.by_pixel else ())
        self.legend.setVisible(answers.by_pixel)
        self.classes.setToolTip(self.tr("Show only pictures with pixels of one class") if answers.by_pixel else
                                self.tr("Show only samples of one true class"))
        self.classes.setVisible(classification)
        self._offer(answers.classes)
        prepared = self.runner.prepared
        self.grid.set_card_size(*card_size(prepared, answers))
        self.grid.show_cards([card_of(prepared, answers, i) for i in range(len(answers.positions))])
        last = found.first + len(answers.positions)
        if found.total:
            self.position.setText(self.tr("{0}–{1} of {2}").format(found.first + 1, last, numbers.exact(found.total)))
        else:
            self.position.setText(self.tr("no mistakes") if self.mistakes.isChecked() else self.tr("no samples"))
        self.back.setEnabled(found.first > 0)
        self.on.setEnabled(last < found.total)

    def session_is_new(self) -> None:
        self._page_shown = None
        self.grid.show_cards([])

    # --- inside ---

    def _offer(self, classes: tuple[str, ...]) -> None:
        if self.classes.values != [-1, *range(len(classes))]:
            items = [(self.tr("all classes"), -1), *((name, i) for i, name in enumerate(classes))]
            self.classes.offer(items, self.classes.value)

    def _shuffle(self) -> None:
        self._seed = random.randrange(1, 2**31)
        self._restart()

    def _restart(self) -> None:
        self._first = 0
        self.ask_anew()

    def _page(self, step: int) -> None:
        self._first = max(0, self._first + step * self.grid.capacity)
        self.ask_anew()


def card_size(prepared: Prepared, answers: Predictions) -> tuple[int, int]:
    """(least width, height) of the cards for these data."""
    if answers.by_pixel:
        return STRIP_WIDTH, STRIP_HEIGHT
    return (WIDTH if picture_field(prepared) is None else PICTURE_WIDTH), HEIGHT


def card_of(prepared: Prepared, answers: Predictions, i: int) -> CardContent:
    """The card of the i-th sample of some answers."""
    part = questions.shown_part(prepared)
    place, number = int(answers.positions[i]), int(answers.rows[i]) + 1
    picture, lines = picture_of(prepared, part, place), lines_of(prepared, part, place)
    if answers.by_pixel:
        return _mask_card(prepared, answers, i, picture)
    if answers.task == "classification":
        truth = int(answers.truth[i])
        bars = class_bars(answers.classes, answers.probabilities[i], truth, int(answers.predicted[i]))
        return CardContent(place, f"{answers.classes[truth]}, sample {number}", picture, None, lines, bars, "",
                           bool(answers.predicted[i] == truth), passage_of(prepared, part, place))
    if answers.texts is not None:
        return _text_card(answers, i, picture, lines, passage_of(prepared, part, place))
    truth, values = answers.truth[i], answers.values[i]
    error = float(np.sqrt(np.mean(np.square(values - truth))))
    caption = f"error {numbers.measure(error)}"
    if answers.task == "reconstruction" and truth.ndim == 3:
        low, high = float(truth.min()), float(truth.max())
        picture, again = picture_image(truth, low, high), picture_image(values, low, high)
        return CardContent(place, f"sample {number}", picture, again, (), (), caption)
    return CardContent(place, f"sample {number}", picture, None, lines, (), caption)


def _text_card(
    answers: Predictions, i: int, picture: QImage | None, lines: tuple[tuple[str, str], ...], passage: str
) -> CardContent:
    """The text that should be written, and the one that is; beside the picture, or beside what stands for the sample.
    """
    truth, said = str(answers.truth[i]), written(answers.texts[i])
    texts = (("truth", truth), ("answer", said))
    shown = {"lines": texts} if picture is not None else {
        "lines": lines, "caption": "\n".join(f"{name}: {text}" for name, text in texts)}
    return CardContent(int(answers.positions[i]), f"sample {int(answers.rows[i]) + 1}", picture, passage=passage,
                       right=bool(answers.right[i]), **shown)


def _mask_card(prepared: Prepared, answers: Predictions, i: int, picture: QImage | None) -> CardContent:
    """Picture, true classes of its pixels, and those of the answer."""
    place, field = int(answers.positions[i]), picture_field(prepared)
    values = questions.shown_part(prepared).arrays[field][place] if field is not None else None
    right = f"{numbers.percent(float(answers.right[i].mean()))} right"
    strip = [(mask_image(values, answers.truth[i], answers.classes), "truth"),
             (mask_image(values, answers.predicted[i], answers.classes), f"answer, {right}")]
    if picture is not None:
        strip.insert(0, (picture, "picture"))
    return CardContent(place, f"sample {int(answers.rows[i]) + 1}", caption=f"{right} of the pixels",
                       strip=tuple(strip))


def class_bars(classes: tuple[str, ...], probabilities: np.ndarray, truth: int, predicted: int) -> tuple[Bar, ...]:
    """The three most probable classes, the true one always among them, the most probable first."""
    order = ranked(probabilities, classes, len(classes))
    chosen = order[:3]
    if truth not in [i for i, _ in chosen]:
        chosen[-1] = next(pair for pair in order if pair[0] == truth)
    return tuple(
        Bar(bar.name, bar.probability, "right" if i == truth else "wrong" if i == predicted else "plain")
        for i, bar in chosen)
