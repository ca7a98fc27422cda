"""AudioChatLlama's encoder (section 3.2): filter bank → convolutions to 80 ms → Conformer blocks → CTC head.

Tensors are named as `native-models/architectures/encoders/conformer.ts` reads them; the blocks are torchaudio's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
import torchaudio
from torch import Tensor, nn

BANDS = 80
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
            heard = torch.arange(x.shape[2], device=x.device) < lengths[:, None]
            x = F.relu(convolution(x * heard[:, None, :, None]))
            lengths = (lengths + 1) // 2
        # All channels of the lowest band's place first.
        return self.linear(x.permute(0, 2, 1, 3).flatten(2)), lengths


def _through(block: nn.Module, x: Tensor, heard: Tensor) -> Tensor:
    """torchaudio's block, except that its convolution sees nothing behind a clip's end."""
    x = x + 0.5 * block.ffn1(x)
    normed = block.self_attn_layer_norm(x).transpose(0, 1)
    mixed, _ = block.self_attn(normed, normed, normed, key_padding_mask=~heard, need_weights=False)
    x = x + mixed.transpose(0, 1)
    convolution = block.conv_module
    gated = convolution.sequential[:2](convolution.layer_norm(x).transpose(1, 2)) * heard[:, None]
    x = x + convolution.sequential[2:](gated).transpose(1, 2)
    return block.final_layer_norm(x + 0.5 * block.ffn2(x))


class ConformerEncoder(nn.Module):
    """`features` `[batch, frames, bands]` of 10 ms → (`[batch, frames / 8, width]`, lengths).

    `ctc` gives the scores of its labels."""

    def __init__(
        self, width: int, layers: int, labels: int, heads: int | None = None, channels: int = 64, kernel: int = 31
    ) -> None:
        super().__init__()
        self.subsampling = _Subsampling(channels, width, BANDS)
        heads = heads or max(1, width // 64)
        self.conformer = torchaudio.models.Conformer(width, heads, 4 * width, layers, kernel)
        self.ctc = nn.Linear(width, labels)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x, shorter = self.subsampling(features, lengths)
        heard = torch.arange(x.shape[1], device=x.device) < shorter[:, None]
        for block in self.conformer.conformer_layers:
            x = _through(block, x, heard)
        return x, shorter


@torch.no_grad()
def filter_bank(samples: Tensor) -> Tensor:
    """`[samples]` at 16 kHz → `[frames, bands]`: Kaldi's, 25 ms every 10 ms, of whole samples, without dither."""
    return torchaudio.compliance.kaldi.fbank(
        samples[None] * 2**15, num_mel_bins=BANDS, sample_frequency=16000, dither=0.0
    )
