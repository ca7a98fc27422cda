"""eSpeak NG: accents of English and other languages, each with the variants that change the speaker."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import soundfile

from data.voices.interface import Speaking, SynthesisError, Voice, resample, trim

# Synthesised sound is not covered by the program's GPL-3.0; the sound is the user's own.
LICENCE = "GPL-3.0-or-later (program); its sound is free"
ACCENTS = {
    "en-us": "American",
    "en-gb": "British",
    "en-gb-scotland": "Scottish",
    "en-gb-x-rp": "British",
    "en-gb-x-gbclan": "Lancashire",
    "en-gb-x-gbcwmd": "West Midlands",
    "en-us-nyc": "New York",
    "en-029": "Caribbean",
}
WOMEN = "f1 f2 f3 f4 f5 Annie belinda linda steph anika shelby".split()
MEN = "m1 m2 m3 m4 m5 m6 m7 m8 Alex Andy Michael Mike Gene2 rob paul max travis victor iven2".split()
WHISPERS = {"whisper": "man", "whisperf": "woman"}
OTHER_LANGUAGES = {"de": "de", "fr-fr": "fr", "es": "es", "it": "it"}


class Espeak:
    name = "espeak-ng"

    def voices(self) -> list[Voice]:
        variants = dict.fromkeys(WOMEN, "woman") | dict.fromkeys(MEN, "man")
        english = [
            Voice(self.name, f"{accent}+{variant}", "en", sex, where, LICENCE)
            for accent, where in ACCENTS.items()
            for variant, sex in (variants | WHISPERS).items()
        ]
        others = [
            Voice(self.name, f"{name}+{variant}", language, sex, "native", LICENCE)
            for name, language in OTHER_LANGUAGES.items()
            for variant, sex in variants.items()
        ]
        return english + others

    def synthesise(self, said: str, speaking: Speaking) -> np.ndarray:
        # Words a minute and pitch (0-99) as eSpeak counts them; the range of the intonation goes by markup.
        rate, pitch = f"{160 * speaking.speed:.0f}", f"{np.clip(50 * speaking.pitch, 0, 99):.0f}"
        markup = f'<prosody range="{100 * speaking.liveliness:.0f}%">{escape(said)}</prosody>'
        command = [*_program(), "-v", speaking.voice.name, "-s", rate, "-p", pitch, "--", markup]
        result = subprocess.run(command, capture_output=True)
        if result.returncode or len(result.stdout) < 100:
            raise SynthesisError(result.stderr.decode(errors="replace"))
        samples, rate = soundfile.read(io.BytesIO(_with_length(result.stdout)), dtype="float32")
        return trim(resample(samples, rate))


def _program() -> list[str]:
    """The system's own, else the same by a library that pip brings."""
    if shutil.which("espeak-ng") is not None:
        return ["espeak-ng", "-m", "--stdout"]
    return [sys.executable, str(Path(__file__).with_name("espeak_program.py"))]


def _with_length(wave: bytes) -> bytes:
    """A WAV header written to a pipe has no length: put it in."""
    data = len(wave) - 44
    return wave[:4] + (data + 36).to_bytes(4, "little") + wave[8:40] + data.to_bytes(4, "little") + wave[44:]
