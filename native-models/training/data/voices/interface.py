"""What every synthesiser offers, and the rate that all sound is brought to."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from scipy.signal import resample_poly

SAMPLE_RATE = 16000


@dataclass(frozen=True)
class Voice:
    """A speaker: `name` is what the synthesiser calls it; the rest is known of it and asked about in tasks."""

    synthesiser: str
    name: str
    language: str
    sex: str
    """`woman`, `man` or `unknown`."""
    accent: str
    licence: str

    @property
    def label(self) -> str:
        return f"{self.synthesiser}/{self.name}"


@dataclass(frozen=True)
class Speaking:
    """How a sentence is spoken: `speed` 1 is the voice's own, `pitch` 1 its own (ignored where unsupported)."""

    voice: Voice
    speed: float = 1.0
    pitch: float = 1.0
    liveliness: float = 1.0
    """Scale of the intonation's range: 0.2 is monotone, 1.6 excited (espeak-ng only)."""
    seed: int = 0


class Synthesiser(Protocol):
    name: str

    def voices(self) -> list[Voice]: ...

    def synthesise(self, said: str, speaking: Speaking) -> np.ndarray:
        """→ float32 samples at 16 kHz, `[samples]`, peak at most 1. Raises `SynthesisError`."""
        ...


class SynthesisError(Exception):
    """The synthesiser gave no usable sound for this sentence."""


def resample(samples: np.ndarray, rate: int) -> np.ndarray:
    """`[samples]` at `rate` Hz → float32 at 16 kHz."""
    if rate == SAMPLE_RATE:
        return samples.astype(np.float32)
    ratio = Fraction(SAMPLE_RATE, rate)
    return resample_poly(samples, ratio.numerator, ratio.denominator).astype(np.float32)


def trim(samples: np.ndarray, margin_seconds: float = 0.1, floor: float = 0.01) -> np.ndarray:
    """Cuts the silence before and after, but for a margin; refuses sound that is silence or far too long."""
    loud = np.flatnonzero(np.abs(samples) > floor * max(float(np.abs(samples).max(initial=0.0)), 1e-4))
    if len(loud) < SAMPLE_RATE // 20 or not np.isfinite(samples).all():
        raise SynthesisError("no sound")
    margin = int(margin_seconds * SAMPLE_RATE)
    samples = samples[max(0, loud[0] - margin) : loud[-1] + margin]
    peak = float(np.abs(samples).max())
    return samples / peak if peak > 1 else samples
