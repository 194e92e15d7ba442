"""The copy of corrections that lies beside the data, for other projects that choose the same data.

The project holds its corrections itself and reads the copy only when the user wants it. The last project that was saved
after a change wrote it.
"""

from __future__ import annotations

from pathlib import Path

from nndesigner.data.corrections import Corrections, corrections_file, corrections_text, read_corrections
from nndesigner.data.preparing import DataSettings
from nndesigner.data.source import Source
from nndesigner.project.atomic import write_atomically


def _places(source: Source | None, project: Path | None) -> list[Path]:
    """Where the copy may lie: beside the data, else beside the project (where the data cannot be written beside)."""
    folder = project.parent if project is not None else None
    beside = corrections_file(source.resolve(folder) if source is not None else None)
    if beside is None:
        return []
    return [beside, *([folder / beside.name] if folder is not None and folder != beside.parent else [])]


def save_corrections(data: DataSettings, project: Path) -> Path | None:
    """Write the copy, or remove it when nothing is corrected any more. Returns its place, None where there is none.

    Raises OSError when it can be written at none of its places.
    """
    failure: OSError | None = None
    places = _places(data.source, project)
    title = places[0].name.removesuffix(".corrections.json") if places else ""
    text = corrections_text(title, data.corrections).encode()
    for path in places:
        try:
            if data.corrections:
                return write_atomically(path, lambda file: file.write(text), lambda _: None)
            path.unlink(missing_ok=True)
        except OSError as error:
            failure = error
    if failure is not None and data.corrections:
        raise failure
    return None


def find_corrections(source: Source | None, project: Path | None) -> tuple[Path, Corrections] | None:
    """The copy that lies beside the data or the project; None without one. Raises DataError for a file that is none."""
    for path in _places(source, project):
        if path.is_file():
            return path, read_corrections(path)
    return None
