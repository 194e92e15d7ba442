"""Convolutions by cuDNN. The only module that imports cuDNN's frontend (package nvidia-cudnn-frontend).

Arrays stay channels-last: cuDNN's order of axes is always N, C, then space, and strides say where they lie. Only the
weights are copied into the order that its kernels want: K, space, C. One graph is built for each shape and kept. Plans
come from cuDNN's heuristics, never from timing, and plans whose results differ from run to run are left out.
"""

from __future__ import annotations

import importlib
import math
import os
import threading
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from nndesigner.layers.base import Step
from nndesigner.layers.elementwise import nothing
from nndesigner.layers.windows import Windows

Kind = Literal["forward", "by_input", "by_weights"]


class Cudnn:
    """Makes correlations on the current device. Belongs to the thread that made it, as its handle does.

    Raises RuntimeError when cuDNN itself cannot be used.
    """

    def __init__(self, xp: Any, library: Any) -> None:
        self.xp, self.library = xp, library
        self.handle = library.create_handle()
        library.set_stream(handle=self.handle, stream=xp.cuda.get_current_stream().ptr)
        #: scratch space of all convolutions, one after the other; it only grows
        self.workspace = xp.empty(1, dtype=np.uint8)
        self._graphs: dict[tuple, Graph | None] = {}

    def __call__(self, windows: Windows, channels: int, filters: int, groups: int, batch: int, training: bool,
                 dtype: Any, transposed: bool = False) -> CudnnCorrelation | None:
        """What stands for a `layers.windows.Correlation`; None where cuDNN has no kernel.

        When not training only the forward pass is asked for (the gradient by the input, for a transposed convolution):
        finding a plan takes tenths of a second.
        """
        if np.dtype(dtype) != np.float32:
            return None
        found: CudnnCorrelation | None = CudnnCorrelation(self, windows, channels, filters, groups, batch)
        wanted: tuple[Kind, ...] = ("by_input",) if transposed else ("forward",)
        if training:
            wanted = ("forward", "by_input", "by_weights")
        return found if all(found.graph(kind) is not None for kind in wanted) else None

    def graph(self, kind: Kind, windows: Windows, channels: int, filters: int, groups: int, batch: int) -> Graph | None:
        """The graph for a shape, made at the first call; None where cuDNN has no kernel."""
        key = kind, windows, channels, filters, groups, batch
        if key not in self._graphs:
            try:
                self._graphs[key] = Graph(self, *key)
            except self.library.cudnnGraphNotSupportedError:
                self._graphs[key] = None
        return self._graphs[key]


class Graph:
    """One convolution, or one of its gradients, for one shape."""

    def __init__(self, cudnn: Cudnn, kind: Kind, windows: Windows, channels: int, filters: int, groups: int, batch: int
                 ) -> None:
        self._cudnn, library = cudnn, cudnn.library
        inputs, outputs, kernel, strides, dilation = (
            _at_least_two(axes, 1) for axes in
            (windows.inputs, windows.outputs, windows.kernel, windows.strides, windows.dilation))
        before = _at_least_two(windows.before, 0)
        after = [max(0, (o - 1) * s + (k - 1) * d + 1 - b - n)
                 for n, o, k, s, d, b in zip(inputs, outputs, kernel, strides, dilation, before)]
        number = library.data_type.FLOAT
        self._graph = graph = library.pygraph(
            io_data_type=number, intermediate_data_type=number, compute_data_type=number, handle=cudnn.handle)
        dims = {"x": (batch, channels, *inputs), "y": (batch, filters, *outputs),
                "w": (filters, channels // groups, *kernel)}
        along = {"pre_padding": list(before), "post_padding": after, "stride": list(strides),
                 "dilation": list(dilation)}

        def tensor(name: str) -> Any:
            return graph.tensor(name=name, dim=list(dims[name]), stride=last_axis_first(dims[name]), data_type=number)

        if kind == "forward":
            given, made = ("x", "w"), "y"
            tensors = [tensor(name) for name in given]
            result = graph.conv_fprop(image=tensors[0], weight=tensors[1], **along)
        elif kind == "by_input":
            given, made = ("y", "w"), "x"
            tensors = [tensor(name) for name in given]
            result = graph.conv_dgrad(loss=tensors[0], filter=tensors[1], **along)
        else:
            given, made = ("x", "y"), "w"
            tensors = [tensor(name) for name in given]
            result = graph.conv_wgrad(image=tensors[0], loss=tensors[1], **along)
        result.set_output(True).set_data_type(number)
        result.set_dim(list(dims[made])).set_stride(last_axis_first(dims[made]))
        self._tensors = (*tensors, result)
        graph.validate()
        graph.build_operation_graph()
        graph.create_execution_plans([library.heur_mode.A, library.heur_mode.FALLBACK])
        graph.deselect_numeric_notes(_unwanted(library))
        graph.check_support()
        graph.build_plans()
        self._bytes = graph.get_workspace_size()

    def bind(self, *arrays: Any) -> Step:
        """Run it on arrays: the two given ones, then the one to be written."""
        cudnn, execute, handle = self._cudnn, self._graph.execute, self._cudnn.handle
        if cudnn.workspace.size < self._bytes:
            cudnn.workspace = cudnn.xp.empty(self._bytes, dtype=np.uint8)
        pack = {tensor: array.data.ptr for tensor, array in zip(self._tensors, arrays)}

        def run() -> None:
            execute(pack, cudnn.workspace.data.ptr, handle=handle)

        run.arrays = arrays  # addresses alone would not keep them
        return run


class CudnnCorrelation:
    """Sums of products of windows with weights, and their gradients: what `layers.windows.Correlation` does."""

    def __init__(self, cudnn: Cudnn, windows: Windows, channels: int, filters: int, groups: int, batch: int) -> None:
        self._cudnn, self._shape = cudnn, (windows, channels, filters, groups, batch)
        self.blocks = [slice(0, batch)]
        self._weights: Any = None

    def graph(self, kind: Kind) -> Graph | None:
        return self._cudnn.graph(kind, *self._shape)

    def bind_weights(self, W: Any) -> tuple[Step, Any]:
        """(copy the weights [*kernel, C / groups, K] into cuDNN's order, the copy). The way back uses the same copy."""
        if self._weights is not None:
            return nothing, self._weights
        xp, source = self._cudnn.xp, _filters_first(W)
        self._weights = copied = xp.empty(source.shape, dtype=W.dtype)
        return lambda: xp.copyto(copied, source), copied

    def bind_forward(self, x: Any, weights: Any, y: Any) -> Step:
        """y = windows of x · weights."""
        return self.graph("forward").bind(x, weights, y)

    def bind_weight_gradient(self, x: Any, dy: Any, dW: Any, first: bool, loaded: bool) -> Step:
        """dW = windows of x, transposed · dy. The whole batch is one block, so it is the first."""
        xp, target = self._cudnn.xp, _filters_first(dW)
        part = xp.empty(target.shape, dtype=dW.dtype)
        multiply = self.graph("by_weights").bind(x, dy, part)

        def backward() -> None:
            multiply()
            xp.copyto(target, part)

        return backward

    def input_gradient(self) -> CudnnInputGradient:
        return CudnnInputGradient(self)


class CudnnInputGradient:
    """What `layers.windows.InputGradient` does."""

    def __init__(self, of: CudnnCorrelation) -> None:
        self._of = of
        self.bind_weights = of.bind_weights

    def bind(self, dy: Any, weights: Any, dx: Any) -> Step:
        """dx = what the windows of dy pass back."""
        return self._of.graph("by_input").bind(dy, weights, dx)


def last_axis_first(dims: Sequence[int]) -> list[int]:
    """Strides, in elements, of an array [N, *space, C] whose axes are named in the order N, C, space."""
    n, channels, *space = dims
    steps = [math.prod(space[i + 1:]) * channels for i in range(len(space))]
    return [math.prod(space) * channels, 1, *steps]


def _at_least_two(axes: tuple[int, ...], first: int) -> tuple[int, ...]:
    """A series is a picture of height 1."""
    return (first, *axes) if len(axes) == 1 else axes


def _filters_first(W: Any) -> Any:
    """[*kernel, C, K] seen as [K, *kernel, C]."""
    return W.transpose(W.ndim - 1, *range(W.ndim - 1))


def tf32() -> bool:
    """Whether products of single precision may be rounded to 10 bits first, as CuPy's setting for its own says."""
    return os.environ.get("CUPY_TF32", "0").strip() not in ("", "0")


def _unwanted(library: Any) -> list[Any]:
    note = library.numerical_note
    rounding = [] if tf32() else [note.DOWN_CONVERT_INPUTS, note.REDUCED_PRECISION_REDUCTION, note.TENSOR_CORE]
    return [note.NONDETERMINISTIC, *rounding]


_made = threading.local()


def convolver(xp: Any, index: int) -> Cudnn | None:
    """cuDNN for the calling thread on GPU `index`, which is the current one; None where it is not installed."""
    known = _made.__dict__.setdefault("known", {})
    if (xp, index) not in known:
        try:
            known[xp, index] = Cudnn(xp, importlib.import_module("cudnn"))
        except (ImportError, RuntimeError):  # the frontend without the library, or one for another driver
            known[xp, index] = None
    return known[xp, index]
