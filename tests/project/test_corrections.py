"""The copy of corrections beside the data."""

import pytest

from nndesigner.data.corrections import Correction, read_corrections
from nndesigner.data.csv_file import Csv
from nndesigner.data.preparing import DataSettings
from nndesigner.project.corrections import find_corrections, save_corrections

ONE = (Correction(sample="abc", excluded=True),)


def test_the_copy_lies_beside_the_data_and_is_found_again(tmp_path):
    (tmp_path / "data").mkdir()
    project = tmp_path / "projects" / "p.nnd"
    project.parent.mkdir()
    source = Csv(path="../data/a.csv")
    assert find_corrections(source, project) is None
    written = save_corrections(DataSettings(source=source, corrections=ONE), project)
    assert written == tmp_path / "data" / "a.csv.corrections.json" and read_corrections(written) == ONE
    assert find_corrections(Csv(path=str(tmp_path / "data" / "a.csv")), None) == (written, ONE)
    save_corrections(DataSettings(source=source), project)
    assert not written.exists() and find_corrections(source, project) is None


def test_where_data_cannot_be_written_beside_the_copy_lies_beside_the_project(tmp_path):
    project = tmp_path / "p.nnd"
    source = Csv(path=str(tmp_path / "gone" / "a.csv"))  # a folder that takes no file, whoever runs the test
    written = save_corrections(DataSettings(source=source, corrections=ONE), project)
    assert written == tmp_path / "a.csv.corrections.json"
    assert find_corrections(source, project) == (written, ONE)


def test_a_copy_that_can_be_written_nowhere_raises(tmp_path):
    source = Csv(path=str(tmp_path / "gone" / "a.csv"))
    with pytest.raises(OSError):
        save_corrections(DataSettings(source=source, corrections=ONE), tmp_path / "away" / "p.nnd")


def test_data_that_are_made_have_no_copy(tmp_path):
    assert save_corrections(DataSettings(corrections=ONE), tmp_path / "p.nnd") is None
