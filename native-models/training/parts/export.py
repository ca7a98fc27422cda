"""Writes what the foundry reads: `adaptor.safetensors` and `adaptor.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor


def export_adaptor(folder: Path, tensors: dict[str, Tensor], configuration: dict[str, Any]) -> int:
    """Half precision → the size of the weights in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "adaptor.safetensors"
    partial = folder / "adaptor.safetensors.partial"
    halves = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in tensors.items()}
    save_file(halves, str(partial), metadata={"format": "pt"})
    partial.replace(path)
    (folder / "adaptor.json").write_text(json.dumps(configuration) + "\n")
    return path.stat().st_size
