"""Functions with values between fixed limits, and those that compare the values of an axis with each other."""

from __future__ import annotations

from typing import Any

from nndesigner.layers.base import Bind, Layer, Step
from nndesigner.layers.elementwise import (
    Elementwise,
    Sloped,
    Temporary,
    bind_positive,
    nothing,
    number,
    sign_bits,
)
from nndesigner.layers.rows import bind_row_max, bind_row_sum
from nndesigner.spec import Shape, ShapeError


class Sigmoid(Elementwise):
    """Squeezes every value between 0 and 1.

    y = 1 / (1 + e⁻ˣ)

    For gates and yes-or-no values. Not in front of an Output that classifies: that applies it itself.
    """

    kind = "sigmoid.v1"
    title = "Sigmoid"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("logistic", "activation", "gate", "squash")

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        half = number(x, 0.5, xp)

        def forward() -> None:
            # (1 + tanh(x/2)) / 2 never overflows, and tanh is NumPy's fastest transcendental
            xp.multiply(x, half, out=y)
            xp.tanh(y, out=y)
            xp.multiply(y, half, out=y)
            xp.add(y, half, out=y)

        if dy is None:
            return forward, nothing
        t = temporary("t")

        def backward() -> None:
            xp.multiply(y, y, out=t)
            xp.subtract(y, t, out=t)
            xp.multiply(dy, t, out=dx)

        return forward, backward


class HardSigmoid(Elementwise):
    """Sigmoid made of three straight pieces: nearly the same, and cheap on small machines.

    y = min(max(x / 6 + 1/2, 0), 1)

    Source: Howard et al. 2019 (MobileNetV3), arXiv:1905.02244. PyTorch: Hardsigmoid.
    """

    kind = "hardsigmoid.v1"
    title = "Hard sigmoid"
    icon = "mdi6.chart-line-variant"
    keywords = ("mobile", "piecewise", "gate", "activation", "hardsigmoid")

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        zeros, ones = xp.zeros_like(x), xp.ones_like(x)
        sixth, half = number(x, 1 / 6, xp), number(x, 0.5, xp)

        def forward() -> None:
            xp.multiply(x, sixth, out=y)
            xp.add(y, half, out=y)
            xp.maximum(y, zeros, out=y)
            xp.minimum(y, ones, out=y)

        if dy is None:
            return forward, nothing
        rest = temporary("rest")
        mask, below, dy_bits, dx_bits = (
            sign_bits(xp, array)[0] for array in (temporary("mask"), temporary("below"), dy, dx))
        find, find_below = bind_positive(xp, y, mask), bind_positive(xp, rest, below)

        def backward() -> None:
            find()
            xp.subtract(ones, y, out=rest)
            find_below()
            xp.bitwise_and(mask, below, out=mask)
            xp.bitwise_and(dy_bits, mask, out=dx_bits)
            xp.multiply(dx, sixth, out=dx)

        return forward, backward


class Tanh(Elementwise):
    """Squeezes every value between −1 and 1.

    y = tanh(x)

    Smooth and centred at zero; good in small networks, in gates and at the end of a generator.
    """

    kind = "tanh.v1"
    title = "Tanh"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("hyperbolic tangent", "activation", "squash")

    def bind_part(self, xp: Any, x: Any, y: Any, dx: Any, dy: Any, kept: list[Any], temporary: Temporary
                  ) -> tuple[Step, Step]:
        def forward() -> None:
            xp.tanh(x, out=y)

        if dy is None:
            return forward, nothing
        t = temporary("t")

        def backward() -> None:
            xp.multiply(y, y, out=t)
            xp.multiply(t, dy, out=t)
            xp.subtract(dy, t, out=dx)

        return forward, backward


class Softsign(Sloped):
    """Squeezes every value between −1 and 1, more gently than tanh.

    y = x / (1 + |x|)

    Large values keep more of their gradient than with tanh. Source: Turian et al. 2009.
    """

    kind = "softsign.v1"
    title = "Softsign"
    icon = "mdi6.chart-bell-curve-cumulative"
    keywords = ("squash", "activation")

    def bind_value(self, xp: Any, x: Any, y: Any, slope: Any | None, temporary: Temporary) -> Step:
        one, t = number(x, 1.0, xp), temporary("t")

        def forward() -> None:
            xp.absolute(x, out=t)
            xp.add(t, one, out=t)
            xp.divide(x, t, out=y)
            if slope is not None:  # 1 / (1 + |x|)²
                xp.multiply(t, t, out=t)
                xp.divide(one, t, out=slope)

        return forward


class _LastAxis(Layer):
    """Shared by the functions over the last axis of values."""

    group = "Activation"
    masking = "keep"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


class Softmax(_LastAxis):
    """Turns scores into shares that add up to one, over the last axis.

    y = eˣ / Σ eˣ

    For attention-like weights inside a network. Not in front of an Output that classifies: that applies it itself.
    """

    kind = "softmax.v1"
    title = "Softmax"
    icon = "mdi6.chart-bar"
    keywords = ("probabilities", "normalised exponential", "activation")

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, classes = ctx.xp, ctx.x[0].shape[-1]
        x, y = ctx.x[0].reshape(-1, classes), ctx.y.reshape(-1, classes)  # [N, K]
        row = ctx.scratch("row", (x.shape[0], 1))
        find_top, add_up = bind_row_max(xp, x, row), bind_row_sum(xp, y, row)

        def forward() -> None:
            find_top()
            xp.subtract(x, row, out=y)
            xp.exp(y, out=y)
            add_up()
            xp.divide(y, row, out=y)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dy, dx = ctx.dy.reshape(-1, classes), ctx.dx[0].reshape(-1, classes)
        add_products = bind_row_sum(xp, dx, row)

        def backward() -> None:
            # dx = y · (dy − Σ dy · y)
            xp.multiply(dy, y, out=dx)
            add_products()
            xp.subtract(dy, row, out=dx)
            xp.multiply(dx, y, out=dx)

        return forward, backward


class LogSoftmax(_LastAxis):
    """Logarithm of softmax: scores whose exponentials add up to one, over the last axis.

    y = x − log Σ eˣ

    For log-probabilities inside a network. Not in front of an Output that classifies: that applies softmax itself.
    """

    kind = "logsoftmax.v1"
    title = "Log-softmax"
    icon = "mdi6.chart-bar"
    keywords = ("log probabilities", "activation", "logsoftmax")

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, classes = ctx.xp, ctx.x[0].shape[-1]
        x, y = ctx.x[0].reshape(-1, classes), ctx.y.reshape(-1, classes)  # [N, K]
        row, t = ctx.scratch("row", (x.shape[0], 1)), ctx.scratch("t", x.shape)
        find_top, add_up = bind_row_max(xp, x, row), bind_row_sum(xp, t, row)

        def forward() -> None:
            find_top()
            xp.subtract(x, row, out=y)
            xp.exp(y, out=t)
            add_up()
            xp.log(row, out=row)
            xp.subtract(y, row, out=y)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dy, dx = ctx.dy.reshape(-1, classes), ctx.dx[0].reshape(-1, classes)
        add_gradients = bind_row_sum(xp, dy, row)

        def backward() -> None:
            # dx = dy − eʸ · Σ dy
            xp.exp(y, out=t)
            add_gradients()
            xp.multiply(t, row, out=t)
            xp.subtract(dy, t, out=dx)

        return forward, backward


class GLU(_LastAxis):
    """Splits the last axis in halves; the second half decides how much of the first one passes.

    y = a · sigmoid(b), x = (a, b)

    The last axis must be even; the output has half its length. In language and audio networks. Source: Dauphin et al.
    2017, arXiv:1612.08083.
    """

    kind = "glu.v1"
    title = "GLU"
    icon = "mdi6.gate"
    keywords = ("gated linear unit", "gate", "activation")

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.dims[-1] % 2:
            raise ShapeError(f"an even number of {shape.axes[-1]}", shape, "make the layer before it one larger")
        return Shape(shape.axes, (*shape.dims[:-1], shape.dims[-1] // 2))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, n = ctx.xp, ctx.y.shape[-1]
        a, b = ctx.x[0][..., :n], ctx.x[0][..., n:]
        y, gate, half = ctx.y, ctx.scratch("gate", ctx.y.shape), number(ctx.y, 0.5, xp)

        def forward() -> None:
            xp.multiply(b, half, out=gate)
            xp.tanh(gate, out=gate)
            xp.multiply(gate, half, out=gate)
            xp.add(gate, half, out=gate)
            xp.multiply(a, gate, out=y)

        if not ctx.training or ctx.dx[0] is None:
            return forward, nothing
        dy, da, db = ctx.dy, ctx.dx[0][..., :n], ctx.dx[0][..., n:]

        def backward() -> None:
            # da = dy · g, db = dy · a · g · (1 − g) = y · (dy − da)
            xp.multiply(dy, gate, out=da)
            xp.subtract(dy, da, out=db)
            xp.multiply(db, y, out=db)

        return forward, backward
