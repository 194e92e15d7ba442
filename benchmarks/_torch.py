"""PyTorch's side of the comparison, run by another interpreter; the same protocol as _ours.py. Needs only torch.

Modes: "eager" (as people write it: Adam, NCHW), "fused" (Adam in one call), "last" (channels-last and fused Adam).
"""

from __future__ import annotations

import json
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


class Net(nn.Module):
    """Layers in a row; "save" remembers the values that the next "add" adds."""

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
            else:
                x = layer(x)
        return x


def build(case: dict, mode: str) -> tuple:
    """(function for a training step, function for an answer)."""
    layers: list = []
    shape = tuple(case["shape"])
    channels, size = shape[-1], shape[:-1]
    for name, params in case["layers"]:
        if name == "dense":
            layers.append(nn.Linear(channels, params["units"]))
            channels = params["units"]
        elif name == "conv":
            padding = "same" if params.get("padding", "same") == "same" else 0
            kernel = params["kernel"][0]
            layers.append(nn.Conv2d(channels, params["filters"], kernel, padding=padding))
            channels = params["filters"]
            size = size if padding == "same" else tuple(s - kernel + 1 for s in size)
        elif name == "pool":
            layers.append(nn.MaxPool2d(2))
            size = tuple(s // 2 for s in size)
        elif name == "norm":
            layers.append(nn.BatchNorm2d(channels))
        elif name == "relu":
            layers.append(nn.ReLU())
        elif name in ("save", "add"):
            layers.append(name)
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
    x = torch.randn(case["batch"], *((shape[-1], *shape[:-1]) if len(shape) == 3 else shape))
    if mode == "last" and len(shape) == 3:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if case["classes"]:
        target, loss = torch.randint(case["classes"], (case["batch"],)), nn.CrossEntropyLoss()
    else:
        target, loss = torch.randn(case["batch"], 1), nn.MSELoss()
    optimizer = torch.optim.Adam(net.parameters(), fused=mode != "eager")

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        value = loss(net(x), target)
        value.backward()
        optimizer.step()
        value.item()

    def answer() -> None:
        with torch.inference_mode():
            net(x)

    return net, step, answer


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]))
    made: dict[tuple[str, str], tuple] = {}
    for line in sys.stdin:
        order = json.loads(line)
        case, mode = order["case"], order["mode"]
        if not any(name == case["name"] for name, _ in made):
            made.clear()
        if (case["name"], mode) not in made:
            made[case["name"], mode] = build(case, mode)
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
        print(json.dumps({
            "rate": steps * case["batch"] / (last - began), "best": case["batch"] / best, "steps": steps,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "version": torch.__version__,
        }), flush=True)


if __name__ == "__main__":
    main()
