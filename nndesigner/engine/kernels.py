"""Compiled loops that do in one pass what NumPy does in several. The only module that imports numba.

Each gives exactly the bits of the NumPy calls it stands for: the same operations in the same order on every element, no
sums over elements, no fused multiply-add, no fast-math. So it does not matter at which step of a run it becomes ready.
Left to NumPy: tanh and exp (other last digits), and maxima (which sign a zero gets depends on the place in a vector).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np

_FLAT = numba.float32[::1]
_NUMBER = numba.types.Array(numba.float32, 0, "C")
_IMAGES, _IMAGE_BITS = numba.float32[:, :, :, ::1], numba.int32[:, :, :, ::1]


def adam(w: Any, g: Any, m: Any, v: Any, keep_mean: Any, keep_square: Any, eps: Any, rate: Any) -> None:
    """`bind_moments`, then `bind_scaled_step`."""
    by_mean, by_square, least, far = keep_mean[()], keep_square[()], eps[()], rate[()]
    for i in range(w.size):
        mean = m[i] * by_mean + g[i]
        square = v[i] * by_square + g[i] * g[i]
        m[i] = mean
        v[i] = square
        w[i] -= mean / (np.sqrt(square) + least) * far


def momentum(w: Any, g: Any, v: Any, keep: Any, rate: Any) -> None:
    """`Momentum`."""
    by, far = keep[()], rate[()]
    for i in range(w.size):
        velocity = v[i] * by + g[i]
        v[i] = velocity
        w[i] -= velocity * far


def nesterov(w: Any, g: Any, v: Any, keep: Any, rate: Any) -> None:
    """`Nesterov`."""
    by, far = keep[()], rate[()]
    for i in range(w.size):
        velocity = v[i] * by + g[i]
        v[i] = velocity
        w[i] -= (velocity * by + g[i]) * far


def rmsprop(w: Any, g: Any, s: Any, keep: Any, eps: Any, rate: Any) -> None:
    """`RMSprop`."""
    by, least, far = keep[()], eps[()], rate[()]
    for i in range(w.size):
        square = s[i] * by + g[i] * g[i]
        s[i] = square
        w[i] -= g[i] / (np.sqrt(square) + least) * far


def max_pool_back(x: Any, y: Any, dy: Any, dx: Any) -> None:
    """`MaxPool2D` backward, for windows of 2 x 2 that cover every place once. dy and dx are the bits of the floats."""
    shift = np.int32(31)
    for n in range(y.shape[0]):
        for h in range(y.shape[1]):
            for w in range(y.shape[2]):
                top, given = y[n, h, w], dy[n, h, w]
                x0, x1, x2 = x[n, 2 * h, 2 * w], x[n, 2 * h, 2 * w + 1], x[n, 2 * h + 1, 2 * w]
                dx0, dx1 = dx[n, 2 * h, 2 * w], dx[n, 2 * h, 2 * w + 1]
                dx2, dx3 = dx[n, 2 * h + 1, 2 * w], dx[n, 2 * h + 1, 2 * w + 1]
                for c in range(top.size):
                    left0 = given[c] & (np.float32(x0[c] - top[c]).view(np.int32) >> shift)
                    left1 = left0 & (np.float32(x1[c] - top[c]).view(np.int32) >> shift)
                    left2 = left1 & (np.float32(x2[c] - top[c]).view(np.int32) >> shift)
                    dx0[c] = given[c] ^ left0
                    dx1[c] = left0 ^ left1
                    dx2[c] = left1 ^ left2
                    dx3[c] = left2


_SIGNATURES = {
    adam: (_FLAT,) * 4 + (_NUMBER,) * 4,
    momentum: (_FLAT,) * 3 + (_NUMBER,) * 2,
    nesterov: (_FLAT,) * 3 + (_NUMBER,) * 2,
    rmsprop: (_FLAT,) * 3 + (_NUMBER,) * 3,
    max_pool_back: (_IMAGES,) * 2 + (_IMAGE_BITS,) * 2,
}


def compiled(cache: Path | None) -> Iterator[tuple[str, Callable[..., None]]]:
    """Name and kernel, one after the other as they become ready; taken from the folder `cache` where it has them."""
    if cache is not None:
        numba.config.CACHE_DIR = str(cache)
    for function, signature in _SIGNATURES.items():
        make = numba.njit(numba.void(*signature), nogil=True, cache=cache is not None, error_model="numpy")
        yield function.__name__, make(function)
