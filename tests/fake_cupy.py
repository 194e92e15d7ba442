"""A stand-in for CuPy that computes with NumPy but is as strict as a GPU about where arrays live.

Its arrays refuse to meet plain NumPy arrays, so a machine without a GPU finds code that mixes host and device.
"""

from __future__ import annotations

import contextlib
import importlib
import types
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nndesigner.engine.device import Device
from tests.kernels_in_c import COMPILER, Kernel


class Counts:
    """What would cost time on a GPU: how often the host waited for it, and how often memory was taken."""

    waits = 0
    allocations = 0
    kernels = 0


counts = Counts()


class FakeArray(np.ndarray):
    """An array "on the GPU"."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        for value in (*inputs, *(out or ())):
            _refuse_host(value)
        if out is not None:
            options["out"] = tuple(_plain(value) for value in out)
        result = getattr(ufunc, method)(*(_plain(value) for value in inputs), **options)
        return out[0] if out is not None else _new(result)

    def __array_function__(self, function: Any, classes: Any, arguments: Any, options: Any) -> Any:
        raise TypeError(f"numpy.{function.__name__} was called with an array of the GPU.")

    def take(self, indices: Any, axis: int | None = None, out: Any = None) -> Any:
        """CuPy's take has no mode."""
        for value in (indices, out):
            _refuse_host(value)
        return _fake(_plain(self).take(_plain(indices), axis, _plain(out), "clip"))

    def dot(self, other: Any, out: Any = None) -> Any:
        for value in (other, out):
            _refuse_host(value)
        if out is not None and out.ndim:
            assert out.flags.c_contiguous or out.flags.f_contiguous
        result = _plain(self).dot(_plain(other))
        if out is None:
            return _new(result)
        out[...] = _fake(np.asarray(result))
        return out

    def __setitem__(self, key: Any, value: Any) -> None:
        _refuse_host(value)
        _plain(self)[_plain(key)] = _plain(value)

    def __getitem__(self, key: Any) -> Any:
        _refuse_host(key)
        found = _fake(np.asarray(_plain(self)[_plain(key)]))
        counts.allocations += not np.may_share_memory(_plain(found), _plain(self))
        return found

    def reshape(self, *shape: Any, **options: Any) -> Any:
        found = super().reshape(*shape, **options)
        counts.allocations += found.size > 0 and not np.may_share_memory(_plain(found), _plain(self))
        return found

    def set(self, host: np.ndarray, stream: FakeStream) -> None:
        """The copy happens as late as it may on a GPU: when something waits for the stream."""
        assert type(host) is np.ndarray and host.shape == self.shape and host.dtype == self.dtype
        stream.todo.append(lambda: _plain(self).__setitem__(..., host))

    @property
    def data(self) -> Any:
        return types.SimpleNamespace(ptr=self.ctypes.data)

    def all(self, *arguments: Any, **options: Any) -> Any:
        return _new(_plain(self).all(*arguments, **options))

    def item(self, *place: int) -> Any:
        counts.waits += 1
        return super().item(*place)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())


class FakeStream:
    """Copies that have been asked for. They are done in order, and none before something waits for it."""

    ptr = 0

    def __init__(self, non_blocking: bool = False) -> None:
        self.todo: list[Any] = []

    def wait_event(self, event: FakeEvent) -> None:
        if self is null_stream:  # calculations of the stand-in are done at once, so what they wait for is due now
            event.synchronize()
        else:
            self.todo.append(event.synchronize)


class FakeEvent:
    def __init__(self, disable_timing: bool) -> None:
        self._stream: FakeStream | None = None
        self._mark = lambda: None

    def record(self, stream: FakeStream) -> None:
        self._stream = stream
        self._mark = lambda: None
        stream.todo.append(self._mark)

    def synchronize(self) -> None:
        while self._stream is not None and self._mark in self._stream.todo:
            self._stream.todo.pop(0)()


null_stream = FakeStream()


def _refuse_host(value: Any) -> None:
    if isinstance(value, np.ndarray) and not isinstance(value, FakeArray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>: the array is on the host.")


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, FakeArray) else value


def _fake(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = np.asarray(value)
    return value.view(FakeArray) if isinstance(value, np.ndarray) else value


class OutOfMemoryError(MemoryError):
    """What CuPy raises."""


class Memory:
    """The memory of the stand-in: what its arrays take, and how much there is."""

    size = 40 << 30
    current: Memory

    def __init__(self) -> None:
        self._taken: dict[int, int] = {}
        #: how often the pool was asked to free its blocks
        self.freed = 0

    @property
    def used(self) -> int:
        return sum(self._taken.values())

    def take(self, array: np.ndarray) -> None:
        """Count the memory behind an array, once."""
        while isinstance(array.base, np.ndarray):
            array = array.base
        if id(array) not in self._taken:
            if self.used + array.nbytes > self.size:
                raise OutOfMemoryError(f"Out of memory allocating {array.nbytes} bytes (so far: {self.used} bytes)")
            self._taken[id(array)] = array.nbytes
            weakref.finalize(array, self._taken.pop, id(array)).atexit = False

    def free_all_blocks(self) -> None:
        self.freed += 1


def _new(value: Any) -> Any:
    counts.allocations += 1
    value = np.asarray(value)
    Memory.current.take(value)
    return _fake(value)


class _Kernel:
    """CuPy's ElementwiseKernel: its source runs on the processor."""

    def __init__(self, inputs: str, outputs: str, body: str, name: str) -> None:
        self._kernel = Kernel(inputs, outputs, body, name)

    def __call__(self, *values: Any, size: int | None = None) -> None:
        counts.kernels += 1
        for value in values:
            _refuse_host(value)
        self._kernel(*(_plain(value) for value in values), size=size)


def _asnumpy(value: Any) -> np.ndarray:
    counts.waits += 1
    return np.array(_plain(value))


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        thing = getattr(np, name)
        if not callable(thing) or isinstance(thing, type):
            return thing
        if isinstance(thing, np.ufunc):
            return _Ufunc(thing)

        def function(*arguments: Any, **options: Any) -> Any:
            for value in (*arguments, *options.values()):
                for item in value if isinstance(value, (tuple, list)) else (value,):
                    if name != "asarray":
                        _refuse_host(item)
            out = options.get("out")
            result = thing(*_deep(arguments), **{key: _plain(value) for key, value in options.items()})
            if out is not None or result is None:
                return out
            return _new(result)

        return function


class _Ufunc:
    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc = ufunc

    def __call__(self, *arguments: Any, out: Any = None, **options: Any) -> Any:
        counts.kernels += 1
        if out is None and len(arguments) > self._ufunc.nin:  # as CuPy and NumPy take it
            *arguments, out = arguments
        for value in (*arguments, out):
            _refuse_host(value)
        options["out"] = None if out is None else (_plain(out),)
        result = self._ufunc(*(_plain(value) for value in arguments), **options)
        return out if out is not None else _new(result)

    def at(self, target: Any, indices: Any, values: Any) -> None:
        for value in (target, indices, values):
            _refuse_host(value)
        self._ufunc.at(_plain(target), _plain(indices), _plain(values))


def _deep(values: Any) -> Any:
    return tuple(_deep(v) if isinstance(v, tuple) else [_plain(i) for i in v] if isinstance(v, list) else _plain(v)
                 for v in values)


def make() -> types.ModuleType:
    """A module to be used in place of cupy."""
    module = _Module("cupy")
    module.ndarray = FakeArray
    module.ElementwiseKernel = _Kernel
    module.asarray = lambda value, dtype=None: _new(np.array(_plain(value), dtype=dtype))
    module.asnumpy = _asnumpy
    module.bool_, module.float32, module.int64, module.int32 = np.bool_, np.float32, np.int64, np.int32

    @contextlib.contextmanager
    def device(index: int) -> Iterator[None]:
        yield

    module.cuda = types.SimpleNamespace(
        Device=device, get_current_stream=lambda: null_stream, Stream=FakeStream, Event=FakeEvent,
        runtime=types.SimpleNamespace(memGetInfo=lambda: (memory.size - memory.used, memory.size)))
    module.memory = memory = Memory.current = Memory()
    module.get_default_memory_pool = lambda: types.SimpleNamespace(
        used_bytes=lambda: memory.used, free_bytes=lambda: 0, free_all_blocks=memory.free_all_blocks)
    module.lib = types.SimpleNamespace(stride_tricks=types.SimpleNamespace(
        as_strided=lambda x, shape, strides: _fake(np.lib.stride_tricks.as_strided(_plain(x), shape, strides))))
    return module


def install(monkeypatch: pytest.MonkeyPatch) -> Device:
    """A GPU that is none, without cuDNN: put a stand-in for that into `device.xp.modules`."""
    if COMPILER is None:
        pytest.skip("running GPU kernels without a GPU needs gcc")
    modules = {"cupy": make(), "cudnn": None, "cupyx": types.SimpleNamespace(empty_pinned=np.empty)}
    real = importlib.import_module

    def import_module(name: str, package: str | None = None) -> Any:
        if name not in modules:
            return real(name, package)
        if modules[name] is None:
            raise ImportError(name)
        return modules[name]

    monkeypatch.setattr(importlib, "import_module", import_module)
    device = Device("cuda:0")
    device.xp.modules = modules
    return device
