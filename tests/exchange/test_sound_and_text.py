"""A raw sound or text file through the command line and through the window's Predictor: the same bits."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from nndesigner.cli.predicting import columns_of, predict_file
from nndesigner.cli.running import load_data, train
from nndesigner.data.dataset import DataError
from nndesigner.data.generated_sound import SpokenDigits, Tones
from nndesigner.data.generated_text import Sentences
from nndesigner.data.preparing import DataSettings
from nndesigner.engine.device import Device
from nndesigner.exchange.files import read_file
from nndesigner.exchange.prediction import Predictor, from_project
from nndesigner.graph.check import check
from nndesigner.graph.templates import propose
from nndesigner.project.design import Design
from nndesigner.project.file import Project, load, save
from nndesigner.training.proposing import propose_training
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer


def trained(source, epochs=2):
    """(project of the proposed network, its prepared data)."""
    data = DataSettings(source=source)
    prepared = load_data(Design(data=data))
    graph = propose(prepared.signature)
    training = propose_training(check(graph, prepared.signature), len(prepared.train), TrainSettings())
    design = Design(graph, data, training.model_copy(update={"epochs": epochs}))
    return train(Project(design), prepared).project, prepared


@pytest.mark.parametrize("representation", ["log_mel", "mfcc", "wave"])
def test_sound_file(tmp_path, representation):
    project, prepared = trained(Tones(samples=60, representation=representation))
    path = save(project, tmp_path / "tones.nnd")
    column = prepared.dataset.column("sound")
    row = int(prepared.train.rows[0])
    soundfile.write(tmp_path / "one.wav", column.values[row], 8000, subtype="FLOAT")
    found = predict_file(load(path), tmp_path / "one.wav")
    # what the window does: a network with these weights, the preparation of the session, the same raw value
    network = from_project(project).network
    raw = read_file(tmp_path / "one.wav", prepared.preparation.inputs)
    shown = Predictor(network, prepared.preparation).predict(raw.columns)
    (answers,) = found.predictions.values()
    assert answers.probabilities.tobytes() == shown.probabilities.tobytes()
    assert found.places == ("one.wav",) and shown.label(0) in columns_of(found)["instrument"]
    # the file holds what training saw, levelled once more
    np.testing.assert_allclose(
        prepared.preparation.encode(raw.columns)["sound"], prepared.train.arrays["sound"][:1], atol=1e-4)


def test_text_files(tmp_path):
    project, prepared = trained(Sentences(samples=200))
    path = save(project, tmp_path / "texts.nnd")
    texts = ["The soup at the kitchen table was superb.", "We hated the exam, really.", "Zebra!"]
    (tmp_path / "t.csv").write_text("text\n" + "".join(f'"{t}"\n' for t in texts), "utf-8")
    (tmp_path / "t.txt").write_text("\n".join(texts) + "\n", "utf-8")
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps({"text": t}) for t in texts), "utf-8")
    shown = Predictor(from_project(project).network, prepared.preparation).predict(
        {"text": np.array(texts, dtype=object)})
    for name in ("t.csv", "t.txt", "t.jsonl"):
        (answers,) = predict_file(load(path), tmp_path / name).predictions.values()
        assert answers.probabilities.tobytes() == shown.probabilities.tobytes()
    assert np.isfinite(from_project(project).predict({"text": np.array([None], dtype=object)}).probabilities).all()


def test_files_that_do_not_fit_are_told(tmp_path):
    texts, _ = trained(Sentences(samples=100), 1)
    sounds, _ = trained(Tones(samples=50), 1)
    soundfile.write(tmp_path / "a.wav", np.ones(50), 8000)
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", "utf-8")
    (tmp_path / "b.wav").write_bytes(b"no")
    for project, name, words in (
            (texts, "a.wav", "does not take sounds"), (texts, "t.csv", "lacks the column 'text'"),
            (sounds, "t.csv", "trained on a sound"), (sounds, "b.wav", "cannot be read as sound")):
        with pytest.raises(DataError, match=words):
            predict_file(project, tmp_path / name)


@pytest.mark.parametrize("source,epochs,least", [
    (SpokenDigits(), 12, 0.9), (SpokenDigits(representation="mfcc"), 25, 0.85), (Tones(), 8, 0.9),
    (Tones(representation="wave", samples=600), 25, 0.6), (Sentences(), 8, 0.95),
    (Sentences(tokens="byte_pair"), 8, 0.95),
], ids=lambda v: getattr(v, "title", None))
def test_the_proposed_network_learns(source, epochs, least):
    prepared = load_data(Design(data=DataSettings(source=source)))
    checked = check(propose(prepared.signature), prepared.signature)
    assert not checked.problems
    settings = propose_training(checked, len(prepared.train), TrainSettings())
    trainer = Trainer(checked, prepared, settings.model_copy(update={"epochs": epochs}), Device("cpu"))
    trainer.run()
    assert trainer.evaluate("test")["accuracy"] > least


def test_a_text_without_target_has_no_proposal():
    prepared = load_data(Design(data=DataSettings(source=Sentences(samples=60))))
    inputs_only = replace(prepared.signature, fields=prepared.signature.inputs)
    assert not propose(inputs_only).nodes
