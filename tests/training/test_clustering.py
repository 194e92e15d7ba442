"""Groups are found without labels, resume to the bit, and are compared with labels."""

import numpy as np
import pytest

from nndesigner.cli.running import load_data
from nndesigner.data.preparing import DataSettings
from nndesigner.data.samples import Digits
from nndesigner.engine.device import Device
from nndesigner.engine.optimizers import Adam
from nndesigner.graph import edit, templates
from nndesigner.graph.check import check
from nndesigner.insight.clusters import clusters, k_means_of
from nndesigner.layers.generative import Clustering
from nndesigner.project.design import Design
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.training.test_trainer import assert_same, state_of, through_json


@pytest.fixture(scope="module")
def digits():
    graph = templates.digits_autoencoder()
    code = next(n.id for n in graph.nodes if n.name == "Code")
    graph, node = edit.add_node(graph, Clustering(clusters=10, wait=20, weight=0.05), 0, 400)
    graph = edit.connect(graph, code, node)
    data = load_data(Design(graph, DataSettings(source=Digits()), TrainSettings()))
    checked = check(graph, data.signature)
    assert not checked.problems
    return checked, data, code


def trainer_of(digits, epochs, checkpoint=None):
    checked, data, _ = digits
    settings = TrainSettings(epochs=epochs, batch_size=128, optimizer=Adam(learning_rate=0.003))
    return Trainer(checked, data, settings, Device("cpu"), checkpoint)


def test_digits_are_sorted_without_labels(digits):
    checked, data, code = digits
    trainer = trainer_of(digits, 40)
    trainer.run()
    assert any("k-means" in message for message in trainer.messages)
    found = clusters(trainer.network, data.train)
    assert found.sizes.sum() == len(found.positions) == len(data.train) and (found.sizes > 0).all()
    assert found.purity > 0.65 and found.ari > 0.5
    assert found.counts.sum() == len(data.train)
    for group, typical in enumerate(found.typical):
        assert (found.groups[typical[typical >= 0]] == group).all()
    plain = k_means_of(trainer.network, data.train, code, 10)
    assert plain.purity > 0.6 and set(np.unique(plain.groups)) == set(range(10))


@pytest.mark.parametrize("steps", [20 * 10 - 1, 20 * 10, 20 * 10 + 3])
def test_a_resumed_run_is_the_uninterrupted_one(digits, steps):
    whole, part = trainer_of(digits, 22), trainer_of(digits, 22)
    assert whole.steps_per_epoch == 10
    whole.run()
    for _ in range(steps):
        part.step()
    resumed = trainer_of(digits, 22, through_json(part.checkpoint()))
    resumed.run()
    assert_same(state_of(whole), state_of(resumed))


def test_fewer_samples_than_groups_are_refused(digits):
    checked, data, code = digits
    with pytest.raises(ValueError, match="5000 clusters need"):
        k_means_of(trainer_of(digits, 1).network, data.test, code, 5000)
