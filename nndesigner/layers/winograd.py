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
from nndesigner.layers.elementwise import in_turn
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


#: time of a product in the maps, with their copies, in times of a product of the large matrices (fitted to
#: measurements)
_MAP_COST = 1.3


def suits(windows: Windows, channels: int, filters: int, groups: int) -> bool:
    """Whether this way is right for a convolution, and faster than windows copied into matrices.

    The maps cost their share for each channel and filter, and tiles that reach over the edge are wasted. Measured,
    forward and backward, time in parts of the other way: 128 to 128 channels 16 x 16 0.40, 64 to 64 channels 32 x 32
    0.51, 32 to 64 channels 14 x 14 0.77, 16 to 32 channels 8 x 8 0.81.
    """
    if (windows.kernel, windows.strides, windows.dilation, groups) != ((3, 3), (1, 1), (1, 1), 1):
        return False
    if min(channels, filters) < 16:
        return False
    places = windows.outputs[0] * windows.outputs[1]
    tiles = -(-windows.outputs[0] // _TILE) * -(-windows.outputs[1] // _TILE)
    maps = _NUMBERS * (_NUMBERS * channels + _TILE * _TILE * filters)
    ours = tiles * (_NUMBERS * channels * filters + _MAP_COST * maps)
    return ours < 0.9 * (9 * places * channels * filters)


class _Tiles:
    """Copies between pictures [n, H, W, C] and tiles [size · size, n · tiles, C] that overlap by size − 4."""

    def __init__(self, xp: Any, dtype: Any, most: int, shape: tuple[int, int], before: tuple[int, int], size: int,
                 tiles: tuple[int, int], channels: int) -> None:
        self.xp, self.size, self.tiles, self.channels = xp, size, tiles, channels
        reach = tuple(n * _TILE + size - _TILE for n in tiles)
        self.padded = xp.zeros((most, *reach, channels), dtype=dtype)
        start = [max(0, -b) for b in before]
        stop = [min(n, r - b) for n, r, b in zip(shape, reach, before)]
        self.part = tuple(slice(a, b) for a, b in zip(start, stop))
        self.place = tuple(slice(a + b, c + b) for a, c, b in zip(start, stop, before))

    def bind(self, pictures: Any, tiles: Any, back: bool = False) -> Step:
        """Fill `tiles` from `pictures`, or the pictures from tiles that do not overlap."""
        xp, n = self.xp, pictures.shape[0]
        padded = self.padded[:n]
        s = padded.strides
        shape = (self.size, self.size, n, *self.tiles, self.channels)
        view = xp.lib.stride_tricks.as_strided(padded, shape, (s[1], s[2], s[0], _TILE * s[1], _TILE * s[2], s[3]))
        array = tiles.reshape(shape)
        inner = pictures[(slice(None), *self.part)]
        outer = padded[(slice(None), *self.place)]
        if back:
            return in_turn([lambda: xp.copyto(view, array), lambda: xp.copyto(inner, outer)])
        return in_turn([lambda: xp.copyto(outer, inner), lambda: xp.copyto(array, view)])


class Winograd:
    """Does what `windows.Correlation` does, for the convolutions that it suits."""

    def __init__(self, xp: Any, dtype: Any, windows: Windows, channels: int, filters: int, batch: int, training: bool
                 ) -> None:
        self.xp, self.dtype, self.windows = xp, dtype, windows
        self.channels, self.filters = channels, filters
        self.tiles = tuple(-(-n // _TILE) for n in windows.outputs)
        count = self.tiles[0] * self.tiles[1]
        self.blocks = blocks_of(xp, batch, count * _NUMBERS * max(channels, filters) // 2)
        self.most, self.count = self.blocks[0].stop, count
        outputs, kernel, tile = _maps()
        self._outputs, self._kernel, self._tile = (xp.asarray(m, dtype=dtype) for m in (outputs, kernel, tile))
        self._seen = _Tiles(xp, dtype, self.most, windows.inputs, windows.before, _SEEN, self.tiles, channels)
        self._made = _Tiles(xp, dtype, self.most, windows.outputs, (0, 0), _TILE, self.tiles, filters)
        self._spare = xp.empty(_NUMBERS * self.most * count * max(channels, filters), dtype=dtype)
        self._products = xp.empty(_NUMBERS * self.most * count * filters, dtype=dtype)
        self._results = xp.empty(_TILE * _TILE * self.most * count * filters, dtype=dtype)
        # numbers of the tiles: kept for the gradient by the weights, else of one block only
        kept = len(self.blocks) if training else 1
        self._numbers = xp.empty((kept, _NUMBERS * self.most * count * channels), dtype=dtype)
        if training:
            # an array of its own: its edges, which no output belongs to, must stay zero
            self._given = _Tiles(xp, dtype, self.most, windows.outputs, (0, 0), _TILE, self.tiles, filters)
            self._sums = xp.empty((_NUMBERS, channels, filters), dtype=dtype)
            self._part = xp.empty((_NUMBERS, channels, filters), dtype=dtype)

    def bind_weights(self, W: Any) -> tuple[Step, Any]:
        """(map the kernels, [36, channels, filters])."""
        flat, numbers = W.reshape(9, -1), self.xp.empty((_NUMBERS, self.channels, self.filters), dtype=self.dtype)
        target, kernel = numbers.reshape(_NUMBERS, -1), self._kernel
        return lambda: kernel.dot(flat, out=target), numbers

    def bind_turned_weights(self, W: Any) -> tuple[Step, Any]:
        """(map the kernels of the convolution whose input gradient this is, [36, channels, filters])."""
        flat = W.reshape(9, -1)
        numbers = self.xp.empty((_NUMBERS, self.filters, self.channels), dtype=self.dtype)
        # turning a kernel round reverses the order of its nine taps
        target, kernel = numbers.reshape(_NUMBERS, -1), self.xp.ascontiguousarray(self._kernel[:, ::-1])
        return lambda: kernel.dot(flat, out=target), numbers.transpose(0, 2, 1)

    def _numbers_of(self, index: int, n: int) -> Any:
        size = _NUMBERS * n * self.count * self.channels
        return self._numbers[index if len(self._numbers) > 1 else 0][:size].reshape(_NUMBERS, -1)

    def bind_forward(self, index: int, x: Any, matrix: Any, y: Any) -> Step:
        """y = windows of x · weights, for block number `index`."""
        xp, n = self.xp, x.shape[0]
        t = n * self.count
        spare = self._spare[:_NUMBERS * t * self.channels].reshape(_NUMBERS, -1)
        numbers = self._numbers_of(index, n)
        products = self._products[:_NUMBERS * t * self.filters].reshape(_NUMBERS, t, self.filters)
        results = self._results[:_TILE * _TILE * t * self.filters].reshape(_TILE * _TILE, -1)
        seen, sums = numbers.reshape(_NUMBERS, t, self.channels), products.reshape(_NUMBERS, -1)
        tile, outputs = self._tile, self._outputs
        return in_turn([
            self._seen.bind(x, spare), lambda: tile.dot(spare, out=numbers),
            lambda: xp.matmul(seen, matrix, out=products), lambda: outputs.dot(sums, out=results),
            self._made.bind(y, results, back=True)])

    def bind_weight_gradient(self, index: int, x: Any, dy: Any) -> Step:
        """Add this block's part of the gradient by the mapped weights; forward must have run."""
        xp, n = self.xp, x.shape[0]
        t, first = n * self.count, index == 0
        results = self._results[:_TILE * _TILE * t * self.filters].reshape(_TILE * _TILE, -1)
        spare = self._spare[:_NUMBERS * t * self.filters].reshape(_NUMBERS, -1)
        seen = self._numbers_of(index, n).reshape(_NUMBERS, t, self.channels).transpose(0, 2, 1)
        products, back = spare.reshape(_NUMBERS, t, self.filters), self._outputs.T
        target = self._sums if first else self._part
        steps = [self._given.bind(dy, results), lambda: back.dot(results, out=spare),
                 lambda: xp.matmul(seen, products, out=target)]
        if not first:
            steps.append(lambda: xp.add(self._sums, self._part, out=self._sums))
        return in_turn(steps)

    def bind_weights_back(self, dW: Any) -> Step:
        """To run once, after the blocks: the gradient by the weights."""
        flat, back, sums = dW.reshape(9, -1), self._kernel.T, self._sums.reshape(_NUMBERS, -1)
        return lambda: back.dot(sums, out=flat)
