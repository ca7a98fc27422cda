"""Whisper's encoder (Whisper, section 2.2) at a clip's own length, in batches of clips of unlike length."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from parts.ctranslate2 import Renamed, read_tensors

HEAD_WIDTH = 64


def frame_mask(lengths: Tensor, longest: int) -> Tensor:
    """`[batch]` → `[batch, longest]`, true where a frame belongs to its clip."""
    return torch.arange(longest, device=lengths.device)[None] < lengths[:, None]


class Attention(nn.Module):
    """Queries of `x` over keys and values of `over`; `seen` is true where a query may look."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.q_proj, self.v_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, over: Tensor, seen: Tensor) -> Tensor:
        query, key, value = (
            layer(y).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, y in ((self.q_proj, x), (self.k_proj, over), (self.v_proj, over))
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class EncoderLayer(nn.Module):
    """x `[batch, frames, width]`, `heard` `[batch, frames]` → x; a pre-norm block."""

    def __init__(self, width: int, wide: int) -> None:
        super().__init__()
        self.self_attn, self.self_attn_layer_norm = Attention(width), nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, wide), nn.Linear(wide, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        normed = self.self_attn_layer_norm(x)
        x = x + self.self_attn(normed, normed, heard[:, None, None])
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


class WhisperEncoder(nn.Module):
    """Tensors are named as transformers names them."""

    def __init__(self, bands: int, width: int, layers: int, wide: int, positions: int = 1500) -> None:
        super().__init__()
        self.bands, self.width = bands, width
        self.conv1 = nn.Conv1d(bands, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(positions, width)
        self.layers = nn.ModuleList(EncoderLayer(width, wide) for _ in range(layers))
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, log_mel: Tensor, mel_frames: Tensor) -> tuple[Tensor, Tensor]:
        """`[batch, bands, frames]`, `[batch]` → (`[batch, frames / 2, width]`, each clip's frames `[batch]`)."""
        x, lengths = self.begin(log_mel, mel_frames)
        return self.through(x, lengths), lengths

    def begin(self, log_mel: Tensor, mel_frames: Tensor) -> tuple[Tensor, Tensor]:
        """The convolutions and the positions, before the first layer."""
        # The second convolution has to see zeros behind a clip's end, as if it were alone.
        own = frame_mask(mel_frames, log_mel.shape[-1])[:, None]
        log_mel = log_mel.to(self.dtype)
        x = F.gelu(self.conv2(F.gelu(self.conv1(log_mel * own)) * own)).transpose(1, 2)
        return x + self.embed_positions.weight[: x.shape[1]], (mel_frames + 1) // 2

    def through(self, x: Tensor, lengths: Tensor, first: int = 0, end: int | None = None) -> Tensor:
        """Layers `first` up to `end`; the last norm follows where `end` is the encoder's."""
        end = len(self.layers) if end is None else end
        heard = frame_mask(lengths, x.shape[1])
        for layer in self.layers[first:end]:
            x = layer(x, heard)
        return self.layer_norm(x) if end == len(self.layers) else x

    @property
    def dtype(self) -> torch.dtype:
        return self.conv1.weight.dtype

    def train_top(self, layers: int) -> WhisperEncoder:
        """Freezes all but the last so many layers, and the norm behind them when there are any."""
        self.requires_grad_(False)
        for layer in self.layers[len(self.layers) - layers :]:
            layer.requires_grad_(True)
        self.layer_norm.requires_grad_(layers > 0)
        return self


def load_whisper_encoder(path: Path) -> WhisperEncoder:
    """From CTranslate2's `model.bin`, or from a folder that transformers wrote."""
    state = hugging_face_tensors(path, "encoder.") if path.is_dir() else _from_ctranslate2(read_tensors(path))
    width, bands, _ = state["conv1.weight"].shape
    layers = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("layers."))
    wide = state["layers.0.fc1.weight"].shape[0]
    encoder = WhisperEncoder(bands, width, layers, wide, len(state["embed_positions.weight"]))
    encoder.load_state_dict(state)
    return encoder.train_top(0)


def hugging_face_tensors(folder: Path, part: str) -> dict[str, Tensor]:
    """The tensors of `encoder.` or `decoder.` in a folder that transformers wrote, without what is before and in it."""
    index = folder / "model.safetensors.index.json"
    files = set(json.loads(index.read_text())["weight_map"].values()) if index.exists() else {"model.safetensors"}
    tensors = {key: value.float() for file in files for key, value in load_file(folder / file).items()}
    prefix = f"model.{part}" if any(key.startswith("model.") for key in tensors) else part
    own = {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
    # A folder of the encoder alone names its tensors without a part.
    return own or {key: value for key, value in tensors.items() if part == "encoder."}


def _from_ctranslate2(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    state = Renamed(tensors)
    state.tensors["embed_positions.weight"] = tensors["encoder/position_encodings/encodings"]
    state.pair("conv1", "encoder/conv1")
    state.pair("conv2", "encoder/conv2")
    state.norm("layer_norm", "encoder/layer_norm")
    for source, target in state.layers("encoder"):
        state.self_attention(target, source)
        state.feed_forward(target, source)
    return state.tensors
