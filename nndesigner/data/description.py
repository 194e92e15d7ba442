"""What is remembered of data in a project, so that a changed file can be told by what changed in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nndesigner.data.dataset import Dataset
from nndesigner.data.encoding import texts_of
from nndesigner.data.fitting import MAX_CLASSES, counted

#: names told one by one
TOLD = 3


@dataclass(frozen=True)
class Description:
    """`columns`: name -> (kind, mark of the contents or ""), `classes`: text of the target -> count, `files`: name ->
    size in bytes, empty where samples have no files of their own."""

    rows: int
    columns: Mapping[str, tuple[str, str]]
    classes: Mapping[str, int]
    files: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "columns": [[n, k, m] for n, (k, m) in self.columns.items()],
                "classes": dict(self.classes), "files": dict(self.files)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Description:
        """Read what `to_json` wrote. Raises KeyError, TypeError and ValueError for anything else."""
        return cls(int(value["rows"]), {str(n): (str(k), str(m)) for n, k, m in value["columns"]},
                   {str(c): int(n) for c, n in dict(value["classes"]).items()},
                   {str(f): int(n) for f, n in dict(value["files"]).items()})


def describe_data(dataset: Dataset) -> Description:
    """The description of raw data as loaded."""
    target = next((c for c in dataset.columns if c.role == "target" and c.kind == "category"), None)
    classes = Counter(texts_of(target.values).tolist()) if target is not None else Counter()
    classes.pop(None, None)
    return Description(
        len(dataset), {c.name: (c.kind, dataset.marks[c.name][:16]) for c in dataset.columns},
        classes if len(classes) <= MAX_CLASSES else {}, dict(zip(dataset.names, dataset.sizes)))


def changes(old: Description, new: Description) -> list[str]:
    """What is different now, as parts of a sentence; empty when nothing is."""
    found: list[str] = []
    if new.rows != old.rows:
        found.append(f"{counted(abs(new.rows - old.rows), 'sample')} {'more' if new.rows > old.rows else 'fewer'}")
    found += _names([n for n in old.columns if n not in new.columns], "column", "is gone", "are gone")
    found += _names([n for n in new.columns if n not in old.columns], "column", "is new", "are new")
    both = [n for n in old.columns if n in new.columns]
    found += [f"'{n}' was a {old.columns[n][0]} and is a {new.columns[n][0]} now"
              for n in both if old.columns[n][0] != new.columns[n][0]][:TOLD]
    found += _names([c for c in old.classes if c not in new.classes], "class", "is gone", "are gone")
    found += _names([c for c in new.classes if c not in old.classes], "class", "is new", "are new")
    if old.files and new.files:
        gone = sum(name not in new.files for name in old.files)
        fresh = sum(name not in old.files for name in new.files)
        other = sum(old.files[n] != size for n, size in new.files.items() if n in old.files)
        told = ((gone, "gone"), (fresh, "new"), (other, "changed"))
        found += [f"{counted(n, 'file')} {what}" for n, what in told if n]
    same = [n for n in both if old.columns[n][0] == new.columns[n][0]]
    if old.rows == new.rows and not any("file" in text for text in found):
        found += _names([n for n in same if old.columns[n][1] != new.columns[n][1]], "column",
                        "has other values", "have other values")
    return found


def _names(names: list[str], what: str, one: str, many: str) -> list[str]:
    """["column 'age' is gone"], ["columns 'a', 'b' and 4 more are gone"]."""
    if not names:
        return []
    if len(names) == 1:
        return [f"{what} '{names[0]}' {one}"]
    told = ", ".join(f"'{n}'" for n in names[:TOLD])
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return [f"{what}{'es' if what.endswith('s') else 's'} {told}{more} {many}"]
