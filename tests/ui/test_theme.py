"""The tokens: legible text in every theme, icons that exist, numbers as people write them."""

from itertools import product

import pytest
from PySide6.QtWidgets import QApplication

from nndesigner.layers import Layer
from nndesigner.ui import icons, numbers, theme

INKS = ("text", "muted", "right_text", "wrong_text", "warning_text")
PAIRS = tuple(product(INKS, ("window", "canvas", "panel", "raised")))


@pytest.mark.parametrize("name", theme.THEMES)
@pytest.mark.parametrize("ink, paper", [*PAIRS, ("on_accent", "accent"), ("on_accent", "accent_hover")])
def test_text_reaches_a_contrast_of_four_and_a_half(name, ink, paper):
    tokens = theme.THEMES[name]
    assert theme.contrast(getattr(tokens, ink), getattr(tokens, paper)) >= 4.5


@pytest.mark.parametrize("name", theme.THEMES)
def test_selected_text_is_legible(name):
    tokens = theme.THEMES[name]
    assert theme.contrast(tokens.text, theme.mixed(tokens.accent, tokens.panel, 0.20)) >= 4.5


def test_contrast_is_that_of_wcag():
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert theme.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_every_layer_has_an_icon_that_exists(qapp):
    missing = [layer.icon for layer in Layer.all() if not icons.known(layer.icon)]
    assert not missing


def test_a_theme_takes_hold_and_is_told(qapp, qtbot):
    for wanted in (theme.LIGHT, theme.HIGH_CONTRAST, theme.DARK):
        with qtbot.waitSignal(theme.notifier.changed):
            theme.apply(QApplication.instance(), wanted)
        assert theme.current() is wanted
        assert QApplication.palette().window().color().name().upper() == wanted.panel


def test_type_is_inter_with_even_figures(qapp):
    font = theme.font()
    assert theme.family().startswith("Inter")
    assert font.pixelSize() == 13


@pytest.mark.parametrize("value, text", [
    (0, "0"), (320, "320"), (999, "999"), (1000, "1.0 k"), (18_496, "18.5 k"), (131_200, "131 k"), (999_960, "1.0 M"),
    (1_900_000, "1.9 M"), (2.5e9, "2.5 G"),
])
def test_counts_are_short(value, text):
    assert numbers.count(value).replace(numbers.GAP, " ") == text


@pytest.mark.parametrize("value, text", [
    (0.4, "0.4 s"), (21.3, "21 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_durations_are_short(value, text):
    assert numbers.duration(value).replace(numbers.GAP, " ") == text


@pytest.mark.parametrize("value, text", [
    (0.0712, "0.071"), (2.0, "2"), (12.345, "12.3"), (1234.5, "1234"), (0.00001, "1.0e-05"), (float("nan"), "—")])
def test_measures_keep_three_figures(value, text):
    assert numbers.measure(value) == text


def test_percent():
    assert numbers.percent(0.96) == f"96{numbers.GAP}%"
    assert numbers.percent(0.983, 1) == f"98.3{numbers.GAP}%"
