"""Who speaks which sentence: the mix of voices, drawn by seed, and the voices no training hears."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from data.voices.espeak import WHISPERS, Espeak
from data.voices.festival import Festival
from data.voices.flite import Flite
from data.voices.interface import Speaking, Synthesiser, Voice
from data.voices.kokoro import Kokoro
from data.voices.pico import Pico
from data.voices.rhvoice import RHVoice

HELD_OUT = frozenset(
    {"flite/awb", "rhvoice/Alan", "kokoro/bf_emma", "kokoro/am_michael", "festival/ked_diphone"}
    | {f"espeak-ng/{accent}+m7" for accent in ("en-us", "en-gb")}
)
"""awb and Alan are one man, Alan Black, whom no training hears from either synthesiser."""
QUICK_SHARES = {"rhvoice": 0.45, "flite": 0.24, "pico": 0.20, "festival": 0.06, "espeak-ng": 0.05}
NATURAL = {
    "rhvoice/Bdl": 3.0,
    "rhvoice/Clb": 3.0,
    "flite/slt": 10.0,
    "flite/rms": 10.0,
    "festival/cmu_us_slt_arctic_hts": 6.0,
}
"""How much oftener these speak than another voice of their synthesiser. Buzzing voices (eSpeak's, kal, kal16) say one
sentence in twelve, so that no model takes their sound for speech's, and slt, whom three synthesisers have, under a
quarter. Of plain sentences Whisper base mistakes 8 to 12 words in a hundred of RHVoice's and Pico's, 23 of kal16's."""
BLENDED = 0.4
"""Share of Kokoro's sentences that a blend of two voices speaks: as many new speakers as wanted."""
FOREIGN = 0.1
"""Share of Kokoro's sentences that a voice of another language speaks."""


class Cast:
    """Every synthesiser at hand, and the draw of a voice from it."""

    def __init__(self, kokoro_folder: Path | None) -> None:
        self.synthesisers: dict[str, Synthesiser] = {
            s.name: s for s in (Flite(), Espeak(), Festival(), RHVoice(), Pico())
        }
        if kokoro_folder is not None:
            self.synthesisers["kokoro"] = Kokoro(kokoro_folder)
        self._voices = {name: synthesiser.voices() for name, synthesiser in self.synthesisers.items()}

    def voices(self, synthesiser: str, language: str, held_out: bool) -> list[Voice]:
        return [
            voice
            for voice in self._voices[synthesiser]
            if voice.language == language
            and (voice.label in HELD_OUT) == held_out
            and voice.name.split("+")[-1] not in WHISPERS
        ]

    def speaking(self, group: str, language: str, held_out: bool, generator: np.random.Generator) -> Speaking:
        """`group` is `kokoro`, or `quick` as for a language that Kokoro lacks; the draw uses `generator` alone."""
        if group == "kokoro" and self.voices("kokoro", language, held_out):
            voice = self._kokoro_voice(language, held_out, generator)
        else:
            names = [name for name in QUICK_SHARES if self.voices(name, language, held_out)]
            shares = np.array([QUICK_SHARES[name] for name in names])
            name = names[int(generator.choice(len(names), p=shares / shares.sum()))]
            voice = _one_of(self.voices(name, language, held_out), generator)
        speed, pitch, liveliness = (
            generator.uniform(0.85, 1.2),
            generator.uniform(0.7, 1.4),
            generator.uniform(0.5, 1.6),
        )
        seed = int(generator.integers(2**31))
        return Speaking(voice, round(float(speed), 3), round(float(pitch), 3), round(float(liveliness), 3), seed)

    def _kokoro_voice(self, language: str, held_out: bool, generator: np.random.Generator) -> Voice:
        kokoro = self.synthesisers["kokoro"]
        assert isinstance(kokoro, Kokoro)
        native = self.voices("kokoro", language, held_out)
        if held_out or language != "en":
            return _one_of(native, generator)
        draw = generator.random()
        if draw < FOREIGN:
            foreign = [v for v in self._voices["kokoro"] if v.language != "en"]
            return replace(_one_of(foreign, generator), language="en")
        if draw < FOREIGN + BLENDED:
            first, second = (native[int(i)].name for i in generator.choice(len(native), 2, replace=False))
            weight = float(generator.uniform(0.5, 0.8))
            return kokoro.voice(f"{first}*{weight:.2f}+{second}*{1 - weight:.2f}")
        return _one_of(native, generator)


def _one_of(voices: list[Voice], generator: np.random.Generator) -> Voice:
    weights = np.array([NATURAL.get(voice.label, 1.0) for voice in voices])
    return voices[int(generator.choice(len(voices), p=weights / weights.sum()))]
