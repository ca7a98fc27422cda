"""Chord sequences in a few timbres, with what can be asked of them."""

from __future__ import annotations

import numpy as np

from data.voices.interface import SAMPLE_RATE

TIMBRES = {
    "an organ": ((1, 0.6, 0.5, 0.3, 0.3, 0.2), 0.0),
    "a plucked string": ((1, 0.5, 0.33, 0.25, 0.2, 0.16), 4.0),
    "a flute": ((1, 0.15, 0.05), 0.3),
    "a brass instrument": ((0.7, 1, 0.9, 0.7, 0.5, 0.4), 0.6),
}
CHORDS = {"major": (0, 4, 7), "minor": (0, 3, 7)}


def chords(generator: np.random.Generator) -> tuple[np.ndarray, dict[str, str]]:
    """`[samples]` and its facts: `mode`, `timbre`, `tempo`, `count` of chords, `motion` of the roots."""
    mode = list(CHORDS)[int(generator.integers(2))]
    timbre = list(TIMBRES)[int(generator.integers(len(TIMBRES)))]
    tempo = ("slow", "fast")[int(generator.integers(2))]
    motion = ("rising", "falling")[int(generator.integers(2))]
    count = int(generator.integers(3, 7))
    seconds = generator.uniform(0.65, 0.9) if tempo == "slow" else generator.uniform(0.2, 0.32)
    steps = np.sort(generator.choice(13, count, replace=False))
    roots = 45 + int(generator.integers(0, 10)) + (steps if motion == "rising" else steps[::-1])
    samples = np.concatenate([_chord(int(root), mode, timbre, float(seconds)) for root in roots])
    facts = {"mode": mode, "timbre": timbre, "tempo": tempo, "motion": motion, "count": str(count)}
    return (samples / np.abs(samples).max() * 0.7).astype(np.float32), facts


def _chord(root: int, mode: str, timbre: str, seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    harmonics, decay = TIMBRES[timbre]
    total = np.zeros(len(time))
    for step in CHORDS[mode]:
        frequency = 440 * 2 ** ((root + step - 69) / 12)
        total += sum(a * np.sin(2 * np.pi * frequency * k * time) for k, a in enumerate(harmonics, 1))
    edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.015)
    return total * edge * np.exp(-decay * time)
