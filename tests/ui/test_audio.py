"""Somebody hears and records sounds; a computer without sound says so. A stand-in takes the place of the devices."""

from __future__ import annotations

import importlib
import sys
import types

import numpy as np
import pytest

from nndesigner.ui import audio


class Devices(types.ModuleType):
    """Behaves like sounddevice with one loudspeaker and one microphone, or with none."""

    class PortAudioError(Exception):
        pass

    def __init__(self, present: bool = True) -> None:
        super().__init__("sounddevice")
        self.present, self.active = present, False
        self.played: list[tuple[np.ndarray, int]] = []

    def query_devices(self, kind: str) -> dict[str, float]:
        if not self.present:
            raise self.PortAudioError("Error querying device -1")
        return {"default_samplerate": 8000.0}

    def play(self, wave: np.ndarray, rate: int) -> None:
        self.played.append((wave, rate))
        self.active = True

    def rec(self, frames: int, rate: int, channels: int, dtype: str) -> np.ndarray:
        self.active = True
        return np.linspace(-1, 1, frames, dtype=dtype)[:, None]

    def stop(self) -> None:
        self.active = False

    def get_stream(self) -> Devices:
        return self


@pytest.fixture
def devices(monkeypatch):
    found = Devices()
    monkeypatch.setitem(sys.modules, "sounddevice", found)
    return found


def test_a_sound_is_heard_to_its_end(qtbot, devices):
    wave = np.array([0.0, 2.0, -2.0])
    button = audio.PlayButton(lambda: (wave, 8000))
    qtbot.addWidget(button)
    button.show()
    button.button.click()
    assert button.player.active
    np.testing.assert_array_equal(devices.played[0][0], [0, 1, -1])
    with qtbot.waitSignal(button.player.ended):
        devices.active = False
    assert not button.player.active


def test_a_second_click_and_hiding_end_it(qtbot, devices):
    button = audio.PlayButton(lambda: (np.zeros(10), 8000))
    qtbot.addWidget(button)
    button.show()
    button.button.click()
    button.button.click()
    assert not devices.active
    button.button.click()
    assert devices.active
    button.hide()
    assert not devices.active


def test_without_a_loudspeaker_it_is_said(qtbot, devices):
    devices.present = False
    button = audio.PlayButton(lambda: (np.zeros(10), 8000))
    qtbot.addWidget(button)
    with qtbot.waitSignal(button.failed) as told:
        button.button.click()
    assert "No loudspeaker was found" in told.args[0]
    assert not button.player.active


def test_without_the_library_it_is_said_what_to_install(monkeypatch):
    def missing(name: str) -> None:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(audio.AudioError, match="libportaudio2"):
        audio.Player().play(np.zeros(10), 8000)


def test_recording_gives_what_was_said(qtbot, devices):
    recorder = audio.Recorder()
    recorder.start(0.5)
    with qtbot.waitSignal(recorder.waiting):
        pass
    with qtbot.waitSignal(recorder.recorded) as heard:
        devices.active = False
    assert heard.args[0].shape == (4000,) and heard.args[1] == 8000
    assert not recorder.active
