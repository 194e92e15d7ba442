"""The commands. Each reads a project, does one thing through the rooms below, and ends with an exit code:
0 done, 1 training failed or the drawing has errors, 2 wrong usage or a file that cannot be used."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from nndesigner.graph.model import Graph
    from nndesigner.project.file import Project

app = typer.Typer(
    name="nndesigner", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Draw a neural network, train it on real data, use it. The same projects open in the window.",
)

ProjectFile = Annotated[Path, typer.Argument(metavar="PROJECT.nnd", help="A project file.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if version:
        import nndesigner

        print(f"nndesigner {nndesigner.__version__}")
        raise typer.Exit


@app.command()
def gui(project: Annotated[Path | None, typer.Argument(metavar="[PROJECT.nnd]", show_default=False)] = None) -> None:
    """Open the window, with a project if one is named."""
    from nndesigner.cli import open_window

    raise typer.Exit(open_window(project))


@app.command(name="range")
def find_rate(project: ProjectFile, as_json: AsJson = False) -> None:
    """Try growing learning rates on a copy of the network and propose one."""
    from nndesigner.cli.running import checked_for_training, load_data
    from nndesigner.engine.device import Device
    from nndesigner.training.range_test import run_range_test

    with _exit_codes():
        design = _load(project).design
        _check_device(design.training.device)
        prepared = load_data(design)
        checked = checked_for_training(design, prepared)
        found = run_range_test(checked, prepared, design.training, Device(design.training.device))
        if as_json:
            print(json.dumps({"proposal": found.proposal, "diverged": found.diverged,
                              "rates": found.rates.tolist(), "losses": found.losses.tolist()}))
            return
        if found.proposal is None:
            _fail("No rate made the loss fall clearly.", 1)
        print(f"Proposed learning rate: {found.proposal:g}")
        if found.diverged:
            print(f"The loss grows without end from {found.rates[-1]:.2g} on.")


@app.command()
def train(
    project: ProjectFile,
    epochs: Annotated[int | None, typer.Option(
        help="How often to go through the training samples; with --resume: how often more.", min=1)] = None,
    device: Annotated[str | None, typer.Option(help="Where to compute: cpu, cuda:0, ...")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights, order and dropout.", min=0)] = None,
    out: Annotated[Path | None, typer.Option(help="Save here instead of over the project.", dir_okay=False)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the saved weights.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a project and save what it learned; Ctrl-C stops and saves too."""
    from nndesigner.cli.running import load_data
    from nndesigner.cli.running import train as run
    from nndesigner.cli.showing import Progress, finite, metric_table
    from nndesigner.data.description import changes
    from nndesigner.project.file import save

    with _exit_codes():
        opened = _load(project)
        target = out or project
        if resume:
            _check_resumable(opened, epochs, seed)
            # The run goes on with its own settings; --epochs are those beyond its end.
            training, given = opened.learned.training, {"device": device}
        else:
            training, given = opened.design.training, {"epochs": epochs, "device": device, "seed": seed}
        training = training.model_validate(
            {**dict(training), **{name: value for name, value in given.items() if value is not None}})
        _check_device(training.device)
        design = replace(opened.design, training=training)
        prepared = load_data(design)
        if opened.described is not None and prepared.description is not None:
            changed = changes(opened.described, prepared.description)
            if changed:
                _errors().print(escape(f"The data have changed since they were saved: {'; '.join(changed)}."))

        def kept(state: Project) -> Path:
            """The user's own settings stay as they are; those of this run go with the weights."""
            trained = None if design == opened.design else design
            return save(replace(state, design=opened.design, trained_design=trained), target)

        with Progress(_errors(), str(opened.meta.get("title") or project.stem)) as progress:
            outcome = run(
                replace(opened, design=design), prepared, resume=resume, more_epochs=epochs or 0 if resume else 0,
                follow=progress.show, keep=kept)
        if outcome.telemetry.step == 0:
            _fail("Stopped before anything was learned. Nothing was saved.", 1)
        saved = kept(outcome.project)
        if outcome.interrupted:
            _errors().print(f"Stopped in epoch {outcome.telemetry.epoch + 1}; what was learned is kept.")
        for message in outcome.telemetry.messages:
            _errors().print(escape(message))
        if as_json:
            _print_json({
                "project": str(saved), "metrics": finite(outcome.metrics), "epochs": outcome.telemetry.epoch,
                "steps": outcome.telemetry.step, "seconds": round(outcome.telemetry.seconds_run, 3),
                "seed": training.seed, "device": training.device, "interrupted": outcome.interrupted,
            })
        else:
            _console().print(metric_table(outcome.metrics))
            _console().print(f"Saved to {escape(str(saved))}.", soft_wrap=True)


@app.command()
def predict(
    project: ProjectFile,
    data: Annotated[Path, typer.Argument(
        metavar="DATA", help="A table of raw values or texts, a picture, a folder of pictures, or a sound.",
        show_default=False)],
    out: Annotated[Path | None, typer.Option(help="Write a CSV file instead of printing.", dir_okay=False)] = None,
    masks: Annotated[Path | None, typer.Option(
        help="Write the classes of pixels as PNG: a file name for one picture, or a folder.")] = None,
    invert: Annotated[bool | None, typer.Option(
        "--invert/--no-invert", help="Exchange light and dark of a picture. Left out: where that is needed.",
        show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Predict new data with a trained project: class names with probabilities, or values in their own units."""
    from nndesigner.cli.predicting import predict_file, rows_of, table_of, write_csv, write_masks

    with _exit_codes():
        answers = predict_file(_load(project), data, invert)
        for note in answers.notes:
            _errors().print(escape(note))
        if masks is not None:
            written = write_masks(answers, masks)
            _errors().print(f"{len(written)} masks written to {escape(str(masks))}.", soft_wrap=True)
        if out is not None:
            write_csv(answers, out)
            _errors().print(f"Predictions written to {escape(str(out))}.", soft_wrap=True)
        elif as_json:
            _print_json(rows_of(answers))
        elif masks is None:
            _console().print(table_of(answers))


@app.command()
def generate(
    project: ProjectFile,
    text: Annotated[str, typer.Option(help="The beginning that the network goes on with.")] = "",
    tokens: Annotated[int, typer.Option(help="How many characters or words it writes.", min=1, max=100_000)] = 200,
    temperature: Annotated[float, typer.Option(
        help="Higher: bolder and less sensible; lower: safer and more repetitive; 0: always the most probable.",
        min=0.0, max=10.0)] = 0.8,
    seed: Annotated[int, typer.Option(help="The same seed writes the same text.", min=0)] = 7,
    as_json: AsJson = False,
) -> None:
    """Go on with a text, by a network trained to predict the next character or word."""
    from nndesigner.exchange.prediction import from_project
    from nndesigner.exchange.writing import go_on

    with _exit_codes():
        written = go_on(from_project(_load(project)), text, tokens, temperature, seed)
        if as_json:
            _print_json({"text": text, "written": written})
        else:
            print(text + written)


@app.command()
def check(project: ProjectFile, as_json: AsJson = False) -> None:
    """List what is wrong with a drawing; exit code 1 when there are errors."""
    from nndesigner.cli.running import load_data
    from nndesigner.cli.showing import problem_table
    from nndesigner.data.dataset import DataError
    from nndesigner.graph.check import Problem
    from nndesigner.graph.check import check as check_graph
    from nndesigner.spec import Signature

    with _exit_codes():
        design = _load(project).design
        problems: list[Problem] = []
        signature = Signature()
        if design.data.source is not None:
            try:
                signature = load_data(design).signature
            except DataError as error:
                problems.append(Problem("error", str(error)))
        problems += check_graph(design.graph, signature).problems
        if as_json:
            _print_json([
                {"severity": p.severity, "node": p.node, "text": p.text, "repairs": [r.text for r in p.repairs]}
                for p in problems])
        elif problems:
            _console().print(problem_table(design.graph, problems))
        else:
            _console().print("No problems.")
        if any(p.severity == "error" for p in problems):
            raise typer.Exit(1)


@app.command()
def info(project: ProjectFile, as_json: AsJson = False) -> None:
    """Tell what a project holds."""
    from nndesigner.cli.facts import facts
    from nndesigner.cli.showing import facts_table

    with _exit_codes():
        found = facts(_load(project))
        if as_json:
            _print_json(found)
        else:
            _console().print(facts_table(found))


# --- inside ---


def _console() -> Console:
    """Results. Made when used, so that it writes to the stream of the moment."""
    return Console(highlight=False)


def _errors() -> Console:
    """Progress and messages, beside the results."""
    return Console(stderr=True, highlight=False)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete all decoded pictures.")] = False,
    limit: Annotated[float | None, typer.Option(help="Gigabytes that they may take together.", min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """Tell where decoded pictures are kept and how much they take; clear them, or change their limit."""
    from nndesigner.data.picture_cache import cache_folder, cache_limit, cache_size, clear_cache, set_cache_limit

    with _exit_codes():
        if limit is not None:
            set_cache_limit(round(limit * (1 << 30)))
        if clear:
            clear_cache()
        if as_json:
            _print_json({"folder": str(cache_folder()), "bytes": cache_size(), "limit": cache_limit()})
        else:
            print(f"{cache_folder()}: {cache_size() / (1 << 20):.1f} MB of at most {cache_limit() / (1 << 30):g} GB")


def _fail(text: str, code: int) -> None:
    print(text, file=sys.stderr)
    raise typer.Exit(code)


@contextmanager
def _exit_codes() -> Iterator[None]:
    """What goes wrong as a sentence and an exit code."""
    from pydantic import ValidationError

    from nndesigner.cli.running import RunFailed
    from nndesigner.data.dataset import DataError
    from nndesigner.project.container import ProjectError

    try:
        yield
    except RunFailed as error:
        _fail(str(error), 1)
    except (ProjectError, DataError) as error:
        _fail(str(error), 2)
    except OSError as error:
        _fail(f"'{error.filename}' cannot be written: {error.strerror}.", 2)
    except ValidationError as error:
        first = error.errors()[0]
        _fail(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}", 2)


def _check_resumable(project: Project, epochs: int | None, seed: int | None) -> None:
    """End with a sentence when the saved run cannot go on."""
    if project.checkpoint is None:
        _fail("The project holds no weights yet: train it without --resume.", 2)
    learned, design, state = project.learned, project.design, project.checkpoint.state
    if learned.data != design.data or _layers(learned.graph) != _layers(design.graph):
        _fail("The drawing or its data have changed since the weights were learned: train without --resume.", 2)
    if seed is not None:
        _fail("--seed belongs to fresh weights: leave it out with --resume.", 2)
    if epochs is None and (state["stopped_early"] or state["epoch"] >= state["epochs"]):
        _fail("The saved run is finished: say with --epochs how many more there shall be.", 2)


def _layers(graph: Graph) -> tuple[Any, ...]:
    """What of a drawing counts for its weights: not places and names."""
    return tuple((node.id, node.layer) for node in graph.nodes), graph.edges


def _load(path: Path) -> Project:
    from nndesigner.project.file import load

    return load(path)


def _check_device(name: str) -> None:
    from nndesigner.engine.device import available

    devices = available() if name != "cpu" else ()
    status = next((d for d in devices if d.name == name), None)
    if name != "cpu" and (status is None or not status.usable):
        reasons = status.reason if status else " ".join(f"{d.name}: {d.reason or 'usable'}" for d in devices)
        _fail(f"The device '{name}' cannot be used. {reasons}", 2)
