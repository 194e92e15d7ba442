"""A layer whose arithmetic the user types."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import field_validator

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.layers.formula_text import Operation, Tape, parse
from nndesigner.layers.merge import Merge, bind_sum_to
from nndesigner.spec import Shape, ShapeError, param

_tape = lru_cache(maxsize=256)(parse)


class Formula(Layer):
    """Computes what you type, value by value, from its inputs a, b, c and so on.

    Letters are the inputs in the order of their wires. Known are + − * / ** (power), parentheses, numbers, and exp,
    log, sqrt, abs, tanh, sin, cos, min, max. For example "a * tanh(b)", "max(a, 0) ** 2", "exp(-a ** 2)".

    All inputs have as many axes of the same kind; an input of length 1 along an axis is used for all places of that
    axis. Where a formula has no value (log of a negative number) training stops and names this layer. Derivatives are
    taken by reverse accumulation over the steps of the formula.
    """

    kind = "formula.v1"
    title = "Formula"
    group = "Core"
    icon = "mdi6.function-variant"
    keywords = ("expression", "lambda", "custom", "arithmetic", "function", "equation")
    masking = "keep"
    many = True
    fewest = 1

    formula: str = param("tanh(a)", "Formula", "Arithmetic with the inputs a, b, c in the order of their wires: + - * "
                         "/ ** ( ) exp log sqrt abs tanh sin cos min max.")

    @field_validator("formula")
    @classmethod
    def _readable(cls, text: str) -> str:
        tape = _tape(text)
        if not tape.letters:
            raise ValueError("The formula uses no input: write a for the first one.")
        if tape.unused:
            raise ValueError(f"The formula passes over {tape.unused}: use the letters in order, from a.")
        return text

    @property
    def tape(self) -> Tape:
        """The formula as a list of operations."""
        return _tape(self.formula)

    def output_shape(self, *inputs: Shape) -> Shape:
        wanted = self.tape.letters
        if len(inputs) != wanted:
            todo = "connect another layer" if len(inputs) < wanted else "use its letter in the formula or cut the wire"
            raise ShapeError(f"{wanted} {'input' if wanted == 1 else 'inputs'} for '{self.formula}'",
                             f"{len(inputs)}", todo)
        if any(shape.integer for shape in inputs):
            raise ShapeError("real numbers", next(s for s in inputs if s.integer), "put an Embedding before it")
        return inputs[0] if wanted == 1 else Merge.output_shape(self, *inputs)

    def multiply_adds(self, *inputs: Shape) -> int:
        count = sum(o.name not in ("input", "const") for o in self.tape.operations)
        return count * self.output_shape(*inputs).size

    def summary(self) -> str:
        return self.formula if len(self.formula) <= 18 else self.formula[:17] + "…"

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        return _Arithmetic(ctx, self.tape).steps()


class _Arithmetic:
    """The operations of a tape over arrays, and their derivatives in reverse order."""

    def __init__(self, ctx: Bind, tape: Tape) -> None:
        self.ctx, self.tape, self.xp = ctx, tape, ctx.xp
        last = len(tape.operations) - 1
        #: array of each operation; a constant is a number of the right type
        self.values: list[Any] = []
        for i, o in enumerate(tape.operations):
            if o.name == "input":
                value = ctx.x[o.number]
            elif o.name == "const":
                value = np.dtype(ctx.dtype).type(o.value)
            else:
                dims = np.broadcast_shapes(*(self.values[j].shape for j in o.inputs))
                value = ctx.y if i == last and dims == ctx.y.shape else ctx.scratch(f"value {i}", dims)
            self.values.append(value)

    def steps(self) -> tuple[Step, Step]:
        operations, xp, ctx = self.tape.operations, self.xp, self.ctx
        forward = [self._forward(i, o) for i, o in enumerate(operations) if o.name not in ("input", "const")]
        result = self.values[-1]
        if result is not ctx.y:
            forward.append(lambda: xp.copyto(ctx.y, result))
        if not ctx.training:
            return in_turn(forward), nothing
        return in_turn(forward), in_turn(self._backward_steps())

    def _forward(self, i: int, o: Operation) -> Step:
        xp, out = self.xp, self.values[i]
        function = getattr(xp, {
            "sub": "subtract", "mul": "multiply", "div": "divide", "pow": "power", "neg": "negative", "min": "minimum",
            "max": "maximum"}.get(o.name, o.name))
        operands = [self.values[j] for j in o.inputs]
        if o.name == "pow" and not isinstance(operands[1], np.ndarray) and operands[1] == 2:
            function, operands = xp.multiply, [operands[0], operands[0]]
        if len(operands) == 1:
            (x,) = operands
            return lambda: function(x, out=out)
        x, z = operands
        return lambda: function(x, z, out=out)

    def _backward_steps(self) -> list[Step]:
        """Gradients of all operations that an input with a gradient leads to, from the last to the first."""
        operations, ctx, xp = self.tape.operations, self.ctx, self.xp
        wanted = []
        for o in operations:
            wanted.append(
                ctx.dx[o.number] is not None if o.name == "input" else any(wanted[j] for j in o.inputs))
        grads: dict[int, Any] = {}
        for i, o in enumerate(operations):
            if wanted[i]:
                grads[i] = ctx.dx[o.number] if o.name == "input" else ctx.scratch(f"gradient {i}", self.values[i].shape)
        last = len(operations) - 1
        steps: list[Step] = []
        if last in grads:
            steps.append(bind_sum_to(xp, ctx.dy, grads[last]))
        begun = {last}
        for i in reversed(range(len(operations))):
            if i not in grads or operations[i].name in ("input", "const"):
                continue
            for side, j in enumerate(operations[i].inputs):
                if j not in grads:
                    continue
                part = ctx.scratch(f"part {len(self.values[i].shape)} {self.values[i].shape}", self.values[i].shape)
                steps += self._slope(i, side, grads[i], part)
                if j not in begun:
                    steps.append(bind_sum_to(xp, part, grads[j]))
                    begun.add(j)
                elif part.shape == grads[j].shape:
                    steps.append(_adder(xp, grads[j], part))
                else:
                    small = ctx.scratch(f"sum {grads[j].shape}", grads[j].shape)
                    steps += [bind_sum_to(xp, part, small), _adder(xp, grads[j], small)]
        return steps

    def _slope(self, i: int, side: int, g: Any, t: Any) -> list[Step]:
        """Steps that fill t with the gradient g of operation i times its derivative by operand `side`."""
        xp, o, y = self.xp, self.tape.operations[i], self.values[i]
        x = self.values[o.inputs[0]]
        z = self.values[o.inputs[1]] if len(o.inputs) > 1 else None
        one, half = (np.dtype(self.ctx.dtype).type(v) for v in (1.0, 0.5))
        times_g = lambda: xp.multiply(t, g, out=t)  # noqa: E731
        match o.name, side:
            case ("add", _) | ("sub", 0):
                return [lambda: xp.copyto(t, g)]
            case ("sub", 1) | ("neg", _):
                return [lambda: xp.negative(g, out=t)]
            case "mul", _:
                other = z if side == 0 else x
                return [lambda: xp.multiply(g, other, out=t)]
            case "div", 0:
                return [lambda: xp.divide(g, z, out=t)]
            case "div", 1:
                return [lambda: xp.divide(y, z, out=t), times_g, lambda: xp.negative(t, out=t)]
            case "pow", 0:
                less = self.ctx.scratch(f"less {i}", z.shape) if isinstance(z, type(y)) else z - one
                before = [lambda: xp.subtract(z, one, out=less)] if isinstance(z, type(y)) else []
                return [*before, lambda: xp.power(x, less, out=t), lambda: xp.multiply(t, z, out=t), times_g]
            case "pow", 1:
                return [lambda: xp.multiply(g, y, out=t), *self._times_log(x, t)]
            case "exp", _:
                return [lambda: xp.multiply(g, y, out=t)]
            case "log", _:
                return [lambda: xp.divide(g, x, out=t)]
            case "sqrt", _:
                return [lambda: xp.divide(half, y, out=t), times_g]
            case "abs", _:
                return [lambda: xp.sign(x, out=t), times_g]
            case "tanh", _:
                return [lambda: xp.multiply(y, y, out=t), lambda: xp.subtract(one, t, out=t), times_g]
            case "sin", _:
                return [lambda: xp.cos(x, out=t), times_g]
            case "cos", _:
                return [lambda: xp.sin(x, out=t), times_g, lambda: xp.negative(t, out=t)]
        # of two equal numbers the first one is the smallest or largest
        compare = {("min", 0): xp.less_equal, ("min", 1): xp.greater, ("max", 0): xp.greater_equal,
                   ("max", 1): xp.less}[o.name, side]
        return [lambda: compare(x, z, out=t), times_g]

    def _times_log(self, x: Any, t: Any) -> list[Step]:
        xp = self.xp
        if not isinstance(x, type(self.ctx.y)):
            log = np.dtype(self.ctx.dtype).type(np.log(x))
            return [lambda: xp.multiply(t, log, out=t)]
        log = self.ctx.scratch(f"log {x.shape}", x.shape)
        return [lambda: xp.log(x, out=log), lambda: xp.multiply(t, log, out=t)]


def _adder(xp: Any, total: Any, part: Any) -> Step:
    return lambda: xp.add(total, part, out=total)
