"""Samples out of WebDataset tars: any of them at any time, in batches of like length, augmented anew each time."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from parts.features import SAMPLE_RATE, padded_length


@dataclass(frozen=True)
class Sample:
    """One clip: where its sound lies, and what its JSON says."""

    shard: Path
    offset: int
    size: int
    about: dict[str, Any]


def read_index(folder: Path, keep: Callable[[dict[str, Any]], bool] = lambda _: True) -> list[Sample]:
    """Every sample of a folder's shards, in their order."""
    samples: list[Sample] = []
    for shard in sorted(folder.rglob("*.tar")):
        with tarfile.open(shard) as tar:
            sounds: dict[str, tuple[int, int]] = {}
            for entry in tar:
                key, _, ending = entry.name.partition(".")
                if ending == "flac":
                    sounds[key] = (entry.offset_data, entry.size)
                elif ending == "json" and (data := tar.extractfile(entry)) is not None:
                    about = json.load(data)
                    if keep(about):
                        samples.append(Sample(shard, *sounds[key], about))
    if not samples:
        raise FileNotFoundError(f"{folder} holds no shards with samples that are wanted")
    return samples


Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class Clips(Dataset):
    """Indexed by (epoch, number): a clip sounds different in every epoch, and the same when it is asked for again."""

    def __init__(self, samples: list[Sample], augment: Augment | None, seed: int, longest_seconds: float) -> None:
        self.samples, self.augment, self.seed = samples, augment, seed
        self.longest = int(longest_seconds * SAMPLE_RATE)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, place: tuple[int, int]) -> tuple[np.ndarray, dict[str, Any]]:
        epoch, number = place
        sample = self.samples[number]
        with sample.shard.open("rb") as tar:
            tar.seek(sample.offset)
            sound, rate = soundfile.read(io.BytesIO(tar.read(sample.size)), dtype="float32")
        assert rate == SAMPLE_RATE, f"{sample.about['id']} is at {rate} Hz"
        if self.augment is not None:
            digest = hashlib.sha256(f"{self.seed}/{epoch}/{sample.about['id']}".encode()).digest()
            sound = self.augment(sound, np.random.default_rng(int.from_bytes(digest[:8], "big")))
        return sound[: self.longest], sample.about

    def join(self, clips: list[tuple[np.ndarray, dict[str, Any]]]) -> Any:
        return join_clips(clips)


@dataclass(frozen=True)
class ClipBatch:
    samples: Tensor
    """`[batch, longest]` at 16 kHz, zeros behind each clip's end."""
    lengths: Tensor
    """Of the clips with their tail, in whole units `[batch]`."""
    about: list[dict[str, Any]]

    def to(self, device: torch.device) -> ClipBatch:
        return ClipBatch(
            self.samples.to(device, non_blocking=True), self.lengths.to(device, non_blocking=True), self.about
        )


def join_clips(clips: list[tuple[np.ndarray, dict[str, Any]]]) -> ClipBatch:
    lengths = [padded_length(len(sound)) for sound, _ in clips]
    samples = torch.zeros(len(clips), max(lengths))
    for row, (sound, _) in enumerate(clips):
        samples[row, : len(sound)] = torch.from_numpy(sound)
    return ClipBatch(samples, torch.tensor(lengths), [about for _, about in clips])


class BatchesOfLikeLength:
    """Endless batches of (epoch, number), at most `seconds` long when padded; a rank takes its share of each.

    Resumable: `epoch` and `position` say where it stands, and the order depends on the seed and the epoch alone.
    """

    def __init__(self, lengths: list[float], seconds: float, seed: int, rank: int = 0, world: int = 1) -> None:
        if len(lengths) < world:
            raise ValueError(f"{len(lengths)} clips cannot be shared by {world} processes")
        self.lengths, self.seconds, self.seed = lengths, seconds, seed
        self.rank, self.world = rank, world
        self.epoch = self.position = 0
        self._counted = (-1, 0)

    def whole_epoch(self, epoch: int) -> list[list[int]]:
        order = random.Random(f"{self.seed}/{epoch}")
        # A little noise keeps the same clips from always meeting in one batch.
        numbers = sorted(range(len(self.lengths)), key=lambda n: self.lengths[n] * order.uniform(0.9, 1.1))
        batches: list[list[int]] = [[]]
        longest = 0.0
        for number in numbers:
            longest = max(longest, self.lengths[number])
            enough = len(batches[-1]) >= self.world
            if enough and (len(batches[-1]) + 1) * longest > self.seconds:
                batches.append([])
                longest = self.lengths[number]
            batches[-1].append(number)
        if len(batches[-1]) < self.world and len(batches) > 1:
            last = batches.pop()
            batches[-1] += last
        order.shuffle(batches)
        return batches

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, position = self.epoch, self.position
        while True:
            batches = self.whole_epoch(epoch)
            for batch in batches[position:]:
                yield [(epoch, number) for number in batch[self.rank :: self.world]]
            epoch, position = epoch + 1, 0

    def advance(self) -> None:
        """One batch was trained on; those that workers fetched ahead are not counted."""
        self.position += 1
        if self._counted[0] != self.epoch:
            self._counted = (self.epoch, len(self.whole_epoch(self.epoch)))
        if self.position >= self._counted[1]:
            self.epoch, self.position = self.epoch + 1, 0


def loader(clips: Clips, batches: BatchesOfLikeLength, workers: int) -> DataLoader:
    return DataLoader(
        clips,
        batch_sampler=batches,
        collate_fn=clips.join,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=torch.cuda.is_available(),
        # Its own: starting to load must not draw from the random state that training goes on with.
        generator=torch.Generator().manual_seed(batches.seed),
    )
