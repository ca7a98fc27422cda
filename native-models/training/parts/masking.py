"""SpecAugment (Park et al. 2019, section 2): stretches of time and bands that a net has to do without."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class MaskingSettings:
    time_masks: int = 2
    time_share: float = 0.06
    """Of a clip, at most, for each mask."""
    band_masks: int = 2
    bands: int = 14


def mask_features(log_mel: Tensor, frames: Tensor, settings: MaskingSettings) -> Tensor:
    """`[batch, bands, frames]`, `[batch]` → the same with rectangles of zero, which is about the mean level."""
    count, bands, longest = log_mel.shape
    device = log_mel.device

    def outside(masks: int, widest: Tensor, length: Tensor, size: int) -> Tensor:
        """Whether each of `size` places is in none of the masks → `[batch, size]`."""
        width = torch.rand(count, masks, device=device) * widest[:, None]
        start = torch.rand(count, masks, device=device) * (length[:, None] - width).clamp(min=0)
        place = torch.arange(size, device=device)[None, None]
        return ((place < start[..., None]) | (place >= (start + width)[..., None])).all(1)

    heard = frames.float()
    time = outside(settings.time_masks, heard * settings.time_share, heard, longest)
    high = torch.full((count,), float(settings.bands), device=device)
    band = outside(settings.band_masks, high, torch.full_like(high, bands), bands)
    return log_mel * time[:, None] * band[:, :, None]
