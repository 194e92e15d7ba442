"""The gallery: a tile for each sample, of which only those in sight are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from nndesigner.ui import icons, numbers, theme
from nndesigner.ui.explore.contents import Content, Contents
from nndesigner.ui.explore.selection import NOWHERE, Opinion, Samples, label_of, label_words
from nndesigner.ui.views.class_colours import class_colour
from nndesigner.ui.views.sample_picture import paint_picture

#: size of a tile for what stands for a sample, with the gap between tiles
SIZES = {"image": QSize(108, 126), "sound": QSize(136, 122), "text": QSize(232, 116), "array": QSize(156, 116),
         "row": QSize(184, 132)}
GAP = 8
#: height of the line with the label
LABEL = 22
ROW = Qt.ItemDataRole.UserRole
PART_WORDS = ("training", "validation", "test", "left out")

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Facts:
    """What is said of one sample beside its content."""

    row: int
    label: str
    #: number of the label's class, -1 for none
    code: int
    part: str
    corrected: bool = False
    excluded: bool = False
    #: None where nothing has been answered
    right: bool | None = None
    answer: str = ""

    @property
    def text(self) -> str:
        """In words, for a screen reader and the tooltip."""
        said = [f"sample {self.row + 1}", self.label, self.part]
        said += ["label set right by hand"] * self.corrected
        if self.right is not None:
            said.append("answered rightly" if self.right else f"answered {self.answer}")
        return ", ".join(filter(None, said))


def facts_of(samples: Samples, opinion: Opinion, row: int) -> Facts:
    """The facts of a row."""
    correction = opinion.corrections.get(row)
    label = label_of(samples, row, opinion.corrections)
    code = samples.classes.index(label) if label in samples.classes else -1
    excluded = correction is not None and correction.excluded
    part = PART_WORDS[NOWHERE if excluded else samples.part[row]]
    judged = opinion.judgement
    answered = judged is not None and judged.answer[row] >= 0
    corrected = correction is not None and bool(correction.column)
    return Facts(row, label_words(samples, label), code, part, corrected, excluded,
                 (judged.classes[judged.answer[row]] == label) if answered else None,
                 judged.classes[judged.answer[row]] if answered else "")


class GalleryModel(QAbstractListModel):
    """The rows that are shown, in their order."""

    def __init__(self, contents: Contents, parent: QWidget) -> None:
        super().__init__(parent)
        self.contents = contents
        self.samples: Samples | None = None
        self.opinion = Opinion()
        self.rows = np.zeros(0, dtype=np.int64)

    def show(self, samples: Samples | None, rows: np.ndarray) -> None:
        """Other rows, or other data."""
        self.beginResetModel()
        self.samples, self.rows = samples, rows
        self.endResetModel()

    def say(self, opinion: Opinion, samples: Samples | None) -> None:
        """The same rows with other labels or answers: whoever shows them paints anew."""
        self.opinion, self.samples = opinion, samples

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == ROW:
            return int(self.rows[index.row()])
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            row = int(self.rows[index.row()])
            names = self.samples.dataset.names
            text = facts_of(self.samples, self.opinion, row).text
            return f"{text}\n{names[row]}" if names and role == Qt.ItemDataRole.ToolTipRole else text
        return None


class Gallery(QListView):
    """Tiles that wrap; arrows, Shift and Ctrl choose as in a file manager."""

    #: other samples are chosen
    chosen = Signal()

    def __init__(self, contents: Contents, act: Callable[[QKeyEvent], bool]) -> None:
        """`act` is told of every key first, and says whether it did something."""
        super().__init__()
        self._act = act
        self.rows_model = GalleryModel(contents, self)
        self.setModel(self.rows_model)
        self.setItemDelegate(_Tile(self.rows_model, self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setMouseTracking(True)
        self.setViewportMargins(GAP, 0, 0, 0)
        self.setAccessibleName("Samples")
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())
        self.selectionModel().currentChanged.connect(lambda *_: self.chosen.emit())
        contents.came.connect(lambda _: self.viewport().update())
        theme.notifier.changed.connect(self._colours)

    def show_kind(self) -> None:
        """Take the tile size of the data's kind."""
        self._fit()
        self.verticalScrollBar().setSingleStep(self.gridSize().height() // 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def _fit(self) -> None:
        """As many tiles in a row as there is room for; they share what is left of it."""
        least, room = SIZES[self.rows_model.contents.kind], self.viewport().width() - 1
        size = QSize(max(least.width(), room // max(1, room // least.width())), least.height())
        if size != self.gridSize():
            self.setGridSize(size)

    @property
    def chosen_rows(self) -> list[int]:
        """Rows of the chosen samples, in the order shown."""
        rows = self.rows_model.rows
        return [int(rows[i]) for i in sorted(index.row() for index in self.selectionModel().selectedIndexes())]

    @property
    def current_row(self) -> int | None:
        """The row that the keyboard is at."""
        index = self.currentIndex()
        return int(self.rows_model.rows[index.row()]) if index.isValid() else None

    def step_on(self) -> None:
        """Choose the next sample, so that one key after the other works through all."""
        at = min(self.currentIndex().row() + 1, self.rows_model.rowCount() - 1)
        self.setCurrentIndex(self.rows_model.index(at))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._act(event):
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Letters act on samples; there is nothing to search for by them."""

    def _colours(self) -> None:
        self.rows_model.contents.forget()
        self.viewport().update()


class _Tile(QStyledItemDelegate):
    """Paints a sample."""

    def __init__(self, model: GalleryModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self.parent().gridSize()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model, t = self._model, theme.current()
        row = int(model.rows[index.row()])
        facts = facts_of(model.samples, model.opinion, row)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect).adjusted(GAP / 2, GAP / 2, -GAP / 2, -GAP / 2)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        here = bool(option.state & QStyle.StateFlag.State_HasFocus)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        edge = t.accent if chosen or here else t.wrong if facts.right is False else t.line
        painter.setPen(QPen(theme.colour(edge), 2 if chosen or t.strong_lines else 1))
        ground = theme.mixed(t.accent, t.panel, 0.20) if chosen else t.raised
        painter.setBrush(theme.colour(theme.mixed(t.text, t.raised, 0.05) if hovered and not chosen else ground))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS_TILE, theme.RADIUS_TILE)
        inner = rect.adjusted(6, 6, -6, -LABEL)
        content = model.contents.of(row)
        if facts.excluded:
            painter.setOpacity(0.35)
        if content is not None:
            paint_content(painter, inner, content)
        painter.setOpacity(1.0)
        self._label(painter, QRectF(rect.left() + 8, rect.bottom() - LABEL, rect.width() - 14, LABEL - 2), facts)
        painter.restore()

    def _label(self, painter: QPainter, rect: QRectF, facts: Facts) -> None:
        t = theme.current()
        painter.setFont(theme.font(theme.CAPTION, 600))
        metrics = painter.fontMetrics()
        if facts.code >= 0:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(class_colour(facts.code)))
            painter.drawEllipse(QPointF(rect.left() + 3, rect.center().y()), 3, 3)
            rect.setLeft(rect.left() + 11)
        marks = []
        if facts.excluded:
            marks.append(("mdi6.cancel", t.warning_text))
        if facts.corrected:
            marks.append(("mdi6.pencil", t.accent))
        if facts.right is not None:
            marks.append(("mdi6.check", t.right_text) if facts.right else ("mdi6.close", t.wrong_text))
        for name, colour in marks:
            icons.paint(painter, QRectF(rect.right() - 13, rect.center().y() - 6.5, 13, 13), name, colour)
            rect.setRight(rect.right() - 15)
        text = facts.label or f"#{numbers.exact(facts.row + 1)}"
        painter.setFont(theme.font(theme.CAPTION, 600))
        painter.setPen(theme.colour(t.text))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect, middle, metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, int(rect.width())))
        used = metrics.horizontalAdvance(text) + 6
        aside = f"→ {facts.answer}" if facts.right is False else facts.part
        painter.setFont(theme.font(theme.CAPTION))
        if used + painter.fontMetrics().horizontalAdvance(aside) <= rect.width():
            painter.setPen(theme.colour(t.wrong_text if facts.right is False else t.muted))
            painter.drawText(rect.adjusted(used, 0, 0, 0), middle | Qt.AlignmentFlag.AlignRight, aside)


def paint_content(painter: QPainter, rect: QRectF, content: Content, wrap: bool = True) -> None:
    """Draw what stands for a sample into a rectangle."""
    t = theme.current()
    painter.setFont(theme.font(theme.CAPTION))
    metrics = painter.fontMetrics()
    if content.image is not None:
        paint_picture(painter, rect, content.image, 3)
    elif content.curves is not None:
        _paint_curves(painter, rect, content.curves)
    elif content.lines:
        half = rect.width() * 0.56
        for i, (name, value) in enumerate(content.lines):
            place = QRectF(rect.left(), rect.top() + 15 * i, rect.width(), 15)
            if place.bottom() > rect.bottom() + 2:
                break
            painter.setPen(theme.colour(t.muted))
            painter.drawText(place, metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(half - 6)))
            painter.setPen(theme.colour(t.text))
            painter.drawText(place, Qt.AlignmentFlag.AlignRight,
                             metrics.elidedText(value, Qt.TextElideMode.ElideMiddle, int(rect.width() - half)))
    else:
        painter.setPen(theme.colour(t.wrong_text if content.fault else t.text))
        flags = Qt.TextFlag.TextWrapAnywhere if content.fault else Qt.TextFlag.TextWordWrap
        lines = max(1, int(rect.height() // metrics.height()))
        text = content.fault or content.passage
        room = int(rect.width() / max(metrics.averageCharWidth(), 1) * lines)
        painter.setClipRect(rect)
        painter.drawText(rect, int(flags), text if len(text) <= room else text[:room - 1] + "…")
        painter.setClipping(False)


def _paint_curves(painter: QPainter, rect: QRectF, curves: np.ndarray) -> None:
    low, high = float(curves.min()), float(curves.max())
    span = high - low if high > low else 1.0
    x = rect.left() + np.arange(curves.shape[1]) * (rect.width() / max(curves.shape[1] - 1, 1))
    for i, curve in enumerate(curves):
        y = rect.bottom() - (curve - low) / span * rect.height()
        painter.setPen(QPen(theme.colour(class_colour(i)), 1))
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(x, y, strict=True)]))
