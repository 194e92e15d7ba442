"""What changed in data is said in words."""

import json

import numpy as np
import pytest

from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.description import Description, changes, describe_data


def data(n=10, names=("age", "size"), classes=("a", "b"), files=(), **kinds):
    rng = np.random.default_rng(0)
    columns = []
    for name in names:
        values = rng.normal(size=n)
        if kinds.get(name) == "category":
            values = np.array([str(v) for v in values], dtype=object)
        columns.append(Column(name, kinds.get(name, "number"), "input", values))
    label = np.empty(n, dtype=object)
    label[:] = [classes[i % len(classes)] for i in range(n)]
    columns.append(Column("kind", "category", "target", label))
    names_ = tuple(name for name, _ in files)
    return Dataset("d", "table", tuple(columns), names=names_, sizes=tuple(size for _, size in files))


def told(old, new):
    return changes(describe_data(old), describe_data(new))


def test_nothing_changed():
    assert told(data(), data()) == []


@pytest.mark.parametrize("new, words", [
    (data(22), ["12 samples more"]),
    (data(9), ["1 sample fewer"]),
    (data(names=("size",)), ["column 'age' is gone", "column 'size' has other values"]),
    (data(names=("age", "size", "w")), ["column 'w' is new"]),
    (data(classes=("a", "c")), ["class 'b' is gone", "class 'c' is new", "column 'kind' has other values"]),
    (data(age="category"), ["'age' was a number and is a category now"]),
])
def test_what_changed(new, words):
    assert told(data(), new) == words


def test_files_that_came_went_and_changed():
    old = data(3, files=[("a", 1), ("b", 2), ("c", 3)])
    new = data(3, files=[("a", 1), ("b", 9), ("d", 4)])
    assert told(old, new) == ["1 file gone", "1 file new", "1 file changed"]


def test_many_names_are_counted():
    assert told(data(names=tuple("abcdef")), data(names=("a",))) == ["columns 'b', 'c', 'd' and 2 more are gone"]


def test_it_comes_back_from_a_file():
    found = describe_data(data(files=[(str(i), i) for i in range(10)]))
    assert Description.from_json(json.loads(json.dumps(found.to_json()))) == found
    with pytest.raises((KeyError, TypeError, ValueError)):
        Description.from_json({"rows": 1})
