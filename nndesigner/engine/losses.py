"""How far predictions are from targets. Every loss is fused with its link function (softmax, sigmoid), for exact
gradients.

The value is the mean over samples and over the elements of a sample, as in PyTorch with reduction="mean".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nndesigner.spec import DataField, ShapeError, param
from nndesigner.spec.loss import Loss, LossBind, Task

Step = Callable[[], None]


def default_loss(task: Task) -> Loss:
    """The loss that is used where none is chosen."""
    return CrossEntropy() if task == "classification" else MeanSquaredError()


def _number(ctx: LossBind, value: float = 0.0) -> Any:
    return ctx.xp.asarray(value, dtype=ctx.x.dtype)


class _Elementwise(Loss):
    """Shared by the losses of values: a function of prediction − target, averaged over all elements."""

    tasks = ("regression", "reconstruction")

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, x, y, target, dx = ctx.xp, ctx.x, ctx.y, ctx.target.reshape(ctx.x.shape), ctx.dx
        d = ctx.scratch("difference", x.shape)
        measure, slope = self._bind_terms(ctx, d)
        copy = y is not x

        def forward() -> None:
            if copy:
                xp.copyto(y, x)
            xp.subtract(x, target, out=d)
            measure()

        return forward, slope if dx is not None else _nothing

    def _bind_terms(self, ctx: LossBind, d: Any) -> tuple[Step, Step]:
        """(write the mean of the terms to ctx.value, write its gradient to ctx.dx), from the differences d."""
        raise NotImplementedError


def _nothing() -> None:
    pass


class MeanSquaredError(_Elementwise):
    """Mean of the squared errors: large errors count much more than small ones.

    L = mean((y − t)²)

    The usual choice for regression and reconstruction. PyTorch: MSELoss.
    """

    kind = "mse.v1"
    title = "Mean squared error"
    icon = "mdi6.square-outline"
    keywords = ("mse", "l2", "least squares", "regression")

    def _bind_terms(self, ctx: LossBind, d: Any) -> tuple[Step, Step]:
        xp, dx, value = ctx.xp, ctx.dx, ctx.value.reshape(())
        flat, total = d.reshape(-1), ctx.scratch("total", ())
        mean, slope = _number(ctx, 1.0 / d.size), _number(ctx, 2.0 * ctx.weight / d.size)

        def measure() -> None:
            flat.dot(flat, out=total)
            xp.multiply(total, mean, out=value)

        def backward() -> None:
            xp.multiply(d, slope, out=dx)

        return measure, backward


class MeanAbsoluteError(_Elementwise):
    """Mean of the absolute errors: outliers count no more than they are.

    L = mean(|y − t|)

    For regression with outliers. PyTorch: L1Loss.
    """

    kind = "mae.v1"
    title = "Mean absolute error"
    icon = "mdi6.arrow-expand-vertical"
    keywords = ("mae", "l1", "robust", "regression")

    def _bind_terms(self, ctx: LossBind, d: Any) -> tuple[Step, Step]:
        xp, dx, value = ctx.xp, ctx.dx, ctx.value.reshape(())
        terms, total = ctx.scratch("terms", d.shape), ctx.scratch("total", ())
        mean, slope = _number(ctx, 1.0 / d.size), _number(ctx, ctx.weight / d.size)

        def measure() -> None:
            xp.absolute(d, out=terms)
            xp.sum(terms, out=total)
            xp.multiply(total, mean, out=value)

        def backward() -> None:
            xp.sign(d, out=dx)
            xp.multiply(dx, slope, out=dx)

        return measure, backward


class Huber(_Elementwise):
    """Squared error for small errors, absolute error for large ones.

    L = mean(e²/2 where |e| ≤ delta, else delta · (|e| − delta/2)), e = y − t

    A compromise for regression with some outliers. Source: Huber 1964. PyTorch: HuberLoss.
    """

    kind = "huber.v1"
    title = "Huber"
    icon = "mdi6.chart-bell-curve"
    keywords = ("smooth l1", "robust", "outliers", "regression")

    delta: float = param(1.0, "Delta", "Error from which on errors count linearly. Higher: like squared error; lower: "
                         "like absolute error.", gt=0, le=1e6)

    def _bind_terms(self, ctx: LossBind, d: Any) -> tuple[Step, Step]:
        xp, dx, value = ctx.xp, ctx.dx, ctx.value.reshape(())
        # c = e clipped to ±delta is the slope, and c·(e − c/2) is the loss in both branches.
        c, terms, total = ctx.scratch("clipped", d.shape), ctx.scratch("terms", d.shape), ctx.scratch("total", ())
        low, high, half = _number(ctx, -self.delta), _number(ctx, self.delta), _number(ctx, 0.5)
        mean, slope = _number(ctx, 1.0 / d.size), _number(ctx, ctx.weight / d.size)

        def measure() -> None:
            xp.maximum(d, low, out=c)
            xp.minimum(c, high, out=c)
            xp.multiply(c, half, out=terms)
            xp.subtract(d, terms, out=terms)
            terms.reshape(-1).dot(c.reshape(-1), out=total)
            xp.multiply(total, mean, out=value)

        def backward() -> None:
            xp.multiply(c, slope, out=dx)

        return measure, backward


class CrossEntropy(Loss):
    """How surprised the network is by the right class; the usual choice for classes.

    p = softmax(x),  L = mean(−Σ q · log p), where q is 1 for the right class. Label smoothing s mixes q with the
    uniform distribution: q = (1 − s) · q + s / K.

    The network ends in one plain score for each class, without softmax. PyTorch: CrossEntropyLoss.
    """

    kind = "cross_entropy.v1"
    title = "Cross-entropy"
    icon = "mdi6.chart-bar"
    keywords = ("softmax", "log loss", "classification", "negative log likelihood", "nll", "categorical")
    tasks = ("classification",)
    link = "softmax"

    label_smoothing: float = param(
        0.0, "Label smoothing", "How much of the truth is spread over all classes. Higher: less sure of itself and "
        "often better on new data; 0: off.", ge=0, lt=1, step=0.01)

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, value = ctx.xp, ctx.value.reshape(())
        classes = ctx.x.shape[-1]
        x, y = ctx.x.reshape(-1, classes), ctx.y.reshape(-1, classes)  # [N, K]
        dx = None if ctx.dx is None else ctx.dx.reshape(-1, classes)
        n = x.shape[0]
        truth = ctx.target.reshape(n, 1)
        numbers = xp.arange(classes, dtype=ctx.target.dtype).reshape(1, classes)
        z, q = ctx.scratch("scores", x.shape), ctx.scratch("truth", x.shape)
        top, total = ctx.scratch("top", (n, 1)), ctx.scratch("sum", (n, 1))
        met, spread = ctx.scratch("met", ()), ctx.scratch("spread", ())
        smooth = self.label_smoothing
        keep, even = _number(ctx, 1.0 - smooth), _number(ctx, smooth / classes)
        mean, slope = _number(ctx, 1.0 / n), _number(ctx, ctx.weight / n)
        z_flat, q_flat = z.reshape(-1), q.reshape(-1)

        def forward() -> None:
            xp.max(x, axis=1, keepdims=True, out=top)
            xp.subtract(x, top, out=z)
            xp.exp(z, out=y)
            xp.sum(y, axis=1, keepdims=True, out=total)
            xp.divide(y, total, out=y)
            xp.equal(numbers, truth, out=q)
            if smooth:
                xp.multiply(q, keep, out=q)
                xp.add(q, even, out=q)
            # −Σ q · log p = log Σ exp z − Σ q · z, because Σ q = 1
            xp.log(total, out=total)
            xp.sum(total, out=spread)
            z_flat.dot(q_flat, out=met)
            xp.subtract(spread, met, out=spread)
            xp.multiply(spread, mean, out=value)

        def backward() -> None:
            xp.subtract(y, q, out=dx)
            xp.multiply(dx, slope, out=dx)

        return forward, backward if dx is not None else _nothing


class BinaryCrossEntropy(Loss):
    """Cross-entropy of yes-or-no answers, each with a probability of its own.

    p = sigmoid(x),  L = mean(−t · log p − (1 − t) · log(1 − p))

    For two classes with ONE score, for several labels at once, and for pictures with values from 0 to 1 (autoencoders).
    The network ends in plain scores, without sigmoid. PyTorch: BCEWithLogitsLoss.
    """

    kind = "binary_cross_entropy.v1"
    title = "Binary cross-entropy"
    icon = "mdi6.toggle-switch"
    keywords = ("bce", "sigmoid", "logistic", "two classes", "multi-label")
    tasks = ("classification", "reconstruction")
    link = "sigmoid"

    def scores(self, field: DataField) -> tuple[int, ...]:
        """One score for a target of two classes, else the shape of the target. Raises ShapeError for more classes."""
        if field.kind != "class":
            return field.shape.dims
        if field.shape.dims[-1] != 2:
            raise ShapeError("a target of two classes", f"{field.shape.dims[-1]} classes", "choose cross-entropy")
        return (*field.shape.dims[:-1], 1)

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, x, y, dx, value = ctx.xp, ctx.x, ctx.y, ctx.dx, ctx.value.reshape(())
        target = ctx.target.reshape(x.shape)
        t, e, terms = ctx.scratch("truth", x.shape), ctx.scratch("exp", x.shape), ctx.scratch("terms", x.shape)
        total, half, zero = ctx.scratch("total", ()), _number(ctx, 0.5), _number(ctx)
        mean, slope = _number(ctx, 1.0 / x.size), _number(ctx, ctx.weight / x.size)

        def forward() -> None:
            t[...] = target
            # sigmoid(x) = (1 + tanh(x/2)) / 2 never overflows
            xp.multiply(x, half, out=y)
            xp.tanh(y, out=y)
            xp.multiply(y, half, out=y)
            xp.add(y, half, out=y)
            # max(x, 0) − x·t + log(1 + exp(−|x|)) is the same loss without overflow
            xp.absolute(x, out=e)
            xp.negative(e, out=e)
            xp.exp(e, out=e)
            xp.log1p(e, out=e)
            xp.maximum(x, zero, out=terms)
            xp.add(terms, e, out=e)
            xp.multiply(x, t, out=terms)
            xp.subtract(e, terms, out=e)
            xp.sum(e, out=total)
            xp.multiply(total, mean, out=value)

        def backward() -> None:
            xp.subtract(y, t, out=dx)
            xp.multiply(dx, slope, out=dx)

        return forward, backward if dx is not None else _nothing
