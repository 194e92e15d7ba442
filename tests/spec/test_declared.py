"""Declarations: registry, faults told together, files, and what a form learns of a parameter."""

from __future__ import annotations

from typing import ClassVar, Literal

import pytest
from pydantic import ValidationError

from nndesigner.spec import Declared, Shape, ShapeError, UnknownKind, choice_of, describe, param


class Animal(Declared):
    """A family of its own."""


class Cat(Animal):
    """Purrs."""

    kind = "cat.v2"
    title = "Cat"
    replaces = ("cat.v1",)

    lives: int = param(9, "Lives", "More: survives more.", ge=1, le=9)
    colour: Literal["black", "tabby_grey"] = param("black", "Colour", "What it looks like.", labels={"black": "Black"})


class Keeper(Declared):
    """Another family, which holds animals."""


class House(Keeper):
    """Holds one animal."""

    kind = "house.v1"
    title = "House"

    pet: choice_of(Animal) | None = param(None, "Pet", "Who lives here.")
    size: tuple[int, int] = param((3, 4), "Size", "Length and width.", unit="m")
    heat: float = param(20.0, "Heat", "Warmer: costs more.", gt=0, lt=40, advanced=True)


def test_a_declaration_goes_to_plain_json_and_back():
    house = House(pet=Cat(lives=3), size=(1, 2))
    data = house.to_json()
    assert data == {"kind": "house.v1", "pet": {"kind": "cat.v2", "lives": 3, "colour": "black"}, "size": [1, 2],
                    "heat": 20.0}
    assert Keeper.from_json(data) == house


def test_older_kinds_are_read_and_listed_once():
    assert Animal.from_json({"kind": "cat.v1", "lives": 2}) == Cat(lives=2)
    assert Animal.all() == [Cat]


def test_unknown_kinds_and_parameters_are_refused():
    with pytest.raises(UnknownKind, match=r"dog\.v1"):
        Animal.from_json({"kind": "dog.v1"})
    with pytest.raises(UnknownKind):
        Animal.from_json({"lives": 2})
    with pytest.raises(ValidationError):
        Animal.from_json({"kind": "cat.v2", "wings": 2})
    with pytest.raises(ValidationError):
        House(heat=float("nan"))


def test_declarations_are_frozen_and_replaced_ones_are_checked():
    cat = Cat()
    with pytest.raises(ValidationError):
        cat.lives = 1
    assert cat.replaced(lives=2) == Cat(lives=2)
    with pytest.raises(ValidationError):
        cat.replaced(lives=10)


def test_families_do_not_mix():
    with pytest.raises(UnknownKind):
        Keeper.from_json({"kind": "cat.v2"})
    with pytest.raises(ValidationError):
        House(pet=House())


def test_all_faults_of_a_declaration_are_told_together():
    with pytest.raises(TypeError) as caught:
        class Bad(Animal):
            kind: ClassVar[str] = "No Version"
            wings: int = 2

    text = str(caught.value)
    for part in ("name.v1", "no title", "no docstring", "wings needs a title and a help text"):
        assert part in text
    with pytest.raises(TypeError, match="already taken by Cat"):
        class Copy(Animal):
            """A second one."""

            kind = "cat.v2"
            title = "Copy"


def test_a_form_learns_editor_range_and_choices():
    lives, colour = describe(Cat)
    assert (lives.editor, lives.default, lives.low, lives.high) == ("int", 9, 1, 9)
    assert colour.choices == (("black", "Black"), ("tabby_grey", "tabby grey"))
    pet, size, heat = describe(House)
    assert (pet.editor, pet.family, pet.optional, pet.default) == ("declared", Animal, True, None)
    assert (size.editor, size.length, size.unit) == ("ints", 2, "m")
    assert (heat.low, heat.low_open, heat.high, heat.high_open, heat.advanced) == (0, True, 40, True, True)


def test_summary_line_is_the_first_of_the_docstring():
    assert Cat.summary_line() == "Purrs."


def test_shapes_are_written_with_and_without_letters():
    shape = Shape("HWC", (8, 8, 32))
    assert (str(shape), shape.lettered, shape.size) == ("8 × 8 × 32", "8 H × 8 W × 32 C", 2048)


@pytest.mark.parametrize(("axes", "dims"), [("HW", (8,)), ("Q", (8,)), ("F", (0,))])
def test_shapes_that_make_no_sense_are_refused(axes: str, dims: tuple[int, ...]):
    with pytest.raises(ValueError):
        Shape(axes, dims)


def test_a_shape_error_says_what_it_needs_got_and_what_to_do():
    error = ShapeError("F", Shape("HWC", (8, 8, 1)), "put a Flatten before it")
    assert str(error) == "needs F, got 8 H × 8 W × 1 C: put a Flatten before it."
