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
            weights["b"] = Weight((self.units,), "zeros", features, self.units, decay=False)
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
        multiply = x.dot
        steps = [lambda: multiply(W, out=y)]
        if self.bias and not traces(xp):
            steps.append(self._bind_bias(xp, ctx, y))
        forward = in_turn([*steps, act])
        if not ctx.training:
            return forward, nothing

        dW, x_by_sample = ctx.grads["W"], x.T
        back = [act_back, lambda: x_by_sample.dot(dz, out=dW)]
        if self.bias:
            db, ones = ctx.grads["b"], xp.ones(y.shape[0], dtype=ctx.dtype)
            back.append(lambda: ones.dot(dz, out=db))
        if ctx.dx[0] is not None:
            dx, W_back = ctx.dx[0].reshape(x.shape), W.T
            back.append(lambda: dz.dot(W_back, out=dx))
        return forward, in_turn(back)

    def _bind_bias(self, xp: Any, ctx: Bind, y: Any) -> Step:
        """y += b in every row."""
        b = ctx.weights["b"]
        if y.size > PART:
            return lambda: xp.add(y, b, out=y)
        # Small arrays: b copied to all rows and added as a whole takes 0.3 us for 10 x 8 values, broadcasting 0.8 us.
        rows = ctx.scratch("bias", y.shape)
        flat = y.reshape(-1)
        return in_turn([partial(rows.__setitem__, ..., b), partial(xp.add, flat, rows.reshape(-1), flat)])
