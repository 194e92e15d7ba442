"""Texts read off scores, and their distance from the truth, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndesigner.engine.metrics import CharacterErrorRate, WholeTexts, metrics_for
from nndesigner.engine.transcripts import best_paths, edit_distances


def rows(*texts: str, length: int = 8) -> np.ndarray:
    """Token numbers of texts of the letters a to g, 0 behind the end."""
    found = np.zeros((len(texts), length), dtype=np.int64)
    for i, text in enumerate(texts):
        found[i, :len(text)] = [ord(letter) - 96 for letter in text]
    return found


def said(*steps: str) -> np.ndarray:
    """Probabilities [n, T, 8] of what is said at each step; a dash says nothing."""
    return np.stack([np.eye(8, dtype=np.float32)[[0 if s == "-" else ord(s) - 96 for s in text]] for text in steps])


def test_repeats_are_drawn_together_and_silence_is_dropped():
    found = best_paths(said("--aa-b", "aa-aab", "------", "abcabc"))
    assert (found == rows("ab", "aab", "", "abcabc", length=6)).all()


def test_what_is_not_finite_says_nothing():
    answers = said("aab")
    answers[0, 2] = np.nan
    assert (best_paths(answers) == rows("a", length=3)).all()


@pytest.mark.parametrize(("answer", "truth", "distance"), [
    ("abc", "abc", 0), ("abd", "abc", 1), ("ab", "abc", 1), ("abcd", "abc", 1), ("", "abc", 3), ("abc", "", 3),
    ("bca", "abc", 2), ("", "", 0), ("dbeecg", "abefg", 3)])
def test_distance(answer, truth, distance):
    assert edit_distances(rows(answer), rows(truth, length=6)).tolist() == [distance]


TEXTS = st.lists(st.tuples(st.text("abc", max_size=8), st.text("abc", max_size=8)), min_size=1, max_size=5)


@given(TEXTS)
def test_distance_is_that_of_the_definition(pairs):
    def slow(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(slow(a[1:], b) + 1, slow(a, b[1:]) + 1, slow(a[1:], b[1:]) + (a[0] != b[0]))

    pairs = [(a[:4], b[:4]) for a, b in pairs]
    found = edit_distances(rows(*(a for a, _ in pairs)), rows(*(b for _, b in pairs)))
    assert found.tolist() == [slow(a, b) for a, b in pairs]


def test_metrics():
    answers, truths = rows("abc", "ab", "a", ""), rows("abc", "abc", "b", "aaa")
    assert CharacterErrorRate().measure(answers, truths) == pytest.approx((0 + 1 + 1 + 3) / 10)
    assert WholeTexts().measure(answers, truths) == 0.25
    for metric in metrics_for("transcription"):
        assert math.isnan(metric.measure(rows(), rows()))
