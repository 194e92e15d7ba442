"""The walls of the house: who may import whom, who may know Qt, CuPy and ONNX, and how large a file may grow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "nndesigner"

#: rooms of the package; each may import its own and all that stand in an earlier group
RANKS = (
    ("spec", "resources"), ("layers",), ("graph",), ("data",), ("engine",), ("training",), ("insight",),
    ("project", "exchange"), ("cli",), ("ui",),
)
RANK = {room: rank for rank, rooms in enumerate(RANKS) for room in rooms}
LONGEST = 400
#: files that may be longer, each with its reason
LONG: dict[str, str] = {
    "training/trainer.py": "the state of a run, its saving and its resuming: each number of it stands in all three",
}

#: the one door in the wall: a function of the command line opens the window
DOOR = ("cli", "ui")


@dataclass(frozen=True)
class Import:
    path: Path
    line: int
    #: dotted name of what is imported
    module: str
    #: the function that holds the import; empty at the top of the module
    function: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} imports {self.module}"


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """First part of the place within the package, for example "graph"; empty for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts[0] == "__init__" else parts[0]


def imports(path: Path) -> Iterator[Import]:
    def walk(node: ast.AST, function: str) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(path, child.lineno, alias.name, function)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}:{child.lineno}: relative import"
                for alias in child.names:
                    yield Import(path, child.lineno, f"{child.module}.{alias.name}", function)
            elif isinstance(child, ast.Call) and ast.unparse(child.func) in ("importlib.import_module", "__import__"):
                named = child.args[0]
                yield Import(path, child.lineno, named.value if isinstance(named, ast.Constant) else "?", function)
            inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            yield from walk(child, inner)

    yield from walk(ast.parse(path.read_text("utf-8")), "")


def every_import() -> list[Import]:
    return [found for path in files() for found in imports(path)]


def is_of(module: str, *names: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in names)


def test_rooms_are_known():
    unknown = {room(path) for path in files()} - RANK.keys() - {"", "__main__"}
    assert not unknown, f"give these rooms a place in the import direction: {sorted(unknown)}"


def test_import_direction():
    """spec < layers < graph < data < engine < training < insight < project, exchange < cli < ui."""
    faults = []
    for found in every_import():
        here, there = room(found.path), found.module.split(".")
        if there[0] != "nndesigner" or len(there) < 2 or there[1] not in RANK or here not in RANK or here == there[1]:
            continue
        # rooms of one group stand side by side: project and exchange
        if RANK[there[1]] > RANK[here] and (here, there[1]) != DOOR:
            faults.append(str(found))
    assert not faults, "\n".join(faults)


def test_only_one_function_of_cli_imports_ui():
    outside = [i for i in every_import() if is_of(i.module, "nndesigner.ui") and room(i.path) != "ui"]
    assert all(room(i.path) == "cli" and i.function for i in outside), "\n".join(map(str, outside))
    functions = {(i.path, i.function) for i in outside}
    assert len(functions) <= 1, f"more than one function imports the window: {functions}"


@pytest.mark.parametrize(("libraries", "allowed"), [
    (("PySide6", "PyQt6", "shiboken6", "pyqtgraph", "qtawesome"), ("ui",)),
    (("cupy", "cupy_backends", "cupyx"), ("engine/device.py",)),
    (("numba",), ("engine/kernels.py",)),
    (("cudnn",), ("engine/cudnn.py",)),
    (("onnx", "onnxruntime"), ("exchange",)),
    (("torch", "tensorflow", "keras", "jax"), ()),
    (("pickle", "cloudpickle", "joblib", "dill", "shelve"), ()),
])
def test_library_stays_in_its_room(libraries: tuple[str, ...], allowed: tuple[str, ...]):
    faults = []
    for found in every_import():
        if is_of(found.module, *libraries):
            place = found.path.relative_to(PACKAGE).as_posix()
            if not any(place == a or place.startswith(a + "/") for a in allowed):
                faults.append(str(found))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", files(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_file(path: Path):
    """A docstring on every module, no overlong file, no bare except."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "the module has no docstring"
    assert not any(isinstance(n, ast.ExceptHandler) and n.type is None for n in ast.walk(tree)), "bare except"
    name = path.relative_to(PACKAGE).as_posix()
    lines = text.count("\n")
    assert lines <= LONGEST or name in LONG, f"{lines} lines: split it, or give a reason in LONG"


def test_reasons_for_long_files_still_hold():
    for name in LONG:
        path = PACKAGE / name
        assert path.exists() and path.read_text("utf-8").count("\n") > LONGEST, f"{name} needs no exception any more"


def test_the_walls_can_be_seen_through(tmp_path: Path):
    """The walk finds imports within functions and tells the function."""
    path = tmp_path / "x.py"
    path.write_text("import a.b\ndef f():\n  from c import d\n  class K:\n    def g(self):\n      import e\n"
                    "x = importlib.import_module('h')\n")
    assert [(i.module, i.function) for i in imports(path)] == [("a.b", ""), ("c.d", "f"), ("e", "g"), ("h", "")]
