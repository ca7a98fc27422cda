"""The same clean held-out clips at every check of a run."""

from __future__ import annotations

import random

from parts.distributed import Processes
from parts.shards import BatchesOfLikeLength, ClipBatch, Clips, Sample, join_clips

_BATCH_SECONDS = 80


def held_out_batches(samples: list[Sample], most: int, longest_seconds: float, processes: Processes) -> list[ClipBatch]:
    """At most so many, chosen by chance but always alike."""
    chosen = random.Random(0).sample(samples, min(most, len(samples)))
    clips = Clips(chosen, None, 0, longest_seconds)
    order = BatchesOfLikeLength([float(sample.about["seconds"]) for sample in chosen], _BATCH_SECONDS, 0)
    batches = [join_clips([clips[0, number] for number in batch]) for batch in order.whole_epoch(0)]
    return [batch.to(processes.device) for batch in batches]
