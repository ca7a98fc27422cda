"""Recorded speech made harder, the same for the same seed: noise, and a microphone far away in a room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import fftconvolve

from data.augmentation import add_noise
from data.items import generator_for
from data.noises import NOISES
from data.rooms import room_response
from data.voices.interface import SAMPLE_RATE

NOISE_DECIBELS = 10.0
REVERBERATION_SECONDS = (0.5, 0.8)
_DIRECT = int(0.0025 * SAMPLE_RATE)


def with_noise(sounds: Sequence[np.ndarray], identifiers: Sequence[str], seed: int) -> list[np.ndarray]:
    """Each under a noise of its own at 10 dB; babble is made of the others."""
    return [
        _noisy(sound, [*sounds[:place], *sounds[place + 1 :]], generator_for(seed, "noise", identifier))
        for place, (sound, identifier) in enumerate(zip(sounds, identifiers, strict=True))
    ]


def _noisy(sound: np.ndarray, others: list[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    names = [name for name in NOISES if others or name != "babble"]
    noise = NOISES[names[int(generator.integers(len(names)))]](len(sound), generator, others)
    return _within_scale(add_noise(sound, noise, NOISE_DECIBELS))


def in_a_room(sounds: Sequence[np.ndarray], identifiers: Sequence[str], seed: int) -> list[np.ndarray]:
    """Each in a room of its own, so far off that the walls bring more of it than the straight way."""
    return [
        _far_off(sound, generator_for(seed, "room", identifier))
        for sound, identifier in zip(sounds, identifiers, strict=True)
    ]


def _far_off(sound: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    response = room_response(float(generator.uniform(*REVERBERATION_SECONDS)), generator)
    while not is_far(response):
        response = room_response(float(generator.uniform(*REVERBERATION_SECONDS)), generator)
    heard = fftconvolve(sound, response).astype(np.float32)[: len(sound) + SAMPLE_RATE // 2]
    # As loud as it was: only the room is measured, not a weak microphone.
    return _within_scale(heard * float(np.abs(sound).max() / max(1e-6, np.abs(heard).max())))


def is_far(response: np.ndarray) -> bool:
    """Beyond the critical distance: the direct sound (2.5 ms) has less energy than what follows it."""
    return float(np.sum(response[:_DIRECT] ** 2)) < float(np.sum(response[_DIRECT:] ** 2))


def _within_scale(sound: np.ndarray) -> np.ndarray:
    peak = float(np.abs(sound).max(initial=0.0))
    return (sound / peak if peak > 1 else sound).astype(np.float32)
