"""The way to try a network on a sound: a file, the microphone, or a sample that it has not learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QImage
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import RawInput
from nndesigner.data.sound import SUFFIXES, fitted, load_sound
from nndesigner.ui.audio import AudioError, PlayButton, Recorder
from nndesigner.ui.parts import button, label, line, margins
from nndesigner.ui.views.answer_panel import SmallPicture
from nndesigner.ui.views.sound_picture import sound_image
from nndesigner.ui.views.tool import tool

#: recorded beyond the length that the network hears, since people do not begin at once
LEAD_SECONDS = 0.7


class SoundPage(QWidget):
    """Shows the sound that was opened or recorded; `raw` is what the network is given."""

    changed = Signal()
    sample_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._column: RawInput | None = None
        #: what was heard before it was fitted to the network: wave [n], rate in Hz
        self._heard: tuple[np.ndarray, int] | None = None
        #: raw columns of one sample, None while there is no sound that can be used
        self.raw: dict[str, np.ndarray] | None = None
        self.name = label(self.tr("Drop a sound file here, open one, or speak."), "muted", True)
        self._shown = SmallPicture(150, self.tr("The sound as the network sees it"))
        self._shown.hide()
        self.open = button(self.tr("Open sound…"), icon="mdi6.folder-open-outline", clicked=self._ask)
        self.record = button(self.tr("Record"), icon="mdi6.microphone", clicked=self._record)
        self.play = PlayButton(lambda: self._heard)
        self.play.failed.connect(self.name.setText)
        self.play.hide()
        self.sample = tool("mdi6.dice-multiple-outline", self.tr("Take over a random test sample"))
        self.sample.clicked.connect(self.sample_wanted)
        #: for the head line of the view
        self.tools = (self.sample,)
        self.recorder = Recorder(self)
        self.recorder.waiting.connect(
            lambda left: self.record.setText(self.tr("Recording… {0} s").format(f"{left:.1f}")))
        self.recorder.recorded.connect(self._recorded)
        layout = margins(QVBoxLayout(self), 0, gap=8)
        layout.addWidget(self.name)
        layout.addLayout(line(self.open, self.record, self.play, 1))
        layout.addWidget(self._shown)
        layout.addStretch(1)

    def set_column(self, column: RawInput) -> None:
        """The input of the network; a sound that is open is fitted to it anew."""
        if column != self._column:
            self._column = column
            if self._heard is not None:
                self._fit()

    def show_file(self, path: Path) -> None:
        """Take a sound file."""
        try:
            heard = load_sound(str(path))
        except DataError as error:
            self._heard = self.raw = None
            self.name.setText(str(error))
            self._shown.show_image(QImage())
            self.play.hide()
            self.changed.emit()
        else:
            self.show_sound(*heard, path.name)

    def show_sound(self, wave: np.ndarray, rate: int, name: str) -> None:
        """Take a wave [n] at `rate` Hz."""
        self._heard = wave, rate
        self.name.setText(name)
        self.play.show()
        self._fit()
        self.changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        self._end_recording()
        super().hideEvent(event)

    def _fit(self) -> None:
        layout = self._column.layout
        self.raw = {self._column.column: fitted(*self._heard, layout)[None]}
        self._shown.show_image(sound_image(self.raw[self._column.column][0], layout))

    def _ask(self) -> None:
        kind = self.tr("Sounds ({0})").format(" ".join(f"*{suffix}" for suffix in SUFFIXES))
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Open sound"), "", kind)
        if name:
            self.show_file(Path(name))

    def _record(self) -> None:
        """Begin, or leave off."""
        if self.recorder.active:
            self._end_recording()
            return
        layout = self._column.layout
        try:
            self.recorder.start(layout.length / layout.rate + LEAD_SECONDS)
        except AudioError as error:
            self.name.setText(str(error))

    def _end_recording(self) -> None:
        self.recorder.cancel()
        self.record.setText(self.tr("Record"))

    def _recorded(self, wave: np.ndarray, rate: int) -> None:
        self._end_recording()
        self.show_sound(wave, rate, self.tr("Recorded just now"))
