"""The adaptors that the papers compare, with the tensor names that `native-models/architectures/adaptors/` reads.

Every one takes `frames` `[batch, longest, width]` and `lengths` `[batch]` → (`[batch, tokens, llm_width]`, `[batch]`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from parts.q_former import QFormerAdaptor
from parts.whisper_encoder import frame_mask

Tokens = tuple[Tensor, Tensor]


class LinearAdaptor(nn.Module):
    """One matrix: the aligner (the transferable aligner, section 2.1). `aligner.{weight,bias}`"""

    def __init__(self, width: int, llm_width: int) -> None:
        super().__init__()
        self.aligner = nn.Linear(width, llm_width)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tokens:
        return self.aligner(frames), lengths


class MlpAdaptor(nn.Module):
    """Two layers, GELU between (SiM, section 3.1). `adaptor.{0,2}.…`"""

    def __init__(self, width: int, llm_width: int) -> None:
        super().__init__()
        self.adaptor = nn.Sequential(nn.Linear(width, llm_width), nn.GELU(), nn.Linear(llm_width, llm_width))

    def forward(self, frames: Tensor, lengths: Tensor) -> Tokens:
        return self.adaptor(frames), lengths


class ConvAdaptor(nn.Module):
    """Convolutions of stride 2, GELU between: two make 4×, three 8× (SiM, section 3.1). `adaptor.layers.N.…`"""

    def __init__(self, width: int, llm_width: int, convolutions: int) -> None:
        super().__init__()
        sizes = [width] + [llm_width] * convolutions
        self.adaptor = nn.ModuleDict(
            {
                "layers": nn.ModuleList(
                    nn.Conv1d(sizes[i], sizes[i + 1], 3, stride=2, padding=1) for i in range(convolutions)
                )
            }
        )

    def forward(self, frames: Tensor, lengths: Tensor) -> Tokens:
        x = frames
        for place, convolution in enumerate(self.adaptor["layers"]):
            # Behind a clip's end there is nothing, as if it were alone.
            x = (F.gelu(x) if place else x) * frame_mask(lengths, x.shape[1])[..., None]
            x = convolution(x.transpose(1, 2)).transpose(1, 2)
            lengths = (lengths + 1) // 2
        return x, lengths


class StackAdaptor(nn.Module):
    """n frames beside one another, then one matrix (AudioChatLlama, section 3.1). `adaptor.0.…`"""

    def __init__(self, width: int, llm_width: int, stack: int) -> None:
        super().__init__()
        self.stack = stack
        self.adaptor = nn.Sequential(nn.Linear(width * stack, llm_width))

    def forward(self, frames: Tensor, lengths: Tensor) -> Tokens:
        whole = frames[:, : frames.shape[1] // self.stack * self.stack]
        return self.adaptor(whole.unflatten(1, (-1, self.stack)).flatten(2)), lengths // self.stack


@dataclass(frozen=True)
class AdaptorSettings:
    kind: str
    """`linear`, `mlp`, `conv`, `stack`, `q-former` or `window-q-former`."""
    stack: int = 4
    convolutions: int = 2
    queries: int = 1
    query_width: int = 384
    query_layers: int = 2
    window_seconds: float = 0.333333

    def recipe(self) -> dict[str, str | float | int]:
        """What the bundle's recipe says of it."""
        said: dict[str, str | float | int] = {"architecture": self.kind}
        if self.kind == "stack":
            said["stack"] = self.stack
        if self.kind == "window-q-former":
            said["windowSeconds"] = self.window_seconds
        return said


def new_adaptor(settings: AdaptorSettings, width: int, llm_width: int, embedding_norm: float) -> nn.Module:
    """`embedding_norm`: the mean length of the LLM's token embeddings, which the first outputs are scaled to."""
    match settings.kind:
        case "linear":
            adaptor: nn.Module = LinearAdaptor(width, llm_width)
        case "mlp":
            adaptor = MlpAdaptor(width, llm_width)
        case "conv":
            adaptor = ConvAdaptor(width, llm_width, settings.convolutions)
        case "stack":
            adaptor = StackAdaptor(width, llm_width, settings.stack)
        case "q-former" | "window-q-former":
            window = round(50 * settings.window_seconds) if settings.kind == "window-q-former" else None
            size = settings.query_width
            adaptor = QFormerAdaptor(width, llm_width, size, settings.query_layers, settings.queries, window)
        case other:
            raise ValueError(f"there is no adaptor {other}")
    return _scaled(adaptor, width, embedding_norm)


@torch.no_grad()
def _scaled(adaptor: nn.Module, width: int, norm: float) -> nn.Module:
    """An LLM reads vectors far longer than its embeddings as noise: the last layer is made to fit at the start."""
    adaptor.eval()
    vectors, _ = adaptor(torch.randn(1, 64, width), torch.tensor([64]))
    factor = norm / vectors.norm(dim=-1).mean()
    *_, last = (module for module in adaptor.modules() if isinstance(module, (nn.Linear, nn.Conv1d)))
    last.weight.mul_(factor)
    if last.bias is not None:
        last.bias.mul_(factor)
    return adaptor.train()
