"""What is fused behind the sums of products of a convolution."""

from __future__ import annotations

import math
from typing import Any

from nndesigner.layers.base import Bind, Step
from nndesigner.layers.elementwise import Elementwise, bind_finish, in_turn, nothing
from nndesigner.layers.tracing import Calls, traces


class Epilogue:
    """Bias and activation behind sums of products, block by block while they are in the cache, and the way back.

    y and dy: [batch, ..., channels]; the blocks are parts of the batch.
    """

    def __init__(self, ctx: Bind, blocks: list[slice], activation: Elementwise | None, bias: Any | None) -> None:
        self.ctx, self.blocks, self.activation, self.bias = ctx, blocks, activation, bias
        y = ctx.y
        self.row = y.shape[-2] * y.shape[-1] if y.ndim > 2 else y.shape[-1]
        if activation is not None:
            longest = blocks[0].stop * math.prod(y.shape[1:])
            self._kept = [ctx.scratch(f"kept {i}", y.shape) for i in range(activation.keeps)] if ctx.training else []
            self._temporary = lambda name, n: ctx.scratch(f"temporary {name}", (longest,))[:n]
        if bias is not None:
            # whole rows of an image get the bias at once: adding only a few channels at a time is slow
            self._tile = ctx.scratch("bias", (self.row // y.shape[-1], y.shape[-1]))
            rows = blocks[0].stop * math.prod(y.shape[1:]) // self.row
            self._ones = ctx.xp.ones(max(rows, len(blocks), self._tile.shape[0]), dtype=ctx.dtype)
            self._sums = ctx.scratch("bias sums", (len(blocks), self.row))

    def before_forward(self) -> Step:
        """To run once, before the blocks."""
        if self.bias is None or traces(self.ctx.xp):
            return nothing
        xp, tile, b = self.ctx.xp, self._tile, self.bias
        return lambda: xp.copyto(tile, b)

    def bind_block(self, index: int) -> tuple[Step, Step]:
        """(bias and activation on the block of y, gradient of the sums in the block of dy and sums for the bias)."""
        ctx, xp, part = self.ctx, self.ctx.xp, self.blocks[index]
        y, dy = ctx.y[part], ctx.dy[part] if ctx.training else None
        forward, backward = [], []
        if traces(xp):
            finish, finish_back = self._bind_kernels(y, dy, part)
            forward.append(finish)
            backward.append(finish_back)
        elif self.bias is not None:
            rows, tile = y.reshape(-1, self.row), self._tile.reshape(-1)
            forward.append(lambda: xp.add(rows, tile, out=rows))
        if self.activation is not None and not traces(xp):
            flat, dflat = y.reshape(-1), dy.reshape(-1) if ctx.training else None
            kept = [array[part].reshape(-1) for array in self._kept]
            calls = Calls(xp)
            act, act_back = self.activation.bind_part(
                calls, flat, flat, dflat, dflat, kept, lambda name: self._temporary(name, flat.size))
            forward.append(calls.of(act))
            backward.append(calls.of(act_back))
        if self.bias is not None and ctx.training:
            drows = dy.reshape(-1, self.row)
            add, total = self._ones[:drows.shape[0]].dot, self._sums[index]
            backward.append(lambda: add(drows, out=total))
        return in_turn(forward), in_turn(backward)

    def _bind_kernels(self, y: Any, dy: Any, part: slice) -> tuple[Step, Step]:
        kept = [] if self.activation is None else [array[part] for array in self._kept]
        y, dy, *kept = (None if array is None else array.reshape(-1, array.shape[-1]) for array in (y, dy, *kept))
        return bind_finish(self.ctx.xp, self.activation, kept, self.bias, y, y, dy, dy)

    def after_backward(self, db: Any | None) -> Step:
        """To run once, after the blocks: the gradient of the bias."""
        if self.bias is None:
            return nothing
        whole = self.ctx.scratch("bias sum", (self.row,))
        by_block, by_place = self._ones[:len(self.blocks)], self._ones[:self._tile.shape[0]]
        places, sums = whole.reshape(self._tile.shape), self._sums

        def run() -> None:
            by_block.dot(sums, out=whole)
            by_place.dot(places, out=db)

        return run
