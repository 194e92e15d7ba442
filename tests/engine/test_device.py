"""Devices: names, transfers, and reasons in words."""

import os
import subprocess
import sys

import numpy as np
import pytest

from nndesigner.engine import device as device_module
from nndesigner.engine.device import Device, DeviceError, available
from tests import fake_cudnn, fake_cupy


def test_the_processor_is_numpy_itself():
    cpu = Device("cpu")
    array = np.arange(3)
    assert cpu.xp is np and cpu.asarray(array) is array and cpu.host(array) is array
    assert cpu.title == "CPU" and cpu == Device()
    with cpu.use():
        pass


def test_gather_takes_rows_without_allocating():
    source = np.arange(12.0).reshape(4, 3)
    out = np.zeros((2, 3))
    Device("cpu").gather(source, np.array([3, 1]), out)
    np.testing.assert_array_equal(out, source[[3, 1]])


@pytest.mark.parametrize("name", ["gpu", "cuda", "cuda:x", ""])
def test_an_unknown_device_is_a_sentence(name):
    with pytest.raises(DeviceError, match="choose cpu, or cuda:0"):
        Device(name)


def test_missing_cupy_is_said_with_the_way_to_get_it(monkeypatch):
    available.cache_clear()
    monkeypatch.setattr(device_module.importlib.util, "find_spec", lambda name: None)
    try:
        cpu, gpu = available()
    finally:
        available.cache_clear()
    assert cpu.usable and cpu.name == "cpu"
    assert not gpu.usable and "not installed" in gpu.reason and "gpu-cuda12" in gpu.reason


def test_cupy_missing_when_used(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(device_module.importlib, "import_module", missing)
    with pytest.raises(DeviceError, match="CuPy is not installed"):
        _ = Device("cuda:0").xp


@pytest.mark.parametrize(("script", "words"), [
    ("import os; os._exit(9)", "ended the test process (code 9)"),
    ("raise SystemError('bad driver')", "bad driver"),
    ("import time; time.sleep(60)", "did not answer"),
])
def test_a_probe_that_dies_or_hangs_harms_nobody(monkeypatch, script, words):
    real_run = subprocess.run
    monkeypatch.setattr(device_module, "PROBE_SECONDS", 1)
    monkeypatch.setattr(device_module.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(
        device_module.subprocess, "run", lambda args, **options: real_run([sys.executable, "-c", script], **options))
    available.cache_clear()
    try:
        statuses = available()
    finally:
        available.cache_clear()
    assert statuses[0].usable
    assert words in statuses[1].reason and not statuses[1].usable


def test_the_probe_of_this_machine_answers():
    """Whatever is installed here, the real child process gives statuses with a reason for each unusable one."""
    available.cache_clear()
    for status in available():
        assert status.usable or status.reason.endswith((".", "!", ")"))


class _Runtime:
    def __init__(self, driver: int) -> None:
        self.driver = driver

    def driverGetVersion(self) -> int:
        return self.driver

    def runtimeGetVersion(self) -> int:
        return 13010


@pytest.mark.parametrize(("driver", "words"), [(0, "No NVIDIA driver"), (12080, "too old: it offers CUDA 12.8"),
                                               (13020, "No NVIDIA GPU")])
def test_reasons_for_no_gpu(driver, words):
    cupy = type("cupy", (), {"cuda": type("cuda", (), {"runtime": _Runtime(driver)})})
    assert words in device_module._why_unavailable(cupy)


@pytest.mark.parametrize(("error", "words"), [
    (MemoryError("Out of memory allocating 512 bytes"), "memory of the GPU is full. Close other programs"),
    (RuntimeError("cudaErrorMemoryAllocation: out of memory"), "memory of the GPU is full"),
    (RuntimeError("cudaErrorNoKernelImageForDevice: no kernel image is available"), "too old for the CUDA"),
    (ImportError("libnvrtc.so.12: cannot open shared object file"), "library of CUDA is missing: libnvrtc"),
    (RuntimeError("it calculates wrongly"), "cannot be used: it calculates wrongly. Update its driver"),
    (RuntimeError("first line.\nsecond line"), "cannot be used: first line. Update"),
])
def test_a_gpu_that_fails_when_it_is_tried_says_why_in_one_sentence(error, words, monkeypatch):
    device = fake_cupy.install(monkeypatch)
    cuda = device.xp.cuda
    cuda.is_available = lambda: True
    cuda.runtime.getDeviceCount = lambda: 1
    cuda.runtime.getDeviceProperties = lambda index: {"name": b"Stand-in"}
    (status,) = device_module._probe()
    assert status.usable and status.title == "GPU 0: Stand-in" and status.library == "CuPy"
    device.xp.modules["cudnn"] = fake_cudnn.make()
    device_module.cudnn._made.known.clear()
    assert device_module._probe()[0].library == "CuPy and cuDNN"

    def fails(*_: object, **__: object) -> None:
        raise error

    device.xp.ones = fails
    (status,) = device_module._probe()
    assert not status.usable and words in status.reason
    assert "\n" not in status.reason and status.reason.endswith((".", ")"))


def test_importing_the_engine_does_not_import_cupy():
    code = "import sys, nndesigner.engine.network, nndesigner.training.session; sys.exit('cupy' in sys.modules)"
    root = str(device_module.Path(device_module.__file__).parents[2])
    child = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root}, check=False)
    assert child.returncode == 0
