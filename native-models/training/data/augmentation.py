"""What happens to clean speech on its way to a microphone, drawn anew for each time a clip is heard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from data.noises import NOISES
from data.rooms import room_response
from data.voices.interface import SAMPLE_RATE


@dataclass(frozen=True)
class AugmentationSettings:
    """The chance of each step and the range that its strength is drawn from."""

    speed: float = 0.5
    speed_range: tuple[float, float] = (0.88, 1.14)
    pitch: float = 0.4
    pitch_semitones: tuple[float, float] = (-3.0, 3.5)
    room: float = 0.35
    reverberation_seconds: tuple[float, float] = (0.1, 0.8)
    noise: float = 0.6
    noise_decibels: tuple[float, float] = (3.0, 35.0)
    telephone: float = 0.1
    tilt: float = 0.3
    tilt_decibels: tuple[float, float] = (-9.0, 6.0)
    clipping: float = 0.05
    level: float = 0.9
    level_decibels: tuple[float, float] = (-30.0, -3.0)
    silence: float = 0.7
    silence_seconds: tuple[float, float] = (0.0, 0.8)


CLEAN = AugmentationSettings(0, room=0, noise=0, telephone=0, tilt=0, clipping=0, level=0, silence=0, pitch=0)


def augment(
    samples: np.ndarray,
    generator: np.random.Generator,
    settings: AugmentationSettings = AugmentationSettings(),
    voices_nearby: list[np.ndarray] | None = None,
) -> tuple[np.ndarray, list[str]]:
    """`[samples]` at 16 kHz → (the same speech as heard, float32; what was done, in order).

    The result depends on the generator's state alone. `voices_nearby` are other clips for babble.
    """
    done: list[str] = []

    def chosen(chance: float) -> bool:
        return bool(generator.random() < chance)

    def between(ends: tuple[float, float]) -> float:
        return float(generator.uniform(*ends))

    if chosen(settings.speed):
        factor = between(settings.speed_range)
        samples = change_tempo(samples, factor)
        done.append(f"speed {factor:.2f}")
    if chosen(settings.pitch):
        semitones = between(settings.pitch_semitones)
        samples = shift_pitch(samples, semitones)
        done.append(f"pitch {semitones:+.1f} semitones")
    if chosen(settings.silence):
        before, after = between(settings.silence_seconds), between(settings.silence_seconds)
        samples = np.pad(samples, (int(before * SAMPLE_RATE), int(after * SAMPLE_RATE)))
        done.append(f"silence {before:.2f} s before, {after:.2f} s after")
    if chosen(settings.room):
        seconds = between(settings.reverberation_seconds)
        response = room_response(seconds, generator)
        samples = fftconvolve(samples, response)[: len(samples)].astype(np.float32)
        done.append(f"room {seconds:.2f} s")
    if chosen(settings.tilt):
        decibels = between(settings.tilt_decibels)
        samples = tilt(samples, decibels)
        done.append(f"treble {decibels:+.1f} dB")
    if chosen(settings.noise):
        names = [name for name in NOISES if name != "babble" or voices_nearby]
        name, decibels = names[int(generator.integers(len(names)))], between(settings.noise_decibels)
        noise = NOISES[name](len(samples), generator, voices_nearby or [])
        samples = add_noise(samples, noise, decibels)
        done.append(f"{name} noise at {decibels:.0f} dB")
    if chosen(settings.telephone):
        samples = telephone(samples)
        done.append("telephone")
    if chosen(settings.clipping):
        limit = float(np.abs(samples).max()) * between((0.2, 0.6))
        samples = np.clip(samples, -limit, limit)
        done.append("clipping")
    if chosen(settings.level):
        decibels = between(settings.level_decibels)
        samples = samples * (10 ** (decibels / 20) / max(float(np.abs(samples).max()), 1e-5))
        done.append(f"level {decibels:.0f} dB")
    peak = float(np.abs(samples).max(initial=0.0))
    return (samples / peak if peak > 1 else samples).astype(np.float32), done


def change_tempo(samples: np.ndarray, factor: float) -> np.ndarray:
    """Faster for a factor above 1 at the same pitch: overlapping windows laid where they fit best (WSOLA)."""
    window, hop, reach = 640, 320, 160
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    padded = np.pad(samples, (reach, window + 2 * reach)).astype(np.float32)
    count = max(1, int(len(samples) / factor) // hop)
    out = np.zeros(count * hop + window, np.float32)
    natural = reach
    for index in range(count):
        start = reach + int(index * hop * factor)
        if start + window + reach > len(padded):
            break
        if index:
            # The piece near `start` that continues best what was laid last.
            target = padded[natural : natural + window]
            field = padded[start - reach : start + window + reach]
            start += int(np.argmax(np.correlate(field, target, "valid"))) - reach if len(target) == window else 0
        out[index * hop : index * hop + window] += shape * padded[start : start + window]
        natural = min(start + hop, len(padded) - window)
    return out[: count * hop]


def shift_pitch(samples: np.ndarray, semitones: float) -> np.ndarray:
    """Another pitch and timbre at the same length: resampled, then its tempo put back."""
    ratio = 2 ** (semitones / 12)
    down = round(100 * ratio)
    return change_tempo(resample_poly(samples, 100, down).astype(np.float32), 100 / down)


def add_noise(samples: np.ndarray, noise: np.ndarray, decibels: float) -> np.ndarray:
    """Noise scaled so that the loud part of the speech stands `decibels` above it."""
    level = np.abs(samples) > 0.02 * np.abs(samples).max()
    speech = float(np.mean(samples[level] ** 2)) if level.any() else 1e-6
    power = float(np.mean(noise**2)) + 1e-12
    return (samples + noise * np.sqrt(speech / power / 10 ** (decibels / 10))).astype(np.float32)


def tilt(samples: np.ndarray, decibels: float) -> np.ndarray:
    """Raises or lowers what lies above 1.5 kHz."""
    low = sosfilt(butter(1, 1500, fs=SAMPLE_RATE, output="sos"), samples)
    return (low + (samples - low) * 10 ** (decibels / 20)).astype(np.float32)


def telephone(samples: np.ndarray) -> np.ndarray:
    """300-3400 Hz, 8 kHz, µ-law with 8 bits (ITU-T G.711), and back to 16 kHz."""
    band = sosfilt(butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE, output="sos"), samples)
    narrow = resample_poly(band, 1, 2)
    peak = max(float(np.abs(narrow).max()), 1e-5)
    pressed = np.sign(narrow) * np.log1p(255 * np.abs(narrow) / peak) / np.log(256)
    stepped = np.round(pressed * 127) / 127
    opened = np.sign(stepped) * (256 ** np.abs(stepped) - 1) / 255 * peak
    return resample_poly(opened, 2, 1)[: len(samples)].astype(np.float32)
