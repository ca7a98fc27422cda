"""CTC whose classes are an LLM's own token embeddings, and how its labels are read."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

_UNREACHABLE = -1e4


def own_label_ctc(scores: Tensor, lengths: Tensor, targets: list[list[int]]) -> Tensor:
    """The sum over the batch of −log p(targets), equal in value and gradient to CTC over the full width.

    `scores` `[batch, frames, 1 + classes]` before the softmax, blank first; `targets` classes from 1. The alignment
    only ever visits a clip's own labels and the blank: the search runs over those, and one class that stands for the
    mass of all others. PyTorch's gradient is right only for a distribution that sums to one, which that class makes it.
    """
    device = scores.device
    own = [sorted(set(target)) for target in targets]
    width = max((len(labels) for labels in own), default=1) or 1
    chosen = torch.zeros(len(own), width, dtype=torch.long)
    known = torch.zeros(len(own), width, dtype=torch.bool)
    relabelled: list[int] = []
    for row, (labels, target) in enumerate(zip(own, targets, strict=True)):
        chosen[row, : len(labels)] = torch.tensor(labels, dtype=torch.long)
        known[row, : len(labels)] = True
        places = {label: place + 1 for place, label in enumerate(labels)}
        relabelled += [places[label] for label in target]
    chosen, known = chosen.to(device), known.to(device)
    scores = scores.float()
    everything = scores.logsumexp(-1, keepdim=True)
    labels = scores.gather(2, chosen[:, None].expand(-1, scores.shape[1], -1))
    labels = (labels - everything).masked_fill(~known[:, None], _UNREACHABLE)
    visited = torch.cat([scores[..., :1] - everything, labels], -1)
    mass = visited.logsumexp(-1, keepdim=True).exp().clamp(max=1 - 1e-6)
    log_probabilities = torch.cat([visited, torch.log1p(-mass)], -1).transpose(0, 1)
    target_lengths = torch.tensor([len(target) for target in targets])
    return F.ctc_loss(
        log_probabilities,
        torch.tensor(relabelled, dtype=torch.long, device=device),
        lengths.cpu(),
        target_lengths,
        reduction="sum",
        zero_infinity=True,
    )


def fits(target: list[int], frames: int) -> bool:
    """Whether an alignment exists: a repeated label needs a blank between."""
    repeats = sum(first == second for first, second in pairwise(target))
    return 0 < len(target) + repeats <= frames


def best_labels(scores: Tensor, blank_offset: Tensor | float) -> Tensor:
    """`[…, 1 + classes]`, the blank first → the likeliest `[…]`, after so much is taken off the blank's score."""
    best = scores[..., 1:].max(-1)
    return torch.where(best.values > scores[..., 0] - blank_offset, best.indices + 1, 0)


def new_labels(labels: Tensor, lengths: Tensor) -> Tensor:
    """`[batch, places]`, `[batch]` → whether a clip's own place says something: neither blank nor the label before."""
    before = F.pad(labels, (1, 0))[:, :-1]
    own = torch.arange(labels.shape[1], device=labels.device)[None] < lengths[:, None]
    return (labels > 0) & (labels != before) & own


def read_labels(labels: list[int]) -> list[int]:
    """Labels of frames → classes in order, without repeats and blanks."""
    return [label for place, label in enumerate(labels) if label and (place == 0 or labels[place - 1] != label)]
