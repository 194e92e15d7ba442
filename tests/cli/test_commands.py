"""The command line: what it prints, what it leaves on the disk, and its exit codes."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from nndesigner.cli import gui, has_display
from nndesigner.cli.commands import app
from nndesigner.cli.running import load_data, train
from nndesigner.data.csv_file import read_inputs
from nndesigner.data.generated import Curve
from nndesigner.data.pictures import read_picture
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.shape_masks import ShapeMasks
from nndesigner.data.source import quiet
from nndesigner.exchange.prediction import from_project
from nndesigner.graph import edit
from nndesigner.graph.model import Graph
from nndesigner.graph.templates import propose
from nndesigner.project.design import Design
from nndesigner.project.file import Project, load, save
from nndesigner.resources import examples, resource
from nndesigner.training.settings import TrainSettings
from tests.cli.conftest import dense


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


# --- train ---


def test_train_saves_what_was_learned_and_keeps_the_users_settings(spirals):
    before = load(spirals)
    run("train", spirals, "--epochs", 3, "--seed", 5)
    after = load(spirals)
    assert after.design == before.design
    assert after.learned.training.epochs == 3 and after.learned.training.seed == 5
    assert after.checkpoint.state["epoch"] == 3
    assert len(after.history["val_loss"][1]) == 3
    assert after.meta == before.meta


def test_train_is_the_training_of_the_window(spirals):
    """The same settings give the same weights, to the bit."""
    project = load(spirals)
    run("train", spirals)
    expected = train(project, load_data(project.design)).project.checkpoint.part("weights")
    found = load(spirals).checkpoint.part("weights")
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_train_json_and_out(spirals, tmp_path):
    untouched = spirals.read_bytes()
    out = tmp_path / "trained.nnd"
    result = json.loads(run("train", spirals, "--out", out, "--json").stdout)
    assert result["epochs"] == 4 and result["seed"] == 7 and not result["interrupted"]
    assert set(result["metrics"]) == {"train", "validation", "test"}
    assert spirals.read_bytes() == untouched
    assert result["metrics"]["test"]["accuracy"] == pytest.approx(
        train(load(spirals), load_data(load(spirals).design)).metrics["test"]["accuracy"])


def test_train_prints_the_test_metrics(spirals):
    result = run("train", spirals)
    assert "accuracy" in result.stdout and "Test" in result.stdout


def test_resume_goes_on(spirals):
    run("train", spirals, "--epochs", 2)
    assert "--epochs" in run("train", spirals, "--resume", code=2).stderr
    assert "--seed" in run("train", spirals, "--resume", "--seed", 3, code=2).stderr
    run("train", spirals, "--resume", "--epochs", 2)
    resumed = load(spirals).checkpoint
    assert resumed.state["epoch"] == 4
    run("train", spirals)
    fresh = load(spirals).checkpoint
    assert all(np.array_equal(a, fresh.part("weights")[n]) for n, a in resumed.part("weights").items())


def test_resume_wants_the_drawing_that_was_trained(spirals):
    run("train", spirals)
    project = load(spirals)
    moved = edit.move(project.design.graph, {"n1": (500.0, 0.0)})
    save(replace(project, design=project.design.with_graph(moved), trained_design=project.design), spirals)
    run("train", spirals, "--resume", "--epochs", 1)
    changed = edit.set_params(project.design.graph, "n2", units=9)
    save(replace(project, design=project.design.with_graph(changed), trained_design=project.design), spirals)
    assert "changed since" in run("train", spirals, "--resume", "--epochs", 1, code=2).stderr
    run("train", spirals)


def test_figures_of_a_single_sample(tmp_path):
    """R² of one sample is no number; that hinders neither saving nor JSON."""
    data = DataSettings(source=Curve(samples=10), validation=0.1, test=0.1)
    path = save(Project(Design(dense(1), data, TrainSettings(epochs=2))), tmp_path / "p.nnd")
    metrics = json.loads(run("train", path, "--json").stdout)["metrics"]
    assert metrics["validation"]["r2"] is None and metrics["test"]["r2"] is None
    assert metrics["train"]["r2"] is not None
    assert load(path).checkpoint.state["epoch"] == 2


def test_without_a_test_part(tmp_path):
    data = DataSettings(source=Curve(samples=20), validation=0, test=0)
    path = save(Project(Design(dense(1), data, TrainSettings(epochs=2))), tmp_path / "p.nnd")
    assert set(json.loads(run("train", path, "--json").stdout)["metrics"]) == {"train"}


def test_training_that_fails(failing):
    before = failing.read_bytes()
    result = run("train", failing, code=1)
    assert "learning rate" in result.stderr
    assert failing.read_bytes() == before


@pytest.mark.parametrize("arguments, words", [
    (["train", "none.nnd"], "does not exist"),
    (["train", "SPIRALS", "--resume"], "no weights"),
    (["train", "SPIRALS", "--epochs", "0"], "--epochs"),
    (["train", "SPIRALS", "--device", "cuda:99"], "cannot be used"),
    (["train", "SPIRALS", "--device", "toaster"], "cannot be used"),
    (["train", "SPIRALS", "--out", "none/p.nnd"], "does not exist"),
    (["predict", "SPIRALS", "x.csv"], "no trained weights"),
    (["info", "BROKEN"], "cannot be opened"),
    (["check", "BROKEN"], "cannot be opened"),
    (["dance"], "No such command"),
])
def test_bad_usage_and_files(spirals, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    broken = tmp_path / "broken.nnd"
    broken.write_bytes(spirals.read_bytes()[:-30])
    names = {"SPIRALS": spirals, "BROKEN": broken}
    result = run(*(names.get(a, a) for a in arguments), code=2)
    assert words in result.stderr
    assert "Traceback" not in result.stderr


# --- predict ---


def answers(project, table):
    predictor = from_project(load(project))
    return predictor.predict(read_inputs(str(table), predictor.inputs).columns)


def test_predict_writes_the_predictors_numbers(flowers, tmp_path):
    table = tmp_path / "new.csv"
    table.write_text("colour,size\nred,3.5\nblue,2\ngreen,\n", encoding="utf-8")
    run("predict", flowers, table, "--out", tmp_path / "out.csv")
    with open(tmp_path / "out.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = answers(flowers, table)
    assert [r["kind"] for r in rows] == [expected.label(i) for i in range(3)]
    assert [r["kind"] for r in rows[:2]] == ["rose", "iris"]
    for i, row in enumerate(rows):
        assert [float(row[f"p({name})"]) for name in expected.classes] == expected.probabilities[i].tolist()


def test_predict_json_and_table(flowers, tmp_path):
    table = tmp_path / "new.csv"
    table.write_text("size,colour\n3.5,red\n", encoding="utf-8")
    (row,) = json.loads(run("predict", flowers, table, "--json").stdout)
    assert row["kind"] == "rose" and row["p(rose)"] > 0.5
    assert f"rose: {100 * row['p(rose)']:.0f} %" in run("predict", flowers, table).stdout


def test_predict_tells_a_missing_column(flowers, tmp_path):
    table = tmp_path / "new.csv"
    table.write_text("size\n3.5\n", encoding="utf-8")
    assert "'colour'" in run("predict", flowers, table, code=2).stderr


def test_saved_and_loaded_predicts_the_same_bits(flowers, tmp_path):
    table = tmp_path / "flowers.csv"
    before = answers(flowers, table).probabilities
    save(load(flowers), tmp_path / "again.nnd")
    assert np.array_equal(answers(tmp_path / "again.nnd", table).probabilities, before)


def test_predict_a_picture(tmp_path):
    project = load(resource("examples/digits_dense.nnd"))
    path = save(train(project, load_data(project.design)).project, tmp_path / "digits.nnd")
    one = Image.new("L", (80, 80), 255)
    ImageDraw.Draw(one).line([(42, 8), (42, 72)], fill=0, width=12)
    one.save(tmp_path / "one.png")
    (row,) = json.loads(run("predict", path, tmp_path / "one.png", "--invert", "--json").stdout)
    predictor = from_project(load(path))
    raw = {"image": read_picture(str(tmp_path / "one.png"), predictor.inputs[0], invert=True)}
    prediction = predictor.predict(raw)
    assert row[prediction.names[0]] == prediction.label(0)
    assert row["p(1)"] == float(prediction.probabilities[0, 1])
    assert row["p(1)"] > 0.5


def test_predict_writes_masks(tmp_path):
    source = ShapeMasks(samples=20, size=16, classes=1)
    signature = prepare(source.load(quiet), DataSettings()).signature
    design = Design(propose(signature), DataSettings(source=source), TrainSettings(epochs=1))
    path = save(train(Project(design), load_data(design)).project, tmp_path / "shapes.nnd")
    for name, size in (("a.png", (48, 32)), ("b.jpg", (20, 50))):
        Image.new("RGB", size, "orange").save(tmp_path / name)
    (tmp_path / "c.png").write_bytes(b"no picture")
    result = run("predict", path, tmp_path, "--masks", tmp_path / "out")
    assert result.exit_code == 0 and "2 masks written" in result.stderr and "1 pictures left out" in result.stderr
    for name, size in (("a_mask.png", (48, 32)), ("b_mask.png", (20, 50))):
        with Image.open(tmp_path / "out" / name) as mask:
            assert mask.mode == "P" and mask.size == size and np.asarray(mask).max() <= 1
    (row,) = json.loads(run("predict", path, tmp_path / "a.png", "--json").stdout)
    assert row["mask"] in ("background", "disc") and abs(row["share(background)"] + row["share(disc)"] - 1) < 1e-9
    run("predict", path, tmp_path, "--masks", tmp_path / "one.png", code=2)


# --- check and info ---


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_examples_have_no_problems(path):
    assert "No problems" in run("check", path).stdout
    facts = json.loads(run("info", path, "--json").stdout)
    assert facts["title"] and facts["description"] and facts["trained"] == "no"
    assert facts["problems"] == {"error": 0, "warning": 0}


def test_check_lists_problems(spirals):
    project = load(spirals)
    graph = edit.set_params(project.design.graph, "n3", units=5)
    save(Project(project.design.with_graph(graph)), spirals)
    result = run("check", spirals, code=1)
    assert "error" in result.stdout
    (problem,) = json.loads(run("check", spirals, "--json", code=1).stdout)
    assert problem["severity"] == "error" and "5" in problem["text"] and problem["repairs"]


def test_check_of_an_empty_drawing_and_of_missing_data(spirals, flowers, tmp_path):
    save(Project(load(spirals).design.with_graph(Graph())), spirals)
    run("check", spirals, code=1)
    os.remove(tmp_path / "flowers.csv")
    problems = json.loads(run("check", flowers, "--json", code=1).stdout)
    assert "flowers.csv' does not exist" in problems[0]["text"]
    assert "not readable" in run("info", flowers).stdout


def test_info_of_a_trained_project(flowers):
    facts = json.loads(run("info", flowers, "--json").stdout)
    assert facts["trained"] == {"epoch": 20, "of": 20, "seed": 7}
    assert facts["layers"] == {"Input": 1, "Dense": 2, "Output": 1}
    assert facts["weights_are_of_this_drawing"] is True
    assert facts["trained_values"] == (3 * 4 + 4) + (4 * 2 + 2)


def test_data_beside_the_project_move_with_it(flowers, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    for name in ("flowers.nnd", "flowers.csv"):
        shutil.move(tmp_path / name, other / name)
    assert load(other / "flowers.nnd").design.data.source.path == str(other / "flowers.csv")
    run("train", other / "flowers.nnd", "--epochs", 1)


# --- the program from outside ---


def outside(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "nndesigner.cli", *map(str, arguments)], capture_output=True, text=True, **more)


def test_from_outside_train_and_predict(flowers, tmp_path):
    trained = outside("train", flowers, "--epochs", 5, "--seed", 3, "--json")
    assert trained.returncode == 0, trained.stderr
    assert json.loads(trained.stdout)["seed"] == 3
    predicted = outside("predict", flowers, tmp_path / "flowers.csv", "--json")
    assert predicted.returncode == 0, predicted.stderr
    expected = answers(flowers, tmp_path / "flowers.csv")
    found = [[row[f"p({name})"] for name in expected.classes] for row in json.loads(predicted.stdout)]
    assert np.array_equal(np.array(found, dtype=expected.probabilities.dtype), expected.probabilities)
    assert outside("predict", flowers, "none.csv").returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to the whole console")
def test_ctrl_c_stops_and_saves(spirals):
    child = subprocess.Popen(
        [sys.executable, "-m", "nndesigner.cli", "train", str(spirals), "--epochs", "1000000", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2.5)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert child.returncode == 0, err
    result = json.loads(out)
    assert result["interrupted"] and result["epochs"] > 0
    assert load(spirals).checkpoint.state["epoch"] == result["epochs"]


def test_help_imports_nothing_heavy():
    code = ("import sys; from nndesigner.cli.commands import app\n"
            "try: app(['--help'])\n"
            "except SystemExit: pass\n"
            "print([m for m in ('numpy', 'PySide6', 'sklearn', 'polars', 'pydantic') if m in sys.modules])")
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip().endswith("[]")


def test_start_of_the_window_imports_no_command(monkeypatch):
    code = "import sys, nndesigner.cli; print('typer' in sys.modules or 'numpy' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "False"


def test_display(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert not has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert has_display()
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setattr(sys, "platform", "win32")
    assert has_display()


def test_gui_without_a_display_says_what_to_do_with_a_project(monkeypatch, capsys):
    monkeypatch.setattr("nndesigner.cli.has_display", lambda: False)
    assert gui(["p.nnd"]) == 2
    assert "nndesigner train p.nnd" in capsys.readouterr().err


def test_gui_opens_the_named_project(monkeypatch, tmp_path):
    seen = []

    class Window:
        @staticmethod
        def run(project):
            seen.append(project)
            return 3

    monkeypatch.setattr("nndesigner.cli._window", lambda: Window)
    monkeypatch.setattr("nndesigner.cli.has_display", lambda: True)
    assert gui([]) == 3
    assert gui([str(tmp_path / "p.nnd")]) == 3
    assert seen == [None, tmp_path / "p.nnd"]
    assert CliRunner().invoke(app, ["gui", "x.nnd"]).exit_code == 3
