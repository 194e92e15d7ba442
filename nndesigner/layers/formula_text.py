"""The language of the Formula layer: text -> a tape of operations. No text is ever run as Python.

    sum     = product { ("+" | "-") product }
    product = signed { ("*" | "/") signed }
    signed  = ("+" | "-") signed | power
    power   = atom [ "**" signed ]
    atom    = number | letter | function "(" sum { "," sum } ")" | "(" sum ")"

Letters a to z are the inputs in the order of their wires. Parts without letters are worked out once, here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

#: function -> fewest and most arguments
FUNCTIONS = {
    "exp": (1, 1), "log": (1, 1), "sqrt": (1, 1), "abs": (1, 1), "tanh": (1, 1), "sin": (1, 1), "cos": (1, 1),
    "min": (2, 8), "max": (2, 8),
}
LONGEST, DEEPEST = 300, 40

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z]+)|(\*\*|[-+*/(),]))")
_CONSTANT: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "pow": math.pow, "neg": lambda a: -a, "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "abs": abs,
    "tanh": math.tanh, "sin": math.sin, "cos": math.cos, "min": min, "max": max,
}


class FormulaError(ValueError):
    """A text is no formula. The sentence says what is wrong at which place, counted from 1."""


@dataclass(frozen=True)
class Operation:
    """One step of the tape. `inputs` are places of earlier steps; "input" has a `number`, "const" a `value`."""

    name: str
    inputs: tuple[int, ...] = ()
    number: int = 0
    value: float = 0.0


@dataclass(frozen=True)
class Tape:
    """Operations in an order in which they can be computed; the last one is the result. Equal ones stand once."""

    operations: tuple[Operation, ...]

    @property
    def letters(self) -> int:
        """How many inputs there must be: up to the last letter used."""
        return 1 + max((o.number for o in self.operations if o.name == "input"), default=-1)

    @property
    def unused(self) -> str:
        """Letters before the last one that are not used."""
        used = {o.number for o in self.operations if o.name == "input"}
        return ", ".join(chr(ord("a") + n) for n in range(self.letters) if n not in used)


def parse(text: str) -> Tape:
    """Read a formula. Raises FormulaError."""
    if len(text) > LONGEST:
        raise FormulaError(f"A formula may have {LONGEST} characters, this one has {len(text)}.")
    parser = _Parser(text)
    result = parser.sum(0)
    if parser.kind != "end":
        raise parser.expected("an operator or the end")
    used: set[int] = set()
    waiting = [result]
    while waiting:
        place = waiting.pop()
        if place not in used:
            used.add(place)
            waiting.extend(parser.tape[place].inputs)
    order = sorted(used)
    new = {old: i for i, old in enumerate(order)}
    return Tape(tuple(
        Operation(o.name, tuple(new[i] for i in o.inputs), o.number, o.value)
        for o in (parser.tape[place] for place in order)))


class _Parser:
    """Recursive descent. Every rule returns the place of its result on the tape."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.tape: list[Operation] = []
        self._known: dict[Operation, int] = {}
        self._next()

    def _next(self) -> None:
        """Read the next token into kind ("number", "name", "end" or the sign itself), word and place."""
        rest = self._text[self._at:]
        self.place = self._at + len(rest) - len(rest.lstrip()) + 1
        if not rest.strip():
            self.kind, self.word = "end", ""
            return
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise FormulaError(f"The character '{rest.strip()[0]}' at place {self.place} means nothing in a formula.")
        number, name, sign = found.groups()
        self.word = number or name or sign
        self.kind = "number" if number else "name" if name else sign
        self._at = found.end()

    def expected(self, what: str) -> FormulaError:
        got = "the formula ends" if self.kind == "end" else f"got '{self.word}'"
        return FormulaError(f"Expected {what} at place {self.place}, {got}.")

    def _take(self, sign: str) -> None:
        if self.kind != sign:
            raise self.expected(f"'{sign}'")
        self._next()

    def sum(self, depth: int) -> int:
        left = self._product(depth)
        while self.kind in ("+", "-"):
            name, place = ("add" if self.kind == "+" else "sub"), self.place
            self._next()
            left = self._add(name, (left, self._product(depth)), place)
        return left

    def _product(self, depth: int) -> int:
        left = self._signed(depth)
        while self.kind in ("*", "/"):
            name, place = ("mul" if self.kind == "*" else "div"), self.place
            self._next()
            left = self._add(name, (left, self._signed(depth)), place)
        return left

    def _signed(self, depth: int) -> int:
        if depth > DEEPEST:
            raise FormulaError(f"The formula is nested more than {DEEPEST} levels deep at place {self.place}.")
        if self.kind not in ("+", "-"):
            return self._power(depth)
        sign, place = self.kind, self.place
        self._next()
        value = self._signed(depth + 1)
        return value if sign == "+" else self._add("neg", (value,), place)

    def _power(self, depth: int) -> int:
        base = self._atom(depth)
        if self.kind != "**":
            return base
        place = self.place
        self._next()
        return self._add("pow", (base, self._signed(depth + 1)), place)

    def _atom(self, depth: int) -> int:
        word, place = self.word, self.place
        if self.kind == "number":
            value = float(word)
            if not math.isfinite(value):
                raise FormulaError(f"The number at place {place} is too large.")
            self._next()
            return self._put(Operation("const", value=value))
        if self.kind == "(":
            self._next()
            value = self.sum(depth + 1)
            self._take(")")
            return value
        if self.kind != "name":
            raise self.expected("a number, a letter or '('")
        self._next()
        if word in FUNCTIONS:
            self._take("(")
            arguments = [self.sum(depth + 1)]
            while self.kind == ",":
                self._next()
                arguments.append(self.sum(depth + 1))
            self._take(")")
            fewest, most = FUNCTIONS[word]
            if not fewest <= len(arguments) <= most:
                wanted = "one argument" if most == 1 else f"{fewest} to {most} arguments"
                raise FormulaError(f"'{word}' at place {place} takes {wanted}, got {len(arguments)}.")
            left = arguments[0]
            for right in arguments[1:]:
                left = self._add(word, (left, right), place)
            return left if len(arguments) > 1 else self._add(word, (left,), place)
        if len(word) == 1 and word.islower():
            return self._put(Operation("input", number=ord(word) - ord("a")))
        raise FormulaError(
            f"'{word}' at place {place} is not known. Inputs are a, b, c and so on; functions are "
            f"{', '.join(FUNCTIONS)}.")

    def _add(self, name: str, inputs: tuple[int, ...], place: int) -> int:
        operands = [self.tape[i] for i in inputs]
        if any(o.name != "const" for o in operands):
            return self._put(Operation(name, inputs))
        try:
            value = float(_CONSTANT[name](*(o.value for o in operands)))
        except (ArithmeticError, ValueError) as error:
            raise FormulaError(f"What stands at place {place} has no value ({error}).") from error
        if not math.isfinite(value):
            raise FormulaError(f"What stands at place {place} is too large.")
        return self._put(Operation("const", value=value))

    def _put(self, operation: Operation) -> int:
        if operation not in self._known:
            self._known[operation] = len(self.tape)
            self.tape.append(operation)
        return self._known[operation]
