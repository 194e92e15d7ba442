"""Beside the gallery: the chosen sample in full, and what can be done with the chosen ones."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit, QMenu, QSizePolicy, QVBoxLayout, QWidget

from nndesigner.ui import numbers, theme
from nndesigner.ui.audio import PlayButton
from nndesigner.ui.explore.contents import Content, Contents, row_lines
from nndesigner.ui.explore.gallery import facts_of, paint_content
from nndesigner.ui.explore.selection import PARTS, Opinion, Samples, label_words
from nndesigner.ui.parts import Column, button, clear, label, line, margins
from nndesigner.ui.stylesheet import role
from nndesigner.ui.views.empty_state import EmptyState

WIDTH = 236
#: values listed of one sample, classes offered in the menu
MOST_LINES, MOST_CLASSES = 40, 40


class Detail(QWidget):
    """Emits what the user wants done with the chosen samples."""

    label_wanted = Signal(str)
    exclude_wanted = Signal()
    revert_wanted = Signal()

    def __init__(self, contents: Contents) -> None:
        super().__init__()
        self._contents = contents
        self._rows: list[int] = []
        self._suggestion = ""
        self.setFixedWidth(WIDTH)
        role(self, "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.empty = EmptyState("mdi6.cursor-default-click-outline", "Choose a sample to see all of it.")
        self.picture = ContentPicture()
        self.name = label("", "name", wrap=True)
        self.about = label("", "caption", wrap=True)
        self.verdict = label("", wrap=True)
        self.play = PlayButton(self._sound)
        self.play.failed.connect(self._say_silent)
        self.use = button("", "repair", icon="mdi6.check", clicked=lambda: self.label_wanted.emit(self._suggestion))
        self.labels = button("Label…", "repair", icon="mdi6.pencil", tip="Set the label right (L, or 1 to 9)",
                             clicked=self.open_labels)
        self.exclude = button("Leave out", "repair", icon="mdi6.cancel",
                              tip="Leave the samples out of training and judgement (Delete)",
                              clicked=self.exclude_wanted.emit)
        self.revert = button("Take back", "repair", icon="mdi6.undo-variant",
                             tip="As the files have them (Backspace)", clicked=self.revert_wanted.emit)
        self.typed = QLineEdit()
        self.typed.setPlaceholderText("Other label")
        self.typed.setAccessibleName("Other label")
        self.typed.returnPressed.connect(self._take_typed)
        self._menu = QMenu(self)
        self._values = Column(12, 4, 12, 12, gap=4)
        self._grid = QGridLayout()
        margins(self._grid, 0, gap=3)
        self._values.content.addLayout(self._grid)
        self._values.content.addStretch(1)
        layout = margins(QVBoxLayout(self), 0, gap=0)
        layout.addWidget(self.empty, 1)
        top = margins(QVBoxLayout(), 12, 10, 12, 4, gap=6)
        for widget in (self.picture, self.name, self.about, self.verdict, self.use):
            top.addWidget(widget)
        top.addLayout(line(self.labels, self.exclude, gap=6))
        top.addLayout(line(self.revert, self.play, 1, gap=6))
        top.addWidget(self.typed)
        layout.addLayout(top)
        layout.addWidget(self._values, 1)
        contents.came.connect(self._came)

    @property
    def suggestion(self) -> str:
        """The class that the network would give the chosen sample, where its label is suspect."""
        return self._suggestion

    def show_samples(self, samples: Samples | None, opinion: Opinion, rows: list[int], current: int | None) -> None:
        """Show the chosen samples; details of the current one."""
        self._rows = [] if current is None else [current]
        chosen = bool(rows) and samples is not None
        self.empty.setVisible(not chosen)
        for widget in (self.name, self.labels, self.exclude, self.revert, self.typed):
            widget.setVisible(chosen)
        for widget in (self.picture, self.about, self.verdict, self.use, self.play, self._values):
            widget.setVisible(chosen and current is not None)
        if not chosen:
            return
        can_label = samples.target is not None
        self.labels.setEnabled(can_label and bool(samples.classes))
        self.labels.setToolTip("Set the label right (L, or 1 to 9)" if can_label
                               else "These data have no target of classes, numbers or texts")
        self.labels.setVisible(bool(samples.classes))
        self.typed.setEnabled(can_label)
        self.typed.setPlaceholderText("Other label" if samples.classes else "Other value" if can_label else "No label")
        self.revert.setEnabled(any(row in opinion.corrections for row in rows))
        self._offer(samples.classes)
        if len(rows) > 1:
            self.name.setText(f"{numbers.exact(len(rows))} samples chosen")
        if current is not None:
            self._show_one(samples, opinion, current, len(rows) == 1)

    def _sound(self) -> tuple[np.ndarray, int] | None:
        """The shown sample, to be heard."""
        reader = self._contents.reader
        if not self._rows or reader is None or reader.kind != "sound":
            return None
        return reader.wave(self._rows[0]), reader.column.layout.rate

    def _say_silent(self, why: str) -> None:
        role(self.verdict, "warning")
        self.verdict.setText(why)
        self.verdict.show()

    def open_labels(self) -> None:
        """Offer the classes; where there are none, the field for a number."""
        if self.labels.isHidden():
            self.typed.setFocus()
        elif self.labels.isEnabled() and self.labels.isVisible():
            self._menu.popup(self.labels.mapToGlobal(self.labels.rect().bottomLeft()))

    def _show_one(self, samples: Samples, opinion: Opinion, row: int, alone: bool) -> None:
        facts = facts_of(samples, opinion, row)
        names = samples.dataset.names
        if alone:
            self.name.setText(f"{facts.label}" if facts.label else f"Sample {numbers.exact(row + 1)}")
        about = [f"sample {numbers.exact(row + 1)}", facts.part]
        if facts.corrected:
            about.append(f"“{label_words(samples, samples.labels[row])}” in the file")
        self.about.setText(", ".join(about) + (f"\n{names[row]}" if names else ""))
        self._verdict(samples, opinion, row)
        self.picture.show_content(self._contents.of(row))
        self.play.setVisible(self._contents.kind == "sound")
        seen = samples.prepared.dataset if samples.prepared is not None else samples.dataset
        clear(self._grid)
        for at, (name, value) in enumerate(row_lines(seen, row, MOST_LINES)):
            self._grid.addWidget(label(name, "caption", wrap=True), at, 0)
            shown = label(value, wrap=True)
            shown.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(shown, at, 1)

    def _verdict(self, samples: Samples, opinion: Opinion, row: int) -> None:
        facts, judged = facts_of(samples, opinion, row), opinion.judgement
        self._suggestion, words, kind = "", "", "muted"
        if judged is not None and facts.right is not None:
            sure = numbers.percent(1 - float(judged.doubt[row]))
            words = f"The network answers {facts.answer}, {sure} sure."
            kind = "ok" if facts.right else "error"
            if not facts.right and bool((judged.suspects == row).any()):
                self._suggestion = facts.answer
                learned = samples.part[row] == PARTS.index("train")
                words += " It learned from this sample and still contradicts it." if learned else ""
        elif judged is not None and judged.loss[row] == judged.loss[row]:
            words = f"Loss {numbers.measure(float(judged.loss[row]))}"
        role(self.verdict, kind)
        self.verdict.setText(words)
        self.verdict.setVisible(bool(words))
        self.use.setVisible(bool(self._suggestion))
        self.use.setText(f"Set to {self._suggestion}")
        self.use.setToolTip(f"The label is perhaps wrong: set it to {self._suggestion} (Enter)")

    def _offer(self, classes: tuple[str, ...]) -> None:
        if [a.data() for a in self._menu.actions()] == list(classes[:MOST_CLASSES]):
            return
        self._menu.clear()
        for i, name in enumerate(classes[:MOST_CLASSES]):
            action = self._menu.addAction(name.replace("&", "&&") + (f"\t{i + 1}" if i < 9 else ""))
            action.setData(name)
            action.triggered.connect(lambda _=False, chosen=name: self.label_wanted.emit(chosen))

    def _take_typed(self) -> None:
        text = self.typed.text()
        self.typed.clear()
        if text.strip():
            self.label_wanted.emit(text)

    def _came(self, rows: list[int]) -> None:
        if self._rows and self._rows[0] in rows:
            self.picture.show_content(self._contents.of(self._rows[0]))


class ContentPicture(QWidget):
    """A sample as large as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._content: Content | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("The chosen sample")

    def show_content(self, content: Content | None) -> None:
        self._content = content
        self.setVisible(content is None or not content.lines)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH - 24, 168)

    def paintEvent(self, event: QPaintEvent) -> None:
        t = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        painter.setPen(theme.colour(t.line))
        painter.setBrush(theme.colour(t.canvas))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS_TILE, theme.RADIUS_TILE)
        if self._content is not None:
            paint_content(painter, rect.adjusted(8, 8, -8, -8), self._content)
