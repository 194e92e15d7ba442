"""Live pictures: how they are painted, and when the session is asked for them."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor

from nndesigner.data.source import Source
from nndesigner.graph import layout
from nndesigner.insight.probe import NodePicture
from nndesigner.ui import theme
from nndesigner.ui.canvas import CanvasView, thumbnails
from nndesigner.ui.canvas.pictures import look
from nndesigner.ui.document import Document
from nndesigner.ui.runner import Runner
from tests.ui.canvas.conftest import drawn, layer


def colours(picture, group="Core", right=None) -> set[str]:
    image = thumbnails.render(picture, 138, 60, 1.0, group, right).toImage()
    return {
        image.pixelColor(x, y).name() for x in range(138) for y in range(60) if image.pixelColor(x, y).alpha() == 255
    }


def test_signed_values_are_orange_and_blue_and_the_panel_at_zero(themed):
    image = thumbnails.signed_image(np.array([[1.0, -1.0, 0.0]]))
    tokens = theme.DARK
    found = [image.pixelColor(x, 0).name() for x in range(3)]
    assert found[:2] == [tokens.positive.lower(), tokens.negative.lower()]
    panel = QColor(tokens.panel)
    assert max(abs(a - b) for a, b in zip(image.pixelColor(2, 0).getRgb(), panel.getRgb(), strict=True)) <= 2


def test_grey_pictures_keep_zero_to_one(themed):
    image = thumbnails.grey_image(np.array([[0.0, 0.5, 1.0]]))
    assert [image.pixelColor(x, 0).red() for x in range(3)] == [0, 128, 255]
    strange = thumbnails.grey_image(np.array([[np.nan, np.inf, -5.0, 3.0]]))
    assert strange.width() == 4


def test_every_kind_is_painted_in_its_colours(themed):
    rng = np.random.default_rng(0)
    assert theme.group_colour("Core").lower() in colours(NodePicture("bars", rng.normal(size=300)))
    assert "#ffffff" in colours(NodePicture("image", np.ones((1, 8, 8))))
    assert len(colours(NodePicture("maps", rng.normal(size=(16, 9, 9))))) > 20
    assert theme.group_colour("Core").lower() in colours(thumbnails.Curves(rng.normal(size=(3, 50))))
    assert theme.DARK.text.lower() in colours(NodePicture("class", np.array([0.9, 0.1]), "7", 0.9), right=True)
    assert theme.DARK.right_text.lower() in colours(NodePicture("class", np.array([0.9, 0.1]), "7", 0.9), right=True)
    assert theme.DARK.wrong_text.lower() in colours(NodePicture("class", np.array([0.9, 0.1]), "7", 0.9), right=False)


@pytest.mark.parametrize(
    "picture",
    [
        NodePicture("bars", np.zeros(0)),
        NodePicture("bars", np.full(5, np.nan)),
        NodePicture("bars", np.zeros(1)),
        NodePicture("maps", np.zeros((0, 3, 3))),
        NodePicture("maps", np.full((2, 3, 3), np.inf)),
        NodePicture("image", np.zeros((1, 64, 1))),
        NodePicture("class", np.zeros(0), "a very long name of a class indeed", None),
        NodePicture("class", np.zeros(0), ""),
        thumbnails.Curves(np.zeros((1, 1))),
    ],
)
@pytest.mark.parametrize("scale", [0.41, 1.0, 3.0])
def test_strange_values_are_painted_without_harm(themed, picture, scale):
    assert not thumbnails.render(picture, 138, 60, scale, "Core").isNull()


@pytest.fixture
def studio(qtbot, themed):
    """Opens a network on data, on a canvas with a runner."""
    document = Document()
    runner = Runner(document)
    view = CanvasView(document, runner)
    qtbot.addWidget(view)
    view.resize(1000, 500)

    def open_(source: str, *layers, show: bool = True, **params):
        graph = drawn(*((each, 0, 0) for each in layers), wires=tuple((i, i + 1) for i in range(1, len(layers))))
        document.edit_graph("Draw", lambda _: layout.arrange(graph))
        document.edit_data("Data", source=Source.registry[f"{source}.v1"](**params))
        assert document.wait_for_data()
        if show:
            view.show()
        return document, runner, view

    yield open_
    view.close()
    assert runner.close()
    document.close()


def pictures(view) -> dict[str, object]:
    return {i: item._picture for i, item in view.board.nodes.items()}


def test_nodes_show_pictures_before_training_and_while_it_runs(studio, qtbot):
    document, runner, view = studio(
        "digits",
        layer("input"),
        layer("conv2d", filters=4),
        layer("flatten"),
        layer("dense", units=10),
        layer("output"),
    )
    qtbot.waitUntil(lambda: all(pictures(view).values()), timeout=15000)
    first = pictures(view)
    assert [first[f"n{i}"].kind for i in range(1, 6)] == ["image", "maps", "bars", "bars", "class"]
    assert view.board.nodes["n5"]._right in (True, False)
    document.edit_training("x", epochs=2)
    assert runner.train()
    qtbot.waitUntil(lambda: runner.state == "finished", timeout=20000)
    qtbot.waitUntil(lambda: pictures(view)["n4"] is not first["n4"], timeout=5000)
    width = {e.source: item.pen().widthF() for e, item in view.board.edges.items()}
    assert max(width.values()) > 2.5, "wires tell how strong the signal is"


def test_another_probe_sample_gives_another_picture(studio, qtbot):
    _, _, view = studio("digits", layer("input"), layer("flatten"), layer("dense", units=10), layer("output"))
    qtbot.waitUntil(lambda: all(pictures(view).values()), timeout=15000)
    before = pictures(view)["n1"].data
    view.pictures.set_probe(3)
    qtbot.waitUntil(lambda: not np.array_equal(pictures(view)["n1"].data, before), timeout=5000)


def test_neurons_are_shown_over_the_plane_for_two_inputs(studio, qtbot):
    _, _, view = studio(
        "moons", layer("input"), layer("dense", units=6, activation="tanh"), layer("dense", units=2), layer("output")
    )
    qtbot.waitUntil(lambda: all(pictures(view).values()), timeout=15000)
    found = pictures(view)
    assert [found[f"n{i}"].data.shape for i in range(1, 5)] == [(2, 25, 25), (6, 25, 25), (2, 25, 25), (1, 25, 25)]
    across, up = found["n1"].data
    assert across[0, 0] < across[0, -1] and up[0, 0] > up[-1, 0], "x grows to the right, y upwards"


def test_neurons_are_curves_for_one_input(studio, qtbot):
    _, _, view = studio(
        "curve", layer("input"), layer("dense", units=5, activation="tanh"), layer("dense", units=1), layer("output")
    )
    qtbot.waitUntil(lambda: all(pictures(view).values()), timeout=15000)
    assert [p.kind for p in pictures(view).values()] == ["curves"] * 4


def test_a_hidden_canvas_asks_nothing(studio, qtbot):
    _, runner, view = studio("moons", layer("input"), layer("dense", units=2), layer("output"), show=False)
    asked = []
    ask = runner.ask
    runner.ask = lambda key, fn: asked.append(key) or ask(key, fn)
    qtbot.waitUntil(lambda: runner.state == "ready", timeout=15000)
    qtbot.wait(300)
    assert not asked
    view.show()
    qtbot.waitUntil(lambda: bool(asked), timeout=3000)


def test_questions_are_not_asked_faster_than_told(studio, qtbot):
    document, runner, view = studio("moons", layer("input"), layer("dense", units=2), layer("output"))
    qtbot.waitUntil(lambda: all(pictures(view).values()), timeout=15000)
    asked = []
    ask = runner.ask
    runner.ask = lambda key, fn: asked.append(key) or ask(key, fn)
    document.edit_training("x", epochs=100_000)
    runner.train()
    qtbot.waitUntil(lambda: runner.state == "running", timeout=5000)
    asked.clear()
    qtbot.wait(1000)
    assert 1 <= asked.count("pictures") <= 6
    runner.stop()


def test_pictures_go_when_the_network_cannot_be_computed_any_more(studio, qtbot):
    document, _, view = studio("moons", layer("input"), layer("dense", units=2), layer("output"))
    qtbot.waitUntil(lambda: all(pictures(view).values()), timeout=15000)
    document.edit_graph("x", lambda g: drawn((layer("dense"), 0, 0)))
    qtbot.waitUntil(lambda: not any(pictures(view).values()), timeout=5000)


def test_look_tells_whether_the_answer_is_true(studio, qtbot):
    _, runner, view = studio("iris", layer("input"), layer("dense", units=3), layer("output"))
    qtbot.waitUntil(lambda: all(pictures(view).values()), timeout=15000)
    seen = []
    runner.answered.connect(lambda answer: seen.append(answer.value) if answer.key == "test" else None)
    runner.ask(
        "test", lambda trainer: [(look(trainer, row), trainer.prepared.test.arrays["target"][row]) for row in range(8)]
    )
    qtbot.waitUntil(lambda: bool(seen), timeout=5000)
    for found, truth in seen[0]:
        answer = found.pictures["n3"]
        assert found.right["n3"] == (int(np.argmax(answer.data)) == int(truth))
