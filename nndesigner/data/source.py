"""What a data source is: a declaration with a `load`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Self

from nndesigner.data.dataset import Dataset, Form
from nndesigner.spec import Declared, describe

#: progress(fraction done or None, what is being done); may raise Cancelled
Progress = Callable[[float | None, str], None]


class Cancelled(Exception):
    """The user does not want the data any more. Raised by a progress function, never an error to show."""


class Source(Declared):
    """Where data come from: its parameters are the fields of the class."""

    #: how its data are shown; a file decides for itself and may give another form when loaded
    form: ClassVar[Form]
    #: endings of file names, in small letters, that it reads
    suffixes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def reads(cls, path: Path) -> bool:
        """Whether this is the source for a file or folder, by its name."""
        return bool(cls.suffixes) and path.name.lower().endswith(cls.suffixes)

    @classmethod
    def for_file(cls, path: Path) -> Self:
        """The source for one of its files, with everything that can be guessed."""
        return cls(path=str(path))

    def load(self, progress: Progress) -> Dataset:
        """Read or make the data. Raises DataError, and Cancelled when `progress` does."""
        raise TypeError(f"{type(self).__name__} declares no load.")

    def files(self) -> dict[str, str]:
        """Parameters that name files, without the empty ones."""
        names = (info.name for info in describe(type(self)) if info.editor in ("file", "folder"))
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def resolve(self, base: Path | None) -> Self:
        """The same source with whole paths; relative ones start at `base`, the folder of the project."""
        if base is None:
            return self
        return self._with_files({name: str(base / path) for name, path in self.files().items()})

    def relative_to(self, base: Path) -> Self:
        """The same source for a project in folder `base`: paths below it become relative, so both can be moved."""
        changed = {}
        for name, path in self.files().items():
            whole = Path(os.path.abspath(base / path))
            if whole.is_relative_to(os.path.abspath(base)):
                changed[name] = whole.relative_to(os.path.abspath(base)).as_posix()
        return self._with_files(changed)

    def _with_files(self, changed: dict[str, str]) -> Self:
        return self.replaced(**changed) if changed else self


def source_for(path: Path) -> Source | None:
    """The source that reads a file or folder, by its name; None when none does."""
    found = next((source for source in Source.all() if source.reads(path)), None)
    return None if found is None else found.for_file(path)


def quiet(fraction: float | None, text: str) -> None:
    """A progress function for those who do not want to know."""
