"""The way to try a network on a picture file, or on a picture from the clipboard."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import RawInput
from nndesigner.data.pictures import SUFFIXES, load_picture, read_picture, wants_inversion
from nndesigner.ui.parts import button, label, margins
from nndesigner.ui.views.answer_panel import SmallPicture
from nndesigner.ui.views.tool import tool


class PicturePage(QWidget):
    """Shows the picture that was opened; `raw` is what the network is given. `tools` are for the head line."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._column: RawInput | None = None
        self._path: Path | None = None
        self._pasted: tempfile.TemporaryDirectory | None = None
        #: float32 [1, H, W, C], None while there is no picture that can be used
        self.raw: np.ndarray | None = None
        self.name = label(self.tr("Drop a picture here, paste one with Ctrl V, or open a file."), "muted", True)
        self.invert = tool("mdi6.invert-colors", self.tr("Exchange light and dark"), self.tr("invert"), True)
        self.invert.toggled.connect(self._read)
        self.tools = (self.invert,)
        self._shown = SmallPicture(110, self.tr("The picture as it is"))
        self._shown.hide()
        open_ = button(self.tr("Open picture…"), icon="mdi6.folder-open-outline", clicked=self._ask)
        layout = margins(QVBoxLayout(self), 0, gap=8)
        layout.addWidget(self.name)
        layout.addWidget(open_, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._shown)
        layout.addStretch(1)

    def set_column(self, column: RawInput) -> None:
        """The input of the network."""
        self._column = column

    def show_file(self, path: Path) -> None:
        """Take a picture file; light and dark are exchanged where its ground differs from the training pictures'."""
        self._path = path
        self._shown.show_image(QImage(str(path)))
        blocked = QSignalBlocker(self.invert)
        self.invert.setChecked(self._wants_invert(path))
        del blocked
        self._read()

    def show_image(self, image: QImage) -> None:
        """Take a picture that is in no file."""
        if self._pasted is None:
            self._pasted = tempfile.TemporaryDirectory(prefix="nndesigner-")
        path = Path(self._pasted.name) / "pasted.png"
        image.save(str(path), "PNG")
        self.show_file(path)

    def _wants_invert(self, path: Path) -> bool:
        """Whether the ground of a picture is dark where that of the training pictures is light, or the other way."""
        try:
            return wants_inversion(load_picture(str(path), self._column.shape[2] >= 3), self._column)
        except DataError:
            return False  # reading it says why

    def _read(self) -> None:
        self.raw = None
        if self._path is None:
            return
        try:
            self.raw = read_picture(str(self._path), self._column, self.invert.isChecked())
            self.name.setText(self._path.name)
        except DataError as error:
            self.name.setText(str(error))
        self.changed.emit()

    def _ask(self) -> None:
        kind = self.tr("Pictures ({0})").format(" ".join(f"*{suffix}" for suffix in SUFFIXES))
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Open picture"), "", kind)
        if name:
            self.show_file(Path(name))
