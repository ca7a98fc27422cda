"""Noises that are made, not recorded: white, pink, brown, hum, wind-like, crackle, and babble of the corpus."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data.voices.interface import SAMPLE_RATE

Noise = Callable[[int, np.random.Generator, list[np.ndarray]], np.ndarray]


def coloured(exponent: float) -> Noise:
    """Noise whose power falls with frequency to the `exponent`: 0 white, 1 pink, 2 brown."""

    def make(length: int, generator: np.random.Generator, _: list[np.ndarray]) -> np.ndarray:
        spectrum = np.fft.rfft(generator.standard_normal(length))
        frequency = np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE), 20.0)
        return np.fft.irfft(spectrum * frequency ** (-exponent / 2), length).astype(np.float32)

    return make


def hum(length: int, generator: np.random.Generator, _: list[np.ndarray]) -> np.ndarray:
    """Mains: 50 or 60 Hz with its harmonics, and a little hiss."""
    time = np.arange(length) / SAMPLE_RATE
    mains = (50.0, 60.0)[int(generator.integers(2))]
    tones = sum(
        generator.uniform(0.1, 1) / k * np.sin(2 * np.pi * (mains * k * time + generator.random())) for k in range(1, 9)
    )
    return (tones + 0.05 * generator.standard_normal(length)).astype(np.float32)


def wind(length: int, generator: np.random.Generator, nearby: list[np.ndarray]) -> np.ndarray:
    """Brown noise that swells and falls over seconds."""
    knots = generator.uniform(0.2, 1.0, max(3, length // (SAMPLE_RATE // 2) + 2))
    swell = np.interp(np.linspace(0, len(knots) - 1, length), np.arange(len(knots)), knots)
    return coloured(2)(length, generator, nearby) * swell.astype(np.float32)


def crackle(length: int, generator: np.random.Generator, _: list[np.ndarray]) -> np.ndarray:
    """Sparse clicks over faint hiss."""
    sparse = generator.standard_normal(length) * (generator.random(length) < 0.002)
    ring = np.exp(-np.arange(64) / 12) * np.cos(np.arange(64) * generator.uniform(0.3, 2.0))
    return (np.convolve(sparse, ring)[:length] + 0.01 * generator.standard_normal(length)).astype(np.float32)


def babble(length: int, generator: np.random.Generator, nearby: list[np.ndarray]) -> np.ndarray:
    """Three to six other clips of the corpus at once, each begun anywhere."""
    mixture = np.zeros(length, np.float32)
    for _ in range(int(generator.integers(3, 7))):
        voice = nearby[int(generator.integers(len(nearby)))]
        mixture += np.roll(np.resize(voice, length), int(generator.integers(length)))
    return mixture


NOISES: dict[str, Noise] = {
    "white": coloured(0),
    "pink": coloured(1),
    "brown": coloured(2),
    "hum": hum,
    "wind": wind,
    "crackle": crackle,
    "babble": babble,
}
