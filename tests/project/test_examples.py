"""The bundled examples are what the script makes, and small."""

import pytest

from nndesigner import resources
from nndesigner.project.file import load
from scripts.make_examples import examples as made


def test_all_are_bundled():
    assert {path.stem for path in resources.examples()} == set(made())
    assert {path.name for path in resources.resource("examples").iterdir()} == {f"{name}.nnd" for name in made()}


@pytest.mark.parametrize("name", made())
def test_bundled_is_made_by_the_script(name):
    """When this fails, a layer or template has changed: run `make examples`."""
    path = resources.resource(f"examples/{name}.nnd")
    found, wanted = load(path), made()[name]
    assert found.design == wanted.design
    assert found.meta == wanted.meta
    assert found.checkpoint is None
    assert path.stat().st_size < 20_000


def test_what_is_not_bundled():
    with pytest.raises(FileNotFoundError, match="install it again"):
        resources.resource("none.txt")


def test_inside_a_wheel(tmp_path, monkeypatch):
    """In a wheel the files lie inside the package."""
    (tmp_path / "nndesigner" / "resources").mkdir(parents=True)
    (tmp_path / "nndesigner" / "resources" / "a.txt").write_text("x")
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "nndesigner")
    assert resources.resource("a.txt") == tmp_path / "nndesigner" / "resources" / "a.txt"
