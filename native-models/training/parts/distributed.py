"""One process or many: the same code under `python` and under `torchrun`."""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch import Tensor, nn


class Processes:
    """`rank` of `world`, and the device of this one. Gloo joins processes without a GPU, NCCL those with one."""

    def __init__(self) -> None:
        self.rank = int(os.environ.get("RANK", 0))
        self.world = int(os.environ.get("WORLD_SIZE", 1))
        gpu = torch.cuda.is_available()
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if gpu else torch.device("cpu")
        if gpu:
            torch.cuda.set_device(self.device)
        if self.world > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if gpu else "gloo")

    @property
    def first(self) -> bool:
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """Each process holds all weights, and their gradients are joined. Alone, the model as it is."""
        model = model.to(self.device)
        if self.world == 1:
            return model
        return nn.parallel.DistributedDataParallel(model, find_unused_parameters=True)

    def sum(self, value: float) -> float:
        """Over all processes."""
        if self.world == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return float(total)

    def share(self, loss_sum: Tensor, count: float) -> Tensor:
        """A loss whose gradient, averaged over processes, is that of the mean over everybody's `count`."""
        return loss_sum * (self.world / max(self.sum(count), 1.0))

    def close(self) -> None:
        if dist.is_initialized():
            dist.destroy_process_group()
