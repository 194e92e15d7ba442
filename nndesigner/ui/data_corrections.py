"""Corrections that need a word: those made to the chosen data in another project, and those that fit no sample."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout

from nndesigner.data.corrections import Corrections, by_row, without
from nndesigner.data.dataset import DataError
from nndesigner.data.source import Source
from nndesigner.project.corrections import find_corrections
from nndesigner.ui import numbers
from nndesigner.ui.document import Document
from nndesigner.ui.parts import button, label, line, margins
from nndesigner.ui.stylesheet import role


class CorrectionsOffer(QFrame):
    """Shown while the data have corrections beside them and the project has none."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._looked_for: Source | None = None
        self._found: Corrections = ()
        role(self, "note")
        layout = QVBoxLayout(self)
        margins(layout, 10, gap=8)
        self.words = label("", wrap=True)
        self.use = button("Use them", "repair", clicked=self._use)
        self.leave = button("Not here", "repair", clicked=self._forget)
        layout.addWidget(self.words)
        layout.addLayout(line(self.use, self.leave, 1))

    def refresh(self) -> None:
        """Follow the document; the disk is looked at once for each choice of data."""
        settings = self._document.design.data
        if self._document.data_state == "ready" and settings.source != self._looked_for:
            self._looked_for = settings.source
            self._look()
        self.setVisible(bool(self._found) and not settings.corrections and settings.source == self._looked_for)

    def _look(self) -> None:
        self._found = ()
        try:
            found = find_corrections(self._looked_for, self._document.path)
        except DataError:
            return  # a file of that name that is none of ours
        if found is not None:
            path, self._found = found
            count = len(self._found)
            were = "samples of these data were" if count != 1 else "sample of these data was"
            self.words.setText(f"{numbers.exact(count)} {were} corrected by hand before ({path.name}).")

    def _use(self) -> None:
        self._document.edit_data("Use the corrections made before", corrections=self._found)

    def _forget(self) -> None:
        self._found = ()
        self.hide()


class LostCorrections(QFrame):
    """Shown while corrections fit no sample any more, with a way to be rid of them."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._looked_at: object = None
        self._lost: tuple[str, ...] = ()
        role(self, "note")
        layout = QVBoxLayout(self)
        margins(layout, 10, gap=8)
        self.words = label("", wrap=True)
        self.remove = button("Remove them", "repair", clicked=self._remove)
        layout.addWidget(self.words)
        layout.addLayout(line(self.remove, 1))

    def refresh(self) -> None:
        """Follow the document."""
        prepared, given = self._document.prepared, self._document.design.data.corrections
        if self._document.data_state == "ready" and prepared is not self._looked_at:
            self._looked_at = prepared  # preparing has looked for the samples: they are found at once
            found = {c.sample for c in by_row(self._document.dataset, given).values()}
            self._lost = tuple(c.sample for c in given if c.sample not in found)
            count = len(self._lost)
            fit = "correction made by hand fits" if count == 1 else "corrections made by hand fit"
            self.words.setText(f"{numbers.exact(count)} {fit} no sample any more: the data have changed.")
        self.setVisible(bool(self._lost) and bool(given))

    def _remove(self) -> None:
        given = self._document.design.data.corrections
        self._document.edit_data("Remove corrections that fit no sample", corrections=without(given, self._lost))
