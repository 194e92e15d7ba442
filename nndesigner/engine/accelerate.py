"""The optional accelerator: compiled kernels in place of chains of NumPy calls, for float32 on the processor.

It is looked for when training has gone on for a second, and imported and compiled on a thread of its own (kernels let
go of the interpreter lock, compiled code is kept on disk), so no step waits for it. Until a kernel is ready, and where
numba is not installed, NumPy does the same work. Both give the same bits, so a run does not depend on when that
happens.
"""

from __future__ import annotations

import atexit
import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from platformdirs import user_cache_path

from nndesigner.engine.device import Device

Step = Callable[[], None]
Quicker = Callable[..., Step]
State = Literal["missing", "waiting", "preparing", "ready", "failed"]

EXTRA = "pip install 'nndesigner[fast]'"


class Accelerator:
    """The kernels of this process and how far they are."""

    def __init__(self) -> None:
        #: ready kernels by name
        self.kernels: dict[str, Callable[..., None]] = {}
        self.state: State = "waiting" if importlib.util.find_spec("numba") else "missing"
        self._problem = ""
        self._ending = False
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to make the kernels ready, once; returns at once."""
        if self.state != "waiting":
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._prepare, name="nndesigner accelerator", daemon=True)
                self._thread.start()
                atexit.register(self._end)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is ready or will not be; whether it is ready."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self.state == "ready"

    def words(self) -> str:
        """A sentence for the user: whether it works, and what to do if not."""
        return {
            "missing": f"Trains faster with the accelerator: {EXTRA}",
            "waiting": "The accelerator (numba) sets in a moment after training begins.",
            "preparing": "The accelerator (numba) is being compiled in the background.",
            "ready": "The accelerator (numba) is active.",
            "failed": f"The accelerator (numba) cannot be used: {self._problem}",
        }[self.state]

    def quicker(self, name: str, slow: Step, *arrays: Any) -> Step:
        """`slow`, and from when it is ready on the kernel of this name on these arrays, which does the same."""
        kernels = self.kernels

        def run() -> None:
            kernel = kernels.get(name)
            if kernel is None:
                slow()
            else:
                kernel(*arrays)

        return run

    def _prepare(self) -> None:
        self.state = "preparing"
        try:
            from nndesigner.engine.kernels import compiled

            for name, kernel in compiled(_cache()):
                if self._ending:
                    return
                self.kernels[name] = kernel
            self.state = "ready"
        except Exception as error:  # numba, LLVM and the disk raise their own kinds; NumPy goes on
            self.state, self._problem = "failed", str(error) or type(error).__name__

    def _end(self) -> None:
        """The process ends: a compiler at work then could crash it."""
        self._ending = True
        self.wait(10)


def _cache() -> Path | None:
    """Folder for compiled kernels; None where none can be made."""
    folder = user_cache_path("nndesigner") / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


#: the one of this process
ACCELERATOR = Accelerator()


def plain(name: str, slow: Step, *arrays: Any) -> Step:
    """`Accelerator.quicker` where there are no kernels."""
    return slow


def quicker_on(device: Device, dtype: Any) -> Quicker:
    """What layers and optimizers offer their chains of calls to."""
    return ACCELERATOR.quicker if device.is_cpu and np.dtype(dtype) == np.float32 else plain
