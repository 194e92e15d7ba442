"""Training steps and answers on a GPU, ours against PyTorch CUDA, eager and compiled, in alternating blocks.

    python benchmarks/gpu.py [--torch PYTHON] [--device cuda:0] [--tf32] [--rounds N] [--seconds S] [--cases a,b]

The networks of cpu.py and a ResNet-18 for pictures of 32 x 32. PyTorch runs in the interpreter given by --torch or the
environment variable NNDESIGNER_TORCH, or in this one; without it, or when its build knows no CUDA, our figures are
printed alone. TF32 is off on both sides, or on with --tf32. Without a GPU it says why and ends with exit code 0: that
is no failure of the program.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

from cpu import CASES, HERE, NORM, RELU, Side, case, conv, dense, torch_python

from nndesigner.engine.device import available


def resnet18() -> list:
    """ResNet-18 (He et al. 2015) as it is used for small pictures: a 3 x 3 convolution first, and no pooling."""

    def plain(filters: int, kernel: int, strides: int = 1) -> tuple:
        name, params = conv(filters, kernel, padding="explicit")
        return name, {**params, "strides": [strides, strides], "margin": [kernel // 2, kernel // 2], "bias": False}

    layers = [plain(64, 3), NORM, RELU]
    for filters, strides in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        layers += [("save", {}), plain(filters, 3, strides), NORM, RELU, plain(filters, 3), NORM]
        if strides > 1:
            layers.append(("project", plain(filters, 1, strides)[1]))
        layers += [("add", {}), RELU]
    return [*layers, ("gap", {}), dense(10)]


GPU_CASES = [*CASES, case("ResNet-18 on 32x32, batch 128", 128, [32, 32, 3], resnet18())]
MODES = ("eager", "compiled")

_VERSIONS = """
import sys
from nndesigner.engine.device import Device
device = Device(sys.argv[1])
with device.use():
    runtime, found = device.xp.cuda.runtime, device.convolver()
    name = runtime.getDeviceProperties(device.index)["name"].decode()
    cudnn = found.library.backend_version() if found else "not installed: convolutions by matrix products"
    print(f"{name}; CuPy {device.xp.__version__}; driver for CUDA {runtime.driverGetVersion()}, "
          f"runtime {runtime.runtimeGetVersion()}; cuDNN {cudnn}")
"""
_HAS_CUDA = "import sys, torch; print(torch.__version__); sys.exit(not torch.cuda.is_available())"


def compare(one: dict, what: str, arguments: argparse.Namespace, python: str | None) -> dict:
    """Medians of the rates of one case, the most memory, and the ratios to each mode of PyTorch."""
    sides = {"ours": Side([sys.executable, str(HERE / "_ours.py")], 1)}
    if python:  # each mode in a process of its own, so that the memory is its own
        sides |= {mode: Side([python, str(HERE / "_torch.py"), "1"], 1) for mode in MODES}
    blocks: dict[str, list[dict]] = {name: [] for name in sides}
    for number in range(arguments.rounds + 1):
        for name in list(sides) if number % 2 else list(reversed(sides)):
            order = {"case": one, "seconds": arguments.seconds, "what": what, "mode": name, "device": arguments.device}
            found = sides[name].run(order)
            if number:  # the first round warms up
                blocks[name].append(found)
    for side in sides.values():
        side.close()
    return {name: {
        "rate": statistics.median(b["rate"] for b in found), "memory": found[-1]["memory"],
        "ratio": statistics.median(a["rate"] / b["rate"] for a, b in zip(blocks["ours"], found)),
    } for name, found in blocks.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--torch", default=os.environ.get("NNDESIGNER_TORCH"), help="interpreter that can import torch")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--tf32", action="store_true", help="let both sides round to TF32 in products")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a block")
    parser.add_argument("--cases", default="", help="parts of names, separated by commas")
    parser.add_argument("--what", default="train,answer")
    arguments = parser.parse_args()
    status = next((s for s in available() if s.name == arguments.device), None) or available()[-1]
    if status.name == "cpu" or not status.usable:
        print(f"Nothing was measured: {status.reason or 'there is no GPU of this name.'}")
        return
    os.environ["CUPY_TF32"] = "1" if arguments.tf32 else "0"
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    subprocess.run([sys.executable, "-c", _VERSIONS, arguments.device], env=environment, check=True)
    python = torch_python(arguments.torch)
    if python:
        tried = subprocess.run([python, "-c", _HAS_CUDA], capture_output=True, text=True, check=False)
        print(f"PyTorch {tried.stdout.strip()}, TF32 {'on' if arguments.tf32 else 'off'} on both sides")
        if tried.returncode:
            print("This PyTorch cannot use CUDA.")
            python = None
    if not python:
        print("Only our own figures follow.")
    print("| case | | ours, samples/s | eager | compiled | ours / eager | ours / compiled | MiB of all three |")
    print("|---|---|---|---|---|---|---|---|")
    for one in GPU_CASES:
        if arguments.cases and not any(part in one["name"] for part in arguments.cases.split(",")):
            continue
        for what in arguments.what.split(","):
            found = compare(one, what, arguments, python)
            names = [name for name in ("ours", *MODES) if name in found]
            missing = [""] * (3 - len(names))
            rates = [f"{found[name]['rate']:,.0f}" for name in names] + missing
            ratios = [f"**{found[name]['ratio']:.2f}**" for name in names[1:]] + missing
            memory = " / ".join(f"{found[name]['memory']:,.0f}" for name in names)
            print("| " + " | ".join([one["name"], what, *rates, *ratios, memory]) + " |", flush=True)


if __name__ == "__main__":
    main()
