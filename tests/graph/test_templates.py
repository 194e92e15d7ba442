"""The ready-made drawings fit their data, and a network can be proposed for any data."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndesigner.graph import templates
from nndesigner.graph.check import check
from nndesigner.graph.folding import drawn, unfold
from nndesigner.graph.model import NODE_H, NODE_W, Graph
from nndesigner.spec import DataField, Shape, Signature
from tests.graph.drawings import assert_sound, data, texts


def classes(count: int, name: str = "target") -> DataField:
    return DataField(name, "target", Shape("F", (count,)), "class", tuple(map(str, range(count))))


def field(axes: str, *dims: int, name: str = "features") -> DataField:
    return DataField(name, "input", Shape(axes, dims))


NUMBER = DataField("target", "target", Shape("F", (1,)))
DIGITS = (field("HWC", 8, 8, 1, name="image"), classes(10))

TEMPLATES = [
    (templates.two_d_classifier, data(field("F", 2), classes(2)), "classification"),
    (templates.digits_dense, data(*DIGITS), "classification"),
    (templates.digits_convolution, data(*DIGITS), "classification"),
    (templates.curve_regression, data(field("F", 1), NUMBER), "regression"),
    (templates.iris_table, data(field("F", 4), classes(3)), "classification"),
    (templates.digits_autoencoder, data(*DIGITS), "reconstruction"),
    (templates.digits_vae, data(*DIGITS), "reconstruction"),
]


def assert_apart(graph: Graph) -> None:
    """Nothing lies on another, with groups as boxes and after all of them were opened."""
    for number, group in enumerate((None, *graph.groups)):
        graph = graph if group is None else unfold(graph, group.id)
        if number in (0, len(graph.groups)):
            _assert_apart(graph)


def _assert_apart(graph: Graph) -> None:
    places = [(n.x, n.y) for n in drawn(graph).graph.nodes]
    assert all(abs(x - a) >= NODE_W or abs(y - b) >= NODE_H for k, (x, y) in enumerate(places) for a, b in places[:k])


@pytest.mark.parametrize(("make", "signature", "task"), TEMPLATES, ids=[t[0].__name__ for t in TEMPLATES])
def test_a_template_trains_on_its_data_without_a_word(make, signature: Signature, task: str):
    checked = check(make(), signature)
    assert not checked.problems and checked.trainable
    assert [h.task for h in checked.heads.values()] == [task]
    assert_sound(checked.graph)
    assert_apart(checked.graph)
    # and can be looked at before there are data
    alone = check(make(), Signature())
    assert texts(alone) == ["Choose data to train on."] and alone.shapes == checked.shapes


def test_the_autoencoder_squeezes():
    checked = check(templates.digits_autoencoder(), data(*DIGITS))
    code = next(n for n in checked.graph.nodes if n.title == "Code")
    assert checked.shapes[code.id].size < 64 / 4


def test_proposals_for_usual_data():
    def kinds(*fields: DataField) -> list[str]:
        return [n.layer.kind.split(".")[0] for n in templates.propose(data(*fields)).nodes]

    assert kinds(field("F", 13), classes(3)) == ["input", "dense", "dropout", "dense", "output"]
    assert kinds(field("F", 2), classes(2)) == ["input", "dense", "dense", "dense", "output"]
    assert kinds(*DIGITS)[:4] == ["input", "conv2d", "conv2d", "maxpool2d"]
    assert kinds(field("F", 9))[-1] == "output"
    assert kinds() == []
    pixels = DataField("target", "target", Shape("HWC", (24, 32, 3)), "class", ("a", "b", "c"))
    found = kinds(field("HWC", 24, 32, 1), pixels)
    assert found.count("maxpool2d") == found.count("upsampling2d") == found.count("concatenate") == 2
    text = DataField("target", "target", Shape("TF", (4, 12)), "text", tuple("0123456789ab"))
    for source, first in ((field("HWC", 32, 160, 1), "conv2d"), (field("TF", 8000, 1), "conv1d"),
                          (field("TF", 40, 3), "conv1d")):
        found = kinds(source, text)
        assert found[1] == first and found[-4:] == ["gru", "dropout", "dense", "output"]
        shapes = check(templates.propose(data(source, text)), data(source, text)).shapes
        (steps, scores), = {s.dims for s in shapes.values() if s.dims[1:] == (12,)}
        assert 16 <= steps <= 64 and scores == 12
    odd = DataField("target", "target", Shape("HWC", (25, 32, 3)), "class", ("a", "b", "c"))
    assert "maxpool2d" not in kinds(field("HWC", 25, 32, 1), odd)


@st.composite
def _signatures(draw: st.DrawFn) -> Signature:
    shape = st.one_of(
        st.builds(lambda a: Shape("F", (a,)), st.integers(1, 300)),
        st.builds(lambda h, w, c: Shape("HWC", (h, w, c)), st.integers(1, 70), st.integers(1, 70), st.integers(1, 4)),
        st.builds(lambda t, f: Shape("TF", (t, f)), st.integers(1, 40), st.integers(1, 6)),
    )
    inputs = [DataField(f"in{k}", "input", s) for k, s in enumerate(draw(st.lists(shape, min_size=1, max_size=3)))]
    counts = draw(st.lists(st.integers(1, 12), max_size=2))
    targets = [
        classes(n, f"out{k}") if n > 1 and draw(st.booleans()) else DataField(f"out{k}", "target", Shape("F", (n,)))
        for k, n in enumerate(counts)
    ]
    if draw(st.integers(0, 3)) == 0:
        length, tokens = draw(st.integers(1, 9)), draw(st.integers(3, 9))
        names = ("<pad>", "<unk>", *"abcdefg")[:tokens]
        targets = [*targets[:draw(st.integers(0, 1))],
                   DataField("text", "target", Shape("TF", (length, tokens)), "text", names)]
    if draw(st.integers(0, 9)) == 0:
        targets.append(DataField("picture", "target", draw(shape)))
    return Signature((*inputs, *targets))


@settings(max_examples=80, deadline=None)
@given(_signatures())
def test_a_proposal_fits_whatever_the_data_are(signature: Signature):
    checked = check(templates.propose(signature), signature)
    assert checked.trainable and not checked.problems, texts(checked)
    used = signature.inputs if signature.targets else signature.inputs[:1]
    assert set(checked.inputs.values()) == {f.name for f in used}
    assert {h.target for h in checked.heads.values()} >= {f.name for f in signature.targets}
    assert sum(checked.parameters.values()) < 30_000_000
    assert_sound(checked.graph)
    assert_apart(checked.graph)
