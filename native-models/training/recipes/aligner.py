"""The transferable aligner: one linear layer between encoder and LLM, its singular values, and how few it needs.

    python -m recipes.aligner --settings settings/aligner.yaml
    python -m recipes.aligner --settings settings/aligner.yaml --set ranks=[8,32,128]

After training, the layer is cut to each of `ranks` singular values and judged again (table 2). `swap` names another
LLM of the same vocabulary, onto whose embeddings the layer's output is mapped by least squares: a frozen swap.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from parts.adaptors import AdaptorSettings, LinearAdaptor, new_adaptor
from parts.export import export_adaptor
from parts.language_model import load_language_model
from parts.listener import (
    Listener,
    ListeningSettings,
    Turn,
    WhisperFrames,
    Workbench,
    held_out_loss,
    prepare,
    train,
    turn_of,
)
from parts.settings import from_command_line


@dataclass(frozen=True, kw_only=True)
class AlignerSettings(ListeningSettings):
    trainable_rank: int | None = None
    """Trains A·B of this rank in place of the whole matrix: the trainable dimensions of table 3."""
    ranks: list[int] = field(default_factory=lambda: [4, 16, 64, 256])
    swap: Path | None = None


class LowRank(nn.Module):
    """`[batch, frames, width]` through `rank` dimensions; exported as the one matrix that it is."""

    def __init__(self, width: int, llm_width: int, rank: int, norm: float) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, rank, bias=False), nn.Linear(rank, llm_width)
        nn.init.normal_(self.up.weight, std=norm / (llm_width * rank) ** 0.5)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self.up(self.down(frames)), lengths

    def matrix(self) -> Tensor:
        return self.up.weight @ self.down.weight


def main() -> None:
    settings = from_command_line(AlignerSettings, "Trains one linear layer, and looks at its singular values.")
    bench = prepare(settings)
    llm = bench.llm.to(bench.precision.dtype)
    adaptor = aligner(settings, bench)

    def turn(about: dict) -> Turn:
        return turn_of(about, settings.prompt.tasks["transcribe"])

    frames = WhisperFrames(bench.encoder, settings.masking)
    train(settings, bench, Listener(frames, adaptor, llm, bench.tokenizer, settings.prompt), turn)
    whole = merged(adaptor)
    singular = torch.linalg.svdvals(whole.aligner.weight)
    figures = {"singular_values": singular.tolist(), "loss_by_rank": {}}
    for rank in [*settings.ranks, min(whole.aligner.weight.shape)]:
        cut = truncated(whole, rank)
        listener = Listener(frames, cut, llm, bench.tokenizer, settings.prompt)
        figures["loss_by_rank"][rank] = held_out_loss(bench, listener, turn)
    if settings.swap is not None:
        other = load_language_model(settings.swap)
        moved = swapped(whole, bench.llm, other)
        listener = Listener(frames, moved, other, bench.tokenizer, settings.prompt)
        figures["loss_after_swap"] = held_out_loss(bench, listener, turn)
    if bench.processes.first:
        (settings.out / "aligner.json").write_text(json.dumps(figures, indent=1) + "\n")
        export_adaptor(settings.out / "export", whole.state_dict(), {})
    bench.processes.close()


def aligner(settings: AlignerSettings, bench: Workbench) -> nn.Module:
    width, llm_width = bench.encoder.width, bench.llm.config.hidden_size
    if settings.trainable_rank is None:
        return new_adaptor(AdaptorSettings("linear"), width, llm_width, bench.embedding_norm)
    return LowRank(width, llm_width, settings.trainable_rank, bench.embedding_norm)


@torch.no_grad()
def merged(adaptor: nn.Module) -> LinearAdaptor:
    if isinstance(adaptor, LinearAdaptor):
        return adaptor
    assert isinstance(adaptor, LowRank)
    matrix = adaptor.matrix()
    whole = LinearAdaptor(matrix.shape[1], matrix.shape[0])
    whole.aligner.weight.copy_(matrix)
    whole.aligner.bias.copy_(adaptor.up.bias)
    return whole


@torch.no_grad()
def truncated(whole: LinearAdaptor, rank: int) -> LinearAdaptor:
    """Only the largest singular values are kept."""
    left, values, right = torch.linalg.svd(whole.aligner.weight, full_matrices=False)
    cut = LinearAdaptor(right.shape[1], left.shape[0])
    cut.aligner.weight.copy_(left[:, :rank] * values[:rank] @ right[:rank])
    cut.aligner.bias.copy_(whole.aligner.bias)
    return cut


@torch.no_grad()
def swapped(whole: LinearAdaptor, first: nn.Module, second: nn.Module) -> LinearAdaptor:
    """From one LLM's token table to another's, by least squares over the tokens that both have."""
    tables = [model.get_input_embeddings().weight.float() for model in (first, second)]
    if len(tables[0]) != len(tables[1]):
        raise ValueError(f"the LLMs have {len(tables[0])} and {len(tables[1])} tokens; a swap needs one vocabulary")
    change = torch.linalg.lstsq(tables[0], tables[1]).solution.T
    moved = LinearAdaptor(whole.aligner.in_features, len(change))
    moved.aligner.weight.copy_(change @ whole.aligner.weight)
    moved.aligner.bias.copy_(change @ whole.aligner.bias)
    return moved


if __name__ == "__main__":
    main()
