"""Texts painted as their tokens: each on a ground of its own, unknown ones marked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from nndesigner.ui import theme

_ROW, _GAP = 17, 2
_SHOWN = {" ": "␣", "\n": "↵", "\t": "⇥"}


def paint_tokens(painter: QPainter, rect: QRectF, tokens: Sequence[tuple[str, bool]]) -> float:
    """Draw (token, known) pairs from the top left in rows; returns the height used. What does not fit is left out."""
    t = theme.current()
    painter.setFont(theme.font(theme.CAPTION))
    metrics = QFontMetricsF(painter.font())
    x, y = rect.left(), rect.top()
    for i, (token, known) in enumerate(tokens):
        text = "".join(_SHOWN.get(letter, letter) for letter in token)
        width = metrics.horizontalAdvance(text) + 6
        if x + width > rect.right() and x > rect.left():
            x, y = rect.left(), y + _ROW + _GAP
        if y + _ROW > rect.bottom() + 1:
            break
        place = QRectF(x, y, min(width, rect.width()), _ROW)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(t.accent if known else t.warning_text, 0.26 if i % 2 else 0.14))
        painter.drawRoundedRect(place, 3, 3)
        painter.setPen(theme.colour(t.text if known else t.warning_text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        x += width + _GAP
    return y + _ROW - rect.top()
