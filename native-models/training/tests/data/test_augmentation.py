"""Augmentation: same seed, same sound; each step does what its name says."""

import numpy as np
import pytest

from data.augmentation import CLEAN, AugmentationSettings, add_noise, augment, change_tempo, shift_pitch, telephone
from data.noises import NOISES
from data.rooms import room_response

RATE = 16000


@pytest.fixture
def tone() -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)


def pitch_of(samples: np.ndarray) -> float:
    middle = samples[len(samples) // 4 : len(samples) // 4 + 8192] * np.hanning(8192)
    return float(np.argmax(np.abs(np.fft.rfft(middle, 65536))) * RATE / 65536)


def test_the_same_seed_gives_the_same_sound(tone: np.ndarray) -> None:
    for seed in range(8):
        first, done = augment(tone, np.random.default_rng(seed), voices_nearby=[tone])
        again, done_again = augment(tone, np.random.default_rng(seed), voices_nearby=[tone])
        assert done == done_again
        np.testing.assert_array_equal(first, again)
        assert first.dtype == np.float32 and np.isfinite(first).all() and np.abs(first).max() <= 1


def test_clean_settings_change_nothing(tone: np.ndarray) -> None:
    heard, done = augment(tone, np.random.default_rng(0), CLEAN)
    assert done == []
    np.testing.assert_array_equal(heard, tone)


def test_each_step_is_told(tone: np.ndarray) -> None:
    everything = AugmentationSettings(1, pitch=1, room=1, noise=1, telephone=1, tilt=1, clipping=1, level=1, silence=1)
    _, done = augment(tone, np.random.default_rng(0), everything, [tone])
    assert len(done) == 9


def test_tempo_changes_the_length_and_not_the_pitch(tone: np.ndarray) -> None:
    fast = change_tempo(tone, 1.25)
    assert len(fast) == pytest.approx(len(tone) / 1.25, rel=0.03)
    assert pitch_of(fast) == pytest.approx(440, abs=4)


def test_pitch_changes_the_pitch_and_not_the_length(tone: np.ndarray) -> None:
    high = shift_pitch(tone, 3)
    assert len(high) == pytest.approx(len(tone), rel=0.03)
    assert pitch_of(high) == pytest.approx(440 * 2 ** (3 / 12), abs=6)


@pytest.mark.parametrize("decibels", [0.0, 10.0, 20.0])
def test_noise_stands_at_the_level_that_was_set(tone: np.ndarray, decibels: float) -> None:
    noise = NOISES["pink"](len(tone), np.random.default_rng(1), [])
    added = add_noise(tone, noise, decibels) - tone
    measured = 10 * np.log10(np.mean(tone**2) / np.mean(added**2))
    assert measured == pytest.approx(decibels, abs=0.5)


@pytest.mark.parametrize("name", NOISES)
def test_every_noise_is_finite_and_as_long_as_asked(name: str, tone: np.ndarray) -> None:
    noise = NOISES[name](12345, np.random.default_rng(2), [tone])
    assert noise.shape == (12345,) and np.isfinite(noise).all() and noise.std() > 0


def test_a_room_rings_for_its_time() -> None:
    response = room_response(0.5, np.random.default_rng(3))
    energy = np.cumsum(response[::-1] ** 2)[::-1]
    decay = 10 * np.log10(energy / energy[0] + 1e-12)
    fell_by_25 = np.argmax(decay < -25) / RATE
    assert np.argmax(np.abs(response)) == 0
    assert fell_by_25 < 0.5
    assert response.size == int(0.5 * RATE) + 1


def test_the_telephone_has_no_treble_and_no_bass() -> None:
    hiss = np.random.default_rng(4).standard_normal(2 * RATE).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(telephone(hiss))) ** 2
    hertz = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    inside = spectrum[(hertz > 500) & (hertz < 3000)].mean()
    assert spectrum[hertz > 4300].mean() < 0.01 * inside
    assert spectrum[hertz < 100].mean() < 0.05 * inside
