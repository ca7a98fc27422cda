"""Kokoro 82M: the most natural of the voices, and every blend between two of them."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.voices.interface import Speaking, SynthesisError, Voice, resample, trim
from data.voices.phonemes import phonemes

if TYPE_CHECKING:
    from data.voices.kokoro_graph import SplitKokoro

LICENCE = "Apache-2.0"
MODEL = "kokoro-v1.0.int8.onnx"
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
RATE = 24000
LONGEST = 510
"""Phonemes in one go: the model's positions less its two end marks."""
ACCENTS = {
    "a": ("en", "American"),
    "b": ("en", "British"),
    "e": ("es", "Spanish"),
    "f": ("fr", "French"),
    "h": ("hi", "Hindi"),
    "i": ("it", "Italian"),
    "j": ("ja", "Japanese"),
    "p": ("pt", "Portuguese"),
    "z": ("zh", "Chinese"),
}
SYMBOLS: dict[str, int] = json.loads((Path(__file__).parent / "kokoro_symbols.json").read_text())


class Kokoro:
    """`folder` holds the model and a `.bin` for each voice: float32 `[510, 256]`, a style for each length."""

    name = "kokoro"

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._folder = folder
        self._threads = threads
        self._styles: dict[str, np.ndarray] = {}

    @cached_property
    def _model(self) -> SplitKokoro:
        from data.voices.kokoro_graph import SplitKokoro  # PyTorch takes seconds to import

        path = self._folder / MODEL
        if hashlib.sha256(path.read_bytes()).hexdigest() != MODEL_SHA256:
            raise OSError(f"{path} is not Kokoro v1.0 int8: fetch it again (data/README.md, Kokoro)")
        return SplitKokoro(path, self._threads)

    def voices(self) -> list[Voice]:
        return [self.voice(path.stem) for path in sorted(self._folder.glob("??_*.bin"))]

    def voice(self, name: str) -> Voice:
        """`af_bella`, or a blend of two, `af_bella*0.60+bm_lewis*0.40`, which has the first one's accent."""
        first = name.split("*")[0]
        language, accent = ACCENTS[first[0]]
        same_sex = len({part[1] for part in name.split("+")}) == 1
        sex = {"f": "woman", "m": "man"}[first[1]] if same_sex else "unknown"
        return Voice(self.name, name, language, sex, accent, LICENCE)

    def style(self, name: str, length: int) -> np.ndarray:
        """The style vector `[1, 256]` of a voice or blend for a sentence of `length` phonemes."""
        total = np.zeros((1, 256), np.float32)
        for part in name.split("+"):
            voice, _, weight = part.partition("*")
            if voice not in self._styles:
                self._styles[voice] = np.fromfile(self._folder / f"{voice}.bin", "<f4").reshape(-1, 256)
            total += float(weight or 1) * self._styles[voice][min(length, LONGEST) - 1]
        return total

    def synthesise(self, said: str, speaking: Speaking) -> np.ndarray:
        letter = speaking.voice.name[0]
        # A voice of another language speaks English with American phonemes, in its own timbre.
        accent = letter if letter in "ab" or speaking.voice.language != "en" else "a"
        tokens = [SYMBOLS[symbol] for symbol in phonemes(said, accent) if symbol in SYMBOLS]
        if not 2 <= len(tokens) <= LONGEST:
            raise SynthesisError(f"{len(tokens)} phonemes")
        style = self.style(speaking.voice.name, len(tokens))
        return trim(resample(self._model.speak(np.array([[0, *tokens, 0]], np.int64), style, speaking.speed), RATE))
