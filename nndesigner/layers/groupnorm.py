"""Normalisation over the places of each sample, for groups of channels."""

from __future__ import annotations

import math
from typing import Any

from nndesigner.layers.base import Bind, Layer, Step, Weight
from nndesigner.layers.elementwise import nothing
from nndesigner.spec import Set, Shape, ShapeError, param


class GroupNorm(Layer):
    """Brings groups of channels of each sample to mean 0 and spread 1 over all places, then scales and shifts channels.

    y = gamma · (x − mean) / √(var + epsilon) + beta, mean and variance over the places and the channels of a group.

    Like BatchNorm, but independent of the batch: for pictures in small batches. Source: Wu and He 2018,
    arXiv:1803.08494.
    """

    kind = "groupnorm.v1"
    title = "GroupNorm"
    group = "Normalise"
    icon = "mdi6.group"
    keywords = ("group normalisation", "normalization", "standardise", "small batch")

    groups: int = param(8, "Groups", "Number of groups; must divide the channels. Higher: channels are normalised more "
                        "separately; 1: all together.", ge=1, le=65_536)
    epsilon: float = param(
        1e-5, "Epsilon", "Added to the variance, so that constant inputs do not blow up. Higher: gentler scaling.",
        gt=0, le=1, advanced=True)

    def output_shape(self, *inputs: Shape) -> Shape:
        channels = inputs[0].dims[-1]
        if channels % self.groups:
            best = math.gcd(channels, self.groups)
            raise ShapeError(f"channels that {self.groups} groups divide", inputs[0], f"set the groups to {best}",
                             (Set({"groups": best}),))
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        shape = inputs[0].dims[-1:]
        return {"gamma": Weight(shape, "ones", decay=False), "beta": Weight(shape, "zeros", decay=False)}

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size

    def summary(self) -> str:
        return f"{self.groups}"

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        return bind_groups(ctx, self.groups, self.epsilon)


class InstanceNorm(Layer):
    """Brings each channel of each sample to mean 0 and spread 1 over all places, then scales and shifts it.

    y = gamma · (x − mean) / √(var + epsilon) + beta, mean and variance over the places of one channel.

    Removes brightness and contrast: for style transfer and picture generators. Needs more than one place. Source:
    Ulyanov et al. 2016, arXiv:1607.08022. PyTorch: InstanceNorm1d, 2d, 3d with affine=True.
    """

    kind = "instancenorm.v1"
    title = "InstanceNorm"
    group = "Normalise"
    icon = "mdi6.contrast-box"
    keywords = ("instance normalisation", "normalization", "contrast", "style transfer")

    epsilon: float = param(
        1e-5, "Epsilon", "Added to the variance, so that constant inputs do not blow up. Higher: gentler scaling.",
        gt=0, le=1, advanced=True)

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape.size == shape.dims[-1]:
            raise ShapeError("more than one place in each channel", shape, "use a LayerNorm instead")
        return shape

    def weights(self, *inputs: Shape) -> dict[str, Weight]:
        shape = inputs[0].dims[-1:]
        return {"gamma": Weight(shape, "ones", decay=False), "beta": Weight(shape, "zeros", decay=False)}

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0].size

    def bind(self, ctx: Bind) -> tuple[Step, Step]:
        return bind_groups(ctx, ctx.x[0].shape[-1], self.epsilon)


def bind_groups(ctx: Bind, groups: int, epsilon: float) -> tuple[Step, Step]:
    """(forward, backward) of a normalisation over all places and the channels of each of so many groups."""
    xp, channels = ctx.xp, ctx.x[0].shape[-1]
    x, y = ctx.x[0].reshape(ctx.batch, -1, channels), ctx.y.reshape(ctx.batch, -1, channels)  # [B, places, C]
    gamma, beta = ctx.weights["gamma"], ctx.weights["beta"]
    places, size = x.shape[1], channels // groups
    row = xp.full((1, places), 1 / (places * size), dtype=ctx.dtype)
    fold = xp.ones((size, 1), dtype=ctx.dtype)
    by_channel = ctx.scratch("by channel", (ctx.batch, 1, channels))
    by_group = ctx.scratch("by group", (ctx.batch * groups, 1))
    grouped = by_channel.reshape(ctx.batch * groups, size)
    standard, t = ctx.scratch("standard", x.shape), ctx.scratch("t", x.shape)
    deviation = ctx.scratch("deviation", (ctx.batch, 1, channels))
    deviations = deviation.reshape(ctx.batch * groups, size)
    eps = xp.asarray(epsilon, ctx.dtype)

    def mean_of(array: Any) -> None:
        """Write the means of each group to by_channel."""
        xp.matmul(row, array, out=by_channel)
        grouped.dot(fold, out=by_group)
        xp.copyto(grouped, by_group)

    def forward() -> None:
        mean_of(x)
        xp.subtract(x, by_channel, out=standard)
        xp.multiply(standard, standard, out=t)
        mean_of(t)
        xp.add(grouped, eps, out=deviations)
        xp.sqrt(deviation, out=deviation)
        xp.divide(standard, deviation, out=standard)
        xp.multiply(standard, gamma, out=y)
        xp.add(y, beta, out=y)

    if not ctx.training:
        return forward, nothing
    dy, dgamma, dbeta = ctx.dy.reshape(x.shape), ctx.grads["gamma"], ctx.grads["beta"]
    dx = None if ctx.dx[0] is None else ctx.dx[0].reshape(x.shape)
    ones = xp.ones(ctx.batch * places, dtype=ctx.dtype)
    dy_rows, t_rows = dy.reshape(-1, channels), t.reshape(-1, channels)

    def backward() -> None:
        ones.dot(dy_rows, out=dbeta)
        xp.multiply(dy, standard, out=t)
        ones.dot(t_rows, out=dgamma)
        if dx is None:
            return
        # dx = (g − mean(g) − standard · mean(g · standard)) / deviation with g = dy · gamma
        xp.multiply(dy, gamma, out=dx)
        xp.multiply(dx, standard, out=t)
        mean_of(t)
        xp.multiply(standard, by_channel, out=t)
        mean_of(dx)
        xp.subtract(dx, by_channel, out=dx)
        xp.subtract(dx, t, out=dx)
        xp.divide(dx, deviation, out=dx)

    return forward, backward
