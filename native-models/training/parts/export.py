"""Writes what the foundry reads: `adaptor.safetensors` or `adaptor.gguf`, and `adaptor.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import torch
from safetensors.torch import save_file
from torch import Tensor

EIGHT_BITS = gguf.GGMLQuantizationType.Q8_0
LONGEST_NAME = 63
"""GGUF keeps 64 bytes, the last of them zero."""
LEAST_ROUNDED = 2**16
"""Elements; a LoRA's narrow matrices and all vectors stay in half precision, where they take little."""


def export_adaptor(
    folder: Path, tensors: dict[str, Tensor], configuration: dict[str, Any], eight_bits: bool = False
) -> int:
    """Half precision, or GGUF with its large matrices in 8-bit blocks → the size of the weights in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ("adaptor.gguf" if eight_bits else "adaptor.safetensors")
    partial = path.with_name(f"{path.name}.partial")
    halves = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in tensors.items()}
    if eight_bits:
        _write_gguf(partial, tensors, halves)
    else:
        save_file(halves, str(partial), metadata={"format": "pt"})
    partial.replace(path)
    (folder / "adaptor.json").write_text(json.dumps(configuration) + "\n")
    return path.stat().st_size


def _write_gguf(path: Path, tensors: dict[str, Tensor], halves: dict[str, Tensor]) -> None:
    writer = gguf.GGUFWriter(path, "parlance-adaptor")
    for name, value in tensors.items():
        if len(name) > LONGEST_NAME:
            raise ValueError(f"{name} is longer than the {LONGEST_NAME} characters that GGUF takes")
        if rounded_to_eight_bits(value):
            values = value.detach().to("cpu", torch.float32).numpy()
            writer.add_tensor(name, gguf.quants.quantize(values, EIGHT_BITS), raw_dtype=EIGHT_BITS)
        else:
            writer.add_tensor(name, halves[name].numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def rounded_to_eight_bits(value: Tensor) -> bool:
    """Whether a tensor is a large matrix of whole blocks."""
    block, _ = gguf.GGML_QUANT_SIZES[EIGHT_BITS]
    return value.dim() == 2 and value.shape[1] % block == 0 and value.numel() >= LEAST_ROUNDED
