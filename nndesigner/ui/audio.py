"""Sounds to hear and to record. The only module that imports sounddevice, and only when somebody wants sound.

Loading it asks the system for its devices, which takes a moment and can fail; a window without sound must not notice.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QToolButton, QWidget

from nndesigner.ui.parts import set_icon
from nndesigner.ui.views.tool import tool

#: milliseconds between two looks at whether a sound has ended
POLL_MS = 50


class AudioError(RuntimeError):
    """There is nothing to play or record with. The text says why and what to do."""


def _devices(kind: Literal["output", "input"]) -> Any:
    """sounddevice, when the system has a loudspeaker or microphone. Raises AudioError."""
    try:
        sounddevice = importlib.import_module("sounddevice")
    except OSError as error:
        raise AudioError("Sound needs the library PortAudio. On Debian and Ubuntu install the package "
                         "libportaudio2, then start nndesigner again.") from error
    try:
        sounddevice.query_devices(kind=kind)
    except (sounddevice.PortAudioError, ValueError) as error:
        name = "loudspeaker" if kind == "output" else "microphone"
        raise AudioError(f"No {name} was found. Connect one, then start nndesigner again.") from error
    return sounddevice


class Player(QObject):
    """What is heard now: one sound at a time in the whole window, as there is one loudspeaker."""

    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sounddevice: Any = None
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self._look)

    @property
    def active(self) -> bool:
        return self._poll.isActive()

    def play(self, wave: np.ndarray, rate: int) -> None:
        """Begin a wave [n] in -1..1 at `rate` Hz; another one that is heard ends. Raises AudioError."""
        self.stop()
        sounddevice = _devices("output")
        try:
            sounddevice.play(np.clip(wave, -1, 1).astype(np.float32), rate)
        except sounddevice.PortAudioError as error:
            raise AudioError(f"The sound cannot be played: {error}.") from error
        self._sounddevice = sounddevice
        self._poll.start()

    def stop(self) -> None:
        """Silence."""
        if self.active:
            self._poll.stop()
            self._sounddevice.stop()
            self.ended.emit()

    def _look(self) -> None:
        if not self._sounddevice.get_stream().active:
            self.stop()


class Recorder(QObject):
    """Records from the microphone for a fixed time."""

    #: wave float32 [n], rate in Hz
    recorded = Signal(object, int)
    #: seconds that are left
    waiting = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self._look)
        self._sounddevice: Any = None
        self._wave: np.ndarray | None = None
        self._rate = 0
        self._left = 0.0

    @property
    def active(self) -> bool:
        return self._poll.isActive()

    def start(self, seconds: float) -> None:
        """Begin; `recorded` comes at the end. Raises AudioError."""
        self.cancel()
        sounddevice = _devices("input")
        self._rate = round(sounddevice.query_devices(kind="input")["default_samplerate"])
        try:
            self._wave = sounddevice.rec(round(seconds * self._rate), self._rate, channels=1, dtype="float32")
        except sounddevice.PortAudioError as error:
            raise AudioError(f"The microphone cannot be used: {error}.") from error
        self._sounddevice, self._left = sounddevice, seconds
        self._poll.start()

    def cancel(self) -> None:
        """End without a sound."""
        if self.active:
            self._poll.stop()
            self._sounddevice.stop()

    def _look(self) -> None:
        if self._sounddevice.get_stream().active:
            self._left = max(0.0, self._left - POLL_MS / 1000)
            self.waiting.emit(self._left)
            return
        self._poll.stop()
        self.recorded.emit(self._wave[:, 0], self._rate)


class PlayButton(QWidget):
    """A small button that plays what `sound` gives, (wave [n], rate in Hz) or None, and stops it."""

    #: why nothing can be heard
    failed = Signal(str)

    def __init__(self, sound: Callable[[], tuple[np.ndarray, int] | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sound = sound
        self.player = Player(self)
        self.player.ended.connect(self._show)
        self.button: QToolButton = tool("mdi6.play", self.tr("Play the sound"))
        self.button.setParent(self)
        self.button.clicked.connect(self.toggle)
        self.setFixedSize(self.button.sizeHint())

    def toggle(self) -> None:
        """Play, or stop what is heard."""
        if self.player.active:
            self.player.stop()
            return
        found = self._sound()
        if found is None:
            return
        try:
            self.player.play(*found)
        except AudioError as error:
            self.button.setToolTip(str(error))
            self.failed.emit(str(error))
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        self.player.stop()
        super().hideEvent(event)

    def _show(self) -> None:
        set_icon(self.button, "mdi6.stop" if self.player.active else "mdi6.play", "muted")
