"""Colours, type and spacing of the window, as values; and their way into Qt (palette and style sheet).

Everything that paints takes its colours from `current()` and repaints on `notifier.changed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from nndesigner.resources import resource

#: sizes of type in pixels
BASE, CAPTION, PANEL_TITLE = 13, 11, 15
#: corner radii in pixels
RADIUS_CONTROL, RADIUS_TILE, RADIUS_NODE = 6, 8, 10
#: height of fields and buttons in pixels
CONTROL_HEIGHT = 28


@dataclass(frozen=True)
class Theme:
    """All colours, as "#RRGGBB". Text in `text`, `muted`, `on_accent` and the `*_text` colours is legible (4.5 to 1)
    on the
    surfaces; `faint`, `dots`, `line` and the plain state colours are for shapes only."""

    name: str
    title: str
    window: str
    canvas: str
    dots: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    faint: str
    accent: str
    #: accent under the pointer, and pressed
    accent_hover: str
    on_accent: str
    training: str
    validation: str
    right: str
    wrong: str
    warning: str
    right_text: str
    wrong_text: str
    warning_text: str
    #: signed values; zero is `panel`
    positive: str
    negative: str
    wire: str
    #: (part of a group's name, colour); the first that fits counts
    groups: tuple[tuple[str, str], ...]
    #: 2 px lines around fields, for eyes that need them
    strong_lines: bool = False

    @property
    def track(self) -> str:
        """What a bar fills: the part that is not filled must not look as if it were."""
        return self.dots if self.strong_lines else self.line

    @property
    def dark(self) -> bool:
        return luminance(self.window) < 0.5


_GROUPS = (
    ("input", "#8B93A1"), ("core", "#FF9E64"), ("dense", "#FF9E64"), ("convol", "#5B9DFF"), ("pool", "#3FB8C8"),
    ("normal", "#B48EAD"), ("activ", "#4CC38A"), ("regular", "#D7BA7D"), ("merge", "#E06C9F"), ("recurrent", "#E06C9F"),
    ("attention", "#E06C9F"), ("sequence", "#E06C9F"), ("reshape", "#8B93A1"), ("shape", "#8B93A1"), ("unknown",
    "#FF6B6B"),
)
#: colours of groups and notes on the canvas, by the layer group whose colour they share
MARKS = {"grey": "input", "blue": "convol", "teal": "pool", "green": "activ", "yellow": "regular", "orange": "dense",
         "pink": "merge", "purple": "normal"}
_LIGHT_GROUPS = tuple((part, {
    "#8B93A1": "#6F7785", "#FF9E64": "#E87B35", "#5B9DFF": "#2B6FDB", "#3FB8C8": "#1893A5", "#B48EAD": "#94638C",
    "#4CC38A": "#1F8F5F", "#D7BA7D": "#A98432", "#E06C9F": "#C8457E", "#FF6B6B": "#D23F3F",
}[colour]) for part, colour in _GROUPS)

DARK = Theme(
    name="dark", title="Dark",
    window="#14161A", canvas="#101216", dots="#23272F", panel="#1B1E24", raised="#22262E", line="#2C313A",
    text="#E6E8EC", muted="#8B93A1", faint="#5C6472", accent="#5B9DFF", accent_hover="#74ADFF", on_accent="#0B1220",
    training="#5B9DFF", validation="#FFB454", right="#4CC38A", wrong="#FF6B6B", warning="#F5C451",
    right_text="#4CC38A", wrong_text="#FF8080", warning_text="#F5C451",
    positive="#FF9E64", negative="#5B9DFF", wire="#5C6472", groups=_GROUPS,
)
LIGHT = Theme(
    name="light", title="Light",
    window="#EEF0F3", canvas="#F7F8FA", dots="#DDE1E7", panel="#FFFFFF", raised="#F6F7F9", line="#DFE3E8",
    text="#1C2128", muted="#5F6774", faint="#9AA2AE", accent="#2B6FDB", accent_hover="#2463C4", on_accent="#FFFFFF",
    training="#2B6FDB", validation="#C77700", right="#1F8F5F", wrong="#D23F3F", warning="#B98500",
    right_text="#177349", wrong_text="#C23030", warning_text="#7D5A00",
    positive="#E87B35", negative="#2B6FDB", wire="#9AA2AE", groups=_LIGHT_GROUPS,
)
HIGH_CONTRAST = Theme(
    name="contrast", title="High contrast",
    window="#000000", canvas="#000000", dots="#3A3A3A", panel="#000000", raised="#101010", line="#A8A8A8",
    text="#FFFFFF", muted="#D6D6D6", faint="#A8A8A8", accent="#FFD400", accent_hover="#FFE45C", on_accent="#000000",
    training="#6CB6FF", validation="#FFB454", right="#5CFFB0", wrong="#FF8A8A", warning="#FFE45C",
    right_text="#5CFFB0", wrong_text="#FF8A8A", warning_text="#FFE45C",
    positive="#FFA869", negative="#6CB6FF", wire="#D6D6D6", groups=_GROUPS, strong_lines=True,
)
THEMES = {t.name: t for t in (DARK, LIGHT, HIGH_CONTRAST)}


class _Notifier(QObject):
    #: another theme is in force
    changed = Signal()


notifier = _Notifier()
_current = DARK


def current() -> Theme:
    """The theme in force."""
    return _current


def apply(app: QApplication, theme: Theme) -> None:
    """Put a theme into force: style, palette, style sheet and base font."""
    global _current
    _current = theme
    if app.style().objectName() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(font(BASE))
    app.setPalette(_palette(theme))
    from nndesigner.ui.stylesheet import stylesheet

    app.setStyleSheet(stylesheet(theme))
    notifier.changed.emit()


def wanted(app: QApplication) -> Theme:
    """The theme that the user chose, or the one that fits the desktop."""
    name = QSettings().value("theme", "system")
    return THEMES.get(str(name)) or of_system(app)


def of_system(app: QApplication) -> Theme:
    """Light where the desktop is light, dark where it is dark or does not say."""
    return LIGHT if app.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK


@cache
def colour(value: str, alpha: float = 1.0) -> QColor:
    """A token as QColor, `alpha` from 0 to 1. Do not change the result: it is shared."""
    found = QColor(value)
    found.setAlphaF(alpha)
    return found


def group_colour(group: str) -> str:
    """Colour of a layer group in the theme in force."""
    wanted_group = group.lower()
    return next((c for part, c in _current.groups if part in wanted_group), _current.muted)


def mixed(over: str, under: str, share: float) -> str:
    """The opaque colour that `over` with opacity `share` gives on `under`."""
    a, b = QColor(over), QColor(under)
    parts = (round(x * share + y * (1 - share)) for x, y in
             ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue())))
    return "#{:02X}{:02X}{:02X}".format(*parts)


def luminance(value: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
              for c in (int(value[i:i + 2], 16) / 255 for i in (1, 3, 5))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio as WCAG 2.2 defines it, 1 to 21."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@cache
def family() -> str:
    """Name of the type family, loaded from the program's own files."""
    families = []
    for file in sorted(resource("fonts").glob("Inter-*.otf")):
        families += QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(file)))
    return families[0] if families else QApplication.font().family()


@cache
def font(pixels: int = BASE, weight: int = 400) -> QFont:
    """The program's type at a size in pixels, with figures of equal width. Copy it before changing it."""
    found = QFont(family())
    found.setPixelSize(pixels)
    found.setWeight(QFont.Weight(weight))
    found.setFeature(QFont.Tag("tnum"), 1)
    return found


def _palette(t: Theme) -> QPalette:
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, value in {
        roles.Window: t.panel, roles.WindowText: t.text, roles.Base: t.raised, roles.AlternateBase: t.panel,
        roles.Text: t.text, roles.Button: t.raised, roles.ButtonText: t.text, roles.BrightText: t.wrong,
        roles.Highlight: t.accent, roles.HighlightedText: t.on_accent, roles.ToolTipBase: t.raised, roles.ToolTipText:
        t.text,
        roles.PlaceholderText: t.muted, roles.Link: t.accent, roles.LinkVisited: t.accent, roles.Accent: t.accent,
        roles.Light: t.raised, roles.Midlight: t.line, roles.Mid: t.line, roles.Dark: t.line, roles.Shadow: t.window,
    }.items():
        palette.setColor(role, QColor(value))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(t.faint))
    return palette
