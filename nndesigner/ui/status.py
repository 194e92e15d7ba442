"""The line at the bottom: size and cost of the network, its problems, the seed, and whether all is saved."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QPushButton, QStatusBar

from nndesigner.ui import icons, numbers, theme
from nndesigner.ui.document import Document
from nndesigner.ui.parts import follow_theme, label


class StatusLine(QStatusBar):
    """Follows the document."""

    problems_wanted = Signal()
    seed_wanted = Signal()

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._saved_at: float | None = None
        self.setSizeGripEnabled(False)
        self.setFixedHeight(26)
        self.setContentsMargins(8, 0, 8, 0)
        self.layers, self.parameters, self.cost = label(), label(), label()
        self.parameters.setToolTip("Numbers that training changes")
        self.cost.setToolTip("Multiplications with additions for one sample, forward")
        self.problems = QPushButton()
        self.problems.clicked.connect(self.problems_wanted)
        for widget in (self.layers, self.parameters, self.cost):
            widget.setContentsMargins(4, 0, 12, 0)
            self.addWidget(widget)
        self.addWidget(self.problems)
        self.seed = QPushButton()
        self.seed.setToolTip("The same seed gives the same run; click to change it")
        self.seed.clicked.connect(self.seed_wanted)
        self.saved = label()
        self.saved.setContentsMargins(12, 0, 4, 0)
        self.addPermanentWidget(self.seed)
        self.addPermanentWidget(self.saved)
        self._tick = QTimer(self)
        self._tick.setInterval(5000)
        self._tick.timeout.connect(self._show_saved)
        self._tick.start()
        document.checked_changed.connect(self._show_network)
        document.changed.connect(lambda *_: self._show_seed())
        document.file_changed.connect(self._show_saved)
        follow_theme(self, self._show_network)
        self._show_seed()
        self._show_saved()

    def saved_now(self) -> None:
        """The project has just been written."""
        self._saved_at = time.monotonic()
        self._show_saved()

    def opened(self) -> None:
        """Another project is shown."""
        self._saved_at = None
        self._show_saved()

    def _show_network(self) -> None:
        checked = self._document.checked
        count = len(checked.graph.nodes)
        self.layers.setText(f"{count} layer{'' if count == 1 else 's'}")
        self.parameters.setText(f"{numbers.count(sum(checked.parameters.values()))} parameters")
        self.cost.setText(f"{numbers.count(sum(checked.multiply_adds.values()))} multiply-adds")
        tokens = theme.current()
        errors = sum(p.severity == "error" for p in checked.problems)
        warnings = len(checked.problems) - errors
        for widget in (self.layers, self.parameters, self.cost, self.problems):
            widget.setVisible(bool(checked.graph.nodes))
        if errors:
            icon, colour = "mdi6.alert-circle", tokens.wrong_text
            text = f"{errors} problem{'' if errors == 1 else 's'}"
        elif warnings:
            icon, colour = "mdi6.alert", tokens.warning_text
            text = f"{warnings} warning{'' if warnings == 1 else 's'}"
        else:
            icon, colour, text = "mdi6.check-circle", tokens.right_text, "no problems"
        self.problems.setIcon(icons.icon(icon, colour, 12))
        self.problems.setText(text)
        self.problems.setStyleSheet(f"color: {colour}")
        self.problems.setToolTip("Show the list of problems")

    def _show_seed(self) -> None:
        self.seed.setText(f"seed {self._document.design.training.seed}")

    def _show_saved(self) -> None:
        document = self._document
        if document.modified:
            self.saved.setText("unsaved changes")
        elif document.path is None:
            self.saved.setText("not saved yet" if document.graph.nodes else "")
        elif self._saved_at is None:
            self.saved.setText("saved")
        else:
            seconds = time.monotonic() - self._saved_at
            self.saved.setText("saved just now" if seconds < 2 else f"saved {numbers.duration(seconds)} ago")
