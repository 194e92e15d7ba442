"""Chains of operations on arrays, written once for both array modules, as single kernels of a GPU.

On the processor a chain is a few calls on parts of arrays that stay in the cache. On a GPU each call would be a kernel
of its own that goes through memory. There the chain is run once on stand-ins that note what is done with them, and what
was noted becomes the source of one kernel: what lies between is kept in registers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from nndesigner.layers.base import Step, in_turn, nothing

_FLOAT = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}", "negative": "-{0}",
    "square": "{0} * {0}", "absolute": "fabs({0})", "greater_equal": "{0} >= {1}", "copyto": "{0}",
    # as NumPy has it, what is not a number stays so
    "maximum": "({0} > {1} || {0} != {0}) ? {0} : {1}", "minimum": "({0} < {1} || {0} != {0}) ? {0} : {1}",
    "sign": "({0} != {0}) ? {0} : ({0} > 0) - ({0} < 0)",
    **{name: name + "({0})" for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sin", "cos")},
}
# bits of numbers: negating the smallest one gives itself
_WHOLE = {"negative": "({type})(0 - (unsigned {type}){0})", "bitwise_and": "{0} & {1}", "bitwise_xor": "{0} ^ {1}",
          "right_shift": "{0} >> {1}",
          "copyto": "{0}"}
_C = {"float32": "float", "float64": "double", "int32": "int", "int64": "long long"}
_TO_BITS = {"float32": "__float_as_int({0})", "float64": "__double_as_longlong({0})"}
_FROM_BITS = {"float32": "__int_as_float({0})", "float64": "__longlong_as_double({0})"}


def traces(xp: Any) -> bool:
    """Whether chains of this array module are better made to single kernels."""
    return hasattr(xp, "ElementwiseKernel")


class Value:
    """Stands for an array, a number or a constant.

    `code` says it in C++; `leaves` are the arrays, numbers and temporaries that it is made of.
    """

    def __init__(self, code: str, dtype: Any, shape: tuple[int, ...], array: Any = None,
                 leaves: tuple[Value, ...] | None = None, bits_of: Value | None = None) -> None:
        self.code, self.dtype, self.shape = code, np.dtype(dtype), shape
        #: the array behind it, if it lies in memory
        self.array = array
        self._leaves = leaves
        #: the value whose bits it looks at as whole numbers
        self.bits_of = bits_of

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def leaves(self) -> tuple[Value, ...]:
        return (self,) if self._leaves is None else self._leaves  # kept, it would be a circle that holds the array

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def stored(self) -> Value:
        """What an assignment to it changes."""
        return self.bits_of or self

    def view(self, dtype: Any) -> Value:
        return Value(_TO_BITS[self.dtype.name].format(self.code), dtype, self.shape, None, self.leaves, self)

    def __getitem__(self, part: slice) -> Value:
        assert (part.start or 0, part.stop) == (0, self.size), "a kernel takes arrays as a whole"
        return self

    def __mul__(self, other: Value) -> Value:
        shape = np.broadcast_shapes(self.shape, other.shape)
        return Value(f"({self.code} * {other.code})", self.dtype, shape, None, (*self.leaves, *other.leaves))


#: operation, operands, where the result goes
_Noted = tuple[str, tuple[Value, ...], Value]


class Tracer:
    """Stands for an array module while a chain is noted."""

    __name__ = "tracer"
    int32, int64, float32, float64 = np.int32, np.int64, np.float32, np.float64

    def __init__(self, xp: Any, dtype: Any) -> None:
        self._xp, self._dtype = xp, np.dtype(dtype)
        self._arrays: list[Value] = []
        self._numbers: list[Value] = []
        self._temporaries: dict[str, Value] = {}
        #: operations, and other steps in their midst; None while nothing is noted
        self._noted: list[_Noted | Step] | None = None

    # --- what chains work on ---

    def array(self, array: Any | None) -> Value | None:
        """What stands for an array; the same for the same array."""
        if array is None:
            return None
        if array.dtype.kind == "i":  # the bits of numbers
            return self.array(array.view(self._dtype)).view(array.dtype)
        for known in self._arrays:
            there = known.array
            if (there.data.ptr, there.shape, there.strides) == (array.data.ptr, array.shape, array.strides):
                return known
        value = Value(f"a{len(self._arrays)}", array.dtype, tuple(array.shape), array)
        self._arrays.append(value)
        return value

    def temporary(self, name: str, shape: tuple[int, ...]) -> Value:
        """What lies between the operations of one kernel, at first zero; the same for the same name."""
        if name not in self._temporaries:
            self._temporaries[name] = Value(f"t{len(self._temporaries)}", self._dtype, shape)
        return self._temporaries[name]

    def number(self) -> Value:
        """A number that is given anew with each call, in the order in which they were asked for."""
        self._numbers.append(Value(f"n{len(self._numbers)}", self._dtype, ()))
        return self._numbers[-1]

    def asarray(self, value: float, dtype: Any = None) -> Value:
        """A constant."""
        dtype = np.dtype(dtype or self._dtype)
        if dtype.kind == "i":
            return Value(str(int(value)), dtype, (), None, ())
        text = repr(float(dtype.type(value)))
        return Value(f"({_C[dtype.name]}){text}", dtype, (), None, ())

    def full_like(self, like: Value, value: float) -> Value:
        return self.asarray(value, like.dtype)

    def zeros_like(self, like: Value) -> Value:
        return self.asarray(0.0, like.dtype)

    def ones_like(self, like: Value) -> Value:
        return self.asarray(1.0, like.dtype)

    def copyto(self, out: Value, value: Value) -> None:
        self._noted.append(("copyto", (value,), out))

    def call(self, step: Step) -> None:
        """Another step in the midst of a chain."""
        self._noted.append(step)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in _FLOAT and name not in _WHOLE:
            raise AttributeError(f"tracing knows no operation {name}")

        def operation(*operands: Value, out: Value) -> None:
            self._noted.append((name, operands, out))

        return operation

    # --- kernels ---

    def kernels(self, step: Step, name: str) -> Callable[..., None]:
        """What `step` does to the arrays, with as few kernels as possible. Called with the numbers, if there are any.

        `name` shows in profilers.
        """
        if step is nothing:
            return nothing
        self._noted = []
        step()
        noted, self._noted = self._noted, None
        steps: list[Callable[..., None]] = []
        chain: list[_Noted] = []

        def end_chain() -> None:
            if chain:
                steps.append(self._kernel(tuple(chain), name))
                chain.clear()

        for entry in noted:
            if callable(entry):
                end_chain()
                steps.append(entry)
                continue
            if chain and chain[-1][2].shape != entry[2].shape:
                end_chain()
            chain.append(entry)
        end_chain()
        if self._numbers:
            assert len(steps) == 1
            return steps[0]
        return in_turn(steps)

    def _kernel(self, chain: tuple[_Noted, ...], name: str) -> Callable[..., None]:
        used = {leaf for _, operands, out in chain for value in (*operands, out) for leaf in value.leaves}
        written = {out.stored for _, _, out in chain}
        results = [value for value in self._arrays if value in written]
        inputs = [value for value in self._arrays if value in used - written]
        kind = _C[self._dtype.name]
        # Arrays are read once and written once: what is done between, is done to copies in registers.
        lines = [f"{kind} {value.code} = {_parameter(value)};" for value in (*inputs, *results)]
        lines += [f"{kind} {value.code} = 0;" for value in self._temporaries.values() if value in used]
        for operation, operands, out in chain:
            template = (_WHOLE if out.dtype.kind == "i" else _FLOAT)[operation]
            code = template.format(*(f"({value.code})" for value in operands), type=_C[out.dtype.name])
            if out.bits_of is not None:
                code = _FROM_BITS[out.stored.dtype.name].format(code)
            lines.append(f"{out.stored.code} = {code};")
        lines += [f"{_parameter(value)} = {value.code};" for value in results]
        run = _compiled(
            self._xp, ", ".join(f"{value.dtype.name} {value.code if value.array is None else _parameter(value)}"
                                for value in (*self._numbers, *inputs)),
            ", ".join(f"{value.dtype.name} {_parameter(value)}" for value in results), "\n".join(lines), name)
        arrays = tuple(value.array for value in (*inputs, *results))
        if not self._numbers:
            return lambda: run(*arrays)
        number_of = self._dtype.type
        return lambda *values: run(*(number_of(value) for value in values), *arrays)


class Calls:
    """NumPy for chains such as a Tracer takes them: its operations are noted once and later called one by one.

    That spares a chain its own frame, and looking up and naming what does not change: 0.15 us for each call in place
    of 0.27 us, half the time of a step of a tiny network.
    """

    def __init__(self, xp: Any) -> None:
        self._xp = xp
        self._noted: list[Step] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._xp, name)
        if name not in _FLOAT and name not in _WHOLE:
            return found

        def operation(*operands: Any, out: Any) -> None:
            self._noted.append(_calling(self._xp, name, *operands, out))

        return operation

    def copyto(self, out: Any, value: Any) -> None:
        self._noted.append(functools.partial(self._xp.copyto, out, value))

    def call(self, step: Step) -> None:
        """Another step in the midst of a chain."""
        self._noted.append(step)

    def of(self, step: Step) -> Step:
        """The calls of a step."""
        self._noted = []
        step()
        return in_turn(self._noted)


#: name of an operation of the array module, its operands, and the array that it writes
Operation = tuple[Any, ...]


def bind_chain(xp: Any, *operations: Operation, name: str) -> Step:
    """These operations in turn: one kernel of a GPU for each shape that is written, plain calls elsewhere."""
    if not traces(xp):
        return in_turn([_calling(xp, *operation) for operation in operations])
    tracer = Tracer(xp, operations[0][-1].dtype)

    def chain() -> None:
        for operation, *operands, out in operations:
            getattr(tracer, operation)(*map(tracer.array, operands), out=tracer.array(out))

    return tracer.kernels(chain, name)


def _calling(xp: Any, operation: str, *arrays: Any) -> Step:
    """One operation on the processor; an output by its place is quicker than by its name."""
    if operation in ("maximum", "minimum"):  # where NumPy does not want that
        return functools.partial(getattr(xp, operation), *arrays[:-1], out=arrays[-1])
    return functools.partial(getattr(xp, operation), *arrays)


def _parameter(value: Value) -> str:
    """Name of the kernel's parameter for an array."""
    return f"in_{value.code}"


@functools.cache
def _compiled(xp: Any, inputs: str, outputs: str, body: str, name: str) -> Any:
    return xp.ElementwiseKernel(inputs, outputs, body, f"nndesigner_{name}")
