"""What the program does where no window can be shown: train the digits example and take a picture of the window."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from rich.console import Console

from nndesigner.cli.running import RunFailed, load_data, train
from nndesigner.cli.showing import Progress, metrics_text
from nndesigner.data.dataset import DataError
from nndesigner.project.file import ProjectError, load, save
from nndesigner.resources import resource

#: where its files go, below the current folder
FOLDER = "nndesigner-output"


def without_display(window: Callable[[], ModuleType]) -> int:
    """Train the bundled digits example, say how well it does on test data, and leave the project and a picture of the
    window with its predictions. `window` gives the module that can draw it. Returns the exit code."""
    console = Console(highlight=False)
    console.print("No display (DISPLAY, WAYLAND_DISPLAY): training the digits example instead.")
    try:
        project = load(resource("examples/digits_convolution.nnd"))
        with Progress(console, str(project.meta.get("title", "Digits"))) as progress:
            outcome = train(project, load_data(project.design), follow=progress.show)
        console.print(f"Test: {metrics_text(outcome.metrics['test'])} (seed {project.design.training.seed}).")
        folder = Path(FOLDER)
        folder.mkdir(exist_ok=True)
        trained = save(outcome.project, folder / "digits.nnd")
        console.print(f"The trained project: {trained}", soft_wrap=True)
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        picture = folder / "window.png"
        window().picture(trained, picture)
        console.print(f"The window with its predictions: {picture.resolve()}", soft_wrap=True)
    except (ProjectError, DataError, RunFailed, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if outcome.interrupted else 0
