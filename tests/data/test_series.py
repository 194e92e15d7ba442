"""Windows over series: right values, order of time, nothing of the test part in training."""

import numpy as np
import pytest

from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import Preparation
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.series import Series, Sines, SunspotsLike
from nndesigner.data.source import quiet


@pytest.fixture
def table(tmp_path):
    """200 days of two quantities and a class, in no order."""
    rng = np.random.default_rng(0)
    days = np.datetime64("2024-01-01") + np.arange(200)
    rows = [f"{day},{i},{1000 + 10 * np.sin(i / 5):.6f},{'wet' if i % 3 else 'dry'}" for i, day in enumerate(days)]
    rng.shuffle(rows)
    path = tmp_path / "weather.csv"
    path.write_text("day,count,level,state\n" + "\n".join(rows))
    return str(path)


def test_windows_and_what_follows(table):
    data = Series(path=table, target="count", window=5, horizon=2).load(quiet)
    windows = data.column("window").values
    assert len(data) == 194 and windows.shape == (194, 5, 2) and data.span == 7
    for row in (0, 17, 193):
        np.testing.assert_array_equal(windows[row, :, 0], row + np.arange(5))
        assert [data.column(f"count +{i}").values[row] for i in (1, 2)] == [row + 5, row + 6]
    assert any("not seen: state" in note for note in data.notes)


def test_a_class_after_the_window(table):
    data = Series(path=table, target="state", window=4, horizon=3).load(quiet)
    assert list(data.column("state").values[:4]) == ["wet" if i % 3 else "dry" for i in range(6, 10)]
    assert prepare(data, DataSettings()).signature.get("target").classes == ("dry", "wet")


def test_parts_follow_each_other_and_share_no_moment(table):
    data = Series(path=table, target="level", window=5, horizon=2).load(quiet)
    found = prepare(data, DataSettings())
    first, last = (lambda rows: rows.min()), (lambda rows: rows.max() + 5 + 2 - 1)
    train, validation, test = found.train.rows, found.validation.rows, found.test.rows
    assert last(train) < first(validation) and last(validation) < first(test)
    assert len(test) == round(0.15 * 194) and len(train) > 120


def test_statistics_are_those_of_training_and_of_each_column(table):
    data = Series(path=table, target="level", window=5).load(quiet)
    found = prepare(data, DataSettings())
    seen = data.column("window").values[found.train.rows].astype(np.float64)
    encoding = found.preparation.field("window")
    np.testing.assert_allclose(encoding.offset, seen.mean(axis=(0, 1)), rtol=1e-6)
    np.testing.assert_allclose(found.train.arrays["window"].std(axis=(0, 1)), 1, atol=1e-3)
    again = Preparation.from_json(found.preparation.to_json(), found.preparation.arrays())
    raw = data.column("window").values[found.test.rows]
    np.testing.assert_array_equal(again.encode({"window": raw})["window"], found.test.arrays["window"])
    np.testing.assert_allclose(again.decode("window", found.test.arrays["window"]), raw, rtol=1e-4, atol=1e-3)


def test_missing_values_leave_their_windows_out(tmp_path):
    lines = [f"{i},{i * 0.5 if i != 50 else ''}" for i in range(120)]
    (tmp_path / "a.csv").write_text("t,x\n" + "\n".join(lines))
    data = Series(path=str(tmp_path / "a.csv"), window=4).load(quiet)
    found = prepare(data, DataSettings())
    used = np.concatenate([found.train.rows, found.validation.rows, found.test.rows])
    assert not set(range(46, 51)) & set(used)  # windows with it, and the one that should predict it
    assert any("left out" in note for note in found.notes)


def test_faults_are_sentences(table):
    for params, said in [({"target": "none"}, "no column 'none'"), ({"window": 300}, "too few for windows of 300")]:
        with pytest.raises(DataError, match=said):
            Series(path=table, **params).load(quiet)
    with pytest.raises(DataError, match="Choose a table"):
        Series().load(quiet)


def test_the_past_tells_the_next_value():
    """A linear rule fitted to the training part predicts the sine waves down to their noise."""
    found = prepare(Sines(noise=0.02).load(quiet), DataSettings())
    x, y = found.train.arrays["window"][..., 0], found.train.arrays["target"][:, 0]
    rule = np.linalg.lstsq(x, y, rcond=None)[0]
    error = found.test.arrays["window"][..., 0] @ rule - found.test.arrays["target"][:, 0]
    assert np.std(error) < 0.05


def test_sunspots_like_cycles():
    data = SunspotsLike(noise=0.0, cycles=20).load(quiet)
    values = data.column("next spots").values
    peaks = [i for i in range(30, len(values) - 30) if values[i] == values[i - 30:i + 31].max() and values[i] > 30]
    assert 17 <= len(peaks) <= 20 and 100 < np.mean(np.diff(peaks)) < 165 and values.min() >= 0
    assert 120 < values.max() < 330
