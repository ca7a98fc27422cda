"""Items about how something is said: sex, speed, pitch, accent, liveliness, whispering, number and order of voices.

The labels are the synthesiser's settings, never a listener's judgement; the manifest says so by `task`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.mixtures import Scene
from data.voices.casting import HELD_OUT, Cast
from data.voices.espeak import WHISPERS
from data.voices.interface import SAMPLE_RATE, Speaking, Voice


def voice_item(said: str, cast: Cast, held_out: bool, generator: np.random.Generator) -> tuple[Scene, Voice]:
    """One or two synthesised voices saying `said`, with a question about them and its answer."""
    kind = ("sex", "speed", "pitch", "accent", "liveliness", "whisper", "how many", "same")[int(generator.integers(8))]
    if kind in ("how many", "same"):
        return _of_two(said, cast, held_out, generator, kind)
    speaking = _drawn(cast, kind, held_out, generator)
    low = bool(generator.integers(2))
    voice = speaking.voice
    if kind == "sex":
        question, answer = "Is the speaker a man or a woman?", f"A {voice.sex}."
    elif kind == "accent":
        question, answer = "Which accent does the speaker have?", f"{voice.accent}."
    elif kind == "speed":
        speaking = replace(speaking, speed=0.65 if low else 1.6)
        question, answer = "Does the person speak slowly or quickly?", "Slowly." if low else "Quickly."
    elif kind == "pitch":
        speaking = replace(speaking, pitch=0.35 if low else 1.8, speed=1.0)
        question, answer = "Is the voice high or low?", "Low." if low else "High."
    elif kind == "liveliness":
        speaking = replace(speaking, liveliness=0.05 if low else 1.9, pitch=1.0)
        question, answer = "Is the speech flat or lively?", "Flat." if low else "Lively."
    else:
        whispered = voice.name.split("+")[-1] in WHISPERS
        question, answer = "Is the person whispering?", "Yes." if whispered else "No."
    samples = cast.synthesisers[voice.synthesiser].synthesise(said, speaking)
    return Scene(samples, f"voice-{kind.replace(' ', '-')}", question, answer), voice


def _drawn(cast: Cast, kind: str, held_out: bool, generator: np.random.Generator) -> Speaking:
    """A voice for which `kind` is known: pitch, range and whispering are eSpeak's alone."""
    speaking = cast.speaking("quick", "en", held_out, generator)
    # Festival's HTS voice does not follow a change of speed.
    while kind == "speed" and speaking.voice.synthesiser == "festival":
        speaking = cast.speaking("quick", "en", held_out, generator)
    if kind in ("sex", "speed"):
        return replace(speaking, speed=1.0)
    espeak = cast.synthesisers["espeak-ng"].voices()
    voices = [v for v in espeak if v.language == "en" and (v.label in HELD_OUT) == held_out]
    if kind != "whisper" or generator.integers(2):
        voices = [v for v in voices if v.name.split("+")[1] not in WHISPERS]
    else:
        # Whispering voices are never held out: there are only two, told apart by their accents.
        voices = [v for v in espeak if v.name.split("+")[-1] in WHISPERS]
    return replace(speaking, voice=voices[int(generator.integers(len(voices)))], speed=1.0)


def _of_two(said: str, cast: Cast, held_out: bool, generator: np.random.Generator, kind: str) -> tuple[Scene, Voice]:
    first = cast.speaking("quick", "en", held_out, generator)
    different = bool(generator.integers(2))
    second = first
    while different and second.voice.sex == first.voice.sex:
        # The held-out quick voices are all men: the woman beside one is a voice of the training mix.
        second = cast.speaking("quick", "en", False, generator)
    words = said.split()
    halves = " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])
    parts = [
        cast.synthesisers[speaking.voice.synthesiser].synthesise(half, speaking)
        for half, speaking in zip(halves, (first, second), strict=True)
    ]
    samples = np.concatenate([parts[0], np.zeros(SAMPLE_RATE // 3, np.float32), parts[1]])
    if kind == "how many":
        return Scene(samples, "voice-how-many", "How many people speak?", "Two." if different else "One."), first.voice
    answer = f"A {first.voice.sex}."
    return Scene(samples, "voice-same", "Who speaks first, a man or a woman?", answer), first.voice
