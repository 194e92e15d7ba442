"""Runs the source of GPU kernels on the processor: the same text, which is C as well as CUDA C++, in a loop.

So their arithmetic is tested on machines without a GPU, as long as they have a C compiler.
"""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

COMPILER = shutil.which("gcc")

_HEAD = """
#include <string.h>
#include <tgmath.h>
typedef long long int64; typedef unsigned long long uint64; typedef int int32; typedef unsigned int uint32;
typedef float float32; typedef double float64; typedef unsigned char uint8;
static inline uint64 __umul64hi(uint64 a, uint64 b) { return (uint64)(((unsigned __int128)a * b) >> 64); }
static inline int __float_as_int(float v) { int t; memcpy(&t, &v, sizeof t); return t; }
static inline float __int_as_float(int v) { float t; memcpy(&t, &v, sizeof t); return t; }
static inline int64 __double_as_longlong(double v) { int64 t; memcpy(&t, &v, sizeof t); return t; }
static inline double __longlong_as_double(int64 v) { double t; memcpy(&t, &v, sizeof t); return t; }
"""

_C_TYPES = {"float32": ctypes.c_float, "float64": ctypes.c_double, "int32": ctypes.c_int32, "int64": ctypes.c_int64,
            "uint64": ctypes.c_uint64, "uint8": ctypes.c_uint8}


class Parameter:
    """One parameter as CuPy's ElementwiseKernel declares it: "float32 x" or "raw float32 x"."""

    def __init__(self, text: str) -> None:
        words = text.split()
        self.raw, (self.type, self.name) = words[0] == "raw", words[-2:]
        assert self.type in _C_TYPES, f"the stand-in knows no type {self.type}"


def parameters(text: str) -> list[Parameter]:
    return [Parameter(part) for part in text.split(",") if part.strip()]


class Kernel:
    """An ElementwiseKernel over NumPy arrays."""

    def __init__(self, inputs: str, outputs: str, body: str, name: str) -> None:
        assert re.fullmatch(r"nndesigner_\w+", name), f"give the kernel a name that tells whose it is: {name}"
        self._inputs, self._outputs, self._body = parameters(inputs), parameters(outputs), body
        self.name = name

    def __call__(self, *values: Any, size: int | None = None) -> None:
        """All parameters in order, outputs included. Arrays that are not raw are seen in one shape."""
        given = [*self._inputs, *self._outputs]
        assert len(values) == len(given), f"{self.name} has {len(given)} parameters, got {len(values)}"
        several = [v for p, v in zip(given, values) if isinstance(v, np.ndarray) and not p.raw]
        shape = np.broadcast_shapes(*(v.shape for v in several)) if size is None else (size,)
        for written in values[len(self._inputs):]:
            for other in several:
                if _place(other) != _place(written):  # threads run in any order
                    assert not np.shares_memory(other, written), f"{self.name} reads what another thread writes"
        passed, back = [], []
        for parameter, value in zip(given, values):
            kind = _C_TYPES[parameter.type]
            if not isinstance(value, np.ndarray):
                assert parameter in self._inputs and not parameter.raw
                passed.append(kind(np.dtype(parameter.type).type(value).item()))
                continue
            assert value.dtype == np.dtype(parameter.type), f"{self.name}: {parameter.name} is {value.dtype}"
            if parameter.raw:
                assert value.flags.c_contiguous
                array = value
            elif parameter in self._inputs:
                array = np.ascontiguousarray(np.broadcast_to(value, shape))
            else:
                assert value.shape == shape, f"{self.name} cannot write {value.shape} as {shape}"
                array = value if value.flags.c_contiguous else np.ascontiguousarray(value)
                if array is not value:
                    back.append((value, array))
            passed.append(array)
        self._run(int(np.prod(shape, dtype=np.int64)), passed)
        for value, array in back:
            value[...] = array

    def _run(self, size: int, passed: list[Any]) -> None:
        declared, loaded, names = [], [], []
        for parameter, value in zip([*self._inputs, *self._outputs], passed):
            name, kind = parameter.name, parameter.type
            if not isinstance(value, np.ndarray):
                declared.append(f"{kind} {name}")
            elif parameter.raw:
                declared.append(f"{kind}* {name}")
            else:
                declared.append(f"{'const ' if parameter in self._inputs else ''}{kind}* {name}_")
                names.append(f"#define {name} ({name}_[i])")
            loaded.append(ctypes.c_void_p(value.ctypes.data) if isinstance(value, np.ndarray) else value)
        source = "\n".join([
            _HEAD, f"void run(long long n_, {', '.join(declared)}) {{", *names,
            "for (long long i = 0; i < n_; ++i) {", self._body, "} }\n"])
        _compiled(source)(ctypes.c_longlong(size), *loaded)


def _place(array: np.ndarray) -> tuple:
    return array.ctypes.data, array.shape, array.strides


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="nndesigner kernels ")


@functools.cache
def _compiled(source: str) -> Any:
    assert COMPILER is not None, "running kernels without a GPU needs gcc"
    place = Path(_folder().name) / f"k{_compiled.cache_info().currsize}"
    place.with_suffix(".c").write_text(source)
    subprocess.run(
        [COMPILER, "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-w", "-o", place.with_suffix(".so"),
         place.with_suffix(".c"), "-lm"], check=True)
    return ctypes.CDLL(str(place.with_suffix(".so"))).run
