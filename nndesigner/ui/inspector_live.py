"""What the chosen layer has learned, live: the filters of a convolution, the weights of a dense layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QTransform
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from nndesigner.engine.network import Network
from nndesigner.graph.model import Node, Placeholder
from nndesigner.insight.probe import filters
from nndesigner.ui import numbers, theme
from nndesigner.ui.document import Document
from nndesigner.ui.parts import heading, label, margins, rule
from nndesigner.ui.runner import Runner
from nndesigner.ui.views.live_view import LiveView

#: filters shown, and rows and columns of a weight map
MOST_FILTERS, MOST_CELLS = 32, 128
FILTERS_A_ROW = 8
#: quarter turn of a map that is higher than wide
_TURN = QTransform().rotate(90)


class LearnedView(QWidget):
    """Heading, picture and key; hidden for layers that learn nothing worth a picture."""

    def __init__(self, document: Document, runner: Runner) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        margins(layout, 0, gap=8)
        self._picture = _Weights(document, runner)
        self._heading = heading("")
        layout.addWidget(rule())
        layout.addWidget(self._heading)
        layout.addWidget(self._picture)
        layout.addWidget(label("Orange is positive, blue is negative.", "caption", wrap=True))
        self._document = document

    def show_node(self, node: Node | None) -> None:
        """Follow this node."""
        learns = node is not None and not isinstance(node.layer, Placeholder) and bool(
            self._document.checked.parameters.get(node.id)) and hasattr(node.layer, "initialiser")
        if learns:
            kernel = hasattr(node.layer, "kernel_size") or hasattr(node.layer, "kernel")
            self._heading.setText("LEARNED FILTERS, LIVE" if kernel else "LEARNED WEIGHTS, LIVE")
            self._picture.show_node(node.id)
        self.setVisible(learns)


class _Weights(LiveView):
    """Asks the session for the weights of one node."""

    title = "Learned weights"
    icon = "mdi6.grid"

    def __init__(self, document: Document, runner: Runner) -> None:
        self._node: str | None = None
        super().__init__(document, runner)
        self.setMinimumHeight(84)
        self._canvas = SignedPicture()
        inner = QVBoxLayout(self.content)
        margins(inner, 0)
        inner.addWidget(self._canvas)

    def show_node(self, node: str) -> None:
        if node != self._node:
            self._node = node
            self.ask_anew()

    def question(self) -> Callable[[Any], Any] | None:
        node = self._node
        return None if node is None else lambda trainer: learned(trainer.network, node)

    def show_answer(self, value: np.ndarray | None) -> None:
        if value is None:
            self.show_empty("The network being trained does not have this layer.")
        else:
            self._canvas.show_array(value)
            self.setFixedHeight(self._canvas.heightForWidth(max(100, self.width())) + 2)

    def why_empty(self) -> str:
        return "Seen as soon as the network can be trained."

    def on_theme(self) -> None:
        self._canvas.recolour()


def learned(network: Network, node: str) -> np.ndarray | None:
    """Weights of a node for a picture: filters [n, kh, kw] or a map [inputs, outputs]; None when it has none.

    Runs on the session's thread.
    """
    found = filters(network, node)
    if not len(found):
        return None
    flat = network.weights.views[f"{node}/W"].ndim == 2
    return _reduced(found[0]) if flat and len(found) == 1 else found[:MOST_FILTERS]


def _reduced(w: np.ndarray) -> np.ndarray:
    """A weight map of at most MOST_CELLS rows and columns: of each block the value furthest from zero."""
    for axis in (0, 1):
        size = w.shape[axis]
        if size > MOST_CELLS:
            w = np.moveaxis(w, axis, 0)
            block = math.ceil(size / MOST_CELLS)
            padded = np.zeros((math.ceil(size / block) * block, w.shape[1]), np.float32)
            padded[:size] = w
            blocks = padded.reshape(-1, block, w.shape[1])
            pick = np.abs(blocks).argmax(axis=1)
            w = np.moveaxis(np.take_along_axis(blocks, pick[:, None, :], axis=1)[:, 0], 0, axis)
    return w


class SignedPicture(QWidget):
    """Paints signed values: orange positive, blue negative, the panel's colour at zero."""

    def __init__(self) -> None:
        super().__init__()
        self._array: np.ndarray | None = None
        self._images: list[QImage] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_array(self, array: np.ndarray) -> None:
        """[n, kh, kw] filters or [rows, columns] map."""
        self._array = array
        self.recolour()
        self.updateGeometry()

    def recolour(self) -> None:
        """Make the pictures anew, in the theme's colours."""
        if self._array is not None:
            stack = self._array if self._array.ndim == 3 else self._array[None]
            largest = float(np.abs(stack).max()) or 1.0
            self._images = [signed_image(part / largest) for part in stack]
            self.setToolTip(f"largest weight {numbers.measure(largest)}")
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        if self._array is None:
            return 60
        if self._array.ndim == 3:
            side = self._side(width)
            return math.ceil(len(self._images) / FILTERS_A_ROW) * (side + 6) - 6
        rows, columns = self._array.shape
        rows, columns = (columns, rows) if rows > columns else (rows, columns)
        return max(48, min(width, round(width * rows / columns)))

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(max(self.width(), 100)))

    def _side(self, width: int) -> int:
        return max(8, (width - 6 * (FILTERS_A_ROW - 1)) // FILTERS_A_ROW)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._array is None:
            return
        if self._array.ndim == 3:
            side = self._side(self.width())
            for index, image in enumerate(self._images):
                row, column = divmod(index, FILTERS_A_ROW)
                painter.drawImage(QRectF(column * (side + 6), row * (side + 6), side, side), image)
            return
        image = self._images[0]
        if self._array.shape[0] > self._array.shape[1]:  # the longer side lies across
            image = image.transformed(_TURN)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > self.width())
        painter.drawImage(QRectF(self.rect()), image)


def signed_image(values: np.ndarray) -> QImage:
    """Values from -1 to 1 [h, w] as a picture in the theme's signed colours."""
    tokens = theme.current()
    zero, plus, minus = (np.array(theme.colour(c).getRgb()[:3], np.float32)
                         for c in (tokens.raised, tokens.positive, tokens.negative))
    share = np.sqrt(np.abs(values))[..., None]  # the eye sees small weights too
    rgb = zero + share * (np.where(values[..., None] > 0, plus, minus) - zero)
    pixels = np.ascontiguousarray(rgb.astype(np.uint8))
    height, width = values.shape
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
