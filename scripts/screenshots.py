"""Take the window's pictures into screenshots/: python scripts/screenshots.py [part of a name].

Light and dark; start page, idle, training, finished, error; several sizes and a scale of 1.5. Look at them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "screenshots"
#: (state, example, theme, width, height, scale)
PICTURES = (
    ("start", "", "dark", 1280, 800, 1.0),
    ("start", "", "light", 1920, 1080, 1.0),
    ("idle", "digits_convolution", "dark", 1280, 800, 1.0),
    ("idle", "digits_convolution", "light", 1920, 1080, 1.0),
    ("training", "digits_convolution", "dark", 1600, 1000, 1.0),
    ("training", "digits_convolution", "light", 1600, 1000, 1.0),
    ("training", "digits_convolution", "dark", 1280, 800, 1.0),
    ("training", "two_d_classifier", "dark", 1920, 1080, 1.0),
    ("finished", "two_d_classifier", "light", 1280, 800, 1.0),
    ("finished", "iris_table", "light", 1600, 1000, 1.0),
    ("finished", "curve_regression", "dark", 1600, 1000, 1.0),
    ("finished", "digits_autoencoder", "dark", 1600, 1000, 1.0),
    ("finished", "digits_convolution", "contrast", 1600, 1000, 1.0),
    ("error", "iris_table", "dark", 1280, 800, 1.0),
    ("error", "digits_convolution", "light", 1920, 1080, 1.0),
    ("failure", "iris_table", "dark", 1600, 1000, 1.0),
    ("training", "digits_convolution", "dark", 1600, 1000, 1.5),
)


def name(picture: tuple) -> str:
    state, example, theme, width, height, scale = picture
    size = f"{width}x{height}" + (f"@{scale:g}" if scale != 1 else "")
    return "-".join(part for part in (state, example.replace("_", ""), theme, size) if part)


def take(picture: tuple) -> None:
    """Take one picture in this process."""
    state, example, theme_name, width, height, _ = picture
    from PySide6.QtCore import QSettings

    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    with tempfile.TemporaryDirectory() as settings:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
        from nndesigner.resources import resource
        from nndesigner.ui import app, theme
        from nndesigner.ui.window import Window

        theme.apply(app.application(), theme.THEMES[theme_name])
        window = Window()
        window.resize(width, height)
        window.show()
        app.settle(0.5)
        if example:
            window.open_example(resource(f"examples/{example}.nnd"), train=False)
            window.document.wait_for_data()
            app.settle(1.0)
            _bring_about(window, state, app)
        window.grab().save(str(FOLDER / f"{name(picture)}.png"))
        window.end()


def _bring_about(window: object, state: str, app: object) -> None:
    document, runner = window.document, window.runner
    second = document.graph.nodes[1]
    if state in ("idle", "training", "finished"):
        document.select([second.id])
        app.settle(1.0)
    if state == "training":
        document.edit_training("longer", epochs=3 * document.design.training.epochs)
        runner.train()
        app.settle(2.5, until=lambda: runner.telemetry.step > 0)
    elif state == "finished":
        runner.train()
        app.settle(1.5, until=lambda: runner.state == "finished", at_most=60)
    elif state == "error":
        from nndesigner.graph import edit

        last = [n for n in document.graph.nodes if hasattr(n.layer, "units")][-1]
        document.edit_graph("Set Units", lambda g: edit.set_params(g, last.id, units=last.layer.units + 2))
        document.select([document.checked.problems[0].node])
        window.docks.show("problems")
        app.settle(0.5)
    elif state == "failure":
        sgd = document.design.training.optimizer.registry["sgd.v1"]
        document.edit_training("too fast", optimizer=sgd(learning_rate=1000.0))
        window.docks.show("training")
        runner.train()
        app.settle(1.0, until=lambda: runner.state == "failed")


def main() -> int:
    """Each picture in a process of its own: the scale of Qt is fixed when it starts."""
    if len(sys.argv) > 2 and sys.argv[1] == "--one":
        take(next(p for p in PICTURES if name(p) == sys.argv[2]))
        return 0
    FOLDER.mkdir(exist_ok=True)
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    failed = 0
    for picture in (p for p in PICTURES if wanted in name(p)):
        environment = {**os.environ, "QT_SCALE_FACTOR": str(picture[-1]), "PYTHONPATH": str(ROOT)}
        code = subprocess.call([sys.executable, __file__, "--one", name(picture)], env=environment)
        failed += code != 0
        print(f"{'FAILED  ' if code else ''}screenshots/{name(picture)}.png", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
