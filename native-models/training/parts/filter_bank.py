"""Kaldi's filter bank, as `native-models/features/kaldi-fbank.ts` computes it: no dither, no energy."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

BANDS = 80
SAMPLE_RATE = 16000
FRAME, HOP, FOURIER = 400, 160, 512
LOWEST_HERTZ = 20.0
PRE_EMPHASIS = 0.97
_AMPLITUDE = 2.0**15
"""Kaldi reads whole samples."""
_FLOOR = 2.0**-23


def mel(hertz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hertz / 700.0)


@cache
def bands(count: int, device: torch.device) -> Tensor:
    """Triangles of equal width in mel, over the powers of a Fourier transform: `[257, count]`."""
    low, high = mel(torch.tensor([LOWEST_HERTZ, SAMPLE_RATE / 2], dtype=torch.float64))
    corners = low + (high - low) * torch.arange(count + 2, dtype=torch.float64) / (count + 1)
    places = mel(torch.arange(FOURIER // 2 + 1, dtype=torch.float64) * SAMPLE_RATE / FOURIER)[:, None]
    left, middle, right = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (places - left) / (middle - left), (right - places) / (right - middle)
    triangles = torch.minimum(rising, falling).clamp(min=0)
    # Kaldi leaves out the power at half the sampling rate.
    triangles[-1] = 0
    return triangles.float().to(device)


@torch.no_grad()
def filter_bank(samples: Tensor, count: int = BANDS) -> Tensor:
    """`[samples]` at 16 kHz → `[1 + (samples − 400) // 160, count]`, of 25 ms every 10 ms."""
    frames = (samples.float() * _AMPLITUDE).unfold(0, FRAME, HOP)
    frames = frames - frames.mean(1, keepdim=True)
    # The first sample of a frame is taken to follow itself.
    before = torch.cat([frames[:, :1], frames[:, :-1]], 1)
    window = torch.hann_window(FRAME, periodic=False, device=samples.device) ** 0.85
    windowed = F.pad((frames - PRE_EMPHASIS * before) * window, (0, FOURIER - FRAME))
    power = torch.fft.rfft(windowed).abs().square()
    return (power @ bands(count, samples.device)).clamp(min=_FLOOR).log()
