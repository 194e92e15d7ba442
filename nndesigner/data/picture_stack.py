"""Pictures that lie in one file: the pages of a TIFF, the frames of an animation."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from nndesigner.data.csv_file import TARGET_NAMES, table_column
from nndesigner.data.csv_text import read_text_table
from nndesigner.data.dataset import Column, DataError, Dataset, Fit
from nndesigner.data.pictures import brought_to, open_picture, upright
from nndesigner.data.source import Progress, Source
from nndesigner.spec import param

MAX_BYTES = 2 << 30


class PictureStack(Source):
    """The pages of a TIFF file or the frames of a GIF or WEBP animation, each a picture.

    A CSV file with one row for each picture, in their order, may tell their labels or values; else there are only
    pictures, as for an autoencoder, and the last ones test, because neighbours in time are much alike.
    """

    kind = "picture_stack.v1"
    title = "Stack of pictures"
    group = "Files"
    icon = "mdi6.layers-outline"
    keywords = ("tiff", "gif", "animation", "pages", "frames", "microscopy", "volume", "video", "own data")
    form = "images"
    suffixes = (".tif", ".tiff", ".gif")

    path: str = param("", "File", "The TIFF, GIF or WEBP file.", editor="file")
    height: int = param(
        64, "Height", "Height to which pictures are brought. Higher: more detail, slower training.", ge=4, le=1024,
        unit="pixels")
    width: int = param(
        64, "Width", "Width to which pictures are brought. Higher: more detail, slower training.", ge=4, le=1024,
        unit="pixels")
    colour: Literal["colour", "grey"] = param("grey", "Colour", "Grey pictures have a third of the values; keep "
                                              "colour where it tells something.")
    labels: str = param("", "Labels", "A CSV file with one row for each picture. Empty: none.", editor="file")
    fit: Fit = param("crop", "Proportions", "What happens to pictures of other proportions.", labels={
        "crop": "cut to the middle", "pad": "keep whole, fill the edge", "stretch": "stretch"})

    @classmethod
    def reads(cls, path: Path) -> bool:
        if not (path.is_file() and super().reads(path)):
            return False
        try:
            with open_picture(str(path)) as opened:
                return getattr(opened, "n_frames", 1) > 1
        except DataError:
            return False

    def load(self, progress: Progress) -> Dataset:
        name = Path(self.path).name
        channels = 1 if self.colour == "grey" else 3
        with open_picture(self.path) as opened:
            count = getattr(opened, "n_frames", 1)
            if count < 2:
                raise DataError(f"'{name}' holds only one picture. Choose a folder of pictures instead.")
            if count * self.height * self.width * channels > MAX_BYTES:
                raise DataError(f"'{name}' holds {count:,} pictures, which would take more than {MAX_BYTES >> 30} GB. "
                                "Choose a smaller height and width.")
            values = np.empty((count, self.height, self.width, channels), dtype=np.uint8)
            notes: list[str] = []
            for i in range(count):
                progress(i / count, f"Reading picture {i + 1:,} of {count:,}")
                try:
                    opened.seek(i)
                    picture = upright(opened.copy(), channels == 3)
                except (OSError, SyntaxError, EOFError, ValueError) as error:
                    notes.append(f"'{name}' is damaged from picture {i + 1:,} on ({error}); {count - i:,} pictures "
                                 "left out.")
                    values = values[:i]
                    break
                values[i] = brought_to(picture, self.height, self.width, channels, self.fit)
        if len(values) < 2:
            raise DataError(f"'{name}' is damaged: no two of its {count:,} pictures can be read.")
        columns = [Column("image", "image", "input", values, limits=(0, 255), fit=self.fit)]
        if self.labels:
            columns.append(self._labels(count, progress, notes, len(values)))
        return Dataset(name, "images", tuple(columns), tuple(notes), span=0 if self.labels else 1)

    def _labels(self, count: int, progress: Progress, notes: list[str], kept: int) -> Column:
        """The target from the table beside."""
        table = read_text_table(self.labels, "auto", "auto", progress)
        notes += table.notes
        if len(table.lines) != count:
            raise DataError(f"'{table.file}' has {len(table.lines):,} rows, but there are {count:,} pictures. It needs "
                            "one row for each, in their order.")
        named = {name.strip().casefold(): i for i, name in reversed(list(enumerate(table.names)))}
        place = next((named[name] for name in TARGET_NAMES if name in named), len(table.names) - 1)
        column = table_column(table, place, "auto", notes)
        return Column(column.name, column.kind, "target", column.values[:kept])
