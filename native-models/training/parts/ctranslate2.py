"""Reads CTranslate2's `model.bin`, as faster-whisper publishes Whisper."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2", 5: "<u2"}
_BFLOAT16 = 5


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor by its name, aliases included, as float32; int8 rows are divided by their scales."""
    data = path.read_bytes()
    position = 0

    def number(code: str) -> int:
        nonlocal position
        (value,) = struct.unpack_from("<" + code, data, position)
        position += struct.calcsize("<" + code)
        return value

    def name() -> str:
        nonlocal position
        length = number("H")
        text = data[position : position + length - 1].decode()
        position += length
        return text

    version = number("I")
    if version != 6:
        raise ValueError(f"{path} is of version {version}; 6 is read")
    name()
    number("I")
    raw: dict[str, np.ndarray] = {}
    for _ in range(number("I")):
        key = name()
        shape = [number("I") for _ in range(number("B"))]
        kind, size = number("B"), number("I")
        values = np.frombuffer(data, _TYPES[kind], size // np.dtype(_TYPES[kind]).itemsize, position)
        if kind == _BFLOAT16:
            values = (values.astype(np.uint32) << 16).view(np.float32)
        raw[key] = values.reshape(shape)
        position += size
    for _ in range(number("I")):
        alias, target = name(), name()
        raw.setdefault(alias, raw[target])
    return {key: torch.from_numpy(_float(raw, key)) for key in raw if not key.endswith("_scale")}


def _float(raw: dict[str, np.ndarray], key: str) -> np.ndarray:
    values = raw[key].astype(np.float32)
    scale = raw.get(f"{key}_scale")
    if scale is None or raw[key].dtype != np.int8:
        return values
    return values / scale.astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))


class Renamed:
    """Whisper's tensors under the names that transformers gives them, gathered in `tensors`."""

    def __init__(self, source: dict[str, Tensor]) -> None:
        self.source = source
        self.tensors: dict[str, Tensor] = {}

    def layers(self, part: str) -> Iterator[tuple[str, str]]:
        """(source, target) of each layer of `encoder` or `decoder`."""
        layer = 0
        while f"{part}/layer_{layer}/ffn/linear_0/weight" in self.source:
            yield f"{part}/layer_{layer}", f"layers.{layer}"
            layer += 1

    def pair(self, target: str, source: str, parts: tuple[str, str] = ("weight", "bias")) -> None:
        for own, theirs in zip(("weight", "bias"), parts, strict=True):
            self.tensors[f"{target}.{own}"] = self.source[f"{source}/{theirs}"]

    def norm(self, target: str, source: str) -> None:
        self.pair(target, source, ("gamma", "beta"))

    def split(self, target: str, source: str, names: tuple[str, ...]) -> None:
        """Rows of several matrices below one another; keys have no bias, and zeros stand in its place."""
        for part in ("weight", "bias"):
            rows = self.source[f"{source}/{part}"].chunk(len(names))
            for name, value in zip(names, rows, strict=True):
                if (name, part) != ("k_proj", "bias"):
                    self.tensors[f"{target}.{name}.{part}"] = value

    def self_attention(self, target: str, source: str) -> None:
        self.split(f"{target}.self_attn", f"{source}/self_attention/linear_0", ("q_proj", "k_proj", "v_proj"))
        self.pair(f"{target}.self_attn.out_proj", f"{source}/self_attention/linear_1")
        self.norm(f"{target}.self_attn_layer_norm", f"{source}/self_attention/layer_norm")

    def feed_forward(self, target: str, source: str) -> None:
        self.norm(f"{target}.final_layer_norm", f"{source}/ffn/layer_norm")
        self.pair(f"{target}.fc1", f"{source}/ffn/linear_0")
        self.pair(f"{target}.fc2", f"{source}/ffn/linear_1")
