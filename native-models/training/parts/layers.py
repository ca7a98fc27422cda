"""Layers that several parts share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def low(x: Tensor) -> Tensor:
    """In the precision of autocast where that is on: what is element by element is then as fast as the products."""
    kind = x.device.type
    return x.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else x


class RmsNorm(nn.Module):
    """x · g / √mean(x²); the weight is called `g`, as the foundry reads it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        # Squares of bfloat16 lose too much.
        wide = x.float()
        return low(wide * (torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6) * self.g))


def attend(query: Tensor, key: Tensor, value: Tensor, heard: Tensor) -> Tensor:
    """`[batch, heads, frames, width]` each, `heard` `[batch, keys]` → as `query`.

    On a CPU the products are written out: the gradient of its fused attention is several times slower for short clips.
    """
    mask = heard[:, None, None]
    if query.is_cuda:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1).to(value.dtype) @ value


class DepthwiseConvolution(nn.Conv1d):
    """A convolution of each channel along time of x `[batch, frames, width]`, as shifted multiply-adds: on a CPU these
    are much faster than a grouped convolution, and its gradient."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__(width, width, kernel, padding=kernel // 2, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        if x.is_cuda:
            return super().forward(x.transpose(1, 2)).transpose(1, 2)
        (kernel,) = self.kernel_size
        weight = low(self.weight)
        padded = F.pad(x, (0, 0, kernel // 2, kernel // 2))
        frames = x.shape[1]
        heard = padded[:, :frames] * weight[:, 0, 0]
        for shift in range(1, kernel):
            heard = heard + padded[:, shift : shift + frames] * weight[:, 0, shift]
        return heard + low(self.bias)


def mixture(shares: Tensor, rows: Tensor) -> Tensor:
    """`[batch, places, classes]` of `[classes, width]` → `[batch, places, width]`, as one product: many would copy the
    rows for each clip."""
    return (shares.flatten(0, 1).to(rows.dtype) @ rows).unflatten(0, shares.shape[:2])


def along(values: Tensor, places: Tensor) -> Tensor:
    """`[batch, …, width]` at `places` `[batch, frames]`."""
    return values.gather(1, places[..., None].expand(-1, -1, values.shape[-1]))
