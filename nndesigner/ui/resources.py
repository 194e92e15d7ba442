"""Where the files that come with the program are: fonts, icons, examples, lesson texts."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
#: a checkout keeps them beside the package, a wheel inside it
ROOT = next((p for p in (_PACKAGE / "resources", _PACKAGE.parent / "resources") if p.is_dir()), _PACKAGE / "resources")


def resource(name: str) -> Path:
    """Path of a file or folder that comes with the program, for example resource("fonts")."""
    return ROOT / name
