"""Token inputs: the vocabulary of an Embedding must hold all tokens of the data."""

from nndesigner.graph.check import check
from nndesigner.graph.edit import set_params
from nndesigner.graph.templates import propose
from nndesigner.spec import DataField, Shape, Signature


def signature(tokens, length=20):
    return Signature((
        DataField("text", "input", Shape("T", (length,), integer=True), tokens=tokens),
        DataField("target", "target", Shape("F", (3,)), "class", ("a", "b", "c"))))


def test_a_small_vocabulary_is_a_problem_with_a_cure():
    graph = propose(signature(500))
    assert not check(graph, signature(500)).problems
    before = check(graph, signature(500))
    (problem,) = check(graph, signature(800), before).problems
    assert problem.severity == "error" and "800 tokens" in problem.text
    assert not check(problem.repairs[0].apply(graph), signature(800)).problems
    embedding = next(n.id for n in graph.nodes if n.layer.kind == "embedding.v1")
    assert not check(set_params(graph, embedding, vocabulary=9000), signature(800)).problems


def test_long_texts_get_convolutions():
    kinds = [n.layer.kind for n in propose(signature(500, 200)).nodes]
    assert "conv1d.v1" in kinds and "gru.v1" not in kinds
    assert not check(propose(signature(500, 200)), signature(500, 200)).problems
