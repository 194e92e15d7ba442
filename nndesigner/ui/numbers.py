"""Numbers as people write them: 18.5 k, 1.9 M, 96 %, 21 s left."""

from __future__ import annotations

import math

#: a narrow gap that does not break, between a number and its unit
GAP = "\u202f"
#: what stands for a number that does not exist
NONE = "—"


def count(value: float) -> str:
    """A whole quantity in at most three or four figures: 320, 4.1 k, 131 k, 1.9 M."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995 and abs(value) >= 1000:
            scaled = value / size
            return f"{scaled:.0f}{GAP}{letter}" if abs(scaled) >= 99.95 else f"{scaled:.1f}{GAP}{letter}"
    return f"{value:.0f}"


def exact(value: int) -> str:
    """A whole number with its thousands apart: 4 120."""
    return f"{value:,}".replace(",", GAP)


def percent(share: float, digits: int = 0) -> str:
    """A share of one: 96 %."""
    return NONE if math.isnan(share) else f"{100 * share:.{digits}f}{GAP}%"


def measure(value: float) -> str:
    """A loss or a metric: about three figures, never exponents where people do not write them."""
    if math.isnan(value):
        return NONE
    size = abs(value)
    if size >= 100_000 or 0 < size < 0.0005:
        return f"{value:.1e}"
    return f"{value:.0f}" if size >= 1000 else f"{value:.3g}" if size >= 1 else f"{value:.3f}"


def plain(value: float) -> str:
    """A parameter's value for editing: no needless zeros, exponents only for the very small or large."""
    if value == int(value) and abs(value) < 1e15:
        return f"{value:.1f}" if abs(value) < 1e6 else f"{value:g}"
    text = f"{value:.10g}"
    return text


def duration(seconds: float) -> str:
    """How long: 0.4 s, 21 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 0.05:
        return f"under 0.1{GAP}s"
    if seconds < 1:
        return f"{seconds:.1f}{GAP}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{GAP}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{GAP}min" + (f" {rest}{GAP}s" if rest and minutes < 10 else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{GAP}h" + (f" {minutes}{GAP}min" if minutes else "")
