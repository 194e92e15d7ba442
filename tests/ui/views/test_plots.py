"""Stories of somebody who watches the curves of a run."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from nndesigner.data.generated import Moons
from nndesigner.data.samples import Diabetes
from nndesigner.layers.dense import Dense
from nndesigner.ui import theme
from nndesigner.ui.views.plots import LossView, MetricView


@pytest.fixture
def moons(studio):
    studio.open(Moons(samples=200), Dense(units=8, activation="tanh"), Dense(units=2), epochs=6)
    return studio


def _shown(studio, kind, width=470, height=240):
    view = kind(studio.document, studio.runner)
    view.resize(width, height)
    view.show()
    studio.settle(0.05)
    return view


def test_without_data_the_view_says_what_to_do(studio):
    view = _shown(studio, LossView)
    assert view.empty.isVisible() and "data" in view.empty.text.lower()


def test_curves_show_what_the_run_tells(moons):
    loss, metric = _shown(moons, LossView), _shown(moons, MetricView)
    assert loss.empty.isVisible() and "Train" in loss.empty.text
    moons.train()
    moons.settle(0.4)
    curves = moons.runner.telemetry.curves
    x, y = loss.raw_curve.getOriginalDataset()
    assert np.array_equal(x, curves["loss"][0]) and np.array_equal(y, curves["loss"][1])
    assert np.array_equal(loss.val_curve.getOriginalDataset()[1], curves["val_loss"][1])
    assert np.array_equal(metric.raw_curve.getOriginalDataset()[1], curves["accuracy"][1])
    assert [e.name for e in loss.legend.entries] == ["training", "validation"]
    assert loss.legend.entries[1].value == f"{curves['val_loss'][1][-1]:.3f}"
    assert metric.legend.entries[1].value.endswith("%")
    (low, high), _ = loss.plot.getPlotItem().getViewBox().viewRange()
    assert low == 0 and 6 <= high < 6.3, "x goes to the planned number of epochs"


def test_values_appear_under_the_cursor_and_with_the_arrow_keys(moons):
    view = _shown(moons, LossView)
    moons.train()
    moons.settle(0.4)
    box = view.plot.getPlotItem().getViewBox()
    scene = box.mapViewToScene(pg.Point(3.0, np.mean(box.viewRange()[1])))
    moons.move_mouse(view.plot.viewport(), QPointF(view.plot.mapFromScene(scene)))
    assert view.readout.isVisible()
    x, y = moons.runner.telemetry.curves["val_loss"]
    assert f"{y[np.abs(x - 3.0).argmin()]:.3f}" in view.readout.text()
    assert "training" in view.readout.text() and "raw" in view.readout.text()
    view.plot.point_at(None)
    assert not view.readout.isVisible()
    QTest.keyClick(view.plot, Qt.Key.Key_Right)
    assert view.readout.isVisible()
    QTest.keyClick(view.plot, Qt.Key.Key_Escape)
    assert not view.readout.isVisible()


def test_log_scale_shows_logarithms_and_labels_real_values(moons):
    view = _shown(moons, LossView)
    moons.train()
    moons.settle(0.4)
    view.log.click()
    x, y = moons.runner.telemetry.curves["loss"]
    assert np.allclose(view.raw_curve.getOriginalDataset()[1], np.log10(y))
    low, high = view.plot.getPlotItem().getViewBox().viewRange()[1]
    assert low <= np.log10(y.min()) and high >= np.log10(y.max())
    ticks = view.plot.left.tickValues(-2, 0.5, 160)[0][1]
    assert view.plot.left.tickStrings(ticks, 1, 1)[0] in ("0.01", "0.02")


def test_smoothing_changes_the_line_and_never_the_raw_curve(moons):
    view = _shown(moons, LossView)
    moons.train()
    moons.settle(0.4)
    raw = view.raw_curve.getOriginalDataset()[1].copy()
    strong = view.train_curve.getOriginalDataset()[1].copy()
    view.smooth.choose(0.0)
    assert np.array_equal(view.raw_curve.getOriginalDataset()[1], raw)
    assert np.array_equal(view.train_curve.getOriginalDataset()[1], raw)
    assert not np.array_equal(strong, raw)


def test_a_hidden_plot_draws_nothing_until_it_is_seen(moons):
    view = LossView(moons.document, moons.runner)
    moons.train()
    moons.settle(0.2)
    assert view.raw_curve.getOriginalDataset()[0] is None
    view.show()
    moons.settle(0.1)
    assert len(view.raw_curve.getOriginalDataset()[0]) == len(moons.runner.telemetry.curves["loss"][0])


def test_an_unchanged_run_is_not_drawn_again(moons):
    view = _shown(moons, LossView)
    moons.train()
    moons.settle(0.4)
    times = []
    view.raw_curve.sigPlotChanged.connect(lambda *_: times.append(1))
    for _ in range(5):
        moons.runner.telemetry_changed.emit(moons.runner.telemetry)
    moons.settle(0.05)
    assert not times


def test_zooming_by_hand_stays_until_double_click(moons):
    view = _shown(moons, LossView)
    moons.train()
    moons.settle(0.4)
    box = view.plot.getPlotItem().getViewBox()
    whole = box.viewRange()[0]
    box.setXRange(1, 2, padding=0)
    box.sigRangeChangedManually.emit([True, True])
    moons.runner.continue_training(2)
    moons.until(lambda: moons.runner.telemetry.epoch == 8)
    moons.settle(0.4)
    assert np.allclose(box.viewRange()[0], [1, 2])
    QTest.mouseDClick(view.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 100))
    assert box.viewRange()[0][0] == whole[0] and box.viewRange()[0][1] > 8


def test_the_best_epoch_is_marked(moons):
    view = _shown(moons, LossView)
    moons.train()
    moons.settle(0.4)
    best = moons.runner.telemetry.best_epoch
    assert best is not None and view.best.isVisible() and view.best.value() == best


def test_a_regression_offers_its_metrics(studio):
    studio.open(Diabetes(), Dense(units=4, activation="tanh"), Dense(units=1), epochs=3)
    view = _shown(studio, MetricView)
    studio.train()
    studio.settle(0.4)
    assert view.chooser.isVisible() and set(view.chooser.values) >= {"r2", "rmse", "mae"}
    view.chooser.choose("rmse")
    assert np.array_equal(view.raw_curve.getOriginalDataset()[1], studio.runner.telemetry.curves["rmse"][1])


def test_export_writes_png_svg_and_csv_and_copies(moons, tmp_path):
    view = _shown(moons, LossView)
    moons.train()
    moons.settle(0.4)
    for ending in ("png", "svg", "csv"):
        view.export.write(tmp_path / f"loss.{ending}")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    svg = (tmp_path / "loss.svg").read_text()
    assert "<svg" in svg and "<path" in svg and len(svg) > 2000
    rows = list(csv.DictReader(io.StringIO((tmp_path / "loss.csv").read_text())))
    x, y = moons.runner.telemetry.curves["val_loss"]
    found = [(float(r["epoch"]), float(r["validation loss"])) for r in rows if r["validation loss"]]
    assert found == list(zip(x.tolist(), y.tolist()))
    view.export.copy()
    assert QGuiApplication.clipboard().text() == (tmp_path / "loss.csv").read_text()
    with pytest.raises(OSError):
        view.export.write(tmp_path / "no folder" / "loss.svg")


def test_the_theme_is_followed(moons, qapp):
    view = _shown(moons, LossView)
    moons.train()
    moons.settle(0.4)
    theme.apply(qapp, theme.LIGHT)
    assert view.train_curve.opts["pen"].color().name().upper() == theme.LIGHT.training
    assert view.plot.backgroundBrush().color().name().upper() == theme.LIGHT.panel


def test_a_new_run_starts_with_empty_curves(moons):
    view = _shown(moons, LossView)
    moons.train()
    moons.settle(0.4)
    before = len(view.raw_curve.getOriginalDataset()[0])
    moons.train()
    moons.settle(0.4)
    assert len(view.raw_curve.getOriginalDataset()[0]) == before


@pytest.mark.parametrize("kind", [LossView, MetricView])
def test_nothing_is_cut_off_in_a_small_dock(moons, kind):
    view = _shown(moons, kind, 420, 220)
    moons.train()
    moons.settle(0.4)
    assert view.minimumSizeHint().width() <= 420 and view.minimumSizeHint().height() <= 220
    for child in (view.legend, view.log, view.smooth, view.export):
        right = child.mapTo(view, QPoint(child.width(), 0)).x()
        assert child.isVisible() and right <= view.width()
