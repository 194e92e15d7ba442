"""Encoding of raw values: the same bits after a round trip through a file, unknown values, faults as sentences."""

import json

import numpy as np
import pytest

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import Preparation, text_of
from nndesigner.data.preparing import DataSettings, prepare


def mixed(n=60):
    rng = np.random.default_rng(5)
    kinds = np.empty(n, dtype=object)
    kinds[:] = (["red", "green", None, "blue"] * n)[:n]
    labels = np.empty(n, dtype=object)
    labels[:] = (["1", "2", "10"] * n)[:n]
    ages = rng.normal(40, 12, n)
    ages[4] = np.nan
    return Dataset("mixed", "images", (
        Column("age", "number", "input", ages), Column("colour", "category", "input", kinds),
        Column("scan", "image", "input", rng.integers(0, 256, (n, 4, 4, 3)).astype(np.uint8)),
        Column("wave", "array", "input", rng.normal(3, 2, (n, 7))),
        Column("size", "number", "target", rng.normal(170, 9, n)), Column("label", "category", "target", labels),
    ))


@pytest.fixture(scope="module")
def prepared():
    return prepare(mixed(), DataSettings())


def raw_of(prepared, rows=slice(None)):
    return {c.name: c.values[rows] for c in prepared.dataset.columns}


def test_round_trip_through_json_and_arrays_is_exact(prepared):
    first = prepared.preparation
    text = json.dumps(first.to_json(), allow_nan=False)
    again = Preparation.from_json(json.loads(text), {k: v.copy() for k, v in first.arrays().items()})
    assert again.signature == first.signature == prepared.signature
    assert again.inputs == first.inputs and again.targets == first.targets and again.classes == ("1", "2", "10")
    raw = raw_of(prepared)
    one, other = (p.encode(raw, roles=("input", "target")) for p in (first, again))
    assert one.keys() == other.keys() == {"features", "image", "wave", "target", "target label"}
    for name in one:
        assert one[name].tobytes() == other[name].tobytes()


def test_encoding_gives_the_bits_that_training_saw(prepared):
    for part in (prepared.train, prepared.test):
        encoded = prepared.preparation.encode(raw_of(prepared, part.rows))
        assert set(encoded) == {"features", "image", "wave"}
        for name, array in encoded.items():
            assert array.tobytes() == part.arrays[name].tobytes()
    one = prepared.preparation.encode(raw_of(prepared, slice(0, 1)))
    everything = prepared.preparation.encode(raw_of(prepared))
    assert all((one[name][0] == everything[name][0]).all() for name in one)


def test_inputs_tell_what_a_form_needs(prepared):
    age, colour, scan, wave = prepared.preparation.inputs
    assert (age.column, age.kind) == ("age", "number") and age.low < age.high
    assert colour.categories == ("blue", "green", "red")
    assert (scan.kind, scan.shape, scan.low, scan.high) == ("image", (4, 4, 3), 0.0, 255.0)
    assert (wave.kind, wave.shape) == ("array", (7,))
    names = prepared.preparation.field("features").feature_names
    assert names == ("age", "colour = blue", "colour = green", "colour = red")


def test_unknown_and_missing_values(prepared):
    raw = raw_of(prepared, slice(0, 3))
    raw["colour"] = np.array(["violet", None, " green "], dtype=object)
    raw["age"] = ["", "41.5", None]
    features = prepared.preparation.encode(raw)["features"]
    np.testing.assert_array_equal(features[:, 1:], [[0, 0, 0], [0, 0, 0], [0, 1, 0]])
    assert features[0, 0] == pytest.approx(0, abs=1e-7) and features[2, 0] == features[0, 0]


def test_numbers_and_texts_of_a_category_are_the_same():
    assert [text_of(v) for v in (3, 3.0, "3", np.float64(3), np.int64(3))] == ["3"] * 5
    assert [text_of(v) for v in (None, float("nan"), " ", "N/A")] == [None] * 4
    assert text_of(0.5) == "0.5" and text_of(" a b ") == "a b" and text_of(True) == "True"


@pytest.mark.parametrize("changes,said", [
    ({"age": ["a", "1", "2"]}, "Column 'age', row 1: 'a' is no number"),
    ({"age": [1.0, np.inf, 2.0]}, "Column 'age', row 2: the value is infinite"),
    ({"age": [1.0, 2.0, 1e300]}, "Row 3: the value of 'age' is too large"),
    ({"age": [1.0]}, "'colour' has 3 rows, 'age' has 1"),
    ({"age": [[1.0], [2.0], [3.0]]}, "one value for each row"),
    ({"scan": np.zeros((3, 4, 5, 3))}, "needs samples of 4 × 4 × 3, got 4 × 5 × 3"),
    ({"wave": np.full((3, 7), np.nan)}, "Sample 1 of 'wave'"),
    ({"scan": np.zeros((2, 4, 4, 3))}, "do not have the same number of samples"),
    ({"scan": np.array(["a", "b", "c"])}, "numbers are needed"),
])
def test_bad_raw_values_are_sentences(prepared, changes, said):
    with pytest.raises(DataError, match=said):
        prepared.preparation.encode({**raw_of(prepared, slice(0, 3)), **changes})


def test_a_missing_column_and_an_unknown_class_are_sentences(prepared):
    raw = raw_of(prepared, slice(0, 3))
    del raw["age"]
    with pytest.raises(DataError, match="column 'age' is missing"):
        prepared.preparation.encode(raw)
    raw = raw_of(prepared, slice(0, 3))
    raw["label"] = np.array(["1", "7", "2"], dtype=object)
    with pytest.raises(DataError, match="row 2: the class '7' is not one of 1, 2, 10"):
        prepared.preparation.encode(raw, roles=("target",))


@pytest.mark.parametrize("spoil", [
    lambda j, a: j.pop("fields"), lambda j, a: j["fields"][0].pop("axes"), lambda j, a: a.pop("image/scale"),
    lambda j, a: j["fields"][0].update(dims=[5]), lambda j, a: j["fields"][0].update(role="spy"),
    lambda j, a: j["fields"][0]["columns"][0].update(kind="code"), lambda j, a: a["image/scale"].fill(0),
    lambda j, a: a.update({"features/offset": np.zeros(3)}), lambda j, a: a["wave/offset"].fill(np.nan),
    lambda j, a: j["fields"][3].update(classes=["1"]), lambda j, a: j["fields"][0].update(axes="QQ"),
    lambda j, a: j.update(fields=3),
])
def test_a_spoiled_preparation_is_a_value_error(prepared, spoil):
    value = json.loads(json.dumps(prepared.preparation.to_json()))
    arrays = {name: array.copy() for name, array in prepared.preparation.arrays().items()}
    spoil(value, arrays)
    with pytest.raises(ValueError, match="cannot be read"):
        Preparation.from_json(value, arrays)
