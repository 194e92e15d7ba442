"""Normalisation over the batch or the features: values of a steady size, so that networks train faster and deeper."""

from __future__ import annotations

from typing import Any

from nndesigner.layers.base import Bind, Layer, Step, Weight
from nndesigner.layers.elementwise import PART, in_turn, nothing
from nndesigner.layers.tracing import bind_chain
from nndesigner.spec import Shape, param


def _rows(xp: Any, count: int, channels: int) -> tuple[int, list[slice]]:
    """(number of repetitions of the channels in one row, parts of the rows that fit into the cache).

    Passes over [count, channels] are slow when there are few channels, so several positions are taken as one row.
    """
    repeat = next((r for r in range(1, count + 1) if count % r == 0 and r * channels >= 512), count)
    rows = count // repeat
    if xp.__name__ != "numpy":
        return repeat, [slice(0, rows)]
    size = max(1, PART // (repeat * channels))
    return repeat, [slice(start, min(start + size, rows)) for start in range(0, rows, size)]


class _ChannelSums:
    """Sums over all positions, for each channel, of arrays that are handed over part by part."""

    def __init__(self, ctx: Bind, name: str, parts: list[slice], repeat: int, channels: int) -> None:
        self._ones = ctx.xp.ones(max(parts[0].stop, len(parts), repeat), dtype=ctx.dtype)
        self._sums = ctx.scratch(f"{name} parts", (len(parts), repeat * channels))
        self._row = ctx.scratch(f"{name} row", (repeat * channels,))
        self._by_place = self._row.reshape(repeat, channels)

    def bind_part(self, index: int, rows: Any) -> Step:
        """Add up these rows [n, repeat · channels]. A product with ones is three times as fast as sum()."""
        add, total = self._ones[:rows.shape[0]].dot, self._sums[index]
        return lambda: add(rows, out=total)

    def bind_total(self, out: Any, parts: int | None = None) -> Step:
        """Write the sums of all parts, or of the first few, to `out` [channels]."""
        sums, row, places = self._sums[:parts], self._row, self._by_place
        by_part, by_place = self._ones[:len(sums)], self._ones[:len(places)]

        def run() -> None:
            by_part.dot(sums, out=row)
            by_place.dot(places, out=out)

        return run


class BatchNorm(Layer):
    """Brings each channel to mean 0 and spread 1 over the batch, then scales and shifts it by learnt numbers.

    y = gamma · (x − mean) / √(var + epsilon) + beta. While training, mean and variance are those of the batch; running
    averages of them are kept and used afterwards: running ← (1 − momentum) · running + momentum · batch.

    Behind convolutions and Dense layers, before the activation: faster and steadier training. Wants batches of about 8
    or more. Source: Ioffe and Szegedy 2015, arXiv:1502.03167. PyTorch: BatchNorm1d, BatchNorm2d.
    """

    kind = "batchnorm.v1"
    title = "BatchNorm"
    group = "Normalise"
    masking = "keep"
    icon = "mdi6.chart-bell-curve"
    keywords = ("batch normalisation", "normalization", "standardise")

    momentum: float = param(
        0.1, "Momentum", "How fast the running averages follow the batches. Higher: follows faster, but noisier.", gt=0,
        le=1, step=0.01)
    epsilon: float = param(
        1e-5, "Epsilon", "Added to the variance, so that constant channels do not blow up. Higher: gentler scaling.",
        gt=0, le=1, advanced=True)

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        shape = inputs[0].dims[-1:]
        return {"gamma": Weight(shape, "ones", decay=False), "beta": Weight(shape, "zeros", decay=False)}

    def buffers(self, *inputs: Shape) -> dict[str, Weight]:
        shape = inputs[0].dims[-1:]
        return {"mean": Weight(shape, "zeros", decay=False), "var": Weight(shape, "ones", decay=False)}

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        return self._bind_training(ctx) if ctx.training else (self._bind_inference(ctx), nothing)

    def _bind_inference(self, ctx: Bind) -> Step:
        xp, channels = ctx.xp, ctx.x[0].shape[-1]
        repeat, parts = _rows(xp, ctx.x[0].size // channels, channels)
        x, y = ctx.x[0].reshape(-1, repeat * channels), ctx.y.reshape(-1, repeat * channels)
        gamma, beta = ctx.weights["gamma"], ctx.weights["beta"]
        mean, var = ctx.buffers["mean"], ctx.buffers["var"]
        epsilon = xp.asarray(self.epsilon, ctx.dtype)
        scale, shift = ctx.scratch("scale", (repeat, channels)), ctx.scratch("shift", (repeat, channels))
        scales, shifts = scale.reshape(-1), shift.reshape(-1)
        views = [(x[part], y[part]) for part in parts]

        def forward() -> None:
            xp.add(var, epsilon, out=scale)
            xp.sqrt(scale, out=scale)
            xp.divide(gamma, scale, out=scale)
            xp.multiply(scale, mean, out=shift)
            xp.subtract(beta, shift, out=shift)
            for a, b in views:
                xp.multiply(a, scales, out=b)
                xp.add(b, shifts, out=b)

        return forward

    def _bind_training(self, ctx: Bind) -> tuple[Step, Step]:
        xp, channels = ctx.xp, ctx.x[0].shape[-1]
        count = ctx.x[0].size // channels
        repeat, parts = _rows(xp, count, channels)
        row = (repeat, channels)
        x, y = ctx.x[0].reshape(-1, repeat * channels), ctx.y.reshape(-1, repeat * channels)
        gamma, beta = ctx.weights["gamma"], ctx.weights["beta"]
        running_mean, running_var = ctx.buffers["mean"], ctx.buffers["var"]

        def vector(name: str) -> tuple[Any, Any, Any]:
            """One number for each channel: [channels], repeated over a row, and that row flat."""
            tiled = ctx.scratch(f"{name} tiled", row)
            return ctx.scratch(name, (channels,)), tiled, tiled.reshape(-1)

        def number(value: float) -> Any:
            return xp.asarray(value, ctx.dtype)

        own_mean, mean_tiled, mean_row = vector("mean")
        several = len(parts) > 1 or ctx.part.share < 1
        own_near, near_tiled, near_row = vector("near") if several else (own_mean, mean_tiled, mean_row)
        own_var, scale_tiled, scale_row = vector("var")
        meet_near, (near,) = ctx.part.total(own_near)
        meet, (mean, var) = ctx.part.total(own_mean, own_var)
        deviation, scale = ctx.scratch("deviation", (channels,)), ctx.scratch("scale", (channels,))
        shift_tiled = ctx.scratch("shift", row)
        shift_row = shift_tiled.reshape(-1)
        t = ctx.scratch("part", (parts[0].stop, repeat * channels))
        spare, none = ctx.scratch("spare", (channels,)), number(0.0)
        whole, number_of_part = round(count / ctx.part.share), ctx.part.number
        share, epsilon = number(1 / whole), number(self.epsilon)
        keep, take = number(1 - self.momentum), number(self.momentum)
        take_unbiased = number(self.momentum * whole / max(whole - 1, 1))
        sums = _ChannelSums(ctx, "sums", parts, repeat, channels)
        views = [(x[p], y[p], t[:p.stop - p.start]) for p in parts]
        squares = _ChannelSums(ctx, "squares", parts, repeat, channels)
        add_x = [sums.bind_part(i, u) for i, (_, _, u) in enumerate(views)]
        add_squares = [squares.bind_part(i, u) for i, (_, _, u) in enumerate(views)]
        total_mean, total_var = sums.bind_total(own_mean), squares.bind_total(own_var)
        add_first = sums.bind_part(0, views[0][0])
        first_total = sums.bind_total(own_near, 1)
        first_share = number(ctx.part.share / (views[0][0].size // channels))

        apart = [("subtract", a, near_row, u) for a, _, u in views]
        square = [("multiply", u, u, u) for _, _, u in views]
        if several:
            look = [in_turn([bind_chain(xp, subtract, name="apart"), add, bind_chain(xp, multiply, name="square")])
                    for subtract, add, multiply in zip(apart, add_x, square)]
        else:
            look = [bind_chain(xp, *both, name="distance") for both in zip(apart, square)]
        find_scale = bind_chain(
            xp, ("add", var, epsilon, deviation), ("sqrt", deviation, deviation), ("divide", gamma, deviation, scale),
            ("multiply", mean, scale, spare), name="batchnorm_scale")
        # from x once more: writing the centred values would cost another way to memory
        scale_and_shift = [bind_chain(xp, ("multiply", a, scale_row, b), ("add", b, shift_row, b), name="batchnorm")
                           for a, b, _ in views]
        keep_averages = bind_chain(
            xp, ("multiply", running_mean, keep, running_mean), ("multiply", mean, take, spare),
            ("add", running_mean, spare, running_mean), ("multiply", running_var, keep, running_var),
            ("multiply", var, take_unbiased, spare), ("add", running_var, spare, running_var), name="running_averages")

        def forward() -> None:
            # One way through x: mean and variance of x less the mean of the first part. That lies close to the mean,
            # so nothing is lost in Σ (x − near)² − (Σ (x − near))² / n.
            add_first()
            first_total()
            xp.multiply(own_near, first_share, out=own_near)
            meet_near()
            xp.copyto(near_tiled, near)
            for measure, add_square in zip(look, add_squares):
                measure()
                add_square()
            total_var()
            if several:
                total_mean()
            meet()
            xp.multiply(var, share, out=var)
            if several:
                xp.multiply(mean, share, out=mean)
                xp.multiply(mean, mean, out=spare)
                xp.subtract(var, spare, out=var)
                xp.maximum(var, none, out=var)
                xp.add(mean, near, out=mean)
                xp.copyto(mean_tiled, mean)
            find_scale()
            xp.copyto(scale_tiled, scale)
            xp.subtract(beta, spare, out=shift_tiled)
            for normalise in scale_and_shift:
                normalise()
            if not number_of_part:  # the first part keeps the running averages for all
                keep_averages()

        dy = ctx.dy.reshape(x.shape)
        dgamma, dbeta = ctx.grads["gamma"], ctx.grads["beta"]
        dx = None if ctx.dx[0] is None else ctx.dx[0].reshape(x.shape)
        centred_tiled, offset_tiled = ctx.scratch("centred tiled", row), ctx.scratch("offset tiled", row)
        offset = ctx.scratch("offset", (channels,))
        centred_row, offset_row = centred_tiled.reshape(-1), offset_tiled.reshape(-1)
        back_views = [(dy[p], x[p], t[:p.stop - p.start], None if dx is None else dx[p]) for p in parts]
        other = _ChannelSums(ctx, "other sums", parts, repeat, channels)
        add_dy = [sums.bind_part(i, g) for i, (g, _, _, _) in enumerate(back_views)]
        add_products = [other.bind_part(i, u) for i, (_, _, u, _) in enumerate(back_views)]
        total_beta, total_gamma = sums.bind_total(dbeta), other.bind_total(dgamma)
        meet_back, (whole_dgamma, whole_dbeta) = ctx.part.total(dgamma, dbeta)

        weigh = [bind_chain(xp, ("subtract", a, mean_row, u), ("multiply", u, g, u), name="batchnorm_products")
                 for g, a, u, _ in back_views]
        # dx = scale · dy − centred · x + offset
        pass_back = [] if dx is None else [
            bind_chain(xp, ("multiply", a, centred_row, u), ("subtract", offset_row, u, u),
                       ("multiply", g, scale_row, d), ("add", d, u, d), name="batchnorm_back")
            for g, a, u, d in back_views]
        find_centred = bind_chain(
            xp, ("multiply", whole_dgamma, share, spare), ("divide", spare, deviation, spare),
            ("multiply", spare, scale, spare), ("multiply", spare, mean, offset), name="batchnorm_centred")
        find_offset = bind_chain(
            xp, ("multiply", whole_dbeta, share, spare), ("multiply", spare, scale, spare), name="batchnorm_offset")

        def backward() -> None:
            # dgamma = Σ dy · (x − mean) / deviation, dbeta = Σ dy,
            # dx = scale · (dy − dbeta / n − (x − mean) / deviation · dgamma / n), sums over the whole batch
            for add, multiply, add_product in zip(add_dy, weigh, add_products):
                add()
                multiply()
                add_product()
            total_beta()
            total_gamma()
            xp.divide(dgamma, deviation, out=dgamma)
            if dx is None:
                return
            meet_back()
            find_centred()
            xp.copyto(centred_tiled, spare)
            find_offset()
            xp.subtract(offset, spare, out=offset_tiled)
            for step in pass_back:
                step()

        return forward, backward


class LayerNorm(Layer):
    """Brings the features of each sample (at each place) to mean 0 and spread 1, then scales and shifts them.

    y = gamma · (x − mean) / √(var + epsilon) + beta, mean and variance over the last axis.

    Like BatchNorm, but independent of the batch: for transformers, recurrent networks and small batches. Source: Ba et
    al. 2016, arXiv:1607.06450. PyTorch: LayerNorm over the last axis.
    """

    kind = "layernorm.v1"
    title = "LayerNorm"
    group = "Normalise"
    masking = "keep"
    icon = "mdi6.format-align-middle"
    keywords = ("layer normalisation", "normalization", "standardise", "transformer")

    epsilon: float = param(
        1e-5, "Epsilon", "Added to the variance, so that constant inputs do not blow up. Higher: gentler scaling.",
        gt=0, le=1, advanced=True)

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        shape = inputs[0].dims[-1:]
        return {"gamma": Weight(shape, "ones", decay=False), "beta": Weight(shape, "zeros", decay=False)}

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, features = ctx.xp, ctx.x[0].shape[-1]
        x, y = ctx.x[0].reshape(-1, features), ctx.y.reshape(-1, features)  # [N, F]
        n = x.shape[0]
        gamma, beta = ctx.weights["gamma"], ctx.weights["beta"]
        share = xp.full((features,), 1 / features, dtype=ctx.dtype)
        epsilon = xp.asarray(self.epsilon, ctx.dtype)
        mean, spread = ctx.scratch("mean", (n, 1)), ctx.scratch("spread", (n, 1))
        standard, t = ctx.scratch("standard", x.shape), ctx.scratch("t", x.shape)
        mean_flat, spread_flat = mean.reshape(-1), spread.reshape(-1)

        def forward() -> None:
            x.dot(share, out=mean_flat)
            xp.subtract(x, mean, out=standard)
            xp.multiply(standard, standard, out=t)
            t.dot(share, out=spread_flat)
            xp.add(spread, epsilon, out=spread)
            xp.sqrt(spread, out=spread)
            xp.divide(standard, spread, out=standard)
            xp.multiply(standard, gamma, out=y)
            xp.add(y, beta, out=y)

        if not ctx.training:
            return forward, nothing
        dy, dgamma, dbeta = ctx.dy.reshape(x.shape), ctx.grads["gamma"], ctx.grads["beta"]
        dx = None if ctx.dx[0] is None else ctx.dx[0].reshape(x.shape)
        ones = xp.ones(n, dtype=ctx.dtype)

        def backward() -> None:
            ones.dot(dy, out=dbeta)
            xp.multiply(dy, standard, out=t)
            ones.dot(t, out=dgamma)
            if dx is None:
                return
            # dx = (g − mean(g) − standard · mean(g · standard)) / spread with g = dy · gamma
            xp.multiply(dy, gamma, out=dx)
            dx.dot(share, out=mean_flat)
            xp.multiply(dx, standard, out=t)
            xp.subtract(dx, mean, out=dx)
            t.dot(share, out=mean_flat)
            xp.multiply(standard, mean, out=t)
            xp.subtract(dx, t, out=dx)
            xp.divide(dx, spread, out=dx)

        return forward, backward


class RMSNorm(Layer):
    """LayerNorm without the mean: divides by the typical size of the features, then scales them.

    y = gamma · x / √(mean(x²) + epsilon), the mean over the last axis.

    Cheaper than LayerNorm and as good in large language models. Source: Zhang and Sennrich 2019, arXiv:1910.07467.
    PyTorch: RMSNorm (with the same epsilon).
    """

    kind = "rmsnorm.v1"
    title = "RMSNorm"
    group = "Normalise"
    masking = "keep"
    icon = "mdi6.square-root"
    keywords = ("root mean square", "normalisation", "normalization", "transformer")

    epsilon: float = param(
        1e-6, "Epsilon", "Added to the mean square, so that zero inputs do not blow up. Higher: gentler scaling.", gt=0,
        le=1, advanced=True)

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        return {"gamma": Weight(inputs[0].dims[-1:], "ones", decay=False)}

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, features, gamma = ctx.xp, ctx.x[0].shape[-1], ctx.weights["gamma"]
        x, y = ctx.x[0].reshape(-1, features), ctx.y.reshape(-1, features)  # [N, F]
        n = x.shape[0]
        share, epsilon = xp.full((features,), 1 / features, dtype=ctx.dtype), xp.asarray(self.epsilon, ctx.dtype)
        size, standard, t = ctx.scratch("size", (n, 1)), ctx.scratch("standard", x.shape), ctx.scratch("t", x.shape)
        size_flat = size.reshape(-1)

        def forward() -> None:
            xp.multiply(x, x, out=t)
            t.dot(share, out=size_flat)
            xp.add(size, epsilon, out=size)
            xp.sqrt(size, out=size)
            xp.divide(x, size, out=standard)
            xp.multiply(standard, gamma, out=y)

        if not ctx.training:
            return forward, nothing
        dy, dgamma = ctx.dy.reshape(x.shape), ctx.grads["gamma"]
        dx = None if ctx.dx[0] is None else ctx.dx[0].reshape(x.shape)
        ones, mean = xp.ones(n, dtype=ctx.dtype), ctx.scratch("mean", (n, 1))
        mean_flat = mean.reshape(-1)

        def backward() -> None:
            xp.multiply(dy, standard, out=t)
            ones.dot(t, out=dgamma)
            if dx is None:
                return
            # dx = (g − standard · mean(g · standard)) / size with g = dy · gamma
            xp.multiply(dy, gamma, out=dx)
            xp.multiply(dx, standard, out=t)
            t.dot(share, out=mean_flat)
            xp.multiply(standard, mean, out=t)
            xp.subtract(dx, t, out=dx)
            xp.divide(dx, size, out=dx)

        return forward, backward
