"""Somebody tries a network that learned a series on a table: the forecast continues the known values."""

import numpy as np
import pytest

from nndesigner.data.series import Series, Sines
from nndesigner.layers.dense import Dense
from nndesigner.layers.reshape import Flatten
from nndesigner.ui.views.try_view import TryView


@pytest.fixture
def view(studio):
    studio.open(Sines(moments=300, window=16, horizon=4), Flatten(), Dense(units=4), epochs=3)
    found = studio.keep(TryView(studio.document, studio.runner))
    found.resize(700, 320)
    found.show()
    studio.train()
    studio.until(lambda: found.showing)
    return found


def table(path, values):
    path.write_text("value\n" + "\n".join(f"{v:.5f}" for v in values) + "\n", "utf-8")
    return path


def test_the_forecast_continues_the_known_values(studio, view, tmp_path):
    assert view.way == "series"
    studio.until(lambda: view.series.forecast is not None)  # of the data at hand
    dataset = studio.runner.prepared.dataset
    whole = view.series._known.getData()[1]
    assert len(whole) == 300 and "open or drop new ones" in view.series.note.text()
    np.testing.assert_allclose(whole[16:], [*dataset.columns[1].values, *(c.values[-1] for c in dataset.columns[2:])])
    assert view.series._forecast.getData()[0].tolist() == [299, 300, 301, 302, 303]
    known = np.sin(np.arange(90) / 5)
    view.series.show_file(table(tmp_path / "new.csv", known))
    studio.until(lambda: view.series.forecast is not None and "data of the training" not in view.series.note.text())
    page = view.series
    assert len(page.forecast) == 4 and page.note.text().startswith("Forecast of value: ")
    moments, values = page._forecast.getData()
    assert moments.tolist() == [89, 90, 91, 92, 93] and abs(values[0] - known[-1]) < 1e-4
    np.testing.assert_array_equal(values[1:], page.forecast)
    np.testing.assert_allclose(page._known.getData()[1], known, atol=1e-4)
    before = page._predicted.getData()[1]
    assert np.isnan(before[:16]).all() and np.isfinite(before[16:]).all()
    page.ahead.choose(3)
    assert not np.array_equal(page._predicted.getData()[1][20:90], before[20:90])
    page.plot.point_at(50.2)
    assert page.legend.entries[0].value and page.legend.entries[1].value and not page.legend.entries[2].value
    first = page.forecast
    studio.document.edit_training("test", seed=5)
    studio.train()  # the open table is asked about anew
    studio.until(lambda: page.forecast is not None and not np.array_equal(page.forecast, first))
    rows = page.to_csv().splitlines()
    assert rows[0].startswith("row,value +1,") and len(rows) == 1 + 90 - 16 + 1


def test_a_table_that_does_not_fit_says_why(studio, view, tmp_path):
    (tmp_path / "other.csv").write_text("height\n" + "1\n2\n" * 20, "utf-8")
    view.series.show_file(table(tmp_path / "short.csv", range(5)))
    studio.until(lambda: "has 5 rows" in view.series.note.text())
    assert view.series.plot.isHidden() and not view.series.save.isEnabled()


def test_a_class_is_told_in_words(studio, tmp_path):

    rows = "\n".join(f"{np.sin(i / 3):.4f},{'up' if np.cos(i / 3) > 0 else 'down'}" for i in range(120))
    (tmp_path / "s.csv").write_text("height,course\n" + rows + "\n", "utf-8")
    studio.open(Series(path=str(tmp_path / "s.csv"), target="course", window=6), Flatten(), Dense(units=2), epochs=3)
    view = studio.keep(TryView(studio.document, studio.runner))
    view.show()
    studio.train()
    studio.until(lambda: view.showing)
    view.series.show_file(tmp_path / "s.csv")
    studio.until(lambda: "course after the last row: " in view.series.note.text())
