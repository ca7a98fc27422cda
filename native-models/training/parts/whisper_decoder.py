"""Whisper's decoder (Whisper, section 2.2), frozen: one pass over tokens that are there already, none written anew."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from parts.ctranslate2 import read_tensors
from parts.whisper_encoder import HEAD_WIDTH, frame_mask, hugging_face_tensors


class Attention(nn.Module):
    """Queries of `x` over keys and values of `over`; `seen` is true where a query may look."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.q_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(3))
        self.k_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, over: Tensor, seen: Tensor) -> Tensor:
        query, key, value = (
            layer(y).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, y in ((self.q_proj, x), (self.k_proj, over), (self.v_proj, over))
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class DecoderLayer(nn.Module):
    def __init__(self, width: int, wide: int) -> None:
        super().__init__()
        self.self_attn, self.self_attn_layer_norm = Attention(width), nn.LayerNorm(width)
        self.encoder_attn, self.encoder_attn_layer_norm = Attention(width), nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, wide), nn.Linear(wide, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, frames: Tensor, before: Tensor, heard: Tensor) -> Tensor:
        normed = self.self_attn_layer_norm(x)
        x = x + self.self_attn(normed, normed, before)
        x = x + self.encoder_attn(self.encoder_attn_layer_norm(x), frames, heard)
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


class WhisperDecoder(nn.Module):
    """Tensors are named as transformers names them."""

    def __init__(self, width: int, layers: int, wide: int, vocabulary: int, positions: int) -> None:
        super().__init__()
        self.embed_tokens, self.embed_positions = nn.Embedding(vocabulary, width), nn.Embedding(positions, width)
        self.layers = nn.ModuleList(DecoderLayer(width, wide) for _ in range(layers))
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, ids: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
        """`ids` `[batch, tokens]`, `frames` `[batch, frames, width]` of which `lengths` `[batch]` are a clip's own →
        `[batch, tokens, width]`: what follows each token; its product with the token table scores the next."""
        tokens = ids.shape[1]
        before = torch.ones(tokens, tokens, dtype=torch.bool, device=ids.device).tril()
        heard = frame_mask(lengths, frames.shape[1])[:, None, None]
        x = self.embed_tokens(ids) + self.embed_positions.weight[:tokens]
        for layer in self.layers:
            x = layer(x, frames, before, heard)
        return self.layer_norm(x)

    @property
    def dtype(self) -> torch.dtype:
        return self.embed_positions.weight.dtype


def load_whisper_decoder(path: Path) -> WhisperDecoder:
    """From CTranslate2's `model.bin`, or from a folder that transformers wrote; frozen."""
    state = hugging_face_tensors(path, "decoder.") if path.is_dir() else _from_ctranslate2(read_tensors(path))
    vocabulary, width = state["embed_tokens.weight"].shape
    layers = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("layers."))
    wide = state["layers.0.fc1.weight"].shape[0]
    decoder = WhisperDecoder(width, layers, wide, vocabulary, len(state["embed_positions.weight"]))
    decoder.load_state_dict(state)
    return decoder.eval().requires_grad_(False)


def _from_ctranslate2(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    state = {
        "embed_tokens.weight": tensors["decoder/embeddings/weight"],
        "embed_positions.weight": tensors["decoder/position_encodings/encodings"],
    }

    def pair(target: str, source: str, parts: tuple[str, str] = ("weight", "bias")) -> None:
        for own, theirs in zip(("weight", "bias"), parts, strict=True):
            state[f"{target}.{own}"] = tensors[f"{source}/{theirs}"]

    def split(target: str, source: str, names: tuple[str, ...]) -> None:
        for part in ("weight", "bias"):
            rows = tensors[f"{source}/{part}"].chunk(len(names))
            for name, value in zip(names, rows, strict=True):
                if (name, part) != ("k_proj", "bias"):
                    state[f"{target}.{name}.{part}"] = value

    def norm(target: str, source: str) -> None:
        pair(target, source, ("gamma", "beta"))

    norm("layer_norm", "decoder/layer_norm")
    layer = 0
    while f"decoder/layer_{layer}/ffn/linear_0/weight" in tensors:
        source, target = f"decoder/layer_{layer}", f"layers.{layer}"
        split(f"{target}.self_attn", f"{source}/self_attention/linear_0", ("q_proj", "k_proj", "v_proj"))
        pair(f"{target}.self_attn.out_proj", f"{source}/self_attention/linear_1")
        norm(f"{target}.self_attn_layer_norm", f"{source}/self_attention/layer_norm")
        pair(f"{target}.encoder_attn.q_proj", f"{source}/attention/linear_0")
        split(f"{target}.encoder_attn", f"{source}/attention/linear_1", ("k_proj", "v_proj"))
        pair(f"{target}.encoder_attn.out_proj", f"{source}/attention/linear_2")
        norm(f"{target}.encoder_attn_layer_norm", f"{source}/attention/layer_norm")
        norm(f"{target}.final_layer_norm", f"{source}/ffn/layer_norm")
        pair(f"{target}.fc1", f"{source}/ffn/linear_0")
        pair(f"{target}.fc2", f"{source}/ffn/linear_1")
        layer += 1
    return state
