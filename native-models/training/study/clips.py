"""The study's own clips, the same for all arms, and Whisper's frames of them, computed once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from parts.features import HOP, SAMPLE_RATE, LogMel
from parts.shards import Augment, BatchesOfLikeLength, ClipBatch, Clips, Sample, join_clips, read_index
from parts.whisper_encoder import load_whisper_encoder
from study.settings import StudySettings

_SPEECH = ("transcribe", "answer")
_ENCODED_AT_ONCE = 60.0
"""Seconds."""


def study_samples(settings: StudySettings) -> dict[str, list[Sample]]:
    """`speech`, `languages`, `sounds` to learn from; `held-out`, `answered`, `held-out-sounds` to be judged by.

    Which these are is decided once: shards that come later change nothing."""
    chosen = settings.work / "clips.json"
    index = read_index(settings.data, lambda about: about["seconds"] <= settings.longest_seconds)
    if not chosen.exists():
        settings.work.mkdir(parents=True, exist_ok=True)
        names = {kind: [s.about["id"] for s in samples] for kind, samples in _choose(settings, index).items()}
        chosen.write_text(json.dumps(names))
    by_id = {sample.about["id"]: sample for sample in index}
    return {kind: [by_id[name] for name in names] for kind, names in json.loads(chosen.read_text()).items()}


def _choose(settings: StudySettings, index: list[Sample]) -> dict[str, list[Sample]]:
    def drawn(sample: Sample) -> bytes:
        return hashlib.sha256(f"{settings.seed}/{sample.about['id']}".encode()).digest()

    index = sorted(index, key=drawn)

    def where(wanted: Callable[[dict[str, Any]], bool]) -> list[Sample]:
        return [sample for sample in index if wanted(sample.about)]

    def train(about: dict[str, Any]) -> bool:
        return about["split"] == "train"

    def speech(about: dict[str, Any]) -> bool:
        return about["task"] in _SPEECH and bool(about["spoken"]) and not about["question"]

    english = where(lambda a: speech(a) and train(a) and a["language"] == "en")
    others = where(lambda a: speech(a) and train(a) and a["language"] != "en")
    # Unknown texts in unknown voices.
    test = where(lambda a: speech(a) and a["split"] == "test" and a["language"] == "en")
    sounds = where(lambda a: bool(a["question"]) and not a["task"].startswith("voice"))
    return {
        "speech": _first_hours(english, settings.hours),
        "languages": _first_hours(others, settings.other_hours),
        "sounds": [s for s in sounds if s.about["split"] == "train"][: settings.sound_clips],
        "held-out": [s for s in test if len(s.about["text"].split()) > 2][: settings.held_out_clips],
        "answered": [s for s in test if s.about["response"]][: settings.answered_clips],
        "held-out-sounds": [s for s in sounds if s.about["split"] == "test"][: settings.answered_clips],
    }


def _first_hours(samples: list[Sample], hours: float) -> list[Sample]:
    ends = np.cumsum([sample.about["seconds"] for sample in samples]) / 3600
    return samples[: int(np.searchsorted(ends, hours)) + 1]


def hours_of(samples: list[Sample]) -> float:
    return sum(sample.about["seconds"] for sample in samples) / 3600


def transcribed(samples: list[Sample]) -> list[Sample]:
    """Without their replies: their words are asked for."""
    return [replace(sample, about=sample.about | {"response": ""}) for sample in samples]


class SilentClips(Clips):
    """As long as the clips, but nothing is read: their frames are known."""

    def __getitem__(self, place: tuple[int, int]) -> tuple[np.ndarray, dict[str, Any]]:
        about = self.samples[place[1]].about
        return np.zeros(round(about["seconds"] * SAMPLE_RATE), np.float32), about


MakeClips = Callable[[list[Sample], Augment | None, int, float], Clips]
"""`Clips`, `SilentClips` or what makes them of another sound."""


def batches_of(samples: list[Sample], seconds: float, clips: MakeClips = SilentClips) -> list[ClipBatch]:
    """All of them, in batches of like length, always alike."""
    if not samples:
        return []
    heard = clips(samples, None, 0, 1e4)
    order = BatchesOfLikeLength([float(sample.about["seconds"]) for sample in samples], seconds, 0)
    return [join_clips([heard[0, number] for number in batch]) for batch in order.whole_epoch(0)]


class KnownFrames(nn.Module):
    """Whisper's frames out of a file, in place of `WhisperFrames`: without augmentation, for clips known beforehand."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        index = json.loads(file.with_suffix(".json").read_text())
        self.places: dict[str, tuple[int, int]] = index["places"]
        self.width: int = index["width"]
        self.values = np.memmap(file, dtype=np.float16, mode="r").reshape(-1, self.width)

    def forward(self, batch: ClipBatch) -> tuple[Tensor, Tensor]:
        """→ (`[batch, frames, width]`, `[batch]`)."""
        rows = [self.of(about["id"]) for about in batch.about]
        return nn.utils.rnn.pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])

    def of(self, name: str) -> Tensor:
        start, count = self.places[name]
        return torch.from_numpy(self.values[start : start + count].astype(np.float32))


@torch.no_grad()
def known_frames(settings: StudySettings, samples: dict[str, list[Sample]], dtype: torch.dtype) -> KnownFrames:
    """Computed at the first call; an interrupted one begins anew."""
    file = settings.work / "frames.f16"
    if file.with_suffix(".json").exists():
        return KnownFrames(file)
    encoder = load_whisper_encoder(settings.encoder).to(dtype)
    features = LogMel(encoder.bands)
    every = {sample.about["id"]: sample for group in samples.values() for sample in group}
    places: dict[str, tuple[int, int]] = {}
    written = 0
    with file.open("wb") as out:
        for batch in batches_of(list(every.values()), _ENCODED_AT_ONCE, Clips):
            frames, lengths = encoder(features(batch.samples, batch.lengths), batch.lengths // HOP)
            for row, count, about in zip(frames, lengths.tolist(), batch.about, strict=True):
                out.write(row[:count].half().numpy().tobytes())
                places[about["id"]] = (written, count)
                written += count
    file.with_suffix(".json").write_text(json.dumps({"width": encoder.width, "places": places}))
    return KnownFrames(file)
