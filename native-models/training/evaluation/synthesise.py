"""Speaks written suites with voices that no training hears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import soundfile

from data.texts.spoken_forms import say
from data.voices.casting import HELD_OUT
from data.voices.espeak import Espeak
from data.voices.festival import Festival
from data.voices.flite import Flite
from data.voices.interface import SAMPLE_RATE, Speaking, Synthesiser, Voice
from data.voices.kokoro import Kokoro

_NATURAL = ("kokoro/bf_emma", "kokoro/am_michael", "flite/awb", "festival/ked_diphone")
"""Of the held-out voices those that people understand at once, in the order in which they take turns."""
_ANYWHERE = ("espeak-ng/en-gb+m7", "espeak-ng/en-us+m7")
"""They speak where no other is installed."""


def held_out_voices(kokoro: Path | None) -> list[tuple[Synthesiser, Voice]]:
    """Those that this machine has; Kokoro's where its folder is named."""
    synthesisers: list[Synthesiser] = [Flite(), Festival(), Espeak()]
    if kokoro is not None:
        synthesisers.append(Kokoro(kokoro))
    known = {voice.label: (one, voice) for one in synthesisers for voice in one.voices() if voice.label in HELD_OUT}
    natural = [known[label] for label in _NATURAL if label in known]
    return natural or [known[label] for label in _ANYWHERE if label in known]


def speak(items: list[dict[str, Any]], out: Path, voices: list[tuple[Synthesiser, Voice]]) -> list[dict[str, Any]]:
    """Writes `out/suite.json` and its sounds. A conversation keeps its voice; conversations take turns with them. All
    turns but answers are spoken."""
    out.mkdir(parents=True, exist_ok=True)
    spoken = []
    for number, item in enumerate(items):
        synthesiser, voice = voices[number % len(voices)]

        def said(text: str, name: str, synthesiser: Synthesiser, voice: Voice) -> str:
            sound = synthesiser.synthesise(say(text), Speaking(voice))
            soundfile.write(out / name, sound, SAMPLE_RATE, subtype="PCM_16")
            return name

        turns = [
            {"audio": said(turn["text"], f"{item['id']}-{place}.wav", synthesiser, voice), **turn}
            for place, turn in enumerate(item.get("turns", []), 1)
        ]
        audio = said(item["text"], f"{item['id']}.wav", synthesiser, voice)
        about = {"audio": audio, "language": "en", "voice": voice.label}
        spoken.append(about | item | ({"turns": turns} if turns else {}))
    write_suite(out, spoken)
    return spoken


def write_suite(folder: Path, items: list[dict[str, Any]]) -> None:
    (folder / "suite.json").write_text(json.dumps(items, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
