"""Proof that a backward pass is the derivative of its forward pass.

Method: along one random direction d through all inputs and weights, the slope of f = sum(c * y) from forward passes
must equal gradient . d from the backward pass. A few forward passes check all elements at once, in float64. Where the
slope itself jumps (a ReLU's kink) no derivative exists; such points are noticed by further passes and drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nndesigner.engine.random import Stream, generator, normal_from
from nndesigner.layers.base import Bind, Layer
from nndesigner.spec import Shape
from nndesigner.spec.loss import Loss, LossBind

#: Length of the step along the direction (of unit length for each array).
STEP = 1e-4
#: Points tried before giving up on finding one where the function is smooth.
ATTEMPTS = 20


class GradientError(AssertionError):
    """The backward pass is wrong, or the function is smooth nowhere."""


def bind_layer(
    layer: Layer, shapes: Sequence[Shape], batch: int, *, xp: Any = np, dtype: Any = np.float64, seed: int = 0,
    training: bool = True, want_dx: bool = True, step: int = 0,
) -> Bind:
    """A Bind with arrays of its own for one layer: inputs, weights and gradients filled with random numbers.

    `shapes` are those of the inputs without batch. Whole-number inputs (`Shape.integer`) are zeros and get no gradient.
    Random numbers of the layer repeat at every forward pass, as a derivative needs.
    """
    rng = generator(seed, "gradcheck")
    dtype = np.dtype(dtype)

    def filled(shape: tuple[int, ...]) -> Any:
        return xp.asarray(rng.standard_normal(shape).astype(dtype))

    def scratch(name: str, shape: tuple[int, ...], dtype: Any = dtype) -> Any:
        key = (name, tuple(shape), np.dtype(dtype))
        if key not in arrays:
            arrays[key] = xp.zeros(shape, dtype=dtype)
        return arrays[key]

    def uniform(purpose: str, out: Any) -> None:
        Stream(seed, purpose, "gradcheck", xp).uniform(step, out)

    def normal(purpose: str, out: Any) -> None:
        normal_from(xp, lambda values: uniform(purpose, values), out)()

    arrays: dict[Any, Any] = {}
    x = tuple(
        xp.zeros((batch, *s.dims), dtype=np.int64) if s.integer else filled((batch, *s.dims)) for s in shapes)
    out = layer.output_shape(*shapes)
    weights = {name: filled(w.shape) for name, w in layer.weights(*shapes).items()}
    y = xp.reshape(x[0], (batch, *out.dims)) if layer.view else xp.zeros((batch, *out.dims), dtype=dtype)
    return Bind(
        xp=xp, dtype=dtype, batch=batch, training=training, x=x, y=y,
        dx=tuple(filled(a.shape) if want_dx and not s.integer else None for a, s in zip(x, shapes)),
        dy=filled((batch, *out.dims)), weights=weights, grads={name: filled(w.shape) for name, w in weights.items()},
        buffers={n: xp.full(w.shape, 0.0 if w.init == "zeros" else 1.0, dtype=dtype)
                 for n, w in layer.buffers(*shapes).items()},
        scratch=scratch, uniform=uniform, normal=normal,
        loss=xp.zeros(1, dtype=dtype) if layer.adds_loss else None,
    )


def check_layer(layer: Layer, *shapes: Shape, batch: int = 3, seed: int = 0, training: bool = True,
                tolerance: float = 1e-6) -> None:
    """Raise GradientError unless backward of `layer` is the derivative of its forward for inputs of these shapes."""
    ctx = bind_layer(layer, shapes, batch, seed=seed, training=training)
    if layer.view:
        return  # the plan passes the gradient on as it is
    forward, backward = layer.bind(ctx)
    variables = {f"input {i}": (x, dx) for i, (x, dx) in enumerate(zip(ctx.x, ctx.dx)) if dx is not None}
    variables.update({name: (ctx.weights[name], ctx.grads[name]) for name in ctx.weights})
    coefficients = generator(seed, "gradcheck output").standard_normal(ctx.y.shape)

    def value() -> float:
        return float(np.sum(ctx.y * coefficients)) + (float(ctx.loss[0]) if ctx.loss is not None else 0.0)

    def gradient() -> None:
        ctx.dy[...] = coefficients
        backward()

    _check(repr(layer), forward, gradient, value, variables, seed, tolerance)


def check_loss(loss: Loss, x: np.ndarray, target: np.ndarray, *, weight: float = 1.0, seed: int = 0,
               tolerance: float = 1e-6) -> None:
    """Raise GradientError unless backward of `loss` is the derivative of weight * loss at x (moved at kinks)."""
    x = np.array(x, dtype=np.float64)
    dx = generator(seed, "gradcheck").standard_normal(x.shape)
    arrays: dict[Any, np.ndarray] = {}

    def scratch(name: str, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
        return arrays.setdefault((name, tuple(shape)), np.zeros(shape, dtype=dtype))

    value = np.zeros(1)
    forward, backward = loss.bind(LossBind(np, x, target, np.zeros_like(x), dx, value, weight, scratch))
    _check(repr(loss), forward, backward, lambda: weight * float(value[0]), {"x": (x, dx)}, seed, tolerance, False)


def _check(
    name: str, forward: Callable[[], None], backward: Callable[[], None], value: Callable[[], float],
    variables: dict[str, tuple[np.ndarray, np.ndarray]], seed: int, tolerance: float, redraw: bool = True,
) -> None:
    if not variables:
        raise GradientError(f"{name} has nothing to differentiate by.")
    rng = generator(seed, "gradcheck direction")
    for _ in range(ATTEMPTS):
        base = {key: x.copy() for key, (x, _) in variables.items()}
        directions = {key: _unit(rng, x.shape) for key, x in base.items()}

        def at(step: float, base: dict = base, directions: dict = directions) -> float:
            for key, (x, _) in variables.items():
                x[...] = base[key] + step * directions[key]
            forward()
            return value()

        slopes = [(at(h) - at(-h)) / (2 * h) for h in (STEP, STEP / 2)]
        middle = at(0.0)
        left, right = (middle - at(-STEP)) / STEP, (at(STEP) - middle) / STEP
        at(0.0)
        backward()
        scale = max(abs(slopes[0]), abs(left), abs(right), 1e-3)
        # Smooth: one-sided slopes differ by f'' h, and halving h changes the central slope by O(h^2) only.
        if abs(right - left) < 100 * STEP * scale and abs(slopes[0] - slopes[1]) < 0.1 * tolerance * scale:
            break
        for key, (x, _) in variables.items():
            x[...] = rng.standard_normal(x.shape) if redraw else base[key] + 1e-2 * rng.standard_normal(x.shape)
    else:
        raise GradientError(f"{name}: no smooth point found in {ATTEMPTS} attempts.")
    parts = {key: float(np.sum(dx * directions[key])) for key, (_, dx) in variables.items()}
    found, wanted = sum(parts.values()), (4 * slopes[1] - slopes[0]) / 3  # Richardson: error O(h^4)
    if not abs(found - wanted) <= tolerance * max(abs(wanted), scale):
        lines = []
        for key, part in parts.items():
            for other, (x, _) in variables.items():
                x[...] = base[other]
            x = variables[key][0]
            ends = []
            for sign in (1, -1):
                x[...] = base[key] + sign * STEP * directions[key]
                forward()
                ends.append(value())
            lines.append(f"  by {key} {x.shape}: backward {part:.10g}, forward {(ends[0] - ends[1]) / (2 * STEP):.10g}")
            x[...] = base[key]
        raise GradientError(f"{name}: slope by backward {found:.10g}, by forward {wanted:.10g}\n" + "\n".join(lines))


def _unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    direction = rng.standard_normal(shape)
    return direction / np.sqrt(np.sum(direction * direction))
