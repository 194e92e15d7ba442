"""What is typed into a Formula is read as arithmetic, or refused with the place of the fault."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndesigner.engine.gradcheck import bind_layer
from nndesigner.graph import edit
from nndesigner.graph.check import check
from nndesigner.graph.model import Graph
from nndesigner.layers.formula import Formula
from nndesigner.layers.formula_text import DEEPEST, LONGEST, FormulaError, parse
from nndesigner.layers.io import Input
from nndesigner.spec import Shape, ShapeError, Signature


def value(text, *inputs):
    """The formula of plain numbers."""
    layer = Formula(formula=text)
    ctx = bind_layer(layer, [Shape("F", (1,))] * len(inputs), 1, training=False)
    for array, number in zip(ctx.x, inputs):
        array[...] = number
    layer.bind(ctx)[0]()
    return float(ctx.y[0, 0])


@pytest.mark.parametrize(("text", "expected"), [
    ("a + 2 * 3", 10), ("(a + 2) * 3", 18), ("-a ** 2", -16), ("(-a) ** 2", 16), ("2 ** 3 ** 2 + a", 516),
    ("a - 1 - 1", 2), ("a / 2 / 2", 1), ("2 ** -a", 1 / 16), ("+-+a", -4), ("1.5e1 + .5 + a", 19.5),
    ("max(a, 5, 3)", 5), ("min(a, 5, 3)", 3), ("sqrt(a) + abs(-a)", 6), ("exp(log(a))", 4), ("a*a*a", 64),
    ("cos(0) * a + sin(0) + tanh(0)", 4), ("2*a", 8),
])
def test_the_rules_of_arithmetic_hold(text, expected):
    assert value(text, 4.0) == pytest.approx(expected)


def test_letters_are_the_inputs_in_order():
    assert value("a - b * c", 10.0, 2.0, 3.0) == 4


@pytest.mark.parametrize(("text", "words"), [
    ("a + * b", "place 5, got '*'"), ("(a", "Expected ')' at place 3, the formula ends"), ("", "place 1"),
    ("a b", "an operator or the end at place 3"), ("foo(a)", "'foo' at place 1 is not known"),
    ("a $ b", "'$' at place 3"),
    ("log(a, b)", "takes one argument, got 2"), ("min(a)", "takes 2 to 8 arguments"), ("a + 1 / 0", "at place 7"),
    ("a + 9 ** 9 ** 9", "at place"), ("a.real", "means nothing"), ("__import__", "means nothing"),
    ("a[0]", "means nothing"), ("lambda", "not known"), ("A", "not known"), ("1e999 * a", "too large"),
    ("a + " * (LONGEST // 4) + "aa", "characters"), ("(" * (DEEPEST + 2) + "a", "levels deep"),
    ("-" * (DEEPEST + 2) + "a", "levels deep"), ("a**" * (DEEPEST + 2) + "a", "levels deep"),
])
def test_faults_are_named_with_their_place(text, words):
    with pytest.raises(FormulaError, match=".*") as caught:
        parse(text)
    assert words in str(caught.value)


def test_a_layer_wants_its_letters_in_order_and_one_wire_for_each():
    for text, words in (("2 + 3", "uses no input"), ("a + c", "passes over b")):
        with pytest.raises(ValueError, match=words):
            Formula(formula=text)
    with pytest.raises(ShapeError, match="2 inputs"):
        Formula(formula="a + b").output_shape(Shape("F", (3,)))
    with pytest.raises(ShapeError, match="1 input"):
        Formula(formula="a").output_shape(Shape("F", (3,)), Shape("F", (3,)))


def test_one_wire_is_enough_in_a_drawing():
    graph, first = edit.add_node(Graph(), Input(shape=(3,)), 0, 0)
    graph, node = edit.add_node(graph, Formula(formula="a * a"), 200, 0)
    graph = edit.connect(graph, first, node)
    assert check(graph, Signature()).shapes[node] == Shape("F", (3,))


@given(st.text(alphabet="ab1.+-*/() ,emaxinlogqrt", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        tape = parse(text)
    except FormulaError as error:
        assert str(error).endswith(".")
    else:
        assert tape.operations and all(math.isfinite(o.value) for o in tape.operations)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_agrees_with_python(a, b):
    np.testing.assert_allclose(
        value("(a - 2*b) ** 2 / (1 + b*b) - max(a, -b) * exp(-abs(a))", a, b),
        (a - 2 * b) ** 2 / (1 + b * b) - max(a, -b) * math.exp(-abs(a)), rtol=1e-12, atol=1e-12)
