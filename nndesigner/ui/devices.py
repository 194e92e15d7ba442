"""Which devices there are. The answer takes seconds where a GPU is tried, so it is looked for in the background."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, QTimer, Signal

from nndesigner.engine.device import CPU_STATUS, DeviceStatus, available


class Devices(QObject):
    """The known devices; `changed` when the probe has ended."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.found: tuple[DeviceStatus, ...] = (CPU_STATUS,)
        #: the probe has ended
        self.known = False
        self._thread: threading.Thread | None = None
        self._answer: list[tuple[DeviceStatus, ...]] = []
        self._poll = QTimer(self)
        self._poll.setInterval(200)
        self._poll.timeout.connect(self._look)

    def start(self) -> None:
        """Begin to look, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=lambda: self._answer.append(available()), name="devices",
                                            daemon=True)
            self._thread.start()
            self._poll.start()

    def stop(self) -> None:
        self._poll.stop()

    def title(self, name: str) -> str:
        """Words for a device."""
        status = next((d for d in self.found if d.name == name), None)
        return name if status is None else words(status)

    def choices(self) -> list[tuple[str, str, str]]:
        """(name, words, reason why it cannot be used), for a form."""
        return [(d.name, words(d), "" if d.usable else d.reason) for d in self.found]

    def _look(self) -> None:
        if self._answer:
            self._poll.stop()
            self.found, self.known = self._answer[0], True
            self.changed.emit()
        elif not self._thread.is_alive():
            self._poll.stop()


def words(status: DeviceStatus) -> str:
    """Title of a device with the library that computes there."""
    if not status.usable:
        return status.title
    return f"{status.title} · {status.library}"
