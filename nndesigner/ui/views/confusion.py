"""Which classes the network takes for which: the confusion matrix of the test part, and the samples of each cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from nndesigner.graph.check import Checked
from nndesigner.insight.answers import Confusion
from nndesigner.training.trainer import Trainer
from nndesigner.ui import numbers
from nndesigner.ui.document import Document
from nndesigner.ui.parts import ElidedLabel, label, line, margins
from nndesigner.ui.runner import Runner
from nndesigner.ui.stylesheet import role
from nndesigner.ui.views import questions
from nndesigner.ui.views.cards import CardGrid
from nndesigner.ui.views.choice import Choice
from nndesigner.ui.views.live_view import LiveView
from nndesigner.ui.views.matrix_picture import MatrixPicture, precision, recall
from nndesigner.ui.views.plot_export import ExportButton
from nndesigner.ui.views.sample_cards import card_of, card_size
from nndesigner.ui.views.tool import tool


def sentence(found: Confusion, truth: int, predicted: int, thing: str) -> str:
    """One cell in words: "5 pictures of 8 were taken for 3"."""
    count = int(found.counts[truth, predicted])
    things = f"{numbers.exact(count)} {thing}" if count == 1 else f"{numbers.exact(count)} {thing}s"
    were = "was" if count == 1 else "were"
    if truth == predicted:
        return (f"{things} of {found.classes[truth]} {were} recognised "
                f"(recall {numbers.percent(recall(found.counts, truth))}, "
                f"precision {numbers.percent(precision(found.counts, truth))})")
    return f"{things} of {found.classes[truth]} {were} taken for {found.classes[predicted]}"


def worst(counts: np.ndarray) -> tuple[int, int] | None:
    """The most frequent mistake (true, predicted), None when there is none."""
    mistakes = counts - np.diag(np.diag(counts))
    if not mistakes.any():
        return None
    return tuple(int(i) for i in np.unravel_index(mistakes.argmax(), mistakes.shape))


class ConfusionView(LiveView):
    """The matrix; a click on a cell opens its samples. `sample_chosen` gives a sample's place in the test part."""

    title = "Confusion"
    icon = "mdi6.grid"
    sample_chosen = Signal(int)

    def __init__(self, document: Document, runner: Runner, parent: QWidget | None = None) -> None:
        super().__init__(document, runner, parent)
        self._found: Confusion | None = None
        self._opened: tuple[int, int] | None = None
        self._first = 0
        self.outputs = Choice([], None)
        self.outputs.setAccessibleName(self.tr("Output"))
        self.outputs.chosen.connect(self.ask_anew)
        self.outputs.hide()
        self.summary = label("", "caption")
        self.axes = label(self.tr("rows: true · columns: predicted"), "caption")
        self.sentence = ElidedLabel("")
        role(self.sentence, "caption")
        self.matrix = MatrixPicture()
        self.matrix.setAccessibleName(self.tr("Confusion matrix"))
        self.matrix.setToolTip(self.tr("Click a cell to see its samples (arrow keys and Enter do the same)"))
        self.export = ExportButton((self.matrix,), lambda: "confusion", self.csv)
        table = QWidget()
        inner = margins(QVBoxLayout(table), 12, 4, 8, 4, gap=2)
        inner.addLayout(line(self.outputs, self.summary, 1, self.axes, self.export, gap=8))
        inner.addWidget(self.matrix, 1)
        inner.addWidget(self.sentence)

        self.close_button = tool("mdi6.arrow-left", self.tr("Back to the matrix (Esc)"), self.tr("matrix"))
        self.close_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.cell_title = ElidedLabel("")
        self.back = tool("mdi6.chevron-left", self.tr("Samples before these"))
        self.on = tool("mdi6.chevron-right", self.tr("Next samples"))
        self.grid = CardGrid()
        gallery = QWidget()
        inner = margins(QVBoxLayout(gallery), 12, 4, 12, 8, gap=4)
        top = line(self.close_button, self.cell_title, self.back, self.on, gap=4)
        top.setStretch(1, 1)
        inner.addLayout(top)
        inner.addWidget(self.grid, 1)
        self._pages = QStackedLayout(self.content)
        self._pages.addWidget(table)
        self._pages.addWidget(gallery)

        self.matrix.pointed.connect(lambda cell: self._say_cell())
        self.matrix.opened.connect(self.open)
        self.close_button.clicked.connect(self.close_cell)
        self.back.clicked.connect(lambda: self._page(-1))
        self.on.clicked.connect(lambda: self._page(1))
        self.grid.capacity_changed.connect(self._capacity)
        self.grid.chosen.connect(self.sample_chosen)

    @property
    def found(self) -> Confusion | None:
        """What is shown."""
        return self._found

    def open(self, truth: int, predicted: int) -> None:
        """Show the samples of one cell."""
        self._opened, self._first = (truth, predicted), 0
        self._pages.setCurrentIndex(1)
        self.close_button.setFocus()
        self.ask_anew()

    def close_cell(self) -> None:
        """Back to the matrix."""
        self._opened = None
        self._pages.setCurrentIndex(0)
        self.matrix.setFocus()
        self.ask_anew()

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_Escape and self._opened is not None:
            self.close_cell()
        else:
            super().keyPressEvent(event)

    def csv(self) -> str:
        """The counts as a table, true classes in rows."""
        found = self._found
        quoted = ['"' + name.replace('"', '""') + '"' for name in found.classes]
        rows = (",".join([name, *map(str, row)]) for name, row in zip(quoted, found.counts.tolist()))
        return "\n".join([",".join(['"true \\ predicted"', *quoted]), *rows]) + "\n"

    def question(self) -> Callable[[Any], Any] | None:
        if self.unsuited():
            return None
        node, opened = self.outputs.value or self._heads()[0], self._opened
        first, count = self._first, self.grid.capacity
        matrix = questions.confusion_of(node)

        def look(trainer: Trainer) -> Any:
            found = matrix(trainer)
            if opened is None:
                return found, None, 0
            places = found.cells.get(opened, np.zeros(0, dtype=np.int64))
            begin = max(0, min(first, (len(places) - 1) // count * count))
            return found, questions.answers_at(node, places[begin:begin + count])(trainer), begin

        return look

    def show_answer(self, value: Any) -> None:
        found, answers, first = value
        self._found = found
        self.matrix.show_matrix(found)
        self.summary.setText(self.tr("accuracy {0}").format(numbers.percent(found.accuracy, 1)))
        self._say_cell()
        if answers is None or self._opened is None:
            return
        self._first = first
        prepared = self.runner.prepared
        self.grid.set_card_size(*card_size(prepared, answers))
        self.grid.show_cards([card_of(prepared, answers, i) for i in range(len(answers.positions))])
        total = len(found.cells.get(self._opened, ()))
        self.cell_title.setText(sentence(found, *self._opened, self._thing()))
        self.back.setEnabled(first > 0)
        self.on.setEnabled(first + len(answers.positions) < total)

    def session_is_new(self) -> None:
        self._found = None
        self._opened = None
        self._pages.setCurrentIndex(0)
        heads = self._heads()
        graph = self._checked.graph
        titles = [(graph.node(node).title, node) for node in heads]
        self.outputs.offer(titles, self.outputs.value)
        self.outputs.setVisible(len(heads) > 1)

    # --- inside ---

    @property
    def _checked(self) -> Checked:
        """The network that answers, or the drawing while there is none."""
        return self.runner.checked or self.document.checked

    def _heads(self) -> list[str]:
        return [node for node, head in self._checked.heads.items() if head.task == "classification"]

    def unsuited(self) -> str:
        if self._checked.heads and not self._heads():
            writes = any(head.task == "transcription" for head in self._checked.heads.values())
            return (self.tr("A confusion matrix needs classes; this network writes texts.") if writes else
                    self.tr("A confusion matrix needs classes; this network predicts values."))
        return ""

    def _thing(self) -> str:
        prepared = self.runner.prepared
        if self._found is not None and self._found.by_pixel:
            return "pixel"
        return "picture" if prepared is not None and prepared.dataset.form == "images" else "sample"

    def _say_cell(self) -> None:
        found = self._found
        if found is None:
            return
        cell = self.matrix.cell
        if cell is not None:
            text = sentence(found, *cell, self._thing())
        else:
            mistake = worst(found.counts)
            text = self.tr("No mistakes.") if mistake is None else self.tr("Most frequent mistake: {0}").format(
                sentence(found, *mistake, self._thing()))
        self.sentence.setText(text)
        self.matrix.setAccessibleDescription(text)

    def _capacity(self) -> None:
        if self._opened is not None:
            self.ask_anew()

    def _page(self, step: int) -> None:
        self._first = max(0, self._first + step * self.grid.capacity)
        self.ask_anew()
