"""Answers of a trained project for a file of raw data."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from nndesigner.data.dataset import DataError, Fit
from nndesigner.data.masks import mask_png
from nndesigner.data.pictures import picture_size
from nndesigner.exchange.files import read_file
from nndesigner.exchange.prediction import Prediction, from_project
from nndesigner.project.atomic import write_atomically
from nndesigner.project.file import Project

#: rows shown in a terminal, and classes of a row
SHOWN_ROWS = 40
SHOWN_CLASSES = 3


@dataclass(frozen=True)
class Answers:
    """What the outputs of a network say to each row of a file."""

    #: title of the Output layer -> its answers
    predictions: Mapping[str, Prediction]
    #: where each sample came from: line of the table, or name of the picture or sound
    places: tuple[str, ...]
    #: sentences about what was repaired while reading
    notes: tuple[str, ...]
    #: the files of the samples where each is a picture
    pictures: tuple[Path, ...] = ()
    #: how they were brought to the size of the network
    fit: Fit = "pad"
    #: what came after each window of a series, by name of the predicted column; NaN where the table ends
    truth: Mapping[str, np.ndarray] = field(default_factory=dict)


def predict_file(project: Project, path: Path, invert: bool | None = None) -> Answers:
    """Answers for a table, texts, a picture or a sound (see exchange.files.read_file).

    Raises DataError for a project without weights and a file that cannot be used.
    """
    predictor = from_project(project)
    raw = read_file(path, predictor.inputs, invert)
    found = predictor.predict_all(raw.columns)
    graph = predictor.network.checked.graph
    titles = [graph.node(node).title for node in found]
    names = [f"{t} {n}" if titles.count(t) > 1 else t for t, n in zip(titles, found, strict=True)]
    fit = predictor.inputs[0].fit
    return Answers(dict(zip(names, found.values(), strict=True)), raw.places, raw.notes, raw.pictures, fit,
                   raw.truth)


# --- showing ---


def columns_of(answers: Answers) -> dict[str, list[Any]]:
    """Name of a column -> values, one for each row: the class and all probabilities, the text, or values."""
    several = len(answers.predictions) > 1
    columns: dict[str, list[Any]] = {}
    for output, prediction in answers.predictions.items():
        before = f"{output}: " if several else ""
        if prediction.probabilities is not None:
            columns[f"{before}{prediction.names[0]}"] = [prediction.label(row) for row in range(len(prediction))]
            sign = "share" if prediction.by_pixel else "p"
            for i, name in enumerate(prediction.classes):
                columns[f"{before}{sign}({name})"] = prediction.shares[:, i].tolist()
        elif prediction.texts is not None:
            columns[f"{before}{prediction.names[0]}"] = ["" if text is None else text for text in prediction.texts]
        else:
            values = prediction.values.reshape(len(prediction), -1)
            names = prediction.names
            if len(names) != values.shape[1]:
                names = tuple(f"{names[0]} {i + 1}" for i in range(values.shape[1]))
            columns.update({f"{before}{name}": values[:, i].tolist() for i, name in enumerate(names)})
    columns.update({f"true {name}": values.tolist() for name, values in answers.truth.items()})
    return columns


def write_csv(answers: Answers, path: Path) -> None:
    """All columns as CSV, numbers to the bit. Raises OSError."""
    columns = columns_of(answers)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([("" if v != v else repr(v)) if isinstance(v, float) else v for v in row])
    data = out.getvalue().encode("utf-8")
    write_atomically(path, lambda file: file.write(data), lambda written: None)


def write_masks(answers: Answers, out: Path) -> list[Path]:
    """The classes of the pixels of each picture as a PNG with a palette, as large as the picture; the files written.

    `out` is the file for one picture, or a folder, which is made where it is missing. Raises DataError where the
    network does not answer for pixels, and OSError.
    """
    prediction = next((p for p in answers.predictions.values() if p.by_pixel), None)
    if prediction is None or not answers.pictures:
        raise DataError("This network does not tell the classes of pixels, so there is no mask to write.")
    single = out.suffix.lower() == ".png"
    if single and len(answers.pictures) > 1:
        raise DataError(f"'{out.name}' is one file, but there are {len(answers.pictures)} pictures. Name a folder.")
    if not single:
        out.mkdir(parents=True, exist_ok=True)
    written = []
    for path, mask in zip(answers.pictures, prediction.predicted, strict=True):
        data = mask_png(mask, picture_size(path), answers.fit)
        target = out if single else out / f"{path.stem}_mask.png"
        write_atomically(target, lambda file, data=data: file.write(data), lambda written: None)
        written.append(target)
    return written


def rows_of(answers: Answers) -> list[dict[str, Any]]:
    """One mapping a row, for JSON; what is not finite becomes None."""
    columns = columns_of(answers)
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [
        {"row": place, **{k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}}
        for place, row in zip(answers.places, rows, strict=True)]


def table_of(answers: Answers) -> Table:
    """The first rows for people: class names with probabilities ("7: 90 %"), or values.

    Of a series the last rows, the forecast at the end, with the truth beside them.
    """
    series, count = bool(answers.truth), len(answers.places)
    table = Table("Row", *answers.predictions, *(["Truth"] if series else []))
    shown = range(max(0, count - SHOWN_ROWS), count) if series else range(min(count, SHOWN_ROWS))
    for row in shown:
        after = np.array([values[row] for values in answers.truth.values()])
        truth = [_listed(after, "not known yet")] if series else []
        words = (_words(prediction, row) for prediction in answers.predictions.values())
        table.add_row(answers.places[row], *words, *truth)
    if count > SHOWN_ROWS:
        table.caption = f"{count - SHOWN_ROWS} more rows; --out writes them all"
    return table


def _words(prediction: Prediction, row: int) -> str:
    if prediction.probabilities is not None:
        return ", ".join(f"{name}: {100 * p:.0f} %" for name, p in prediction.ranked(row, SHOWN_CLASSES))
    if prediction.texts is not None:
        return {None: "nan", "": "(nothing)"}.get(prediction.texts[row], prediction.texts[row])
    return _listed(prediction.values[row].reshape(-1))


def _listed(values: np.ndarray, missing: str = "nan") -> str:
    texts = [missing if v != v else f"{v:.6g}" for v in values[:8]]
    return ", ".join(texts) + (f", … ({len(values)} values)" if len(values) > 8 else "")
