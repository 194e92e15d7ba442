"""The gradient check finds wrong gradients, passes right ones, and steps around kinks."""

import numpy as np
import pytest

from nndesigner.engine.gradcheck import GradientError, check_layer, check_loss
from nndesigner.layers.base import Bind, Layer, Step, Weight
from nndesigner.layers.dense import Dense
from nndesigner.spec import Shape
from nndesigner.spec.loss import Loss, LossBind


class _Scale(Layer):
    """y = w · |x|, with a gradient that is wrong by the factors given."""

    title = "Scale"
    weight_error: float = 1.0
    input_error: float = 1.0

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        return {"w": Weight(inputs[0].dims)}

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        x, w = ctx.x[0], ctx.weights["w"]

        def forward() -> None:
            np.multiply(w, np.abs(x), out=ctx.y)

        def backward() -> None:
            ctx.grads["w"][...] = self.weight_error * (ctx.dy * np.abs(x)).sum(axis=0)
            ctx.dx[0][...] = self.input_error * ctx.dy * w * np.sign(x)

        return forward, backward


def test_right_gradients_pass_whatever_the_seed():
    for seed in range(20):
        check_layer(_Scale(), Shape("F", (4,)), seed=seed)
        check_layer(Dense(units=3, activation="relu"), Shape("F", (5,)), seed=seed)


def test_a_small_error_is_found_and_told_by_variable():
    with pytest.raises(GradientError) as caught:
        check_layer(_Scale(weight_error=1.0001), Shape("F", (4,)))
    text = str(caught.value)
    assert "by w (4,)" in text and "by input 0 (3, 4)" in text
    with pytest.raises(GradientError):
        check_layer(_Scale(input_error=0.9999), Shape("F", (4,)))


class _Jump(_Scale):
    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        forward, backward = super().bind(ctx)

        def jumping() -> None:
            forward()
            ctx.y += np.floor(ctx.x[0] * 1e6)

        return jumping, backward


def test_a_function_smooth_nowhere_is_refused():
    with pytest.raises(GradientError, match="no smooth point"):
        check_layer(_Jump(), Shape("F", (4,)))


class _Half(Loss):
    """Half the squared error."""

    title = "Half"
    tasks = ("regression",)
    wrong: float = 1.0

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        def forward() -> None:
            ctx.value[0] = 0.5 * np.mean((ctx.x - ctx.target) ** 2)

        def backward() -> None:
            ctx.dx[...] = self.wrong * ctx.weight * (ctx.x - ctx.target) / ctx.x.size

        return forward, backward


def test_losses_are_checked_with_their_weight():
    x, target = np.linspace(-1, 1, 6).reshape(3, 2), np.ones((3, 2))
    check_loss(_Half(), x, target, weight=2.5)
    with pytest.raises(GradientError):
        check_loss(_Half(wrong=1.001), x, target)
