"""Training steps and answers on the CPU, ours against PyTorch's best mode, in alternating blocks.

    python benchmarks/cpu.py [--torch PYTHON] [--threads N] [--rounds N] [--seconds S] [--cases a,b] [--markdown]
        [--accelerator] [--compile]

PyTorch runs in the interpreter given by --torch or the environment variable NNDESIGNER_TORCH, or in this one when it
can import torch; without it our figures are printed alone. Each side is a process of its own; the order turns round in
every round; a ratio is the median of the ratios of neighbouring blocks. Machines are noisy: compare ratios, not rates.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PINNING = ("OPENBLAS_", "MKL_", "ONEDNN_", "DNNL_", "NPY_DISABLE")


def dense(units: int, activation: str = "none") -> tuple:
    return "dense", {"units": units, "activation": activation}


def conv(filters: int, kernel: int, activation: str = "none", padding: str = "same") -> tuple:
    return "conv", {"filters": filters, "kernel": [kernel, kernel], "activation": activation, "padding": padding}


POOL, NORM, RELU, FLATTEN = ("pool", {}), ("norm", {}), ("relu", {}), ("flatten", {})


def case(name: str, batch: int, shape: list[int], layers: list, classes: int = 10, goal: float = 1.0) -> dict:
    return {"name": name, "batch": batch, "shape": shape, "layers": layers, "classes": classes, "goal": goal}


TINY = [dense(8, "tanh"), dense(8, "tanh"), dense(1)]
MLP = [dense(256, "relu"), dense(128, "relu"), dense(10)]
LENET = [conv(32, 3, "relu"), POOL, conv(64, 3, "relu"), POOL, FLATTEN, dense(128, "relu"), dense(10)]
CIFAR = [conv(64, 3), NORM, RELU, conv(64, 3), NORM, RELU, POOL, conv(128, 3), NORM, RELU, conv(128, 3), NORM, RELU,
         POOL, FLATTEN, dense(10)]
TRANSFORMER = [("save", {}), ("attention", {"heads": 4}), ("add", {}), ("layernorm", {}), ("save", {}),
               dense(512, "gelu"), dense(128), ("add", {}), ("layernorm", {}), ("mean", {}), dense(10)]
CASES = [
    case("tiny 2-8-8-1, batch 10", 10, [2], TINY, classes=0, goal=20),
    case("tiny 2-8-8-1, batch 32", 32, [2], TINY, classes=0, goal=20),
    case("MLP 784-256-128-10, batch 64", 64, [784], MLP, goal=1.2),
    case("MLP 784-256-128-10, batch 512", 512, [784], MLP),
    case("wide MLP 784-2048-2048-10, batch 256", 256, [784], [dense(2048, "relu"), dense(2048, "relu"), dense(10)],
         goal=0.9),
    case("LeNet-like CNN 28x28, batch 64", 64, [28, 28, 1], LENET, goal=1.15),
    case("CIFAR-size CNN with batch norm, batch 64", 64, [32, 32, 3], CIFAR, goal=1.25),
    case("LSTM 64, sequence 50, batch 64", 64, [50, 64], [("lstm", {"units": 64}), dense(10)]),
    case("transformer block d 128, 4 heads, sequence 64, batch 32", 32, [64, 128], TRANSFORMER, goal=0.95),
]


class Side:
    """A worker process that is told what to run."""

    def __init__(self, command: list[str], threads: int) -> None:
        # without what may pin the libraries to kernels of an older processor than this one
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PINNING)}
        environment |= {"PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": str(threads)}
        environment["OPENBLAS_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = str(threads)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        if threads > 1 and hasattr(os, "sched_setaffinity"):  # our side takes as many threads as it finds cores
            os.sched_setaffinity(self._process.pid, sorted(os.sched_getaffinity(0))[:threads])

    def run(self, order: dict) -> dict:
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("A worker process ended; its message is above.")
        return json.loads(line)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def torch_python(chosen: str | None) -> str | None:
    if chosen:
        return chosen
    return sys.executable if importlib.util.find_spec("torch") else None


def compare(one: dict, what: str, arguments: argparse.Namespace, python: str | None) -> dict:
    """Medians and ratios of one case."""
    ours = Side([sys.executable, str(HERE / "_ours.py")], arguments.threads)
    modes = [] if python is None else [
        "eager", "fused", *["last"] * (len(one["shape"]) == 3), *["compiled"] * arguments.compile]
    theirs = Side([python, str(HERE / "_torch.py"), str(arguments.threads)], arguments.threads) if python else None
    order = {"case": one, "seconds": arguments.seconds, "what": what, "accelerator": arguments.accelerator}
    if arguments.threads == 1:
        order["threads"] = 1
    blocks: dict[str, list[dict]] = {"ours": [], **{mode: [] for mode in modes}}
    for number in range(arguments.rounds + 1):
        names = list(blocks) if number % 2 else list(reversed(blocks))
        for name in names:
            found = ours.run(order) if name == "ours" else theirs.run({**order, "mode": name})
            if number:  # the first round warms up
                blocks[name].append(found)
    ours.close()
    if theirs is not None:
        theirs.close()

    def ratios(mode: str, key: str = "rate") -> list[float]:
        return [a[key] / b[key] for a, b in zip(blocks["ours"], blocks[mode])]

    result = {"name": one["name"], "what": what, "goal": one["goal"], "batch": one["batch"],
              "ours": statistics.median(b["rate"] for b in blocks["ours"]), "memory": blocks["ours"][-1]["memory"]}
    if modes:
        best = min(modes, key=lambda mode: statistics.median(ratios(mode)))
        spread = sorted(ratios(best))
        result |= {
            "torch": statistics.median(b["rate"] for b in blocks[best]), "mode": best,
            "ratio": statistics.median(spread), "low": spread[0], "high": spread[-1],
            "default": statistics.median(ratios("eager")), "torch memory": blocks[best][-1]["memory"],
            "quickest": max(b["best"] for b in blocks["ours"]) / max(b["best"] for b in blocks[best]),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--torch", default=os.environ.get("NNDESIGNER_TORCH"), help="interpreter that can import torch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a block")
    parser.add_argument("--cases", default="", help="parts of names, separated by commas")
    parser.add_argument("--what", default="train,answer")
    parser.add_argument("--accelerator", action="store_true", help="ours with compiled kernels (extra fast)")
    parser.add_argument("--compile", action="store_true", help="PyTorch also with torch.compile, which takes long")
    parser.add_argument("--markdown", action="store_true", help="print a table for RESULTS.md")
    arguments = parser.parse_args()
    python = torch_python(arguments.torch)
    if python is None:
        print("PyTorch was not found (see --torch): only our own figures follow.")
    if arguments.markdown:
        print("| case | | ours, samples/s | PyTorch best | mode | ours / best (low to high) | ours / eager | "
              "quickest step | MiB, ours / theirs | goal |\n|---|---|---|---|---|---|---|---|---|---|")
    for one in CASES:
        if arguments.cases and not any(part in one["name"] for part in arguments.cases.split(",")):
            continue
        for what in arguments.what.split(","):
            r = compare(one, what, arguments, python)
            if "ratio" not in r:
                print(f"{r['name']:45} {what:6} {r['ours']:12,.0f} samples/s", flush=True)
            elif arguments.markdown:
                print(f"| {r['name']} | {what} | {r['ours']:,.0f} | {r['torch']:,.0f} | {r['mode']} | "
                      f"**{r['ratio']:.2f}** ({r['low']:.2f} to {r['high']:.2f}) | {r['default']:.2f} | "
                      f"{r['quickest']:.2f} | {r['memory']:.0f} / {r['torch memory']:.0f} | "
                      f"{r['goal'] if what == 'train' else ''} |", flush=True)
            else:
                print(f"{r['name']:45} {what:6} {r['ours']:12,.0f} / {r['torch']:12,.0f} samples/s ({r['mode']:5})  "
                      f"ratio {r['ratio']:6.2f} ({r['low']:.2f} to {r['high']:.2f}), to eager {r['default']:6.2f}, "
                      f"quickest {r['quickest']:6.2f}; memory {r['memory']:.0f} / {r['torch memory']:.0f} MiB",
                      flush=True)


if __name__ == "__main__":
    main()
