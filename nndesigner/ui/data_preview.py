"""Pictures of data: points, curves, samples with their labels, the shares of the classes. Painted: they cost little."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import RawInput
from nndesigner.data.layouts import tokenizer_of
from nndesigner.data.preparing import Prepared
from nndesigner.data.source import Source, quiet
from nndesigner.data.stored_table import StoredColumn
from nndesigner.data.text import cut, text_of_sample
from nndesigner.spec import describe
from nndesigner.ui import icons, numbers, theme
from nndesigner.ui.token_picture import paint_tokens
from nndesigner.ui.views.class_colours import class_colour
from nndesigner.ui.views.mask_picture import mask_image
from nndesigner.ui.views.sample_picture import paint_picture, picture_image
from nndesigner.ui.views.sound_picture import sound_image

#: points painted, samples pictured, bars shown
MOST_POINTS, MOST_BARS = 1500, 12
#: samples of a part whose pixels are counted
MOST_COUNTED = 200
#: moments of a series in a small picture
MOST_STEPS = 240


class Preview(QWidget):
    """The data at a glance: a scatter, a curve, or a grid of pictures."""

    def __init__(self) -> None:
        super().__init__()
        self._dataset: Dataset | None = None
        self._texts: RawInput | None = None
        self._pixmap: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Preview of the data")
        theme.notifier.changed.connect(self._forget)

    def show_dataset(self, dataset: Dataset | None, prepared: Prepared | None = None) -> None:
        """Show a data set, texts as the tokens of `prepared`; nothing for tables, which have a list of columns."""
        self._dataset = dataset
        self._texts = next((c for c in prepared.preparation.inputs if c.kind == "text"), None) if prepared else None
        self.setVisible(dataset is not None and kind_of_picture(dataset) != "")
        self._forget()
        self.updateGeometry()

    def _forget(self) -> None:
        self._pixmap = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(190, self.heightForWidth(max(120, self.width())))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return min(width, 240) if self._dataset is not None and kind_of_picture(self._dataset) != "curve" else 130

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._dataset is None:
            return
        ratio = self.devicePixelRatioF()
        if self._pixmap is None or self._pixmap.deviceIndependentSize().toSize() != self.size():
            self._pixmap = QPixmap(self.size() * ratio)
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._pixmap)
            paint_dataset(painter, QRectF(self.rect()), self._dataset, texts=self._texts)
            painter.end()
        QPainter(self).drawPixmap(0, 0, self._pixmap)


class ClassShares(QWidget):
    """How many samples each class has, as bars."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[str, int]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.notifier.changed.connect(self.update)

    def show_prepared(self, prepared: Prepared | None) -> None:
        """Count the classes of all parts; hidden where the target is no class."""
        target = None if prepared is None else next((f for f in prepared.signature.targets if f.kind == "class"), None)
        self._rows = []
        if target is not None:
            parts = (prepared.train, prepared.validation, prepared.test)
            # of pixels those of the first samples: more change no figure that people see
            codes = np.concatenate([part.arrays[target.name][:MOST_COUNTED if target.sample_dims else None].reshape(-1)
                                    for part in parts])
            counts = np.bincount(codes, minlength=len(target.classes))
            self._rows = [(name, int(n)) for name, n in zip(target.classes, counts, strict=True)]
        self.setVisible(bool(self._rows))
        self.setAccessibleDescription(", ".join(f"{name}: {n}" for name, n in self._rows[:MOST_BARS]))
        things = "pixels" if target is not None and target.sample_dims else "samples"
        self.setToolTip("\n".join(f"{name}: {numbers.exact(n)} {things}" for name, n in self._rows[:40]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, 16 * min(len(self._rows), MOST_BARS) + (16 if len(self._rows) > MOST_BARS else 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = theme.current()
        painter.setFont(theme.font(theme.CAPTION))
        metrics = painter.fontMetrics()
        shown = self._rows[:MOST_BARS]
        most = max((n for _, n in shown), default=1) or 1
        names = min(self.width() // 3, max((metrics.horizontalAdvance(name) for name, _ in shown), default=0)) + 8
        right = max((metrics.horizontalAdvance(numbers.count(n)) for _, n in shown), default=0) + 8
        middle = Qt.AlignmentFlag.AlignVCenter
        for index, (name, n) in enumerate(shown):
            y = 16 * index
            painter.setPen(theme.colour(tokens.muted))
            painter.drawText(QRectF(0, y, names, 16), middle,
                             metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, names - 8))
            painter.drawText(QRectF(self.width() - right, y, right, 16), middle | Qt.AlignmentFlag.AlignRight,
                             numbers.count(n))
            room = self.width() - names - right
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(tokens.track))
            painter.drawRoundedRect(QRectF(names, y + 5, room, 6), 3, 3)
            painter.setBrush(theme.colour(class_colour(index)))
            painter.drawRoundedRect(QRectF(names, y + 5, max(3.0, room * n / most), 6), 3, 3)
        if len(self._rows) > MOST_BARS:
            painter.setPen(theme.colour(tokens.muted))
            painter.drawText(QRectF(0, 16 * MOST_BARS, self.width(), 16), middle,
                             f"and {len(self._rows) - MOST_BARS} more classes")


class RowsModel(QAbstractTableModel):
    """The first rows of a data set, for a table."""

    def __init__(self, dataset: Dataset, rows: int = 500) -> None:
        super().__init__()
        self._columns = [c for c in dataset.columns if c.kind in ("number", "category", "text")]
        self._rows = min(rows, len(dataset))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._columns[section].name if orientation == Qt.Orientation.Horizontal else str(section + 1)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(self._columns[index.column()], index.row())
        if role == Qt.ItemDataRole.TextAlignmentRole and self._columns[index.column()].kind == "number":
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


def cell_text(column: Column, row: int) -> str:
    """One value of a table column as text; "missing" where there is none."""
    value = column.values[row]
    if column.kind == "number":
        return "missing" if np.isnan(value) else f"{value:g}"
    return "missing" if value is None else str(value)


def missing_count(column: Column) -> int:
    """How many values a column lacks."""
    if isinstance(column.values, StoredColumn):  # not to be read by the window
        return column.values.missing
    if column.kind == "number":
        return int(np.isnan(column.values).sum())
    if column.kind == "category":
        return int(np.equal(column.values, None).sum())
    return 0


def kind_of_picture(dataset: Dataset) -> str:
    """"points", "curve", "images", "sounds" or "texts"; empty for what has no picture."""
    if any(c.kind == "image" and c.role != "ignore" for c in dataset.columns):
        return "images"
    for kind in ("sound", "text"):
        if any(c.kind == kind and c.role == "input" for c in dataset.columns):
            return f"{kind}s"
    inputs = [c for c in dataset.columns if c.kind == "number" and c.role == "input"]
    targets = [c for c in dataset.columns if c.role == "target"]
    if dataset.form == "curve" and len(inputs) == 1 and targets and targets[0].kind == "number":
        return "curve"
    return "points" if dataset.form == "points" and len(inputs) >= 2 else ""


def paint_dataset(
    painter: QPainter, rect: QRectF, dataset: Dataset, small: bool = False, texts: RawInput | None = None
) -> None:
    """Draw a data set into a rectangle; `small` leaves out the frame. `texts` is the fitted column of texts, if any."""
    tokens = theme.current()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if not small:
        painter.setPen(theme.colour(tokens.line))
        painter.setBrush(theme.colour(tokens.canvas))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS_TILE, theme.RADIUS_TILE)
        rect = rect.adjusted(8, 8, -8, -8)
    kind = kind_of_picture(dataset)
    if kind == "images":
        values = next(c for c in dataset.columns if c.kind == "image").values
        most = float(values[:64].max()) if len(values) else 1.0
        mask = next((c for c in dataset.columns if c.kind == "mask" and c.role == "target"), None)
        if mask is None:
            _paint_images(painter, rect, dataset, small, lambda i: picture_image(values[i], 0.0, most or 1.0))
        else:
            _paint_images(painter, rect, dataset, small, lambda i: mask_image(
                values[i] / (most or 1.0), mask.values[i].astype(np.int64), mask.categories))
    elif kind == "sounds":
        sound = next(c for c in dataset.columns if c.kind == "sound" and c.role == "input")
        _paint_images(painter, rect, dataset, small, lambda i: sound_image(sound.values[i], sound.layout))
    elif kind == "texts":
        _paint_texts(painter, rect, dataset, texts)
    elif kind:
        _paint_points(painter, rect, dataset, kind == "curve", small)


def _paint_texts(painter: QPainter, rect: QRectF, dataset: Dataset, fitted: RawInput | None) -> None:
    """The first texts of each class, by their tokens."""
    column = next(c for c in dataset.columns if c.kind == "text" and c.role == "input")
    target = next((c for c in dataset.columns if c.role == "target" and c.kind == "category"), None)
    tokenizer = None if fitted is None else tokenizer_of(fitted)
    for index in range(min(12, len(column.values))):
        if rect.height() < 36:
            break
        tokens = theme.current()
        painter.setFont(theme.font(theme.CAPTION, 600))
        painter.setPen(theme.colour(tokens.muted))
        if target is not None:
            painter.drawText(QRectF(rect.left(), rect.top(), rect.width(), 15), cell_text(target, index))
            rect.setTop(rect.top() + 16)
        text = text_of_sample(column.values[index])[:400]
        if tokenizer is None:
            shown = [(token, True) for token in cut(text, column.layout)]
        else:
            shown = [(token, n != 1) for token, n in zip(tokenizer.tokens(text), tokenizer.numbers(text), strict=True)]
        rect.setTop(rect.top() + paint_tokens(painter, rect, shown) + 7)


def _paint_images(
    painter: QPainter, rect: QRectF, dataset: Dataset, small: bool, image_of: Callable[[int], QImage]
) -> None:
    labels = next((c for c in dataset.columns if c.role == "target" and c.kind in ("category", "number")), None)
    across = 2 if small else max(3, int(rect.width() // 56))
    side = rect.width() / across
    down = max(1, int(rect.height() // side))
    painter.setFont(theme.font(theme.CAPTION, 600))
    for index in range(min(across * down, len(dataset))):
        row, column = divmod(index, across)
        place = QRectF(rect.x() + column * side, rect.y() + row * side, side, side).adjusted(2, 2, -2, -2)
        place = paint_picture(painter, place, image_of(index), 3)
        if labels is not None and not small:
            text = cell_text(labels, index)
            badge = QRectF(place.right() - 16, place.bottom() - 16, 16, 16)
            badge.setLeft(badge.right() - max(16, painter.fontMetrics().horizontalAdvance(text) + 6))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("#101216", 0.8))
            painter.drawRoundedRect(badge, 3, 3)
            painter.setPen(theme.colour("#E6E8EC"))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, text)


def _paint_points(painter: QPainter, rect: QRectF, dataset: Dataset, curve: bool, small: bool) -> None:
    tokens = theme.current()
    inputs = [c.values for c in dataset.columns if c.kind == "number" and c.role == "input"]
    target = next((c for c in dataset.columns if c.role == "target"), None)
    x, y = (inputs[0], target.values) if curve else (inputs[0], inputs[1])
    pick = slice(None, None, max(1, math.ceil(len(x) / MOST_POINTS)))
    x, y = np.asarray(x[pick], float), np.asarray(y[pick], float)
    if not len(x):
        return
    px = rect.left() + (x - x.min()) / (np.ptp(x) or 1) * rect.width()
    py = rect.bottom() - (y - y.min()) / (np.ptp(y) or 1) * rect.height()
    size = 2.5 if small else 4.0
    if curve or target is None:
        groups = [(tokens.accent, slice(None))]
    elif target.kind == "category":
        texts = np.asarray([str(v) for v in target.values[pick]])
        names = target.categories or tuple(sorted(set(texts)))
        groups = [(class_colour(i), texts == name) for i, name in enumerate(names)]
    else:
        values = target.values[pick]
        level = (values - values.min()) / (np.ptp(values) or 1)
        bands = np.minimum((level * 8).astype(int), 7)
        groups = [(theme.mixed(tokens.positive, tokens.negative, band / 7), bands == band) for band in range(8)]
    for value, mask in groups:
        pen = QPen(theme.colour(value, 0.9), size)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPoints([QPointF(a, b) for a, b in zip(px[mask], py[mask], strict=True)])


def _paint_series(painter: QPainter, rect: QRectF, dataset: Dataset) -> None:
    """What comes next, step by step, is the series itself."""
    values = np.asarray(next(c for c in dataset.columns if c.role == "target").values[:MOST_STEPS], float).reshape(-1)
    y = rect.bottom() - (values - values.min()) / (np.ptp(values) or 1) * rect.height()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour(theme.current().accent), 1.5))
    x = np.linspace(rect.left(), rect.right(), len(y))
    painter.drawPolyline([QPointF(a, b) for a, b in zip(x, y, strict=True)])


@cache
def source_thumbnail(source: type[Source], theme_name: str, side: int, ratio: float) -> QPixmap:
    """A small picture of what a source gives: its data where they are made or brought along, else its icon.

    `theme_name` only tells the pictures of the themes apart.
    """
    picture = QPixmap(round(side * ratio), round(side * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    rect = QRectF(0, 0, side, side)
    dataset = _sample_of(source)
    kind = "" if dataset is None else kind_of_picture(dataset)
    if kind == "texts":
        column = next(c for c in dataset.columns if c.kind == "text" and c.role == "input")
        words = cut(text_of_sample(column.values[0])[:60], column.layout)
        paint_tokens(painter, rect.adjusted(2, 8, -2, -8), [(word, True) for word in words])
    elif kind:
        paint_dataset(painter, rect.adjusted(4, 4, -4, -4), dataset, small=True)
    elif dataset is not None and any(column.series is not None for column in dataset.columns):
        _paint_series(painter, rect.adjusted(4, 14, -4, -14), dataset)
    else:
        glyph = QRectF(0, 0, side * 0.6, side * 0.6)
        glyph.moveCenter(rect.center())
        icons.paint(painter, glyph, source.icon, theme.current().muted)
    painter.end()
    return picture


def _sample_of(source: type[Source]) -> Dataset | None:
    """A few data of a source that needs no file; None for the others."""
    if any(info.editor in ("file", "folder") for info in describe(source)):
        return None
    few = {"samples": 160} if "samples" in source.model_fields else {}
    try:
        dataset = source(**few).load(quiet)
    except DataError:
        return None
    if dataset.form == "table" and not any(column.series is not None for column in dataset.columns):
        # Two of its columns as points; the last ones tell most in the sets that are built in.
        inputs = [c for c in dataset.columns if c.role == "input" and c.kind == "number"][-2:]
        targets = [c for c in dataset.columns if c.role == "target"]
        return replace(dataset, form="points", columns=(*inputs, *targets))
    return dataset
