"""Low-rank additions to frozen matrices (LoRA, section 4.1), named as the foundry reads them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MODULES = ("q_proj", "k_proj", "v_proj", "o_proj")


class LowRank(nn.Module):
    """x Aᵀ Bᵀ · alpha / rank; A `[rank, in]`, B `[out, rank]`."""

    def __init__(self, frozen: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        device = frozen.weight.device
        self.A = nn.Parameter(torch.randn(rank, frozen.in_features, device=device) / math.sqrt(frozen.in_features))
        self.B = nn.Parameter(torch.zeros(frozen.out_features, rank, device=device))
        self.scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(F.linear(x, self.A.to(x.dtype)), self.B.to(x.dtype)) * self.scale


def add_low_rank(model: nn.Module, rank: int, alpha: float) -> nn.ModuleDict:
    """Adds to what each linear layer of the model gives → the additions, which are not the model's own: by the layers'
    names, with slashes for their points."""
    added = nn.ModuleDict()
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear):
            low = added[name.replace(".", "/")] = LowRank(layer, rank, alpha)
            layer.register_forward_hook(lambda _, inputs, output, low=low: output + low(inputs[0]))
    return added


class LoraLinear(LowRank):
    """A frozen layer, and as much of the addition as `discount` says."""

    def __init__(self, frozen: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__(frozen, rank, alpha)
        self.frozen = frozen
        self.discount = 1.0

    def forward(self, x: Tensor) -> Tensor:
        y = self.frozen(x)
        return y if self.discount == 0 else y + super().forward(x) * self.discount


def add_lora(model: nn.Module, rank: int, alpha: float, modules: tuple[str, ...] = MODULES) -> None:
    """Puts a trainable addition beside each of these layers of the attention."""
    for layer in model.model.layers:
        for name in modules:
            setattr(layer.self_attn, name, LoraLinear(getattr(layer.self_attn, name), rank, alpha))


def lora_layers(model: nn.Module) -> dict[str, LoraLinear]:
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLinear)}


@contextmanager
def discounted(model: nn.Module, discount: float) -> Iterator[None]:
    """Within, LoRA counts that much: 0 is the LLM as published (SALMONN, section 5.2)."""
    layers = lora_layers(model).values()
    before = [layer.discount for layer in layers]
    for layer in layers:
        layer.discount = discount
    try:
        yield
    finally:
        for layer, value in zip(layers, before, strict=True):
            layer.discount = value


def lora_tensors(model: nn.Module) -> dict[str, Tensor]:
    """`lora.model.layers.N.self_attn.q_proj.A` and its like."""
    layers = lora_layers(model)
    return {f"lora.{name}.{part}": getattr(layer, part).detach() for name, layer in layers.items() for part in "AB"}


ADDITIONS = "adaptor.decoder_lora."
"""What the names of the default adaptor's additions to Whisper's decoder begin with."""


def exported_addition(name: str) -> str:
    """`adaptor.decoder_lora.layers/0/self_attn/q_proj.A` → `decoder.layers.0.self_attn.q_proj.A`."""
    return "decoder." + name.removeprefix(ADDITIONS).replace("/", ".")


def addition(exported: str) -> str:
    """The other way."""
    layer, _, part = exported.removeprefix("decoder.").rpartition(".")
    return f"{ADDITIONS}{layer.replace('.', '/')}.{part}"
