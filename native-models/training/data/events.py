"""Sounds that are not speech, synthesised: each a function of a generator, one to a few seconds long."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt

from data.noises import coloured
from data.voices.interface import SAMPLE_RATE

Event = Callable[[np.random.Generator], np.ndarray]


def _time(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _glide(frequencies: np.ndarray) -> np.ndarray:
    """A sine whose frequency follows `[samples]` in Hz."""
    return np.sin(2 * np.pi * np.cumsum(frequencies) / SAMPLE_RATE)


def _band(noise: np.ndarray, low: float, high: float) -> np.ndarray:
    return sosfilt(butter(2, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos"), noise)


def _spaced(piece: Callable[[], np.ndarray], count: int, gap_seconds: float) -> np.ndarray:
    silence = np.zeros(int(gap_seconds * SAMPLE_RATE))
    return np.concatenate([part for _ in range(count) for part in (piece(), silence)])


def bird(g: np.random.Generator) -> np.ndarray:
    """Chirps: quick rising and falling glides between 2 and 6 kHz."""
    base, span = g.uniform(2200, 4200), g.uniform(500, 1800)

    def chirp() -> np.ndarray:
        t = _time(g.uniform(0.06, 0.16))
        u = t / t[-1]
        return np.sin(np.pi * u) ** 2 * _glide(base + span * np.sin(np.pi * u * g.uniform(0.8, 1.6)))

    return _spaced(chirp, int(g.integers(3, 8)), g.uniform(0.05, 0.2))


def bell(g: np.random.Generator) -> np.ndarray:
    """Inharmonic partials that decay, as of a struck bell."""
    t, base = _time(g.uniform(1.2, 2.2)), g.uniform(350, 900)
    partials = zip((0.5, 1.0, 1.19, 1.56, 2.0, 2.66, 3.76), (0.5, 1, 0.6, 0.4, 0.5, 0.3, 0.2), strict=True)
    return sum(a * np.exp(-t * 2.2 * r) * np.sin(2 * np.pi * base * r * t) for r, a in partials)


def siren(g: np.random.Generator) -> np.ndarray:
    t, low, high = _time(g.uniform(1.8, 3.0)), g.uniform(450, 650), g.uniform(1000, 1500)
    swing = 0.5 - 0.5 * np.cos(2 * np.pi * t * g.uniform(0.4, 1.0))
    return np.tanh(2 * _glide(low + (high - low) * swing))


def engine(g: np.random.Generator) -> np.ndarray:
    """A low buzz with many harmonics, whose speed drifts."""
    t = _time(g.uniform(1.5, 3.0))
    speed = g.uniform(35, 80) * (1 + 0.25 * np.sin(2 * np.pi * t * g.uniform(0.1, 0.4)))
    phase = 2 * np.pi * np.cumsum(speed) / SAMPLE_RATE
    return sum(np.sin(k * phase + g.uniform(0, 6)) / k for k in range(1, 16)) + 0.3 * g.standard_normal(len(t))


def rain(g: np.random.Generator) -> np.ndarray:
    n = int(g.uniform(1.8, 3.0) * SAMPLE_RATE)
    drops = g.standard_normal(n) * (g.random(n) < 0.01) * 4
    return _band(0.6 * g.standard_normal(n) + drops, 800, 7000)


def wind(g: np.random.Generator) -> np.ndarray:
    t = _time(g.uniform(1.8, 3.0))
    return _band(coloured(1)(len(t), g, []), 120, 900) * (0.6 + 0.4 * np.sin(2 * np.pi * t * g.uniform(0.3, 0.8)))


def thunder(g: np.random.Generator) -> np.ndarray:
    t = _time(g.uniform(1.8, 2.8))
    return coloured(2)(len(t), g, []) * np.exp(-t * 1.6) * (1 + 0.5 * np.sin(2 * np.pi * t * 3))


def knocking(g: np.random.Generator) -> np.ndarray:
    def knock() -> np.ndarray:
        t = _time(0.12)
        return np.exp(-t * 55) * (np.sin(2 * np.pi * 180 * t) + 0.4 * g.standard_normal(len(t)))

    return _spaced(knock, int(g.integers(2, 5)), g.uniform(0.1, 0.25))


def footsteps(g: np.random.Generator) -> np.ndarray:
    def step() -> np.ndarray:
        t = _time(0.09)
        return np.exp(-t * 45) * _band(g.standard_normal(len(t)), 80, 700) * g.uniform(0.7, 1.0)

    return _spaced(step, int(g.integers(4, 7)), g.uniform(0.3, 0.5))


def clapping(g: np.random.Generator) -> np.ndarray:
    def clap() -> np.ndarray:
        t = _time(0.06)
        return np.exp(-t * 70) * _band(g.standard_normal(len(t)), 900, 4500)

    return _spaced(clap, int(g.integers(3, 8)), g.uniform(0.12, 0.3))


def telephone_ring(g: np.random.Generator) -> np.ndarray:
    def ring() -> np.ndarray:
        t = _time(0.7)
        return np.sign(np.sin(2 * np.pi * 20 * t)).clip(0) * (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t))

    return _spaced(ring, 2, 0.35)


def alarm(g: np.random.Generator) -> np.ndarray:
    tone = g.uniform(900, 2400)
    return _spaced(lambda: np.sign(np.sin(2 * np.pi * tone * _time(0.13))) * 0.6, int(g.integers(4, 8)), 0.1)


def clock_ticking(g: np.random.Generator) -> np.ndarray:
    tone = g.uniform(1800, 3200)
    return _spaced(
        lambda: np.exp(-_time(0.03) * 220) * np.sin(2 * np.pi * tone * _time(0.03)),
        int(g.integers(4, 8)),
        0.42,
    )


def water_drops(g: np.random.Generator) -> np.ndarray:
    def drop() -> np.ndarray:
        t = _time(0.12)
        return np.exp(-t * 35) * _glide(g.uniform(500, 900) + 6000 * t)

    return _spaced(drop, int(g.integers(2, 6)), g.uniform(0.2, 0.45))


def whistle(g: np.random.Generator) -> np.ndarray:
    """A person's whistle: a pure tone that slides up and back."""
    t = _time(g.uniform(0.8, 1.4))
    arch = np.sin(np.pi * t / t[-1]).clip(0)
    return np.sqrt(arch) * _glide(g.uniform(900, 1400) * (1 + 0.5 * arch))


def rising_tone(g: np.random.Generator) -> np.ndarray:
    return _glide(np.geomspace(g.uniform(150, 300), g.uniform(2000, 5000), int(g.uniform(1.0, 2.0) * SAMPLE_RATE)))


def falling_tone(g: np.random.Generator) -> np.ndarray:
    return rising_tone(g)[::-1]


def static(g: np.random.Generator) -> np.ndarray:
    return g.standard_normal(int(g.uniform(0.7, 1.6) * SAMPLE_RATE))


def heartbeat(g: np.random.Generator) -> np.ndarray:
    def beat() -> np.ndarray:
        t = _time(0.14)
        thump = np.exp(-t * 30) * np.sin(2 * np.pi * 55 * t)
        return np.concatenate([thump, np.zeros(1500), 0.7 * thump])

    return _spaced(beat, int(g.integers(2, 5)), g.uniform(0.3, 0.55))


EVENTS: dict[str, Event] = {
    "a bird singing": bird,
    "a bell ringing": bell,
    "a siren": siren,
    "an engine running": engine,
    "rain": rain,
    "wind": wind,
    "thunder": thunder,
    "knocking": knocking,
    "footsteps": footsteps,
    "clapping": clapping,
    "a telephone ringing": telephone_ring,
    "an alarm beeping": alarm,
    "a clock ticking": clock_ticking,
    "dripping water": water_drops,
    "a whistle": whistle,
    "a rising tone": rising_tone,
    "a falling tone": falling_tone,
    "static noise": static,
    "a heartbeat": heartbeat,
}


def render(name: str, generator: np.random.Generator) -> np.ndarray:
    """`[samples]`, float32, peak 0.7, with soft ends."""
    samples = np.asarray(EVENTS[name](generator), np.float64)
    samples = samples / max(float(np.abs(samples).max()), 1e-9) * 0.7
    edge = min(len(samples) // 4, 160)
    samples[:edge] *= np.linspace(0, 1, edge)
    samples[-edge:] *= np.linspace(1, 0, edge)
    return samples.astype(np.float32)
