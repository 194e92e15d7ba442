"""Where the files lie that come with the program: fonts, themes, example projects."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
#: examples as the start page shows them, the easiest first
_EXAMPLES = (
    "two_d_classifier", "digits_dense", "digits_convolution", "curve_regression", "iris_table", "digits_autoencoder",
    "digits_vae", "spoken_digits", "spoken_numbers", "moods_of_sentences", "writing_letters", "sunspots_ahead",
    "shapes_by_pixel",
)


def resource(path: str) -> Path:
    """Place of a bundled file or folder, for example `resource("fonts/Inter-Regular.otf")`.

    In a wheel they lie inside the package, in a checkout beside it. Raises FileNotFoundError when there is none.
    """
    for folder in (_PACKAGE / "resources", _PACKAGE.parent / "resources"):
        found = folder / path
        if found.exists():
            return found
    raise FileNotFoundError(f"nndesigner was installed without its file 'resources/{path}': install it again.")


def examples() -> tuple[Path, ...]:
    """The example projects."""
    return tuple(resource(f"examples/{name}.nnd") for name in _EXAMPLES)
