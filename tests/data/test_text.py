"""Texts: tokens, vocabularies of the training part, sources of texts, the same numbers again."""

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndesigner.data import source_for
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import Preparation
from nndesigner.data.generated_text import Sentences
from nndesigner.data.layouts import tokenizer_of
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet
from nndesigner.data.text import PADDING, SPECIAL, UNKNOWN, TextForm, Tokenizer, chosen_length, fitted_tokenizer
from nndesigner.data.text_folder import NextToken, TextColumn, TextFolder, next_token_data, read_texts

TEXTS = ["The cat sat on the mat.", "The dog sat on the log!", "A cat isn't a dog.", None, ""]


# --- tokens ---


def test_words_by_frequency_and_rare_ones_unknown():
    found = fitted_tokenizer(TEXTS, TextForm())
    assert found.vocabulary[:4] == (PADDING, UNKNOWN, "the", ".")
    assert "mat" not in found.vocabulary  # met once
    assert found.tokens("A cat isn't!") == ["a", "cat", "isn't", "!"]
    assert found.decode(found.numbers("the zebra sat")) == "the □ sat"


def test_characters():
    found = fitted_tokenizer(["abca", "ab"], TextForm("character", lower=False))
    assert found.vocabulary == (*SPECIAL, "a", "b", "c") and found.numbers("cabX") == [4, 2, 3, 1]


def test_byte_pairs_join_the_most_frequent_first():
    found = fitted_tokenizer(["low low low lower lowest newest newest"], TextForm("byte_pair", vocabulary=40))
    tokens = found.tokens("low lowest newest")
    assert "".join(tokens) == "low lowest newest" and " low" in tokens and len(tokens) <= 6
    merged = [t for t in found.vocabulary[2:] if len(t) > 1]
    assert merged[0] == "lo"


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8), st.integers(3, 60))
def test_byte_pairs_lose_nothing(texts, vocabulary):
    form = TextForm("byte_pair", vocabulary=vocabulary, lower=False)
    if not any(texts):
        return
    found = fitted_tokenizer(texts, form)
    assert len(set(found.vocabulary)) == len(found.vocabulary) <= vocabulary
    for text in texts:
        assert "".join(found.tokens(text)) == text
        assert all(1 <= n < len(found.vocabulary) for n in found.numbers(text))
    again = Tokenizer(form, found.vocabulary)
    assert [again.numbers(t) for t in texts] == [found.numbers(t) for t in texts]


def test_training_byte_pairs_is_quick():
    texts = Sentences(samples=3000).load(quiet).column("text").values.tolist()
    began = time.perf_counter()
    found = fitted_tokenizer(texts, TextForm("byte_pair", vocabulary=1000))
    assert time.perf_counter() - began < 5 and len(found.vocabulary) > 300


def test_padding_and_cutting():
    for keep, cut in (("start", [2, 3, 4]), ("end", [3, 4, 2])):
        found = Tokenizer(TextForm("character", keep=keep), (*SPECIAL, "a", "b", "c"))
        assert found.encode(["abca", "a", "", None], 3).tolist() == [cut, [2, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_a_text_cannot_pretend_to_be_padding():
    found = Tokenizer(TextForm("byte_pair"), (*SPECIAL, "<", "p", "a", "d", ">", "<p", "<pa", "<pad", "<pad>"))
    assert 0 not in found.numbers("<pad>")


def test_length_takes_in_nearly_all():
    found = fitted_tokenizer(["a b"] * 99 + ["a " * 500], TextForm())
    assert chosen_length(found, ["a b"] * 99 + ["a " * 500]) == 2
    assert chosen_length(Tokenizer(TextForm(length=7), SPECIAL), ["a"]) == 7


# --- preparing ---


def dataset(texts, form=None):
    labels = np.array(["x", "y"] * (len(texts) // 2), dtype=object)
    values = np.empty(len(texts), dtype=object)
    values[:] = texts
    return Dataset("t", "texts", (Column("text", "text", "input", values, layout=form or TextForm()),
                                  Column("class", "category", "target", labels)))


def test_the_vocabulary_comes_from_the_training_part_only():
    texts = ["same words here"] * 40
    rows = prepare(dataset(texts), DataSettings()).test.rows
    for row in rows:
        texts[row] = "secret secret secret secret words"
    prepared = prepare(dataset(texts), DataSettings())
    assert "secret" not in prepared.preparation.inputs[0].categories
    (field,) = prepared.signature.inputs
    assert field.shape.integer and field.shape.axes == "T" and field.shape.dims == (3,) and field.tokens == 5
    assert prepared.test.arrays["text"].dtype == np.int64
    assert prepared.test.arrays["text"][0].tolist() == [1, 1, 1]
    assert prepared.preparation.decode("text", prepared.train.arrays["text"][:1])[0].count(" ") == 2


@pytest.mark.parametrize("tokens", ["word", "character", "byte_pair"])
def test_saved_and_read_again_gives_the_same_numbers(tokens):
    prepared = prepare(Sentences(samples=100, tokens=tokens).load(quiet), DataSettings())
    text = json.dumps(prepared.preparation.to_json())
    again = Preparation.from_json(json.loads(text), prepared.preparation.arrays())
    assert again.signature == prepared.signature
    raw = {"text": np.array(["The soup was superb.", None, "ß £"], dtype=object)}
    assert np.array_equal(again.encode(raw)["text"], prepared.preparation.encode(raw)["text"])
    assert tokenizer_of(again.inputs[0]).form.tokens == tokens


@pytest.mark.parametrize("change", [
    {"layout": None}, {"categories": ["a", "b", "c"]}, {"shape": [999]}, {"categories": list(SPECIAL)},
    {"layout": {**TextForm().to_json(), "tokens": "syllable"}}, {"kind": "sound"},
])
def test_a_damaged_preparation_is_refused(change):
    preparation = prepare(Sentences(samples=60).load(quiet), DataSettings()).preparation
    value = json.loads(json.dumps(preparation.to_json()))
    value["fields"][0]["columns"][0].update(change)
    with pytest.raises(ValueError, match="cannot be read"):
        Preparation.from_json(value, preparation.arrays())


def test_empty_and_cut_texts_are_counted():
    prepared = prepare(dataset(["a b a b"] * 30 + ["", None] + ["a b " * 60] * 2), DataSettings())
    notes = " ".join(prepared.notes)
    assert "2 texts are empty" in notes and "longer than" in notes
    with pytest.raises(DataError, match="are empty"):
        prepare(dataset([""] * 20), DataSettings())


# --- sources ---


@pytest.fixture
def folder(tmp_path):
    for name, word in (("good", "fine"), ("bad", "awful")):
        (tmp_path / "reviews" / name).mkdir(parents=True)
        for i in range(12):
            (tmp_path / "reviews" / name / f"{i}.txt").write_text(f"This is {word}, number {i}.\n", encoding="utf-8")
    return tmp_path / "reviews"


def test_folder_of_texts(folder):
    (folder / "bad" / "windows.txt").write_bytes("schön café".encode("cp1252"))
    (folder / "bad" / "zeros.txt").write_bytes(b"a\0b\0")
    (folder / "bad" / "nothing.txt").write_bytes(b"")
    source = source_for(folder)
    assert isinstance(source, TextFolder)
    data = source.load(quiet)
    assert len(data) == 25 and data.form == "texts" and "schön café" in data.column("text").values.tolist()
    assert "2 texts left out" in data.notes[0]
    assert prepare(data, DataSettings()).preparation.classes == ("bad", "good")


def test_table_of_texts(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,review,stars\n" + "".join(f'{i},"Nice, really nice {i}",{i % 2}\n' for i in range(20)), "utf-8")
    data = TextColumn(path=str(path)).load(quiet)
    assert [c.name for c in data.columns] == ["review", "stars"] and data.columns[0].values[3] == "Nice, really nice 3"
    with pytest.raises(DataError, match="no text column 'body'.*'review'"):
        TextColumn(path=str(path), text="body").load(quiet)


def test_json_lines(tmp_path):
    path = tmp_path / "t.jsonl"
    lines = [json.dumps({"text": f"line {i}", "label": "ab"[i % 2], "more": [i]}) for i in range(10)]
    path.write_text("\n".join([*lines[:4], "{broken", "7", *lines[4:]]), "utf-8")
    data = TextColumn(path=str(path)).load(quiet)
    assert len(data) == 10 and "2 lines left out" in data.notes[0] and "line 5" in data.notes[0]
    raw = read_texts(str(path), "text")
    assert raw.columns["text"][4] == "line 4" and raw.lines[4] == 7


@pytest.mark.parametrize("name,content,words", [
    ("e.jsonl", b"not json\n", "holds no JSON object"), ("e.csv", b"text\nonly one column\nhere\n", "tells the class"),
    ("e.jsonl", b"a\0", "no text file"), ("none.csv", None, "does not exist"),
])
def test_tables_that_cannot_be_used(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        TextColumn(path=str(tmp_path / name)).load(quiet)


def test_folders_that_cannot_be_used(tmp_path):
    for source, words in ((TextFolder(), "Choose a folder"), (TextFolder(path=str(tmp_path)), "holds no .txt files"),
                          (TextFolder(path=str(tmp_path / "no")), "not a folder")):
        with pytest.raises(DataError, match=words):
            source.load(quiet)


@pytest.mark.parametrize("tokens", ["character", "word"])
def test_next_token_parts_follow_the_text_and_do_not_overlap(tokens):
    text = " ".join(f"word{i % 7} ." if i % 3 else "end\nof line ?" for i in range(900))
    data = next_token_data("t", text, tokens, 8, 100_000, True)
    parts = [data.parts[name] for name in ("train", "validation", "test")]
    assert all(len(p) for p in parts) and parts[0].max() < parts[1].min() < parts[1].max() < parts[2].min()
    prepared = prepare(data, DataSettings())
    assert prepared.signature.inputs[0].shape.dims == (8,) and len(prepared.train) == len(parts[0])
    targets, texts = data.column("next").values, data.column("text").values
    assert not any(t is None for t in targets)
    if tokens == "character":
        for i in range(0, 300, 17):
            assert len(texts[i]) == 8 and {"␣": " ", "↵": "\n", "‘.’": ".", "‘?’": "?"}.get(
                targets[i], targets[i]) == texts[i + 1][-1]
        assert {"␣", "↵", "‘.’"} <= set(prepared.preparation.classes)


def test_a_short_text_is_refused(tmp_path):
    (tmp_path / "s.txt").write_text("too short")
    with pytest.raises(DataError, match="at least 132 are needed"):
        NextToken(path=str(tmp_path / "s.txt")).load(quiet)


def test_sentences_are_distinct_and_repeatable():
    data = Sentences(samples=4000).load(quiet)
    assert len(set(data.column("text").values)) == 4000
    assert data.fingerprint == Sentences(samples=4000).load(quiet).fingerprint
    moods = data.column("mood").values
    assert sorted(set(moods)) == ["happy", "neutral", "unhappy"] and abs((moods == "happy").mean() - 1 / 3) < 0.01
    assert Sentences(samples=60, label="topic").load(quiet).column("topic").categories[0] == "food"


@pytest.mark.parametrize("text, kind", [
    ("It was cold, and the clocks struck.\nHe walked, slowly, home.\n\n“No,” he said.\n" * 20, "next_token.v1"),
    ("one line without an end", "next_token.v1"),
    ("a word\nanother\n" * 20, "next_token.v1"),
    ("width,height,label\n1,2,x\n3,4,y\n", "csv.v1"),
    ("width\theight\n1\t2\n3\t4\n", "csv.v1"),
    ("value\n1.5\n2.5\n", "csv.v1"),
    ("", "csv.v1"),
])
def test_a_txt_file_is_a_table_only_where_its_lines_are_rows(tmp_path, text, kind):
    (tmp_path / "own.TXT").write_text(text, "utf-8")
    assert source_for(tmp_path / "own.TXT").kind == kind


def test_a_table_of_sentences_says_which_source_learns_from_them(tmp_path):
    rows = [json.dumps({"review": f"Film number {i} was longer than it should be.", "stars": i % 2}) for i in range(30)]
    (tmp_path / "films.jl").write_text("\n".join(rows), "utf-8")
    data = source_for(tmp_path / "films.jl").load(quiet)
    assert any("'review'" in note and "'Table with texts'" in note for note in data.notes)
