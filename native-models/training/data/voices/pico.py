"""SVOX Pico: one HMM voice for each of six languages, a process a sentence: it starts in milliseconds."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from data.voices.interface import Speaking, SynthesisError, Voice, resample, trim

# Debian keeps it in non-free because the voices' recordings are not published; use and sale are free.
LICENCE = "Apache-2.0 (program and voice)"
SPEAKERS = {
    "en-US": ("en", "American"),
    "en-GB": ("en", "British"),
    "de-DE": ("de", "native"),
    "fr-FR": ("fr", "native"),
    "es-ES": ("es", "native"),
    "it-IT": ("it", "native"),
}


class Pico:
    name = "pico"

    def voices(self) -> list[Voice]:
        """None where the program is not installed. All are women."""
        if shutil.which("pico2wave") is None:
            return []
        return [
            Voice(self.name, name, language, "woman", accent, LICENCE) for name, (language, accent) in SPEAKERS.items()
        ]

    def synthesise(self, said: str, speaking: Speaking) -> np.ndarray:
        # Levels are in hundredths of the voice's own; there is no escape for what looks like markup in the text.
        text = said.translate({ord("<"): " ", ord(">"): " "})
        text = f'<speed level="{100 * speaking.speed:.0f}">{text}</speed>'
        text = f'<pitch level="{np.clip(100 * speaking.pitch, 50, 200):.0f}">{text}</pitch>'
        with tempfile.TemporaryDirectory() as folder:
            wave = Path(folder) / "speech.wav"
            command = ["pico2wave", "--lang", speaking.voice.name, "--wave", str(wave), text]
            result = subprocess.run(command, capture_output=True)
            if result.returncode or not wave.exists():
                raise SynthesisError(result.stderr.decode(errors="replace"))
            samples, rate = soundfile.read(wave, dtype="float32")
        if np.abs(samples).max(initial=0.0) < 0.01:  # of a text with nothing to say, a hiss
            raise SynthesisError(f"Pico said nothing for {said!r}")
        return trim(resample(samples, rate))
