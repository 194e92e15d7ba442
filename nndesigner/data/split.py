"""Which rows train, which steer (validation) and which judge (test)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nndesigner.data.dataset import DataError

PARTS = ("train", "validation", "test")


def split(
    rows: np.ndarray,
    labels: np.ndarray | None,
    classes: Sequence[str],
    fixed: Mapping[str, np.ndarray],
    validation: float,
    test: float,
    seed: int,
    groups: np.ndarray | None = None,
    order: np.ndarray | None = None,
    span: int = 1,
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """(part -> row numbers in rising order, notes).

    `rows` are the usable rows, `labels` their class numbers where the split shall keep the shares of the classes. With
    `order` [rows] the last rows test, those before them validate, and equal values stay together; between two parts
    span - 1 rows are left out, so that none looks at moments of another part. With `groups` (numbers [rows]) rows of a
    group stay together. Parts that the files fix are kept; what a fixed "train" or no fixed part holds is divided by
    the fractions. Raises DataError when no row is left for training.
    """
    rng = np.random.default_rng([seed, 0x5EED])
    place = {int(row): i for i, row in enumerate(rows)} if fixed else {}
    chosen: dict[str, np.ndarray] = {}
    taken = np.zeros(len(rows), dtype=bool)
    for name, given in fixed.items():
        if name not in PARTS:
            raise DataError(f"The data name a part '{name}'; known parts are train, validation and test.")
        chosen[name] = np.array(sorted(place[r] for r in map(int, given) if r in place), dtype=np.int64)
        if name != "train":
            taken[chosen[name]] = True
    pool = np.setdiff1d(chosen.pop("train"), np.flatnonzero(taken)) if "train" in chosen else np.flatnonzero(~taken)
    total = len(pool)
    if order is not None:
        pool = pool[np.argsort(order[pool], kind="stable")]
    for name, share in (("test", test), ("validation", validation)):
        if name in chosen:
            continue
        count = min(round(share * total), max(0, len(pool) - 1))
        if order is not None:
            chosen[name], pool = _latest(pool, order, count, span)
            continue
        drawn = _draw(pool, labels, count, rng) if groups is None else _draw_groups(groups[pool], count, rng)
        chosen[name] = pool[drawn]
        pool = np.delete(pool, drawn)
    if not len(pool):
        raise DataError("No sample is left for training. Use more data, or smaller validation and test parts.")
    chosen["train"] = pool
    notes = _lonely(labels, classes, pool) if labels is not None else ()
    return {name: rows[np.sort(chosen[name])] for name in PARTS}, notes


def _latest(pool: np.ndarray, order: np.ndarray, count: int, span: int) -> tuple[np.ndarray, np.ndarray]:
    """(the last `count` rows of a pool in order, the rows before them that share no moment with them)."""
    if not count:
        return pool[:0], pool
    start = int(np.searchsorted(order[pool], order[pool[len(pool) - count]], side="left"))
    return pool[start:], pool[:max(0, start - (span - 1))]


def _draw_groups(groups: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Places of all rows of some groups, drawn by chance, that have together about `count` rows."""
    names, sizes = np.unique(groups, return_counts=True)
    order = rng.permutation(len(names))
    before = np.cumsum(sizes[order]) - sizes[order]
    # A group is taken when more than half of it fits; one group is always left.
    taken = order[:-1][(before + sizes[order] / 2 <= count)[:-1]]
    return np.flatnonzero(np.isin(groups, names[taken]))


def _draw(pool: np.ndarray, labels: np.ndarray | None, count: int, rng: np.random.Generator) -> np.ndarray:
    """Places in `pool` of `count` rows, drawn by chance; with labels each class in its share (by largest remainders).

    The last sample of a class is never drawn: a class that training never sees cannot be learned.
    """
    order = rng.permutation(len(pool))
    if labels is None:
        return order[:count]
    mine = labels[pool[order]]
    sizes = np.bincount(mine)
    ideal = sizes * (count / max(1, len(pool)))
    quota = np.floor(ideal).astype(np.int64)
    rest = np.lexsort((rng.random(len(sizes)), quota - ideal))
    quota[rest[: count - int(quota.sum())]] += 1
    quota = np.minimum(quota, np.maximum(sizes - 1, 0))
    # Number of earlier rows of the same class, for each row: the first `quota` of a class are drawn.
    by_class = np.argsort(mine, kind="stable")
    earlier = np.empty(len(mine), dtype=np.int64)
    earlier[by_class] = np.arange(len(mine)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[earlier < quota[mine]]


def _lonely(labels: np.ndarray, classes: Sequence[str], train: np.ndarray) -> tuple[str, ...]:
    sizes = np.bincount(labels, minlength=len(classes))
    notes = [f"Class '{classes[i]}' has only one sample; it stays in training, so it is never tested."
             for i in np.flatnonzero(sizes == 1)[:5]]
    if (sizes == 1).sum() > 5:
        notes = [*notes[:4], f"{int((sizes == 1).sum()) - 4} more classes have only one sample each."]
    seen = np.bincount(labels[train], minlength=len(classes))
    notes += [f"Class '{classes[i]}' does not occur in the training part, so it cannot be learned."
              for i in np.flatnonzero((seen == 0) & (sizes > 0))[:5]]
    return tuple(notes)
