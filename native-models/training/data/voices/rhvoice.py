"""RHVoice: HMM voices of CMU ARCTIC's speakers, spoken by its library, which loads a voice once and keeps it."""

from __future__ import annotations

import ctypes
from functools import cached_property
from pathlib import Path

import numpy as np

from data.voices.interface import Speaking, SynthesisError, Voice, resample, trim

LIBRARY = "libRHVoice.so.5"
DATA = Path("/usr/share/RHVoice")
LICENCE = "LGPL-2.1-or-later (program and voice); its sound is free"
SPEAKERS = {
    "Alan": ("man", "Scottish"),
    "Bdl": ("man", "American"),
    "Clb": ("woman", "American"),
    "Slt": ("woman", "American"),
}
"""The package's other two English voices, Evgeniy-Eng and Lyubov, are CC-BY-NC-ND: not for training."""


class RHVoice:
    name = "rhvoice"

    def voices(self) -> list[Voice]:
        """None where the library or its English voices are not installed."""
        here = [name for name in SPEAKERS if (DATA / "voices" / name.lower()).is_dir()]
        if not here or not _installed():
            return []
        return [Voice(self.name, name, "en", *SPEAKERS[name], LICENCE) for name in here]

    @cached_property
    def _engine(self) -> _Engine:
        return _Engine()

    def synthesise(self, said: str, speaking: Speaking) -> np.ndarray:
        samples, rate = self._engine.speak(said, speaking.voice.name, speaking.speed, speaking.pitch)
        return trim(resample(samples, rate))


# RHVoice.h's structures, in its order.
_SetRate = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_Play = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_uint, ctypes.c_void_p)
_UNUSED = "process_mark word_starts word_ends sentence_starts sentence_ends play_audio done".split()


class _Initialisation(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_char_p) for name in ("data_path", "config_path")),
        ("resource_paths", ctypes.c_void_p),
        ("set_sample_rate", _SetRate),
        ("play_speech", _Play),
        *((name, ctypes.c_void_p) for name in _UNUSED),
        ("options", ctypes.c_uint),
    ]


class _Manner(ctypes.Structure):
    _fields_ = [
        ("voice_profile", ctypes.c_char_p),
        *((f"absolute_{what}", ctypes.c_double) for what in ("rate", "pitch", "volume")),
        *((f"relative_{what}", ctypes.c_double) for what in ("rate", "pitch", "volume")),
        ("punctuation_mode", ctypes.c_int),
        ("punctuation_list", ctypes.c_char_p),
        ("capitals_mode", ctypes.c_int),
        ("flags", ctypes.c_int),
    ]


class _Engine:
    """The library's engine: it has no state from one message to the next, so a sentence sounds the same anywhere."""

    def __init__(self) -> None:
        self._rate = 0
        self._sound = bytearray()
        self._library = ctypes.CDLL(LIBRARY)
        self._library.RHVoice_new_tts_engine.restype = ctypes.c_void_p
        self._library.RHVoice_new_message.restype = ctypes.c_void_p
        # The library keeps pointers to both callbacks. A person's own settings are left out: the sound is the seed's.
        self._callbacks = _SetRate(self._set_rate), _Play(self._receive)
        start = _Initialisation(
            data_path=str(DATA).encode(),
            config_path=str(DATA / "no-settings").encode(),
            set_sample_rate=self._callbacks[0],
            play_speech=self._callbacks[1],
        )
        self._engine = ctypes.c_void_p(self._library.RHVoice_new_tts_engine(ctypes.byref(start)))
        if not self._engine:
            raise SynthesisError("RHVoice did not start")

    def speak(self, said: str, voice: str, speed: float, pitch: float) -> tuple[np.ndarray, int]:
        """→ float32 samples and their rate in Hz."""
        self._sound.clear()
        manner = _Manner(voice.encode(), 0, 0, 0, speed, pitch, 1)
        text = said.encode()
        message = ctypes.c_void_p(
            self._library.RHVoice_new_message(self._engine, text, len(text), 0, ctypes.byref(manner), None)
        )
        if not message:
            raise SynthesisError(f"RHVoice refused {said!r}")
        spoken = self._library.RHVoice_speak(message)
        self._library.RHVoice_delete_message(message)
        if not spoken or not self._sound:
            raise SynthesisError(f"RHVoice said nothing for {said!r}")
        return np.frombuffer(bytes(self._sound), "<i2").astype(np.float32) / 32768, self._rate

    def _set_rate(self, rate: int, _data: int | None) -> int:
        self._rate = rate
        return 1

    def _receive(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _data: int | None) -> int:
        self._sound.extend(ctypes.string_at(samples, 2 * count))
        return 1


def _installed() -> bool:
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True
