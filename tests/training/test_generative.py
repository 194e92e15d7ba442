"""Layers that add to the loss count in every way of computing it; a variational autoencoder learns to draw digits."""

import numpy as np
import pytest

from nndesigner.cli.running import load_data
from nndesigner.data.preparing import DataSettings
from nndesigner.data.samples import Digits
from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.engine.optimizers import Adam
from nndesigner.engine.schedules import Cosine
from nndesigner.graph import templates
from nndesigner.graph.check import check
from nndesigner.insight.drawing import draw_samples
from nndesigner.layers.dense import Dense
from nndesigner.layers.generative import Sampling
from nndesigner.layers.io import Input, Output
from nndesigner.project.design import Design
from nndesigner.training.batches import weighted_loss
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.networks import chain, classes, drawing, features, prepared, random_arrays, values


def coder(weight=0.5):
    return drawing(
        {"in": Input(), "m": Dense(units=3), "v": Dense(units=3), "code": Sampling(weight=weight),
         "d": Dense(units=2), "out": Output(weight=0.7)},
        ["in>m", "in>v", "m>code:mean", "v>code:log variance", "code>d", "d>out"], [features(4), values(2)])


def test_the_divergence_is_part_of_the_measured_loss():
    checked = coder()
    trainer = Trainer(checked, prepared(checked, random_arrays(checked, 60), validation=25), TrainSettings(),
                      Device("cpu"))
    part = trainer.prepared.validation
    found = trainer.network.activations({"features": part.arrays["features"]}, ["m", "v", "out"])
    m, v = found["m"].astype(np.float64), found["v"].astype(np.float64)
    kl = 0.5 * np.sum(m ** 2 + np.exp(v) - 1 - v, axis=1).mean()
    mse = np.mean((found["out"] - part.arrays["target"]) ** 2)
    assert trainer.evaluate("validation")["loss"] == pytest.approx(0.7 * mse + 0.5 * kl, rel=1e-5)


def test_gradients_of_the_whole_loss_are_its_slope():
    checked = coder()
    network = Network(checked, Device("cpu"), seed=3, dtype=np.float64)
    plan = network.plan(6, training=True)
    for feed in plan.feeds:
        feed.buffer[...] = np.random.default_rng(1).standard_normal(feed.buffer.shape)
    direction = np.random.default_rng(2).standard_normal(network.weights.values.size)
    ends = []
    for sign in (1, -1):
        network.weights.values += sign * 1e-5 * direction
        plan.forward()
        ends.append(weighted_loss(plan, network))
        network.weights.values -= sign * 1e-5 * direction
    plan.forward()
    plan.backward()
    gaps = np.ones(network.weights.values.size, dtype=bool)
    for s in network.weights.segments:
        gaps[s.start:s.stop] = False
    direction[gaps] = 0
    assert network.weights.grads @ direction == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)


def test_several_threads_give_the_gradients_of_one():
    checked = coder(weight=2.0)
    data = prepared(checked, random_arrays(checked, 60))
    grads = []
    for threads in (1, 3):
        trainer = Trainer(checked, data, TrainSettings(batch_size=60, epochs=1), Device("cpu"), threads=threads)
        trainer.network.weights.views["v/W"].fill(0)
        trainer.network.weights.views["v/b"].fill(-60)  # no noise: it differs from thread to thread
        trainer.step()
        grads.append(trainer.network.weights.grads.copy())
    np.testing.assert_allclose(grads[0], grads[1], rtol=1e-4, atol=1e-5)


def test_a_variational_autoencoder_learns_to_draw_digits():
    design = Design(templates.digits_vae(), DataSettings(source=Digits()), TrainSettings(
        epochs=60, optimizer=Adam(learning_rate=0.003), schedule=Cosine()))
    data = load_data(design)
    checked = check(design.graph, data.signature)
    assert not checked.problems
    trainer = Trainer(checked, data, design.training, Device("cpu"))
    trainer.run()
    assert trainer.evaluate("test")["r2"] > 0.6
    drawn = draw_samples(trainer.network, 200, seed=1)
    assert drawn.values.shape == (200, 8, 8, 1)
    real = data.train.arrays["image"].reshape(-1, 64)

    def distance(pictures):
        """Mean distance to the most similar real digit."""
        return np.sqrt(((pictures.reshape(-1, 1, 64) - real) ** 2).sum(-1)).min(1).mean()

    mixed = np.random.default_rng(0).permuted(real[:200], axis=0)  # every pixel likely, the whole unlikely
    assert distance(drawn.values) < 0.75 * distance(mixed)
    assert drawn.values.std(axis=0).mean() > 0.1, "all samples are alike"
    np.testing.assert_array_equal(draw_samples(trainer.network, 200, seed=1).values, drawn.values)
    code = next(n.id for n in checked.graph.nodes if n.layer.kind == "sampling.v1")
    found = trainer.network.activations({"image": data.test.arrays["image"]}, [code, *checked.heads])
    again = draw_samples(trainer.network, codes=found[code]).values
    np.testing.assert_allclose(again, found[next(iter(checked.heads))], rtol=1e-4, atol=1e-5)


def test_samples_need_a_sampling_layer():
    checked = chain([Dense(units=2)], [features(2), classes(2)])
    with pytest.raises(ValueError, match="Sampling"):
        draw_samples(Network(checked, Device("cpu"), seed=0))
