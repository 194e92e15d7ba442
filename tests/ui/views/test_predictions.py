"""Stories of somebody who looks at what the network answers for the test samples."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from nndesigner.data.generated import Curve, Spirals, Surface
from nndesigner.data.samples import Diabetes, Digits, Iris
from nndesigner.engine.metrics import predicted_classes
from nndesigner.graph.edit import add_node, connect
from nndesigner.graph.model import Graph
from nndesigner.insight.probe import decision_map
from nndesigner.layers.dense import Dense
from nndesigner.layers.io import Input, Output
from nndesigner.layers.reshape import Flatten, Reshape
from nndesigner.project.design import Design
from nndesigner.ui.views.class_colours import class_colour
from nndesigner.ui.views.map_view import MapView
from nndesigner.ui.views.predictions import PredictionsView
from nndesigner.ui.views.regression_plots import FitView, ScatterView
from nndesigner.ui.views.sample_cards import SampleCardsView


def _digits(studio, epochs=3):
    studio.open(Digits(), Flatten(), Dense(units=24, activation="relu"), Dense(units=10), epochs=epochs)
    studio.train()
    return studio


def _shown(studio, page=None, width=545, height=240):
    view = studio.keep(PredictionsView(studio.document, studio.runner))
    view.resize(width, height)
    view.show()
    if page is not None:
        view.kinds.choose(page)
        assert type(view.page) is page
    studio.until(lambda: view.page is not None and view.page.showing)
    studio.settle(0.1)
    return view


def _answers(studio, part):
    """What Network.predict says for a whole part, asked directly."""
    def look(trainer):
        fields = {f: part.arrays[f] for f in trainer.network.checked.inputs.values()}
        return next(iter(trainer.network.predict(fields).values()))

    return studio.ask(look)


# --- cards ---


def test_cards_mark_right_and_wrong_as_the_truth_says(studio):
    _digits(studio)
    view = _shown(studio, width=900, height=700)
    test = studio.runner.prepared.test
    probabilities = _answers(studio, test)
    predicted, truth = predicted_classes(probabilities), test.arrays["target"]
    cards = view.page.grid.contents
    assert len(cards) >= 20 and {card.right for card in cards} == {True, False}
    for card in cards:
        place = card.row
        assert card.right == (predicted[place] == truth[place])
        best = card.bars[0]
        assert best.name == str(predicted[place])
        assert np.isclose(best.probability, probabilities[place].max(), atol=1e-6)
        tones = {bar.name: bar.tone for bar in card.bars}
        assert tones[str(truth[place])] == "right"
        assert card.right or tones[str(predicted[place])] == "wrong"
        assert ("right" if card.right else "wrong") in card.text


def test_only_mistakes_one_class_and_pages(studio):
    _digits(studio)
    view = _shown(studio, width=545, height=240)
    page = view.page
    test = studio.runner.prepared.test
    predicted, truth = predicted_classes(_answers(studio, test)), test.arrays["target"]
    page.mistakes.setChecked(True)
    page.classes.choose(8)
    wanted = np.flatnonzero((truth == 8) & (predicted != 8))
    studio.until(lambda: page.shown.total == len(wanted))
    seen = []
    while True:
        seen += [card.row for card in page.grid.contents]
        if not page.on.isEnabled():
            break
        first = page.shown.first
        page.on.click()
        studio.until(lambda first=first: page.shown.first > first)
    assert sorted(seen) == wanted.tolist()
    assert f"of {len(wanted)}" in page.position.text()


def test_shuffle_shows_other_samples(studio):
    _digits(studio, epochs=1)
    page = _shown(studio).page
    before = [card.row for card in page.grid.contents]
    page.shuffle.click()
    studio.until(lambda: [card.row for card in page.grid.contents] != before)


def test_a_click_on_a_card_chooses_its_sample(studio):
    _digits(studio, epochs=1)
    view = _shown(studio)
    chosen = []
    view.sample_chosen.connect(chosen.append)
    QTest.mouseClick(view.page.grid.card(1), Qt.MouseButton.LeftButton)
    assert chosen == [view.page.grid.contents[1].row]
    assert view.page.grid.card(1).marked
    view.page.grid.card(0).setFocus()
    QTest.keyClick(view.page.grid.card(0), Qt.Key.Key_Space)
    assert chosen[-1] == view.page.grid.contents[0].row


def test_table_cards_show_the_values_in_their_units(studio):
    studio.open(Iris(), Dense(units=4), Dense(units=3), epochs=1)
    studio.train()
    view = _shown(studio)
    card = view.page.grid.contents[0]
    prepared = studio.runner.prepared
    row = prepared.test.rows[card.row]
    name, value = card.lines[0]
    column = prepared.dataset.column(name)
    assert value == f"{column.values[row]:.4g}\u202f{column.unit}"


def test_an_autoencoder_shows_input_beside_reconstruction(studio):
    graph, before = Graph(), None
    layers = (Input(), Flatten(), Dense(units=16, activation="relu"), Dense(units=64), Reshape(shape=(8, 8, 1)),
              Output(task="reconstruction"))
    for layer in layers:
        graph, node = add_node(graph, layer, 0, 0)
        graph = connect(graph, before, node) if before else graph
        before = node
    studio.open(Digits(), Dense(units=10), epochs=2)
    studio.document.edit("Draw an autoencoder", lambda design: Design(graph, design.data, design.training))
    assert studio.document.wait_for_data()
    studio.train()
    view = _shown(studio, SampleCardsView)
    test = studio.runner.prepared.test
    card = view.page.grid.contents[0]
    assert card.picture is not None and card.second is not None and card.second.size() == card.picture.size()
    made = studio.runner.prepared.preparation.decode("image", _answers(studio, test))
    real = studio.runner.prepared.preparation.decode("image", test.arrays["image"])
    error = np.sqrt(np.mean((made[card.row] - real[card.row]) ** 2))
    assert f"error {error:.3g}" in card.caption or f"error {error:.3f}" in card.caption
    assert not view.page.mistakes.isVisible()


# --- map ---


def test_the_map_agrees_with_the_network_at_its_points(studio):
    studio.open(Spirals(samples=200), Dense(units=16, activation="tanh"), Dense(units=2), epochs=10)
    studio.train()
    view = _shown(studio, MapView)
    shown = view.page.map
    prepared = studio.runner.prepared
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 100, 30), rng.integers(0, 100, 30)
    x = shown.x0 + (columns + 0.5) / 100 * (shown.x1 - shown.x0)
    y = shown.y0 + (rows + 0.5) / 100 * (shown.y1 - shown.y0)
    fields = prepared.preparation.encode({shown.names[0]: x, shown.names[1]: y})
    answers = studio.ask(lambda trainer: next(iter(trainer.network.predict(fields).values())))
    assert np.allclose(shown.values[rows, columns], answers, atol=1e-5)
    # and the cross reads the same answer
    picture = view.page.picture
    studio.move_mouse(picture, picture.screen(float(x[0]), float(y[0])))
    best = shown.values[rows[0], columns[0]].argmax()
    assert shown.classes[best] in view.page.readout.text() and "%" in view.page.readout.text()
    image = picture.grab().toImage()
    point = picture.screen(float(x[0]), float(y[0]))
    assert image.pixelColor(point.toPoint()).isValid()


def test_discretised_areas_have_the_colours_of_the_classes(studio):
    studio.open(Spirals(samples=200), Dense(units=16, activation="tanh"), Dense(units=2), epochs=3)
    studio.train()
    page = _shown(studio, MapView).page
    page.points.choose("none")
    page.areas.setChecked(True)
    values = page.map.values
    image = page.picture._image
    colours = {image.pixelColor(j, 99 - i).name() for i in range(0, 100, 9) for j in range(0, 100, 9)}
    assert len(colours) == len(np.unique(values.argmax(axis=2)))
    blue = class_colour(0)
    assert blue.startswith("#")


def test_points_of_training_and_test_part_can_be_shown(studio):
    studio.open(Spirals(samples=200), Dense(units=4), Dense(units=2), epochs=1)
    studio.train()
    page = _shown(studio, MapView).page
    prepared = studio.runner.prepared
    counts = {}
    for wanted in page.points.values:
        page.points.choose(wanted)
        counts[wanted] = len(page.picture._points)
    assert counts["none"] == 0 and counts["train"] == len(prepared.train) and counts["test"] == len(prepared.test)
    assert counts["all"] == len(prepared.dataset)


def test_a_surface_is_a_map_of_values(studio):
    studio.open(Surface(samples=200), Dense(units=8, activation="tanh"), Dense(units=1), epochs=5)
    studio.train()
    view = _shown(studio, MapView)
    found = studio.ask(lambda trainer: decision_map(trainer.network, trainer.prepared, 100))
    assert np.array_equal(view.page.map.values, found.values)
    assert view.kinds.values == [MapView, ScatterView]


# --- curve and scatter ---


def test_the_curve_goes_through_what_the_network_says(studio):
    studio.open(Curve(samples=120), Dense(units=8, activation="tanh"), Dense(units=1), epochs=5)
    studio.train()
    page = _shown(studio, FitView).page
    x, y = page.lines[0].getOriginalDataset()
    prepared = studio.runner.prepared
    fields = prepared.preparation.encode({"x": x[::50]})
    answers = studio.ask(lambda trainer: next(iter(trainer.network.predict(fields).values())))
    assert np.allclose(y[::50], prepared.preparation.decode("target", answers).reshape(-1), atol=1e-5)
    assert len(page.train_points.data) == len(prepared.train)
    page.plot.point_at(float(x[100]))
    assert page.readout.isVisible() and "x " in page.readout.text()


def test_the_scatter_shows_truth_prediction_and_r2(studio):
    studio.open(Diabetes(), Dense(units=8, activation="tanh"), Dense(units=1), epochs=10)
    studio.train()
    view = _shown(studio, ScatterView)
    test = studio.runner.prepared.test
    decode = studio.runner.prepared.preparation.decode
    truth = decode("target", test.arrays["target"]).reshape(-1).astype(float)
    predicted = decode("target", _answers(studio, test)).reshape(-1).astype(float)
    found = view.page.shown
    assert np.allclose(found.truth, truth, rtol=1e-5) and np.allclose(found.predicted, predicted, rtol=1e-4)
    r2 = 1 - np.square(truth - predicted).sum() / np.square(truth - truth.mean()).sum()
    assert view.page.legend.entries[0].value == f"{r2:.3f}"
    # the sample nearest to the cursor is named, a click chooses it
    chosen = []
    view.sample_chosen.connect(chosen.append)
    box = view.page.plot.getPlotItem().getViewBox()
    place = view.page.plot.mapFromScene(box.mapViewToScene(QPointF(truth[5], predicted[5])))
    studio.move_mouse(view.page.plot.viewport(), QPointF(place))
    assert "true" in view.page.readout.text()
    QTest.mouseClick(view.page.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert len(chosen) == 1
    nearest = chosen[0]
    assert abs(truth[nearest] - truth[5]) < 20 and abs(predicted[nearest] - predicted[5]) < 20


# --- asking ---


def test_answers_follow_the_training_and_stop_when_hidden(studio):
    studio.open(Spirals(samples=300), Dense(units=16, activation="tanh"), Dense(units=2), epochs=1_000_000)
    view = PredictionsView(studio.document, studio.runner)
    view.resize(500, 240)
    view.show()
    asked = []
    ask = studio.runner.ask
    studio.runner.ask = lambda key, fn: asked.append(key) or ask(key, fn)
    studio.until(lambda: studio.runner.state == "ready")
    assert studio.runner.train()
    studio.until(lambda: len(asked) >= 3)
    view.hide()
    studio.settle(0.1)
    asked.clear()
    step = studio.runner.telemetry.step
    studio.settle(0.5)
    assert studio.runner.state == "running" and studio.runner.telemetry.step > step
    assert asked == []
    view.show()
    studio.until(lambda: asked)
    studio.runner.stop()
    studio.until(lambda: studio.runner.state == "stopped")


def test_questions_come_at_most_four_times_a_second(studio):
    studio.open(Spirals(samples=300), Dense(units=8, activation="tanh"), Dense(units=2), epochs=1_000_000)
    view = PredictionsView(studio.document, studio.runner)
    view.resize(500, 240)
    view.show()
    studio.until(lambda: studio.runner.state == "ready")
    assert studio.runner.train()
    studio.until(lambda: studio.runner.state == "running" and view.page is not None and view.page.showing)
    asked = []
    ask = studio.runner.ask
    studio.runner.ask = lambda key, fn: asked.append(key) or ask(key, fn)
    studio.settle(1.5)
    assert 1 <= len(asked) <= 7
    studio.runner.stop()


def test_a_paused_and_an_untrained_network_answer_too(studio):
    studio.open(Digits(), Flatten(), Dense(units=10), epochs=500)
    view = PredictionsView(studio.document, studio.runner)
    view.resize(545, 240)
    view.show()
    studio.until(lambda: studio.runner.state == "ready")
    studio.until(lambda: view.page is not None and view.page.grid.contents)
    before = view.page.grid.contents[0].bars[0].probability
    assert studio.runner.train()
    studio.until(lambda: studio.runner.telemetry.step > 20)
    studio.runner.pause()
    studio.until(lambda: studio.runner.state == "paused")
    studio.settle(0.4)
    paused = view.page.grid.contents
    assert paused[0].bars[0].probability != before
    view.page.on.click()
    studio.until(lambda: view.page.grid.contents[0].row != paused[0].row)


def test_without_data_it_says_what_to_do(studio):
    view = PredictionsView(studio.document, studio.runner)
    view.resize(420, 220)
    view.show()
    assert view.page is None and "data" in view.empty.text.lower()


@pytest.mark.parametrize("width", [420, 900])
def test_cards_fit_and_do_not_overlap(studio, width):
    _digits(studio, epochs=1)
    view = _shown(studio, width=width, height=220)
    grid = view.page.grid
    cards = [grid.card(i).geometry() for i in range(len(grid.contents))]
    assert cards and all(grid.rect().contains(card) for card in cards)
    assert not any(a.intersects(b) for i, a in enumerate(cards) for b in cards[:i])
