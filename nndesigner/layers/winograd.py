"""3 x 3 convolution with stride 1 in a quarter of the products: Winograd's F(4 x 4, 3 x 3).

Method (Lavin and Gray 2016, arXiv:1509.09308): tiles of 6 x 6 inputs and the kernels are mapped to 36 numbers each, in
which a convolution is a product of numbers, so that 36 small matrix products do the work; another map turns them into 4
x 4 outputs. All maps are matrix products themselves. The points of interpolation are 0, ±1/√2, ±√2 instead of the usual
0, ±1, ±2: own measurement, largest error 1.5e-6 of the largest value in single precision instead of 6.6e-6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nndesigner.layers.base import Step
from nndesigner.layers.elementwise import in_turn, nothing
from nndesigner.layers.windows import Windows, blocks_of

_POINTS = (0.0, 0.5**0.5, -(0.5**0.5), 2.0**0.5, -(2.0**0.5))
_TILE = 4  # outputs of a tile along an axis
_SEEN = 6  # inputs that a tile sees
_NUMBERS = _SEEN * _SEEN


def _maps() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(outputs from numbers [16, 36], numbers from a kernel [36, 9], numbers from a tile [36, 36]), float64.

    Toom-Cook: numbers are values of polynomials at the points and at infinity.
    """
    points = np.array(_POINTS)
    outputs, kernel, tile = np.zeros((_TILE, _SEEN)), np.zeros((_SEEN, 3)), np.zeros((_SEEN, _SEEN))
    for j, point in enumerate(points):
        others = np.delete(points, j)
        outputs[:, j] = point ** np.arange(_TILE)
        kernel[j] = point ** np.arange(3) / np.prod(point - others)
        tile[j, :-1] = np.poly(others)[::-1]
    outputs[-1, -1] = kernel[-1, -1] = 1
    tile[-1] = np.poly(points)[::-1]
    return np.kron(outputs, outputs), np.kron(kernel, kernel), np.kron(tile, tile)


#: time of a product in the work of each kind, in times of a product of the plain way (fitted to measurements of
#: forward, and of forward and backward together): small matrices; maps of tiles with their copies; maps of the weights
_PRODUCT_COST, _MAP_COST, _MAP_COST_TRAINING, _WEIGHTS_COST = 1.2, 0.95, 0.5, 5.0


def suits(windows: Windows, channels: int, filters: int, groups: int, batch: int, training: bool) -> bool:
    """Whether this way is right for a convolution, and faster than windows copied into matrices.

    The maps cost their share for each channel and filter, those of the weights once for a batch, and tiles that reach
    over the edge are wasted. Measured, time in parts of the other way, forward / with backward: 128 to 128 channels
    16 x 16, batch 16 0.45 / 0.45, batch 1 1.24 / 1.15; 32 to 64 channels 14 x 14, batch 64 0.74 / 0.57; 16 to 32
    channels 28 x 28, batch 64 0.79 / 0.58; 8 to 16 channels 1.08 / 0.79; 256 to 256 channels 8 x 8, batch 1 2.79.
    """
    if (windows.kernel, windows.strides, windows.dilation, groups) != ((3, 3), (1, 1), (1, 1), 1):
        return False
    if min(channels, filters) < 8:
        return False
    places = windows.outputs[0] * windows.outputs[1]
    tiles = -(-windows.outputs[0] // _TILE) * -(-windows.outputs[1] // _TILE)
    products = tiles * _NUMBERS * channels * filters
    maps = tiles * _NUMBERS * (_NUMBERS * channels + _TILE * _TILE * filters)
    weights = _NUMBERS * 9 * channels * filters / batch
    map_cost = _MAP_COST_TRAINING if training else _MAP_COST
    ours = _PRODUCT_COST * products + map_cost * maps + _WEIGHTS_COST * weights
    return ours < 0.95 * (9 * places * channels * filters)


#: OpenBLAS multiplies matrices of less than a million products without copying them first: twice as fast here
_PIECE = 768
#: values added to the rows of a matrix on the CPU: rows at distances of 4096 bytes throw each other out of the cache
_APART = 16


def _rows(xp: Any, dtype: Any, count: int, length: int) -> Any:
    """Matrix [count, length] whose rows lie well for the cache; contiguous on other devices than the CPU."""
    if xp.__name__ != "numpy":
        return xp.empty((count, length), dtype=dtype)
    units = -(-length // _APART)
    return xp.empty((count, (units + 1 - units % 2) * _APART), dtype=dtype)[:, :length]


def _bind_map(xp: Any, matrix: Any, source: Any, target: Any) -> Step:
    """target [m, N] = matrix [m, k] · source [k, N], piece by piece on the CPU."""
    length = source.shape[1]
    piece = max(d for d in range(1, min(length, _PIECE) + 1) if length % d == 0)
    if xp.__name__ == "numpy" and 96 <= piece < length:
        source, target = (
            np.lib.stride_tricks.as_strided(
                a, (length // piece, a.shape[0], piece), (piece * a.strides[1], *a.strides)) for a in (source, target))
    return lambda: xp.matmul(matrix, source, out=target)


class _Tiles:
    """Copies between pictures [n, H, W, C] and tiles [size · size, n · tiles, C] that overlap by size − 4."""

    def __init__(self, xp: Any, dtype: Any, most: int, shape: tuple[int, int], before: tuple[int, int], size: int,
                 tiles: tuple[int, int], channels: int) -> None:
        self.xp, self.size, self.tiles, self.channels = xp, size, tiles, channels
        reach = tuple(n * _TILE + size - _TILE for n in tiles)
        start = [max(0, -b) for b in before]
        stop = [min(n, r - b) for n, r, b in zip(shape, reach, before)]
        self.part = tuple(slice(a, b) for a, b in zip(start, stop))
        self.place = tuple(slice(a + b, c + b) for a, c, b in zip(start, stop, before))
        #: the tiles cover the pictures without a rest
        self.direct = reach == tuple(shape) and not any(before)
        self.padded = None if self.direct else xp.zeros((most, *reach, channels), dtype=dtype)

    def _views(self, pictures: Any) -> tuple[Any, Any, Any]:
        """(pictures with their padding, as overlapping tiles; place of the pictures in them; what belongs there)."""
        padded = pictures if self.direct else self.padded[:pictures.shape[0]]
        s = padded.strides
        shape = (self.size, self.size, padded.shape[0], *self.tiles, self.channels)
        view = self.xp.lib.stride_tricks.as_strided(
            padded, shape, (s[1], s[2], s[0], _TILE * s[1], _TILE * s[2], s[3]))
        return view, padded[(slice(None), *self.place)], pictures[(slice(None), *self.part)]

    def bind_cut(self, pictures: Any, tiles: Any) -> Step:
        """Fill the tiles from the pictures."""
        xp = self.xp
        view, outer, inner = self._views(pictures)
        array = tiles.reshape(view.shape)
        pad = nothing if self.direct else lambda: xp.copyto(outer, inner)
        return in_turn([pad, lambda: xp.copyto(array, view)])

    def bind_join(self, pictures: Any, tiles: Any, spare: Any = None) -> Step:
        """Fill the pictures with the sums of the tiles. `spare` is needed where they overlap: a third of the tiles."""
        xp = self.xp
        view, outer, inner = self._views(pictures)
        array = tiles.reshape(view.shape)  # [6 or 4, 6 or 4, n, rows, columns, C]
        steps = []

        def copy(target: Any, source: Any) -> None:
            steps.append(lambda: xp.copyto(target, source))

        def add(target: Any, one: Any, other: Any) -> None:
            steps.append(lambda: xp.add(one, other, out=target))

        if self.size == _TILE:
            copy(view, array)
        else:
            # First the tiles below each other are added, then those beside each other; never in place, since NumPy
            # takes a copy of a target that is an operand and not contiguous.
            lap = self.size - _TILE
            top = spare.reshape(lap, *array.shape[1:])
            copy(top[:, :, :, 0], array[:lap, :, :, 0])
            add(top[:, :, :, 1:], array[:lap, :, :, 1:], array[_TILE:, :, :, :-1])
            last = (slice(_TILE, None), slice(None), slice(None), slice(-1, None))
            for out, part in ((view[:lap], top), (view[lap:_TILE], array[lap:_TILE]), (view[last], array[last])):
                copy(out[:, :lap, :, :, 0], part[:, :lap, :, :, 0])
                add(out[:, :lap, :, :, 1:], part[:, :lap, :, :, 1:], part[:, _TILE:, :, :, :-1])
                copy(out[:, lap:_TILE], part[:, lap:_TILE])
                copy(out[:, _TILE:, :, :, -1], part[:, _TILE:, :, :, -1])
        if not self.direct:
            copy(inner, outer)
        return in_turn(steps)


class Winograd:
    """Does what `windows.Correlation` and `windows.InputGradient` do, for the convolutions that it suits."""

    def __init__(self, xp: Any, dtype: Any, windows: Windows, channels: int, filters: int, batch: int, training: bool
                 ) -> None:
        self.xp, self.dtype, self.windows = xp, dtype, windows
        self.channels, self.filters = channels, filters
        self.tiles = tuple(-(-n // _TILE) for n in windows.outputs)
        count = self.tiles[0] * self.tiles[1]
        self.blocks = blocks_of(xp, batch, count * _NUMBERS * max(channels, filters) // 2)
        self.most, self.count = self.blocks[0].stop, count
        self._outputs, self._kernel, self._tile = (xp.asarray(m, dtype=dtype) for m in _maps())
        longest = self.most * count * max(channels, filters)
        self._seen = _Tiles(xp, dtype, self.most, windows.inputs, windows.before, _SEEN, self.tiles, channels)
        self._made = _Tiles(xp, dtype, self.most, windows.outputs, (0, 0), _TILE, self.tiles, filters)
        self._first, self._second = (_rows(xp, dtype, _NUMBERS, longest) for _ in range(2))
        # numbers of the tiles: kept for the gradient by the weights, else of one block only
        kept = len(self.blocks) if training else 1
        self._numbers = [_rows(xp, dtype, _NUMBERS, self.most * count * channels) for _ in range(kept)]
        if training:
            # arrays of their own: their edges, which no output belongs to, must stay zero
            self._given = _Tiles(xp, dtype, self.most, windows.outputs, (0, 0), _TILE, self.tiles, filters)
            self._passed = _Tiles(xp, dtype, self.most, windows.inputs, windows.before, _SEEN, self.tiles, channels)
            self._sums = xp.empty((_NUMBERS, channels, filters), dtype=dtype)
            self._part = xp.empty((_NUMBERS, channels, filters), dtype=dtype)

    def bind_weights(self, W: Any) -> tuple[Step, Any]:
        """(map the kernels, [36, channels, filters])."""
        flat, numbers = W.reshape(9, -1), self.xp.empty((_NUMBERS, self.channels, self.filters), dtype=self.dtype)
        target, kernel = numbers.reshape(_NUMBERS, -1), self._kernel
        return lambda: kernel.dot(flat, out=target), numbers

    def bind_turned_weights(self, W: Any) -> tuple[Step, Any]:
        """(map the kernels for the way back, [36, filters, channels])."""
        xp = self.xp
        source = W.reshape(9, self.channels, self.filters).transpose(0, 2, 1)
        turned = xp.empty(source.shape, dtype=self.dtype)
        numbers = xp.empty((_NUMBERS, self.filters, self.channels), dtype=self.dtype)
        flat, target, kernel = turned.reshape(9, -1), numbers.reshape(_NUMBERS, -1), self._kernel

        def run() -> None:  # products with matrices in their own order are twice as fast as with transposed ones
            xp.copyto(turned, source)
            kernel.dot(flat, out=target)

        return run, numbers

    def bind_forward(self, index: int, x: Any, matrix: Any, y: Any) -> Step:
        """y = windows of x · weights, for block number `index`."""
        xp, t = self.xp, x.shape[0] * self.count
        cut, numbers = self._first[:, :t * self.channels], self._numbers_of(index, t)
        products, results = self._second[:, :t * self.filters], self._first[:_TILE * _TILE, :t * self.filters]
        seen, sums = (a.reshape(_NUMBERS, t, -1) for a in (numbers, products))
        return in_turn([
            self._seen.bind_cut(x, cut), _bind_map(xp, self._tile, cut, numbers),
            lambda: xp.matmul(seen, matrix, out=sums), _bind_map(xp, self._outputs, products, results),
            self._made.bind_join(y, results)])

    def _numbers_of(self, index: int, t: int) -> Any:
        return self._numbers[index if len(self._numbers) > 1 else 0][:, :t * self.channels]

    def bind_backward(self, index: int, dy: Any, turned: Any | None, dx: Any | None) -> Step:
        """dx = what the windows of dy pass back; add this block's part of the gradient by the mapped weights.

        Forward must have run. Without dx only the weights.
        """
        xp, t, first = self.xp, dy.shape[0] * self.count, index == 0
        cut, given = self._first[:_TILE * _TILE, :t * self.filters], self._second[:, :t * self.filters]
        grads = given.reshape(_NUMBERS, t, self.filters)
        seen = self._numbers_of(index, t).reshape(_NUMBERS, t, self.channels).transpose(0, 2, 1)
        target = self._sums if first else self._part
        steps = [self._given.bind_cut(dy, cut), _bind_map(xp, self._outputs.T, cut, given),
                 lambda: xp.matmul(seen, grads, out=target)]
        if not first:
            steps.append(lambda: xp.add(self._sums, self._part, out=self._sums))
        if dx is not None:
            passed, tiles = self._first[:, :t * self.channels], self._second[:, :t * self.channels]
            products = passed.reshape(_NUMBERS, t, self.channels)
            steps += [lambda: xp.matmul(grads, turned, out=products), _bind_map(xp, self._tile.T, passed, tiles),
                      self._passed.bind_join(dx, tiles, self._first[:2 * _SEEN, :t * self.channels])]
        return in_turn(steps)

    def bind_weights_back(self, dW: Any) -> Step:
        """To run once, after the blocks: the gradient by the weights."""
        flat, back, sums = dW.reshape(9, -1), self._kernel.T, self._sums.reshape(_NUMBERS, -1)
        return lambda: back.dot(sums, out=flat)
