"""Texts as targets, from raw columns to what a trained network writes."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from nndesigner.cli.predicting import columns_of, predict_file, rows_of, table_of
from nndesigner.cli.running import train
from nndesigner.data.augment.mixing import Mixup
from nndesigner.data.corrections import by_row, with_label
from nndesigner.data.csv_file import Csv
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import Preparation
from nndesigner.data.generated_sound import SpokenNumbers
from nndesigner.data.preparing import DataSettings, Prepared, prepare
from nndesigner.data.source import quiet
from nndesigner.data.text import SPECIAL, TextForm
from nndesigner.engine.device import Device
from nndesigner.engine.losses import ConnectionistTemporal
from nndesigner.engine.network import Network
from nndesigner.exchange.prediction import Predictor
from nndesigner.graph.check import check
from nndesigner.graph.templates import propose
from nndesigner.insight.answers import confusion, predictions, scatter
from nndesigner.insight.judging import judge
from nndesigner.insight.probe import node_pictures, sample_of
from nndesigner.project.design import Design
from nndesigner.project.file import Project, load, save
from nndesigner.training.history import History
from nndesigner.training.proposing import propose_training
from nndesigner.training.settings import TrainSettings
from nndesigner.ui.explore.selection import known, label_of, number_text

SPELLED = TextForm("character", lower=False)


def stammered(count: int = 240, seed: int = 1) -> Dataset:
    """Words of a to d in which every letter is said two to four times, and the words. Their lengths differ much."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.permutation(list("abcd"))[:rng.integers(1, 5)]) for _ in range(count)]
    spoken = ["".join(letter * rng.integers(2, 5) for letter in word) for word in words]
    return Dataset("Stammered", "texts", (
        Column("spoken", "text", "input", np.array(spoken, dtype=object), layout=SPELLED),
        Column("word", "text", "target", np.array(words, dtype=object), layout=SPELLED)))


def proposed(prepared: Prepared, source=None, **training: object) -> Project:
    graph = propose(prepared.signature)
    settings = propose_training(check(graph, prepared.signature), len(prepared.train), TrainSettings())
    return Project(Design(graph, DataSettings(source=source), settings.model_copy(update=training)))


@pytest.fixture(scope="module")
def words() -> tuple[Project, Prepared]:
    """A trained project that writes words, and its data."""
    prepared = prepare(stammered(), DataSettings())
    return train(proposed(prepared, epochs=40), prepared).project, prepared


@pytest.fixture(scope="module")
def network(words) -> Network:
    project, prepared = words
    network = Network(check(project.design.graph, prepared.signature), Device("cpu"), 0)
    network.weights.load(project.checkpoint.part("weights"))
    return network


def test_a_text_becomes_a_row_of_tokens(words):
    prepared = words[1]
    (target,) = prepared.signature.targets
    assert (target.kind, target.dtype, target.sample_dims) == ("text", "int64", (4,))
    assert target.classes[:2] == SPECIAL and set(target.classes[2:]) == set("abcd")
    row = prepared.train.rows[0]
    assert prepared.train.arrays["target"].shape == (len(prepared.train), 4)
    assert prepared.preparation.decode("target", prepared.train.arrays["target"][:1])[0] == (
        prepared.dataset.column("word").values[row])


def test_the_vocabulary_is_kept(words):
    preparation = words[1].preparation
    again = Preparation.from_json(preparation.to_json(), preparation.arrays())
    assert again.signature == preparation.signature
    raw = {"spoken": np.array(["aab"], dtype=object), "word": np.array(["dab"], dtype=object)}
    roles = ("input", "target")
    assert (again.encode(raw, roles=roles)["target"] == preparation.encode(raw, roles=roles)["target"]).all()
    broken = preparation.to_json()
    broken["fields"][-1]["classes"] = broken["fields"][-1]["classes"][1:]
    with pytest.raises(ValueError, match="do not fit"):
        Preparation.from_json(broken, preparation.arrays())


def test_what_the_training_part_does_not_hold_is_told():
    dataset = stammered(60)
    given = dataset.column("word").values
    prepared = prepare(dataset, DataSettings())
    given[prepared.test.rows[0]] = "abcdz"
    given[prepared.test.rows[1]] = None
    prepared = prepare(dataset, DataSettings(), quiet)
    assert prepared.signature.targets[0].shape.dims == (5, 6)
    assert any("1 of 59 texts of 'word' hold tokens that the training part does not" in n for n in prepared.notes)
    assert any("1 sample without a value of the target" in n for n in prepared.notes)


def test_a_network_learns_to_write_padded_series(words, network):
    project, prepared = words
    found = predictions(network, prepared)
    assert found.right.mean() > 0.9
    assert found.truth[0] == prepared.dataset.column("word").values[found.rows[0]]
    history = History.from_state(project.checkpoint.part("curve"), project.checkpoint.state["history"])
    for part in ("train", "val"):
        assert history.metrics[part, "cer"] < 0.1 and history.metrics[part, "whole_texts"] > 0.8
    # every answer alone is the answer among others, padding or not
    raw = {"spoken": np.array(["aabbb", "ddaaaccbb"], dtype=object)}
    together = Predictor(network, prepared.preparation).predict(raw)
    assert together.task == "transcription" and together.texts.tolist() == ["ab", "dacb"] and len(together) == 2


def test_padded_steps_say_nothing(network, words):
    prepared = words[1]
    sample = {name: array[:8] for name, array in prepared.test.arrays.items()}
    answers = next(iter(network.predict({"spoken": sample["spoken"]}).values()))
    padded = sample["spoken"] == 0
    assert padded.any() and (answers[padded][:, 0] == 1).all() and (answers[padded][:, 1:] == 0).all()


def test_views_of_the_answers(network, words):
    prepared = words[1]
    judged = judge(network, prepared, "test", 0, 10)
    right = predictions(network, prepared, "test", np.arange(10)).right
    assert ((judged.loss == 0) == right).all() and judged.answer is None
    pictures = node_pictures(network, sample_of(prepared.test, 0), prepared.preparation)
    (head,) = network.heads
    assert pictures[head].kind == "class"
    assert pictures[head].label == predictions(network, prepared, "test", np.arange(1)).texts[0]
    for look in (confusion, scatter):
        with pytest.raises(ValueError, match="needs an Output"):
            look(network, prepared)


def test_an_answer_that_is_not_finite_is_told(words, network):
    prepared = words[1]
    broken = Network(network.checked, Device("cpu"), 0)
    next(iter(broken.weights.views.values()))[...] = np.nan
    assert predictions(broken, prepared, "test", np.arange(2)).texts.tolist() == [None, None]


def test_any_column_of_a_table_can_be_spelled(tmp_path):
    rows = [f"{i % 10},{i % 10 * 2},{'yes' if i % 2 else 'no'}" for i in range(80)]
    (tmp_path / "table.csv").write_text("a,b,said\n" + "\n".join(rows) + "\n", encoding="utf-8")
    dataset = Csv(path=str(tmp_path / "table.csv")).load(quiet)
    prepared = prepare(dataset, DataSettings(kinds={"said": "text"}))
    (target,) = prepared.signature.targets
    assert target.kind == "text" and set(target.classes[2:]) == set("yesno")
    checked = check(propose(prepared.signature), prepared.signature)
    plan = Network(checked, Device("cpu"), 0).plan(2, training=True)
    assert checked.trainable and isinstance(plan.loss_of(next(iter(checked.heads))), ConnectionistTemporal)
    numbers = prepare(dataset, DataSettings(kinds={"a": "text"}, roles={"a": "target", "said": "ignore"}))
    assert set(numbers.signature.targets[0].classes[2:]) == set("0123456789")
    assert "Column 'a' was read as numbers and is spelled as such: zeros in front are gone." in numbers.notes
    # and back again: as an input it is read word by word
    roles = {"said": "input", "a": "target"}
    read = prepare(dataset, DataSettings(kinds={"said": "text", "a": "number"}, roles=roles))
    assert next(f for f in read.signature.inputs if f.name == "said").tokens == 4


def test_a_text_is_set_right_by_hand_and_seen_in_the_gallery():
    dataset = stammered(60)
    given = with_label((), [dataset.keys.of(3)], "word", "dcba")
    prepared = prepare(dataset, DataSettings(corrections=given))
    part = next(p for p in (prepared.train, prepared.validation, prepared.test) if 3 in p.rows)
    place = int(np.flatnonzero(part.rows == 3)[0])
    assert prepared.preparation.decode("target", part.arrays["target"][place:place + 1])[0] == "dcba"
    samples = known(dataset, prepared, None, quiet)
    assert samples.classes == () and label_of(samples, 4, {}) == dataset.column("word").values[4]
    assert label_of(samples, 3, by_row(dataset, given)) == number_text(samples, " dcba ") == "dcba"


def test_texts_cannot_be_mixed():
    dataset = SpokenNumbers(samples=45).load(quiet)
    with pytest.raises(DataError, match="cannot blend the texts to be written"):
        prepare(dataset, DataSettings(augmentation=(Mixup(),)))


def test_spoken_numbers_by_the_command_line(tmp_path):
    source = SpokenNumbers(samples=90, hop=32)
    dataset = source.load(quiet)
    prepared = prepare(dataset, DataSettings())
    speakers = dataset.column("speaker").values
    parts = [set(speakers[prepared.part(name).rows]) for name in ("train", "validation", "test")]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    assert all(2 <= len(text) <= 4 and text.isdigit() for text in dataset.column("number").values)
    trained = train(proposed(prepared, source, epochs=1), prepared).project
    path = save(trained, tmp_path / "numbers.nnd")
    wave = dataset.column("sound").values[prepared.test.rows[0]]
    soundfile.write(tmp_path / "one.wav", wave, 8000, subtype="FLOAT")
    project = load(path)
    assert project.preparation.signature == prepared.signature
    answers = predict_file(project, tmp_path / "one.wav")
    (text,) = columns_of(answers)["number"]
    assert rows_of(answers) == [{"row": "one.wav", "number": text}] and table_of(answers).row_count == 1
