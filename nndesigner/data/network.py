"""Data that are fetched when they are wanted: from OpenML by name or number, or from any address."""

from __future__ import annotations

import hashlib
import shutil
import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nndesigner.data.arff import read_arff
from nndesigner.data.csv_file import table_dataset
from nndesigner.data.csv_text import TextTable
from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.encoding import texts_of
from nndesigner.data.fetching import asked, download_folder, fetched
from nndesigner.data.source import Progress, Source, source_for
from nndesigner.data.table_file import read_table
from nndesigner.spec import param

OPENML = "https://www.openml.org/api/v1/json"
#: so many columns of numbers, named by pixels, are pictures
SIDES = {784: 28, 1024: 32, 256: 16, 64: 8}


class OpenML(Source):
    """A table from OpenML, the public collection of thousands of data sets, by its name or number.

    Examples: iris (61), titanic (40945), credit-g (31), mnist_784 (554). Fetched once, then kept; needs a network only
    the first time. What OpenML says of the target and of columns to ignore is followed.
    """

    kind = "openml.v1"
    title = "OpenML"
    group = "Network"
    icon = "mdi6.cloud-download-outline"
    keywords = ("download", "online", "internet", "table", "benchmark", "mnist", "titanic", "repository")
    form = "table"

    name: str = param("", "Name or number", "Name of the data set, such as iris, or its number on openml.org.")
    version: int = param(0, "Version", "Which version of a name. 0: the newest that is in use.", ge=0, le=1000)

    def load(self, progress: Progress) -> Dataset:
        wanted = self.name.strip()
        if not wanted:
            raise DataError("Type the name or number of a data set on openml.org, for example iris or 61.")
        progress(None, f"Asking OpenML for {wanted}")
        try:
            about = self._about(wanted, progress)
            table, nominal = _table(about, progress)
        except LookupError as error:
            version = f" in version {self.version}" if self.version else ""
            raise DataError(f"OpenML knows no data set '{wanted}'{version}. Look its name or number up on openml.org."
                            ) from error
        dataset = table_dataset(table, ".", progress)
        return _as_described(replace(dataset, title=f"{about['name']} (OpenML {about['id']})"), about, nominal)

    def _about(self, wanted: str, progress: Progress) -> dict[str, Any]:
        """What OpenML tells of the data set. Raises LookupError."""
        if not wanted.isdecimal():
            version = f"/data_version/{self.version}" if self.version else "/status/active"
            quoted = urllib.parse.quote(wanted.lower(), safe="")
            found = asked(f"{OPENML}/data/list/data_name/{quoted}{version}", progress)
            try:
                wanted = str(max((int(d["version"]), int(d["did"])) for d in found["data"]["dataset"])[1])
            except (KeyError, TypeError, ValueError) as error:
                raise LookupError(wanted) from error
        about = asked(f"{OPENML}/data/{wanted}", progress)
        try:
            described = dict(about["data_set_description"])
            return {**described, "id": str(described["id"]), "name": str(described["name"])}
        except (KeyError, TypeError, ValueError) as error:
            raise DataError("The answer of OpenML cannot be understood. Try again later.") from error


def _table(about: Mapping[str, Any], progress: Progress) -> tuple[TextTable, frozenset[str]]:
    """(the cells, names of the columns that hold categories, where the file tells). Raises LookupError."""
    parquet, arff = about.get("parquet_url"), about.get("url")
    name = f"openml-{about['id']}"
    if parquet:
        try:
            return read_table(str(fetched(str(parquet), progress, f"{name}.parquet")), progress), frozenset()
        except LookupError:
            if not arff:
                raise
    if not arff:
        raise DataError(f"OpenML has no file for '{about['name']}'. Choose another version.")
    return read_arff(fetched(str(arff), progress, f"{name}.arff"), progress)


def _as_described(dataset: Dataset, about: Mapping[str, Any], nominal: frozenset[str]) -> Dataset:
    """Roles as OpenML tells them, and pictures from columns of pixels."""
    targets = _names(about.get("default_target_attribute"))
    ignored = {*_names(about.get("row_id_attribute")), *_names(about.get("ignore_attribute"))}
    columns: list[Column] = []
    for column in dataset.columns:
        role = column.role
        if targets & {c.name for c in dataset.columns}:
            role = "target" if column.name in targets else "input" if role == "target" else role
        if column.name in ignored:
            role = "ignore"
        if column.name in nominal and column.kind == "number":
            column = replace(column, kind="category", values=texts_of(column.values))
        columns.append(replace(column, role=role))
    return _with_pictures(replace(dataset, columns=tuple(columns)))


def _with_pictures(dataset: Dataset) -> Dataset:
    """Columns pixel1, pixel2 ... of whole numbers to 255 become one picture."""
    pixels = [c for c in dataset.columns if c.name.lower().startswith("pixel") and c.kind == "number"]
    side = SIDES.get(len(pixels))
    if side is None:
        return dataset
    values = np.stack([c.values for c in pixels], axis=1)
    if not ((values >= 0) & (values <= 255) & (values % 1 == 0)).all():
        return dataset
    image = Column("image", "image", "input", values.astype(np.uint8).reshape(-1, side, side, 1), limits=(0, 255))
    others = tuple(c for c in dataset.columns if c not in pixels)
    note = f"{len(pixels)} columns of pixels are taken as pictures of {side} × {side}."
    return replace(dataset, form="images", columns=(image, *others), notes=(*dataset.notes, note))


def _names(value: Any) -> set[str]:
    """Names of columns, given as a list or separated by commas."""
    if isinstance(value, list):
        return {str(name) for name in value}
    return {name.strip() for name in str(value or "").split(",") if name.strip()}


class Download(Source):
    """A file from an address: a table, arrays, or pictures in the IDX format of MNIST.

    Fetched once, then kept; needs a network only the first time. Of IDX files give all addresses, separated by spaces:
    train-images…, train-labels…, and those of the test part. What the files hold is guessed as of a file on the disk.
    """

    kind = "download.v1"
    title = "From an address"
    group = "Network"
    icon = "mdi6.link-variant"
    keywords = ("download", "url", "online", "internet", "csv", "idx", "mnist", "fashion", "http")
    form = "table"

    address: str = param("", "Address", "Where the file is (https://…). Several are separated by spaces; the first is "
                         "opened, the others lie beside it.")

    def load(self, progress: Progress) -> Dataset:
        addresses = self.address.split()
        if not addresses:
            raise DataError("Type the address of a file, for example https://… .csv, .parquet, .npz or …-ubyte.gz.")
        paths = []
        for address in addresses:
            try:
                paths.append(fetched(address, progress))
            except LookupError as error:
                raise DataError(f"There is no file at {address}. Correct the address.") from error
        first = paths[0] if len(paths) == 1 else _together(addresses, paths)
        source = source_for(first)
        if source is None:
            raise DataError(f"'{first.name}' is of no kind that can be read: tables, arrays and IDX files can.")
        return source.load(progress)


def _together(addresses: list[str], paths: list[Path]) -> Path:
    """The first of several fetched files, in a folder with links to all of them: sets of IDX files lie side by side."""
    folder = download_folder() / hashlib.sha256(" ".join(addresses).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        if not (folder / path.name).is_file():
            try:
                (folder / path.name).hardlink_to(path)
            except OSError:  # a file system without links
                shutil.copyfile(path, folder / path.name)
    return folder / paths[0].name
