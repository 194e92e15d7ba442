"""Somebody drops pictures with masks on the window and gets a network that answers for every pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from nndesigner.cli.predicting import predict_file, table_of, write_masks
from nndesigner.data.shape_masks import ShapeMasks
from nndesigner.data.source import quiet
from nndesigner.project.file import load
from nndesigner.ui.views.sample_cards import SampleCardsView
from tests.ui.stories.conftest import LEFT


def shapes_on_disk(folder: Path, count: int = 60) -> Path:
    """Drawn shapes, 24 × 24, as a folder of pictures and one of masks."""
    dataset = ShapeMasks(samples=count, size=24, classes=2, most=2).load(quiet)
    for name, column in (("images", "image"), ("masks", "mask")):
        (folder / name).mkdir(parents=True)
        for i, values in enumerate(dataset.column(column).values):
            Image.fromarray(values).save(folder / name / f"{i:03}.png")
    (folder / "classes.txt").write_text("background\ndisc\nsquare\n")
    return folder


def test_from_a_folder_to_a_mask(person, tmp_path: Path):
    folder = shapes_on_disk(tmp_path / "shapes")
    person.drop_files(folder)
    person.wait(lambda: person.document.data_state in ("ready", "failed"))
    assert person.document.design.data.source.kind == "mask_folder.v1"
    person.rest(0.05)
    source = person.document.design.data.source
    person.document.edit_data("smaller", source=source.replaced(height=24, width=24))
    assert person.document.wait_for_data()
    person.rest(0.1)
    QTest.mouseClick(next(b for b in person.window.banner.findChildren(QPushButton) if b.text() == "Draw a network"),
                     LEFT)
    person.document.edit_training("fewer", epochs=8)
    person.train()
    assert person.runner.state == "finished"
    # better than to say background everywhere
    data = person.runner.prepared.validation.arrays["target"]
    assert person.runner.telemetry.metrics["val", "accuracy"] > float(np.mean(data == 0)) + 0.02

    view = person.window.docks.show("predictions").build()
    person.wait(lambda: isinstance(view.page, SampleCardsView) and view.page.shown is not None)
    page = view.page
    card = page.grid.contents[0]
    assert [words.split(",")[0] for _, words in card.strip] == ["picture", "truth", "answer"]
    assert "% right of the pixels" in card.text and not page.mistakes.isVisible()
    assert [e.name for e in page.legend.entries] == ["disc", "square"]
    page.classes.choose(2)
    person.wait(lambda: page.shown.total < len(person.runner.prepared.test))

    confusion = person.window.docks.show("confusion").build()
    person.wait(lambda: confusion.found is not None)
    assert confusion.found.counts.sum() == 24 * 24 * len(person.runner.prepared.test)
    confusion.open(1, 1)
    person.wait(lambda: confusion.grid.contents)

    trying = person.window.docks.show("try").build()
    person.wait(lambda: trying.showing)
    trying.show_picture(folder / "images" / "003.png")
    person.wait(lambda: trying.found)
    person.rest(0.1)
    found = next(iter(trying.found.values()))
    assert found.predicted.shape == (1, 24, 24)
    assert "background" in trying.answer.accessibleDescription() and not trying.answer.made._image.isNull()

    project = tmp_path / "shapes.nnd"
    assert person.window.files._write(project)
    answers = predict_file(load(project), folder / "images")
    assert len(answers.places) == 60 and table_of(answers).row_count == 40
    written = write_masks(answers, tmp_path / "out")
    with Image.open(written[3]) as mask:
        assert written[3].name == "003_mask.png" and mask.mode == "P" and mask.size == (24, 24)
        np.testing.assert_array_equal(np.asarray(mask), found.predicted[0])
