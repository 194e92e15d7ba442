"""Every layer, loss, optimizer and schedule in a whole run, not only by itself."""

from __future__ import annotations

import numpy as np
import pytest

from nndesigner.engine.device import Device
from nndesigner.engine.losses import Hinge, KullbackLeibler, LogCosh, Poisson
from nndesigner.engine.optimizers import Adam, Optimizer
from nndesigner.engine.schedules import Schedule
from nndesigner.layers.activation import PReLU
from nndesigner.layers.attention import CrossAttention, SelfAttention
from nndesigner.layers.conv import Conv1D, Conv2D, ConvTranspose2D
from nndesigner.layers.dense import Dense
from nndesigner.layers.depthwise import SeparableConv2D
from nndesigner.layers.embedding import PositionalEncoding
from nndesigner.layers.gated import GRU, LSTM
from nndesigner.layers.globalpool import GlobalAvgPool1D, GlobalMaxPool2D
from nndesigner.layers.io import Input, Output
from nndesigner.layers.merge import Add, Multiply, Subtract
from nndesigner.layers.norm import LayerNorm, RMSNorm
from nndesigner.layers.regular import GaussianNoise, SpatialDropout
from nndesigner.layers.reshape import Flatten, Permute, Reshape
from nndesigner.layers.resize import UpSampling2D
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.networks import classes, drawing, features, image, prepared, values

CPU = Device("cpu")


def run(checked, arrays: dict[str, np.ndarray], **settings) -> tuple[float, float]:
    """(loss before training, loss after it) on the training part."""
    choice = {"epochs": 30, "batch_size": 16, "optimizer": Adam(learning_rate=0.01), **settings}
    trainer = Trainer(checked, prepared(checked, arrays), TrainSettings(**choice), CPU)
    before = trainer.evaluate("train")["loss"]
    while not trainer.finished:
        trainer.step()
    return before, trainer.evaluate("train")["loss"]


def which_half_is_larger(n: int = 96) -> dict[str, np.ndarray]:
    """Twelve numbers, and whether the first six or the last six have the larger sum."""
    x = np.random.default_rng(0).standard_normal((n, 12)).astype(np.float32)
    return {"features": x, "target": (x[:, :6].sum(1) > x[:, 6:].sum(1)).astype(np.int64)}


@pytest.mark.parametrize("middle", [
    {"a": PositionalEncoding(), "b": SelfAttention(heads=2), "c": LayerNorm(), "d": GlobalAvgPool1D()},
    {"a": LSTM(units=12, output="sequence"), "b": SpatialDropout(rate=0.1), "c": GRU(units=8, bidirectional=True)},
    {"a": Conv1D(filters=8, activation="relu"), "b": Permute(), "c": RMSNorm(), "d": GaussianNoise(),
     "e": LSTM(units=8)},
], ids=["attention", "recurrent", "convolution over time"])
def test_series(middle: dict):
    nodes = {"in": Input(), "series": Reshape(shape=(6, 2)), "wide": Dense(units=8), **middle, "end": Dense(units=2),
             "out": Output()}
    names = list(nodes)
    checked = drawing(nodes, [f"{a}>{b}" for a, b in zip(names, names[1:])], [features(12), classes(2)])
    before, after = run(checked, which_half_is_larger())
    assert after < 0.6 * before


def test_ports_of_two_inputs_keep_their_order():
    nodes = {"in": Input(), "series": Reshape(shape=(6, 2)), "query": Dense(units=4), "memory": Dense(units=6),
             "cross": CrossAttention(heads=2), "sum": Add(), "minus": Subtract(), "gate": Dense(units=4,
                                                                                                activation="sigmoid"),
             "times": Multiply(), "row": Flatten(), "end": Dense(units=2), "out": Output(loss=Hinge())}
    wires = ["in>series", "series>query", "series>memory", "memory>cross:memory", "query>cross:query", "cross>sum",
             "query>sum", "query>minus:second", "sum>minus:first", "series>gate", "gate>times", "minus>times",
             "times>row",
             "row>end", "end>out"]
    before, after = run(drawing(nodes, wires, [features(12), classes(2)]), which_half_is_larger())
    assert after < 0.7 * before


def test_pictures_down_and_up_again():
    nodes = {"in": Input(), "down": Conv2D(filters=8, strides=(2, 2), activation="silu"),
             "light": SeparableConv2D(filters=8), "bend": PReLU(), "up": ConvTranspose2D(filters=8,
             activation="elu"), "side": UpSampling2D(), "join": Add(),
             "end": Conv2D(filters=1), "out": Output(task="reconstruction", loss=LogCosh())}
    wires = ["in>down", "down>light", "light>bend", "bend>up", "bend>side", "up>join", "side>join", "join>end",
             "end>out"]
    x = np.random.default_rng(0).standard_normal((48, 4, 4, 1)).astype(np.float32)
    pictures = np.repeat(np.repeat(x, 2, axis=1), 2, axis=2)
    before, after = run(drawing(nodes, wires, [image(8, 8)]), {"image": pictures})
    assert after < 0.3 * before


def test_counts_and_distributions():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((96, 3)).astype(np.float32)
    counts = rng.poisson(np.exp(x[:, :1])).astype(np.float32)
    nodes = {"in": Input(), "a": Dense(units=8, activation="tanh"), "b": Dense(units=1), "out": Output(loss=Poisson())}
    before, after = run(drawing(nodes, ["in>a", "a>b", "b>out"], [features(3), values(1)]),
                        {"features": x, "target": counts})
    assert after < before - 0.3
    shares = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    nodes = {"in": Input(), "a": Dense(units=3), "out": Output(loss=KullbackLeibler())}
    before, after = run(drawing(nodes, ["in>a", "a>out"], [features(3), values(3)]), {"features": x, "target": shares})
    assert after < 0.2 * before


@pytest.mark.parametrize("optimizer", [cls() for cls in Optimizer.all()], ids=lambda o: o.kind)
def test_every_optimizer_lowers_the_loss(optimizer: Optimizer):
    nodes = {"in": Input(), "a": Dense(units=16, activation="relu"), "b": Dense(units=2), "out": Output()}
    checked = drawing(nodes, ["in>a", "a>b", "b>out"], [features(12), classes(2)])
    before, after = run(checked, which_half_is_larger(), optimizer=optimizer, epochs=20)
    assert after < before


@pytest.mark.parametrize("schedule", [cls() for cls in Schedule.all()], ids=lambda s: s.kind)
def test_every_schedule_lowers_the_loss(schedule: Schedule):
    nodes = {"in": Input(), "conv": Reshape(shape=(3, 4, 1)), "a": Conv2D(filters=4, activation="relu"),
             "b": GlobalMaxPool2D(), "c": Dense(units=2), "out": Output()}
    names = list(nodes)
    checked = drawing(nodes, [f"{a}>{b}" for a, b in zip(names, names[1:])], [features(12), classes(2)])
    before, after = run(checked, which_half_is_larger(), schedule=schedule, epochs=20)
    assert after < before
