"""Write PyTorch's values to tests/goldens, for the tests to compare ours with.

Run it with a Python that has PyTorch 2.13 and NumPy; nndesigner itself need not be installed there:

    python scripts/make_goldens.py

Everything is computed in double precision from inputs that single precision holds exactly, and stored in single
precision. Layers and weights are in our layout (channels last, weights of a Dense layer [in, out]); the functions
below bring them into PyTorch's, so autograd returns gradients in ours. One file for each kind holds its cases:
"0/declared" is the declaration as JSON, "0/x0" an input, "0/weight/W" a weight, "0/y" and "0/dy" output and its
gradient, "0/dx0" and "0/grad/W" gradients, "0/buffer/mean" and "0/after/mean" running statistics before and after a
training step, "0/y_inference" the output in use, "0/extra/..." random numbers that the layer is to draw, "0/mask0"
which steps of input 0 are real.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

GOLDENS = Path(__file__).resolve().parent.parent / "tests" / "goldens"

#: real steps of the samples of padded cases
LENGTHS = [6, 2, 4]

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
files: dict[str, dict[str, np.ndarray]] = {}


def numbers(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> np.ndarray:
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def leaf(array: np.ndarray) -> Tensor:
    if array.dtype.kind != "f":
        return torch.tensor(array)
    return torch.tensor(array.astype(np.float64)).requires_grad_()


def put(file: str, name: str, values: Any) -> None:
    array = values.detach().numpy() if isinstance(values, Tensor) else np.asarray(values)
    files.setdefault(file, {})[name] = array.astype(np.float32) if array.dtype.kind == "f" else array


def next_case(file: str) -> int:
    return sum(name.endswith("/declared") for name in files.get(file, {}))


def generator(*words: Any) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


def layer(
    kind: str, params: dict[str, Any], inputs: list[tuple[int, ...] | np.ndarray], weights: dict[str, tuple[int, ...]],
    forward: Callable[..., Tensor], buffers: dict[str, np.ndarray] | None = None, scale: float = 1.0,
    extra: dict[str, np.ndarray] | None = None, masks: dict[int, np.ndarray] | None = None,
    loss: Callable[..., Tensor] | None = None,
) -> None:
    """One case: forward(*inputs, training=..., **weights, **buffers) in PyTorch, on arrays of our layout.

    Inputs are shapes with the batch, filled at random, or arrays of whole numbers.
    """
    file = f"layers/{kind}"
    for i, value in (masks or {}).items():
        put(file, f"{next_case(file)}/mask{i}", value.astype(np.float32))
    case, rng = next_case(file), generator(kind, params, len(inputs))
    put(file, f"{case}/declared", json.dumps({"kind": kind, **params}))
    x = [leaf(numbers(rng, *shape, scale=scale) if isinstance(shape, tuple) else shape) for shape in inputs]
    w = {name: leaf(numbers(rng, *shape, scale=0.5)) for name, shape in weights.items()}
    state = {name: torch.tensor(value.astype(np.float64)) for name, value in (buffers or {}).items()}
    for i, value in enumerate(x):
        put(file, f"{case}/x{i}", value)
    for group, arrays in (("weight", w), ("buffer", state), ("extra", extra or {})):
        for name, value in arrays.items():
            put(file, f"{case}/{group}/{name}", value)
    if state:
        put(file, f"{case}/y_inference", forward(*x, training=False, **w, **state))
    y = forward(*x, **({"training": True} if state else {}), **w, **state)
    dy = numbers(rng, *y.shape)
    y.backward(leaf(dy))
    if loss is not None:
        added = loss(*x, **w, **state)
        put(file, f"{case}/loss", added)
        added.backward()
    put(file, f"{case}/y", y)
    put(file, f"{case}/dy", dy)
    for i, value in enumerate(x):
        if value.requires_grad:
            put(file, f"{case}/dx{i}", value.grad)
    for name, value in w.items():
        put(file, f"{case}/grad/{name}", value.grad)
    for name, value in state.items():
        put(file, f"{case}/after/{name}", value)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x, "relu": F.relu, "leaky_relu": F.leaky_relu, "elu": F.elu, "gelu": F.gelu, "silu": F.silu,
    "sigmoid": torch.sigmoid, "tanh": torch.tanh,
}


def real_steps(steps: int) -> np.ndarray:
    """Which steps of the padded cases are real, [3, steps]."""
    return np.arange(steps) < np.array(LENGTHS)[:, None]


def first(x: Tensor) -> Tensor:
    """Channels from last to first."""
    return x.movedim(-1, 1)


def last(x: Tensor) -> Tensor:
    return x.movedim(1, -1)


def same(x: Tensor, kernel: list[int], strides: list[int], dilation: list[int], value: float = 0.0) -> Tensor:
    """Channels-first x with TensorFlow's "same" padding."""
    widths: list[int] = []
    for n, k, s, d in reversed(list(zip(x.shape[2:], kernel, strides, dilation))):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        widths += [total // 2, total - total // 2]
    return F.pad(x, widths, value=value)


def dense() -> None:
    for name, function in ACTIVATIONS.items():
        layer("dense.v1", {"units": 5, "activation": name}, [(6, 4)], {"W": (4, 5), "b": (5,)},
              lambda x, W, b, function=function: function(F.linear(x, W.T, b)), scale=2.0)
    layer("dense.v1", {"units": 3, "bias": False}, [(2, 5, 4)], {"W": (4, 3)}, lambda x, W: F.linear(x, W.T))


def convolution() -> None:
    def conv2d(params: dict[str, Any], size: tuple[int, int, int, int]) -> None:
        kernel, strides = params.get("kernel", [3, 3]), params.get("strides", [1, 1])
        dilation, groups = params.get("dilation", [1, 1]), params.get("groups", 1)
        function = ACTIVATIONS[params.get("activation", "none")]
        padding = params.get("padding", "same")

        def forward(x: Tensor, W: Tensor, b: Tensor | None = None) -> Tensor:
            x = first(x)
            if padding == "same":
                x = same(x, kernel, strides, dilation)
            margin = params["margin"] if padding == "explicit" else 0
            return function(last(F.conv2d(x, W.permute(3, 2, 0, 1), b, strides, margin, dilation, groups)))

        weights = {"W": (*kernel, size[3] // groups, params["filters"])}
        if params.get("bias", True):
            weights["b"] = (params["filters"],)
        layer("conv2d.v1", params, [size], weights, forward)

    conv2d({"filters": 4}, (2, 5, 6, 3))
    conv2d({"filters": 3, "activation": "relu", "padding": "valid"}, (2, 6, 5, 6))
    conv2d({"filters": 3, "kernel": [1, 1], "bias": False}, (2, 4, 3, 5))
    conv2d({"filters": 3, "strides": [2, 2], "activation": "silu"}, (2, 6, 7, 5))
    conv2d({"filters": 4, "kernel": [2, 3], "dilation": [2, 1], "groups": 2}, (2, 6, 7, 6))
    conv2d({"filters": 2, "padding": "explicit", "margin": [2, 1], "strides": [2, 1]}, (2, 5, 6, 5))
    conv2d({"filters": 8}, (3, 10, 10, 40))  # several blocks
    conv2d({"filters": 32, "activation": "relu"}, (1, 12, 12, 32))  # large enough for Winograd


    layer("conv1d.v1", {"filters": 4, "activation": "relu"}, [(2, 7, 5)], {"W": (3, 5, 4), "b": (4,)},
          lambda x, W, b: F.relu(last(F.conv1d(first(x), W.permute(2, 1, 0), b, padding=1))))
    layer("conv1d.v1", {"filters": 4, "kernel": 4, "strides": 2, "padding": "valid", "groups": 2}, [(2, 9, 6)],
          {"W": (4, 3, 4), "b": (4,)}, lambda x, W, b: last(F.conv1d(first(x), W.permute(2, 1, 0), b, 2, groups=2)))
    layer("conv3d.v1", {"filters": 3}, [(2, 3, 4, 5, 2)], {"W": (3, 3, 3, 2, 3), "b": (3,)},
          lambda x, W, b: last(F.conv3d(first(x), W.permute(4, 3, 0, 1, 2), b, padding=1)))

    def transposed(params: dict[str, Any], size: tuple[int, ...]) -> None:
        kernel, strides = params.get("kernel", [3, 3]), params.get("strides", [2, 2])

        def forward(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
            y = F.conv_transpose2d(first(x), W.permute(3, 2, 0, 1), b, strides)
            if params.get("padding") != "valid":
                spare = [max(k - s, 0) for k, s in zip(kernel, strides)]
                begin = [n // 2 for n in spare]
                y = y[:, :, begin[0]:begin[0] + size[1] * strides[0], begin[1]:begin[1] + size[2] * strides[1]]
            return last(y)

        filters = params["filters"]
        layer("convtranspose2d.v1", params, [size], {"W": (*kernel, filters, size[3]), "b": (filters,)},
              forward)

    transposed({"filters": 3}, (2, 4, 3, 5))
    transposed({"filters": 3, "padding": "valid"}, (2, 4, 3, 5))
    transposed({"filters": 4, "kernel": [4, 3], "strides": [2, 1]}, (2, 3, 4, 5))

    def depthwise(x: Tensor, W: Tensor, b: Tensor | None, strides: list[int]) -> Tensor:
        kernel, channels = list(W.shape[:2]), W.shape[2]
        weight = W.permute(2, 3, 0, 1).reshape(-1, 1, *kernel)
        return last(F.conv2d(same(first(x), kernel, strides, [1, 1]), weight, b, strides, groups=channels))

    layer("depthwiseconv2d.v1", {"activation": "relu"}, [(2, 5, 6, 4)], {"W": (3, 3, 4, 1), "b": (4,)},
          lambda x, W, b: F.relu(depthwise(x, W, b, [1, 1])))
    layer("depthwiseconv2d.v1", {"multiplier": 2, "kernel": [2, 3], "strides": [2, 1]}, [(2, 5, 6, 3)],
          {"W": (2, 3, 3, 2), "b": (6,)}, lambda x, W, b: depthwise(x, W, b, [2, 1]))
    layer("depthwiseconv2d.v1", {"padding": "explicit", "margin": [2, 1], "dilation": [2, 1]}, [(2, 5, 6, 3)],
          {"W": (3, 3, 3, 1), "b": (3,)},
          lambda x, W, b: last(F.conv2d(first(x), W.permute(2, 3, 0, 1).reshape(-1, 1, 3, 3), b, 1, (2, 1), (2, 1), 3)))
    layer("separableconv2d.v1", {"filters": 5, "multiplier": 2, "activation": "tanh"}, [(2, 5, 6, 3)],
          {"depthwise": (3, 3, 3, 2), "pointwise": (6, 5), "b": (5,)},
          lambda x, pointwise, b, **W: torch.tanh(depthwise(x, W["depthwise"], None, [1, 1]) @ pointwise + b))
    layer("upsampling2d.v1", {"factor": [2, 3]}, [(2, 3, 4, 2)], {},
          lambda x: last(F.interpolate(first(x), scale_factor=(2, 3))))
    layer("upsampling2d.v1", {"factor": [2, 3], "interpolation": "bilinear"}, [(2, 3, 4, 2)], {},
          lambda x: last(F.interpolate(first(x), scale_factor=(2, 3), mode="bilinear")))
    layer("zeropadding2d.v1", {"rows": [1, 2], "columns": [0, 3]}, [(2, 3, 4, 2)], {},
          lambda x: last(F.pad(first(x), (0, 3, 1, 2))))
    layer("cropping2d.v1", {"rows": [1, 2], "columns": [0, 1]}, [(2, 6, 4, 2)], {}, lambda x: x[:, 1:-2, :-1])


def pooling() -> None:
    def pool2d(params: dict[str, Any], size: tuple[int, int, int, int], maximum: bool) -> None:
        kernel = params.get("kernel", [2, 2])
        strides = params.get("strides", kernel)

        def forward(x: Tensor) -> Tensor:
            x = first(x)
            if maximum:
                if params.get("padding") == "same":
                    x = same(x, kernel, strides, [1, 1], -float("inf"))
                return last(F.max_pool2d(x, kernel, strides))
            ones = torch.ones_like(x)
            if params.get("padding") == "same":
                x, ones = same(x, kernel, strides, [1, 1]), same(ones, kernel, strides, [1, 1])
            return last(F.avg_pool2d(x, kernel, strides) / F.avg_pool2d(ones, kernel, strides))

        layer(f"{'max' if maximum else 'avg'}pool2d.v1", params, [size], {}, forward)

    for maximum in (True, False):
        pool2d({}, (2, 6, 4, 3), maximum)
        pool2d({"kernel": [3, 3], "strides": [2, 2]}, (2, 7, 6, 3), maximum)
        pool2d({"kernel": [3, 2], "strides": [2, 2], "padding": "same"}, (2, 6, 5, 3), maximum)
    def pool(kind: str, params: dict[str, Any], size: tuple[int, ...], function: Callable[[Tensor], Tensor]) -> None:
        layer(kind, params, [size], {}, lambda x: last(function(first(x))))

    pool("maxpool1d.v1", {"kernel": 3, "strides": 2}, (2, 8, 3), lambda x: F.max_pool1d(x, 3, 2))
    pool("avgpool1d.v1", {}, (2, 7, 3), lambda x: F.avg_pool1d(x, 2))
    pool("maxpool3d.v1", {"kernel": [2, 2, 3], "strides": [1, 2, 2]}, (2, 4, 4, 5, 2),
         lambda x: F.max_pool3d(x, (2, 2, 3), (1, 2, 2)))
    pool("avgpool3d.v1", {}, (2, 4, 5, 4, 2), lambda x: F.avg_pool3d(x, 2))
    for axes, size in ((1, (3, 7, 4)), (2, (3, 4, 5, 6)), (3, (2, 3, 4, 2, 3))):
        places = tuple(range(1, axes + 1))
        layer(f"globalavgpool{axes}d.v1", {}, [size], {}, lambda x, places=places: x.mean(dim=places))
        layer(f"globalmaxpool{axes}d.v1", {}, [size], {}, lambda x, places=places: x.flatten(1, places[-1]).amax(dim=1))
    padded, real = [(3, 7, 4)], real_steps(7)
    layer("globalavgpool1d.v1", {}, padded, {}, masks={0: real},
          forward=lambda x: torch.stack([row[:n].mean(dim=0) for row, n in zip(x, LENGTHS)]))
    layer("globalmaxpool1d.v1", {}, padded, {}, masks={0: real},
          forward=lambda x: torch.stack([row[:n].amax(dim=0) for row, n in zip(x, LENGTHS)]))
    pool("adaptiveavgpool1d.v1", {"size": 3}, (2, 7, 4), lambda x: F.adaptive_avg_pool1d(x, 3))
    pool("adaptiveavgpool3d.v1", {"size": [2, 3, 2]}, (2, 3, 4, 5, 2), lambda x: F.adaptive_avg_pool3d(x, (2, 3, 2)))
    pool("adaptiveavgpool2d.v1", {"size": [3, 2]}, (2, 7, 5, 3), lambda x: F.adaptive_avg_pool2d(x, (3, 2)))
    pool("adaptiveavgpool2d.v1", {"size": [4, 6]}, (2, 3, 5, 3), lambda x: F.adaptive_avg_pool2d(x, (4, 6)))


def normalisation() -> None:
    def batch_norm(params: dict[str, Any], size: tuple[int, ...]) -> None:
        def forward(x: Tensor, training: bool, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor) -> Tensor:
            return last(F.batch_norm(first(x), mean, var, gamma, beta, training, params.get("momentum", 0.1),
                                     params.get("epsilon", 1e-5)))

        channels, rng = size[-1], generator("batch norm", size)
        buffers = {"mean": numbers(rng, channels), "var": np.abs(numbers(rng, channels)) + np.float32(0.5)}
        layer("batchnorm.v1", params, [size], {"gamma": (channels,), "beta": (channels,)}, forward, buffers, scale=2.0)

    batch_norm({}, (8, 5))
    batch_norm({"momentum": 0.3, "epsilon": 0.01}, (3, 4, 5, 6))
    for size in ((6, 7), (2, 5, 8)):
        layer("layernorm.v1", {}, [size], {"gamma": size[-1:], "beta": size[-1:]},
              lambda x, gamma, beta: F.layer_norm(x, x.shape[-1:], gamma, beta), scale=2.0)


    layer("rmsnorm.v1", {}, [(2, 5, 8)], {"gamma": (8,)}, lambda x, gamma: F.rms_norm(x, (8,), gamma, 1e-6), scale=2.0)
    layer("groupnorm.v1", {"groups": 3}, [(2, 3, 4, 6)], {"gamma": (6,), "beta": (6,)},
          lambda x, gamma, beta: last(F.group_norm(first(x), 3, gamma, beta)), scale=2.0)
    layer("instancenorm.v1", {}, [(2, 3, 4, 5)], {"gamma": (5,), "beta": (5,)},
          lambda x, gamma, beta: last(F.instance_norm(first(x), weight=gamma, bias=beta)), scale=2.0)


def core() -> None:
    layer("permute.v1", {"order": [3, 1, 2]}, [(2, 3, 4, 5)], {}, lambda x: x.permute(0, 3, 1, 2))
    layer("repeatvector.v1", {"times": 3}, [(2, 4)], {}, lambda x: x[:, None].repeat(1, 3, 1))
    tokens = generator("tokens").integers(0, 7, (3, 5))
    layer("embedding.v1", {"vocabulary": 7, "units": 4}, [tokens], {"table": (7, 4)},
          lambda x, table: F.embedding(x, table))
    angle = torch.arange(6)[:, None] * torch.exp(torch.arange(0, 8, 2) * (-math.log(10000.0) / 8))
    sine = torch.stack([torch.sin(angle), torch.cos(angle)], -1).reshape(6, 8)
    layer("positionalencoding.v1", {}, [(2, 6, 8)], {}, lambda x: x + sine)
    layer("positionalencoding.v1", {"form": "learned"}, [(2, 6, 8)], {"positions": (6, 8)},
          lambda x, positions: x + positions)


def activation() -> None:
    cases: list[tuple[str, dict[str, Any], Callable[[Tensor], Tensor]]] = [
        ("relu.v1", {}, F.relu),
        ("leakyrelu.v1", {"slope": 0.2}, lambda x: F.leaky_relu(x, 0.2)),
        ("elu.v1", {}, F.elu),
        ("elu.v1", {"alpha": 0.5}, lambda x: F.elu(x, 0.5)),
        ("gelu.v1", {}, F.gelu),
        ("gelu.v1", {"form": "tanh"}, lambda x: F.gelu(x, approximate="tanh")),
        ("silu.v1", {}, F.silu),
        ("sigmoid.v1", {}, torch.sigmoid),
        ("tanh.v1", {}, torch.tanh),
        ("softmax.v1", {}, lambda x: F.softmax(x, -1)),
        ("relu6.v1", {}, F.relu6),
        ("celu.v1", {"alpha": 0.7}, lambda x: F.celu(x, 0.7)),
        ("selu.v1", {}, F.selu),
        ("mish.v1", {}, F.mish),
        ("hardswish.v1", {}, F.hardswish),
        ("hardsigmoid.v1", {}, F.hardsigmoid),
        ("softplus.v1", {}, F.softplus),
        ("softsign.v1", {}, F.softsign),
        ("logsoftmax.v1", {}, lambda x: F.log_softmax(x, -1)),
    ]
    for kind, params, function in cases:
        layer(kind, params, [(4, 3, 9)], {}, function, scale=3.0)
    layer("prelu.v1", {}, [(4, 3, 5)], {"slope": (5,)}, lambda x, slope: last(F.prelu(first(x), slope)))
    layer("glu.v1", {}, [(4, 3, 6)], {}, F.glu)


def recurrence() -> None:
    def recurrent(kind: str, make: type[torch.nn.RNNBase], gates: int, params: dict[str, Any]) -> None:
        units, features = 4, 3
        ways = [("", "_l0"), ("_back", "_l0_reverse")] if params.get("bidirectional") else [("", "_l0")]
        module = make(features, units, batch_first=True, bidirectional=len(ways) == 2)
        weights: dict[str, tuple[int, ...]] = {}
        for ours, _ in ways:
            width = gates * units
            weights |= {f"W{ours}": (features, width), f"U{ours}": (units, width), f"b{ours}": (width,)}
            if kind == "gru.v1":
                weights[f"c{ours}"] = (units,)

        def weighted(w: dict[str, Tensor]) -> dict[str, Tensor]:
            theirs = {}
            for ours, suffix in ways:
                theirs[f"weight_ih{suffix}"], theirs[f"weight_hh{suffix}"] = w[f"W{ours}"].T, w[f"U{ours}"].T
                theirs[f"bias_ih{suffix}"] = w[f"b{ours}"]
                inner = w.get(f"c{ours}", torch.zeros(units))
                theirs[f"bias_hh{suffix}"] = torch.cat([torch.zeros((gates - 1) * units), inner])
            return theirs

        def forward(x: Tensor, **w: Tensor) -> Tensor:
            y, state = torch.func.functional_call(module, weighted(w), (x,))
            if params.get("output") == "sequence":
                return y
            return torch.cat(list(state[0] if kind == "lstm.v1" else state), -1)

        def padded(x: Tensor, **w: Tensor) -> Tensor:
            packed = pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
            y, state = torch.func.functional_call(module, weighted(w), (packed,))
            if params.get("output") != "sequence":
                return torch.cat(list(state[0] if kind == "lstm.v1" else state), -1)
            y, _ = pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
            # PyTorch has zeros where we carry the state on: at the end, reading from the start
            return torch.stack([
                torch.cat([row[:n], torch.cat([row[n - 1, :units], row[-1, units:] * 0]).expand(len(row) - n, -1)])
                for row, n in zip(y, LENGTHS)])

        layer(kind, {"units": units, **params}, [(3, 6, features)], weights, forward)
        layer(kind, {"units": units, **params}, [(3, 6, features)], weights, padded, masks={0: real_steps(6)})

    nn = torch.nn
    for kind, make, gates in (("simplernn.v1", nn.RNN, 1), ("lstm.v1", nn.LSTM, 4), ("gru.v1", nn.GRU, 3)):
        recurrent(kind, make, gates, {})
        recurrent(kind, make, gates, {"output": "sequence"})
        recurrent(kind, make, gates, {"bidirectional": True})
        recurrent(kind, make, gates, {"bidirectional": True, "output": "sequence"})

    def attention(causal: bool, padding: Tensor | None, x: Tensor, W: Tensor, b: Tensor, O: Tensor, o: Tensor
                  ) -> Tensor:
        mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), 1) if causal else None
        x = x.transpose(0, 1)
        y, _ = F.multi_head_attention_forward(
            x, x, x, x.shape[-1], 2, W.T, b, None, None, False, 0.0, O.T, o, attn_mask=mask, key_padding_mask=padding)
        return y.transpose(0, 1)

    shapes = {"W": (6, 18), "b": (18,), "O": (6, 6), "o": (6,)}
    for causal in (False, True):
        layer("selfattention.v1", {"heads": 2, "causal": causal}, [(2, 5, 6)], shapes,
              partial(attention, causal, None))
        real = real_steps(6)
        layer("selfattention.v1", {"heads": 2, "causal": causal}, [(3, 6, 6)], shapes,
              partial(attention, causal, torch.tensor(~real)), masks={0: real})

    def cross(padding: Tensor | None, x: Tensor, memory: Tensor, Q: Tensor, q: Tensor, W: Tensor, b: Tensor, O: Tensor,
              o: Tensor) -> Tensor:
        x, memory = x.transpose(0, 1), memory.transpose(0, 1)
        y, _ = F.multi_head_attention_forward(
            x, memory, memory, 6, 2, None, torch.cat([q, b]), None, None, False, 0.0, O.T, o,
            use_separate_proj_weight=True, q_proj_weight=Q.T, k_proj_weight=W.T[:6], v_proj_weight=W.T[6:],
            key_padding_mask=padding)
        return y.transpose(0, 1)

    shapes = {"Q": (6, 6), "q": (6,), "W": (5, 12), "b": (12,), "O": (6, 6), "o": (6,)}
    layer("crossattention.v1", {"heads": 2}, [(2, 4, 6), (2, 3, 5)], shapes, partial(cross, None))
    real = real_steps(7)
    layer("crossattention.v1", {"heads": 2}, [(3, 4, 6), (3, 7, 5)], shapes, partial(cross, torch.tensor(~real)),
          masks={1: real})


def merging() -> None:
    layer("add.v1", {}, [(3, 4), (3, 4), (3, 4)], {}, lambda a, b, c: a + b + c)
    layer("concatenate.v1", {}, [(2, 3, 4), (2, 3, 1)], {}, lambda a, b: torch.cat([a, b], -1))
    layer("concatenate.v1", {"axis": "T"}, [(2, 3, 4), (2, 2, 4)], {}, lambda a, b: torch.cat([a, b], 1))
    gate = [(2, 3, 4, 5), (2, 1, 1, 5)]
    layer("subtract.v1", {}, gate, {}, lambda a, b: a - b)
    layer("multiply.v1", {}, gate, {}, lambda a, b: a * b)
    layer("multiply.v1", {}, [(3, 4), (3, 4), (3, 4)], {}, lambda a, b, c: a * b * c)
    layer("average.v1", {}, [(3, 4), (3, 4), (3, 4)], {}, lambda a, b, c: (a + b + c) / 3)
    layer("maximum.v1", {}, gate, {}, torch.maximum)
    layer("minimum.v1", {}, gate, {}, torch.minimum)
    layer("dot.v1", {}, [(2, 3, 4), (2, 3, 4)], {}, lambda a, b: (a * b).sum(-1, keepdim=True))


def formulas() -> None:
    layer("formula.v1", {"formula": "-a * tanh(b) / (2 + abs(b)) - 0.5 * a"}, [(2, 3, 4), (2, 1, 4)], {},
          lambda a, b: -a * torch.tanh(b) / (2 + abs(b)) - 0.5 * a)
    layer("formula.v1", {"formula": "exp(-a ** 2 / 2) + sqrt(a * a + 1) ** 1.5 + log(3 + sin(a) * cos(b))"},
          [(3, 5), (3, 5)], {},
          lambda a, b: torch.exp(-a ** 2 / 2) + torch.sqrt(a * a + 1) ** 1.5
          + torch.log(3 + torch.sin(a) * torch.cos(b)))
    layer("formula.v1", {"formula": "max(a, b, 0.1) ** 2 + min(a * b, 1) + 2 ** a + (1 + b * b) ** a"},
          [(3, 5), (3, 5)], {},
          lambda a, b: torch.maximum(torch.maximum(a, b), torch.tensor(0.1)) ** 2
          + torch.minimum(a * b, torch.tensor(1.0)) + 2 ** a + (1 + b * b) ** a)


def generative() -> None:
    normal = numbers(generator("sampling"), 4, 5)
    noise = torch.tensor(normal.astype(np.float64))
    layer("sampling.v1", {"weight": 0.7}, [(4, 5), (4, 5)], {}, lambda m, v: m + torch.exp(v / 2) * noise,
          extra={"normal": normal},
          loss=lambda m, v: 0.7 * torch.distributions.kl_divergence(
              torch.distributions.Normal(m, torch.exp(v / 2)), torch.distributions.Normal(0.0, 1.0)).sum() / 4)

    def soft(x: Tensor, centres: Tensor, **_: Any) -> Tensor:
        near = 1 / (1 + torch.cdist(x, centres) ** 2)
        return near / near.sum(1, keepdim=True)

    def divergence(x: Tensor, centres: Tensor, **_: Any) -> Tensor:
        q = soft(x, centres)
        p = (q ** 2 / q.sum(0)).detach()
        p = p / p.sum(1, keepdim=True)
        return 0.3 * F.kl_div(q.log(), p, reduction="batchmean")

    layer("clustering.v1", {"clusters": 3, "weight": 0.3}, [(6, 4)], {"centres": (3, 4)}, soft,
          buffers={"active": np.ones(1, np.float32)}, loss=divergence)


def disturbing() -> None:
    draw = generator("dropout").random((4, 9)).astype(np.float32)
    layer("dropout.v1", {"rate": 0.3}, [(4, 9)], {},
          lambda x: x * torch.tensor((draw >= np.float32(0.3)) / (1 - 0.3)), extra={"uniform": draw})
    layer("alphadropout.v1", {"rate": 0.3}, [(4, 9)], {}, lambda x: alpha_dropout(x, draw >= np.float32(0.3), 0.3),
          extra={"uniform": draw})
    channels = generator("spatial dropout").random((4, 1, 6)).astype(np.float32)
    layer("spatialdropout.v1", {"rate": 0.3}, [(4, 5, 6)], {},
          lambda x: x * torch.tensor((channels >= np.float32(0.3)) / (1 - 0.3)), extra={"uniform": channels})
    normal = numbers(generator("noise"), 4, 9)
    noise = torch.tensor(normal.astype(np.float64))
    layer("gaussiannoise.v1", {"spread": 0.2}, [(4, 9)], {}, lambda x: x + 0.2 * noise,
          extra={"normal": normal})
    layer("gaussiandropout.v1", {"rate": 0.3}, [(4, 9)], {},
          lambda x: x * (1 + math.sqrt(0.3 / 0.7) * noise), extra={"normal": normal})


def alpha_dropout(x: Tensor, kept: np.ndarray, rate: float) -> Tensor:
    """PyTorch's feature of the same name with a given mask (ATen/native/Dropout.cpp)."""
    alpha = 1.7580993408473766
    a = 1 / math.sqrt((alpha * alpha * rate + 1) * (1 - rate))
    mask = torch.tensor(kept.astype(np.float64))
    return x * mask * a + (mask - 1) * alpha * a + alpha * a * rate


def loss(kind: str, params: dict[str, Any], x: np.ndarray, target: np.ndarray,
         measure: Callable[[Tensor, Tensor], Tensor], link: Callable[[Tensor], Tensor] = lambda x: x) -> None:
    """One case of a loss, in a file of its kind; "target" are class numbers or values."""
    file = f"losses/{kind}"
    case = next_case(file)
    scores = leaf(x)
    value = measure(scores, torch.tensor(target if target.dtype.kind == "i" else target.astype(np.float64)))
    value.backward()
    put(file, f"{case}/declared", json.dumps({"kind": kind, **params}))
    for name, array in (("x", x), ("target", target), ("value", value), ("dx", scores.grad), ("y", link(scores))):
        put(file, f"{case}/{name}", array)


def losses() -> None:
    rng = generator("losses")
    x, t = numbers(rng, 6, 4, scale=2.0), numbers(rng, 6, 4, scale=2.0)
    loss("mse.v1", {}, x, t, F.mse_loss)
    loss("mae.v1", {}, x, t, F.l1_loss)
    loss("huber.v1", {}, x, t, F.huber_loss)
    loss("huber.v1", {"delta": 0.3}, x, t, lambda a, b: F.huber_loss(a, b, delta=0.3))
    labels, many = rng.integers(0, 4, 6), rng.integers(0, 4, (2, 3))
    softmax = lambda x: F.softmax(x, -1)  # noqa: E731
    loss("cross_entropy.v1", {}, x * 4, labels, F.cross_entropy, softmax)
    loss("cross_entropy.v1", {"label_smoothing": 0.1}, x, labels,
         lambda a, b: F.cross_entropy(a, b, label_smoothing=0.1), softmax)
    loss("cross_entropy.v1", {}, x.reshape(2, 3, 4), many, lambda a, b: F.cross_entropy(a.movedim(-1, 1), b), softmax)
    loss("cross_entropy.v1", {"class_weights": [0.5, 2.0, 1.0, 3.0], "label_smoothing": 0.1}, x, labels,
         lambda a, b: F.cross_entropy(a, b, torch.tensor([0.5, 2.0, 1.0, 3.0]), label_smoothing=0.1), softmax)
    given = F.softmax(torch.tensor(t.astype(np.float64)), -1).numpy().astype(np.float32)
    loss("cross_entropy.v1", {}, x, given, F.cross_entropy, softmax)
    loss("kullback_leibler.v1", {}, x, given, lambda a, b: F.kl_div(F.log_softmax(a, -1), b, reduction="batchmean"),
         softmax)
    loss("hinge.v1", {"margin": 0.5}, x, labels, lambda a, b: F.multi_margin_loss(a, b, margin=0.5), softmax)

    def focal(a: Tensor, b: Tensor) -> Tensor:
        p = F.softmax(a, -1).gather(1, b[:, None])
        return (-((1 - p) ** 2) * p.log()).mean()

    loss("focal.v1", {}, x, labels, focal, softmax)
    loss("log_cosh.v1", {}, x, t, lambda a, b: torch.cosh(a - b).log().mean())
    counts = rng.integers(0, 5, (6, 4)).astype(np.float32)
    loss("poisson.v1", {}, x, counts, F.poisson_nll_loss, torch.exp)
    loss("cosine_distance.v1", {}, x, t, lambda a, b: (1 - F.cosine_similarity(a, b, -1)).mean())
    two = rng.integers(0, 2, 6)
    binary = F.binary_cross_entropy_with_logits
    loss("binary_cross_entropy.v1", {}, x[:, :1] * 5, two, lambda a, b: binary(a, b.reshape(a.shape).double()),
         torch.sigmoid)
    loss("binary_cross_entropy.v1", {}, x, rng.random((6, 4)).astype(np.float32), binary, torch.sigmoid)
    pixels, classes = numbers(rng, 2, 3, 2, 4, scale=2.0), rng.integers(0, 4, (2, 3, 2))
    weights = torch.tensor([0.5, 2.0, 1.0, 3.0])
    loss("cross_entropy.v1", {"class_weights": weights.tolist(), "label_smoothing": 0.1}, pixels, classes,
         lambda a, b: F.cross_entropy(a.movedim(-1, 1), b, weights, label_smoothing=0.1), softmax)
    texts = np.array([[1, 1, 2, 0], [0, 0, 0, 0], [3, 3, 3, 3], [2, 1, 0, 0], [1, 2, 3, 1]])
    spoken = numbers(rng, 5, 6, 4, scale=2.0)

    def ctc(a: Tensor, b: Tensor) -> Tensor:
        return F.ctc_loss(F.log_softmax(a, -1).transpose(0, 1), b, torch.full((5,), 6), (b > 0).sum(1),
                          zero_infinity=True)

    loss("ctc.v1", {}, spoken, texts, ctc, softmax)
    loss("focal.v1", {}, pixels, classes, lambda a, b: focal(a.flatten(0, 2), b.flatten()), softmax)


def optimizer(kind: str, params: dict[str, Any], make: Callable[[list[Tensor]], torch.optim.Optimizer],
              segments: tuple[tuple[int, int], ...] = (), shapes: tuple[tuple[int, ...], ...] = ()) -> None:
    """Weights after one and after ten steps with given gradients [10, n]."""
    file = f"optimizers/{kind}"
    case, rng = next_case(file), generator(kind, params)
    start, grads = numbers(rng, 30), numbers(rng, 10, 30) * np.float32(0.5) + np.float32(0.2)
    grads[3] = 0
    w = leaf(start)
    steps = make([w])
    put(file, f"{case}/declared", json.dumps({"kind": kind, **params}))
    put(file, f"{case}/start", start)
    if segments:
        put(file, f"{case}/segments", np.array(segments))
    for i, shape in enumerate(shapes):
        put(file, f"{case}/shape/{i}", np.array(shape))
    put(file, f"{case}/grads", grads)
    for i in range(10):
        w.grad = torch.tensor(grads[i].astype(np.float64))
        steps.step()
        if i in (0, 9):
            put(file, f"{case}/after{i + 1}", w)


def optimizers() -> None:
    o = torch.optim
    optimizer("sgd.v1", {}, lambda w: o.SGD(w, 0.1))
    optimizer("sgd.v1", {"learning_rate": 0.05, "weight_decay": 0.1}, lambda w: o.SGD(w, 0.05, weight_decay=0.1))
    optimizer("momentum.v1", {}, lambda w: o.SGD(w, 0.01, 0.9))
    optimizer("momentum.v1", {"momentum": 0.5, "weight_decay": 0.1}, lambda w: o.SGD(w, 0.01, 0.5, weight_decay=0.1))
    optimizer("nesterov.v1", {}, lambda w: o.SGD(w, 0.01, 0.9, nesterov=True))
    optimizer("rmsprop.v1", {}, lambda w: o.RMSprop(w, 0.01))
    optimizer("rmsprop.v1", {"smoothing": 0.9, "weight_decay": 0.1},
              lambda w: o.RMSprop(w, 0.01, alpha=0.9, weight_decay=0.1))
    optimizer("adam.v1", {}, lambda w: o.Adam(w, 0.001))
    optimizer("adam.v1", {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "weight_decay": 0.1},
              lambda w: o.Adam(w, 0.05, (0.8, 0.9), 1e-3, 0.1))
    optimizer("adamw.v1", {"learning_rate": 0.01}, lambda w: o.AdamW(w, 0.01))
    optimizer("adamw.v1", {"learning_rate": 0.05, "weight_decay": 0.2}, lambda w: o.AdamW(w, 0.05, weight_decay=0.2))


    optimizer("adagrad.v1", {}, lambda w: o.Adagrad(w, 0.01))
    optimizer("adagrad.v1", {"learning_rate": 0.1, "weight_decay": 0.1}, lambda w: o.Adagrad(w, 0.1, weight_decay=0.1))
    optimizer("adadelta.v1", {}, lambda w: o.Adadelta(w))
    optimizer("adadelta.v1", {"smoothing": 0.5, "epsilon": 1e-3}, lambda w: o.Adadelta(w, rho=0.5, eps=1e-3))
    optimizer("adamax.v1", {}, lambda w: o.Adamax(w))
    optimizer("nadam.v1", {}, lambda w: o.NAdam(w))
    optimizer("nadam.v1", {"learning_rate": 0.05, "weight_decay": 0.1}, lambda w: o.NAdam(w, 0.05, weight_decay=0.1))
    optimizer("radam.v1", {"learning_rate": 0.01}, lambda w: o.RAdam(w, 0.01))
    optimizer("radam.v1", {"learning_rate": 0.05, "beta2": 0.9, "weight_decay": 0.1},
              lambda w: o.RAdam(w, 0.05, (0.9, 0.9), weight_decay=0.1))
    optimizer("lion.v1", {"learning_rate": 0.01, "weight_decay": 0.1}, lambda w: Lion(w, 0.01, (0.9, 0.99), 0.1))
    optimizer("lamb.v1", {"learning_rate": 0.1}, lambda w: Lamb(w, 0.1, 0.01), segments=((0, 20), (20, 30)))
    optimizer("muon.v1", {}, lambda w: Muon(w, 0.02, 0.95, 0.1, 0.001), segments=((0, 12), (12, 28), (28, 30)),
              shapes=((3, 4), (8, 2), (2,)))


class Formula(torch.optim.Optimizer):
    """Base of optimizers that PyTorch 2.13 does not have, or has in half precision only, written out from their "
    "papers."""

    def __init__(self, params: list[Tensor]) -> None:
        super().__init__(params, {})
        (self.w,) = params
        self.t, self.m, self.v = 0, torch.zeros_like(self.w), torch.zeros_like(self.w)

    @torch.no_grad()
    def step(self) -> None:
        self.t += 1
        self.move(self.w.data, self.w.grad)


class Lion(Formula):
    def __init__(self, params: list[Tensor], rate: float, betas: tuple[float, float], decay: float) -> None:
        super().__init__(params)
        self.rate, self.betas, self.decay = rate, betas, decay

    def move(self, w: Tensor, g: Tensor) -> None:
        step = torch.sign(self.betas[0] * self.m + (1 - self.betas[0]) * g)
        w -= self.rate * (step + self.decay * w)
        self.m = self.betas[1] * self.m + (1 - self.betas[1]) * g


class Lamb(Formula):
    def __init__(self, params: list[Tensor], rate: float, decay: float) -> None:
        super().__init__(params)
        self.rate, self.decay = rate, decay

    def move(self, w: Tensor, g: Tensor) -> None:
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g * g
        r = (self.m / (1 - 0.9**self.t)) / ((self.v / (1 - 0.999**self.t)).sqrt() + 1e-6) + self.decay * w
        for part in (slice(0, 20), slice(20, 30)):
            w[part] -= self.rate * w[part].norm() / r[part].norm() * r[part]


class Muon(Formula):
    """The steps of torch.optim.Muon, which iterates in bfloat16, in double precision; Adam for the last two numbers."""

    def __init__(self, params: list[Tensor], rate: float, momentum: float, decay: float, other_rate: float) -> None:
        super().__init__(params)
        self.rate, self.momentum, self.decay = rate, momentum, decay
        self.rest = torch.zeros(2, requires_grad=True)
        self.adam = torch.optim.Adam([self.rest], other_rate)

    def move(self, w: Tensor, g: Tensor) -> None:
        self.m = self.momentum * self.m + (1 - self.momentum) * g
        update = (1 - self.momentum) * g + self.momentum * self.m
        for part, (rows, columns) in ((slice(0, 12), (3, 4)), (slice(12, 28), (8, 2))):
            x = update[part].reshape(rows, columns)
            x = x.T if rows > columns else x
            x = x / x.norm().clamp(min=1e-7)
            for _ in range(5):
                a = x @ x.T
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
            x = x.T if rows > columns else x
            w[part] -= self.rate * self.decay * w[part] + self.rate * max(1, rows / columns) ** 0.5 * x.reshape(-1)
        self.rest.data.copy_(w[28:])
        self.rest.grad = g[28:].clone()
        self.adam.step()
        w[28:] = self.rest.detach()


def schedule(kind: str, params: dict[str, Any], make: Callable[[torch.optim.Optimizer], Any], steps: int = 20,
             losses: list[float] | None = None) -> None:
    """Rates for a base rate of 0.5: of every step, or of every epoch where there are losses."""
    file = f"schedules/{kind}"
    case = next_case(file)
    steps_of = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.5)
    plan, rates = make(steps_of), []
    for i in range(steps if losses is None else len(losses)):
        rates.append(steps_of.param_groups[0]["lr"])
        steps_of.step()
        if losses is None:
            plan.step()
        else:
            plan.step(losses[i])
    put(file, f"{case}/declared", json.dumps({"kind": kind, **params}))
    put(file, f"{case}/rates", np.array(rates))
    if losses is not None:
        put(file, f"{case}/losses", np.array(losses))


def schedules() -> None:
    s = torch.optim.lr_scheduler
    schedule("step.v1", {"every": 4, "factor": 0.3}, lambda o: s.StepLR(o, 4, 0.3))
    schedule("cosine.v1", {"final": 0.1}, lambda o: s.CosineAnnealingLR(o, 20, 0.05))
    schedule("exponential.v1", {"factor": 0.9}, lambda o: s.ExponentialLR(o, 0.9))
    schedule("polynomial.v1", {"power": 2.0}, lambda o: s.PolynomialLR(o, 20, 2.0))
    schedule("cosine_restarts.v1", {"period": 4, "growth": 2, "final": 0.1},
             lambda o: s.CosineAnnealingWarmRestarts(o, 4, 2, 0.05))
    schedule("warm_up.v1", {"epochs": 5.0, "then": {"kind": "step.v1", "every": 7, "factor": 0.3}},
             lambda o: s.ChainedScheduler([s.StepLR(o, 7, 0.3), s.LinearLR(o, 0.2, 1.0, 4)]))
    schedule("one_cycle.v1", {}, lambda o: s.OneCycleLR(o, 0.5, 20))
    schedule("one_cycle.v1", {"warm_up": 0.5, "start_divisor": 10.0, "final_divisor": 100.0},
             lambda o: s.OneCycleLR(o, 0.5, 20, pct_start=0.5, div_factor=10.0, final_div_factor=100.0))
    rng = generator("plateau")
    losses = [float(v) for v in np.float32(1 + 2 * np.exp(-np.arange(24) / 3) + 0.05 * rng.random(24))]
    schedule("plateau.v1", {"factor": 0.5, "patience": 2}, lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=2),
             losses=losses)
    schedule("plateau.v1", {"patience": 0, "lowest": 0.01},
             lambda o: s.ReduceLROnPlateau(o, patience=0, min_lr=0.005), losses=losses)


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """An .npz file whose bytes depend on the arrays only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in sorted(arrays.items()):
            with archive.open(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), "w") as entry:
                np.lib.format.write_array(entry, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)


def main() -> None:
    families = (dense, core, convolution, pooling, normalisation, activation, recurrence, merging, formulas, generative,
                disturbing, losses, optimizers, schedules)
    for make in families:
        make()
    for old in GOLDENS.glob("*/*.npz"):
        old.unlink()
    for name, arrays in files.items():
        write(GOLDENS / f"{name}.npz", arrays)
    size = sum(path.stat().st_size for path in GOLDENS.glob("*/*.npz"))
    print(f"{len(files)} files, {size / 1024:.0f} kB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
