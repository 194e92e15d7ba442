"""Weighted sums of all inputs."""

from __future__ import annotations

from functools import partial
from typing import Any

from nndesigner.layers.base import Bind, Step, Weight
from nndesigner.layers.elementwise import PART, bind_finish, in_turn, nothing
from nndesigner.layers.tracing import traces
from nndesigner.layers.weighted import (
    ActivationName,
    InitialiserName,
    Penalised,
    activation_param,
    activation_title,
    bias_param,
    fused,
    initialiser_param,
)
from nndesigner.spec import Insert, Shape, ShapeError, param

#: inputs of a batch up to which one product in place of product and sum pays for copying them behind a column of ones
FEW = 4096


class Dense(Penalised):
    """Every output is a weighted sum of all inputs: the basic layer.

    y = activation(x · W + b)

    Shapes: F → units; T × F → T × units, the same weights at every time step. At the end of a network it gives one
    score for each class. Also called fully connected or linear. PyTorch: Linear (with W transposed).
    """

    kind = "dense.v1"
    title = "Dense"
    group = "Core"
    icon = "mdi6.dots-vertical"
    keywords = ("linear", "fully connected", "affine", "perceptron", "mlp", "layer")
    masking = "keep"

    units: int = param(
        32, "Units", "Number of outputs. Higher: can learn more complicated things, but is slower and may learn the "
        "training data by heart.", ge=1, le=1_000_000)
    activation: ActivationName = activation_param()
    bias: bool = bias_param()
    initialiser: InitialiserName = initialiser_param()

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.integer:
            raise ShapeError("real numbers", shape, "put an Embedding before it")
        if shape.axes not in ("F", "TF"):
            raise ShapeError("F or T × F", shape, "put a Flatten before it", (Insert("flatten.v1"),))
        return Shape(shape.axes, (*shape.dims[:-1], self.units))

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        features = inputs[0].dims[-1]
        weights = {"W": Weight((features, self.units), self.initialiser, features, self.units,
                                penalty=self.penalty())}
        if self.bias:
            weights["b"] = Weight((self.units,), "zeros", features, self.units, decay=False, joined=True)
        return weights

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size * self.units

    def summary(self) -> str:
        return " · ".join(filter(None, (str(self.units), activation_title(self.activation))))

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, W = ctx.xp, ctx.weights["W"]
        x = ctx.x[0].reshape(-1, W.shape[0])  # [N, F]
        y = ctx.y.reshape(-1, W.shape[1])  # [N, units]
        dz = ctx.dy.reshape(y.shape) if ctx.training else None
        activation = fused(self.activation)
        act, act_back = nothing, nothing
        if traces(xp):
            keeps = activation.keeps if activation is not None and ctx.training else 0
            kept = [ctx.scratch(f"kept {i}", y.shape) for i in range(keeps)]
            act, act_back = bind_finish(xp, activation, kept, ctx.weights.get("b"), y, y, dz, dz)
        elif activation is not None:
            act, act_back = activation.bind_arrays(xp, ctx.scratch, y, y, dz, dz)
        joined = "joined" in ctx.weights and x.size <= FEW and not traces(xp)
        sums, gradients = (self._bind_joined if joined else self._bind_apart)(ctx, x, y, dz)
        forward = in_turn([sums, act])
        if not ctx.training:
            return forward, nothing
        back = [act_back, gradients]
        if ctx.dx[0] is not None:
            back.append(partial(dz.dot, W.T, ctx.dx[0].reshape(x.shape)))
        return forward, in_turn(back)

    def _bind_joined(self, ctx: Bind, x: Any, y: Any, dz: Any) -> tuple[Step, Step]:
        """(y = x · W + b, gradients of W and b): b is the row of W behind those of the inputs, for an input of 1."""
        rows = ctx.scratch("with a one", (x.shape[0], x.shape[1] + 1))
        rows[:, -1] = 1
        sums = in_turn([partial(rows[:, :-1].__setitem__, ..., x), partial(rows.dot, ctx.weights["joined"], y)])
        return sums, partial(rows.T.dot, dz, ctx.grads["joined"]) if ctx.training else nothing

    def _bind_apart(self, ctx: Bind, x: Any, y: Any, dz: Any) -> tuple[Step, Step]:
        """The same in a product and a sum each."""
        xp, steps, back = ctx.xp, [partial(x.dot, ctx.weights["W"], y)], []
        if self.bias and not traces(xp):  # there it is a part of the kernel behind
            steps.append(self._bind_bias(xp, ctx, y))
        if ctx.training:
            back.append(partial(x.T.dot, dz, ctx.grads["W"]))
            if self.bias:
                back.append(partial(xp.ones(y.shape[0], dtype=ctx.dtype).dot, dz, ctx.grads["b"]))
        return in_turn(steps), in_turn(back)

    def _bind_bias(self, xp: Any, ctx: Bind, y: Any) -> Step:
        """y += b in every row."""
        b = ctx.weights["b"]
        if y.size > PART:
            return lambda: xp.add(y, b, out=y)
        # Small arrays: b copied to all rows and added as a whole takes 0.3 us for 10 x 8 values, broadcasting 0.8 us.
        rows = ctx.scratch("bias", y.shape)
        flat = y.reshape(-1)
        return in_turn([partial(rows.__setitem__, ..., b), partial(xp.add, flat, rows.reshape(-1), flat)])
