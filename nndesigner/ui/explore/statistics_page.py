"""What all samples are like. A click on a class, a bar, a cell or a warning shows the samples behind it."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QStackedLayout, QVBoxLayout, QWidget

from nndesigner.data.overview import FAR_OUT, ColumnView, Overview, overview
from nndesigner.data.preparing import Prepared
from nndesigner.ui import numbers, theme
from nndesigner.ui.background import Background
from nndesigner.ui.explore.charts import Balance, Correlations, Histogram
from nndesigner.ui.explore.selection import Wanted
from nndesigner.ui.parts import Column, ElidedLabel, button, clear, heading, label, line, margins
from nndesigner.ui.stylesheet import role
from nndesigner.ui.views.empty_state import EmptyState

CARD_WIDTH, CARD_HEIGHT = 220, 148


class StatisticsPage(QWidget):
    """Made when it is seen, anew for other data."""

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._prepared: Prepared | None = None
        self._of: Prepared | None = None
        self._across = 0
        self.overview: Overview | None = None
        self.looking = Background(self)
        self.looking.progressed.connect(self._show_progress)
        self.looking.failed.connect(self._failed)
        self._empty = EmptyState("mdi6.chart-bar")
        self._column = Column(16, 12, 16, 16, gap=8)
        self._cancel = button("Cancel", "repair", clicked=self.cancel)
        waiting = QWidget()
        inner = margins(QVBoxLayout(waiting), 12)
        inner.addWidget(self._empty, 1)
        inner.addWidget(self._cancel, 0, Qt.AlignmentFlag.AlignHCenter)
        self._stack = margins(QStackedLayout(self), 0, gap=0)
        self._stack.addWidget(waiting)
        self._stack.addWidget(self._column)
        self._cards: list[QWidget] = []
        self._grid = QGridLayout()
        self._waiting = waiting

    def show_prepared(self, prepared: Prepared | None) -> None:
        """Statistics of these data, as soon as they are seen."""
        self._prepared = prepared
        if self.isVisible():
            self._look()

    def cancel(self) -> None:
        """Look no further."""
        self.looking.cancel()
        self._of = None
        self._empty.set_text("Cancelled. Open this tab again to start anew.")
        self._cancel.hide()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _look(self) -> None:
        if self._prepared is None:
            self.looking.cancel()
            self._of = self.overview = None
            self._cancel.hide()
            self._empty.set_text("Choose data: what they are like is shown here.")
            self._stack.setCurrentWidget(self._waiting)
        elif self._of is not self._prepared:
            self._of = self._prepared
            self._empty.set_text("Looking at the data…")
            self._cancel.show()
            if self.overview is None:
                self._stack.setCurrentWidget(self._waiting)
            self.looking.run(partial(overview, self._prepared), self._take)

    def _show_progress(self, fraction: float | None, words: str) -> None:
        share = f" ({numbers.percent(fraction)})" if fraction is not None else ""
        self._empty.set_text(f"{words}{share}")

    def _failed(self, words: str) -> None:
        self._cancel.hide()
        self._empty.set_text(words)
        self._stack.setCurrentWidget(self._waiting)

    # --- what was found ---

    def _take(self, found: Overview) -> None:
        at = self._column.verticalScrollBar().value()
        self.overview = found
        content = self._column.content
        clear(content)
        for note in (*self._sample_note(found), *found.notes):
            content.addWidget(label(note, "caption", wrap=True))
        if len(found.equal):
            self._equal(found)
        if found.classes:
            content.addWidget(heading("Classes"))
            balance = Balance(found.classes, found.balance)
            balance.clicked.connect(lambda i: self.wanted.emit(Wanted(label=balance.name(i))))
            content.addWidget(balance)
        content.addWidget(heading("Columns" if any(c.kind == "number" for c in found.columns) else "Samples"))
        self._grid = margins(QGridLayout(), 0, gap=8)
        self._cards = [self._card(view) for view in found.columns]
        self._across = 0
        content.addLayout(self._grid)
        content.addWidget(label(f"Outliers lie more than {FAR_OUT:g} interquartile ranges below the first or above the "
                                "third quartile.", "caption", wrap=True))
        if len(found.names) > 1:
            content.addWidget(heading("Correlations"))
            table = Correlations(found.names, found.r)
            table.clicked.connect(lambda part: self._off_the_line(*table.pair(part)))
            content.addWidget(table)
            content.addWidget(label("Pearson's r: 1 rise together, -1 one falls while the other rises, 0 no straight "
                                    "relation.", "caption", wrap=True))
        content.addStretch(1)
        self._arrange()
        self._stack.setCurrentWidget(self._column)
        self._column.verticalScrollBar().setValue(at)

    @staticmethod
    def _sample_note(found: Overview) -> list[str]:
        if found.looked_at == found.total:
            return []
        return [f"Counted on {numbers.exact(found.looked_at)} of {numbers.exact(found.total)} samples, evenly chosen."]

    def _equal(self, found: Overview) -> None:
        count = len(found.equal)
        frame = role(QFrame(), "note")
        inner = margins(QVBoxLayout(frame), 10)
        words = (f"{numbers.exact(count)} validation or test sample{'s' * (count != 1)} "
                 f"{'have' if count != 1 else 'has'} exactly the inputs of a training sample: the figures of such "
                 "samples look better than they are.")
        rows = found.equal.reshape(-1)
        show = button("Show the pairs", "repair", clicked=lambda: self.wanted.emit(
            Wanted(only=rows, words=f"{numbers.exact(count)} pairs of equal samples")))
        inner.addWidget(label(words, "warning", wrap=True))
        inner.addWidget(show, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.content.addWidget(frame)

    def _card(self, view: ColumnView) -> QWidget:
        frame = role(QFrame(), "card")
        frame.setFixedHeight(CARD_HEIGHT)
        inner = margins(QVBoxLayout(frame), 10, 8, 10, 6, gap=4)
        title = ElidedLabel(view.name)
        role(title, "name")
        part = label({"target": "target", "group": "group", "time": "time"}.get(view.role, ""), "caption")
        inner.addLayout(line(title, 1, part, gap=4))
        chart = Histogram(view)
        chart.clicked.connect(lambda i: self.wanted.emit(Wanted(only=chart.rows(i), words=chart.range_words(i))))
        inner.addWidget(chart)
        found = view.statistics
        if view.kind == "category" or view.kind == "date" or not found.count:
            words = f"{numbers.exact(found.distinct)} values"
        else:
            words = f"{found.mean:.4g} ± {found.std:.3g} {view.unit}".strip()
        foot = line(label(words, "caption"), 1, gap=4)
        foot.itemAt(0).widget().setMinimumHeight(theme.CONTROL_HEIGHT)  # as high as a card with links
        for rows, what in ((view.missing, "missing"), (view.outliers, "outliers")):
            if len(rows):
                text = f"{numbers.count(len(rows))} {what if len(rows) > 1 else what.removesuffix('s')}"
                link = button(text, "link", tip=f"Show the samples of {view.name} that are {what}", clicked=partial(
                    self.wanted.emit, Wanted(only=rows, words=f"{view.name}: {text}")))
                foot.addWidget(link)
        inner.addLayout(foot)
        return frame

    def _off_the_line(self, a: int, b: int) -> None:
        names, rows = self.overview.names, self.overview.off_the_line(a, b)
        self.wanted.emit(Wanted(only=np.asarray(rows), words=f"off the relation of {names[a]} and {names[b]}"))

    def _arrange(self) -> None:
        across = max(1, (self.width() - 40) // (CARD_WIDTH + 8))
        if across == self._across or not self._cards:
            return
        self._across = across
        for card in self._cards:
            self._grid.removeWidget(card)
        for i in range(max(across, self._grid.columnCount())):
            self._grid.setColumnStretch(i, 1 if i < across else 0)
        for i, card in enumerate(self._cards):
            self._grid.addWidget(card, *divmod(i, across))
