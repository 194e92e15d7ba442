"""Which samples the gallery shows, in which order."""

from dataclasses import replace

import numpy as np
import pytest

from nndesigner.data.corrections import Correction
from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet
from nndesigner.insight.judging import Judgement
from nndesigner.ui.explore.contents import Reader
from nndesigner.ui.explore.gallery import facts_of
from nndesigner.ui.explore.selection import Opinion, Wanted, chosen_rows, known, label_of, number_text


def objects(values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


@pytest.fixture
def samples():
    n = 30
    data = Dataset("test", "table", (
        Column("size", "number", "input", np.arange(n, dtype=np.float64)),
        Column("place", "category", "input", objects([["Ulm", "Bonn", None][i % 3] for i in range(n)])),
        Column("kind", "category", "target", objects([["cat", "dog"][i % 2] for i in range(n)])),
    ), names=tuple(f"a/{i}.png" for i in range(n)))
    return known(data, prepare(data, DataSettings()), None, quiet)


def rows(samples, wanted, opinion=Opinion()):  # noqa: B008 (frozen)
    return chosen_rows(samples, wanted, opinion, quiet).tolist()


def test_parts_and_labels(samples):
    for name in ("train", "validation", "test"):
        assert rows(samples, Wanted(part=name)) == samples.prepared.part(name).rows.tolist()
    assert rows(samples, Wanted(label="dog")) == list(range(1, 30, 2))
    corrected = Opinion({0: Correction(sample="a/0.png", column="kind", value="dog"),
                         3: Correction(sample="a/3.png", excluded=True)})
    assert rows(samples, Wanted(label="dog"), corrected) == [0, *range(1, 30, 2)]
    assert rows(samples, Wanted(show="corrected"), corrected) == [0, 3]
    assert label_of(samples, 0, corrected.corrections) == "dog" and label_of(samples, 2, {}) == "cat"
    assert facts_of(samples, corrected, 0).corrected and facts_of(samples, corrected, 3).part == "left out"


@pytest.mark.parametrize("text, found", [
    ("bonn", list(range(1, 30, 3))), ("#7", [6]), ("a/12", [11, 12][1:]), ("nowhere", []), ("#99", []), ("DOG", None)])
def test_search(samples, text, found):
    assert rows(samples, Wanted(search=text)) == (list(range(1, 30, 2)) if found is None else found)


def test_order_by_what_the_network_says(samples):
    loss = np.linspace(0, 1, 30, dtype=np.float32)
    loss[5] = np.nan
    answer = np.zeros(30, dtype=np.int64)
    right = np.arange(30) % 2 == 0
    judged = Judgement(("cat", "dog"), loss, 1 - loss, answer, right, np.array([9, 3]))
    said = Opinion(judgement=judged)
    assert rows(samples, Wanted(order="loss"), said) == [*range(29, 5, -1), *range(4, -1, -1), 5]
    assert rows(samples, Wanted(order="doubt"), said)[0] == 0
    assert rows(samples, Wanted(show="suspects", order="loss"), said) == [9, 3], "they have an order of their own"
    assert rows(samples, Wanted(answer="wrong"), said) == list(range(1, 30, 2))
    assert rows(samples, Wanted(order="loss")) == list(range(30)), "nobody has been asked"
    assert rows(samples, Wanted(only=np.array([8, 2]), order="row"), said) == [8, 2]


def test_labels_typed_by_hand(samples):
    assert number_text(samples, " bird ") == "bird"
    with pytest.raises(ValueError, match="letter"):
        number_text(samples, "  ")
    numeric = replace(samples, target=samples.dataset.columns[0])
    assert number_text(numeric, "1.5") == "1.5"
    with pytest.raises(ValueError, match="no number"):
        number_text(numeric, "tall")


def test_what_stands_for_a_sample(samples):
    assert Reader(samples.dataset).content(2).lines == (("size", "2"), ("place", "—"))
    series = Dataset("s", "table", (Column("w", "array", "input", np.zeros((4, 200, 2), np.float32)),))
    assert Reader(series).content(0).curves.shape == (2, 67)
    pictures = Dataset("p", "images", (Column("i", "image", "input", np.full((4, 5, 6, 1), 9.0)),))
    assert Reader(pictures).content(1).image.width() == 6
