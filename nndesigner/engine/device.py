"""Where arithmetic happens: the processor through NumPy, or a GPU through CuPy. The only module that imports CuPy."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

from nndesigner.engine import cudnn

#: Seconds a probe of the GPU may take. Making a CUDA context takes seconds; a broken driver can hang.
PROBE_SECONDS = 90
EXTRAS = "pip install 'nndesigner[gpu-cuda12]' (driver 525 or newer) or 'nndesigner[gpu-cuda13]' (driver 580 or newer)"


class DeviceError(RuntimeError):
    """A device cannot be used. The text says why and what to do."""


@dataclass(frozen=True)
class Device:
    """One place to compute: "cpu", or "cuda:0" for the first GPU."""

    name: str = "cpu"

    def __post_init__(self) -> None:
        if self.name != "cpu" and not (self.name.startswith("cuda:") and self.name[5:].isdigit()):
            raise DeviceError(f"There is no device '{self.name}': choose cpu, or cuda:0 for the first GPU.")

    @cached_property
    def is_cpu(self) -> bool:
        return self.name == "cpu"

    @property
    def index(self) -> int:
        """Number of the GPU; 0 for the processor."""
        return 0 if self.is_cpu else int(self.name[5:])

    @property
    def title(self) -> str:
        """Name shown to the user."""
        return "CPU" if self.is_cpu else f"GPU {self.index}"

    @cached_property
    def xp(self) -> Any:
        """The array module. Raises DeviceError when CuPy is wanted and missing."""
        if self.is_cpu:
            return np
        try:
            return importlib.import_module("cupy")
        except ImportError as error:
            text = f"CuPy is not installed, so {self.title} cannot be used. Install it with {EXTRAS}."
            raise DeviceError(text) from error

    @contextlib.contextmanager
    def use(self) -> Iterator[None]:
        """Make this the current device of the calling thread (CuPy's current device belongs to a thread)."""
        if self.is_cpu:
            yield
        else:
            with self.xp.cuda.Device(self.index):
                yield

    def convolver(self) -> Any | None:
        """What makes convolutions by a library of the device (`Bind.convolve`) in the calling thread, if there is one.

        The device must be the current one.
        """
        return None if self.is_cpu else cudnn.convolver(self.xp, self.index)

    def asarray(self, host: np.ndarray) -> Any:
        """The array on this device: the very same for the processor, a copy for a GPU."""
        return host if self.is_cpu else self.xp.asarray(host)

    def pinned(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Uninitialised memory of the host; for a GPU it stays in its place, so that copies run beside calculations."""
        return np.empty(shape, dtype) if self.is_cpu else importlib.import_module("cupyx").empty_pinned(shape, dtype)

    def host(self, array: Any) -> np.ndarray:
        """The array as NumPy: the very same for the processor, a copy (and a wait) for a GPU."""
        return array if self.is_cpu else self.xp.asnumpy(array)

    def gather(self, source: Any, rows: Any, out: Any) -> None:
        """out = source[rows], without allocating. Row numbers must be valid; they are not checked."""
        if self.is_cpu:
            source.take(rows, 0, out, "clip")  # "raise" would take a copy of out first
        else:
            source.take(rows, 0, out)

    def free_bytes(self) -> int | None:
        """Bytes of a GPU that can still be taken; None for the processor, whose system does not tell."""
        if self.is_cpu:
            return None
        with self.use():
            free, _ = self.xp.cuda.runtime.memGetInfo()
            return free + self.xp.get_default_memory_pool().free_bytes()

    def used_bytes(self) -> int:
        """Bytes of a GPU that arrays of this process take."""
        with self.use():
            return self.xp.get_default_memory_pool().used_bytes()

    def has_room(self, nbytes: int) -> bool:
        """Whether data of this size may lie on the device for good: half of what is free is left for calculating."""
        free = self.free_bytes()
        return free is None or nbytes <= free // 2

    def out_of_memory(self, error: BaseException) -> bool:
        """Whether an exception means that this device's memory is full."""
        if isinstance(error, MemoryError):  # cupy.cuda.memory.OutOfMemoryError is one
            return True
        return not self.is_cpu and "ALLOC_FAILED" in str(error)

    def free(self) -> None:
        """Give cached blocks of a GPU back to the driver."""
        if not self.is_cpu:
            with self.use():
                self.xp.get_default_memory_pool().free_all_blocks()


@functools.cache
def single_threaded_blas() -> None:
    """Hold NumPy's matrix products at one thread from now on, in the whole process.

    The bits of a product change with the number of threads, and spinning BLAS pools fall into episodes with steps 10 to
    40 times longer.
    """
    threadpoolctl.threadpool_limits(limits=1, user_api="blas")


@dataclass(frozen=True)
class DeviceStatus:
    """A device for the chooser. `reason` says in plain words why an unusable one cannot be used."""

    name: str
    title: str
    usable: bool
    reason: str = ""
    #: what computes there
    library: str = "NumPy"


CPU_STATUS = DeviceStatus("cpu", "CPU", True)


@functools.cache
def available() -> tuple[DeviceStatus, ...]:
    """All devices, the processor first. Takes seconds the first time where CuPy is installed; the answer is kept.

    CUDA is tried in a child process: the first use takes seconds, and a broken driver can end the process.
    """
    if importlib.util.find_spec("cupy") is None:
        return CPU_STATUS, _no_gpu(f"CuPy is not installed. Install it with {EXTRAS}.")
    package_root = str(Path(__file__).resolve().parents[2])
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(p for p in (package_root, environment.get("PYTHONPATH", "")) if p)
    try:
        child = subprocess.run(
            [sys.executable, "-m", "nndesigner.engine.device"],
            capture_output=True, text=True, timeout=PROBE_SECONDS, env=environment, check=False,
        )
    except subprocess.TimeoutExpired:
        return CPU_STATUS, _no_gpu(f"The GPU driver did not answer in {PROBE_SECONDS} seconds. Restart the computer.")
    try:
        found = json.loads(child.stdout.strip().rsplit("\n", 1)[-1])
    except ValueError:
        last = (child.stderr.strip().rsplit("\n", 1) or [""])[-1]
        return CPU_STATUS, _no_gpu(f"Trying the GPU ended the test process (code {child.returncode}). {last}".strip())
    return CPU_STATUS, *(DeviceStatus(**entry) for entry in found)


def _no_gpu(reason: str) -> DeviceStatus:
    return DeviceStatus("cuda:0", "GPU", False, reason)


def _probe() -> list[DeviceStatus]:
    """Runs in the child process: try every GPU with a real kernel and a real matrix product."""
    try:
        cupy = importlib.import_module("cupy")
    except Exception as error:  # a half-installed CuPy raises whatever its libraries raise
        return [_no_gpu(f"CuPy cannot be loaded: {error}. Install it anew with {EXTRAS}.")]
    if not cupy.cuda.is_available():
        return [_no_gpu(_why_unavailable(cupy))]
    found = []
    for index in range(cupy.cuda.runtime.getDeviceCount()):
        name = f"cuda:{index}"
        try:
            with cupy.cuda.Device(index):
                raw = cupy.cuda.runtime.getDeviceProperties(index)["name"]
                title = raw.decode() if isinstance(raw, bytes) else str(raw)
                ones = cupy.ones((8, 8), dtype=cupy.float32)
                if float((ones @ ones + ones).sum()) != 8 * 8 * 9:
                    raise RuntimeError("it calculates wrongly")
                library = "CuPy" if cudnn.convolver(cupy, index) is None else "CuPy and cuDNN"
            found.append(DeviceStatus(name, f"GPU {index}: {title}", True, library=library))
        except Exception as error:  # each library of CUDA raises its own kind
            found.append(DeviceStatus(name, f"GPU {index}", False, _why_broken(error)))
    return found


def _why_broken(error: Exception) -> str:
    """Why a GPU that is there cannot be used: in our words for what is common, else in those of the library."""
    text = (str(error).strip() or type(error).__name__).split("\n")[0].rstrip(".")
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "ALLOC_FAILED" in text:
        return "The memory of the GPU is full. Close other programs that use it, then start this one again."
    if "no kernel image" in text.lower() or "NoBinaryForGpu" in text:
        return "This GPU is too old for the CUDA that is installed. Install the extra gpu-cuda12, or use the CPU."
    if type(error).__name__ == "DynamicLibNotFoundError" or isinstance(error, ImportError):
        return f"A library of CUDA is missing: {text}. Install it with {EXTRAS}."
    return f"The GPU is there but cannot be used: {text}. Update its driver, or use the CPU."


def _why_unavailable(cupy: Any) -> str:
    driver = cupy.cuda.runtime.driverGetVersion()
    wanted = cupy.cuda.runtime.runtimeGetVersion()
    if driver == 0:
        return "No NVIDIA driver was found. Install one from nvidia.com, or use the CPU."
    if driver < wanted // 1000 * 1000:
        have, want = (f"{v // 1000}.{v % 1000 // 10}" for v in (driver, wanted))
        return f"The NVIDIA driver is too old: it offers CUDA {have}, CuPy needs {want}. Update the driver."
    return "No NVIDIA GPU was found."


if __name__ == "__main__":
    print(json.dumps([asdict(status) for status in _probe()]))
