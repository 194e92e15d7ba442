"""PyTorch's side of the comparison, run by another interpreter; the same protocol as _ours.py. Needs only torch.

Modes: "eager" (as people write it: Adam, NCHW), "fused" (Adam in one call), "last" (channels-last and fused Adam),
"compiled" (torch.compile over "last").
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

import torch
from torch import nn


class Last(nn.Module):
    """The last output of an LSTM."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, units, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lstm(x)[0][:, -1]


class Attention(nn.Module):
    """Self-attention through PyTorch's fused function: quicker here than nn.MultiheadAttention."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads, self.project, self.out = heads, nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, t, c = x.shape
        q, k, v = self.project(x).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(b, t, c))


class Mean(nn.Module):
    """Mean over time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1)


class Project(nn.Sequential):
    """What a residual block does to the values that pass it by."""


class Net(nn.Module):
    """Layers in a row; "save" remembers the values that the next "add" adds, a Project changes them before."""

    def __init__(self, layers: list) -> None:
        super().__init__()
        self.layers = layers
        self.modules_ = nn.ModuleList(layer for layer in layers if not isinstance(layer, str))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        saved = x
        for layer in self.layers:
            if layer == "save":
                saved = x
            elif layer == "add":
                x = x + saved
            elif isinstance(layer, Project):
                saved = layer(saved)
            else:
                x = layer(x)
        return x


def convolution(channels: int, params: dict) -> nn.Conv2d:
    """The windows have the margin given, or just so much that the size stays."""
    kernel = params["kernel"][0]
    padding = {"same": kernel // 2, "valid": 0, "explicit": params.get("margin", [0])[0]}[params["padding"]]
    return nn.Conv2d(channels, params["filters"], kernel, params.get("strides", [1])[0], padding,
                     bias=params.get("bias", True))


def build(case: dict, mode: str, device: str = "cpu") -> tuple:
    """(function for a training step, function for an answer)."""
    layers: list = []
    shape = tuple(case["shape"])
    channels, size = shape[-1], shape[:-1]
    saved = channels
    for name, params in case["layers"]:
        if name == "dense":
            layers.append(nn.Linear(channels, params["units"]))
            channels = params["units"]
        elif name == "conv":
            layers.append(convolution(channels, params))
            (pad, _), (step, _), kernel = layers[-1].padding, layers[-1].stride, params["kernel"][0]
            channels = params["filters"]
            size = tuple((s + 2 * pad - kernel) // step + 1 for s in size)
        elif name == "project":
            layers.append(Project(convolution(saved, params), nn.BatchNorm2d(params["filters"])))
        elif name == "gap":
            layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        elif name == "pool":
            layers.append(nn.MaxPool2d(2))
            size = tuple(s // 2 for s in size)
        elif name == "norm":
            layers.append(nn.BatchNorm2d(channels))
        elif name == "relu":
            layers.append(nn.ReLU())
        elif name in ("save", "add"):
            layers.append(name)
            saved = channels
        elif name == "lstm":
            layers.append(Last(channels, params["units"]))
            channels = params["units"]
        elif name == "attention":
            layers.append(Attention(channels, params["heads"]))
        elif name == "layernorm":
            layers.append(nn.LayerNorm(channels))
        elif name == "mean":
            layers.append(Mean())
        elif name == "flatten":
            layers.append(nn.Flatten())
            channels *= size[0] * size[1]
        activation = params.get("activation", "none")
        if activation != "none":
            layers.append({"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}[activation]())
    net = Net(layers) if "save" in layers else nn.Sequential(*layers)
    net = net.to(device)
    x = torch.randn(case["batch"], *((shape[-1], *shape[:-1]) if len(shape) == 3 else shape), device=device)
    if mode in ("last", "compiled") and len(shape) == 3:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if case["classes"]:
        target, loss = torch.randint(case["classes"], (case["batch"],), device=device), nn.CrossEntropyLoss()
    else:
        target, loss = torch.randn(case["batch"], 1, device=device), nn.MSELoss()
    run = torch.compile(net) if mode == "compiled" else net
    optimizer = torch.optim.Adam(net.parameters(), fused=mode != "eager")

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        value = loss(run(x), target)
        value.backward()
        optimizer.step()
        if device == "cpu":  # on a GPU nobody asks for the loss of each step; ours does not either
            value.item()

    def answer() -> None:
        with torch.inference_mode():
            run(x)

    return net, step, answer


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]))
    tf32 = os.environ.get("CUPY_TF32", "0") == "1"  # the same rounding on both sides
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    made: dict[tuple[str, str], tuple] = {}
    for line in sys.stdin:
        order = json.loads(line)
        case, mode = order["case"], order["mode"]
        if not any(name == case["name"] for name, _ in made):
            made.clear()
        if (case["name"], mode) not in made:
            made[case["name"], mode] = build(case, mode, order.get("device", "cpu"))
            for _ in range(5):
                made[case["name"], mode][1]()
        net, step, answer = made[case["name"], mode]
        net.train(order["what"] == "train")
        if order["what"] == "answer":
            step = answer
        clock = time.perf_counter
        steps, best, began = 0, float("inf"), clock()
        last = began
        while last - began < order["seconds"]:
            step()
            now = clock()
            best = min(best, now - last)
            last = now
            steps += 1
        if "device" in order:
            torch.cuda.synchronize()
            last = clock()
        print(json.dumps({
            "rate": steps * case["batch"] / (last - began), "best": case["batch"] / best, "steps": steps,
            "memory": torch.cuda.max_memory_reserved() / 2**20 if "device" in order
            else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "version": torch.__version__,
        }), flush=True)


if __name__ == "__main__":
    main()
