"""Parlance's own adaptor: stacked frames, blocks of attention, convolution and SwiGLU, and a CTC head over LLM tokens.

Tensors are named as `native-models/architectures/adaptors/stack-conv-ctc.ts` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from parts.ctc import best_labels, new_labels
from parts.layers import DepthwiseConvolution, RmsNorm, attend
from parts.whisper_encoder import frame_mask


@dataclass(frozen=True)
class StackConvCtcSettings:
    """The foundry's names in adaptor.json are in brackets."""

    encoder_width: int = 512
    """[din]"""
    stack: int = 2
    """Encoder frames of 20 ms put beside one another [k]."""
    width: int = 512
    """[d]"""
    llm_width: int = 576
    """[dl]"""
    blocks: int = 3
    context: int = 2
    """Frames to each side that a depthwise convolution sees [ctx]."""
    wide: int = 768
    """[ff]"""
    heads: int = 8
    """Of the attention that each block begins with; 0 is none [heads]."""

    def as_json(self) -> dict[str, int]:
        names = {"din": self.encoder_width, "k": self.stack, "d": self.width, "dl": self.llm_width}
        rest = {"blocks": self.blocks, "ctx": self.context, "ff": self.wide}
        return names | rest | ({"heads": self.heads} if self.heads else {})


class Block(nn.Module):
    """x `[batch, frames, width]`; attention, convolution, SwiGLU, each normed before and added to what came in."""

    def __init__(self, settings: StackConvCtcSettings) -> None:
        super().__init__()
        width = settings.width
        self.heads = settings.heads
        if self.heads:
            self.n0, self.qkv, self.ao = RmsNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.n1, self.dw = RmsNorm(width), DepthwiseConvolution(width, 2 * settings.context + 1)
        self.pw = nn.Linear(width, width)
        self.n2, self.w1 = RmsNorm(width), nn.Linear(width, 2 * settings.wide, bias=False)
        self.w2 = nn.Linear(settings.wide, width, bias=False)

    def forward(self, x: Tensor, heard: Tensor, dropout: float) -> Tensor:
        def dropped(y: Tensor) -> Tensor:
            return F.dropout(y, dropout, self.training)

        if self.heads:
            x = x + dropped(self.attention(self.n0(x), heard))
        x = x + dropped(self.pw(F.silu(self.dw(self.n1(x) * heard[..., None]))))
        gate, value = self.w1(self.n2(x)).chunk(2, -1)
        return x + dropped(self.w2(F.silu(gate) * value))

    def attention(self, x: Tensor, heard: Tensor) -> Tensor:
        split = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = attend(*split, heard)
        return self.ao(mixed.transpose(1, 2).flatten(2))


@dataclass(frozen=True)
class Heard:
    """What an adaptor with a CTC head makes of a batch."""

    vectors: Tensor
    """`[batch, frames, llm_width]`, of the length of an LLM's token embedding."""
    directions: Tensor
    """The same as unit vectors."""
    blank: Tensor
    """The blank's score `[batch, frames]`."""
    lengths: Tensor
    """`[batch]`"""
    hidden: Tensor
    """What scores are made of `[batch, frames, width]`."""


class StackConvCtc(nn.Module):
    """`classes` `[classes, llm_width]`: the LLM's embeddings of the head's tokens; the i-th is class i + 1."""

    classes: Tensor
    blank_offset: Tensor
    """Taken off the blank's score where labels are read, not where they are trained."""

    def __init__(self, settings: StackConvCtcSettings, classes: Tensor, dropout: float = 0.0) -> None:
        super().__init__()
        self.settings, self.dropout = settings, dropout
        width = settings.width
        self.inn, self.stack = (
            RmsNorm(settings.encoder_width),
            nn.Linear(settings.stack * settings.encoder_width, width),
        )
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.blocks))
        self.nf, self.out, self.blank = RmsNorm(width), nn.Linear(width, settings.llm_width), nn.Linear(width, 1)
        self.scale = nn.Parameter(classes.norm(dim=-1).mean())
        self.tau = nn.Parameter(torch.tensor(16.0))
        self.bias = nn.Parameter(torch.zeros(len(classes)))
        self.register_buffer("classes", F.normalize(classes.float(), dim=-1), persistent=False)
        self.register_buffer("blank_offset", torch.tensor(0.0))
        for block in self.blocks:
            # Each block begins as doing almost nothing, so that the first steps train a shallow net.
            for last in [block.pw, block.w2, *([block.ao] if settings.heads else [])]:
                nn.init.normal_(last.weight, std=0.02 / max(1, settings.blocks) ** 0.5)

    def forward(self, frames: Tensor, lengths: Tensor) -> Heard:
        """`[batch, frames, encoder_width]`, `[batch]`; frames that fill no stack are left off."""
        count = self.settings.stack
        normed = self.inn(frames[:, : frames.shape[1] // count * count])
        x = self.stack(F.dropout(normed.unflatten(1, (-1, count)).flatten(2), self.dropout, self.training))
        stacked = lengths // count
        heard = frame_mask(stacked, x.shape[1])
        for block in self.blocks:
            x = block(x, heard, self.dropout)
        x = self.nf(x)
        directions = F.normalize(self.out(x).float(), dim=-1)
        return Heard(directions * self.scale, directions, self.blank(x)[..., 0].float(), stacked, x)

    def scores(self, heard: Heard) -> Tensor:
        """`[batch, frames, 1 + classes]`, the blank first."""
        classes = heard.directions @ self.classes.T
        return torch.cat([heard.blank[..., None], classes.float() * self.tau + self.bias], -1)

    def labels(self, heard: Heard, blank_offset: Tensor | float) -> Tensor:
        """`[batch, frames]`: the likelier of the blank and the classes."""
        return best_labels(self.scores(heard), blank_offset)

    @torch.no_grad()
    def kept(self, heard: Heard) -> tuple[Tensor, Tensor]:
        """(labels `[batch, frames]`, whether a frame is kept): neither blank nor what the frame before it says."""
        labels = self.labels(heard, self.blank_offset)
        return labels, new_labels(labels, heard.lengths)

    def read(self, heard: Heard) -> list[Tensor]:
        """What the LLM reads of each clip `[tokens, llm_width]`; of one with nothing heard, the frame in its middle."""
        _, kept = self.kept(heard)
        rows = zip(heard.vectors, kept, heard.lengths.tolist(), strict=True)
        return [vectors[keep] if keep.any() else vectors[n // 2 : n // 2 + 1] for vectors, keep, n in rows]

    def export_tensors(self) -> dict[str, Tensor]:
        """As the foundry names them."""
        state = {f"adaptor.{key}": value for key, value in self.state_dict().items()}
        bias, offset = state.pop("adaptor.bias"), state.pop("adaptor.blank_offset")
        return state | {"ctc.bias": bias, "adaptor.blank.bias": state["adaptor.blank.bias"] - offset}
