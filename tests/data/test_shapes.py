"""Drawn shapes: repeatable, in the frame, and learnable only from their form."""

import numpy as np
import pytest

from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.shapes import SHAPES, DrawnShapes
from nndesigner.data.source import quiet
from nndesigner.engine.device import Device
from nndesigner.layers.conv import Conv2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.globalpool import GlobalAvgPool2D
from nndesigner.layers.pool import MaxPool2D
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.networks import chain


def test_pictures_are_repeatable_and_of_any_size():
    data = DrawnShapes(samples=30, size=40, classes=6).load(quiet)
    values = data.column("image").values
    assert values.shape == (30, 40, 40, 1) and values.dtype == np.uint8
    assert data.column("shape").categories == tuple(SHAPES)
    assert data.fingerprint == DrawnShapes(samples=30, size=40, classes=6).load(quiet).fingerprint
    assert data.fingerprint != DrawnShapes(samples=30, size=40, classes=6, seed=8).load(quiet).fingerprint


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_stays_in_the_frame_and_has_its_area(shape):
    data = DrawnShapes(samples=120, size=64, classes=6, noise=0).load(quiet)
    values = data.column("image").values[data.column("shape").values == shape][..., 0] / 255
    assert values[:, 0].max() < 0.6 and values[:, :, 0].max() < 0.6 and (values.max(axis=(1, 2)) > 0.55).all()
    filled = (values / values.max(axis=(1, 2), keepdims=True)).mean(axis=(1, 2))
    areas = {"disc": 2.27, "square": 2, "triangle": 1.3, "cross": 1.57, "ring": 1.76, "bar": 0.88}
    # radius 0.22 to 0.42 of the frame
    assert (0.22**2 * areas[shape] * 0.85 < filled).all() and (filled < 0.42**2 * areas[shape] * 1.15).all()


def test_a_small_convolution_learns_them():
    prepared = prepare(DrawnShapes(samples=800, size=16, classes=3).load(quiet), DataSettings())
    layers = (Conv2D(filters=12, activation="relu"), Conv2D(filters=12, activation="relu"), MaxPool2D(),
              Conv2D(filters=24, activation="relu"), Conv2D(filters=24, activation="relu"), GlobalAvgPool2D(),
              Dense(units=3))
    trainer = Trainer(chain(layers, prepared.signature.fields), prepared, TrainSettings(epochs=15), Device("cpu"))
    trainer.learning_rate = 0.004
    trainer.run()
    assert trainer.evaluate("test")["accuracy"] > 0.8
