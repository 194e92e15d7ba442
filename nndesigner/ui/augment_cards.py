"""Cards of the augmentation preview: one training sample as it is, and as training meets it in several epochs."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from nndesigner.data.encoding import FieldEncoding
from nndesigner.data.layouts import tokenizer_of
from nndesigner.data.preparing import Prepared
from nndesigner.spec import DataField
from nndesigner.training.variants import Variant
from nndesigner.ui import theme
from nndesigner.ui.audio import PlayButton
from nndesigner.ui.token_picture import paint_tokens
from nndesigner.ui.views.mask_picture import mask_image
from nndesigner.ui.views.sample_picture import paint_picture, picture_image
from nndesigner.ui.views.sound_picture import wave_image

CAPTION, PAD = 40, 8
#: values of a table, and curves of a series, on a card
LINES, CURVES = 9, 4


def shown_field(prepared: Prepared) -> FieldEncoding:
    """The input that stands for a sample: a picture where there is one."""
    inputs = [f for f in prepared.preparation.fields if f.field.role == "input"]
    return next((f for f in inputs if f.field.shape.axes == "HWC"), inputs[0])


def shown_mask(prepared: Prepared) -> DataField | None:
    """The target that tells the class of every pixel, where there is one."""
    return next((f for f in prepared.signature.targets if f.kind == "class" and len(f.shape.dims) == 3), None)


class VariantCard(QWidget):
    """A sample with its epoch, and its label or the shares of two labels; a mask lies over its picture."""

    def __init__(self) -> None:
        super().__init__()
        self._before: Variant | None = None
        self.variant: Variant | None = None
        self._field: FieldEncoding | None = None
        self._mask: DataField | None = None
        self._image: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.play = PlayButton(self._sound, self)
        self.play.hide()

    def sizeHint(self) -> QSize:
        return QSize(180, 190)

    def minimumSizeHint(self) -> QSize:
        return QSize(110, 120)

    def show_variant(self, field: FieldEncoding, before: Variant, variant: Variant, mask: DataField | None) -> None:
        """Show a variant of the sample `before` (itself for the original)."""
        self._field, self._before, self.variant, self._mask = field, before, variant, mask
        self._image = self._picture()
        self.play.setVisible(variant.wave is not None)
        self.setAccessibleName(f"{self.title}, {self.words}".rstrip(", "))
        self.setToolTip(self.words)
        self.update()

    @property
    def title(self) -> str:
        """Which epoch this is."""
        return "As it is" if self.variant.epoch < 0 else f"Epoch {self.variant.epoch + 1}"

    @property
    def words(self) -> str:
        """The label, or the shares of two labels."""
        labels = [(name, share) for name, share in self.variant.labels if share >= 0.005]
        if len(labels) < 2:
            return labels[0][0] if labels else ""
        return " + ".join(f"{100 * share:.0f} % {name}" for name, share in labels)

    def _sound(self) -> tuple[np.ndarray, int] | None:
        if self.variant is None or self.variant.wave is None:
            return None
        return self.variant.wave, self._field.columns[0].layout.rate

    def _picture(self) -> QImage | None:
        """The sample as a picture; None for what is painted as text or curves."""
        values, before = (v.values[self._field.field.name] for v in (self.variant, self._before))
        column, axes = self._field.columns[0], self._field.field.shape.axes
        if column.kind == "image":
            low, high = ((v - float(self._field.offset)) / float(self._field.scale) for v in (column.low, column.high))
            if self._mask is not None:
                picture = (values - low) / ((high - low) or 1.0)
                return mask_image(picture, self.variant.values[self._mask.name], self._mask.classes)
            return picture_image(values, low, high)
        if column.kind == "sound" and column.layout.representation == "wave":
            return wave_image(values[:, 0])
        if axes == "HWC" or column.kind == "sound":  # all on the scale of the original
            turned = (lambda a: a.T[::-1]) if axes == "TF" else (lambda a: a)
            return picture_image(turned(values), float(before.min()), float(before.max()))
        return None

    def resizeEvent(self, event: object) -> None:
        self.play.move(self.width() - self.play.width() - 4, self.height() - self.play.height() - 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.variant is None:
            return
        t, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        original = self.variant.epoch < 0
        painter.setPen(QPen(theme.colour(t.accent if original else t.line), 1))
        painter.setBrush(theme.colour(t.raised))
        whole = QRectF(self.rect())
        painter.drawRoundedRect(whole.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS_TILE, theme.RADIUS_TILE)
        inner = whole.adjusted(PAD, PAD, -PAD, -CAPTION)
        values = self.variant.values[self._field.field.name]
        if self._image is not None:
            paint_picture(painter, inner, self._image)
        elif self._field.columns[0].kind == "text":
            paint_tokens(painter, inner, self._tokens(values))
        elif values.ndim == 2:
            self._paint_curves(painter, inner, values)
        else:
            self._paint_lines(painter, inner, values)
        self._paint_caption(painter)

    def _paint_caption(self, painter: QPainter) -> None:
        t = theme.current()
        width = self.width() - 2 * PAD - (self.play.width() if self.play.isVisibleTo(self) else 0)
        top = QRectF(PAD, self.height() - CAPTION + 3, width, 16)
        painter.setFont(theme.font(theme.CAPTION))
        painter.setPen(theme.colour(t.muted))
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter, self.title)
        painter.setPen(theme.colour(t.text))
        words = QFontMetricsF(painter.font()).elidedText(self.words, Qt.TextElideMode.ElideRight, width)
        painter.drawText(top.translated(0, 16), Qt.AlignmentFlag.AlignVCenter, words)

    def _tokens(self, values: np.ndarray) -> list[tuple[str, bool]]:
        """The tokens but padding; those that differ from the original are marked."""
        vocabulary, before = tokenizer_of(self._field.columns[0]).vocabulary, self._before.values
        originals = before[self._field.field.name]
        return [(vocabulary[int(n)], bool(n == o)) for n, o in zip(values, originals) if n or o]

    def _paint_curves(self, painter: QPainter, area: QRectF, values: np.ndarray) -> None:
        """A window of a series, with the original behind it."""
        t, before = theme.current(), self._before.values[self._field.field.name]
        low, high = float(min(before.min(), values.min())), float(max(before.max(), values.max()))
        span = high - low or 1.0
        for curves, token, share in ((before, t.muted, 0.5), (values, t.accent, 1.0)):
            painter.setPen(QPen(theme.colour(token, share), 1.2))
            for curve in curves.T[:CURVES]:
                step = area.width() / max(len(curve) - 1, 1)
                painter.drawPolyline(QPolygonF([
                    QPointF(area.left() + i * step, area.bottom() - (float(v) - low) / span * area.height())
                    for i, v in enumerate(curve)]))

    def _paint_lines(self, painter: QPainter, area: QRectF, values: np.ndarray) -> None:
        """Numbers in their own units; those that changed in the colour of the accent."""
        t, before = theme.current(), self._before.values[self._field.field.name]
        real, originals = (self._field.decode(v[None])[0] for v in (values, before))
        names = self._field.feature_names if self._field.columns[0].kind != "array" else ()
        painter.setFont(theme.font(theme.CAPTION))
        metrics = QFontMetricsF(painter.font())
        for i, value in enumerate(real.reshape(-1)[:LINES]):
            row = QRectF(area.left(), area.top() + 16 * i, area.width(), 16)
            if row.bottom() > area.bottom() + 1:
                break
            text = f"{value:.4g}"
            room = row.width() - metrics.horizontalAdvance(text) - 8
            painter.setPen(theme.colour(t.muted))
            name = names[i] if names else str(i + 1)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room))
            painter.setPen(theme.colour(t.accent if value != originals.reshape(-1)[i] else t.text))
            painter.drawText(row, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), text)
