"""Layers that several parts share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RmsNorm(nn.Module):
    """x · g / √mean(x²); the weight is called `g`, as the foundry reads it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        # Squares of bfloat16 lose too much.
        wide = x.float()
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6)).to(x.dtype) * self.g


class DepthwiseConvolution(nn.Conv1d):
    """A convolution of each channel along time of x `[batch, frames, width]`, as shifted multiply-adds: on a CPU these
    are much faster than a grouped convolution, and its gradient."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__(width, width, kernel, padding=kernel // 2, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        if x.is_cuda:
            return super().forward(x.transpose(1, 2)).transpose(1, 2)
        (kernel,) = self.kernel_size
        padded = F.pad(x, (0, 0, kernel // 2, kernel // 2))
        frames = x.shape[1]
        heard = padded[:, :frames] * self.weight[:, 0, 0]
        for shift in range(1, kernel):
            heard = heard + padded[:, shift : shift + frames] * self.weight[:, 0, shift]
        return heard + self.bias
