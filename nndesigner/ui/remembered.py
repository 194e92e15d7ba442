"""Reading what was remembered between two starts. It may be anything: people and other versions write it too."""

from __future__ import annotations

from PySide6.QtCore import QSettings


def texts(key: str) -> list[str]:
    """A list of texts. Qt reads a list of one back as a single text; what is no list of texts counts as empty."""
    value = QSettings().value(key)
    if isinstance(value, str):
        return [value] if value else []
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
