"""Festival: the diphone voices kal and ked and the HTS voice slt, from one process that stays open."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from data.voices.interface import Speaking, SynthesisError, Voice, resample, trim

LICENCES = {
    "kal_diphone": "BSD-like (CSTR Edinburgh, CMU)",
    "ked_diphone": "BSD-like (CSTR Edinburgh)",
    "cmu_us_slt_arctic_hts": "BSD-like (CMU), BSD-3-Clause",
}


class Festival:
    name = "festival"

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def voices(self) -> list[Voice]:
        """None where the program is not installed."""
        if shutil.which("festival") is None:
            return []
        return [
            Voice(self.name, voice, "en", "woman" if "slt" in voice else "man", "American", licence)
            for voice, licence in LICENCES.items()
        ]

    def synthesise(self, said: str, speaking: Speaking) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            wave = Path(folder) / "speech.wav"
            # json.dumps quotes the sentence as Scheme does: backslash before quotes and backslashes.
            sentence = json.dumps(said, ensure_ascii=False)
            self._ask(
                f"(begin (voice_{speaking.voice.name}) (Parameter.set 'Duration_Stretch {1 / speaking.speed:.3f})"
                f" (utt.save.wave (utt.synth (Utterance Text {sentence})) {json.dumps(str(wave))}))"
            )
            if not wave.exists():
                raise SynthesisError(f"festival said nothing for {said!r}")
            samples, rate = soundfile.read(wave, dtype="float32")
        return trim(resample(samples, rate))

    def _ask(self, expression: str) -> None:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                ["festival", "--pipe"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        assert self._process.stdin and self._process.stderr
        # An error in the expression returns to the reader, so the mark comes either way.
        self._process.stdin.write(f'{expression}\n(format stderr "spoken\\n")\n')
        self._process.stdin.flush()
        while (line := self._process.stderr.readline()) != "spoken\n":
            if not line:
                raise SynthesisError("festival ended")

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
