"""Tables larger than memory: the same answers as in memory, and a bound on what they take."""

import json
import subprocess
import sys

import numpy as np
import polars
import pytest

from nndesigner.data import csv_text, large_table, stored_table, table_file
from nndesigner.data.csv_file import Csv
from nndesigner.data.dataset import DataError
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.rows import EncodedRows
from nndesigner.data.source import Cancelled, quiet
from nndesigner.data.statistics import correlation, statistics
from nndesigner.data.stored_table import StoredColumn
from nndesigner.data.table_file import TableFile
from nndesigner.engine.device import Device
from nndesigner.graph.check import check
from nndesigner.graph.templates import propose
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer

ROWS = 3000


@pytest.fixture
def large(monkeypatch, tmp_path):
    """Every table is large, and is read a few rows at a time."""
    monkeypatch.setattr(stored_table, "table_folder", lambda: tmp_path / "tables")
    monkeypatch.setattr(large_table, "table_folder", lambda: tmp_path / "tables")

    def switch(on=True):
        monkeypatch.setattr(large_table, "STORE_FROM", 0 if on else 1 << 40)
        monkeypatch.setattr(table_file, "STORE_FROM", 0 if on else 1 << 40)

    monkeypatch.setattr(csv_text, "BLOCK", 4000)
    monkeypatch.setattr(table_file, "BLOCK_CELLS", 2000)
    monkeypatch.setattr(stored_table, "CHUNK", 3000)
    switch()
    return switch


def frame():
    rng = np.random.default_rng(3)
    size = rng.normal(1e6, 3.0, ROWS).round(3).tolist()
    size[7] = size[2000] = None
    colour = rng.choice(["red", "blue", "green, dark"], ROWS).tolist()
    colour[11] = None
    return polars.DataFrame({
        "size": size, "colour": colour, "day": [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(ROWS)],
        "name": [f"person {i}" for i in range(ROWS)], "weight": rng.normal(size=ROWS).round(4),
        "kind": rng.choice(["a", "b", "c"], ROWS)})


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_same_as_in_memory(large, tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    frame().write_csv(path) if ending == "csv" else frame().write_parquet(path)
    source = Csv(path=str(path)) if ending == "csv" else TableFile(path=str(path))
    settings = DataSettings(source=source)
    stored = source.load(quiet)
    assert all(isinstance(c.values, StoredColumn) for c in stored.columns)
    large(False)
    plain = source.load(quiet)
    assert [(c.name, c.kind, c.role) for c in stored.columns] == [(c.name, c.kind, c.role) for c in plain.columns]
    for a, b in zip(stored.columns, plain.columns):
        if a.kind == "category":
            assert a.values[:].tolist() == b.values.tolist() and a.values[5] == b.values[5]
        else:
            np.testing.assert_array_equal(a.values[:], b.values)
    one, two = prepare(stored, settings), prepare(plain, settings)
    assert one.signature == two.signature
    encoding = one.preparation.field("features"), two.preparation.field("features")
    np.testing.assert_allclose(encoding[0].offset, encoding[1].offset, rtol=1e-12)
    np.testing.assert_allclose(encoding[0].scale, encoding[1].scale, rtol=1e-9)
    assert isinstance(one.train.arrays["features"], EncodedRows)
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(one.part(part).rows, two.part(part).rows)
        np.testing.assert_allclose(
            one.part(part).arrays["features"][:], two.part(part).arrays["features"], rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(one.part(part).arrays["target"], two.part(part).arrays["target"])
    assert set(statistics(one.dataset)) == set(statistics(two.dataset)) and correlation(one.dataset)[0]


def test_training_reads_rows_ahead(large, tmp_path):
    frame().write_csv(tmp_path / "a.csv")
    source = Csv(path=str(tmp_path / "a.csv"))
    losses = []
    for on in (True, False):
        large(on)
        prepared = prepare(source.load(quiet), DataSettings(source=source))
        checked = check(propose(prepared.signature), prepared.signature)
        trainer = Trainer(checked, prepared, TrainSettings(epochs=2), Device("cpu"))
        trainer.run()
        trainer.close()
        losses.append(trainer.evaluate("test")["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_what_the_user_changes(large, tmp_path):
    frame().write_csv(tmp_path / "a.csv")
    source = Csv(path=str(tmp_path / "a.csv"))
    settings = DataSettings(roles={"weight": "target", "kind": "input", "name": "ignore"}, kinds={"size": "category"})
    prepared = prepare(source.load(quiet), settings)
    assert prepared.signature.targets[0].kind == "real"
    assert np.isfinite(prepared.train.arrays["features"][:20]).all()


def test_faults_are_counted_and_named(large, tmp_path):
    lines = ["size,kind"] + [f"{i / 7:.3f},{'ab'[i % 2]}" for i in range(1500)]
    lines[1201], lines[1301], lines[1302] = "much,a", "1,2,3", '5,"b"'
    (tmp_path / "a.csv").write_text("\n".join(lines))
    dataset = Csv(path=str(tmp_path / "a.csv")).load(quiet)
    assert len(dataset) == 1499
    assert any("1 row left out: the number of cells differs" in n and "(line 1302)" in n for n in dataset.notes)
    assert any("Column 'size': 1 values are no numbers and count as missing (line 1,202: 'much')" in n
               for n in dataset.notes)
    assert dataset.column("size").values.missing == 1 and np.isnan(dataset.column("size").values[1200])
    (tmp_path / "b.csv").write_text("a,b\n" + "1,2\n" * 3000 + "1,2,3\n" * 3000)
    with pytest.raises(DataError, match=r"'b.csv': the rows from line [\d,]+ on have 3 cells, those before 2"):
        Csv(path=str(tmp_path / "b.csv")).load(quiet)
    (tmp_path / "c.csv").write_bytes("a,b\n1,2\n".encode("utf-16"))
    with pytest.raises(DataError, match="Save it as UTF-8"):
        Csv(path=str(tmp_path / "c.csv")).load(quiet)


def test_it_is_kept_until_the_file_changes_and_cancelling_leaves_nothing(large, tmp_path):
    frame().write_csv(tmp_path / "a.csv")
    source = Csv(path=str(tmp_path / "a.csv"))

    def stop(fraction, text):
        if fraction and fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        source.load(stop)
    assert not list((tmp_path / "tables").iterdir())
    first = source.load(quiet)
    told = []
    again = source.load(lambda fraction, text: told.append(text))
    assert again.fingerprint == first.fingerprint and not told
    (tmp_path / "a.csv").write_text((tmp_path / "a.csv").read_text() + "1,red,2024-01-01,x,2,a\n")
    assert len(source.load(quiet)) == len(first) + 1 and source.load(quiet).fingerprint != first.fingerprint
    next((tmp_path / "tables").glob("*.rows")).write_bytes(b"")
    for path in (tmp_path / "tables").glob("*.json"):
        path.write_text("no json")
    assert len(source.load(quiet)) == len(first) + 1


def test_a_table_that_vanishes_while_it_is_used(large, tmp_path):
    frame().write_csv(tmp_path / "a.csv")
    prepared = prepare(Csv(path=str(tmp_path / "a.csv")).load(quiet), DataSettings())
    for path in (tmp_path / "tables").glob("*.rows"):
        path.unlink()
    with pytest.raises(DataError, match="has vanished while it was used"):
        prepared.train.arrays["features"][:5]


CHILD = """
import json, resource, sys
from pathlib import Path
from nndesigner.data import large_table, stored_table
folder = Path(sys.argv[1])
stored_table.table_folder = large_table.table_folder = lambda: folder / "tables"
large_table.STORE_FROM = 1 << 20
from nndesigner.data.csv_file import Csv
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet
import numpy as np
small = prepare(Csv(path=str(folder / "small.csv")).load(quiet), DataSettings())
small.train.arrays["features"][np.arange(50)]
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
prepared = prepare(Csv(path=str(folder / "large.csv")).load(quiet), DataSettings())
rows = prepared.train.arrays["features"]
for start in range(0, len(rows), 512):
    rows[np.arange(start, min(start + 512, len(rows)))]
print(json.dumps([before, peak(), len(rows), list(rows.shape)]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts resident memory as Linux does")
def test_memory_stays_below_the_size_of_the_file(tmp_path):
    """A file of 200 MB is prepared and read through once with less than 150 MB; in memory it took 1 GB."""
    rng = np.random.default_rng(0)
    row = "\n".join(",".join(f"{v:.5f}" for v in values) + f",{'xyz'[i % 3]}" for i, values in enumerate(
        rng.normal(size=(2000, 30))))
    head = ",".join([*(f"c{i}" for i in range(30)), "kind"]) + "\n"
    (tmp_path / "small.csv").write_text(head + f"{row}\n" * 10)
    with (tmp_path / "large.csv").open("w") as file:
        file.write(head)
        for _ in range(400):
            file.write(row + "\n")
    size = (tmp_path / "large.csv").stat().st_size
    done = subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    before, after, count, _ = json.loads(done.stdout)
    assert count == round(0.7 * 800_000) and size > 190 << 20
    assert after - before < 150 << 20 < size, f"{(after - before) >> 20} MB for a file of {size >> 20} MB"
