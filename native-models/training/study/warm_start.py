"""The start that all adaptors of a table get: each of their vectors is turned to the embeddings of the tokens said in
its stretch of the clip, without the LLM. From nothing, minutes of training through the LLM teach none of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from parts.run import Run, RunSettings
from parts.shards import ClipBatch, Sample
from study.alignment import Alignments
from study.clips import MakeClips, SilentClips
from study.shared import Shared

_SHARPNESS = 16.0
_NEAR = 6.0
"""Frames of 20 ms: a vector whose own stretch has no token takes the nearest, if that is no farther."""


class Turning(nn.Module):
    """Cross-entropy between a vector's cosines to the tokens and those said in its stretch; and its length, kept near
    an embedding's."""

    def __init__(self, frames: nn.Module, adaptor: nn.Module, alignments: Alignments, table: Tensor) -> None:
        super().__init__()
        self.frames, self.adaptor, self.alignments = frames, adaptor, alignments
        classes = table[torch.tensor(alignments.tokens)].float()
        self.norm = float(classes.norm(dim=-1).mean())
        self.register_buffer("classes", F.normalize(classes, dim=-1), persistent=False)
        self.numbers = {token: number for number, token in enumerate(alignments.tokens)}

    def forward(self, batch: ClipBatch) -> tuple[Tensor, int]:
        frames, lengths = self.frames(batch)
        vectors, counts = self.adaptor(frames, lengths)
        rows, places, labels, weights = [], [], [], []
        for row, about in enumerate(batch.about):
            said = self.alignments.said.get(about["id"], [])
            for place, numbers in stretches(said, int(counts[row]), int(lengths[row])).items():
                rows += [row] * len(numbers)
                places += [place] * len(numbers)
                labels += [self.numbers[token] for token in numbers]
                weights += [1 / len(numbers)] * len(numbers)
        if not rows:
            return vectors.sum() * 0, 0
        chosen = vectors[torch.tensor(rows), torch.tensor(places)].float()
        scores = F.normalize(chosen, dim=-1) @ self.classes.T.float() * _SHARPNESS
        weight = torch.tensor(weights)
        missed = F.cross_entropy(scores, torch.tensor(labels), reduction="none") @ weight
        length = (chosen.norm(dim=-1) / self.norm - 1).square() @ weight
        return missed + length, int(weight.sum().round())


def stretches(said: list[tuple[int, float]], vectors: int, frames: int) -> dict[int, list[int]]:
    """Tokens said in each of a clip's `vectors` stretches of time, or near it → by the vector's place."""
    if not said or not vectors:
        return {}
    width = frames / vectors
    found: dict[int, list[int]] = {}
    for token, frame in said:
        found.setdefault(min(vectors - 1, int(frame / width)), []).append(token)
    for place in range(vectors):
        if place not in found:
            token, frame = min(said, key=lambda pair: abs(pair[1] - (place + 0.5) * width))
            if abs(frame - (place + 0.5) * width) <= _NEAR:
                found[place] = [token]
    return found


def warm_start(
    shared: Shared,
    name: str,
    adaptor: nn.Module,
    frames: nn.Module,
    samples: list[Sample],
    run_settings: RunSettings,
    make_clips: MakeClips = SilentClips,
) -> None:
    """Trains `adaptor`, and of `frames` what has a gradient."""
    alignments = Alignments.load(shared.settings.work / "alignments.json")
    clips = make_clips(samples, None, run_settings.seed, shared.settings.longest_seconds)
    loss = Turning(frames, adaptor, alignments, shared.table)
    run = Run(shared.settings.work / name / "warm", loss, clips, run_settings, shared.processes, shared.precision)
    run.descend("turning")
