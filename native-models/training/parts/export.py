"""Writes what the foundry reads: `adaptor.safetensors` or `adaptor.gguf`, and `adaptor.json`.

python -m parts.export run/export    # adaptor.gguf out of the adaptor.safetensors that is there
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import gguf
import torch
from safetensors.torch import load_file, save_file
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


def read_adaptor(folder: Path) -> dict[str, Tensor]:
    """In single precision, out of whichever of the two files is there; of both, the GGUF one."""
    path = folder / "adaptor.gguf"
    if not path.exists():
        return {name: value.float() for name, value in load_file(folder / "adaptor.safetensors").items()}
    tensors = gguf.GGUFReader(path).tensors
    return {
        tensor.name: torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype("float32"))
        # GGUF names the innermost dimension first.
        .reshape([int(size) for size in reversed(tensor.shape)])
        for tensor in tensors
    }


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


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes adaptor.gguf beside adaptor.safetensors.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    tensors, about = load_file(folder / "adaptor.safetensors"), json.loads((folder / "adaptor.json").read_text())
    print(f"{export_adaptor(folder, tensors, about, eight_bits=True) / 1e6:.1f} MB in {folder / 'adaptor.gguf'}")


if __name__ == "__main__":
    main()
