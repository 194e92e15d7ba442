"""Splitting and preparing: what is fitted sees the training part only, and nothing is dropped in silence."""

import numpy as np
import pytest

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet
from nndesigner.data.split import split


def numbers(name, values, role="input"):
    return Column(name, "number", role, np.asarray(values, dtype=np.float64))


def texts(name, values, role="target", categories=()):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return Column(name, "category", role, array, tuple(categories))


def table(*columns, parts=None):
    return Dataset("test", "table", columns, parts=parts or {})


def simple(n=100, seed=0):
    rng = np.random.default_rng(seed)
    return table(numbers("a", rng.normal(5, 3, n)), numbers("b", rng.uniform(0, 1000, n)),
                 texts("c", [["no", "yes"][i % 4 == 0] for i in range(n)]))


# --- split ---


def test_parts_are_disjoint_complete_and_repeatable():
    data = simple()
    first, again, other = (prepare(data, DataSettings(seed=s)) for s in (3, 3, 4))
    rows = np.concatenate([first.part(name).rows for name in ("train", "validation", "test")])
    assert sorted(rows) == list(range(100))
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(first.part(name).rows, again.part(name).rows)
    assert not np.array_equal(first.test.rows, other.test.rows)
    assert [len(first.part(n)) for n in ("train", "validation", "test")] == [70, 15, 15]


@pytest.mark.parametrize("sizes", [(50, 50), (90, 10), (333, 7, 61), (5, 5, 5, 5), (1, 99), (2, 3)])
def test_each_part_gets_its_share_of_every_class(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    names = [f"k{i}" for i in range(len(sizes))]
    parts, _ = split(np.arange(len(labels)), labels, names, {}, 0.2, 0.2, 1)
    for name in ("validation", "test"):
        counts = np.bincount(labels[parts[name]], minlength=len(sizes))
        assert (np.abs(counts - 0.2 * np.array(sizes)) <= 1).all(), counts
    assert (np.bincount(labels[parts["train"]], minlength=len(sizes)) >= 1).all()


def test_a_class_with_one_sample_stays_in_training():
    data = table(numbers("a", range(41)), texts("c", ["x"] * 20 + ["y"] * 20 + ["alone"]))
    for seed in range(5):
        found = prepare(data, DataSettings(seed=seed))
        assert 40 in found.train.rows
        assert "Class 'alone' has only one sample; it stays in training, so it is never tested." in found.notes
    assert found.signature.get("target").classes == ("alone", "x", "y")


def test_parts_that_files_fix_are_kept():
    n = 100
    fixed = {"train": np.arange(80), "test": np.arange(80, n)}
    data = table(numbers("a", range(n)), texts("c", ["x", "y"] * 50), parts=fixed)
    found = prepare(data, DataSettings(validation=0.25, test=0.4))
    np.testing.assert_array_equal(found.test.rows, np.arange(80, n))
    assert len(found.validation) == 20 and len(found.train) == 60
    only_test = table(numbers("a", range(n)), texts("c", ["x", "y"] * 50), parts={"test": np.arange(10)})
    assert list(prepare(only_test, DataSettings()).test.rows) == list(range(10))
    with pytest.raises(DataError, match="part 'dev'"):
        prepare(table(numbers("a", range(9)), parts={"dev": np.arange(3)}), DataSettings())


def test_without_shares_parts_are_whole():
    found = prepare(simple(), DataSettings(validation=0, test=0))
    assert len(found.train) == 100 and len(found.validation) == len(found.test) == 0
    assert found.test.arrays["features"].shape == (0, 2)
    assert len(prepare(simple(2), DataSettings(stratify=False, validation=0.45, test=0.45,
                                               roles={"c": "ignore"})).train) >= 1


# --- fitting ---


def test_scaling_is_fitted_on_the_training_part_only():
    found = prepare(simple(), DataSettings())
    train = found.train.arrays["features"]
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(axis=0), 1, rtol=1e-5)
    assert abs(found.test.arrays["features"].mean()) > 1e-3
    raw = found.dataset.column("b").values[found.train.rows]
    encoding = found.preparation.field("features")
    assert encoding.offset[1] == pytest.approx(raw.mean()) and encoding.scale[1] == pytest.approx(raw.std())
    assert found.preparation.inputs[1].low == raw.min() and found.preparation.inputs[1].high == raw.max()


@pytest.mark.parametrize("scaling,low,high", [("range", 0, 1), ("none", 0, 1000)])
def test_other_scalings(scaling, low, high):
    found = prepare(simple(), DataSettings(scaling=scaling))
    column = found.train.arrays["features"][:, 1]
    assert low <= column.min() and column.max() <= high
    if scaling == "range":
        assert column.min() == 0 and column.max() == 1


def test_number_targets_are_standardised_and_come_back():
    rng = np.random.default_rng(0)
    y = rng.normal(500, 80, 200)
    found = prepare(table(numbers("a", rng.normal(size=200)), numbers("y", y, "target")), DataSettings())
    assert found.signature.get("target").kind == "real" and found.signature.get("target").shape.dims == (1,)
    encoded = found.train.arrays["target"]
    assert encoded.shape == (140, 1) and encoded.dtype == np.float32 and abs(encoded.mean()) < 1e-5
    np.testing.assert_allclose(found.preparation.decode("target", encoded)[:, 0], y[found.train.rows], rtol=1e-5)
    plain = prepare(found.dataset, DataSettings(scaling="none"))
    np.testing.assert_allclose(plain.train.arrays["target"][:, 0], y[plain.train.rows], rtol=1e-6)


def test_several_targets():
    rng = np.random.default_rng(0)
    data = table(numbers("a", rng.normal(size=60)), numbers("u", rng.normal(size=60), "target"),
                 numbers("v", rng.normal(size=60), "target"), texts("c", ["x", "y", "z"] * 20))
    found = prepare(data, DataSettings())
    assert [(f.name, f.kind, f.shape.dims) for f in found.signature.targets] == [
        ("target c", "class", (3,)), ("target", "real", (2,))]
    assert found.train.arrays["target"].shape == (42, 2) and found.train.arrays["target c"].dtype == np.int64


def test_without_target_there_are_only_inputs():
    found = prepare(simple(), DataSettings(roles={"c": "ignore"}))
    assert found.signature.targets == () and set(found.train.arrays) == {"features"}


def test_missing_numbers_become_the_mean_of_training_with_a_note():
    values = np.random.default_rng(0).normal(10, 2, 60)
    values[::7] = np.nan
    found = prepare(table(numbers("a", values), texts("c", ["x", "y"] * 30)), DataSettings())
    mean = np.nanmean(values[found.train.rows])
    assert found.notes[0] == f"Column 'a': 9 missing values replaced by the mean of the training part, {mean:.4g}."
    gone = np.isnan(values[found.train.rows])
    np.testing.assert_allclose(found.train.arrays["features"][gone], 0, atol=1e-6)


def test_rows_without_target_are_left_out_with_a_note():
    data = table(numbers("a", range(20)), texts("c", ["x", "y", None, "x"] * 5))
    found = prepare(data, DataSettings())
    assert found.notes == ("5 samples without a value of the target 'c' left out.",)
    assert not set(range(2, 20, 4)) & set(np.concatenate([found.train.rows, found.validation.rows, found.test.rows]))
    with pytest.raises(DataError, match="No sample can be used"):
        prepare(table(numbers("a", range(3)), texts("c", [None] * 3)), DataSettings())


def test_categories_are_one_hot_and_rare_ones_unknown():
    many = [f"t{i % 130}" for i in range(1300)] + ["common"] * 200
    data = table(texts("k", many, "input"), numbers("y", np.arange(1500) % 7 + 0.5, "target"))
    found = prepare(data, DataSettings())
    assert found.signature.get("features").shape.dims == (100,)
    assert "common" in found.preparation.inputs[0].categories
    assert any("130" in note or "131" in note for note in found.notes)
    sums = found.train.arrays["features"].sum(axis=1)
    assert set(np.unique(sums)) == {0.0, 1.0}


def test_few_whole_numbers_as_target_are_classes_unless_told_otherwise():
    data = table(numbers("a", range(100)), numbers("n", np.arange(100) % 10, "target"))
    found = prepare(data, DataSettings())
    assert found.signature.get("target").classes == tuple("0123456789")
    assert "10 different whole numbers" in found.notes[0]
    assert prepare(data, DataSettings(kinds={"n": "number"})).signature.get("target").kind == "real"
    swapped = prepare(data, DataSettings(roles={"a": "target", "n": "input"}))
    assert swapped.signature.get("target").kind == "real"


def test_kinds_can_be_changed_both_ways():
    data = table(texts("a", ["1", "2.5", "x", None] * 10, "input"), numbers("k", np.arange(40) % 3),
                 texts("c", ["x", "y"] * 20))
    found = prepare(data, DataSettings(kinds={"a": "number", "k": "category"}))
    assert found.signature.get("features").shape.dims == (4,)
    assert found.preparation.inputs[1].categories == ("0", "1", "2")
    assert "Column 'a': 10 values are no numbers and count as missing (first: 'x' in sample 3)." in found.notes


def test_class_names_keep_the_order_of_the_source_or_are_sorted():
    def classes(values, categories=()):
        data = table(numbers("a", range(len(values))), texts("c", values, categories=categories))
        return prepare(data, DataSettings()).signature.get("target").classes

    assert classes(["b", "a", "B"] * 9, ("b", "a", "unused")) == ("b", "a", "B")
    assert classes(["10", "9", "1"] * 9) == ("1", "9", "10")
    assert classes(["b", "C", "a"] * 9) == ("a", "b", "C")


# --- roles that say how to split ---


def test_samples_of_a_group_stay_in_one_part():
    who = np.repeat([f"person {i}" for i in range(30)], 10)
    data = table(numbers("a", np.random.default_rng(0).normal(size=300)), texts("who", who, "ignore"),
                 texts("c", ["x", "y"] * 150))
    found = prepare(data, DataSettings(roles={"who": "group"}))
    sets = [set(who[part.rows]) for part in (found.train, found.validation, found.test)]
    assert all(sets) and not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
    assert 30 <= len(found.test) <= 60 and len(found.train) + len(found.validation) + len(found.test) == 300
    assert found.notes == ("Split by 'who': each of its 30 groups lies in one part.",)
    assert [c.column for c in found.preparation.inputs] == ["a"]


def test_later_samples_test_and_equal_times_stay_together():
    time = np.random.default_rng(0).permutation(np.repeat(np.arange(40), 5)).astype(float)
    time[3] = np.nan
    data = table(numbers("when", time, "time"), numbers("a", np.arange(200) * 0.1), numbers("y", time, "target"))
    data = table(*data.columns[:2], numbers("y", np.arange(200) + 0.5, "target"))
    found = prepare(data, DataSettings())
    train, validation, test = (time[part.rows] for part in (found.train, found.validation, found.test))
    assert train.max() < validation.min() and validation.max() < test.min()
    assert len(train) + len(validation) + len(test) == 199
    assert any("Split by time" in note for note in found.notes) and any("'when' left out" in n for n in found.notes)


@pytest.mark.parametrize("roles,said", [
    ({"a": "group", "b": "time"}, "only one column"), ({"c": "time"}, "no dates"), ({"c": "group"}, "at least 3")])
def test_roles_that_cannot_split_are_sentences(roles, said):
    data = table(*(numbers(name, np.random.default_rng(0).normal(size=60)) for name in "abd"),
                 texts("c", ["x", "y"] * 30, "ignore"), numbers("y", np.arange(60) + 0.5, "target"))
    with pytest.raises(DataError, match=said):
        prepare(data, DataSettings(roles=roles))


def test_duplicates_between_training_and_test_are_told():
    values = np.random.default_rng(0).normal(size=100).repeat(2)
    data = table(numbers("a", values), texts("c", ["x", "y"] * 100))
    found = prepare(data, DataSettings())
    train = set(values[found.train.rows])
    counts = [sum(v in train for v in values[part.rows]) for part in (found.validation, found.test)]
    assert found.notes[-1].startswith(f"{counts[0]} validation samples and {counts[1]} test samples have exactly")


# --- pictures and arrays ---


def pictures(dtype, high, n=40):
    rng = np.random.default_rng(0)
    return (rng.uniform(0, 1, (n, 5, 4, 1)) * high).astype(dtype)


@pytest.mark.parametrize("dtype,high,brightest", [
    (np.uint8, 255.9, 255), (np.uint8, 16.9, 16), (np.float32, 16, None)])
def test_pictures_become_0_to_1(dtype, high, brightest):
    values = pictures(dtype, high)
    data = Dataset("p", "images", (Column("image", "image", "input", values), texts("c", ["x", "y"] * 20)))
    found = prepare(data, DataSettings())
    train = found.train.arrays["image"]
    assert train.dtype == np.float32 and train.shape == (28, 5, 4, 1) and found.dataset.form == "images"
    expected = values[found.train.rows].astype(np.float64)
    low, high = (0, brightest) if brightest else (expected.min(), expected.max())
    np.testing.assert_allclose(train, (expected - low) / (high - low), atol=1e-6)
    back = found.preparation.decode("image", train)
    np.testing.assert_allclose(back, expected, atol=1e-4)


def test_pictures_and_numbers_together():
    data = Dataset("p", "images", (
        Column("scan", "image", "input", pictures(np.uint8, 255)), numbers("age", range(40)),
        Column("wave", "array", "input", np.random.default_rng(0).normal(size=(40, 9, 2))),
        texts("c", ["x", "y"] * 20)))
    found = prepare(data, DataSettings())
    assert [(f.name, f.shape.axes, f.shape.dims) for f in found.signature.inputs] == [
        ("features", "F", (1,)), ("image", "HWC", (5, 4, 1)), ("wave", "TF", (9, 2))]
    assert abs(found.train.arrays["wave"].mean()) < 1e-6


def test_pictures_with_nan_are_left_out_with_a_note():
    values = pictures(np.float32, 1)
    values[3, 1, 1] = np.nan
    values[7, 0, 0] = np.inf
    data = Dataset("p", "images", (Column("image", "image", "input", values), texts("c", ["x", "y"] * 20)))
    found = prepare(data, DataSettings())
    assert "2 samples left out" in found.notes[0] and "sample 4" in found.notes[0]
    assert len(found.train) + len(found.validation) + len(found.test) == 38


def test_a_large_memory_mapped_array_is_not_copied_as_a_whole(tmp_path):
    import tracemalloc

    values = np.memmap(tmp_path / "big", dtype=np.uint8, mode="w+", shape=(20_000, 28, 28, 1))
    values[::3] = 200
    data = Dataset("p", "images", (Column("image", "image", "input", values),))
    tracemalloc.start()
    found = prepare(data, DataSettings())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    total = sum(part.arrays["image"].nbytes for part in (found.train, found.validation, found.test))
    assert total == values.size * 4 and peak < total + 40e6


# --- faults ---


@pytest.mark.parametrize("data,settings,said", [
    (simple(), DataSettings(roles={"a": "ignore", "b": "ignore"}), "No column is an input"),
    (table(numbers("a", range(9)), texts("c", ["x"] * 9)), DataSettings(), "only one class"),
    (table(numbers("a", range(2000)), texts("c", list(map(str, range(2000))))), DataSettings(), "too many for classes"),
    (table(numbers("a", [np.nan] * 9), texts("c", ["x", "y", "z"] * 3)), DataSettings(), "No input column has values"),
    (table(numbers("a", [1, 2, np.inf, 4] * 3), texts("c", ["x", "y", "z"] * 4)), DataSettings(), "infinite"),
    (Dataset("nothing", "table", ()), DataSettings(), "has no samples"),
])
def test_data_that_cannot_be_used_are_sentences(data, settings, said):
    with pytest.raises(DataError, match=said):
        prepare(data, settings)


def test_fingerprint_follows_the_contents():
    def mark(a, c):
        return table(numbers("a", a), texts("c", c)).fingerprint

    first = mark([1.0, 2.0], ["x", "yz"])
    assert first == mark([1.0, 2.0], ["x", "yz"]) and len(first) == 64
    others = {mark([1.0, 3.0], ["x", "yz"]), mark([1.0, 2.0], ["xy", "z"]), mark([1.0, 2.0], ["x", None])}
    assert len(others | {first}) == 4
    data = simple()
    assert {prepare(data, DataSettings(seed=seed)).fingerprint for seed in (0, 1)} == {data.fingerprint}


def test_settings_are_kept_in_files():
    from nndesigner.data.generated import Xor

    settings = DataSettings(source=Xor(noise=0.2), roles={"x1": "ignore"}, kinds={"x2": "category"}, scaling="range")
    again = DataSettings.model_validate(settings.model_dump(mode="json"))
    assert again == settings and prepare(again.source.load(quiet), again).notes != ()
