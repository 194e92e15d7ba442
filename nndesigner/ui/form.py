"""Forms made from declarations: one mechanism for layers, losses, optimizers, data sources and settings.

A form shows one model (or several of the same kind) and tells what the user wants changed. It never changes anything
itself: the owner turns `changed` into an edit of the document, and shows the new model when the document tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from nndesigner.spec import Declared, ParamInfo, describe
from nndesigner.ui import editors
from nndesigner.ui.editors import ChoiceEditor, Editor
from nndesigner.ui.number_fields import MIXED, SEVERAL, ScrubLabel, Slider, range_words
from nndesigner.ui.parts import Combo, Fold, clear, label, margins
from nndesigner.ui.stylesheet import role

Choice = tuple[Any, str, str]
#: longest help text that stands under its field; longer ones are in the tooltip only
SHORT_HELP = 110


@dataclass(frozen=True)
class Choices:
    """What a form may need to know of the project: (value, words, why it cannot be chosen) for special editors."""

    #: fields of the data, for a parameter of this layer kind
    fields: Callable[[str], list[Choice]] = lambda kind: []
    devices: Callable[[], list[Choice]] = lambda: [("cpu", "CPU · NumPy", "")]
    #: whether a class of a family makes sense here; empty when it does, else why not
    fits: Callable[[type[Declared]], str] = lambda cls: ""


class Form(QWidget):
    """Fields for the parameters of a model."""

    #: parameter, new value, merge key (None: a step of its own)
    changed = Signal(str, object, object)
    #: a field got the focus
    entered = Signal()

    def __init__(self, choices: Choices | None = None, leave_out: Sequence[str] = (), helps: bool = True,
                 sliders: bool = False, label_share: float = 0.43, folded: bool = True) -> None:
        """`folded`: advanced parameters are shown folded."""
        super().__init__()
        self._label_share = label_share
        self._sliders, self._folded = sliders, folded
        self._choices = choices or Choices()
        self._leave_out = frozenset(leave_out)
        self._helps = helps
        self._models: tuple[BaseModel, ...] = ()
        self._kind: type[BaseModel] | None = None
        self._rows: dict[str, _Row] = {}
        self._visit = 0
        self._layout = QVBoxLayout(self)
        margins(self._layout, 0, gap=8)

    @property
    def editors(self) -> dict[str, Editor]:
        """The editors by parameter."""
        return {name: row.editor for name, row in self._rows.items()}

    def show_model(self, *models: BaseModel) -> None:
        """Show a model, or what several of one class have in common. The fields are kept when the class stays."""
        kind = type(models[0]) if models else None
        self._models = models
        if kind is not self._kind:
            self._build(kind)
        for name, row in self._rows.items():
            values = [getattr(model, name) for model in models]
            row.show_value(values[0] if all(v == values[0] for v in values[1:]) else MIXED)

    def _build(self, kind: type[BaseModel] | None) -> None:
        self._kind = kind
        clear(self._layout)
        self._rows = {}
        if kind is None:
            return
        # What is said column by column or sample by sample is shown elsewhere (data_columns.py, gallery).
        elsewhere = ("columns", "samples")
        infos = [i for i in describe(kind) if i.name not in self._leave_out and i.editor not in elsewhere]
        for advanced in (False, True):
            part = [i for i in infos if i.advanced == advanced]
            if not part:
                continue
            grid = QGridLayout()
            margins(grid, 0, gap=8)
            grid.setHorizontalSpacing(8)
            grid.setVerticalSpacing(6)
            grid.setColumnStretch(0, round(100 * self._label_share))
            grid.setColumnStretch(1, round(100 * (1 - self._label_share)))
            for info in part:
                self._rows[info.name] = _Row(self, grid, info)
            if advanced and self._folded:
                fold = Fold("More")
                fold.body.addLayout(grid)
                self._layout.addWidget(fold)
            else:
                self._layout.addLayout(grid)

    def _editor(self, info: ParamInfo) -> Editor:
        if info.editor == "declared":
            return DeclaredEditor(info, self._choices, self._helps)
        if info.editor == "steps":
            return StepsEditor(info, self._choices, self._helps, self._sliders)
        if info.editor == "field":
            kind = getattr(self._kind, "kind", "")
            return ChoiceEditor(info, lambda: self._choices.fields(kind))
        if info.editor == "device":
            return ChoiceEditor(info, self._choices.devices)
        return EDITORS[info.editor](info)

    def _check(self, info: ParamInfo, value: Any) -> str:
        """Why a value is not allowed, as a sentence; empty when it is."""
        for model in self._models:
            try:
                type(model).model_validate({**dict(model), info.name: value})
            except ValidationError as error:
                return _sentence(info, error)
        return ""

    def _entered(self) -> None:
        self._visit += 1
        self.entered.emit()

    def _merge_key(self, info: ParamInfo) -> str | None:
        if info.editor in ("bool", "choice", "field", "device", "file", "folder"):
            return None
        return f"form {id(self)} {info.name} {self._visit}"


class _Row:
    """Label, editor, help and complaint of one parameter."""

    def __init__(self, form: Form, grid: QGridLayout, info: ParamInfo) -> None:
        self._form, self._info = form, info
        self.editor = form._editor(info)
        top = grid.rowCount()
        wide = info.editor in ("declared", "steps")
        name = ScrubLabel(info.title, self.editor)
        name.setTextFormat(Qt.TextFormat.PlainText)
        role(name, "muted")
        name.setWordWrap(True)
        name.setBuddy(self.editor.focusProxy() or self.editor)
        tip = info.help + (f" ({range_words(info).strip()})" if range_words(info) else "")
        name.setToolTip(tip)
        self.editor.setToolTip(tip)
        if wide:
            self.editor.place(grid, top, name)
        else:
            grid.addWidget(name, top, 0)
            grid.addWidget(self.editor, top, 1)
        self._complaint = label("", "error", wrap=True)
        self._complaint.hide()
        grid.addWidget(self._complaint, top + 2, 0, 1, 2)
        self._slider: Slider | None = None
        if form._sliders and Slider.suits(info):
            self._slider = Slider(info)
            self._slider.setToolTip(tip)
            self._slider.moved_to.connect(self._edited)
            self._slider.sliderPressed.connect(form._entered)
            grid.addWidget(self._slider, top + 1, 0, 1, 2)
        if form._helps and matters(info):
            grid.addWidget(label(info.help, "caption", wrap=True), top + 3, 0, 1, 2)
        self.editor.edited.connect(self._edited)
        self.editor.wrong.connect(self.complain)
        self.editor.entered.connect(form._entered)

    def show_value(self, value: Any) -> None:
        self.complain("")
        self.editor.show_value(value)
        if self._slider is not None:
            self._slider.show_value(value)

    def complain(self, sentence: str) -> None:
        """Mark the field and say what is wrong with it; an empty sentence takes the mark away."""
        self._complaint.setText(sentence)
        self._complaint.setVisible(bool(sentence))
        self.editor.mark(bool(sentence))

    def _edited(self, value: Any) -> None:
        sentence = self._form._check(self._info, value)
        self.complain(sentence)
        if not sentence:
            self._form.changed.emit(self._info.name, value, self._form._merge_key(self._info))


def matters(info: ParamInfo) -> bool:
    """Whether the help stands under the field: it is short and weighs more against less."""
    weighs = re.search(r"\b(More|Higher|Larger|Longer|Lower|Fewer|Smaller)\b", info.help)
    return bool(weighs) and not info.advanced and info.editor != "declared" and len(info.help) <= SHORT_HELP


class DeclaredEditor(Editor):
    """Chooses a kind of a family (an optimizer, a loss) and shows its parameters below."""

    def __init__(self, info: ParamInfo, choices: Choices, helps: bool) -> None:
        super().__init__(info)
        self._choices = choices
        self._value: Declared | None = None
        self._classes: list[type[Declared] | None] = [*([None] if info.optional else []), *info.family.all()]
        combo = Combo()
        combo.activated.connect(lambda index: self._chosen(self._classes[index]))
        self._hold(combo)
        self.form = Form(choices, helps=helps)
        self.form.changed.connect(self._changed)
        self.form.entered.connect(self.entered)

    def place(self, grid: QGridLayout, top: int, name: QLabel) -> None:
        """Put the chooser and its form into the grid of the form around it."""
        grid.addWidget(name, top, 0)
        grid.addWidget(self, top, 1)
        grid.addWidget(self.form, top + 1, 0, 1, 2)

    def show_value(self, value: Any) -> None:
        combo = self.field
        self._value = value if isinstance(value, Declared) else None
        blocked = combo.blockSignals(True)
        combo.clear()
        for index, cls in enumerate(self._classes):
            combo.addItem("automatic" if cls is None else cls.title)
            reason = "" if cls is None else self._choices.fits(cls)
            combo.setItemData(index, reason or (cls.summary_line() if cls else "Chosen by the task."),
            Qt.ItemDataRole.ToolTipRole)
            if reason:
                combo.model().item(index).setEnabled(False)
        combo.setPlaceholderText(SEVERAL)
        combo.setCurrentIndex(-1 if value is MIXED else self._classes.index(None if value is None else type(value)))
        combo.blockSignals(blocked)
        has_fields = self._value is not None and bool(type(self._value).model_fields)
        self.form.setVisible(has_fields)
        if has_fields:
            self.form.show_model(self._value)

    def _chosen(self, cls: type[Declared] | None) -> None:
        self.entered.emit()
        if cls is None:
            self.edited.emit(None)
            return
        # What both kinds know by the same name stays: the learning rate survives a change of the optimizer.
        kept = {n: getattr(self._value, n) for n in cls.model_fields if self._value is not None and
        hasattr(self._value, n)}
        try:
            self.edited.emit(cls.model_validate(kept))
        except ValidationError:
            self.edited.emit(cls())

    def _changed(self, name: str, value: Any, _merge_key: str | None) -> None:
        self.edited.emit(self._value.replaced(**{name: value}))


class StepsEditor(Editor):
    """Any number of declarations of a family, each at most once: a switch for each, and its form while it is on.

    Those that make no sense here are hidden unless they are on.
    """

    def __init__(self, info: ParamInfo, choices: Choices, helps: bool, sliders: bool = False) -> None:
        super().__init__(info)
        self._choices = choices
        self._value: tuple[Declared, ...] = ()
        self._classes: list[type[Declared]] = info.family.all()
        self.switches: dict[str, QCheckBox] = {}
        self.forms: dict[str, Form] = {}
        box = QWidget()
        column = QVBoxLayout(box)
        margins(column, 0, gap=4)
        self._hold(box)
        for cls in self._classes:
            switch, form = QCheckBox(cls.title), Form(choices, helps=helps, sliders=sliders)
            switch.setToolTip(cls.summary_line())
            switch.toggled.connect(lambda on, c=cls: self._switch(c, on))
            form.changed.connect(lambda name, value, _key, c=cls: self._set(c, name, value))
            form.entered.connect(self.entered)
            form.setContentsMargins(26, 2, 0, 10)  # under the words of its switch
            self.switches[cls.kind], self.forms[cls.kind] = switch, form
            column.addWidget(switch)
            column.addWidget(form)

    def place(self, grid: QGridLayout, top: int, name: QLabel) -> None:
        """Put the switches below the name."""
        grid.addWidget(name, top, 0, 1, 2)
        grid.addWidget(self, top + 1, 0, 1, 2)

    def show_value(self, value: Any) -> None:
        self._value = value if isinstance(value, tuple) else ()
        on = {type(step): step for step in self._value}
        for cls in self._classes:
            switch, form = self.switches[cls.kind], self.forms[cls.kind]
            switch.setVisible(cls in on or not self._choices.fits(cls))
            blocked = switch.blockSignals(True)
            switch.setChecked(cls in on)
            switch.blockSignals(blocked)
            why_not = self._choices.fits(cls)
            switch.setVisible(cls in on or not why_not)
            switch.setToolTip(why_not or cls.summary_line())
            form.setVisible(cls in on and bool(cls.model_fields))
            if cls in on:
                form.show_model(on[cls])

    def _switch(self, cls: type[Declared], on: bool) -> None:
        self.entered.emit()
        chosen = {type(step): step for step in self._value}
        chosen[cls] = cls()
        if not on:
            del chosen[cls]
        self.edited.emit(tuple(chosen[c] for c in self._classes if c in chosen))

    def _set(self, cls: type[Declared], name: str, value: Any) -> None:
        self.edited.emit(tuple(s.replaced(**{name: value}) if type(s) is cls else s for s in self._value))


EDITORS: dict[str, type[Editor]] = {
    "int": editors.NumberEditor, "float": editors.NumberEditor, "bool": editors.BoolEditor,
    "choice": editors.ChoiceEditor, "ints": editors.IntsEditor, "floats": editors.FloatsEditor,
    "text": editors.TextEditor, "file": editors.FileEditor, "folder": editors.FileEditor,
}


def _sentence(info: ParamInfo, error: ValidationError) -> str:
    """The first complaint in plain words."""
    first = error.errors()[0]
    if first["type"] in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        kind = {"int": "a whole number", "ints": "whole numbers", "floats": "numbers"}.get(info.editor, "a number")
        return f"{info.title} needs {kind}{range_words(info)}."
    text = first["msg"].removeprefix("Value error, ")
    return text if text.endswith(".") else f"{info.title}: {text[:1].lower()}{text[1:]}."
