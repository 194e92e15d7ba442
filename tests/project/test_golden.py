"""Files that older versions wrote still open, predict the same, and train on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nndesigner.cli.running import load_data, train
from nndesigner.project.file import load, save
from tests.project.make_golden import answers

FOLDER = Path(__file__).resolve().parent / "golden"
EXPECTED = json.loads((FOLDER / "version1.json").read_text(encoding="utf-8"))


@pytest.fixture(params=EXPECTED)
def golden(request, tmp_path):
    """A copy, with the data beside it."""
    for path in FOLDER.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path / f"{request.param}.nnd", EXPECTED[request.param]


def test_predicts_the_same(golden):
    path, expected = golden
    project = load(path)
    # Other processors round the last bits otherwise.
    np.testing.assert_allclose(answers(project), expected["answers"], rtol=1e-4, atol=1e-6)
    assert project.checkpoint.state["epoch"] == expected["epoch"]
    assert project.meta["view"] == {"zoom": 1.25}
    assert len(project.history["val_loss"][1]) == expected["epoch"]


def test_trains_on(golden):
    path, expected = golden
    project = load(path)
    outcome = train(project, load_data(project.design), resume=True, more_epochs=2)
    assert outcome.project.checkpoint.state["epoch"] == expected["epoch"] + 2
    save(outcome.project, path)
    assert len(load(path).history["val_loss"][1]) == expected["epoch"] + 2
