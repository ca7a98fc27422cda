"""A stage of the default recipe that trains by CTC alone: the LLM is not run."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from parts.checkpoints import load_trained, read_checkpoint, write_checkpoint
from parts.distributed import Processes
from parts.hearing import Hearing, choose_blank_offset, held_out_figures
from parts.precision import Precision
from parts.run import Run, RunSettings
from parts.shards import ClipBatch, Clips


class CtcLoss(nn.Module):
    """Loss in `forward`, so that the gradients of many processes are joined."""

    def __init__(self, hearing: Hearing) -> None:
        super().__init__()
        self.hearing = hearing

    def forward(self, batch: ClipBatch) -> dict[str, tuple[Tensor, int]]:
        """Each loss summed over its targets, and how many there are."""
        return {"ctc": self.hearing.ctc(self.hearing(batch), batch)}


class LookLoss(nn.Module):
    """Of the look and, as what it starts from, of its draft."""

    def __init__(self, hearing: Hearing, drafting: Hearing) -> None:
        super().__init__()
        # The draft is a part of the look: in a list, it is counted once.
        self.hearing, self._drafting = hearing, [drafting]

    def forward(self, batch: ClipBatch) -> dict[str, tuple[Tensor, int]]:
        looked = self.hearing(batch)
        return {"ctc": self.hearing.ctc(looked, batch), "draft": self._drafting[0].ctc(looked.draft, batch)}


def train_by_ctc(
    folder: Path,
    model: CtcLoss | LookLoss,
    hearing: Hearing,
    settings: RunSettings,
    weights: dict[str, float],
    clips: Clips,
    checks: list[ClipBatch],
    processes: Processes,
    precision: Precision,
) -> None:
    """Trains `model`; `hearing` is what is scored, and what `folder`.pt keeps. Finished before, that is loaded, and
    nothing else. `weights`: of the losses, 1 where there is none."""
    finished = folder.with_suffix(".pt")
    if (done := read_checkpoint(finished)) is not None:
        load_trained(hearing, done)
        return
    run = Run(folder, model, clips, settings, processes, precision)
    for batch in run.batches():
        with precision.autocast():
            losses = run.model(batch)
        loss = torch.zeros(())
        for name, (total, tokens) in losses.items():
            loss = loss + weights.get(name, 1.0) * processes.share(total, tokens)
        run.update(loss, len(batch.about), **{name: t.item() / max(1, n) for name, (t, n) in losses.items()})
        if run.checks:
            with precision.autocast():
                run.log.figures("held-out", run.step, seen=run.seen, **held_out_figures(hearing, checks))
    with precision.autocast():
        offset = choose_blank_offset(hearing, checks)
        hearing.adaptor.blank_offset.fill_(offset)
        figures = held_out_figures(hearing, checks)
    run.log.figures("held-out", run.step, seen=run.seen, blank_offset=offset, **figures)
    run.log.close()
    if processes.first:
        write_checkpoint(finished, {name: value.cpu() for name, value in adaptor_state(hearing).items()})


def adaptor_state(hearing: Hearing) -> dict[str, Tensor]:
    """The adaptor alone: encoder and decoder are as published."""
    return {f"adaptor.{name}": value for name, value in hearing.adaptor.state_dict().items()}
