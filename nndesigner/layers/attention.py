"""Attention: every place of a series looks at all others and takes what it needs."""

from __future__ import annotations

from typing import Any

from nndesigner.layers.base import Bind, Step, Weight
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.layers.globalpool import LOW
from nndesigner.layers.rows import bind_row_max, bind_row_sum
from nndesigner.layers.weighted import InitialiserName, Penalised, initialiser_param
from nndesigner.spec import Set, Shape, ShapeError, param


class Heads:
    """softmax(Q · Kᵀ / √d) · V for every head of every sample, and its gradients.

    q: [B, heads, T, d], k, v: [B, heads, S, d], contiguous; the result and all gradients are likewise. Keys that are
    0 in `mask` [B, S] get no weight; where a query sees no other, the result is 0.
    """

    def __init__(self, ctx: Bind, heads: int, queries: int, keys: int, size: int, causal: bool, mask: Any | None
                 ) -> None:
        self.ctx, self.mask = ctx, mask
        shape = (ctx.batch, heads, queries, size)
        self.q, self.out = ctx.scratch("q", shape), ctx.scratch("heads", shape)
        self.k, self.v = (ctx.scratch(name, (ctx.batch, heads, keys, size)) for name in ("k", "v"))
        self.shares = ctx.scratch("shares", (ctx.batch, heads, queries, keys))
        self.scale = ctx.xp.asarray(size**-0.5, ctx.dtype)
        self.later = None
        if causal:
            # minus infinity for every key that lies after the query
            row, column = ctx.xp.arange(queries).reshape(-1, 1), ctx.xp.arange(keys)
            self.later = ctx.xp.zeros((queries, keys), dtype=ctx.dtype)
            self.later[row < column] = -ctx.xp.inf
        if ctx.training:
            self.dq, self.dout = ctx.scratch("dq", shape), ctx.scratch("dheads", shape)
            self.dk, self.dv = ctx.scratch("dk", self.k.shape), ctx.scratch("dv", self.v.shape)
            self.dshares = ctx.scratch("dshares", self.shares.shape)

    def bind(self) -> tuple[Step, Step]:
        """(fill `out` from q, k, v; fill dq, dk, dv from dout)."""
        xp, q, k, v, s, out, scale, later = (
            self.ctx.xp, self.q, self.k, self.v, self.shares, self.out, self.scale, self.later)
        row = self.ctx.scratch("row", (*s.shape[:-1], 1))
        turned, lines, line = k.swapaxes(2, 3), s.reshape(-1, s.shape[-1]), row.reshape(-1, 1)
        find_top, add_up = bind_row_max(xp, lines, line), bind_row_sum(xp, lines, line)
        mask = self.mask
        if mask is not None:
            real = mask.reshape(len(mask), 1, 1, -1)
            fall = self.ctx.scratch("fall", real.shape)
            one, low = xp.asarray(1.0, self.ctx.dtype), xp.asarray(LOW, self.ctx.dtype)

        def forward() -> None:
            xp.multiply(q, scale, out=q)
            xp.matmul(q, turned, out=s)
            if later is not None:
                xp.add(s, later, out=s)
            if mask is not None:
                xp.subtract(one, real, out=fall)
                xp.multiply(fall, low, out=fall)
                xp.add(s, fall, out=s)
            find_top()
            xp.subtract(s, row, out=s)
            xp.exp(s, out=s)
            add_up()
            xp.divide(s, row, out=s)
            if mask is not None:
                xp.multiply(s, real, out=s)
            xp.matmul(s, v, out=out)

        if not self.ctx.training:
            return forward, nothing
        dq, dk, dv, ds, dout = self.dq, self.dk, self.dv, self.dshares, self.dout
        s_turned, ds_turned, v_turned = s.swapaxes(2, 3), ds.swapaxes(2, 3), v.swapaxes(2, 3)
        t = self.ctx.scratch("t", s.shape)
        add_products = bind_row_sum(xp, t.reshape(lines.shape), line)

        def backward() -> None:
            xp.matmul(s_turned, dout, out=dv)
            xp.matmul(dout, v_turned, out=ds)
            # gradient of softmax: s · (ds − Σ s · ds)
            xp.multiply(ds, s, out=t)
            add_products()
            xp.subtract(ds, row, out=ds)
            xp.multiply(ds, s, out=ds)
            xp.matmul(ds, k, out=dq)
            xp.multiply(dq, scale, out=dq)
            xp.matmul(ds_turned, q, out=dk)  # q holds the scale

        return forward, backward


def _split(rows: Any, batch: int, heads: int) -> Any:
    """View [B, heads, T, d] of rows [B · T, heads · d]."""
    return rows.reshape(batch, -1, heads, rows.shape[-1] // heads).transpose(0, 2, 1, 3)


class _Attention(Penalised):
    """Shared by the two attentions: parameters, shapes, and the projections around the heads."""

    group = "Recurrent and attention"
    masking = "use"

    heads: int = param(
        4, "Heads", "Number of things looked for at once; must divide the features. Higher: more kinds of links, each "
        "with fewer features.", ge=1, le=1024)

    def check_series(self, shape: Shape) -> None:
        """Raise ShapeError unless the input is a series whose features the heads divide."""
        if shape.axes != "TF" or shape.integer:
            raise ShapeError("T × F", shape, "put an Embedding before it" if shape.integer else "connect a series")
        if shape.dims[1] % self.heads:
            best = max(h for h in range(1, self.heads + 1) if shape.dims[1] % h == 0)
            raise ShapeError(f"features that {self.heads} heads divide", shape, f"set the heads to {best}",
                             (Set({"heads": best}),))

    def summary(self) -> str:
        return f"{self.heads} heads"

    def bind_end(self, ctx: Bind, heads: Heads) -> tuple[list[Step], list[Step]]:
        """(y = heads put side by side · O + o, gradients of O, o and the heads)."""
        xp, batch, y = ctx.xp, ctx.batch, ctx.y.reshape(-1, ctx.y.shape[-1])
        O, o = ctx.weights["O"], ctx.weights["o"]
        rows = ctx.scratch("rows", y.shape)
        side = _split(rows, batch, self.heads)
        forward = [lambda: xp.copyto(side, heads.out), lambda: rows.dot(O, out=y), lambda: xp.add(y, o, out=y)]
        if not ctx.training:
            return forward, []
        dy, dO, do = ctx.dy.reshape(y.shape), ctx.grads["O"], ctx.grads["o"]
        drows, ones = ctx.scratch("drows", y.shape), xp.ones(len(y), dtype=ctx.dtype)
        dside = _split(drows, batch, self.heads)
        return forward, [lambda: rows.T.dot(dy, out=dO), lambda: ones.dot(dy, out=do), lambda: dy.dot(O.T, out=drows),
                         lambda: xp.copyto(heads.dout, dside)]


class SelfAttention(_Attention):
    """Every time step looks at all others and takes in what fits: the heart of a transformer.

    Q, K, V = x · W + b, y = softmax(Q · Kᵀ / √d) · V · O + o for each head; d = F / heads.

    Shapes: T × F → T × F. Does not see order: put a PositionalEncoding before it. Padded steps get no weight.
    Source: Vaswani et al. 2017, arXiv:1706.03762. PyTorch: MultiheadAttention.
    """

    kind = "selfattention.v1"
    title = "Self-attention"
    icon = "mdi6.eye-outline"
    keywords = ("multi-head", "transformer", "attention", "causal", "query", "key", "value")

    causal: bool = param(False, "Causal", "Each step sees only itself and earlier ones, as needed to predict what "
                         "comes next.")
    initialiser: InitialiserName = initialiser_param()

    def output_shape(self, *inputs: Shape) -> Shape:
        self.check_series(inputs[0])
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        f, penalty = inputs[0].dims[1], self.penalty()
        return {
            "W": Weight((f, 3 * f), self.initialiser, f, f, penalty=penalty),
            "b": Weight((3 * f,), "zeros", f, f, decay=False),
            "O": Weight((f, f), self.initialiser, f, f, penalty=penalty),
            "o": Weight((f,), "zeros", f, f, decay=False),
        }

    def multiply_adds(self, *inputs: Shape) -> int:
        t, f = inputs[0].dims
        return 4 * t * f * f + 2 * t * t * f

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, (batch, length, f) = ctx.xp, ctx.x[0].shape
        x, W, b = ctx.x[0].reshape(-1, f), ctx.weights["W"], ctx.weights["b"]
        heads = Heads(ctx, self.heads, length, length, f // self.heads, self.causal, ctx.mask)
        attend, attend_back = heads.bind()
        end, end_back = self.bind_end(ctx, heads)
        all_three = ctx.scratch("projected", (len(x), 3 * f))
        parts = [(part, _split(all_three[:, i * f:(i + 1) * f], batch, self.heads))
                 for i, part in enumerate((heads.q, heads.k, heads.v))]

        def project() -> None:
            x.dot(W, out=all_three)
            xp.add(all_three, b, out=all_three)
            for part, view in parts:
                xp.copyto(part, view)

        forward = in_turn([project, attend, *end])
        if not ctx.training:
            return forward, nothing
        dW, db, ones = ctx.grads["W"], ctx.grads["b"], xp.ones(len(x), dtype=ctx.dtype)
        dx = None if ctx.dx[0] is None else ctx.dx[0].reshape(x.shape)
        back = [(part, view) for part, (_, view) in zip((heads.dq, heads.dk, heads.dv), parts)]

        def project_back() -> None:
            for part, view in back:
                xp.copyto(view, part)
            x.T.dot(all_three, out=dW)
            ones.dot(all_three, out=db)
            if dx is not None:
                all_three.dot(W.T, out=dx)

        return forward, in_turn([*end_back, attend_back, project_back])


class CrossAttention(_Attention):
    """Every step of one series looks at all steps of another and takes in what fits.

    Q = query · Q + q, K, V = memory · W + b, y = softmax(Q · Kᵀ / √d) · V · O + o for each head; d = F / heads.

    Shapes: T × F and S × M → T × F. Joins the decoder of a translator with its encoder. Padded steps of the memory get
    no weight. Source: Vaswani et al. 2017,
    arXiv:1706.03762. PyTorch: MultiheadAttention with kdim and vdim M.
    """

    kind = "crossattention.v1"
    title = "Cross-attention"
    icon = "mdi6.eye-arrow-right-outline"
    keywords = ("multi-head", "transformer", "attention", "encoder", "decoder", "query", "key", "value", "memory")
    ports = ("query", "memory")

    initialiser: InitialiserName = initialiser_param()

    def output_shape(self, *inputs: Shape) -> Shape:
        self.check_series(inputs[0])
        if inputs[1].axes != "TF" or inputs[1].integer:
            raise ShapeError("T × F as memory", inputs[1], "connect a series")
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        f, m, penalty = inputs[0].dims[1], inputs[1].dims[1], self.penalty()
        return {
            "Q": Weight((f, f), self.initialiser, f, f, penalty=penalty),
            "q": Weight((f,), "zeros", f, f, decay=False),
            "W": Weight((m, 2 * f), self.initialiser, m, f, penalty=penalty),
            "b": Weight((2 * f,), "zeros", m, f, decay=False),
            "O": Weight((f, f), self.initialiser, f, f, penalty=penalty),
            "o": Weight((f,), "zeros", f, f, decay=False),
        }

    def multiply_adds(self, *inputs: Shape) -> int:
        (t, f), (s, m) = inputs[0].dims, inputs[1].dims
        return 2 * t * f * f + 2 * s * m * f + 2 * t * s * f

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, batch = ctx.xp, ctx.batch
        (_, queries, f), (_, keys, m) = ctx.x[0].shape, ctx.x[1].shape
        x, memory = ctx.x[0].reshape(-1, f), ctx.x[1].reshape(-1, m)
        Q, q, W, b = (ctx.weights[name] for name in ("Q", "q", "W", "b"))
        mask = ctx.masks[1] if ctx.masks else None
        heads = Heads(ctx, self.heads, queries, keys, f // self.heads, causal=False, mask=mask)
        attend, attend_back = heads.bind()
        end, end_back = self.bind_end(ctx, heads)
        asked, kept = ctx.scratch("asked", x.shape), ctx.scratch("kept", (len(memory), 2 * f))
        views = [_split(part, batch, self.heads) for part in (asked, kept[:, :f], kept[:, f:])]

        def project() -> None:
            x.dot(Q, out=asked)
            xp.add(asked, q, out=asked)
            memory.dot(W, out=kept)
            xp.add(kept, b, out=kept)
            for part, view in zip((heads.q, heads.k, heads.v), views):
                xp.copyto(part, view)

        forward = in_turn([project, attend, *end])
        if not ctx.training:
            return forward, nothing
        dQ, dq, dW, db = (ctx.grads[name] for name in ("Q", "q", "W", "b"))
        ones = xp.ones(max(len(x), len(memory)), dtype=ctx.dtype)
        dx, dmemory = (None if dx is None else dx.reshape(-1, dx.shape[-1]) for dx in ctx.dx)

        def project_back() -> None:
            for part, view in zip((heads.dq, heads.dk, heads.dv), views):
                xp.copyto(view, part)
            x.T.dot(asked, out=dQ)
            ones[:len(x)].dot(asked, out=dq)
            memory.T.dot(kept, out=dW)
            ones[:len(memory)].dot(kept, out=db)
            if dx is not None:
                asked.dot(Q.T, out=dx)
            if dmemory is not None:
                kept.dot(W.T, out=dmemory)

        return forward, in_turn([*end_back, attend_back, project_back])
