"""AudioChatLlama's encoder (section 3.2): filter bank → convolutions to 80 ms → Conformer blocks → CTC head.

Tensors are named as `native-models/architectures/encoders/conformer.ts` reads them; the blocks are as torchaudio's.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

from parts.filter_bank import BANDS
from parts.whisper_encoder import frame_mask

_SUBSAMPLINGS = 3


class _Subsampling(nn.Module):
    def __init__(self, channels: int, width: int, bands: int) -> None:
        super().__init__()
        sizes = [1] + [channels] * _SUBSAMPLINGS
        self.conv = nn.ModuleList(
            nn.Conv2d(sizes[i], sizes[i + 1], 3, stride=2, padding=1) for i in range(_SUBSAMPLINGS)
        )
        places = bands
        for _ in range(_SUBSAMPLINGS):
            places = (places + 1) // 2
        self.linear = nn.Linear(channels * places, width)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = features[:, None]
        for convolution in self.conv:
            heard = frame_mask(lengths, x.shape[2])
            x = F.relu(convolution(x * heard[:, None, :, None]))
            lengths = (lengths + 1) // 2
        # All channels of the lowest band's place first.
        return self.linear(x.permute(0, 2, 1, 3).flatten(2)), lengths


class _FeedForward(nn.Module):
    def __init__(self, width: int, wide: int) -> None:
        super().__init__()
        # The places between are a dropout's in torchaudio, whose names the foundry reads.
        self.sequential = nn.ModuleDict(
            {"0": nn.LayerNorm(width), "1": nn.Linear(width, wide), "4": nn.Linear(wide, width)}
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.sequential["4"](F.silu(self.sequential["1"](self.sequential["0"](x))))


class _BatchNorm(nn.BatchNorm1d):
    """Over the frames that are a clip's own, of all processes: a batch's padding and its sharing out change nothing."""

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        """`[batch, width, frames]`, `[batch, frames]`."""
        if not self.training:
            return super().forward(x)
        own = x.float() * heard[:, None]
        sums = torch.cat([own.sum((0, 2)), own.square().sum((0, 2)), heard.sum().float()[None]])
        if dist.is_initialized():
            sums = all_reduce(sums)
        count = sums[-1].detach()
        mean, square = (sums[:-1] / count).chunk(2)
        variance = square - mean.square()
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return (x - mean[:, None]) * scale[:, None] + self.bias[:, None]


class _Convolution(nn.Module):
    """Doubled and gated, over `kernel` frames in each column, normalised by batch, mixed."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(width)
        self.sequential = nn.ModuleDict(
            {
                "0": nn.Conv1d(width, 2 * width, 1),
                "2": nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width),
                "3": _BatchNorm(width),
                "5": nn.Conv1d(width, width, 1),
            }
        )

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        """It sees nothing behind a clip's end."""
        gated = F.glu(self.sequential["0"](self.layer_norm(x).transpose(1, 2)), 1) * heard[:, None]
        normed = self.sequential["3"](self.sequential["2"](gated), heard)
        return self.sequential["5"](F.silu(normed)).transpose(1, 2)


class _Block(nn.Module):
    """Half a feed-forward layer, attention, convolution, half a feed-forward layer (Gulati et al. 2020)."""

    def __init__(self, width: int, wide: int, heads: int, kernel: int) -> None:
        super().__init__()
        self.ffn1, self.ffn2 = _FeedForward(width, wide), _FeedForward(width, wide)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.conv_module = _Convolution(width, kernel)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        x = x + 0.5 * self.ffn1(x)
        normed = self.self_attn_layer_norm(x)
        x = x + self.self_attn(normed, normed, normed, key_padding_mask=~heard, need_weights=False)[0]
        x = x + self.conv_module(x, heard)
        return self.final_layer_norm(x + 0.5 * self.ffn2(x))


class _Blocks(nn.Module):
    def __init__(self, width: int, layers: int, heads: int, kernel: int) -> None:
        super().__init__()
        self.conformer_layers = nn.ModuleList(_Block(width, 4 * width, heads, kernel) for _ in range(layers))


class ConformerEncoder(nn.Module):
    """`features` `[batch, frames, bands]` of 10 ms → (`[batch, frames / 8, width]`, lengths).

    `ctc` gives the scores of its labels."""

    def __init__(
        self, width: int, layers: int, labels: int, heads: int | None = None, channels: int = 64, kernel: int = 31
    ) -> None:
        super().__init__()
        self.subsampling = _Subsampling(channels, width, BANDS)
        heads = heads or max(1, width // 64)
        self.conformer = _Blocks(width, layers, heads, kernel)
        self.ctc = nn.Linear(width, labels)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x, shorter = self.subsampling(features, lengths)
        heard = frame_mask(shorter, x.shape[1])
        for block in self.conformer.conformer_layers:
            x = block(x, heard)
        return x, shorter
