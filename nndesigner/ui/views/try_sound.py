"""The way to try a network on a sound file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import RawInput
from nndesigner.data.sound import SUFFIXES
from nndesigner.exchange.files import read_sound_input
from nndesigner.ui.parts import button, label, margins
from nndesigner.ui.views.answer_panel import SmallPicture
from nndesigner.ui.views.sound_picture import sound_image


class SoundPage(QWidget):
    """Shows the sound that was opened; `raw` is what the network is given."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._column: RawInput | None = None
        self._path: Path | None = None
        #: raw columns of one sample, None while there is no sound that can be used
        self.raw: dict[str, np.ndarray] | None = None
        self.name = label(self.tr("Drop a sound file here, or open one."), "muted", True)
        self._shown = SmallPicture(150, self.tr("The sound as the network sees it"))
        self._shown.hide()
        self.open = button(self.tr("Open sound…"), icon="mdi6.folder-open-outline", clicked=self._ask)
        layout = margins(QVBoxLayout(self), 0, gap=8)
        layout.addWidget(self.name)
        layout.addWidget(self.open, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._shown)
        layout.addStretch(1)

    def set_column(self, column: RawInput) -> None:
        """The input of the network; a sound that is open is read anew."""
        if column != self._column:
            self._column = column
            self._read()

    def show_file(self, path: Path) -> None:
        """Take a sound file."""
        self._path = path
        self._read()
        self.changed.emit()

    def _read(self) -> None:
        self.raw = None
        if self._path is None:
            return
        try:
            self.raw = read_sound_input(self._path, (self._column,))
        except DataError as error:
            self.name.setText(str(error))
            self._shown.show_image(QImage())
            return
        self.name.setText(self._path.name)
        self._shown.show_image(sound_image(self.raw[self._column.column][0], self._column.layout))

    def _ask(self) -> None:
        kind = self.tr("Sounds ({0})").format(" ".join(f"*{suffix}" for suffix in SUFFIXES))
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Open sound"), "", kind)
        if name:
            self.show_file(Path(name))
