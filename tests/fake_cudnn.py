"""A stand-in for cuDNN's frontend: the calls that the engine makes, computed with NumPy.

Like the real one it knows its tensors by dimensions, strides and addresses only.
"""

from __future__ import annotations

import ctypes
import enum
import types
from itertools import product
from typing import Any

import numpy as np


class cudnnGraphNotSupportedError(RuntimeError):
    pass


class Note(enum.Enum):
    NONDETERMINISTIC = 1
    DOWN_CONVERT_INPUTS = 2
    REDUCED_PRECISION_REDUCTION = 3
    TENSOR_CORE = 4


class Tensor:
    def __init__(self, dim: list[int] | None = None, stride: list[int] | None = None) -> None:
        self.dim, self.stride, self.output = dim, stride, False

    def set_output(self, value: bool) -> Tensor:
        self.output = value
        return self

    def set_data_type(self, value: Any) -> Tensor:
        assert value == "float"
        return self

    def set_dim(self, dim: list[int]) -> Tensor:
        self.dim = dim
        return self

    def set_stride(self, stride: list[int]) -> Tensor:
        self.stride = stride
        return self

    def view(self, address: int) -> np.ndarray:
        count = 1 + sum((n - 1) * s for n, s in zip(self.dim, self.stride))
        flat = np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(ctypes.c_float)), (count,))
        return np.lib.stride_tricks.as_strided(flat, self.dim, [4 * s for s in self.stride])


class pygraph:
    """A graph of one convolution. `refused` makes every graph fail, `made` counts them."""

    refused = False
    made = 0

    def __init__(self, io_data_type: Any, intermediate_data_type: Any, compute_data_type: Any, handle: Any) -> None:
        assert io_data_type == intermediate_data_type == compute_data_type == "float" and handle == "handle"
        self.done: list[str] = []
        self.without: list[Note] = []
        type(self).made += 1

    def tensor(self, name: str, dim: list[int], stride: list[int], data_type: Any) -> Tensor:
        assert all(isinstance(n, int) for n in (*dim, *stride)) and data_type == "float"
        return Tensor(dim, stride)

    def conv_fprop(self, image: Tensor, weight: Tensor, **along: Any) -> Tensor:
        return self._convolution(image, weight, Tensor(), 2, along)

    def conv_dgrad(self, loss: Tensor, filter: Tensor, **along: Any) -> Tensor:
        return self._convolution(Tensor(), filter, loss, 0, along)

    def conv_wgrad(self, image: Tensor, loss: Tensor, **along: Any) -> Tensor:
        return self._convolution(image, Tensor(), loss, 1, along)

    def _convolution(self, x: Tensor, w: Tensor, y: Tensor, made: int, along: dict[str, Any]) -> Tensor:
        self.parts, self.made_part = (x, w, y), made
        self.before, self.after = along.pop("pre_padding"), along.pop("post_padding")
        self.strides, self.dilation = along.pop("stride"), along.pop("dilation")
        assert not along
        return self.parts[made]

    def _step(self, name: str) -> None:
        order = ["validate", "build_operation_graph", "create_execution_plans", "deselect_numeric_notes",
                 "check_support", "build_plans"]
        assert order[len(self.done)] == name
        self.done.append(name)

    def validate(self) -> None:
        self._step("validate")
        x, w, y = (part.dim for part in self.parts)
        assert self.parts[self.made_part].output and len(x) == len(w) == len(y) >= 4
        assert x[0] == y[0] and w[0] == y[1] and x[1] % w[1] == 0 and min(*self.before, *self.after) >= 0
        self.groups = x[1] // w[1]
        for n, k, o, b, a, s, d in zip(x[2:], w[2:], y[2:], self.before, self.after, self.strides, self.dilation):
            assert (n + b + a - (k - 1) * d - 1) // s + 1 == o

    def build_operation_graph(self) -> None:
        self._step("build_operation_graph")

    def create_execution_plans(self, modes: list[str]) -> None:
        self._step("create_execution_plans")
        assert modes == ["A", "fallback"]

    def deselect_numeric_notes(self, notes: list[Note]) -> None:
        self._step("deselect_numeric_notes")
        self.without = notes
        assert Note.NONDETERMINISTIC in notes

    def check_support(self) -> None:
        self._step("check_support")
        if self.refused:
            raise cudnnGraphNotSupportedError("no engine supports this")

    def build_plans(self) -> None:
        self._step("build_plans")

    def get_workspace_size(self) -> int:
        return 64

    def execute(self, pack: dict[Tensor, int], workspace: int, handle: Any) -> None:
        assert len(self.done) == 6 and isinstance(workspace, int) and handle == "handle"
        x, w, y = (
            np.zeros(part.dim) if i == self.made_part else part.view(pack[part]).astype(np.float64)
            for i, part in enumerate(self.parts))
        pads = [(0, 0), (0, 0), *((b, a + s) for b, a, s in zip(self.before, self.after, self.strides))]
        padded = np.pad(np.zeros_like(x) if self.made_part == 0 else x, pads)
        results = [padded, np.zeros_like(w), np.zeros_like(y)]
        deep, wide = w.shape[1], w.shape[0] // self.groups
        for group, at in product(range(self.groups), product(*(range(k) for k in w.shape[2:]))):
            place = tuple(slice(a * d, a * d + (o - 1) * s + 1, s)
                          for a, d, o, s in zip(at, self.dilation, y.shape[2:], self.strides))
            inputs = (slice(None), slice(group * deep, (group + 1) * deep), *place)
            outputs = slice(group * wide, (group + 1) * wide)
            if self.made_part == 0:
                results[0][inputs] += np.einsum("nk...,kc->nc...", y[:, outputs], w[(outputs, slice(None), *at)])
            elif self.made_part == 1:
                axes = (0, *range(2, y.ndim))
                results[1][(outputs, slice(None), *at)] = np.tensordot(y[:, outputs], padded[inputs], (axes, axes))
            else:
                results[2][:, outputs] += np.einsum("nc...,kc->nk...", padded[inputs], w[(outputs, slice(None), *at)])
        crop = tuple(slice(b, b + n) for b, n in zip(self.before, x.shape[2:]))
        results[0] = padded[(slice(None), slice(None), *crop)]
        target = self.parts[self.made_part]
        target.view(pack[target])[...] = results[self.made_part]


def make() -> types.SimpleNamespace:
    """A module to be used in place of cudnn. Its class pygraph counts and can be told to refuse."""
    graph = type("pygraph", (pygraph,), {"made": 0})
    return types.SimpleNamespace(
        create_handle=lambda: "handle", set_stream=lambda handle, stream: None, pygraph=graph,
        data_type=types.SimpleNamespace(FLOAT="float"), numerical_note=Note, backend_version=lambda: 92800,
        heur_mode=types.SimpleNamespace(A="A", FALLBACK="fallback"),
        cudnnGraphNotSupportedError=cudnnGraphNotSupportedError)
