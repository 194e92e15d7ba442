"""The networks of the measurements are the ones they are called after."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture
def measurements(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    import _ours
    import gpu

    yield _ours, gpu
    for name in ("_ours", "gpu", "cpu"):
        sys.modules.pop(name, None)


def test_resnet_18_has_its_known_number_of_weights(measurements):
    ours, gpu = measurements
    checked = ours.drawing(gpu.GPU_CASES[-1])
    assert sum(checked.parameters.values()) == 11_173_962  # as PyTorch's, with ten classes and a 3 x 3 first layer


def test_without_a_gpu_one_sentence_says_why(measurements, monkeypatch, capsys):
    _, gpu = measurements
    from nndesigner.engine.device import CPU_STATUS, DeviceStatus

    monkeypatch.setattr(gpu, "available", lambda: (CPU_STATUS, DeviceStatus("cuda:0", "GPU", False, "No driver.")))
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    gpu.main()
    assert capsys.readouterr().out == "Nothing was measured: No driver.\n"
