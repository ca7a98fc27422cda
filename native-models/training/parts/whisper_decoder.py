"""Whisper's decoder (Whisper, section 2.2), frozen: one pass over tokens that are there already, none written anew."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from parts.ctranslate2 import Renamed, read_tensors
from parts.whisper_encoder import Attention, frame_mask, hugging_face_tensors


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
    state = Renamed(tensors)
    state.tensors["embed_tokens.weight"] = tensors["decoder/embeddings/weight"]
    state.tensors["embed_positions.weight"] = tensors["decoder/position_encodings/encodings"]
    state.norm("layer_norm", "decoder/layer_norm")
    for source, target in state.layers("decoder"):
        state.self_attention(target, source)
        state.pair(f"{target}.encoder_attn.q_proj", f"{source}/attention/linear_0")
        state.split(f"{target}.encoder_attn", f"{source}/attention/linear_1", ("k_proj", "v_proj"))
        state.pair(f"{target}.encoder_attn.out_proj", f"{source}/attention/linear_2")
        state.norm(f"{target}.encoder_attn_layer_norm", f"{source}/attention/layer_norm")
        state.feed_forward(target, source)
    return state.tensors
