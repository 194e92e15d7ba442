"""A network that learned a series predicts from a raw table: the same numbers as in training, and what comes next."""

import json

import numpy as np
import pytest

from nndesigner.cli.predicting import columns_of, predict_file, table_of, write_csv
from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import Preparation
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.series import Series
from nndesigner.data.source import quiet
from nndesigner.engine.device import Device
from nndesigner.exchange.prediction import Predictor
from nndesigner.exchange.series import is_series, read_series
from nndesigner.layers.dense import Dense
from nndesigner.layers.reshape import Flatten
from nndesigner.project.design import Design
from nndesigner.project.file import Project, load, save
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer
from tests.networks import chain

WINDOW, HORIZON = 8, 3


def write(path, rows, day=0, shuffled=False):
    moments = np.arange(day, day + rows)
    table = [f"2024-{1 + d // 28 % 12:02}-{1 + d % 28:02},{np.sin(d / 3):.6f},{d % 7}" for d in moments.tolist()]
    if shuffled:
        table = [table[i] for i in np.random.default_rng(0).permutation(rows)]
    path.write_text("date,height,weekday\n" + "\n".join(table) + "\n", "utf-8")
    return path


@pytest.fixture
def learned(tmp_path):
    """(predictor, prepared data, trainer) of a series of 120 days."""
    source = Series(path=str(write(tmp_path / "learn.csv", 120)), target="height", window=WINDOW, horizon=HORIZON)
    prepared = prepare(source.load(quiet), DataSettings(source=source))
    checked = chain([Flatten(), Dense(units=HORIZON)], prepared.signature.fields)
    trainer = Trainer(checked, prepared, TrainSettings(epochs=2), Device("cpu"))
    trainer.run()
    return Predictor(trainer.network, prepared.preparation), prepared, trainer, source


def test_the_table_gives_the_windows_that_training_saw(learned, tmp_path):
    predictor, prepared, _, _ = learned
    assert is_series(predictor.inputs) and predictor.inputs[0].series.columns == ("height", "weekday")
    found = read_series(write(tmp_path / "again.csv", 120, shuffled=True), predictor.inputs[0])
    dataset = prepared.dataset
    assert len(found.windows) == 120 - WINDOW + 1 == len(dataset) + HORIZON
    np.testing.assert_array_equal(found.windows[:len(dataset)], dataset.column("window").values)
    for name, values in found.truth().items():
        np.testing.assert_array_equal(values[:len(dataset)], dataset.column(name).values)
        assert np.isnan(values[-1])


def test_the_last_window_is_the_forecast(learned, tmp_path):
    predictor, _, _, _ = learned
    found = read_series(write(tmp_path / "new.csv", 30, day=200), predictor.inputs[0])
    answers = predictor.predict({"window": found.windows})
    assert answers.values.shape == (30 - WINDOW + 1, HORIZON)
    alone = predictor.predict({"window": found.windows[-1:]})
    np.testing.assert_array_equal(alone.values[0], answers.values[-1])


def test_missing_numbers_and_short_tables(learned, tmp_path):
    column = learned[0].inputs[0]
    path = write(tmp_path / "gap.csv", 30)
    lines = path.read_text("utf-8").splitlines()
    lines[20] = lines[20].replace(lines[20].split(",")[1], "")
    path.write_text("\n".join(lines), "utf-8")
    found = read_series(path, column)
    assert len(found.windows) == 23 - WINDOW and np.isfinite(found.windows).all() and 19 not in found.ends
    with pytest.raises(DataError, match="has 5 rows, but the network looks at 8 at a time"):
        read_series(write(tmp_path / "short.csv", 5), column)
    (tmp_path / "other.csv").write_text("date,height\n2024-01-01,3\n", "utf-8")
    with pytest.raises(DataError, match="lacks the column 'weekday'"):
        read_series(tmp_path / "other.csv", column)


def test_the_form_is_kept_with_the_model_and_older_models_have_none(learned):
    preparation = learned[1].preparation
    value = json.loads(json.dumps(preparation.to_json()))
    again = Preparation.from_json(value, preparation.arrays())
    assert again.inputs == preparation.inputs
    for column in value["fields"][0]["columns"]:
        del column["series"]
    assert not is_series(Preparation.from_json(value, preparation.arrays()).inputs)


def test_the_command_line_predicts_a_table(learned, tmp_path):
    predictor, prepared, trainer, source = learned
    design = Design(trainer.checked.graph, DataSettings(source=source), trainer.settings)
    path = save(Project(design, preparation=prepared.preparation, checkpoint=trainer.checkpoint()), tmp_path / "s.nnd")
    table = write(tmp_path / "new.csv", 60, day=150)
    answers = predict_file(load(path), table)
    columns = columns_of(answers)
    assert [*columns] == ["height +1", "height +2", "height +3", *(f"true height +{i}" for i in (1, 2, 3))]
    raw = read_series(table, predictor.inputs[0])
    expected = predictor.predict({"window": raw.windows}).values
    np.testing.assert_array_equal(np.array([columns[f"height +{i + 1}"] for i in range(3)]).T, expected)
    shown = table_of(answers)
    assert shown.row_count == 40 and shown.columns[-1].header == "Truth"
    assert [*shown.columns[-1].cells][-1] == "not known yet, not known yet, not known yet"
    write_csv(answers, tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1 + 60 - WINDOW + 1 and lines[-1].endswith(",,")
