"""Small pictures of sources: their own data, not an icon, where data come along."""

import pytest
from PySide6.QtGui import QImage

from nndesigner.data.source import Source
from nndesigner.ui import theme
from nndesigner.ui.data_preview import source_thumbnail

BUILT_IN = [source for source in Source.all() if source.group == "Built in"]


def colours(picture: QImage) -> set[int]:
    return {picture.pixel(x, y) & 0xFFFFFF for x in range(picture.width()) for y in range(picture.height())
            if picture.pixelColor(x, y).alpha() > 200}


@pytest.mark.parametrize("source", BUILT_IN, ids=lambda source: source.kind)
def test_a_source_that_brings_its_data_shows_them(themed, source):
    muted = theme.colour(theme.current().muted).rgb() & 0xFFFFFF
    found = colours(source_thumbnail(source, "dark", 76, 1.0).toImage())
    assert len(found) > 2 or found and muted not in found
