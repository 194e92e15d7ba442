"""Somebody chooses spoken numbers and gets a network that writes down what it hears."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from typer.testing import CliRunner

from nndesigner.cli.commands import app
from nndesigner.ui.data_columns import ColumnList
from nndesigner.ui.views.sample_cards import SampleCardsView
from tests.ui.stories.conftest import LEFT


def test_from_spoken_numbers_to_a_text(person, tmp_path: Path):
    person.choose_data("spoken_numbers.v1")
    source = person.document.design.data.source
    person.document.edit_data("coarser", source=source.replaced(hop=32, samples=450))
    assert person.document.wait_for_data()
    person.rest(0.1)
    QTest.mouseClick(next(b for b in person.window.banner.findChildren(QPushButton) if b.text() == "Draw a network"),
                     LEFT)
    (head,) = person.document.checked.heads.values()
    assert head.task == "transcription" and not person.document.checked.problems
    person.document.edit_training("fewer", epochs=20)
    person.train()
    assert person.runner.state == "finished"
    assert person.runner.telemetry.metrics["val", "cer"] < 0.25

    view = person.window.docks.show("predictions").build()
    person.wait(lambda: isinstance(view.page, SampleCardsView) and view.page.shown is not None)
    page = view.page
    answers = page.shown.answers
    for card, truth, text in zip(page.grid.contents, answers.truth, answers.texts, strict=True):
        assert card.lines == (("truth", truth), ("answer", text or "(nothing)")) and card.right == (truth == text)
    assert any(card.right for card in page.grid.contents)
    total = page.shown.total
    assert page.mistakes.isVisible() and not page.classes.isVisible()
    page.mistakes.click()
    person.wait(lambda: page.shown.total < total)
    assert not any(card.right for card in page.grid.contents)

    confusion = person.window.docks.show("confusion").build()
    assert confusion.unsuited() == "A confusion matrix needs classes; this network writes texts."

    trying = person.window.docks.show("try").build()
    person.wait(lambda: trying.showing)
    prepared = person.runner.prepared
    row = int(prepared.test.rows[0])
    sound = tmp_path / "one.wav"
    soundfile.write(sound, prepared.dataset.column("sound").values[row], 8000, subtype="FLOAT")
    trying.sound.show_file(sound)
    person.wait(lambda: trying.found)
    person.rest(0.1)
    (found,) = trying.found.values()
    assert trying.answer.headline.text() == (found.texts[0] or "(nothing)")
    assert trying.answer.note.text() == "number"

    project = tmp_path / "numbers.nnd"
    assert person.window.files._write(project)
    told = CliRunner().invoke(app, ["predict", str(project), str(sound), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)[0]["number"] == found.texts[0]
    board = person.window.canvas.board
    person.wait(lambda: board.nodes[head.node]._picture is not None)
    assert board.nodes[head.node]._picture.kind == "class"  # the Output shows what it writes


def test_labels_of_own_pictures_become_texts(person, tmp_path: Path):
    rng = np.random.default_rng(3)
    folder = tmp_path / "plates"
    folder.mkdir()
    lines = ["file,label"]
    for i in range(60):
        word = "".join(rng.choice(list("abcd"), rng.integers(2, 4)))
        picture = np.zeros((16, 48), dtype=np.uint8)
        for at, letter in enumerate(word):
            picture[4 * "abcd".index(letter):, 16 * at + 3:16 * at + 13] = 255
        Image.fromarray(picture).save(folder / f"{i:02}.png")
        lines.append(f"{i:02}.png,{word}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    person.drop_files(folder)
    person.wait(lambda: person.document.data_state in ("ready", "failed"))
    assert person.document.design.data.source.kind == "image_folder.v1"
    columns = person.window.docks.show("data").findChild(ColumnList)
    person.rest(0.1)
    assert columns.isVisible()
    entries = {action.text(): action for action in columns.menu_for(1).actions()}
    assert entries["is a category"].isChecked()
    entries["is a text"].trigger()
    person.wait(lambda: person.document.data_state in ("ready", "failed"))
    (target,) = person.document.prepared.signature.targets
    assert target.kind == "text" and set(target.classes[2:]) == set("abcd")
    person.rest(0.1)
    QTest.mouseClick(next(b for b in person.window.banner.findChildren(QPushButton) if b.text() == "Draw a network"),
                     LEFT)
    assert person.document.checked.trainable
    person.document.edit_training("fewer", epochs=1)
    person.train()
    assert person.runner.state == "finished" and "cer" in {name for _, name in person.runner.telemetry.metrics}
