"""Plays a sound through the system's own player: Qt's sound module is not part of what is installed."""

from __future__ import annotations

import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QProcess, QStandardPaths

#: programs that play a WAV file and end, the best first; of each the arguments before the file
PLAYERS = (("pw-play", ()), ("paplay", ()), ("aplay", ("-q",)), ("afplay", ()))


class Player(QObject):
    """One sound at a time."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        found = ((QStandardPaths.findExecutable(name), arguments) for name, arguments in PLAYERS)
        self._program, self._arguments = next(((path, a) for path, a in found if path), ("", ()))

    @property
    def why_not(self) -> str:
        """Why no sound can be played; empty when it can."""
        if self._program or sys.platform == "win32":
            return ""
        return f"No sound player was found. Install one of {', '.join(name for name, _ in PLAYERS[:3])}."

    def play(self, samples: np.ndarray, rate: int) -> None:
        """Play a wave [n] of values -1 to 1; what is being played ends."""
        self.stop()
        if self.why_not:
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="nndesigner-sound-")
        path = Path(self._folder.name) / "sound.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(np.round(32767 * np.clip(samples, -1, 1)).astype("<i2").tobytes())
        if sys.platform == "win32":
            import winsound

            winsound.PlaySound(str(path), winsound.SND_FILENAME | winsound.SND_ASYNC)
            return
        self._process = QProcess(self)
        self._process.start(self._program, [*self._arguments, str(path)])

    def stop(self) -> None:
        """Be silent."""
        if self._process is not None:
            self._process.kill()
            self._process.waitForFinished(200)
            self._process.deleteLater()
            self._process = None

    def close(self) -> None:
        """Be silent and leave nothing on the disk."""
        self.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
