"""Corrections by hand: they find their samples again, change no split, and travel in a readable file."""

import numpy as np
import pytest

from nndesigner.data.corrections import (
    Correction,
    corrections_file,
    corrections_text,
    read_corrections,
    with_excluded,
    with_label,
    without,
)
from nndesigner.data.csv_file import Csv
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.image_folder import ImageFolder
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet


def flowers(n=60, seed=0):
    rng = np.random.default_rng(seed)
    kinds = np.array([["rose", "tulip", "lily"][i % 3] for i in range(n)], dtype=object)
    return Dataset("flowers", "table", (
        Column("length", "number", "input", rng.normal(size=n)), Column("kind", "category", "target", kinds)))


def reordered(data, order):
    columns = (Column(c.name, c.kind, c.role, c.values[order]) for c in data.columns)
    return Dataset(data.title, data.form, tuple(columns))


def test_a_label_set_right_and_a_sample_left_out_change_no_other_sample():
    data = flowers()
    before = prepare(data, DataSettings())
    row, gone = int(before.train.rows[0]), int(before.train.rows[1])
    new = "tulip" if data.column("kind").values[row] != "tulip" else "rose"
    given = with_excluded(with_label((), [data.keys.of(row)], "kind", new), [data.keys.of(gone)])
    after = prepare(data, DataSettings(corrections=given))
    np.testing.assert_array_equal(after.train.rows, np.setdiff1d(before.train.rows, [gone]))
    for name in ("validation", "test"):
        np.testing.assert_array_equal(after.part(name).rows, before.part(name).rows)
    assert after.dataset.column("kind").values[row] == new and data.column("kind").values[row] != new
    code = after.train.arrays["target"][list(after.train.rows).index(row)]
    assert after.preparation.classes[code] == new
    assert "By hand: 1 label set right and 1 sample left out. Your files are as they were." in after.notes


def test_corrections_find_their_samples_in_a_sorted_and_longer_file():
    data, order = flowers(), np.random.default_rng(1).permutation(60)
    given = with_label((), [data.keys.of(7)], "kind", "lily")
    sorted_ = reordered(data, np.concatenate([order, order[:5]]))
    place = list(order).index(7)
    assert sorted_.keys.row(given[0].sample) == place
    assert prepare(sorted_, DataSettings(corrections=given)).dataset.column("kind").values[place] == "lily"


def test_equal_samples_have_keys_of_their_own():
    data = reordered(flowers(6), [0, 1, 0, 2, 0])
    keys = [data.keys.of(row) for row in range(5)]
    assert len(set(keys)) == 5 and [data.keys.row(key) for key in keys] == list(range(5))


@pytest.mark.parametrize("key", ["", "row 1", "zz", "0.1.2", "cat/1.png", "0000000000000000", "f" * 40])
def test_keys_of_other_data_match_nothing(key):
    data = flowers()
    assert data.keys.row(key) is None
    notes = prepare(data, DataSettings(corrections=(Correction(sample=key, excluded=True),))).notes
    assert any("fits no sample any more" in note for note in notes)


def test_pictures_are_known_by_their_file(tmp_path):
    from PIL import Image

    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(8):
            Image.new("L", (8, 8), 10 * i).save(tmp_path / "pets" / label / f"{i}.png")
    source = ImageFolder(path=str(tmp_path / "pets"), height=8, width=8)
    data = source.load(quiet)
    assert data.names[:2] == ("cat/0.png", "cat/1.png") and data.keys.of(9) == "dog/1.png"
    given = with_label((), ["dog/1.png"], "class", "cat")
    assert prepare(data, DataSettings(corrections=given)).dataset.column("class").values[9] == "cat"
    assert corrections_file(source) == tmp_path / "pets.corrections.json"


def test_a_correction_of_a_number_column_must_be_a_number():
    data = flowers()
    given = with_label((), [data.keys.of(0)], "length", "long")
    with pytest.raises(DataError, match="corrected to 'long'"):
        prepare(data, DataSettings(corrections=given))


def test_not_all_training_samples_may_be_left_out():
    data = flowers()
    given = with_excluded((), [data.keys.of(row) for row in range(60)])
    with pytest.raises(DataError, match="left out by hand"):
        prepare(data, DataSettings(corrections=given))


def test_corrections_of_one_sample_are_one():
    given = with_excluded(with_label((), ["a"], "kind", "rose"), ["a", "b"])
    assert len(given) == 2 and given[0].value == "rose" and given[0].excluded
    assert with_label(given, ["a"], "kind", "lily")[0].excluded
    assert without(given, ["a"]) == (given[1],)


def test_the_file_is_readable_and_read_again(tmp_path):
    given = with_excluded(with_label((), ["größe/1.png"], "class", "Käse"), ["b"])
    path = tmp_path / "x.corrections.json"
    path.write_text(corrections_text("x", given), "utf-8")
    assert '"sample": "größe/1.png", "column": "class", "value": "Käse"' in path.read_text("utf-8")
    assert read_corrections(path) == given


@pytest.mark.parametrize("text", ["{}", "[1]", "x", '{"format": "nndesigner corrections", "version": 2}',
                                  '{"format": "nndesigner corrections", "version": 1, "corrections": [{"sample": 1}]}'])
def test_other_files_are_refused_with_a_sentence(tmp_path, text):
    path = tmp_path / "x.corrections.json"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"x\.corrections\.json"):
        read_corrections(path)


def test_data_without_a_file_have_no_file_of_corrections():
    assert corrections_file(None) is None and corrections_file(Csv()) is None
