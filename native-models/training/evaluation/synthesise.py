"""Speaks the questions with Flite's voices, and writes a suite for `parlance eval` and `evaluate.py`.

python -m evaluation.synthesise OUT
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import soundfile

from data.voices.flite import Flite
from data.voices.interface import SAMPLE_RATE, Speaking

QUESTIONS = Path(__file__).parent / "suites/questions.json"
_VOICES = ("slt", "rms", "awb", "kal16")


def main() -> None:
    parser = argparse.ArgumentParser(description="Speaks a small suite of questions with known answers.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    given = parser.parse_args()
    items = speak(json.loads(given.questions.read_text(encoding="utf-8")), given.out)
    print(f"{len(items)} items in {given.out / 'suite.json'}")


def speak(questions: list[dict[str, Any]], out: Path) -> list[dict[str, Any]]:
    """A conversation keeps its voice; conversations take turns with them. All turns but answers are spoken."""
    out.mkdir(parents=True, exist_ok=True)
    voices = {voice.name: voice for voice in Flite().voices()}
    items = []
    for number, question in enumerate(questions):
        voice = voices[_VOICES[number % len(_VOICES)]]

        def said(text: str, name: str, speaking: Speaking) -> str:
            sound = Flite().synthesise(text, speaking)
            soundfile.write(out / name, sound, SAMPLE_RATE, subtype="PCM_16")
            return name

        speaking = Speaking(voice)
        turns = [
            {"audio": said(turn["text"], f"{question['id']}-{place}.wav", speaking), **turn}
            for place, turn in enumerate(question.get("turns", []), 1)
        ]
        audio = said(question["text"], f"{question['id']}.wav", speaking)
        items.append({"audio": audio, "language": "en", **question, **({"turns": turns} if turns else {})})
    (out / "suite.json").write_text(json.dumps(items, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return items


if __name__ == "__main__":
    main()
