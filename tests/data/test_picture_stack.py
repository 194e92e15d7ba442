"""Several pictures in one file, and labels beside them."""

import numpy as np
import pytest
from PIL import Image

from nndesigner.data.dataset import DataError
from nndesigner.data.picture_stack import PictureStack
from nndesigner.data.preparing import DataSettings, prepare
from nndesigner.data.source import quiet, source_for

FRAMES = [np.full((20, 30), 8 * i, dtype=np.uint8) for i in range(24)]


def stack(path):
    pictures = [Image.fromarray(frame) for frame in FRAMES]
    pictures[0].save(path, save_all=True, append_images=pictures[1:])
    return path


@pytest.mark.parametrize("name", ["a.tif", "a.gif"])
def test_every_page_is_a_sample(tmp_path, name):
    source = source_for(stack(tmp_path / name))
    assert isinstance(source, PictureStack)
    dataset = source.replaced(height=8, width=12).load(quiet)
    values = dataset.column("image").values
    assert values.shape == (24, 8, 12, 1)
    np.testing.assert_allclose(values[:, 4, 4, 0], [8 * i for i in range(24)], atol=1)
    prepared = prepare(dataset, DataSettings())
    assert prepared.test.rows.min() > prepared.validation.rows.max() > prepared.train.rows.max()
    assert source.replaced(colour="colour").load(quiet).column("image").values.shape[-1] == 3


def test_labels_beside(tmp_path):
    stack(tmp_path / "a.tif")
    (tmp_path / "labels.csv").write_text("frame,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(24)))
    source = PictureStack(path=str(tmp_path / "a.tif"), labels=str(tmp_path / "labels.csv"))
    target = source.load(quiet).columns[-1]
    assert target.role == "target" and target.values[:3].tolist() == ["a", "b", "a"]
    (tmp_path / "labels.csv").write_text("label\na\nb\n")
    with pytest.raises(DataError, match="has 2 rows, but there are 24 pictures"):
        source.load(quiet)


def test_what_is_no_stack(tmp_path):
    Image.fromarray(FRAMES[0]).save(tmp_path / "one.tif")
    assert source_for(tmp_path / "one.tif") is None
    with pytest.raises(DataError, match="holds only one picture"):
        PictureStack(path=str(tmp_path / "one.tif")).load(quiet)
    content = stack(tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(content[:len(content) * 2 // 3])
    try:
        dataset = PictureStack(path=str(tmp_path / "a.gif")).load(quiet)
        assert 2 <= len(dataset) < 24
    except DataError as error:
        assert "a.gif" in str(error)
