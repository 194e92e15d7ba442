"""Laws that every source obeys, and the built-in sets."""

import json
import time

import numpy as np
import pytest
from pydantic import ValidationError

from nndesigner.data import Source
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import Cancelled, quiet
from nndesigner.spec import describe

ALL = Source.all()
BUILT_IN = [s for s in ALL if s.group == "Built in"]
POINTS = ["xor.v1", "circles.v1", "moons.v1", "spirals.v1", "blobs.v1"]


def of(kind, **params):
    return Source.registry[kind](**params)


def test_the_sources_of_the_first_version_are_there():
    assert {s.kind for s in ALL} >= {
        *POINTS, "curve.v1", "plane.v1", "digits.v1", "iris.v1", "wine.v1", "breast_cancer.v1", "diabetes.v1",
        "csv.v1", "idx.v1", "npz.v1"}


@pytest.mark.parametrize("source", ALL, ids=lambda s: s.kind)
def test_declarations_are_complete(source):
    import qtawesome

    assert source.form in ("points", "curve", "table", "images", "sounds", "texts")
    assert source.group and source.keywords and len(source.summary_line()) < 130
    assert source.summary_line().endswith((".", "?"))
    prefix, name = source.icon.split(".", 1)
    assert name in json.loads(
        (next((p for p in _charmaps(qtawesome) if "materialdesignicons6" in p.name))).read_text())
    for info in describe(source):
        assert info.help and info.title
    again = Source.from_json(json.loads(json.dumps(source().to_json())))
    assert again == source()


def _charmaps(qtawesome):
    from pathlib import Path

    return sorted(Path(qtawesome.__file__).parent.joinpath("fonts").glob("*charmap*.json"))


@pytest.mark.parametrize("source", BUILT_IN, ids=lambda s: s.kind)
def test_built_in_data_are_ready_to_train_on(source):
    start = time.perf_counter()
    dataset = source().load(quiet)
    prepared = prepare(dataset, DataSettings(source=source()))
    assert time.perf_counter() - start < 2
    assert dataset.form == source.form == prepared.dataset.form
    # what the vocabulary leaves out is always told
    assert prepared.notes == () or any(column.kind == "text" for column in dataset.columns)
    n = len(dataset)
    used = len(prepared.train) + len(prepared.validation) + len(prepared.test)
    assert used == n - 2 * max(0, dataset.span - 1)  # windows that reach into another part are left out
    test = len(dataset.parts["test"]) if dataset.parts else 0.15 * n
    groups = [column.values for column in dataset.columns if column.role == "group"]
    room = max([1, *(int(np.unique(g.astype(str), return_counts=True)[1].max()) for g in groups)])
    assert len(prepared.test) == pytest.approx(test, abs=room)
    for part in (prepared.train, prepared.validation, prepared.test):
        for array in part.arrays.values():
            assert len(array) == len(part) and np.isfinite(array).all()


@pytest.mark.parametrize("kind", POINTS)
def test_points_follow_their_parameters(kind):
    small = of(kind, samples=100, noise=0.01)
    data = small.load(quiet)
    assert len(data) == 100 and data.fingerprint == small.load(quiet).fingerprint
    assert data.fingerprint != of(kind, samples=100, noise=0.01, seed=8).load(quiet).fingerprint
    assert data.fingerprint != of(kind, samples=100, noise=0.1).load(quiet).fingerprint
    points = np.stack([data.column("x1").values, data.column("x2").values])
    assert np.abs(points).max() <= 1.6
    classes, counts = np.unique(data.column("class").values.astype(str), return_counts=True)
    assert tuple(classes) == tuple(sorted(data.column("class").categories))
    if kind != "xor.v1":
        assert counts.max() - counts.min() <= 1


def test_shapes_without_noise_are_what_they_say():
    xor = of("xor.v1", noise=0.0).load(quiet)
    same = xor.column("x1").values * xor.column("x2").values >= 0
    assert (same == (xor.column("class").values == "same")).all()
    circles = of("circles.v1", noise=0.0).load(quiet)
    radius = np.hypot(circles.column("x1").values, circles.column("x2").values)
    assert ((radius > 0.55) == (circles.column("class").values == "outer")).all()
    plane = of("plane.v1", noise=0.0).load(quiet)
    mean = (plane.column("x1").values + plane.column("x2").values) / 2
    np.testing.assert_allclose(plane.column("height").values, mean)


@pytest.mark.parametrize("kind,count", [("curve.v1", 6), ("plane.v1", 4)])
def test_every_function_is_bounded(kind, count):
    field = next(i for i in describe(Source.registry[kind]) if i.name == "function")
    assert len(field.choices) == count
    for value, _ in field.choices:
        target = of(kind, function=value, noise=0.0).load(quiet).columns[-1].values
        assert np.abs(target).max() <= 1.1 and target.std() > 0.1


def test_samples_are_those_of_scikit_learn():
    from sklearn import datasets

    for kind, loader, labels in [
        ("iris.v1", datasets.load_iris, True), ("wine.v1", datasets.load_wine, True),
        ("breast_cancer.v1", datasets.load_breast_cancer, True), ("digits.v1", datasets.load_digits, True),
        ("diabetes.v1", lambda: datasets.load_diabetes(scaled=False), False),
    ]:
        theirs, ours = loader(), of(kind).load(quiet)
        inputs = np.stack([c.values for c in ours.columns if c.role == "input"], axis=1).reshape(len(ours), -1)
        np.testing.assert_allclose(inputs, theirs.data, rtol=1e-12)
        target = ours.columns[-1]
        if labels:
            numbers = [target.categories.index(v) for v in target.values]
            np.testing.assert_array_equal(numbers, theirs.target)
        else:
            np.testing.assert_allclose(target.values, theirs.target)


def test_several_targets_of_scikit_learn():
    from sklearn import datasets

    theirs, ours = datasets.load_linnerud(), of("linnerud.v1").load(quiet)
    for role, values in (("input", theirs.data), ("target", theirs.target)):
        np.testing.assert_array_equal(np.stack([c.values for c in ours.columns if c.role == role], axis=1), values)


def test_proverbs_of_five_languages():
    dataset = of("proverbs.v1").load(quiet)
    texts, languages = (c.values.tolist() for c in dataset.columns)
    assert len(set(zip(texts, languages))) == len(texts) == 372
    assert min(languages.count(name) for name in dataset.columns[1].categories) >= 70
    assert all(text[-1] == "." and text == text.strip() and "\ufffd" not in text for text in texts)


def test_parameters_out_of_range_are_refused():
    with pytest.raises(ValidationError):
        of("spirals.v1", noise=-1)
    with pytest.raises(ValidationError):
        of("xor.v1", samples=10**9)


def test_paths_move_with_the_project(tmp_path):
    source = of("csv.v1", path=str(tmp_path / "data" / "a.csv"))
    kept = source.relative_to(tmp_path)
    assert kept.path == "data/a.csv"
    assert kept.resolve(tmp_path / "elsewhere").path == str(tmp_path / "elsewhere" / "data" / "a.csv")
    outside = of("csv.v1", path="/somewhere/a.csv")
    assert outside.relative_to(tmp_path) == outside and outside.resolve(tmp_path) == outside
    assert of("xor.v1").relative_to(tmp_path) == of("xor.v1")
    assert of("csv.v1").resolve(tmp_path).path == ""


def test_a_file_finds_its_source():
    from pathlib import Path

    from nndesigner.data import source_for

    for name, kind in [("a.CSV", "csv.v1"), ("a.tsv", "csv.v1"), ("a.npz", "npz.v1"), ("a.npy", "npz.v1"),
                       ("train-images-idx3-ubyte.gz", "idx.v1"), ("t10k-images-idx3-ubyte", "idx.v1")]:
        found = source_for(Path("folder", name))
        assert found.kind == kind and next(iter(found.files().values())) == str(Path("folder", name))
    assert source_for(Path("a.docx")) is None


def test_loading_can_be_cancelled(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n")

    def stop(fraction, text):
        raise Cancelled

    with pytest.raises(Cancelled):
        of("csv.v1", path=str(tmp_path / "a.csv")).load(stop)
