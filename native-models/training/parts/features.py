"""Whisper's log-mel features in torch, equal to what the app computes (Whisper, section 2.2)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

SAMPLE_RATE = 16000
HOP = 160
FFT_SIZE = 400
TAIL_SECONDS = 0.3
UNIT_SAMPLES = 2560


def padded_length(samples: int, tail_seconds: float = TAIL_SECONDS, unit: int = UNIT_SAMPLES) -> int:
    """Samples of a clip as the app hears it: a tail of silence, then whole units."""
    return -(-(samples + int(tail_seconds * SAMPLE_RATE)) // unit) * unit


def slaney_mel_filters(bands: int) -> Tensor:
    """Triangles of equal area on Slaney's mel scale → `[bands, FFT_SIZE / 2 + 1]`."""
    linear_end, linear_step, log_step = 1000.0, 200.0 / 3, np.log(6.4) / 27

    def to_mel(hertz: float) -> float:
        if hertz < linear_end:
            return hertz / linear_step
        return linear_end / linear_step + np.log(hertz / linear_end) / log_step

    def to_hertz(mel: np.ndarray) -> np.ndarray:
        log_part = linear_end * np.exp(log_step * (mel - linear_end / linear_step))
        return np.where(mel < linear_end / linear_step, mel * linear_step, log_part)

    corners = to_hertz(np.linspace(0.0, to_mel(SAMPLE_RATE / 2), bands + 2))
    bins = np.linspace(0, SAMPLE_RATE / 2, FFT_SIZE // 2 + 1)
    rising = (bins[None] - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - bins[None]) / np.diff(corners)[1:, None]
    height = 2.0 / (corners[2:] - corners[:-2])
    return torch.from_numpy(np.maximum(0, np.minimum(rising, falling)) * height[:, None]).float()


class LogMel(nn.Module):
    """`samples` [batch, longest] padded with zeros, `lengths` [batch] → `[batch, bands, longest / 160]`.

    A clip's own frames are those that it has alone: its tail is silent, so that neither the mirrored edge nor the level
    that the floor is measured from depends on its neighbours. What lies behind its length is zero.
    """

    filters: Tensor
    window: Tensor

    def __init__(self, bands: int = 80) -> None:
        super().__init__()
        self.register_buffer("filters", slaney_mel_filters(bands), persistent=False)
        self.register_buffer("window", torch.hann_window(FFT_SIZE), persistent=False)

    @torch.no_grad()
    def forward(self, samples: Tensor, lengths: Tensor) -> Tensor:
        with torch.autocast(samples.device.type, enabled=False):
            spectrum = torch.stft(samples.float(), FFT_SIZE, HOP, window=self.window, return_complex=True)
            levels = (self.filters @ spectrum[..., :-1].abs().square()).clamp(min=1e-10).log10()
            heard = torch.arange(levels.shape[-1], device=samples.device) < (lengths // HOP)[:, None]
            levels = levels.masked_fill(~heard[:, None], -10.0)
            floor = levels.amax((1, 2), keepdim=True) - 8
            return ((torch.maximum(levels, floor) + 4) / 4) * heard[:, None]
