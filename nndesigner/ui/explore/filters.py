"""The line above the gallery: which samples, in which order."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from nndesigner.ui import numbers
from nndesigner.ui.explore.selection import Opinion, Samples, Wanted
from nndesigner.ui.parts import button, label, line, margins
from nndesigner.ui.views.choice import Choice

SEARCH_PAUSE_MS = 200


class Filters(QWidget):
    """Holds what is wanted. `changed` tells when it is something else."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._wanted = Wanted()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search")
        self.search.setToolTip("Part of a file name, a text or a category; #12 for sample 12")
        self.search.setAccessibleName("Search samples")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(110)
        self.show_ = self._choice("Which samples", [("all samples", "all")])
        self.part = self._choice("Part of the data", [
            ("all parts", ""), ("training", "train"), ("validation", "validation"), ("test", "test"),
            ("left out", "nowhere")])
        self.label = self._choice("Label", [("all labels", "")])
        self.answer = self._choice("What the network answers", [
            ("right and wrong", ""), ("right", "right"), ("wrong", "wrong")])
        self.order = self._choice("Order", [("by row", "row")])
        self.chip = button("", "repair", icon="mdi6.close", tip="Show all again", clicked=self._drop_only)
        self.chip.hide()
        self.count = label("", "caption")
        self.judge = button("Ask the network", "repair", icon="mdi6.head-question-outline",
                            tip="Have the network answer every sample: then they can be sorted by loss and doubt, "
                                "and suspect labels are listed")
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(SEARCH_PAUSE_MS)
        self._pause.timeout.connect(lambda: self._take())
        self.search.textChanged.connect(lambda _: self._pause.start())
        self.search.returnPressed.connect(lambda: self._take())
        layout = margins(QVBoxLayout(self), 12, 6, 12, 2, gap=2)
        first = line(self.search, self.show_, self.order, self.judge, gap=4)
        first.setStretch(0, 1)
        layout.addLayout(first)
        layout.addLayout(line(self.part, self.label, self.answer, self.chip, 1, self.count, gap=4))

    @property
    def wanted(self) -> Wanted:
        return self._wanted

    def show_samples(self, samples: Samples | None, opinion: Opinion) -> None:
        """Offer what these samples can be filtered by."""
        judged = opinion.judgement
        classes = samples.classes if samples is not None else ()
        self.label.offer([("all labels", ""), *((c, c) for c in classes[:200])], self.label.value)
        self.label.setVisible(len(classes) > 1)
        shows = [("all samples", "all")]
        if judged is not None and judged.classes:
            shows.append((f"suspect labels ({numbers.exact(len(judged.suspects))})", "suspects"))
        if opinion.corrections:
            shows.append((f"corrected by hand ({numbers.exact(len(opinion.corrections))})", "corrected"))
        self.show_.offer(shows, self.show_.value)
        self.show_.setVisible(len(shows) > 1)
        self.answer.setVisible(judged is not None and bool(judged.classes))
        orders = [("by row", "row")]
        if judged is not None:
            orders.append(("by loss", "loss"))
            orders += [("by doubt", "doubt")] if judged.classes else []
        self.order.offer(orders, self.order.value)
        self.order.setVisible(len(orders) > 1)
        self._take(quietly=True)

    def want(self, wanted: Wanted) -> None:
        """Set everything at once, as a click on a bar does."""
        for choice, value in ((self.show_, wanted.show), (self.part, wanted.part), (self.label, wanted.label),
                              (self.answer, wanted.answer), (self.order, wanted.order)):
            choice.blockSignals(True)
            choice.choose(value)
            choice.blockSignals(False)
        self.search.setText(wanted.search)
        self._pause.stop()
        self._wanted = replace(self._wanted, only=wanted.only, words=wanted.words)
        self._take()

    def clear(self) -> bool:
        """Show all samples again; False when they were."""
        if self._wanted == Wanted(order=self._wanted.order):
            return False
        self.want(Wanted(order=self.order.value))
        return True

    def _drop_only(self) -> None:
        self._wanted = replace(self._wanted, only=None, words="")
        self._take()

    def _take(self, quietly: bool = False) -> None:
        self._pause.stop()
        wanted = Wanted(self.search.text(), self.part.value, self.label.value, self.answer.value, self.show_.value,
                        self.order.value, self._wanted.only, self._wanted.words)
        # suspects have an order of their own
        self.order.setVisible(len(self.order.values) > 1 and wanted.show != "suspects")
        self.chip.setVisible(bool(wanted.words))
        self.chip.setText(wanted.words if len(wanted.words) <= 44 else wanted.words[:43] + "…")
        self.chip.setAccessibleName(f"{wanted.words}: show all again")
        self._wanted = wanted
        if not quietly:
            self.changed.emit()

    def _choice(self, name: str, items: list[tuple[str, str]]) -> Choice:
        choice = Choice(items, items[0][1])
        choice.setToolTip(name)
        choice.setAccessibleName(name)
        choice.chosen.connect(lambda: self._take())
        choice.setVisible(len(items) > 1)
        return choice
