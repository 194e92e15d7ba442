"""Random numbers are functions of (seed, purpose, step, node, position)."""

import numpy as np
import pytest

from nndesigner.engine.random import Stream, generator, key_of, normal_from, philox


def draw(step, size=20, dtype=np.float32, seed=1, purpose="dropout", node="n1"):
    out = np.zeros(size, dtype=dtype)
    Stream(seed, purpose, node, np).uniform(step, out)
    return out


def test_numbers_depend_on_every_word_and_on_nothing_else():
    first = draw(5)
    stream = Stream(1, "dropout", "n1", np)
    again = np.zeros(20, dtype=np.float32)
    for step in (9, 2, 5):  # whatever was drawn before
        stream.uniform(step, again)
    np.testing.assert_array_equal(first, again)
    for other in (draw(6), draw(5, seed=2), draw(5, purpose="noise"), draw(5, node="n2")):
        assert not np.array_equal(first, other)


def test_a_longer_array_begins_with_the_same_numbers():
    np.testing.assert_array_equal(draw(3, 7), draw(3, 1000)[:7])


def expected(step: int, size: int, dtype: type, purpose: str = "dropout") -> list[float]:
    key = key_of(1, purpose, "n1")
    words = [w for block in range(size) for w in philox((block + 1, 0, step, 0), key)]
    if dtype is np.float64:
        return [(w >> 11) * 2.0**-53 for w in words[:size]]
    halves = [half for w in words for half in (w & 0xFFFFFFFF, w >> 32)]
    return [(half >> 8) * 2.0**-24 for half in halves[:size]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_are_those_of_philox(dtype):
    np.testing.assert_array_equal(draw(4, 13, dtype), np.array(expected(4, 13, dtype), dtype=dtype))


def test_numbers_are_those_of_philox_for_keys_of_every_size():
    sizes = set()
    for purpose in map(str, range(12)):
        sizes.add(tuple(word >> 63 for word in key_of(1, purpose, "n1")))
        np.testing.assert_array_equal(
            draw(4, 5, purpose=purpose), np.array(expected(4, 5, np.float32, purpose), dtype=np.float32))
    assert sizes == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_seeds_go_on_meaning_what_they_have_meant():
    assert generator(7, "order", 3).permutation(9).tolist() == [6, 3, 8, 2, 5, 7, 1, 4, 0]
    np.testing.assert_array_equal(draw(5, 3, purpose="noise"), np.array(
        [0.22538214921951294, 0.5273617506027222, 0.35173749923706055], dtype=np.float32))


def test_uniform_and_normal_numbers_have_their_moments():
    values = draw(0, 100_000)
    assert values.min() >= 0 and values.max() < 1
    assert abs(values.mean() - 0.5) < 0.005 and abs(values.var() - 1 / 12) < 0.002
    out = np.zeros(100_001, dtype=np.float32)  # an odd number: the second half is shorter
    normal_from(np, lambda a: Stream(1, "noise", "n", np).uniform(0, a), out)()
    assert np.isfinite(out).all()
    assert abs(out.mean()) < 0.01 and abs(out.std() - 1) < 0.01
    assert abs(np.mean(out**4) - 3) < 0.15
    assert abs(np.corrcoef(out[:50_000], out[50_001:])[0, 1]) < 0.02


def test_host_generators_repeat():
    a, b = (generator(3, "order", 2).permutation(50) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, generator(3, "order", 3).permutation(50))
