"""Forms for everything that is declared: each parameter can be shown, changed and read back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

import nndesigner.ui.data_panel  # noqa: F401 (declares every source)
from nndesigner.data.preparing import DataSettings
from nndesigner.data.source import Source
from nndesigner.engine.losses import CrossEntropy
from nndesigner.engine.metrics import F1, TopK
from nndesigner.engine.optimizers import Optimizer
from nndesigner.engine.schedules import Schedule
from nndesigner.layers import Layer
from nndesigner.spec import describe
from nndesigner.spec.loss import Loss
from nndesigner.training.settings import TrainSettings
from nndesigner.ui import editors, number_fields
from nndesigner.ui.form import DeclaredEditor, Form

DECLARED = [c for family in (Layer, Loss, Optimizer, Schedule, Source) for c in family.all()]


@pytest.fixture
def form(qtbot, themed) -> Form:
    made = Form()
    qtbot.addWidget(made)
    made.show()
    return made


def another(info, value):
    """A value that differs from the present one and is allowed."""
    if info.editor == "bool":
        return not value
    if info.editor == "choice":
        return next(v for v, _ in info.choices if v != value)
    if info.editor in ("int", "float"):
        step = 1 if info.editor == "int" else 0.125
        candidates = [(value or 0) + step, (value or 0) - step]
        low, high = (info.low, info.high)
        return next(v for v in candidates if (low is None or v > low) and (high is None or v < high))
    if info.editor == "ints":
        return tuple(v + 1 for v in value) or (4, 4, 1)
    if info.editor == "floats":
        return (0.5, 2.0, 1.25)
    return "a"  # a formula, too


def type_in(editor, value) -> None:
    """Do what a person does to get the value into the field."""
    if isinstance(editor, editors.BoolEditor):
        editor.field.click()
    elif isinstance(editor, editors.ChoiceEditor):
        index = editor._values.index(value)
        editor.field.setCurrentIndex(index)
        editor.field.activated.emit(index)
    elif isinstance(editor, DeclaredEditor):
        index = editor._classes.index(type(value))
        editor.field.activated.emit(index)
    else:
        editor.field.setFocus()
        editor.field.selectAll()
        sign = ", " if isinstance(editor, editors.FloatsEditor) else " x "
        text = sign.join(map(str, value)) if isinstance(value, tuple) else str(value)
        QTest.keyClicks(editor.field, text)
        if isinstance(editor, editors.FileEditor):
            QTest.keyClick(editor.field, Qt.Key.Key_Return)


@pytest.mark.parametrize("cls", DECLARED, ids=lambda c: c.kind)
def test_every_parameter_of_every_declaration_can_be_edited(form, cls):
    model = cls()
    form.show_model(model)
    seen = {}
    form.changed.connect(lambda name, value, key: seen.__setitem__(name, value))
    for info in describe(cls):
        if info.editor in ("field", "declared", "steps", "columns", "device"):
            continue
        wanted = another(info, getattr(model, info.name))
        type_in(form.editors[info.name], wanted)
        assert seen.get(info.name) == wanted, info.name
        changed = model.replaced(**{info.name: wanted})
        form.show_model(changed)
        form.show_model(model)
        assert not form._rows[info.name]._complaint.text()


@pytest.mark.parametrize("cls", [TrainSettings, DataSettings])
def test_settings_have_forms_too(form, cls):
    form.show_model(cls())
    assert set(form.editors) == {info.name for info in describe(cls) if info.editor not in ("columns", "samples")}


def test_a_choice_of_another_optimizer_keeps_the_learning_rate(form):
    settings = TrainSettings()
    settings = settings.model_copy(update={"optimizer": settings.optimizer.replaced(learning_rate=0.25)})
    form.show_model(settings)
    seen = []
    form.changed.connect(lambda name, value, key: seen.append((name, value)))
    type_in(form.editors["optimizer"], Optimizer.registry["sgd.v1"]())
    assert seen[-1][0] == "optimizer" and seen[-1][1].kind == "sgd.v1" and seen[-1][1].learning_rate == 0.25


def test_typing_is_one_undo_step_for_each_visit(form):
    form.show_model(Layer.registry["dense.v1"]())
    keys = []
    form.changed.connect(lambda name, value, key: keys.append(key))
    field = form.editors["units"].field
    form._rows["units"].editor.entered.emit()
    field.setText("")
    QTest.keyClicks(field, "12")
    form._rows["units"].editor.entered.emit()
    QTest.keyClicks(field, "3")
    assert keys[0] == keys[1] != keys[2]


def test_a_list_of_decimals_is_read_and_judged(form):
    form.show_model(CrossEntropy(class_weights=(0.5, 2, 1)))
    editor, row, seen = form.editors["class_weights"], form._rows["class_weights"], []
    form.changed.connect(lambda name, value, key: seen.append(value))
    assert editor.field.text() == "0.5, 2.0, 1.0"
    for text in ("0.5, 2, 1.25", "3 4;5", "", "1, x", "1, -2"):
        editor.field.setText(text)
        editor.field.textEdited.emit(text)
    assert seen == [(0.5, 2, 1.25), (3, 4, 5), ()]
    assert row._complaint.text() .startswith("Class weights needs numbers above 0 and at most")


def test_values_that_differ_are_shown_as_such(form):
    dense = Layer.registry["dense.v1"]
    form.show_model(dense(units=3), dense(units=4))
    assert form.editors["units"].field.text() == ""
    assert form.editors["units"].field.placeholderText() == number_fields.SEVERAL


@pytest.mark.parametrize("value, steps, wanted", [
    (0.001, 1, 0.002), (0.002, 1, 0.005), (0.005, 1, 0.01), (0.01, -1, 0.005), (0.003, 1, 0.005), (0.0, 1, 0.01)])
def test_rates_step_by_one_two_five(value, steps, wanted):
    info = describe(Optimizer.registry["adam.v1"])[0]
    assert number_fields.stepped(value, steps, info, False) == pytest.approx(wanted)


def test_steps_stay_within_the_limits():
    units = next(i for i in describe(Layer.registry["dense.v1"]) if i.name == "units")
    assert number_fields.stepped(1, -1, units, True) == 1
    rate = next(i for i in describe(Layer.registry["dropout.v1"]) if i.name == "rate")
    assert 0 <= number_fields.stepped(0.9, 10, rate, False) < 1


def test_the_wheel_scrolls_past_fields_without_focus(form, qtbot):
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    form.show_model(Layer.registry["dense.v1"]())
    seen = []
    form.changed.connect(lambda *change: seen.append(change))
    for name in ("units", "activation"):
        field = form.editors[name].field
        field.clearFocus()
        event = QWheelEvent(QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)
        QApplication.sendEvent(field, event)
    assert not seen


def test_a_drag_on_the_label_steps_the_number(form, qtbot):
    form.show_model(Layer.registry["dense.v1"](units=10))
    seen = []
    form.changed.connect(lambda name, value, key: seen.append((value, key)))
    label = next(c for c in form.findChildren(number_fields.ScrubLabel) if c.text() == "Units")
    QTest.mousePress(label, Qt.MouseButton.LeftButton, pos=label.rect().center())
    for steps in (1, 2, 3):
        QTest.mouseMove(label, label.rect().center() + QPoint(steps * number_fields.SCRUB_PIXELS, 0))
    QTest.mouseRelease(label, Qt.MouseButton.LeftButton)
    assert seen[-1][0] == 13 and len({key for _, key in seen}) == 1


@pytest.mark.parametrize("kind, name", [("spirals.v1", "noise"), ("spirals.v1", "samples"), ("blobs.v1", "clouds")])
def test_sliders_reach_both_ends_and_show_the_value(qtbot, themed, kind, name):
    form = Form(sliders=True)
    qtbot.addWidget(form)
    source = Source.registry[kind]()
    form.show_model(source)
    slider = form._rows[name]._slider
    info = next(i for i in describe(type(source)) if i.name == name)
    seen = []
    form.changed.connect(lambda changed, value, key: seen.append(value))
    slider.setValue(slider.maximum())
    slider.setValue(0)
    assert seen[0] == info.high and seen[-1] == info.low
    for value in seen:
        form.show_model(source.replaced(**{name: value}))


def test_steps_are_switched_on_and_set(form):
    model = DataSettings()
    form.show_model(model)
    editor = form.editors["augmentation"]
    found = []
    form.changed.connect(lambda name, value, key: found.append((name, value)))
    editor.switches["shift.v1"].click()
    assert [step.kind for step in found[-1][1]] == ["shift.v1"] and found[-1][0] == "augmentation"
    model = model.model_copy(update={"augmentation": found[-1][1]})
    form.show_model(model)
    assert editor.switches["shift.v1"].isChecked() and not editor.forms["shift.v1"].isHidden()
    editor.switches["flip.v1"].click()
    assert [step.kind for step in found[-1][1]] == ["flip.v1", "shift.v1"]
    editor.forms["shift.v1"].changed.emit("share", 0.3, None)
    assert found[-1][1][0].share == 0.3
    editor.switches["shift.v1"].click()
    assert found[-1][1] == ()


def test_metrics_are_ticked_and_have_parameters(form):
    form.show_model(TrainSettings(metrics="f1"))  # the way they stand in files of earlier versions
    editor = form.editors["metrics"]
    assert [kind for kind, switch in editor.switches.items() if switch.isChecked()] == ["f1.v1"]
    found = []
    form.changed.connect(lambda name, value, key: found.append((name, value)))
    editor.switches["top_k.v1"].click()
    assert found[-1] == ("metrics", (TopK(), F1()))
    form.show_model(TrainSettings(metrics=found[-1][1]))
    type_in(editor.forms["top_k.v1"].editors["k"], 3)
    assert found[-1][1] == (TopK(k=3), F1())
