"""Somebody tries a network on a sound file and on typed texts, and looks at the data."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from nndesigner.data.generated_sound import Tones
from nndesigner.data.generated_text import Sentences
from nndesigner.exchange.files import read_rows, read_sound_input
from nndesigner.exchange.prediction import Predictor
from nndesigner.layers.dense import Dense
from nndesigner.layers.embedding import Embedding
from nndesigner.layers.globalpool import GlobalAvgPool1D
from nndesigner.layers.reshape import Flatten
from nndesigner.ui.data_preview import RowsModel, kind_of_picture, paint_dataset, source_thumbnail
from nndesigner.ui.views.predictions import PredictionsView
from nndesigner.ui.views.sample_cards import SampleCardsView
from nndesigner.ui.views.try_view import TryView
from tests.ui.test_audio import Devices


def opened(studio, source, *layers):
    studio.open(source, *layers, epochs=3)
    view = studio.keep(TryView(studio.document, studio.runner))
    view.resize(600, 280)
    view.show()
    studio.train()
    studio.until(lambda: view.showing)
    return view


def predicted(studio, raw):
    return studio.ask(lambda t: Predictor(t.network, t.prepared.preparation).predict(raw).probabilities.tobytes())


def bits(view):
    return next(iter(view.found.values())).probabilities.tobytes()


@pytest.mark.parametrize("representation", ["log_mel", "wave"])
def test_a_sound_file_is_answered_as_by_the_predictor(studio, tmp_path, representation):
    view = opened(studio, Tones(samples=60, representation=representation), Flatten(), Dense(units=5))
    assert view.way == "sound" and view.raw() is None
    soundfile.write(tmp_path / "a.wav", np.sin(np.arange(9000) / 5), 16000)
    view.sound.show_file(tmp_path / "a.wav")
    studio.until(lambda: view.found)
    inputs = studio.runner.prepared.preparation.inputs
    assert bits(view) == predicted(studio, read_sound_input(tmp_path / "a.wav", inputs))
    (tmp_path / "b.wav").write_bytes(b"nothing")
    view.sound.show_file(tmp_path / "b.wav")
    studio.until(lambda: not view.found)
    assert "cannot be read as sound" in view.sound.name.text() and view.raw() is None


def test_a_test_sample_and_a_recording_are_answered(studio, monkeypatch):
    view = opened(studio, Tones(samples=60), Flatten(), Dense(units=5))
    view.sound.sample.click()
    studio.until(lambda: view.found)
    assert view.sound.name.text().startswith("Sample ")
    heard = bits(view)
    monkeypatch.setitem(sys.modules, "sounddevice", Devices())
    view.sound.record.click()
    assert view.sound.recorder.active
    sys.modules["sounddevice"].active = False  # the time is over
    studio.until(lambda: view.found and bits(view) != heard)
    assert view.sound.name.text() == "Recorded just now" and view.sound.record.text() == "Record"
    sys.modules["sounddevice"].present = False
    view.sound.record.click()
    assert "No microphone was found" in view.sound.name.text()


def text_layers():
    return Embedding(vocabulary=1000, units=8), GlobalAvgPool1D(), Dense(units=3)


def test_a_typed_text_is_answered_as_by_the_predictor(studio):
    view = opened(studio, Sentences(samples=200), *text_layers())
    assert view.way == "row" and view.form.values()["text"]  # begins with a sentence of the test part
    view.form.set_values({"text": "The soup was\nnot bad at all!"})
    expected = predicted(studio, {"text": np.array(["The soup was\nnot bad at all!"], dtype=object)})
    studio.until(lambda: view.found and bits(view) == expected)
    view.form.set_values({"text": ""})
    empty = predicted(studio, {"text": np.array([None], dtype=object)})
    studio.until(lambda: bits(view) == empty)


def test_a_table_of_texts(studio, tmp_path):
    view = opened(studio, Sentences(samples=200), *text_layers())
    (tmp_path / "t.txt").write_text("We loved the exam.\n\nThey hated the song.\n", "utf-8")
    view.show_table(tmp_path / "t.txt")
    studio.until(lambda: "2 of 2" in view.table.note.text())
    raw = read_rows(tmp_path / "t.txt", studio.runner.prepared.preparation.inputs)
    assert raw.lines.tolist() == [1, 3]


def first_card(studio, source, *layers):
    studio.open(source, *layers, epochs=1)
    view = studio.keep(PredictionsView(studio.document, studio.runner))
    view.resize(700, 300)
    view.show()
    studio.train()
    cards = view.findChild(SampleCardsView)
    studio.until(lambda: cards.grid.contents)
    return cards.grid.contents[0]


def test_cards_show_sentences(studio):
    content = first_card(studio, Sentences(samples=120), *text_layers())
    assert content.passage in studio.document.prepared.dataset.column("text").values and content.picture is None
    assert content.passage in content.text


def test_cards_show_waves(studio):
    content = first_card(studio, Tones(samples=60, representation="wave"), Flatten(), Dense(units=5))
    assert content.picture is not None and content.picture.width() > 100


@pytest.mark.parametrize("source,kind", [
    (Sentences(samples=60), "texts"), (Sentences(samples=60, tokens="byte_pair"), "texts"),
    (Tones(samples=20), "sounds"),
    (Tones(samples=20, representation="mfcc"), "sounds"),
])
def test_preview(studio, source, kind):
    studio.open(source, Flatten(), Dense(units=3))
    prepared = studio.document.prepared
    assert kind_of_picture(prepared.dataset) == kind
    texts = next((c for c in prepared.preparation.inputs if c.kind == "text"), None)
    images = []
    for fitted in (None, texts):
        image = QImage(200, 200, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        paint_dataset(painter, QRectF(0, 0, 200, 200), prepared.dataset, texts=fitted)
        painter.end()
        images.append(image)
    assert len({images[1].pixel(x, y) for x in range(0, 200, 3) for y in range(0, 200, 3)}) > 10
    if kind == "texts":
        assert RowsModel(prepared.dataset).columnCount() == 2
    assert not source_thumbnail(type(source), "dark", 56, 1.0).isNull()
