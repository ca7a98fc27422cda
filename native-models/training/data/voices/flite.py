"""Flite 2.2 (CMU): kal, kal16, awb, rms and slt, each a process a sentence."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from data.voices.interface import Speaking, SynthesisError, Voice, resample, trim

LICENCE = "BSD-like (CMU Flite)"


class Flite:
    name = "flite"

    def voices(self) -> list[Voice]:
        """None where the program is not installed."""
        if shutil.which("flite") is None:
            return []
        speakers = {"kal": ("man", "American"), "kal16": ("man", "American"), "awb": ("man", "Scottish")}
        speakers |= {"rms": ("man", "American"), "slt": ("woman", "American")}
        return [Voice(self.name, key, "en", sex, accent, LICENCE) for key, (sex, accent) in speakers.items()]

    def synthesise(self, said: str, speaking: Speaking) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            wave = Path(folder) / "speech.wav"
            command = ["flite", "-voice", speaking.voice.name]
            command += ["--setf", f"duration_stretch={1 / speaking.speed:.3f}"]
            # Unit-selection voices ignore the target; for the diphone voices it is the speaker's mean in Hz.
            if speaking.voice.name.startswith("kal"):
                command += ["--setf", f"int_f0_target_mean={95 * speaking.pitch:.1f}"]
            result = subprocess.run([*command, "-t", said, "-o", str(wave)], capture_output=True)
            if result.returncode or not wave.exists():
                raise SynthesisError(result.stderr.decode(errors="replace"))
            samples, rate = soundfile.read(wave, dtype="float32")
        return trim(resample(samples, rate))
