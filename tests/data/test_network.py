"""Data from a network: against a server of our own on this machine, and without one."""

import gzip
import http.server
import io
import json
import struct
import threading

import numpy as np
import polars
import pytest

from nndesigner.data import fetching, network
from nndesigner.data.arff import read_arff
from nndesigner.data.dataset import DataError
from nndesigner.data.network import Download, OpenML
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import Cancelled, quiet

ARFF = """% a comment
@RELATION flowers
@attribute id numeric
@attribute 'petal, length' REAL
@attribute soil {clay, 'wet sand', '3'}
@attribute "kind" {rose,'dog\\'s rose'}
@DATA
1,0.5,clay,rose
2,?,'wet sand','dog\\'s rose'

3,1.5,'3',rose
4,1.5,clay
5,2.5, clay ,rose
"""


class Server:
    """Pages by path; `asked` is what was asked for."""

    def __init__(self):
        self.pages, self.asked = {}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                found = outer.pages.get(self.path)
                status, body, size = found if isinstance(found, tuple) else (404, b"", 0) if found is None else (
                    200, found, len(found))
                self.send_response(status)
                self.send_header("Content-Length", str(size))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch, tmp_path):
    made = Server()
    monkeypatch.setattr(network, "OPENML", made.address)
    monkeypatch.setattr(fetching, "download_folder", lambda: tmp_path / "downloads")
    monkeypatch.setattr(network, "download_folder", lambda: tmp_path / "downloads")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield made
    made.close()


def describe(server, number=61, **more):
    about = {"id": str(number), "name": "iris", "default_target_attribute": "kind", "row_id_attribute": "id", **more}
    server.pages[f"/data/{number}"] = json.dumps({"data_set_description": about}).encode()
    found = [{"did": number, "version": 1}, {"did": 7, "version": 0}]
    server.pages["/data/list/data_name/iris/status/active"] = json.dumps({"data": {"dataset": found}}).encode()


def parquet():
    out = io.BytesIO()
    polars.DataFrame({"id": range(30), "size": [i / 3 for i in range(30)], "kind": ["a", "b"] * 15}).write_parquet(out)
    return out.getvalue()


def test_by_name_and_by_number_and_then_without_a_network(server):
    describe(server, parquet_url=f"{server.address}/iris.pq", url=f"{server.address}/iris.arff")
    server.pages["/iris.pq"] = parquet()
    told = []
    dataset = OpenML(name="Iris").load(lambda fraction, text: told.append((fraction, text)))
    assert dataset.title == "iris (OpenML 61)"
    assert {c.name: c.role for c in dataset.columns} == {"id": "ignore", "size": "input", "kind": "target"}
    assert any(text.startswith("Fetching openml-61.parquet from 127.0.0.1") and fraction == 1.0
               for fraction, text in told)
    assert len(prepare(dataset, DataSettings()).train)
    server.asked.clear()
    assert OpenML(name="61").load(quiet).fingerprint == dataset.fingerprint
    server.pages.clear()
    assert OpenML(name="iris").load(quiet).fingerprint == dataset.fingerprint
    assert server.asked == []


def test_arff_where_there_is_no_parquet(server, tmp_path):
    describe(server, parquet_url=f"{server.address}/gone.pq", url=f"{server.address}/iris.arff")
    server.pages["/iris.arff"] = ARFF.encode()
    dataset = OpenML(name="61").load(quiet)
    assert [c.name for c in dataset.columns] == ["id", "petal, length", "soil", "kind"]
    assert dataset.column("soil").values.tolist() == ["clay", "wet sand", "3", "clay"]
    assert dataset.column("kind").values[1] == "dog's rose"
    np.testing.assert_array_equal(dataset.column("petal, length").values, [0.5, np.nan, 1.5, 2.5])
    assert "1 rows left out: the number of cells differs (line 12)." in dataset.notes
    for content, said in ((b"nothing", "is no ARFF file"), (ARFF.split("1,0.5")[0].encode() + b"{1 2}", "sparse"),
                          (ARFF.split("1,0.5")[0].encode(), "no rows")):
        (tmp_path / "a.arff").write_bytes(content)
        with pytest.raises(DataError, match=said):
            read_arff(tmp_path / "a.arff", quiet)


def test_columns_of_pixels_are_pictures(server):
    rng = np.random.default_rng(0)
    columns = {f"pixel{i + 1}": rng.integers(0, 256, 20) for i in range(64)} | {"kind": ["3", "8"] * 10}
    out = io.BytesIO()
    polars.DataFrame(columns).write_parquet(out)
    describe(server, parquet_url=f"{server.address}/m.pq")
    server.pages["/m.pq"] = out.getvalue()
    dataset = OpenML(name="iris").load(quiet)
    assert dataset.form == "images" and dataset.column("image").values.shape == (20, 8, 8, 1)
    assert dataset.column("image").values[4, 1, 2, 0] == columns["pixel11"][4]
    assert dataset.column("kind").role == "target"


@pytest.mark.parametrize("spoil,name,said", [
    (lambda s: None, "nothing", "OpenML knows no data set 'nothing'"),
    (lambda s: s.pages.update({"/data/list/data_name/iris/status/active": b"<html>"}), "iris", "cannot be understood"),
    (lambda s: s.pages.update({"/data/5": b'{"data_set_description": 3}'}), "5", "cannot be understood"),
    (lambda s: s.pages.update({"/data/61": (503, b"", 0)}), "61", "refuses to give the data"),
    (lambda s: s.pages.update({"/iris.pq": (200, parquet()[:100], 5000)}), "61", "broke off|not reached"),
    (lambda s: s.pages.update({"/iris.pq": b"PAR1 no"}), "61", "is no Parquet file"),
    (lambda s: s.pages.update({"/iris.pq": (200, b"", 9 << 30)}), "61", "more than 8 GB"),
    (lambda s: None, " ", "Type the name or number"),
])
def test_what_goes_wrong_is_a_sentence(server, tmp_path, spoil, name, said):
    describe(server, parquet_url=f"{server.address}/iris.pq")
    server.pages["/iris.pq"] = parquet()
    spoil(server)
    with pytest.raises(DataError, match=said):
        OpenML(name=name).load(quiet)
    assert not list(tmp_path.rglob("*.part"))


def test_without_a_network(monkeypatch, tmp_path):
    monkeypatch.setattr(fetching, "download_folder", lambda: tmp_path)
    monkeypatch.setattr(network, "OPENML", "http://127.0.0.1:9")  # where nobody answers
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DataError, match="This needs a network, but 127.0.0.1 was not reached .* open a file"):
        OpenML(name="iris").load(quiet)
    for address in ("file:///etc/passwd", "ftp://x/y", "iris.csv", "http://[", "https://"):
        with pytest.raises(DataError, match="is no address of a file"):
            Download(address=address).load(quiet)


def test_cancelling_leaves_nothing(server, tmp_path):
    server.pages["/big.csv"] = b"a,b\n" + b"1,2\n" * 100_000

    def stop(fraction, text):
        if text.startswith("Fetching"):
            raise Cancelled

    with pytest.raises(Cancelled):
        Download(address=f"{server.address}/big.csv").load(stop)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(Download(address=f"{server.address}/big.csv").load(quiet)) == 100_000


def test_sets_of_idx_files_find_each_other(server):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 6, 6), dtype=np.uint8)
    files = {"train-images-idx3-ubyte.gz": struct.pack(">BBBBIII", 0, 0, 8, 3, 12, 6, 6) + pixels.tobytes(),
             "train-labels-idx1-ubyte.gz": struct.pack(">BBBBI", 0, 0, 8, 1, 12) + bytes(i % 3 for i in range(12))}
    for name, content in files.items():
        server.pages[f"/{name}"] = gzip.compress(content)
    dataset = Download(address=" ".join(f"{server.address}/{name}" for name in files)).load(quiet)
    np.testing.assert_array_equal(dataset.columns[0].values[..., 0], pixels)
    assert dataset.columns[1].categories == ("0", "1", "2")
    with pytest.raises(DataError, match="There is no file at"):
        Download(address=f"{server.address}/none.csv").load(quiet)
