"""Counter-based random numbers: each one is a function of (seed, purpose, step, node, position), on any device.

Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) keyed by (seed, purpose, node); the
step is a word of the counter. Nothing has to be saved to continue a run exactly. NumPy's own Philox makes the numbers
on the processor; the kernel below makes the same ones on a GPU.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

_WORD = 0xFFFFFFFFFFFFFFFF


def key_of(seed: int, purpose: str, node: str = "") -> tuple[int, int]:
    """Two 64-bit words that stand for (seed, purpose, node)."""
    digest = hashlib.blake2b(f"{seed}\0{purpose}\0{node}".encode(), digest_size=16).digest()
    first, second = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
    if first >> 63 != second >> 63:
        # NumPy makes floats of such a pair when it is given as plain numbers, and so these seeds began. The words are
        # rounded here, once and for all devices, so that a seed goes on meaning what it has meant.
        first, second = int(float(first)) & _WORD, int(float(second)) & _WORD
    return first, second


def _bits(key: tuple[int, int], step: int = 0) -> np.random.Philox:
    return np.random.Philox(key=np.array(key, dtype=np.uint64), counter=[0, 0, step, 0])


def generator(seed: int, purpose: str, step: int = 0, node: str = "") -> np.random.Generator:
    """A fresh NumPy generator for (seed, purpose, step, node): for work on the host that is done once."""
    return np.random.Generator(_bits(key_of(seed, purpose, node), step))


class Stream:
    """Random arrays of one (seed, purpose, node), a new one at each step."""

    def __init__(self, seed: int, purpose: str, node: str, xp: Any) -> None:
        self._key = key_of(seed, purpose, node)
        self._xp = xp
        if xp is np:
            self._bits = _bits(self._key)
            self._generator = np.random.Generator(self._bits)
            self._state = self._bits.state
            self._counter = self._state["state"]["counter"]

    def uniform(self, step: int, out: Any) -> None:
        """Fill `out` (float32 or float64, contiguous) with numbers in [0, 1)."""
        if self._xp is np:
            self._counter[:] = 0
            self._counter[2] = step
            self._bits.state = self._state
            self._generator.random(out=out, dtype=out.dtype)
        else:
            _uniform_kernel(self._xp, out.dtype.char)(*(np.uint64(w) for w in (*self._key, step)), out)


def normal_from(xp: Any, uniform: Callable[[Any], None], out: Any) -> Callable[[], None]:
    """A function that fills `out` with standard normal numbers made from uniform ones (Box and Muller, 1958).

    Written once for both array modules, so both devices get the same numbers but for the last bits of log, cos and sin.
    """
    flat = out.reshape(-1)
    half = (flat.size + 1) // 2
    both = xp.empty(2 * half, dtype=out.dtype)
    radius, angle = both[:half], both[half:]
    sine = xp.empty(half, dtype=out.dtype)
    first, second = flat[:half], flat[half:]
    second_radius, second_sine = radius[: second.size], sine[: second.size]
    one, minus_two, turn = (xp.asarray(v, dtype=out.dtype) for v in (1.0, -2.0, 2 * math.pi))

    def fill() -> None:
        uniform(both)
        xp.subtract(one, radius, out=radius)  # (0, 1]: the logarithm stays finite
        xp.log(radius, out=radius)
        xp.multiply(radius, minus_two, out=radius)
        xp.sqrt(radius, out=radius)
        xp.multiply(angle, turn, out=angle)
        xp.sin(angle, out=sine)
        xp.cos(angle, out=angle)
        xp.multiply(second_radius, second_sine, out=second)
        xp.multiply(radius, angle, out=first)

    return fill


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """One block of Philox4x64-10 in plain integers: the reference that kernel and NumPy are tested against."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (p1 >> 64) ^ c1 ^ k0, p1 & _WORD, (p0 >> 64) ^ c3 ^ k1, p0 & _WORD
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & _WORD, (k1 + 0xBB67AE8584CAA73B) & _WORD
    return c0, c1, c2, c3


# NumPy increments the counter before the first block, hands out the four words in order, takes the low half of a word
# before its high half for 32-bit numbers, and makes floats of the upper 24 (53) bits.
_BODY = """
unsigned long long position = i / PER_BLOCK;
unsigned long long c0 = position + 1, c1 = 0, c2 = step, c3 = 0, a = k0, b = k1;
for (int round = 0; round < 10; ++round) {
    unsigned long long high0 = __umul64hi(0xD2E7470EE14C6C93ULL, c0), low0 = 0xD2E7470EE14C6C93ULL * c0;
    unsigned long long high1 = __umul64hi(0xCA5A826395121157ULL, c2), low1 = 0xCA5A826395121157ULL * c2;
    c0 = high1 ^ c1 ^ a; c1 = low1; c2 = high0 ^ c3 ^ b; c3 = low0;
    a += 0x9E3779B97F4A7C15ULL; b += 0xBB67AE8584CAA73BULL;
}
"""
_FLOAT32 = """
int word = (int)((i % 8) / 2);
unsigned long long bits = word == 0 ? c0 : word == 1 ? c1 : word == 2 ? c2 : c3;
unsigned int part = (unsigned int)(i % 2 == 0 ? bits & 0xFFFFFFFFULL : bits >> 32);
out = (part >> 8) * (1.0f / 16777216.0f);
"""
_FLOAT64 = """
int word = (int)(i % 4);
unsigned long long bits = word == 0 ? c0 : word == 1 ? c1 : word == 2 ? c2 : c3;
out = (bits >> 11) * (1.0 / 9007199254740992.0);
"""


@functools.cache
def _uniform_kernel(xp: Any, char: str) -> Any:
    per_block, tail = ("8", _FLOAT32) if char == "f" else ("4", _FLOAT64)
    return xp.ElementwiseKernel(
        "uint64 k0, uint64 k1, uint64 step", f"{'float32' if char == 'f' else 'float64'} out",
        _BODY.replace("PER_BLOCK", per_block) + tail, f"nndesigner_uniform_{char}",
    )
