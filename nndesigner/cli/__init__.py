"""The command line: `nndesigner gui | train | predict | check | info`, and the start of the window.

Nothing heavy is imported here or at the top of the commands, so that help and the window come at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType


def main() -> None:
    """Entry point of `nndesigner`."""
    from nndesigner.cli.commands import app

    app()


def gui(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `nndesigner-gui` and main.py: open the window, with a project if one is named.

    Returns the exit code.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        from nndesigner.cli.commands import app

        return app(["gui", *arguments], standalone_mode=True) or 0
    return open_window(Path(arguments[0]) if arguments else None)


def open_window(project: Path | None) -> int:
    """The window; without a display the headless job instead. Returns the exit code."""
    if has_display():
        return _window().run(project)
    if project is not None:
        print(f"No display (DISPLAY, WAYLAND_DISPLAY). Without one: nndesigner train {project}", file=sys.stderr)
        return 2
    from nndesigner.cli.headless import without_display

    return without_display(_window)


def has_display() -> bool:
    """Whether a window can be shown. A platform of Qt that was chosen by name counts as a display."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not sys.platform.startswith("linux") or any(os.environ.get(name) for name in names)


def _window() -> ModuleType:
    """The only door from the command line into the window."""
    from nndesigner.ui import app

    return app
