"""A language model goes on with a text, in code and on the command line."""

import json

import pytest
from typer.testing import CliRunner

from nndesigner.cli.commands import app
from nndesigner.cli.running import load_data, train
from nndesigner.data.dataset import DataError
from nndesigner.data.generated import Spirals
from nndesigner.data.preparing import DataSettings
from nndesigner.data.text_folder import NextToken, shown, token_of
from nndesigner.exchange.prediction import from_project
from nndesigner.exchange.writing import go_on
from nndesigner.graph.templates import propose
from nndesigner.project.design import Design
from nndesigner.project.file import Project, load, save
from nndesigner.training.settings import TrainSettings
from tests.cli.conftest import dense

RHYME = "one two three four five\nonce I caught a fish alive.\nsix seven eight nine ten\nthen I let it go again.\n"


def learned(path, tokens="character", length=12):
    """A project that knows the rhyme by heart."""
    path.write_text(RHYME * 20, encoding="utf-8")
    data = DataSettings(source=NextToken(path=str(path), tokens=tokens, length=length))
    prepared = load_data(Design(data=data))
    training = TrainSettings(epochs=25, metrics="accuracy, perplexity")
    outcome = train(Project(Design(propose(prepared.signature), data, training)), prepared)
    assert outcome.metrics["test"]["accuracy"] > 0.98 and outcome.metrics["test"]["perplexity"] < 1.2
    return outcome.project


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result.stdout


def test_a_network_of_characters_writes_on_and_the_command_line_writes_the_same(tmp_path):
    path = save(learned(tmp_path / "rhyme.txt"), tmp_path / "rhyme.nnd")
    model = from_project(load(path))
    rhyme = RHYME.lower()
    assert go_on(model, rhyme[:30], 60, 0.0, 1) == rhyme[30:90]
    bold = go_on(model, "one two three ", 40, 2.0, 3)
    assert len(bold) == 40 and bold == go_on(model, "one two three ", 40, 2.0, 3) != go_on(
        model, "one two three ", 40, 2.0, 4)
    # in parts, as the window asks
    start = go_on(model, "one two three ", 16, 2.0, 3)
    assert start + go_on(model, "one two three " + start, 24, 2.0, 3, done=16) == bold
    command = ("generate", path, "--text", "one two three ", "--tokens", 40, "--temperature", 2, "--seed", 3)
    assert run(*command) == f"one two three {bold}\n"
    assert json.loads(run(*command, "--json"))["written"] == bold
    assert len(run("generate", path, "--tokens", 5)) == 6  # from nothing


def test_a_network_of_words_sets_spaces_between_them(tmp_path):
    model = from_project(learned(tmp_path / "rhyme.txt", "word", 6))
    assert go_on(model, "seven eight nine", 7, 0.0, 1) == " ten then i let it go again"


def test_other_networks_do_not_write(tmp_path):
    design = Design(dense(2, 4), DataSettings(source=Spirals(samples=90)), TrainSettings(epochs=1))
    path = save(train(Project(design), load_data(design)).project, tmp_path / "spirals.nnd")
    with pytest.raises(DataError, match="does not continue texts"):
        go_on(from_project(load(path)), "a", 3, 1.0, 1)
    assert run("generate", path, code=2) == ""


def test_names_of_classes_lead_back_to_their_tokens():
    for token in (" ", "\n", "\t", "a", "?", "-", "na", "’", "‘", "’s"):
        assert token_of(shown(token)) == token
