"""The plane of a layer's values: principal components, groups, and a picture that does not jump."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from nndesigner.cli.running import load_data
from nndesigner.data.preparing import DataSettings
from nndesigner.data.samples import Digits
from nndesigner.engine.device import Device
from nndesigner.graph import edit, templates
from nndesigner.graph.check import check
from nndesigner.insight.drawing import codes_at, decoder_of, draw_samples, spread_of
from nndesigner.insight.latent import MOST, components, latent_map, latent_nodes, own_groups, usual_node
from nndesigner.layers.generative import Clustering
from nndesigner.project.design import Design
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer


def trained(graph, epochs=3):
    design = Design(graph, DataSettings(source=Digits()), TrainSettings(epochs=epochs))
    data = load_data(design)
    trainer = Trainer(check(graph, data.signature), data, design.training, Device("cpu"))
    trainer.run()
    return trainer


@pytest.fixture(scope="module")
def dense():
    return trained(templates.digits_dense())


def values_of(trainer, part, node, positions):
    return trainer.network.activations({"image": part.arrays["image"][positions]}, [node])[node].astype(np.float64)


@pytest.mark.parametrize("which", [0, -1])  # more samples than features, and a narrow layer
def test_points_are_the_principal_components(dense, which):
    part, node = dense.prepared.train, latent_nodes(dense.checked)[which]
    found = latent_map(dense.network, part, node)
    assert len(found.points) == min(MOST, len(part)) == len(np.unique(found.positions))
    pca = PCA(2, svd_solver="full")
    expected = pca.fit_transform(values_of(dense, part, node, found.positions))
    np.testing.assert_allclose(np.abs(found.points), np.abs(expected), rtol=1e-3, atol=1e-3)
    assert found.share == pytest.approx(pca.explained_variance_ratio_.sum(), rel=1e-4)
    field = next(f for f in dense.checked.signature.targets if f.kind == "class")
    assert found.classes == field.classes
    np.testing.assert_array_equal(found.truth, np.asarray(part.arrays[field.name])[found.positions])


def test_fewer_samples_than_features_give_the_same_plane():
    values = np.random.default_rng(0).standard_normal((12, 40))
    points, share = components(values - 3)
    pca = PCA(2, svd_solver="full")
    np.testing.assert_allclose(np.abs(points), np.abs(pca.fit_transform(values)), rtol=1e-6, atol=1e-9)
    assert share == pytest.approx(pca.explained_variance_ratio_.sum())


def test_a_live_picture_does_not_jump(dense):
    part, node = dense.prepared.test, latent_nodes(dense.checked)[-1]
    first = latent_map(dense.network, part, node)
    object.__setattr__(first, "points", first.points[:, ::-1] * [1, -1])
    again = latent_map(dense.network, part, node, before=first)
    np.testing.assert_allclose(again.points, first.points, rtol=1e-4, atol=1e-4)


def test_groups_without_labels_and_how_they_agree(dense):
    part, node = dense.prepared.test, usual_node(dense.checked)
    found = latent_map(dense.network, part, node, groups=10)
    groups = found.groups
    assert groups.sizes.sum() == len(found.points) and len(groups.sizes) == 10
    assert groups.ari == pytest.approx(adjusted_rand_score(found.truth, groups.groups))
    assert groups.nmi == pytest.approx(normalized_mutual_info_score(found.truth, groups.groups))
    assert groups.ari > 0.3, "a trained classifier separates its classes"


def test_a_clustering_layer_gives_its_own_groups():
    graph = templates.digits_autoencoder()
    code = usual_node(check(graph, load_data(Design(graph, DataSettings(source=Digits()))).signature))
    graph, node = edit.add_node(graph, Clustering(clusters=7, wait=1), 0, 400)
    graph = edit.connect(graph, code, node)
    trainer = trained(graph)
    assert usual_node(trainer.checked) == code and own_groups(trainer.checked, code) == node
    found = latent_map(trainer.network, trainer.prepared.test, code, groups=7)
    q = values_of(trainer, trainer.prepared.test, node, found.positions)
    np.testing.assert_array_equal(found.groups.groups, q.argmax(axis=1))


def test_a_plain_autoencoder_draws_from_where_its_codes_lie():
    trainer = trained(templates.digits_autoencoder())
    decoder = decoder_of(trainer.checked)
    part = trainer.prepared.test
    assert trainer.checked.shapes[decoder.code].size == min(
        trainer.checked.shapes[n].size for n in latent_nodes(trainer.checked))
    places = np.arange(5)
    again = draw_samples(trainer.network, codes=codes_at(trainer.network, part, places)).values
    answers = trainer.network.predict({"image": part.arrays["image"][places]})[decoder.head]
    np.testing.assert_allclose(again, answers, rtol=1e-4, atol=1e-5)
    mean, spread = spread_of(trainer.network, part)
    assert mean.shape == spread.shape == (trainer.checked.shapes[decoder.code].size,) and (spread >= 0).all()
