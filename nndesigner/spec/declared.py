"""The one way in which layers, losses, optimizers, schedules, metrics, data sources and preparing steps are declared.

A declaration is a frozen pydantic model whose fields are its parameters. From it come the palette entry, the inspector
form, validation, the file format, the command line and the documentation.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

import annotated_types
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.fields import FieldInfo


class UnknownKind(ValueError):
    """A file names a kind that this version does not know."""

    def __init__(self, family: str, kind: str) -> None:
        super().__init__(f"Unknown {family} '{kind}': it may come from a newer version of nndesigner.")
        self.kind = kind


def param(
    default: Any,
    title: str,
    help: str,
    *,
    ge: float | None = None,
    le: float | None = None,
    gt: float | None = None,
    lt: float | None = None,
    unit: str = "",
    step: float | None = None,
    labels: Mapping[str, str] | None = None,
    editor: str | None = None,
    advanced: bool = False,
) -> Any:
    """Declare one parameter.

    `help` says in plain words what higher and lower do. `labels` gives the words for the values of a choice. `editor`
    overrides the editor that the type implies (for example "file", "columns"). `advanced` parameters are shown folded.
    """
    extra = {"unit": unit, "step": step, "labels": dict(labels or {}), "editor": editor, "advanced": advanced}
    return Field(default, title=title, description=help, ge=ge, le=le, gt=gt, lt=lt, json_schema_extra=extra)


class Declared(BaseModel):
    """Base of everything that is declared once.

    A direct subclass opens a family with a registry of its own (`Layer`, `Loss`, ...). Every class below it that states
    a `kind` is registered; classes without one are abstract and only share code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    #: Permanent id with a version, for example "dense.v1". Files refer to it; it never changes its meaning.
    kind: ClassVar[str]
    #: Name shown to the user.
    title: ClassVar[str]
    #: Heading under which palettes and lists show it.
    group: ClassVar[str] = ""
    #: Name of a qtawesome icon, for example "mdi6.layers".
    icon: ClassVar[str] = ""
    #: Further words by which search finds it.
    keywords: ClassVar[tuple[str, ...]] = ()
    #: Older kinds that this one reads from files.
    replaces: ClassVar[tuple[str, ...]] = ()
    registry: ClassVar[dict[str, type[Any]]]
    family: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if Declared in cls.__bases__:
            cls.registry = {}
            cls.family = cls.__name__.lower()
        elif "kind" in cls.__dict__:
            faults = _faults(cls)
            if faults:
                raise TypeError(f"{cls.__module__}.{cls.__name__}: " + "; ".join(faults))
            for kind in (cls.kind, *cls.replaces):
                cls.registry[kind] = cls

    @classmethod
    def all(cls) -> list[type[Self]]:
        """Every declared class of the family, in the order of declaration, without older names."""
        return list(dict.fromkeys(c for c in cls.registry.values() if issubclass(c, cls)))

    @classmethod
    def summary_line(cls) -> str:
        """First line of the docstring: the tooltip."""
        return (inspect.getdoc(cls) or "").split("\n", 1)[0]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: the kind and every parameter."""
        return {"kind": self.kind, **self.model_dump(mode="json")}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises UnknownKind for a kind that is not registered and pydantic.ValidationError for bad parameters.
        """
        parameters = dict(value)
        kind = parameters.pop("kind", None)
        found = cls.registry.get(kind) if isinstance(kind, str) else None
        if found is None:
            raise UnknownKind(cls.family, str(kind))
        return found.model_validate(parameters)

    def replaced(self, **changes: Any) -> Self:
        """The same declaration with some parameters changed, validated anew."""
        return type(self).model_validate({**{name: getattr(self, name) for name in type(self).model_fields}, **changes})


def choice_of(family: type[Declared]) -> Any:
    """Annotation for a field that holds a declaration of another family (an optimizer inside the training settings)."""
    return Annotated[
        family,
        BeforeValidator(lambda value: family.from_json(value) if isinstance(value, Mapping) else value),
        PlainSerializer(lambda value: value.to_json(), return_type=dict),
        _Family(family),
    ]


@dataclass(frozen=True)
class _Family:
    family: type[Declared]


@dataclass(frozen=True)
class ParamInfo:
    """What a form needs to know of one parameter."""

    name: str
    title: str
    help: str
    #: int, float, bool, choice, ints (a fixed number of whole numbers), floats (a list of numbers), text, declared,
    #: steps (any number of declarations of a family), or what `param(editor=)` said
    editor: str
    default: Any
    low: float | None = None
    high: float | None = None
    #: the limits themselves are not allowed
    low_open: bool = False
    high_open: bool = False
    unit: str = ""
    step: float | None = None
    #: values and words of a choice
    choices: tuple[tuple[Any, str], ...] = ()
    #: number of values of an "ints" parameter; 0 for any number
    length: int = 0
    #: None is allowed
    optional: bool = False
    family: type[Declared] | None = None
    advanced: bool = False


def describe(model: type[BaseModel]) -> tuple[ParamInfo, ...]:
    """The parameters of a declaration (or of any settings model written with `param`), in order."""
    return tuple(_info(name, field) for name, field in model.model_fields.items())


def _info(name: str, field: FieldInfo) -> ParamInfo:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    annotation, optional = _without_none(field.annotation)
    family = next((m.family for m in field.metadata if isinstance(m, _Family)), None)
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        family = next((m.family for m in annotation.__metadata__ if isinstance(m, _Family)), family)
        annotation = typing.get_args(annotation)[0]
        origin = typing.get_origin(annotation)
    choices: tuple[tuple[Any, str], ...] = ()
    length = 0
    if family is not None:
        editor = "declared"
    elif origin is Literal:
        editor = "choice"
        labels = extra.get("labels") or {}
        choices = tuple((v, labels.get(v, str(v).replace("_", " "))) for v in typing.get_args(annotation))
    elif origin is tuple and (steps := _family_of_items(annotation)) is not None:
        editor, family = "steps", steps
    elif origin is tuple:
        args = typing.get_args(annotation)
        first = typing.get_args(args[0]) or args[:1]
        editor = "floats" if first[0] is float else "ints"
        length = 0 if Ellipsis in args else len(args)
    else:
        editor = {bool: "bool", int: "int", float: "float", str: "text"}.get(annotation, "text")
    limits = {type(m): m for m in (*_of_members(annotation, editor), *field.metadata)}
    low, low_open = _limit(limits, annotated_types.Ge, annotated_types.Gt, "ge", "gt")
    high, high_open = _limit(limits, annotated_types.Le, annotated_types.Lt, "le", "lt")
    return ParamInfo(
        name=name, title=field.title or name, help=field.description or "", editor=extra.get("editor") or editor,
        default=field.get_default(call_default_factory=True), low=low, high=high, low_open=low_open,
        high_open=high_open,
        unit=str(extra.get("unit") or ""), step=extra.get("step"), choices=choices, length=length, optional=optional,
        family=family, advanced=bool(extra.get("advanced")),
    )


def _of_members(annotation: Any, editor: str) -> tuple[Any, ...]:
    """Limits of the numbers in a list."""
    return getattr(typing.get_args(annotation)[0], "__metadata__", ()) if editor == "floats" else ()


def _family_of_items(annotation: Any) -> type[Declared] | None:
    """The family of a tuple[choice_of(family), ...]."""
    item = typing.get_args(annotation)[0]
    if typing.get_origin(item) is not Annotated:
        return None
    return next((m.family for m in typing.get_args(item)[1:] if isinstance(m, _Family)), None)


def _limit(limits: dict, closed: type, open_: type, closed_name: str, open_name: str) -> tuple[float | None, bool]:
    if closed in limits:
        return getattr(limits[closed], closed_name), False
    if open_ in limits:
        return getattr(limits[open_], open_name), True
    return None, False


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [a for a in typing.get_args(annotation) if a is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return annotation, False


def _faults(cls: type[Declared]) -> list[str]:
    """All faults of a declaration, reported together when the class is made."""
    faults = []
    if not re.fullmatch(r"[a-z0-9_]+\.v[0-9]+", cls.kind):
        faults.append(f"kind {cls.kind!r} is not of the form name.v1")
    for kind in (cls.kind, *cls.replaces):
        if kind in cls.registry:
            faults.append(f"kind {kind!r} is already taken by {cls.registry[kind].__name__}")
    if not getattr(cls, "title", ""):
        faults.append("no title")
    if not cls.__doc__ or cls.__doc__ == Declared.__doc__ or not inspect.cleandoc(cls.__doc__):
        faults.append("no docstring")
    for name, field in cls.model_fields.items():
        if not field.title or not field.description:
            faults.append(f"parameter {name} needs a title and a help text")
        if field.is_required():
            faults.append(f"parameter {name} needs a default")
    return faults
