"""What the network says to one new sample: the answer in large letters, and how sure it is."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from nndesigner.exchange.prediction import Prediction
from nndesigner.ui import numbers
from nndesigner.ui.parts import ElidedLabel, label, line, margins
from nndesigner.ui.stylesheet import role
from nndesigner.ui.views.class_colours import class_colour
from nndesigner.ui.views.mask_picture import has_ground, mask_image
from nndesigner.ui.views.probability_bars import ROW, Bar, ProbabilityBars
from nndesigner.ui.views.sample_content import value_text, written
from nndesigner.ui.views.sample_picture import paint_picture, picture_image

#: values of an answer that are listed
MOST_VALUES = 12
#: classes that are offered to the bars, which show as many as they have room for
MOST_BARS = 50


class SmallPicture(QWidget):
    """One picture, as large as fits."""

    def __init__(self, side: int, tip: str) -> None:
        super().__init__()
        self._image = QImage()
        self._side = side
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.setVisible(not image.isNull())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_picture(QPainter(self), QRectF(self.rect()), self._image)


class AnswerPanel(QWidget):
    """Answer, probability bars or values, and the picture that the network saw."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.headline = ElidedLabel("")
        role(self.headline, "display")
        self.headline.setMinimumHeight(30)
        self.note = label("", "caption", wrap=True)
        self.seen = SmallPicture(48, self.tr("What the network sees"))
        self.made = SmallPicture(96, self.tr("What the network makes of it"))
        self.bars = ProbabilityBars()
        self.seen.hide()
        self.made.hide()
        layout = margins(QVBoxLayout(self), 0, gap=4)
        head = line(self.headline, self.seen, gap=8)
        head.setStretch(0, 1)
        layout.addLayout(head)
        layout.addWidget(self.note)
        layout.addWidget(self.bars, 10)
        layout.addWidget(self.made, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)
        self._prediction: Prediction | None = None
        self._given: np.ndarray | None = None
        self.say("")

    def say(self, text: str) -> None:
        """A sentence in place of an answer."""
        self._prediction = None
        self.headline.setText("")
        self.headline.hide()
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self.bars.hide()
        self.made.show_image(QImage())

    def show_seen(self, raw: np.ndarray | None, low: float = 0.0, high: float = 1.0) -> None:
        """The picture [H, W, C] that the network was given."""
        self._given = None if raw is None else (raw - low) / (high - low if high > low else 1.0)
        self.seen.show_image(QImage() if raw is None else picture_image(raw, low, high))

    def show_prediction(self, found: Prediction, units: tuple[str, ...]) -> None:
        """The answer for the first sample of a prediction."""
        self._prediction = found
        self.note.hide()
        self.headline.show()
        if found.probabilities is not None:
            self._show_classes(found)
            return
        if found.texts is not None:
            self._show_text(found)
            return
        values = found.values[0]
        self.bars.hide()
        if found.task == "reconstruction":
            self.headline.setText("")
            self.headline.hide()
            if values.ndim == 3:
                self.made.show_image(picture_image(values, float(values.min()), float(values.max())))
                return
        shown = [(name, value_text(float(value), unit)) for name, value, unit in zip(
            found.names, values.reshape(-1)[:MOST_VALUES], (*units, *[""] * MOST_VALUES))]
        if len(shown) == 1:
            self.headline.setText(shown[0][1])
            self.note.setText(shown[0][0])
        else:
            self.headline.hide()
            self.note.setText("\n".join(f"{name}: {text}" for name, text in shown))
        self.note.show()
        self.setAccessibleDescription(", ".join(f"{name} {text}" for name, text in shown))

    def _show_classes(self, found: Prediction) -> None:
        self.made.show_image(QImage())
        ranked = found.ranked(0)
        if found.by_pixel:
            self._show_pixels(found, ranked)
            return
        if found.predicted[0] < 0:
            self.say(self.tr("The network gave no finite number for this. Train it again with a lower learning rate."))
            return
        name, probability = ranked[0]
        self.headline.setText(f"{name}: {numbers.percent(probability)}")
        self.setAccessibleDescription(self.headline.text())
        self.bars.set_bars([Bar(n, p, "accent" if i == 0 else "plain") for i, (n, p) in enumerate(ranked[:MOST_BARS])])
        self.bars.show()

    def _show_text(self, found: Prediction) -> None:
        self.made.show_image(QImage())
        if found.texts[0] is None:
            self.say(self.tr("The network gave no finite number for this. Train it again with a lower learning rate."))
            return
        self.bars.hide()
        self.headline.setText(written(found.texts[0]))
        self.note.setText(found.names[0])
        self.note.show()
        self.setAccessibleDescription(f"{found.names[0]} {self.headline.text()}")

    def _show_pixels(self, found: Prediction, ranked: list[tuple[str, float]]) -> None:
        """The classes of the pixels in colour over the picture, and how much of it each takes."""
        self.made.show_image(mask_image(self._given, found.predicted[0], found.classes))
        shown = [(name, share) for name, share in ranked if share > 0]
        self.headline.setText("")
        self.headline.hide()  # the bars tell the classes
        self.setAccessibleDescription(", ".join(f"{name} {numbers.percent(share)}" for name, share in shown))
        places = {name: i for i, name in enumerate(found.classes)}
        fitting = max(3, (self.height() - 150) // ROW)
        ground = found.classes[0] if has_ground(found.classes) else ""
        self.bars.set_bars([Bar(name, share, colour="" if name == ground else class_colour(places[name]))
                            for name, share in shown[:fitting]])
        self.bars.show()
