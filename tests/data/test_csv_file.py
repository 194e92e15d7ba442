"""Tables: guesses, repairs that are told, and faults as sentences."""

import numpy as np
import pytest

from nndesigner.data.csv_file import Csv, read_inputs
from nndesigner.data.csv_text import read_text_table
from nndesigner.data.dataset import DataError
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet


@pytest.fixture
def load(tmp_path):
    def loaded(content, **params):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Csv(path=str(path), **params).load(quiet)

    return loaded


def rows(count, line):
    return "".join(line(i) + "\n" for i in range(count))


def names(dataset):
    return [c.name for c in dataset.columns]


def kinds(dataset):
    return {c.name: c.kind for c in dataset.columns}


def roles(dataset):
    return {c.name: c.role for c in dataset.columns}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_and_header_are_guessed(load, delimiter):
    data = load("a,b,c\n1,2.5,x\n3,4,y\n".replace(",", delimiter))
    assert names(data) == ["a", "b", "c"]
    assert kinds(data) == {"a": "number", "b": "number", "c": "category"}
    np.testing.assert_array_equal(data.column("b").values, [2.5, 4])
    assert list(data.column("c").values) == ["x", "y"]
    assert data.notes == ()


def test_without_header_columns_are_numbered(load):
    data = load("1,2,x\n3,4,y\n")
    assert names(data) == ["column 1", "column 2", "column 3"] and len(data) == 2
    assert len(load("1,2\n3,4\n", header="yes")) == 1
    assert len(load("a,b\n3,4\n", header="no")) == 2


@pytest.mark.parametrize("head,taken", [("x,Label,z", "Label"), ("y,b,c", "y"), ("target,class,y", "target"),
                                        ("a,b,c", "c")])
def test_target_is_the_column_called_so_or_the_last(load, head, taken):
    data = load(head + "\n" + rows(5, lambda i: f"{i * 1.5},{i % 2},{i * i}.5"))
    assert [n for n, r in roles(data).items() if r == "target"] == [taken]
    assert sorted(roles(data).values()) == ["input", "input", "target"]


@pytest.mark.parametrize("encode,note", [
    (lambda t: t.encode(), ""), (lambda t: b"\xef\xbb\xbf" + t.encode(), ""),
    (lambda t: t.encode("cp1252"), "Windows-1252"), (lambda t: t.encode("utf-16"), "UTF-16"),
    (lambda t: t.encode().replace(b"\n", b"\r\n"), ""), (lambda t: t.encode().replace(b"\n", b"\r"), ""),
])
def test_encodings_and_line_ends(load, encode, note):
    data = load(encode("größe,wert\n1,müde\n2,wach\n"))
    assert names(data) == ["größe", "wert"] and list(data.column("wert").values) == ["müde", "wach"]
    assert (note in " ".join(data.notes)) if note else data.notes == ()


def test_decimal_commas(load):
    data = load("a;b;c\n1,5;1.234,5;2\n-2,25;7;3\n,5;1.000.000;4\n")
    np.testing.assert_array_equal(data.column("a").values, [1.5, -2.25, 0.5])
    np.testing.assert_array_equal(data.column("b").values, [1234.5, 7, 1_000_000])
    np.testing.assert_array_equal(data.column("c").values, [2, 3, 4])
    assert load("a;b\n1,5;2\n", decimal=".").column("a").kind == "category"


def test_missing_values_are_nan_and_none(load):
    data = load("a,b\n1,x\n,NA\nn/a, y \n?,\n5,x\n")
    np.testing.assert_array_equal(data.column("a").values, [1, np.nan, np.nan, np.nan, 5])
    assert list(data.column("b").values) == ["x", None, "y", None, "x"]
    assert data.notes == ()


def test_ragged_rows_are_left_out_and_counted(load):
    data = load("a,b,c\n1,2,3\n4,5\n\n6,7,8,9\n2,3,4\n")
    assert len(data) == 2
    assert data.notes == ("2 rows left out: the number of cells differs from the other rows (line 3, 5).",)
    quoted = load('a,b,c\n1,"x, y",3\n4,5\n"6\n7",8,9\n1,2,4,5\n')
    assert list(quoted.column("b").values) == ["x, y", "8"] and list(quoted.column("a").values) == ["1", "6\n7"]
    assert "2 rows left out" in quoted.notes[0] and "(line 3, 6)" in quoted.notes[0]


def test_a_few_texts_among_numbers_are_missing_with_a_note(load):
    data = load("a,b\n" + rows(30, lambda i: f"{'oops' if i == 4 else i * 0.7},{i % 3}"))
    assert kinds(data)["a"] == "number" and np.isnan(data.column("a").values[4])
    assert data.notes == ("Column 'a': 1 value is no number and counts as missing (line 6: 'oops').",)


def test_few_repeated_values_with_texts_are_categories(load):
    data = load("doors,price\n" + rows(40, lambda i: f"{['2', '3', '4', '5+'][i % 4]},{i * 1.5}"))
    assert kinds(data)["doors"] == "category" and data.notes == ()


def test_infinite_numbers_count_as_missing(load):
    data = load("a,b\n1,2\ninf,3\n5,4\n7,5\n8,6\n")
    assert np.isnan(data.column("a").values[1]) and "'inf'" in data.notes[0]


def test_useless_columns_are_ignored_with_a_note(load):
    data = load("id,name,same,empty,a,b\n" + rows(30, lambda i: f"{i + 1},person {i},5,,{i % 7},{i % 2}"))
    assert roles(data) == {
        "id": "ignore", "name": "ignore", "same": "ignore", "empty": "ignore", "a": "input", "b": "target"}
    text = " ".join(data.notes)
    for said in ("'id' seems to number the rows", "'name' has a different text", "'same' has the same value",
                 "'empty' has no values"):
        assert said in text
    prepared = prepare(data, DataSettings(roles={"same": "input", "id": "input"}))
    assert [c.column for c in prepared.preparation.inputs] == ["id", "same", "a"]
    assert any("'same' has the same value in all training samples" in note for note in prepared.notes)


def test_column_names_are_made_different(load):
    data = load("a,a,,a\n1,2,3,x\n4,5,6,y\n")
    assert names(data) == ["a", "a (2)", "column 3", "a (3)"]


def test_two_numbers_and_a_class_are_points(load):
    data = load("u,v,w\n" + rows(40, lambda i: f"{i * 0.3},{-i * 0.1},{'ab'[i % 2]}"))
    assert prepare(data, DataSettings()).dataset.form == "points"
    assert prepare(data, DataSettings(roles={"v": "ignore", "u": "target", "w": "input"})).dataset.form == "table"
    assert prepare(data, DataSettings(roles={"w": "ignore", "v": "target"})).dataset.form == "curve"


@pytest.mark.parametrize("content,said", [
    (b"", "is empty"), (b"  \n\n", "is empty"), (b"a,b\n", "rows of data"), (b"PK\x03\x04\0\0", "no text file"),
    (b'a,b\n1,"2\n3,4\n', "quotation mark is not closed"), (b"\xff\xfe\x00", "UTF-16"),
])
def test_unusable_files_are_sentences(load, content, said):
    with pytest.raises(DataError, match=said) as caught:
        load(content, header="yes")
    assert "t.csv" in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="Choose a CSV file"):
        Csv().load(quiet)
    with pytest.raises(DataError, match="does not exist"):
        Csv(path=str(tmp_path / "no.csv")).load(quiet)
    with pytest.raises(DataError, match="is not a file"):
        Csv(path=str(tmp_path)).load(quiet)


def test_large_files_are_refused_after_a_look(tmp_path):
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(3 << 30)  # a sparse file
    with pytest.raises(DataError, match="'big.csv' is no text file"):
        Csv(path=str(tmp_path / "big.csv")).load(quiet)
    with pytest.raises(DataError, match="has 3 GB; a CSV file may have at most 1 GB"):
        read_text_table(str(tmp_path / "big.csv"), "auto", "auto", quiet)


def test_a_large_table_is_quick(load):
    import time

    content = "a,b,c\n" + rows(100_000, lambda i: f"{i * 0.1:.2f},{i % 17},{'xyz'[i % 3]}")
    start = time.perf_counter()
    assert len(load(content)) == 100_000
    assert time.perf_counter() - start < 5


def test_new_data_are_read_as_training_saw_them(load, tmp_path):
    train = load("code,size,label\n" + rows(60, lambda i: f"0{i % 3},{i * 0.5},{'ab'[i % 2]}"))
    prepared = prepare(train, DataSettings(kinds={"code": "category"}))
    new = tmp_path / "new.csv"
    new.write_text(" Size ;code;more\n1,5;02;x\nbad;7;y\n;;z\n1;2\n")
    table = read_inputs(str(new), prepared.preparation.inputs)
    np.testing.assert_array_equal(table.columns["size"], [1.5, np.nan, np.nan])
    assert list(table.columns["code"]) == ["02", "7", None] and list(table.lines) == [2, 3, 4]
    assert any("'bad'" in note for note in table.notes) and any("1 row left out" in note for note in table.notes)
    prepared.preparation.encode(table.columns)
    new.write_text("code,weight\n1,2\n")
    with pytest.raises(DataError, match="lacks the column 'size'"):
        read_inputs(str(new), prepared.preparation.inputs)
    new.write_text("01,2.5\n")
    assert read_inputs(str(new), prepared.preparation.inputs).columns["size"][0] == 2.5
