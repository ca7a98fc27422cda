"""Frames of the frozen encoder on disk, in 8 bits: a clip that training meets ten times is encoded as often as it is to
sound different, and no oftener. Without it, two thirds of the first stages' time are the encoder's.

    python -m parts.stored_frames --data FOLDER --whisper model.bin --out FOLDER --variants 2

Any number of processes may work on one folder; one that is stopped is simply started again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data.augmentation import AugmentationSettings
from data.files import held, write_whole
from parts.augmenting import Augmenter
from parts.features import HOP, LogMel
from parts.precision import Precision
from parts.shards import BatchesOfLikeLength, Clips, Sample, join_clips, read_index
from parts.whisper_encoder import WhisperEncoder, load_whisper_encoder

_MEASURED_CLIPS = 200
_HEADROOM = 1.3
"""Of a channel's largest value among the clips measured; what lies beyond is cut off."""


@dataclass(frozen=True)
class FrameBatch:
    frames: Tensor
    """int8 `[batch, longest, width]`; times the store's scale they are the encoder's output."""
    lengths: Tensor
    """Frames of each clip `[batch]`."""
    scale: Tensor
    """`[width]`"""
    about: list[dict[str, Any]]

    def to(self, device: torch.device) -> FrameBatch:
        parts = (part.to(device, non_blocking=True) for part in (self.frames, self.lengths, self.scale))
        return FrameBatch(*parts, self.about)


class StoredClips(Clips):
    """As `Clips`, with frames in place of sound: in epoch e a clip sounds as in variant e modulo their number."""

    def __init__(self, samples: list[Sample], folder: Path) -> None:
        super().__init__(samples, None, 0, 0.0)
        about = json.loads((folder / "frames.json").read_text())
        self.folder, self.variants, self.width = folder, about["variants"], about["width"]
        self.scale = torch.tensor(about["scale"])
        self._places: dict[tuple[int, str], dict[str, list[int]]] = {}
        for variant in range(self.variants):
            for shard in {sample.shard.stem for sample in samples}:
                index = _file(folder, variant, shard).with_suffix(".json")
                if not index.exists():
                    raise FileNotFoundError(f"{folder} lacks the frames of {shard}: run parts.stored_frames again")
                self._places[variant, shard] = json.loads(index.read_text())

    def __getitem__(self, place: tuple[int, int]) -> tuple[np.ndarray, dict[str, Any]]:
        epoch, number = place
        sample = self.samples[number]
        key = (epoch % self.variants, sample.shard.stem)
        first, count = self._places[key][sample.about["id"]]
        path = _file(self.folder, *key)
        frames = np.fromfile(path, np.int8, count * self.width, offset=first * self.width)
        return frames.reshape(count, self.width), sample.about

    def join(self, clips: list[tuple[np.ndarray, dict[str, Any]]]) -> FrameBatch:
        lengths = [len(frames) for frames, _ in clips]
        frames = torch.zeros(len(clips), max(lengths), self.width, dtype=torch.int8)
        for row, (values, _) in enumerate(clips):
            frames[row, : len(values)] = torch.from_numpy(values)
        return FrameBatch(frames, torch.tensor(lengths), self.scale, [about for _, about in clips])


class Store:
    """Writes what `StoredClips` reads, a shard at a time."""

    def __init__(self, folder: Path, encoder: WhisperEncoder, precision: Precision, seed: int) -> None:
        self.folder, self.precision, self.seed = folder, precision, seed
        self.encoder = encoder.to(precision.device, precision.dtype)
        self.features = LogMel(encoder.bands).to(precision.device)

    def prepare(self, samples: list[Sample], variants: int) -> None:
        """Chooses the scale of each channel once; the same for all who work on the folder."""
        about = self.folder / "frames.json"
        if not about.exists():
            chosen = samples[:: max(1, len(samples) // _MEASURED_CLIPS)][:_MEASURED_CLIPS]
            largest = torch.stack([frames.abs().amax(0) for frames, _ in self._encode(chosen, 0)]).amax(0)
            scale = (largest * _HEADROOM / 127).tolist()
            write_whole(about, json.dumps({"width": len(scale), "variants": variants, "scale": scale}))
        self.scale = torch.tensor(json.loads(about.read_text())["scale"])

    def write(self, samples: list[Sample], variant: int) -> bool:
        """All of one shard's clips → False when another process is at it, or it is done."""
        path = _file(self.folder, variant, samples[0].shard.stem)
        with held(path.with_suffix(".lock")) as mine:
            if not mine or path.with_suffix(".json").exists():
                return False
            places: dict[str, list[int]] = {}
            first = 0
            with path.open("wb") as out:
                for frames, about in self._encode(samples, variant):
                    values = (frames / self.scale).round().clamp(-127, 127).to(torch.int8)
                    out.write(values.numpy().tobytes())
                    places[about["id"]] = [first, len(values)]
                    first += len(values)
            # Last, since it is what says that the frames are whole.
            write_whole(path.with_suffix(".json"), json.dumps(places))
        return True

    @torch.no_grad()
    def _encode(self, samples: list[Sample], variant: int):  # noqa: ANN202
        clips = Clips(samples, Augmenter(AugmentationSettings(), 0.7), self.seed, 30.0)
        order = BatchesOfLikeLength([float(sample.about["seconds"]) for sample in samples], 80.0, self.seed)
        for numbers in order.whole_epoch(0):
            batch = join_clips([clips[variant, number] for number in numbers]).to(self.precision.device)
            log_mel = self.features(batch.samples, batch.lengths)
            frames, lengths = self.encoder(log_mel, batch.lengths // HOP)
            for row, (about, length) in enumerate(zip(batch.about, lengths.tolist(), strict=True)):
                yield frames[row, :length].float().cpu(), about


def _file(folder: Path, variant: int, shard: str) -> Path:
    return folder / f"variant-{variant}" / f"{shard}.frames"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--whisper", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variants", type=int, default=2, help="how often a clip is to sound different")
    parser.add_argument("--longest-seconds", type=float, default=16.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    store = Store(given.out, load_whisper_encoder(given.whisper), Precision("auto", torch.device("cpu")), given.seed)
    samples = read_index(given.data, lambda about: bool(about["spoken"]) and about["seconds"] <= given.longest_seconds)
    store.prepare(samples, given.variants)
    shards: dict[Path, list[Sample]] = {}
    for sample in samples:
        shards.setdefault(sample.shard, []).append(sample)
    for variant in range(given.variants):
        for number, ours in enumerate(shards.values()):
            if store.write(ours, variant):
                print(f"variant {variant}: {number + 1} of {len(shards)} shards", flush=True)


if __name__ == "__main__":
    main()
