"""Losses of predicted classes. Each is fused with its link function (softmax, sigmoid), for exact gradients."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Gt, Le

from nndesigner.engine.losses.base import Rows, Step, bind_mean, bind_steps, nothing, number
from nndesigner.spec import DataField, ShapeError, param
from nndesigner.spec.loss import Loss, LossBind

Positive = Annotated[float, Gt(0), Le(1e6)]


class _Scores(Loss):
    """Shared by the losses over one score for each class."""

    tasks = ("classification",)
    link = "softmax"


class _Rows(Rows):
    """Rows with the truth of each: 1 for the right class, or the given probabilities."""

    def __init__(self, ctx: LossBind) -> None:
        super().__init__(ctx)
        xp = ctx.xp
        q = self.q = ctx.scratch("truth", self.x.shape)
        # not self in what follows: a circle would keep the memory of the whole plan
        #: the target holds probabilities instead of class numbers
        self.soft = ctx.target.shape == ctx.x.shape and ctx.target.dtype.kind == "f"
        if self.soft:
            truth = ctx.target.reshape(self.x.shape)
            self.fill_truth: Step = lambda: xp.copyto(q, truth)
        else:
            truth = ctx.target.reshape(self.n, 1)
            numbers = xp.arange(self.classes, dtype=ctx.target.dtype).reshape(1, self.classes)
            self.fill_truth = lambda: xp.equal(numbers, truth, out=q)


class CrossEntropy(_Scores):
    """How surprised the network is by the right class; the usual choice for classes.

    p = softmax(x), L = mean(−Σ q · log p), where q is 1 for the right class. Label smoothing s mixes q with the uniform
    distribution: q = (1 − s) · q + s / K. Class weights multiply the terms of their class, and the mean is a weighted
    one.

    The network ends in one plain score for each class, without softmax. PyTorch: CrossEntropyLoss.
    """

    kind = "cross_entropy.v1"
    title = "Cross-entropy"
    icon = "mdi6.chart-bar"
    keywords = ("softmax", "log loss", "classification", "negative log likelihood", "nll", "categorical")

    soft_labels = True

    label_smoothing: float = param(
        0.0, "Label smoothing", "How much of the truth is spread over all classes. Higher: less sure of itself and "
        "often better on new data; 0: off.", ge=0, lt=1, step=0.01)
    class_weights: tuple[Positive, ...] = param(
        (), "Class weights", "How much each class counts, one number for each. Higher: its mistakes matter more, good "
        "for rare classes. Empty: all alike.", advanced=True)

    def scores(self, field: DataField) -> tuple[int, ...]:
        """One score for each class. Raises ShapeError when there are class weights for another number of classes."""
        classes = field.shape.dims[-1]
        if self.class_weights and len(self.class_weights) != classes:
            raise ShapeError(f"{classes} class weights, one for each class", f"{len(self.class_weights)}",
                             "correct them, or leave them empty")
        return field.shape.dims

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, value, rows = ctx.xp, ctx.value.reshape(()), _Rows(ctx)
        q, z, y, dx = rows.q, rows.z, rows.y, rows.dx
        met, spread = ctx.scratch("met", ()), ctx.scratch("spread", ())
        smooth = self.label_smoothing
        keep, even = number(ctx, 1.0 - smooth), number(ctx, smooth / rows.classes)
        mean, slope = number(ctx, 1.0 / rows.n), number(ctx, ctx.weight / rows.n)
        z_flat, q_flat = z.reshape(-1), q.reshape(-1)
        weigh = self._bind_weights(ctx, rows, mean, slope)
        weigh_steps, _ = bind_steps(ctx, q)
        own = weigh or rows.soft or ctx.mask is not None
        sums, terms = (ctx.scratch(name, (rows.n, 1)) if own else None for name in ("sums", "terms"))

        def forward() -> None:
            rows.softmax()
            rows.fill_truth()
            if weigh:
                weigh[0]()
            if smooth:
                xp.multiply(q, keep, out=q)
                xp.add(q, even, out=q)
            if weigh:
                weigh[1]()
            weigh_steps()
            # −Σ q · log p = Σ q · log Σ exp z − Σ q · z, where mostly Σ q = 1
            if sums is None:
                xp.sum(rows.log_sum, out=spread)
            else:
                rows.add_up(q, sums)
                xp.multiply(rows.log_sum, sums, out=terms)
                xp.sum(terms, out=spread)
            z_flat.dot(q_flat, out=met)
            xp.subtract(spread, met, out=spread)
            xp.multiply(spread, mean, out=value)

        def backward() -> None:
            if sums is None:
                xp.subtract(y, q, out=dx)
            else:
                xp.multiply(y, sums, out=dx)
                xp.subtract(dx, q, out=dx)
            xp.multiply(dx, slope, out=dx)

        return forward, backward if dx is not None else nothing

    def _bind_weights(self, ctx: LossBind, rows: _Rows, mean: Any, slope: Any) -> tuple[Step, Step] | None:
        """(set mean and slope from the weights of the classes of the batch, apply the weights to the truth)."""
        if not self.class_weights:
            return None
        xp, weights = ctx.xp, ctx.xp.asarray(self.class_weights, dtype=ctx.x.dtype)
        terms, one, factor = ctx.scratch("weighted", rows.q.shape), number(ctx, 1.0), number(ctx, ctx.weight)
        weigh_steps, _ = bind_steps(ctx, terms)
        part = number(ctx, ctx.part.share)
        meet, (total,) = ctx.part.total(mean)

        def share() -> None:
            xp.multiply(rows.q, weights, out=terms)
            weigh_steps()
            xp.sum(terms, out=mean)
            meet()
            xp.multiply(total, part, out=total)
            xp.divide(one, total, out=mean)
            xp.multiply(mean, factor, out=slope)

        # for given probabilities the mean is over samples, as in PyTorch
        return nothing if rows.soft else share, lambda: xp.multiply(rows.q, weights, out=rows.q)


class Focal(_Scores):
    """Cross-entropy that cares less about samples it already gets right.

    p = softmax(x), L = mean(−(1 − p_t)^gamma · log p_t) with p_t the probability of the right class

    For data with many easy samples and few hard ones. The network ends in plain scores. Source: Lin et al. 2017,
    arXiv:1708.02002.
    """

    kind = "focal.v1"
    title = "Focal"
    icon = "mdi6.image-filter-center-focus"
    keywords = ("imbalanced", "hard samples", "rare", "classification", "detection")

    gamma: float = param(2.0, "Gamma", "How little easy samples count. Higher: looks at the hard ones only; 0: plain "
                         "cross-entropy.", ge=0, le=10, step=0.5)

    def scores(self, field: DataField) -> tuple[int, ...]:
        return class_scores(self, field)

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, rows = ctx.xp, _Rows(ctx)
        q, z, y, dx, n = rows.q, rows.z, rows.y, rows.dx, rows.n
        terms = ctx.scratch("terms", z.shape)
        p, surprise, rest, slope = (ctx.scratch(name, (n, 1)) for name in ("p", "surprise", "rest", "slope"))
        gamma, before, one, tiny = (number(ctx, v) for v in (self.gamma, self.gamma - 1, 1.0, 1e-7))
        add_up, scale = bind_mean(ctx, slope, n)

        def forward() -> None:
            rows.softmax()
            rows.fill_truth()
            xp.multiply(y, q, out=terms)
            rows.add_up(terms, p)
            xp.multiply(z, q, out=terms)
            rows.add_up(terms, surprise)
            xp.subtract(rows.log_sum, surprise, out=surprise)  # −log p
            xp.subtract(one, p, out=rest)
            xp.maximum(rest, tiny, out=rest)
            xp.power(rest, gamma, out=slope)
            xp.multiply(slope, surprise, out=slope)
            add_up()

        def backward() -> None:
            # by −log p: (1 − p)^gamma − gamma · (1 − p)^(gamma − 1) · p · log p, and −log p by a score: y − truth
            xp.power(rest, before, out=slope)
            xp.multiply(p, surprise, out=p)
            xp.multiply(p, gamma, out=p)
            xp.add(p, rest, out=p)
            xp.multiply(slope, p, out=slope)
            xp.subtract(y, q, out=dx)
            xp.multiply(dx, slope, out=dx)
            scale()

        return forward, backward if dx is not None else nothing


class Hinge(_Scores):
    """Asks only that the right class leads by a margin, as support vector machines do.

    L = mean(Σ max(0, margin − x_t + x_k) / K) over the wrong classes k

    Samples that are right with room to spare count nothing. The probabilities shown are softmax of the scores. PyTorch:
    MultiMarginLoss. Source: Crammer and Singer 2001; Weston and Watkins 1999.
    """

    kind = "hinge.v1"
    title = "Hinge"
    icon = "mdi6.angle-right"
    keywords = ("margin", "svm", "support vector", "classification")

    margin: float = param(1.0, "Margin", "By how much the right class must lead. Higher: asks for clearer decisions.",
                          gt=0, le=1000, step=0.1)

    def scores(self, field: DataField) -> tuple[int, ...]:
        return class_scores(self, field)

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, rows = ctx.xp, _Rows(ctx)
        q, x, dx, n = rows.q, rows.x, rows.dx, rows.n
        terms, ahead = ctx.scratch("terms", x.shape), ctx.scratch("ahead", (n, 1))
        margin, zero, one = number(ctx, self.margin), number(ctx, 0.0), number(ctx, 1.0)
        add_up, scale = bind_mean(ctx, terms, x.size)

        def forward() -> None:
            rows.softmax()
            rows.fill_truth()
            xp.multiply(x, q, out=terms)
            rows.add_up(terms, ahead)
            xp.subtract(ahead, margin, out=ahead)
            xp.subtract(x, ahead, out=terms)
            xp.maximum(terms, zero, out=terms)
            # the right class itself is no rival
            xp.subtract(one, q, out=q)
            xp.multiply(terms, q, out=terms)
            add_up()

        def backward() -> None:
            xp.sign(terms, out=dx)
            rows.add_up(dx, ahead)
            xp.subtract(one, q, out=terms)
            xp.multiply(terms, ahead, out=terms)
            xp.subtract(dx, terms, out=dx)
            scale()

        return forward, backward if dx is not None else nothing


class KullbackLeibler(_Scores):
    """How far the predicted distribution is from a given one.

    p = softmax(x), L = mean(Σ t · log(t / p)) over samples

    For targets that are probabilities themselves, such as the answers of a larger network. With class numbers it equals
    cross-entropy. The network ends in plain scores. PyTorch: KLDivLoss with batchmean.
    """

    kind = "kullback_leibler.v1"
    title = "Kullback-Leibler"
    icon = "mdi6.chart-areaspline"
    keywords = ("kl divergence", "distribution", "distillation", "soft labels", "relative entropy")
    tasks = ("classification", "regression")
    soft_labels = True

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, rows = ctx.xp, _Rows(ctx)
        q, z, y, dx, n = rows.q, rows.z, rows.y, rows.dx, rows.n
        terms, sums, tiny = ctx.scratch("terms", z.shape), ctx.scratch("sums", (n, 1)), number(ctx, 1e-30)
        add_up, scale = bind_mean(ctx, terms, n)

        def forward() -> None:
            rows.softmax()
            rows.fill_truth()
            rows.add_up(q, sums)
            xp.maximum(q, tiny, out=terms)
            xp.log(terms, out=terms)
            xp.subtract(terms, z, out=terms)
            xp.add(terms, rows.log_sum, out=terms)
            xp.multiply(terms, q, out=terms)
            add_up()

        def backward() -> None:
            xp.multiply(y, sums, out=dx)
            xp.subtract(dx, q, out=dx)
            scale()

        return forward, backward if dx is not None else nothing


def class_scores(loss: Loss, field: DataField) -> tuple[int, ...]:
    """One score for each class. Raises ShapeError for a target of values."""
    if field.kind != "class":
        raise ShapeError("a target of classes", "values", "choose another loss")
    return field.shape.dims


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
    soft_labels = True
    link = "sigmoid"

    def scores(self, field: DataField) -> tuple[int, ...]:
        """One score for a target of two classes, else the shape of the target. Raises ShapeError for more classes."""
        if field.kind != "class":
            return field.shape.dims
        if field.shape.dims[-1] != 2:
            raise ShapeError("a target of two classes", f"{field.shape.dims[-1]} classes", "choose cross-entropy")
        return (*field.shape.dims[:-1], 1)

    def bind(self, ctx: LossBind) -> tuple[Step, Step]:
        xp, x, y, dx = ctx.xp, ctx.x, ctx.y, ctx.dx
        # of the probabilities of two classes the second one is that of "yes"
        target = (ctx.target if ctx.target.size == x.size else ctx.target[..., 1:]).reshape(x.shape)
        t, e, terms = ctx.scratch("truth", x.shape), ctx.scratch("exp", x.shape), ctx.scratch("terms", x.shape)
        half, zero = number(ctx, 0.5), number(ctx)
        add_up, scale = bind_mean(ctx, e, x.size)

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
            add_up()

        def backward() -> None:
            xp.subtract(y, t, out=dx)
            scale()

        return forward, backward if dx is not None else nothing
