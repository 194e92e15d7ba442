"""Parquet, JSON lines and Excel tables, and dates in any table."""

import datetime
import json
import zipfile

import numpy as np
import polars
import pytest

from nndesigner.data import source_for
from nndesigner.data.csv_file import read_inputs
from nndesigner.data.dataset import DataError
from nndesigner.data.dates import days_of, text_of_days
from nndesigner.data.encoding import Preparation
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet
from nndesigner.data.table_file import TableFile

START = datetime.datetime(2023, 1, 1)


def frame(count=900):
    rng = np.random.default_rng(0)
    moments = [START + datetime.timedelta(hours=6 * i) for i in range(count)]
    return polars.DataFrame({
        "when": moments, "size": rng.normal(size=count), "colour": rng.choice(["red", "blue"], count).tolist(),
        "few": [[1, 2]] * count, "target": rng.choice(["yes", "no"], count).tolist()})


def test_parquet(tmp_path):
    frame().write_parquet(tmp_path / "a.parquet")
    source = source_for(tmp_path / "a.parquet")
    data = source.load(quiet)
    assert [(c.name, c.kind, c.role) for c in data.columns] == [
        ("when", "date", "input"), ("size", "number", "input"), ("colour", "category", "input"),
        ("target", "category", "target")]
    assert any("'few' holds List" in note for note in data.notes)
    np.testing.assert_array_equal(data.column("size").values, frame()["size"].to_numpy())
    prepared = prepare(data, DataSettings(source=source))
    names = prepared.preparation.fields[0].feature_names
    assert names[:7] == ("when", "when in the week (sine)", "when in the week (cosine)", "when in the day (sine)",
                         "when in the day (cosine)", "size", "colour = blue") or "when in the year (sine)" in names
    features = prepared.train.arrays["features"]
    at = names.index("when in the day (sine)")
    np.testing.assert_allclose(np.square(features[:, at:at + 2]).sum(axis=1), 1, atol=1e-5)
    again = Preparation.from_json(prepared.preparation.to_json(), prepared.preparation.arrays())
    row = int(prepared.train.rows[0])
    typed = again.encode({"when": np.array([str(START + datetime.timedelta(hours=6 * row))], dtype=object),
                          "size": data.column("size").values[row:row + 1],
                          "colour": data.column("colour").values[row:row + 1]})
    np.testing.assert_array_equal(typed["features"][0], features[0])
    found = read_inputs(str(tmp_path / "a.parquet"), prepared.preparation.inputs)
    np.testing.assert_array_equal(again.encode(found.columns, prepared.train.rows)["features"], features)


def test_json_lines_with_faults(tmp_path):
    lines = [json.dumps({"a": i, "b": f"x{i % 3}", "y": i % 2}) for i in range(60)]
    lines[4:4] = ["{broken", "[1, 2]", ""]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    data = source_for(tmp_path / "a.jsonl").load(quiet)
    assert len(data) == 60 and data.column("y").role == "target"
    assert any(note.startswith("2 lines left out. The first fault: line 5:") for note in data.notes)
    (tmp_path / "b.jsonl").write_text("nothing\n")
    with pytest.raises(DataError, match="'b.jsonl' holds no JSON lines"):
        source_for(tmp_path / "b.jsonl").load(quiet)


def test_broken_tables_are_sentences(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="'a.parquet' is no Parquet file"):
        source_for(tmp_path / "a.parquet").load(quiet)
    (tmp_path / "a.xlsx").write_bytes(b"PK no")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match="save the sheet as CSV"):
        source_for(tmp_path / "a.xlsx").load(quiet)


@pytest.mark.parametrize("written,days", [
    ("2024-03-01", 19783.0), ("2024-03-01T12:00:00", 19783.5), ("2024-03-01T12:00:00Z", 19783.5),
    ("01.03.2024", 19783.0), ("2024/03/01", 19783.0), ("2024-03-01 06:00", 19783.25), ("2024-03", 19783.0)])
def test_dates_as_people_write_them(written, days):
    assert days_of(np.array([written, None], dtype=object), "d")[0] == days
    assert days_of(np.array([text_of_days(days)], dtype=object), "d")[0] == days
    with pytest.raises(DataError, match="row 2: 'soon' is no date"):
        days_of(np.array([written, "soon"], dtype=object), "d")


def test_a_column_of_parts_fixes_the_parts(tmp_path):
    rows = [f"{i * 0.37 % 5},{'ab'[i % 2]},{'test' if i > 40 else 'train'}" for i in range(60)]
    (tmp_path / "a.csv").write_text("x,y,split\n" + "\n".join(rows))
    data = source_for(tmp_path / "a.csv").load(quiet)
    found = prepare(data, DataSettings())
    np.testing.assert_array_equal(found.test.rows, np.arange(41, 60))
    assert data.column("split").role == "ignore" and data.column("y").role == "target"


def test_numbers_and_categories_are_no_dates(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,y\n" + "\n".join(f"{2000 + i},{i}-{i},{i % 2}" for i in range(30)))
    kinds = {c.name: c.kind for c in source_for(tmp_path / "a.csv").load(quiet).columns}
    assert kinds == {"a": "number", "b": "category", "y": "number"}


def excel(path, **sheets):
    """An Excel file of rows of numbers and texts, by the few parts of the format that a reader needs."""
    def cell(value):
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    names = list(sheets)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        file.writestr("_rels/.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
                      f'Type="{rels}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        file.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{rels}"><sheets>' + "".join(
            f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in enumerate(names, 1)) + "</sheets></workbook>")
        file.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">' + "".join(
            f'<Relationship Id="r{i}" Type="{rels}/worksheet" Target="worksheets/sheet{i}.xml"/>'
            for i in range(1, len(names) + 1)) + "</Relationships>")
        for i, rows in enumerate(sheets.values(), 1):
            file.writestr(f"xl/worksheets/sheet{i}.xml", f'<worksheet xmlns="{main}"><sheetData>' + "".join(
                "<row>" + "".join(map(cell, row)) + "</row>" for row in rows) + "</sheetData></worksheet>")
    return str(path)


def test_sheets_of_excel_files(tmp_path):
    pytest.importorskip("fastexcel")
    head = [("size", "colour", "kind")]
    rows = [(i + 0.5, "red" if i % 2 else "blue", "a" if i % 3 else "b") for i in range(12)]
    other = [("p", "q"), *[(i, 2 * i) for i in range(9)]]
    path = excel(tmp_path / "a.xlsx", Empty=[], Flowers=head + rows, Other=other)
    dataset = TableFile(path=path).load(quiet)
    assert [c.name for c in dataset.columns] == ["size", "colour", "kind"] and len(dataset) == 12
    assert dataset.column("size").kind == "number" and dataset.column("size").values[1] == 1.5
    assert any("3 sheets; 'Flowers' was read. Others: Empty, Other" in note for note in dataset.notes)
    for name in ("Other", "3"):
        assert [c.name for c in TableFile(path=path, sheet=name).load(quiet).columns] == ["p", "q"]
    with pytest.raises(DataError, match="no sheet 'Trees'. Its sheets: Empty, Flowers, Other"):
        TableFile(path=path, sheet="Trees").load(quiet)
    with pytest.raises(DataError, match="has no rows"):
        TableFile(path=path, sheet="Empty").load(quiet)
