"""The sheet of decoded pictures, and the same by the command line."""

import json

import pytest
from typer.testing import CliRunner

from nndesigner.cli.commands import app
from nndesigner.data import picture_cache
from nndesigner.ui import cache_sheet
from nndesigner.ui.cache_sheet import CacheSheet


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_cache, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(cache_sheet, "cache_folder", lambda: tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    for name in ("a", "b"):
        (tmp_path / "cache" / f"{name}.pixels").write_bytes(b"x" * (1 << 20))
        (tmp_path / "cache" / f"{name}.marks").write_bytes(b"x")
    return tmp_path / "cache"


def test_what_is_kept_is_told_limited_and_deleted(qtbot, themed, folder):
    sheet = CacheSheet(None)
    qtbot.addWidget(sheet)
    sheet.show()
    assert sheet.size.text() == "2.0\u202fMB" and sheet.folder.text() == str(folder) and sheet.limit.value() == 20
    sheet.limit.setValue(0.0)
    assert picture_cache.cache_limit() == 0 and not list(folder.glob("*.pixels")), "what is above the limit goes"
    sheet.limit.setValue(1.5)
    assert picture_cache.cache_limit() == 3 << 29 and not sheet.clear.isEnabled()
    (folder / "c.pixels").write_bytes(b"x" * 100)
    again = CacheSheet(None)
    qtbot.addWidget(again)
    again.clear.click()
    assert picture_cache.cache_size() == 0 and again.limit.value() == 1.5


def test_the_command_line_tells_the_same(folder):
    found = json.loads(CliRunner().invoke(app, ["cache", "--limit", "2", "--json"]).stdout)
    assert found["limit"] == 2 << 30 and found["bytes"] >= 2 << 20
    assert CliRunner().invoke(app, ["cache", "--clear"]).exit_code == 0
    assert picture_cache.cache_size() == 0


def test_a_limit_that_is_no_number_counts_as_none(folder):
    (folder / "limit").write_text("much")
    assert picture_cache.cache_limit() == picture_cache.LIMIT
