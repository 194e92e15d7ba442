"""Take the window's pictures into screenshots/: python scripts/screenshots.py [part of a name].

Light, dark and high contrast; the window from start to error, looking at data, and the ways to try a network; several
sizes and scales. Look at them.
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
    ("samples", "digits_convolution", "dark", 1280, 800, 1.0),
    ("samples", "moods_of_sentences", "light", 1280, 800, 1.0),
    ("samples", "digits_convolution", "contrast", 1280, 800, 1.0),
    ("suspects", "digits_dense", "light", 1920, 1080, 1.0),
    ("statistics", "iris_table", "dark", 1280, 800, 1.0),
    ("statistics", "iris_table", "light", 1920, 1080, 1.0),
    ("sources", "iris_table", "dark", 1280, 800, 1.0),
    ("augmentation", "digits_convolution", "light", 1280, 800, 1.0),
    ("augmentation", "spoken_digits", "dark", 1920, 1080, 1.0),
    ("folded", "shapes_by_pixel", "dark", 1280, 800, 1.0),
    ("folded", "shapes_by_pixel", "light", 1920, 1080, 1.0),
    ("predictions", "shapes_by_pixel", "dark", 1280, 800, 2.0),
    ("try", "writing_letters", "light", 1280, 800, 1.0),
    ("try", "spoken_digits", "dark", 1280, 800, 1.0),
    ("try", "sunspots_ahead", "light", 1920, 1080, 1.0),
    ("latent", "digits_vae", "dark", 1280, 800, 1.5),
    ("generate", "digits_vae", "light", 1920, 1080, 1.0),
    ("settings", "digits_convolution", "dark", 1280, 800, 1.0),
)


def name(picture: tuple) -> str:
    state, example, theme, width, height, scale = picture
    size = f"{width}x{height}" + (f"@{scale:g}" if scale != 1 else "")
    return "-".join(part for part in (state, example.replace("_", ""), theme, size) if part)


def take(picture: tuple) -> None:
    """Take one picture in this process."""
    state, example, theme_name, width, height, _ = picture
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

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
        seen = QApplication.activeModalWidget() or window
        seen.grab().save(str(FOLDER / f"{name(picture)}.png"))
        window.end()


def _bring_about(window: object, state: str, app: object) -> None:
    document, runner = window.document, window.runner
    second = document.graph.nodes[1]
    if state in ("idle", "training", "finished"):
        document.select([second.id])
        app.settle(1.0)
    if state in ("samples", "suspects", "statistics", "sources", "augmentation"):
        _look_at_data(window, state, app)
        return
    if state in ("predictions", "try", "latent", "generate"):
        document.edit_training("shorter", epochs=3)
        runner.train()
        app.settle(0.5, until=lambda: runner.state == "finished", at_most=60)
        window.docks.show(state)
        app.settle(2.0)
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
    elif state == "folded":
        from nndesigner.graph import folding, grouping

        groups = document.graph.groups
        document.edit_graph("Fold", lambda g: folding.fold(g, groups[0].id))
        words = "The way down loses places, the wires across bring them back."
        document.edit_graph("Add note", lambda g: grouping.add_note(g, 0.0, -160.0, words)[0])
        window.canvas.fit()
        app.settle(1.5)
    elif state == "settings":
        window.docks.show("training")
        app.settle(0.5)


def _look_at_data(window: object, state: str, app: object) -> None:
    window.docks.show("data")
    app.settle(0.5)
    if state == "sources":
        window.data_panel._choose_again(True)
    elif state == "augmentation":
        from nndesigner.data.augment import Augmentation

        section = window.data_panel._data._augmentation
        section.open.click()
        fits = [kind for kind in Augmentation.all() if not section.sheet._misfit(kind)]
        window.document.edit_data("augment", augmentation=tuple(kind() for kind in fits[:2]))
        app.settle(1.0, until=lambda: not section.sheet._background.busy)
    else:
        window.show_data()
        view = window.explore.made
        app.settle(0.3, until=lambda: view.samples is not None and not view.busy)
        if state == "suspects":
            window.runner.train()
            app.settle(0.5, until=lambda: view.judge.judgement is not None and not view.busy, at_most=60)
            view.filters.show_.choose("suspects")
        if state == "statistics":
            view.tabs.setCurrentIndex(1)
        else:
            app.settle(0.3, until=lambda: not view.busy)
            view.gallery.setCurrentIndex(view.gallery.rows_model.index(2))
        app.settle(0.5, until=lambda: not view.busy)
    app.settle(0.5)


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
