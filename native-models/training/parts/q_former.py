"""Queries that look at a clip, or at every window of it (BLIP-2 and SALMONN, sections 3.1), named as in SALMONN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from parts.whisper_encoder import frame_mask

HEAD_WIDTH = 64
_EPSILON = 1e-12


class _Projections(nn.Module):
    def __init__(self, width: int, looked_at: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key, self.value = nn.Linear(looked_at, width), nn.Linear(looked_at, width)


class _Output(nn.Module):
    """Projects, adds what came in, norms."""

    def __init__(self, inner: int, width: int) -> None:
        super().__init__()
        self.dense, self.LayerNorm = nn.Linear(inner, width), nn.LayerNorm(width, eps=_EPSILON)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(x) + before)


class _Attention(nn.Module):
    """BERT's: x `[batch, queries, width]` looks at `[batch, frames, looked_at]`."""

    def __init__(self, width: int, looked_at: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.self = _Projections(width, looked_at)
        self.output = _Output(width, width)

    def forward(self, x: Tensor, at: Tensor, heard: Tensor | None = None) -> Tensor:
        projections = self.get_submodule("self")
        query, key, value = (
            projections.get_submodule(name)(source).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for name, source in (("query", x), ("key", at), ("value", at))
        )
        mask = None if heard is None else heard[:, None, None]
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.output(mixed.transpose(1, 2).flatten(2), x)


class _Wide(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, 4 * width)


class _Layer(nn.Module):
    def __init__(self, width: int, looked_at: int) -> None:
        super().__init__()
        self.attention, self.crossattention = _Attention(width, width), _Attention(width, looked_at)
        self.intermediate_query, self.output_query = _Wide(width), _Output(4 * width, width)

    def forward(self, x: Tensor, frames: Tensor, heard: Tensor) -> Tensor:
        x = self.crossattention(self.attention(x, x), frames, heard)
        return self.output_query(F.gelu(self.intermediate_query.dense(x)), x)


class _Encoder(nn.Module):
    def __init__(self, width: int, looked_at: int, layers: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(width, looked_at) for _ in range(layers))


class _Bert(nn.Module):
    def __init__(self, width: int, looked_at: int, layers: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleDict({"LayerNorm": nn.LayerNorm(width, eps=_EPSILON)})
        self.encoder = _Encoder(width, looked_at, layers)

    def forward(self, queries: Tensor, frames: Tensor, heard: Tensor) -> Tensor:
        x = self.embeddings["LayerNorm"](queries)
        for layer in self.encoder.layer:
            x = layer(x, frames, heard)
        return x


class QFormerAdaptor(nn.Module):
    """`window` frames to a window, the last that fill none left off; None is the whole clip."""

    def __init__(
        self, width: int, llm_width: int, query_width: int, layers: int, queries: int, window: int | None
    ) -> None:
        super().__init__()
        self.window = window
        self.ln_speech = nn.LayerNorm(width)
        self.speech_query_tokens = nn.Parameter(torch.randn(1, queries, query_width) * 0.02)
        self.speech_Qformer = nn.ModuleDict({"bert": _Bert(query_width, width, layers)})
        self.speech_llama_proj = nn.Linear(query_width, llm_width)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        batch, longest, width = frames.shape
        count = self.speech_query_tokens.shape[1]
        x = self.ln_speech(frames)
        heard = frame_mask(lengths, longest)
        windows = 1
        if self.window is not None:
            windows = max(1, longest // self.window)
            x = F.pad(x, (0, 0, 0, self.window))[:, : windows * self.window].reshape(-1, self.window, width)
            heard = F.pad(heard, (0, self.window))[:, : windows * self.window].reshape(-1, self.window)
            # Windows behind a clip's end are cut off later; they may look at anything but nothing.
            heard = heard | ~heard.any(1, keepdim=True)
            lengths = lengths // self.window
        else:
            lengths = torch.ones_like(lengths)
        queries = self.speech_query_tokens.expand(len(x), -1, -1)
        answers = self.speech_llama_proj(self.speech_Qformer["bert"](queries, x, heard))
        return answers.reshape(batch, windows * count, -1), lengths * count
