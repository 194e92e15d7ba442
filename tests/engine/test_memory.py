"""Buffers share memory exactly when they are not needed at the same time."""

import numpy as np

from nndesigner.engine.device import Device
from nndesigner.engine.memory import Arena, Wanted, place

FLOAT = np.dtype(np.float32)


def buffer(key, size, first, last):
    return Wanted(key, (size,), FLOAT, first, last)


def test_a_chain_needs_two_places():
    wanted = [buffer(i, 64, i, i + 1) for i in range(10)]
    _, size = place(wanted)
    assert size == 2 * 64 * 4


def test_random_wishes_never_collide():
    rng = np.random.default_rng(0)
    for _ in range(50):
        wanted = []
        for key in range(30):
            first = int(rng.integers(0, 40))
            wanted.append(buffer(key, int(rng.integers(1, 500)), first, first + int(rng.integers(0, 10))))
        offsets, size = place(wanted)
        assert size <= sum(w.nbytes for w in wanted)
        for a in wanted:
            assert offsets[a.key] % 256 == 0 and offsets[a.key] + a.nbytes <= size
            for b in wanted:
                if a.key < b.key and a.first <= b.last and b.first <= a.last:
                    assert offsets[a.key] + a.nbytes <= offsets[b.key] or offsets[b.key] + b.nbytes <= offsets[a.key]


def test_an_arena_is_shared_and_grows_without_harm():
    arena = Arena(Device("cpu"))
    small = arena.arrays([buffer("a", 10, 0, 1)])["a"]
    again = arena.arrays([buffer("b", 10, 0, 1)])["b"]
    assert np.shares_memory(small, again)
    large = arena.arrays([buffer("c", 100_000, 0, 1)])["c"]
    small[...] = 3
    large[...] = 5
    assert (small == 3).all() and large.ctypes.data % 64 == 0
