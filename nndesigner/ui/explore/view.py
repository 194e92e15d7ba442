"""The page of the data in the middle of the window: gallery and statistics, and the mending of labels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from nndesigner.data.corrections import Corrections, by_row, with_excluded, with_label, without
from nndesigner.ui import numbers
from nndesigner.ui.background import Background
from nndesigner.ui.document import Document
from nndesigner.ui.explore.contents import Contents
from nndesigner.ui.explore.detail import Detail
from nndesigner.ui.explore.filters import Filters
from nndesigner.ui.explore.gallery import Gallery
from nndesigner.ui.explore.judge import Judge
from nndesigner.ui.explore.selection import Opinion, Samples, Wanted, chosen_rows, known, number_text
from nndesigner.ui.explore.statistics_page import StatisticsPage
from nndesigner.ui.parts import ElidedLabel, button, label, line, margins, rule
from nndesigner.ui.runner import Runner
from nndesigner.ui.stylesheet import role
from nndesigner.ui.views.empty_state import EmptyState

KEYS = "1–9 or L label · Delete leave out · Backspace take back · Enter suggestion · Esc show all"
#: of data that have no classes
KEYS_OF_NUMBERS = "L value · Delete leave out · Backspace take back · Esc show all"
#: tiles at a time; Qt lays out more too slowly
MOST_TILES = 250_000


class ExploreView(QWidget):
    """Works only while it is seen."""

    back_wanted = Signal()

    def __init__(self, document: Document, runner: Runner) -> None:
        super().__init__()
        self._document, self._runner = document, runner
        self._samples: Samples | None = None
        self._opinion = Opinion()
        #: (raw data, prepared, corrections) that is shown
        self._shown: tuple[object, ...] = ()
        self._inputs: tuple[object, ...] = ()
        self._looking, self._choosing = Background(self), Background(self)
        self.contents = Contents(self)
        self.judge = Judge(runner, self)
        self.filters = Filters()
        self.gallery = Gallery(self.contents, self._key)
        self.detail = Detail(self.contents)
        self.empty = EmptyState("mdi6.image-multiple-outline")
        self.tabs = QTabBar()
        self.tabs.addTab("Samples")
        self.tabs.addTab("Statistics")
        self.statistics = StatisticsPage()
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setAccessibleName("What to look at")
        self.title = label("", "name")
        self.hint = role(ElidedLabel(KEYS, Qt.TextElideMode.ElideRight), "caption")
        back = button("Network", "quiet", icon="mdi6.arrow-left", tip="Back to the network (Esc)",
                      clicked=self.back_wanted.emit)
        self._pages = QStackedWidget()
        self._body = QStackedWidget()
        layout = margins(QVBoxLayout(self), 0, gap=0)
        head = line(back, self.tabs, 1, self.title, gap=8)
        head.setContentsMargins(8, 4, 12, 0)
        layout.addLayout(head)
        layout.addWidget(rule())
        layout.addWidget(self._pages, 1)
        self._pages.addWidget(self._sample_page())
        self._pages.addWidget(self.statistics)
        self.statistics.wanted.connect(self.want)
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)
        self.setAccessibleName("Data")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.refresh)
        document.data_changed.connect(self._soon)
        document.changed.connect(lambda old, new: self._soon() if old.data != new.data else None)
        runner.state_changed.connect(lambda _: self._name_judge())
        runner.telemetry_changed.connect(lambda _: self._name_judge())
        runner.session_changed.connect(self._name_judge)
        self._choosing.failed.connect(self.filters.count.setText)
        self._looking.failed.connect(self._say)
        self.filters.changed.connect(self._choose)
        self.filters.judge.clicked.connect(self._ask)
        self.judge.judged.connect(self._say_opinion)
        self.judge.progressed.connect(self._show_progress)
        self.judge.failed.connect(self._judge_failed)
        self.gallery.chosen.connect(self._show_detail)
        self.detail.label_wanted.connect(self.set_label)
        self.detail.exclude_wanted.connect(self.exclude)
        self.detail.revert_wanted.connect(self.revert)

    def _sample_page(self) -> QWidget:
        page = QWidget()
        left = margins(QVBoxLayout(), 0, gap=0)
        left.addWidget(self.filters)
        left.addWidget(self._body, 1)
        self._body.addWidget(self.gallery)
        self._body.addWidget(self.empty)
        foot = line(self.hint)
        foot.setContentsMargins(12, 2, 12, 4)
        left.addLayout(foot)
        across = margins(QHBoxLayout(page), 0, gap=0)
        across.addLayout(left, 1)
        across.addWidget(rule(vertical=True))
        across.addWidget(self.detail)
        return page

    # --- what others ask for ---

    @property
    def samples(self) -> Samples | None:
        """What is shown; None while it is being looked at."""
        return self._samples

    @property
    def opinion(self) -> Opinion:
        return self._opinion

    @property
    def busy(self) -> bool:
        """Whether something is being looked at or chosen."""
        jobs = (self._looking, self._choosing, self.statistics.looking, self.judge)
        return self._later.isActive() or any(job.busy for job in jobs)

    def want(self, wanted: Wanted) -> None:
        """Show some samples in the gallery."""
        self.tabs.setCurrentIndex(0)
        self.filters.want(wanted)

    def end(self) -> None:
        """End all work beside the window."""
        self._later.stop()
        self.judge.cancel()
        self._looking.close()
        self._choosing.close()
        self.statistics.looking.close()
        self.contents.close()
        self.detail.play.player.stop()

    # --- mending ---

    def set_label(self, text: str) -> None:
        """Give the chosen samples another label."""
        samples = self._samples
        if samples is None or samples.target is None:
            return
        try:
            value = number_text(samples, text)
        except ValueError as error:
            self._document.edit_failed.emit(str(error))
            return
        rows = self.gallery.chosen_rows
        same = [row for row in rows if samples.labels[row] == value]
        given = self._document.design.data.corrections
        keys = {row: samples.dataset.keys.of(row) for row in rows}
        # The label of the file needs no correction; a sample that was left out stays so.
        out = [keys[row] for row in same if row in self._opinion.corrections
               and self._opinion.corrections[row].excluded]
        given = with_excluded(without(given, (keys[row] for row in same)), out)
        given = with_label(given, (keys[row] for row in rows if row not in set(same)), samples.target.name, value)
        self._mend(f"Label {_counted(rows)} {value}", given, rows)

    def exclude(self) -> None:
        """Leave the chosen samples out."""
        self._mend_with("Leave out {}", with_excluded)

    def revert(self) -> None:
        """Take back what was said of the chosen samples by hand."""
        self._mend_with("Take back corrections of {}", without)

    def _mend_with(self, words: str, how: Callable[..., Corrections]) -> None:
        rows = self.gallery.chosen_rows
        if self._samples is not None and rows:
            keys = [self._samples.dataset.keys.of(row) for row in rows]
            self._mend(words.format(_counted(rows)), how(self._document.design.data.corrections, keys), rows)

    def _mend(self, words: str, corrections: Corrections, rows: list[int]) -> None:
        changed = rows and self._document.edit_data(words, corrections=corrections)
        if changed and len(rows) == 1:
            self.gallery.step_on()
        self.gallery.setFocus()

    def _key(self, event: QKeyEvent) -> bool:
        """Act on a key; False for one that means nothing here."""
        key, classes = event.key(), self._samples.classes if self._samples is not None else ()
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        digit = key - Qt.Key.Key_1
        acts = {Qt.Key.Key_Delete: self.exclude, Qt.Key.Key_Backspace: self.revert, Qt.Key.Key_L:
                self.detail.open_labels, Qt.Key.Key_Space: self.detail.play.toggle, Qt.Key.Key_Escape: self._escape}
        if 0 <= digit < min(9, len(classes)):
            self.set_label(classes[digit])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.detail.suggestion:
            self.set_label(self.detail.suggestion)
        elif key in acts and not (key == Qt.Key.Key_Space and self.contents.kind != "sound"):
            acts[key]()
        else:
            return False
        return True

    def _escape(self) -> None:
        if not self.filters.clear():
            self.back_wanted.emit()

    # --- following ---

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._soon()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.judge.cancel()

    def _soon(self) -> None:
        if self.isVisible() and not self._later.isActive():
            self._later.start(0)

    def refresh(self) -> None:
        """Follow the document."""
        document = self._document
        if not self.isVisible():
            return
        dataset, prepared = document.dataset, document.prepared
        if document.data_state != "loading":
            self.statistics.show_prepared(prepared)
        if dataset is None:
            self._shown = ()
            self._forget_samples()
            self.contents.show(None)
            words = {"loading": "The data are being loaded.", "failed": document.data_error}
            self._say(words.get(document.data_state, "Choose data: all samples are shown here."))
            self._show_detail()
            return
        self.title.setText(f"{dataset.title} · {numbers.exact(len(dataset))} samples")
        corrections = document.design.data.corrections
        if self._samples is not None and self._samples.dataset is dataset and self._shown[2] != corrections:
            self._shown = (*self._shown[:2], corrections)
            self._say_opinion()
        same = bool(self._shown) and self._shown[0] is dataset and self._shown[1] is prepared
        if same or document.data_state == "loading":
            return
        self._shown = (dataset, prepared, corrections)
        self._show_contents()
        before = self._samples if self._samples is not None and self._samples.dataset is dataset else None
        if before is None:
            self._forget_samples()
            self._say("Looking at the samples…")
        self._looking.run(partial(known, dataset, prepared, before), self._take_samples)

    def _forget_samples(self) -> None:
        """Other data: what is still being looked for in the old ones counts no more."""
        self._looking.cancel()
        self._choosing.cancel()
        self._samples = None
        self.gallery.rows_model.show(None, np.zeros(0, np.int64))

    def _show_contents(self) -> None:
        dataset, prepared = self._shown[:2]
        seen = dataset if prepared is None else prepared.dataset
        inputs = tuple((c.name, c.kind, c.role, id(c.values)) for c in seen.columns if c.role == "input")
        if inputs != self._inputs:
            self._inputs = inputs
            self.contents.show(seen)

    def _take_samples(self, samples: Samples) -> None:
        first = self._samples is None
        self._samples = samples
        self.gallery.show_kind()
        self.hint.setText(KEYS if samples.classes else KEYS_OF_NUMBERS)
        self._say_opinion()
        if first:
            self.filters.clear()

    def _say_opinion(self) -> None:
        """What hands and the network say has changed, or the samples have."""
        samples = self._samples
        if samples is None:
            return
        judged = self.judge.judgement
        judged = judged if judged is not None and len(judged.loss) == len(samples) else None
        self._opinion = Opinion(by_row(samples.dataset, self._document.design.data.corrections), judged)
        self.filters.show_samples(samples, self._opinion)
        self.gallery.rows_model.say(self._opinion, samples)
        self.gallery.viewport().update()
        self._choose()
        self._show_detail()
        self._name_judge()

    def _choose(self) -> None:
        if self._samples is not None:
            work = partial(chosen_rows, self._samples, self.filters.wanted, self._opinion)
            self._choosing.run(work, self._take_rows)

    def _take_rows(self, rows: np.ndarray) -> None:
        model, gallery = self.gallery.rows_model, self.gallery
        total = numbers.exact(len(self._samples))
        shown = f"{numbers.exact(len(rows))} of {total}" if len(rows) != len(self._samples) else total
        rows, more = rows[:MOST_TILES], len(rows) > MOST_TILES
        self.filters.count.setText(f"first {numbers.exact(MOST_TILES)} of {total}" if more else shown)
        self.filters.count.setToolTip("Filter or sort to see others" if more else "")
        if not len(rows):
            self._say("No sample is like that. Esc shows all again.")
        else:
            self._body.setCurrentWidget(gallery)
        if np.array_equal(rows, model.rows) and model.samples is not None:
            return
        at, chosen = gallery.currentIndex().row(), gallery.current_row
        model.show(self._samples, rows)
        if chosen is not None and len(rows):
            place = np.flatnonzero(rows == chosen)
            gallery.setCurrentIndex(model.index(int(place[0]) if len(place) else min(at, len(rows) - 1)))

    def _show_detail(self) -> None:
        rows = self.gallery.chosen_rows
        current = self.gallery.current_row if rows else None
        self.detail.show_samples(self._samples, self._opinion, rows, current)

    def _say(self, words: str) -> None:
        self.empty.set_text(words)
        self._body.setCurrentWidget(self.empty)

    # --- the network's opinion ---

    def _ask(self) -> None:
        if self.judge.busy:
            self.judge.cancel()
            self._name_judge()
        else:
            self.judge.start()

    def _name_judge(self) -> None:
        if not self.isVisible():
            return
        runner, asked = self._runner, self.filters.judge
        asked.setVisible(runner.trained)
        known = self.judge.judgement is not None
        asked.setText("Ask the network again" if known else "Ask the network")
        fresh = known and self.judge.step == runner.telemetry.step
        asked.setEnabled(not fresh)
        if runner.trained and not known and not self.judge.busy and runner.state in ("finished", "stopped"):
            self.judge.start()

    def _show_progress(self, share: float) -> None:
        self.filters.judge.setEnabled(True)
        self.filters.judge.setText(f"Asking: {numbers.percent(share)} · cancel")

    def _judge_failed(self, words: str) -> None:
        self.filters.judge.setText("No answers")
        self.filters.judge.setToolTip(words)


def _counted(rows: list[int]) -> str:
    return f"sample {rows[0] + 1}" if len(rows) == 1 else f"{numbers.exact(len(rows))} samples"
