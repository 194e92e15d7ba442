"""Augmentation: the steps that suit the data, and what they make of one training sample, side by side."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from nndesigner.data.augment import Augmentation, kinds_of, misfit, mixer_of
from nndesigner.data.dataset import DataError
from nndesigner.data.preparing import DataSettings, Prepared
from nndesigner.data.source import Progress
from nndesigner.spec import Declared
from nndesigner.training.settings import TrainSettings
from nndesigner.training.variants import Variant, original, variants
from nndesigner.ui import numbers
from nndesigner.ui.augment_cards import VariantCard, shown_field, shown_mask
from nndesigner.ui.background import Background
from nndesigner.ui.document import Document
from nndesigner.ui.form import Choices, Form
from nndesigner.ui.parts import Column, button, heading, label, line, margins, rule

#: epochs shown beside the original
EPOCHS, COLUMNS = 8, 3


class AugmentationSection(QWidget):
    """What of the data is changed in training, in a line of the data panel, and the way to the sheet."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self.sheet: AugmentationSheet | None = None
        self._words = label("", "caption", wrap=True)
        self.open = button("Augmentation…", icon="mdi6.auto-fix", clicked=self._open,
                           tip="Change training samples anew in each epoch, with a preview")
        layout = QVBoxLayout(self)
        margins(layout, 0, gap=8)
        layout.addWidget(rule())
        layout.addWidget(heading("Augmentation"))
        layout.addWidget(self._words)
        layout.addWidget(self.open)

    def refresh(self) -> None:
        """Follow the document."""
        steps = self._document.design.data.augmentation
        self.open.setEnabled(self._document.dataset is not None)
        self._words.setText("In each epoch anew: " + ", ".join(step.title for step in steps) + "." if steps
                            else "Off: training sees every sample as it is.")

    def _open(self) -> None:
        self.sheet = AugmentationSheet(self.window(), self._document)
        self.sheet.open()


class AugmentationSheet(QDialog):
    """Steps at the left, one sample and its variants at the right; every change is an undoable edit."""

    def __init__(self, parent: QWidget, document: Document) -> None:
        super().__init__(parent)
        self._document = document
        self._place, self._first = 0, 0
        self._again = False
        self.setWindowTitle("Augmentation")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(min(1100, parent.width() - 60), min(780, parent.height() - 60))
        layout = QHBoxLayout(self)
        margins(layout, 0, gap=0)
        layout.addWidget(self._make_steps())
        layout.addWidget(rule(vertical=True))
        layout.addLayout(self._make_preview(), 1)
        self._background = Background(self)
        self._background.failed.connect(self._failed)
        document.changed.connect(self._follow)
        document.data_changed.connect(self._follow)
        for key, go in ((QKeySequence.StandardKey.Undo, document.undo_stack.undo),
                        (QKeySequence.StandardKey.Redo, document.undo_stack.redo)):
            QShortcut(key, self, go)  # those of the window sleep while the sheet is open
        self._follow()

    def _make_steps(self) -> QWidget:
        steps = Column(16, 16, 16, 16, gap=8)
        steps.setFixedWidth(340)
        steps.content.addWidget(label("Augmentation", "title"))
        steps.content.addWidget(label(
            "Changes training samples anew in each epoch, so that the network cannot learn them by heart. Choose only "
            "what leaves their meaning. Validation and test samples stay as they are.", "caption", wrap=True))
        others = [name for name in DataSettings.model_fields if name != "augmentation"]
        self.form = Form(Choices(fits=self._misfit), leave_out=others, helps=False, sliders=True, folded=False)
        self.form.changed.connect(self._set)
        steps.content.addWidget(self.form)
        steps.content.addStretch(1)
        return steps

    def _make_preview(self) -> QVBoxLayout:
        layout = QVBoxLayout()
        margins(layout, 16, gap=10)
        self.words = label("", "name")
        self.sample = button("Next sample", icon="mdi6.skip-next-outline", clicked=self._next_sample,
                             tip="Another sample of the training part")
        self.epochs = button("Later epochs", icon="mdi6.dice-multiple-outline", clicked=self._next_epochs,
                             tip="What the same sample becomes in the epochs after these")
        layout.addLayout(line(self.words, 1, self.sample, self.epochs))
        grid = QGridLayout()
        margins(grid, 0, gap=10)
        self.cards = [VariantCard() for _ in range(1 + EPOCHS)]
        for i, card in enumerate(self.cards):
            grid.addWidget(card, *divmod(i, COLUMNS))
        layout.addLayout(grid, 1)
        self.note = label("", "caption", wrap=True)
        close = button("Close", "primary", clicked=self.close)
        layout.addLayout(foot := line(self.note, close))
        foot.setStretch(0, 1)
        return layout

    # --- edits ---

    def _misfit(self, step: type[Declared]) -> str:
        dataset, prepared = self._document.dataset, self._document.prepared
        if not issubclass(step, Augmentation) or dataset is None:
            return ""
        columns = (prepared.dataset if prepared is not None else dataset).columns
        why_not = misfit(step, kinds_of(c for c in columns if c.role == "input"))
        if not why_not and prepared is not None:
            try:
                mixer_of((step(),), 0, prepared.preparation)
            except DataError as error:
                why_not = str(error)
        return why_not

    def _set(self, name: str, value: Any, merge_key: str | None) -> None:
        self._document.edit_data("Change the augmentation", merge_key, **{name: value})

    def _next_sample(self) -> None:
        self._place += 1
        self.look()

    def _next_epochs(self) -> None:
        self._first += EPOCHS
        self.look()

    # --- the preview ---

    def _follow(self, *_: object) -> None:
        self.form.show_model(self._document.design.data)
        self.look()

    def look(self) -> None:
        """Have the variants made anew; while some are being made, the newest wish waits."""
        document = self._document
        prepared = document.prepared if document.data_state == "ready" else None
        for widget in (self.sample, self.epochs):
            widget.setEnabled(prepared is not None)
        if prepared is None:
            self._say(document.data_error or "The data are being prepared…")
            return
        if self._background.busy:
            self._again = True
            return
        self._again = False
        if self.cards[0].variant is None:
            self._say("Making the variants…")
        self._place %= len(prepared.train)
        epochs = range(self._first, self._first + EPOCHS)
        self._background.run(partial(_made, prepared, document.design.training, self._place, epochs),
                             partial(self._show, prepared))

    def _show(self, prepared: Prepared, found: list[Variant]) -> None:
        field, mask = shown_field(prepared), shown_mask(prepared)
        for card, variant in zip(self.cards, found):
            card.show_variant(field, found[0], variant, mask)
        self.words.setText(f"Training sample {self._place + 1} of {numbers.exact(len(prepared.train))}")
        note = "Switch steps on at the left: the cards follow at once."
        if self._document.design.data.augmentation:
            note = "Shown is what training is fed, with the same seeds."
        if prepared.mixer is not None:
            note += (" Training metrics compare answers with the larger part of a mixture, so they are lower than on "
                     "real samples: judge by the validation.")
        self.note.setText(note)
        if self._again:
            self.look()

    def _failed(self, sentence: str) -> None:
        self._say(sentence)
        if self._again:
            self.look()

    def _say(self, sentence: str) -> None:
        self.note.setText(sentence)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._background.close()
        super().closeEvent(event)

    def done(self, result: int) -> None:
        self._background.close()
        super().done(result)


def _made(prepared: Prepared, settings: TrainSettings, place: int, epochs: range, _: Progress) -> list[Variant]:
    return [original(prepared, place), *variants(prepared, settings, place, epochs)]
