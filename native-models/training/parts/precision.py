"""bfloat16 where the machine multiplies it faster: with AMX or a GPU it does, with AVX2 alone it is far slower."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

import torch
import torch.distributed as dist


def matmul_rate(dtype: torch.dtype, device: torch.device, size: int = 1024, repeats: int = 8) -> float:
    """In GFLOP/s."""
    first, second = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    for _ in range(2):
        first @ second
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(repeats):
        product = first @ second
    float(product[0, 0])
    return repeats * 2 * size**3 / (time.perf_counter() - start) / 1e9


class Precision:
    """`wanted`: `auto` measures, `bf16` and `f32` say."""

    def __init__(self, wanted: str, device: torch.device) -> None:
        self.device = device
        self.rates = {"f32": matmul_rate(torch.float32, device), "bf16": matmul_rate(torch.bfloat16, device)}
        self.low = wanted == "bf16" or (wanted == "auto" and self.rates["bf16"] > 1.3 * self.rates["f32"])
        if dist.is_initialized():
            # Measured at the same time on busy machines: the first process' word counts, so that all compute alike.
            low = torch.tensor(int(self.low), device=device)
            dist.broadcast(low, 0)
            self.low = bool(low)

    @property
    def dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.low else torch.float32

    def autocast(self) -> AbstractContextManager:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.low)
