"""Texts read off scores for each step, and how far they are from the true ones. On the host."""

from __future__ import annotations

import numpy as np


def best_paths(probabilities: np.ndarray) -> np.ndarray:
    """Token numbers int64 [n, T], 0 behind the end, of probabilities [n, T, K] as a loss of CTC gives them.

    Best path decoding (Graves et al. 2006): the most probable class of each step, repeats drawn together, class 0
    dropped. An answer that is not finite says nothing.
    """
    finite = np.isfinite(probabilities).all(axis=-1)
    said = np.where(finite, np.where(finite[..., None], probabilities, 0.0).argmax(axis=-1), 0)
    begins = said != 0
    begins[:, 1:] &= said[:, 1:] != said[:, :-1]
    found = np.zeros(said.shape, dtype=np.int64)
    rows = np.nonzero(begins)[0]
    found[rows, (np.cumsum(begins, axis=1) - 1)[begins]] = said[begins]
    return found


def edit_distances(answers: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Levenshtein distance int64 [n] of texts [n, T] and [n, L], 0 behind the end of each.

    The fewest tokens to be put in, taken out or exchanged to make one of the other (V. Levenshtein, 1966).
    """
    lengths = np.count_nonzero(answers, axis=1), np.count_nonzero(truths, axis=1)
    row = np.arange(truths.shape[1] + 1) * np.ones((len(truths), 1), dtype=np.int64)
    found = row.copy()
    for i in range(int(lengths[0].max(initial=0))):
        before, row = row, np.full_like(row, i + 1)
        wrong = answers[:, i:i + 1] != truths
        for j in range(truths.shape[1]):
            row[:, j + 1] = np.minimum(np.minimum(row[:, j], before[:, j + 1]) + 1, before[:, j] + wrong[:, j])
        found = np.where((lengths[0] > i)[:, None], row, found)
    return found[np.arange(len(truths)), lengths[1]]
