"""Latent space and new samples, seen while a network learns and after it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from nndesigner.data.preparing import DataSettings
from nndesigner.data.samples import Digits
from nndesigner.graph import templates
from nndesigner.insight.drawing import codes_at, draw_samples
from nndesigner.insight.latent import latent_nodes
from nndesigner.layers import Layer
from nndesigner.project.design import Design
from nndesigner.training.settings import TrainSettings
from nndesigner.ui.views import questions
from nndesigner.ui.views.generate_view import GenerateView
from nndesigner.ui.views.latent_view import LatentView


def opened(studio, graph, cls):
    studio.document.open(Design(graph, DataSettings(source=Digits()), TrainSettings(epochs=2)))
    assert studio.document.wait_for_data()
    view = studio.keep(cls(studio.document, studio.runner))
    view.resize(760, 300)
    view.show()
    return view


def test_points_by_class_then_by_group_with_samples_beside(studio):
    view = opened(studio, templates.digits_dense(), LatentView)
    studio.train()
    studio.until(lambda: view.shown is not None and view.showing)
    found = view.shown
    assert [e.name for e in view.legend.entries] == list(found.classes)
    assert view.layer.values == list(latent_nodes(studio.runner.checked))
    chosen = []
    view.sample_chosen.connect(chosen.append)
    box = view.plot.getPlotItem().getViewBox()
    at = QPointF(view.plot.mapFromScene(box.mapViewToScene(QPointF(*map(float, found.points[3])))))
    studio.move_mouse(view.plot.viewport(), at)
    assert view.readout.isVisible() and found.classes[found.truth[view._nearest]] in view.readout.text()
    QTest.mouseClick(view.plot.viewport(), Qt.MouseButton.LeftButton, pos=at.toPoint())
    studio.until(lambda: chosen)
    assert chosen[0] in found.positions and view.cards.contents[0].row == chosen[0]
    view.colours.choose("group")
    studio.until(lambda: view.shown.groups is not None)
    words = view.plot.bottom.labelText
    assert f"Rand {view.shown.groups.ari:.2f}" in words and f"information {view.shown.groups.nmi:.2f}" in words
    assert [e.name for e in view.legend.entries] == [str(i + 1) for i in range(10)]
    QTest.mouseClick(view.plot.viewport(), Qt.MouseButton.LeftButton, pos=at.toPoint())
    studio.until(lambda: view.beside.text().startswith("Group"))
    group = int(view.beside.text().split()[1].rstrip(":")) - 1
    assert f"{view.shown.groups.sizes[group]} samples" in view.beside.text()
    assert [c.row for c in view.cards.contents] == list(
        view.shown.groups.typical[group][:len(view.cards.contents)])
    assert len(view.csv().splitlines()) == len(view.shown.points) + 1
    other = view.layer.values[0]
    view.layer.choose(other)
    studio.until(lambda: view.shown.node == other)


def test_hidden_it_asks_nothing(studio):
    view = opened(studio, templates.digits_dense(), LatentView)
    view.hide()
    asked = []
    studio.runner.answered.connect(lambda answer: asked.append(answer.key))
    studio.train()
    assert not [key for key in asked if key.startswith("LatentView")] and view.shown is None


def test_without_a_list_of_features_it_says_what_it_needs(studio):
    conv = Layer.registry["conv2d.v1"](filters=2)
    view = studio.keep(LatentView(studio.document, studio.runner))
    studio.open(Digits(), conv)
    view.show()
    view.say()
    assert not view.showing and view.empty.isVisible()


@pytest.mark.parametrize("kind, count", [("random", 24), ("between", 10), ("plane", 64), ("sliders", 1)])
def test_samples_of_every_kind(studio, kind, count):
    view = opened(studio, templates.digits_vae(), GenerateView)
    view.kind.choose(kind)
    studio.train()
    studio.until(lambda: view.shown is not None and len(view.grid.pictures) == count)
    studio.settle(0.5)  # until it shows the weights of the end
    found = view.shown
    again = studio.ask(lambda trainer: draw_samples(trainer.network, codes=found.codes).values)
    np.testing.assert_allclose(again, found.values, atol=1e-5)
    if kind == "between":
        part = questions.shown_part(studio.runner.prepared)
        codes = studio.ask(lambda trainer: codes_at(trainer.network, part, np.arange(len(part))))
        for end in (view.shown.codes[0], view.shown.codes[-1]):
            assert np.abs(codes - end).sum(axis=1).min() < 1e-3, "both ends are samples"
    if kind == "plane":
        across = view.shown.codes[:8, 0]
        assert (np.diff(across) > 0).all() and np.ptp(view.shown.codes[:8, 1]) == 0
        assert view.shown.codes[0, 1] > view.shown.codes[-1, 1], "upwards it grows"


def test_sliders_move_the_code(studio):
    view = opened(studio, templates.digits_vae(), GenerateView)
    view.kind.choose("sliders")
    studio.train()
    studio.until(lambda: view.shown is not None and len(view.sliders) == view.shown.codes.shape[1])
    view.sliders[2].setValue(150)
    studio.until(lambda: view.shown.codes[0, 2] == pytest.approx(1.5))
    view.middle.click()
    studio.until(lambda: not view.shown.codes.any())


def test_other_random_samples(studio):
    view = opened(studio, templates.digits_autoencoder(), GenerateView)
    studio.train()
    studio.until(lambda: view.shown is not None)
    before = view.shown.codes
    view.other.click()
    studio.until(lambda: not np.array_equal(view.shown.codes, before))


def test_a_classifier_is_told_what_is_needed(studio):
    view = opened(studio, templates.digits_dense(), GenerateView)
    studio.train()
    assert "autoencoder" in view.unsuited() and not view.showing
