"""The data panel: choose a source, see what it gives, say what its columns are and how it is split."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QProgressBar,
    QSizePolicy,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from nndesigner.data.source import Source
from nndesigner.ui import numbers, theme
from nndesigner.ui.augment_sheet import AugmentationSection
from nndesigner.ui.data_columns import MOST, ColumnList
from nndesigner.ui.data_corrections import CorrectionsOffer, LostCorrections
from nndesigner.ui.data_preview import ClassShares, Preview, RowsModel, source_thumbnail
from nndesigner.ui.document import Document
from nndesigner.ui.form import Form
from nndesigner.ui.parts import Card, Column, Fold, button, clear, heading, label, line, margins, rule
from nndesigner.ui.stylesheet import role


class DataPanel(QWidget):
    """Two faces: the sources to choose from, and the chosen data."""

    #: the samples are to be looked at
    explore_wanted = Signal()

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._choosing = False
        role(self, "panel")
        self._faces = QStackedLayout(self)
        self._sources = SourceChooser()
        self._sources.chosen.connect(self.choose)
        self._sources.back.connect(lambda: self._choose_again(False))
        self._data = ChosenData(document)
        self._data.change_wanted.connect(lambda: self._choose_again(True))
        self._data.explore_wanted.connect(self.explore_wanted)
        self._faces.addWidget(self._sources)
        self._faces.addWidget(self._data)
        document.data_changed.connect(self.refresh)
        document.changed.connect(lambda *_: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Show what the document has now."""
        has_source = self._document.design.data.source is not None
        choosing = self._choosing or not has_source
        self._sources.can_go_back.setVisible(has_source)
        self._faces.setCurrentIndex(0 if choosing else 1)
        if not choosing:
            self._data.refresh()

    def choose(self, source: Source) -> None:
        """Take data from here; what was said of other columns is forgotten."""
        self._choosing = False
        self._document.edit_data(f"Use {source.title}", source=source, roles={}, kinds={}, corrections=(),
                                 augmentation=())
        self.refresh()

    def _choose_again(self, on: bool) -> None:
        self._choosing = on
        self.refresh()


class SourceChooser(Column):
    """Cards of all sources, by group."""

    chosen = Signal(object)
    back = Signal()

    def __init__(self) -> None:
        super().__init__(12, 12, 8, 12, gap=8)
        content = self.content
        content.addWidget(label("Choose data", "title"))
        content.addWidget(label("Or drop files or a folder on the window.", "caption", wrap=True))
        self.can_go_back = button("Keep the present data", "link", clicked=self.back.emit)
        content.addWidget(self.can_go_back)
        self.cards: dict[str, SourceCard] = {}
        for group in dict.fromkeys(s.group for s in Source.all()):
            content.addSpacing(4)
            content.addWidget(heading(group or "Other"))
            grid = QGridLayout()
            margins(grid, 0, gap=8)
            for index, source in enumerate(s for s in Source.all() if s.group == group):
                card = SourceCard(source)
                card.clicked.connect(lambda _=False, s=source: self.chosen.emit(s()))
                grid.addWidget(card, *divmod(index, 2))
                self.cards[source.kind] = card
            content.addLayout(grid)
        content.addStretch(1)


class SourceCard(Card):
    """A source with a picture of its data."""

    def __init__(self, source: type[Source]) -> None:
        super().__init__(source.title)
        self.source = source
        self.setToolTip(source.summary_line())
        self.setAccessibleDescription(source.summary_line())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(88, 98)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.colour(tokens.accent if self.active else tokens.line))
        painter.setBrush(theme.colour(tokens.raised))
        frame = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(frame, theme.RADIUS_TILE, theme.RADIUS_TILE)
        picture = source_thumbnail(self.source, tokens.name, 56, self.devicePixelRatioF())
        painter.drawPixmap((self.width() - 56) // 2, 6, picture)
        painter.setFont(theme.font(theme.CAPTION))
        painter.setPen(theme.colour(tokens.text))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.rect().adjusted(6, 62, -6, -4), int(flags), self.text())


class ChosenData(Column):
    """The chosen source: its parameters, a preview, its columns, how it is split."""

    change_wanted = Signal()
    explore_wanted = Signal()

    def __init__(self, document: Document) -> None:
        super().__init__(12, 12, 12, 12, gap=10)
        self._document = document
        content = self.content
        self._title = label("", "title", wrap=True)
        change = button("Change…", "repair", tip="Choose other data", clicked=self.change_wanted.emit)
        head = line(self._title, change)
        head.setStretch(0, 1)
        content.addLayout(head)
        self._about = label("", "caption", wrap=True)
        content.addWidget(self._about)
        self._loading = Loading(document)
        content.addWidget(self._loading)
        self._error = DataFailure(document)
        content.addWidget(self._error)
        self._corrections = CorrectionsOffer(document)
        self._lost = LostCorrections(document)
        content.addWidget(self._corrections)
        content.addWidget(self._lost)
        self._preview = Preview()
        content.addWidget(self._preview)
        self._explore = button(
            "Look at the samples…", icon="mdi6.image-search-outline", clicked=self.explore_wanted.emit,
            tip="All samples and what they are like; set labels right, leave samples out")
        content.addWidget(self._explore)
        self._source = Form(sliders=True)
        self._source.changed.connect(self._set_source)
        content.addWidget(self._source)
        self._shares_heading = heading("Classes")
        self._shares = ClassShares()
        content.addWidget(self._shares_heading)
        content.addWidget(self._shares)
        self._columns_heading = heading("Columns")
        self._rows = button("Show rows…", "link", clicked=self._show_rows)
        content.addLayout(line(self._columns_heading, 1, self._rows))
        self._columns = ColumnList()
        self._columns.role_chosen.connect(self._set_role)
        self._columns.kind_chosen.connect(self._set_kind)
        content.addWidget(self._columns)
        self._more_columns = label("", "caption")
        content.addWidget(self._more_columns)
        content.addWidget(rule())
        content.addWidget(heading("Split and scaling"))
        self._split_words = label("", "caption", wrap=True)
        self._split = Form(leave_out=("source", "augmentation"), helps=False, label_share=0.56)
        self._split.changed.connect(self._set_split)
        content.addWidget(self._split)
        content.addWidget(self._split_words)
        self._augmentation = AugmentationSection(document)
        content.addWidget(self._augmentation)
        self._notes = Fold("Notes")
        content.addWidget(self._notes)
        content.addStretch(1)
        self._shown_notes: tuple[str, ...] | None = None
        self._shown_dataset: object = self
        self._dialog: RowsDialog | None = None

    def refresh(self) -> None:
        """Show the document's data."""
        document = self._document
        source, dataset, prepared = document.design.data.source, document.dataset, document.prepared
        self._title.setText(source.title)
        self._about.setText(type(source).summary_line())
        self._loading.refresh()
        self._error.refresh()
        self._corrections.refresh()
        self._lost.refresh()
        self._augmentation.refresh()
        self._source.setVisible(bool(type(source).model_fields))
        self._source.show_model(source)
        self._split.show_model(document.design.data)
        shown = prepared.dataset if prepared is not None else dataset
        self._explore.setVisible(shown is not None)
        if shown is not self._shown_dataset:
            self._shown_dataset = shown
            self._show_dataset()
        notes = prepared.notes if prepared is not None else (dataset.notes if dataset is not None else ())
        if notes != self._shown_notes:
            self._shown_notes = notes
            clear(self._notes.body)
            for note in notes:
                self._notes.body.addWidget(label(note, "caption", wrap=True))
            self._notes.toggle.setText(f"Notes ({len(notes)})")
        self._notes.setVisible(bool(notes))

    def _show_dataset(self) -> None:
        prepared, shown = self._document.prepared, self._shown_dataset
        self._preview.show_dataset(shown, prepared)
        self._shares.show_prepared(prepared)
        self._shares_heading.setVisible(self._shares.isVisibleTo(self))
        table = shown is not None and shown.form == "table"
        # labels of one's own files may be classes, or texts to be written
        targets = [] if shown is None else [c for c in shown.columns if c.role == "target"]
        labelled = any(column.kind in ("category", "text") for column in targets)
        source = self._document.design.data.source
        listed = table or (labelled and source is not None and source.group == "Files")
        self._rows.setVisible(table)
        for widget in (self._columns_heading, self._columns):
            widget.setVisible(listed)
        self._columns.show_dataset(shown if listed else None)
        more = len(shown.columns) - MOST if table else 0
        self._more_columns.setText(f"and {more} columns more, which keep their role")
        self._more_columns.setVisible(more > 0)
        if prepared is not None:
            parts = (prepared.train, prepared.validation, prepared.test)
            counts = [numbers.exact(len(part)) for part in parts]
            self._split_words.setText(f"{counts[0]} samples to learn from, {counts[1]} to steer by, {counts[2]} kept "
                                      "for the final judgement.")
        self._split_words.setVisible(prepared is not None)

    def _set_source(self, name: str, value: Any, merge_key: str | None) -> None:
        source = self._document.design.data.source
        title = type(source).model_fields[name].title
        self._document.edit_data(f"Set {title} of {source.title}", merge_key, source=source.replaced(**{name: value}))

    def _set_split(self, name: str, value: Any, merge_key: str | None) -> None:
        title = type(self._document.design.data).model_fields[name].title
        self._document.edit_data(f"Set {title}", merge_key, **{name: value})

    def _set_role(self, column: str, value: str) -> None:
        roles = {**self._document.design.data.roles, column: value}
        if value == "target":  # one target is what people mean; others step back
            roles |= {c.name: "input" for c in self._shown_dataset.columns if c.role == "target" and c.name != column}
        self._document.edit_data(f"Make {column} {value}", roles=roles)

    def _set_kind(self, column: str, value: str) -> None:
        self._document.edit_data(f"Take {column} as {value}", kinds={**self._document.design.data.kinds, column: value})

    def _show_rows(self) -> None:
        if self._shown_dataset is not None:
            self._dialog = RowsDialog(self._shown_dataset, self)
            self._dialog.open()


class Loading(QWidget):
    """What is being loaded, how far, and a way out."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        layout = QVBoxLayout(self)
        margins(layout, 0, gap=6)
        self._words = label("", "caption", wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Loading data")
        layout.addWidget(self._words)
        layout.addWidget(self._bar)
        layout.addWidget(button("Cancel", "repair", clicked=document.cancel_data), 0, Qt.AlignmentFlag.AlignLeft)

    def refresh(self) -> None:
        """Follow the document's job."""
        self.setVisible(self._document.data_state == "loading")
        fraction, words = self._document.data_progress
        self._words.setText(words)
        self._bar.setRange(0, 0 if fraction is None else 1000)
        if fraction is not None:
            self._bar.setValue(round(1000 * fraction))


class DataFailure(QFrame):
    """Why the data cannot be used, and what to do."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        role(self, "failure")
        layout = QVBoxLayout(self)
        margins(layout, 10, gap=8)
        layout.addWidget(label("The data cannot be used", "name"))
        self._words = label("", wrap=True)
        layout.addWidget(self._words)
        layout.addWidget(button("Read again", "repair", clicked=document.reload_data), 0, Qt.AlignmentFlag.AlignLeft)

    def refresh(self) -> None:
        """Follow the document."""
        self.setVisible(self._document.data_state == "failed")
        self._words.setText(self._document.data_error)


class RowsDialog(QDialog):
    """The first rows of a table."""

    def __init__(self, dataset: Any, parent: QWidget) -> None:
        super().__init__(parent.window())
        self.setWindowTitle(f"Rows of {dataset.title}")
        self.resize(900, 560)
        layout = QVBoxLayout(self)
        margins(layout, 12, gap=8)
        table = QTableView()
        self._model = RowsModel(dataset)
        table.setModel(self._model)
        table.setAccessibleName("Rows")
        table.setAlternatingRowColors(True)
        table.verticalHeader().setDefaultSectionSize(26)
        table.setShowGrid(False)
        count = f"The first {self._model.rowCount()} of {numbers.exact(len(dataset))} samples"
        layout.addWidget(label(count, "caption"))
        layout.addWidget(table)


