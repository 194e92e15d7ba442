"""Numbers for tokens and for places in a sequence."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from nndesigner.layers.base import Bind, Layer, Step, Weight
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.layers.tracing import traces
from nndesigner.layers.weighted import Penalised
from nndesigner.spec import Shape, ShapeError, param


class Embedding(Penalised):
    """Looks up a learnt row of numbers for every token or category.

    y[t] = table[x[t]]

    Shapes: T (whole numbers from 0) → T × units; so do F category columns. The first layer for text and for categories:
    similar tokens end up with similar rows. Tells the layers behind it which steps are padding (token 0): recurrent
    layers, attention, global pooling and the loss pass over them. PyTorch: Embedding.
    """

    kind = "embedding.v1"
    title = "Embedding"
    group = "Core"
    icon = "mdi6.table-row"
    keywords = ("lookup", "token", "word", "category", "vocabulary", "text")

    vocabulary: int = param(1000, "Vocabulary", "Number of different tokens: one more than the largest. Higher: more "
                            "weights.", ge=1, le=10_000_000)
    units: int = param(32, "Units", "Numbers for each token. Higher: can tell tokens apart more finely, with more "
                       "weights.",
                       ge=1, le=65_536)
    mask_padding: bool = param(
        True, "Token 0 is padding", "Steps with token 0 only fill up short texts, and later layers pass over them. "
        "Off: token 0 is a token like the others.")

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if not shape.integer or len(shape.dims) != 1:
            raise ShapeError("T whole numbers, one for each token", shape, "connect tokens or categories")
        return Shape("TF", (*shape.dims, self.units))

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        return {"table": Weight((self.vocabulary, self.units), "small_normal", self.vocabulary, self.units,
                                penalty=self.penalty((0,)))}

    def makes_mask(self, *inputs: Shape) -> bool:
        return self.mask_padding and inputs[0].axes == "T"  # categories are no series: their number 0 is a value

    def summary(self) -> str:
        return f"{self.vocabulary} → {self.units}"

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, table, y = ctx.xp, ctx.weights["table"], ctx.y.reshape(-1, self.units)
        tokens = ctx.x[0].reshape(-1)

        def look_up() -> None:
            # mode="clip" writes straight to y, without a copy; so the check is made here
            lowest, highest = int(tokens.min()), int(tokens.max())
            if lowest < 0 or highest >= self.vocabulary:
                raise ValueError(f"Token {lowest if lowest < 0 else highest} is not in the vocabulary "
                                 f"of {self.vocabulary}: raise the vocabulary, or check the data.")
            table.take(tokens, axis=0, out=y, mode="clip")

        forward = look_up if xp is np else lambda: table.take(tokens, axis=0, out=y)
        if ctx.made_mask is not None:
            padding, mask = xp.asarray(0, dtype=tokens.dtype), ctx.made_mask.reshape(-1)
            forward = in_turn([forward, lambda: xp.not_equal(tokens, padding, out=mask)])
        if not ctx.training:
            return forward, nothing
        dtable, dy = ctx.grads["table"], ctx.dy.reshape(y.shape)

        add = _bind_sums(xp, tokens, dy, dtable) if traces(xp) else lambda: xp.add.at(dtable, tokens, dy)

        def backward() -> None:
            dtable.fill(0)
            add()

        return forward, backward


# One thread for each value of dy in the order of the tokens; the first of a token adds up those behind it, in order.
_SUMS = """
long long at = i / width, column = i % width;
long long token = tokens[order[at]];
if (token >= 0 && token < rows && (at == 0 || tokens[order[at - 1]] != token)) {
    sum_type sum = 0;
    for (long long j = at; j < count && tokens[order[j]] == token; ++j) sum += dy[order[j] * width + column];
    table[token * width + column] = sum;
}
"""


def _bind_sums(xp: Any, tokens: Any, dy: Any, dtable: Any) -> Step:
    """dtable[token] = Σ dy of the token, on a GPU: CuPy's add.at adds in an order that differs from run to run."""
    kind, count, (rows, width) = dy.dtype.name, len(tokens), dtable.shape
    sizes = tuple(np.int64(number) for number in (rows, width, count))
    add = xp.ElementwiseKernel(
        f"int64 rows, int64 width, int64 count, raw int64 tokens, raw int64 order, raw {kind} dy", f"raw {kind} table",
        _SUMS.replace("sum_type", "float" if kind == "float32" else "double"), "nndesigner_token_sums")
    return lambda: add(*sizes, tokens, xp.argsort(tokens), dy, dtable, size=count * width)


def sine_positions(length: int, features: int) -> np.ndarray:
    """[length, features] of sines and cosines of falling frequency (Vaswani et al. 2017, section 3.5), float64."""
    place = np.arange(length)[:, None]
    frequency = 10_000.0 ** (-2 * (np.arange(features) // 2) / features)
    angle = place * frequency
    return np.where(np.arange(features) % 2 == 0, np.sin(angle), np.cos(angle))


class PositionalEncoding(Layer):
    """Adds to every time step numbers that say where in the sequence it is.

    y[t] = x[t] + p[t], p[t, 2i] = sin(t / 10000^(2i/F)), p[t, 2i + 1] = cos(t / 10000^(2i/F)), or learnt numbers.

    Shapes: T × F → T × F. In front of attention, which does not see order by itself. Source: Vaswani et al. 2017,
    arXiv:1706.03762.
    """

    kind = "positionalencoding.v1"
    title = "Positional encoding"
    group = "Core"
    icon = "mdi6.sine-wave"
    keywords = ("position", "order", "transformer", "attention", "sinusoidal")
    masking = "keep"

    form: Literal["sine", "learned"] = param(
        "sine", "Form", "Sine needs no training and suits short data; learned adapts to the data, with T × F weights.",
        labels={"learned": "learnt"})

    def output_shape(self, *inputs: Shape) -> Shape:
        if inputs[0].axes != "TF" or inputs[0].integer:
            todo = "put an Embedding before it" if inputs[0].integer else "connect a series"
            raise ShapeError("T × F", inputs[0], todo)
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        if self.form == "sine":
            return {}
        return {"positions": Weight(inputs[0].dims, "small_normal", decay=False)}

    def summary(self) -> str:
        return "learnt" if self.form == "learned" else ""

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, y = ctx.xp, ctx.x[0], ctx.y
        if self.form == "sine":
            positions = xp.asarray(sine_positions(*x.shape[1:]), dtype=ctx.dtype)
        else:
            positions = ctx.weights["positions"]

        def forward() -> None:
            xp.add(x, positions, out=y)

        if not ctx.training:
            return forward, nothing
        dy, dx, back = ctx.dy, ctx.dx[0], []
        if self.form == "learned":
            ones, rows, grad = xp.ones(ctx.batch, dtype=ctx.dtype), dy.reshape(ctx.batch, -1), ctx.grads["positions"]
            flat = grad.reshape(-1)
            back.append(lambda: ones.dot(rows, out=flat))
        if dx is not None:
            back.append(lambda: xp.copyto(dx, dy))
        return forward, in_turn(back)
