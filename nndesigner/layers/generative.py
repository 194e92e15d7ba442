"""Layers that make a code from which new samples can be drawn, or that sort samples without labels."""

from __future__ import annotations

from nndesigner.layers.base import Bind, Layer, Step, Weight
from nndesigner.layers.elementwise import nothing
from nndesigner.spec import Shape, ShapeError, param


class Sampling(Layer):
    """Draws a random code around a mean: the heart of a variational autoencoder.

    y = mean + exp(log variance / 2) · n, n normally distributed; in use y = mean.
    Adds to the loss: weight · ½ Σ (mean² + variance − 1 − log variance), summed over the code: the Kullback-Leibler
    divergence from the standard normal distribution.

    Two Dense layers of equal size behind the encoder give mean and log variance. The penalty keeps all codes near zero
    with spread 1, so that a random code decodes to something sensible. Shapes: both inputs F. Source: Kingma and
    Welling 2013, arXiv:1312.6114; the weight is the β of Higgins et al. 2017.
    """

    kind = "sampling.v1"
    title = "Sampling"
    group = "Generative"
    icon = "mdi6.dice-5-outline"
    keywords = ("variational", "vae", "reparameterisation", "kl", "latent", "random", "generate")
    ports = ("mean", "log variance")
    adds_loss = True

    weight: float = param(
        0.004, "KL weight", "How much the codes are pulled towards the normal distribution. Higher: random codes give "
        "better samples, but pictures are repeated less exactly.", ge=0, le=1000)

    def output_shape(self, *inputs: Shape) -> Shape:
        mean, spread = inputs
        if mean.integer or mean.axes != "F":
            raise ShapeError("F as mean", mean, "put a Flatten and a Dense before it")
        if spread != mean:
            raise ShapeError(f"{mean.lettered} as log variance, like the mean", spread,
                             "give both Dense layers the same units")
        return mean

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size

    def summary(self) -> str:
        return f"KL · {self.weight:g}"

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, y, (mean, log_variance) = ctx.xp, ctx.y, ctx.x
        variance, t = ctx.scratch("variance", y.shape), ctx.scratch("t", y.shape)
        one, half = (xp.asarray(v, ctx.dtype) for v in (1.0, 0.5))
        scale = xp.asarray(0.5 * self.weight / ctx.batch, ctx.dtype)
        ones, loss = xp.ones(y.size, dtype=ctx.dtype), ctx.loss
        total = loss.reshape(())

        def divergence() -> None:
            xp.exp(log_variance, out=variance)
            xp.multiply(mean, mean, out=t)
            xp.add(t, variance, out=t)
            xp.subtract(t, log_variance, out=t)
            xp.subtract(t, one, out=t)
            ones.dot(t.reshape(-1), out=total)
            xp.multiply(loss, scale, out=loss)

        def use() -> None:
            xp.copyto(y, mean)
            divergence()

        if not ctx.training:
            return use, nothing
        normal, noise = ctx.normal, ctx.scratch("noise", y.shape)

        def forward() -> None:
            divergence()
            normal("sampling", noise)
            xp.sqrt(variance, out=t)
            xp.multiply(noise, t, out=noise)
            xp.add(mean, noise, out=y)

        dy, (dmean, dlog) = ctx.dy, ctx.dx
        pull = xp.asarray(self.weight * ctx.part.share / ctx.batch, ctx.dtype)

        def backward() -> None:
            if dmean is not None:
                xp.multiply(mean, pull, out=dmean)
                xp.add(dmean, dy, out=dmean)
            if dlog is not None:
                xp.subtract(variance, one, out=dlog)
                xp.multiply(dlog, pull, out=dlog)
                xp.multiply(noise, dy, out=t)
                xp.add(dlog, t, out=dlog)
                xp.multiply(dlog, half, out=dlog)

        return forward, backward


class Clustering(Layer):
    """Sorts samples into groups without labels: how strongly each belongs to each of so many centres.

    q[j] = (1 + |x − centre j|²)⁻¹, divided by the sum over the centres.
    Adds to the loss: weight · Σ p log(p / q), where p ~ q² / (sum of q over the batch) sharpens q.

    Behind the code of an autoencoder. It waits for some epochs, takes the centres of k-means, and from then on pulls
    codes and centres together. Shapes: F → clusters. Source: deep embedded clustering, Xie et al. 2016,
    arXiv:1511.06335.
    """

    kind = "clustering.v1"
    title = "Clustering"
    group = "Generative"
    icon = "mdi6.scatter-plot-outline"
    keywords = ("k-means", "unsupervised", "groups", "segments", "dec", "unlabelled")
    adds_loss = True

    clusters: int = param(10, "Clusters", "Number of groups. Higher: finer groups.", ge=2, le=10_000)
    weight: float = param(0.1, "Weight", "How strongly codes are pulled to their group. Higher: clearer groups, but "
                          "the code says less about the sample.", ge=0, le=1000)
    wait: int = param(10, "Epochs before", "Epochs of training before the centres are set by k-means and begin to "
                      "count. Higher: the code has learned more by then.", ge=0, le=1_000_000)

    def output_shape(self, *inputs: Shape) -> Shape:
        if inputs[0].axes != "F" or inputs[0].integer:
            raise ShapeError("F", inputs[0], "put a Flatten before it")
        return Shape("F", (self.clusters,))

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        features = inputs[0].size
        return {"centres": Weight((self.clusters, features), "small_normal", features, self.clusters, decay=False)}

    def buffers(self, *inputs: Shape) -> dict[str, Weight]:
        # 0 until the centres are set, then 1
        return {"active": Weight((1,), "zeros", decay=False)}

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size * self.clusters

    def summary(self) -> str:
        return str(self.clusters)

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        xp, x, q, centres = ctx.xp, ctx.x[0], ctx.y, ctx.weights["centres"]
        active, loss, n = ctx.buffers["active"], ctx.loss, ctx.batch
        k = self.clusters
        near, p, t = (ctx.scratch(name, q.shape) for name in ("near", "p", "t"))
        squares, row, column = (
            ctx.scratch("squares", x.shape), ctx.scratch("row", (n, 1)), ctx.scratch("column", (1, k)))
        centre_squares, lengths = ctx.scratch("centre squares", centres.shape), ctx.scratch("lengths", (k,))
        one, zero, two, tiny = (xp.asarray(v, ctx.dtype) for v in (1.0, 0.0, 2.0, 1e-12))
        scale = xp.asarray(self.weight / n, ctx.dtype)
        ones, total = xp.ones(q.size, dtype=ctx.dtype), loss.reshape(())
        by_feature = centres.T
        meet, (whole_column,) = ctx.part.total(column)

        def forward() -> None:
            xp.multiply(x, x, out=squares)
            xp.sum(squares, axis=1, keepdims=True, out=row)
            xp.multiply(centres, centres, out=centre_squares)
            xp.sum(centre_squares, axis=1, out=lengths)
            xp.matmul(x, by_feature, out=near)
            xp.multiply(near, two, out=near)
            xp.subtract(row, near, out=near)
            xp.add(near, lengths, out=near)
            xp.maximum(near, zero, out=near)  # rounding
            xp.add(near, one, out=near)
            xp.divide(one, near, out=near)
            xp.sum(near, axis=1, keepdims=True, out=row)
            xp.divide(near, row, out=q)
            xp.sum(q, axis=0, keepdims=True, out=column)
            meet()
            xp.multiply(q, q, out=p)
            xp.divide(p, whole_column, out=p)
            xp.sum(p, axis=1, keepdims=True, out=row)
            xp.divide(p, row, out=p)
            xp.maximum(p, tiny, out=p)
            xp.maximum(q, tiny, out=t)
            xp.divide(p, t, out=t)
            xp.log(t, out=t)
            xp.multiply(t, p, out=t)
            ones.dot(t.reshape(-1), out=total)
            xp.multiply(loss, scale, out=loss)
            xp.multiply(loss, active, out=loss)

        if not ctx.training:
            return forward, nothing
        dy, dx, dcentres = ctx.dy, ctx.dx[0], ctx.grads["centres"]
        share = xp.asarray(self.weight * ctx.part.share / n, ctx.dtype)
        pull, spare = ctx.scratch("pull", (1,)), ctx.scratch("spare", x.shape)
        sums = ctx.scratch("sums", (k, 1))
        minus_two = xp.asarray(-2.0, ctx.dtype)

        def backward() -> None:
            # With s = log q before its normalisation: d/ds is dy through the division by the sum, plus q − p of the
            # divergence; p counts as given. Then d|x − c|² is −near times that.
            xp.multiply(dy, q, out=t)
            xp.sum(t, axis=1, keepdims=True, out=row)
            xp.multiply(q, row, out=dy)
            xp.subtract(t, dy, out=t)
            xp.subtract(q, p, out=dy)
            xp.multiply(active, share, out=pull)
            xp.multiply(dy, pull, out=dy)
            xp.add(t, dy, out=t)
            xp.multiply(t, near, out=t)
            xp.multiply(t, minus_two, out=t)  # times x − c: slope by x
            xp.sum(t, axis=1, keepdims=True, out=row)
            if dx is not None:
                xp.multiply(x, row, out=dx)
                xp.matmul(t, centres, out=spare)
                xp.subtract(dx, spare, out=dx)
            xp.matmul(t.T, x, out=dcentres)
            xp.sum(t, axis=0, out=sums[:, 0])
            xp.multiply(centres, sums, out=centre_squares)
            xp.subtract(centre_squares, dcentres, out=dcentres)

        return forward, backward
