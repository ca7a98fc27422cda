"""Any encoder, any adaptor, and an LLM that is taught to write what is asked for: the papers' common shape."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from data.augmentation import AugmentationSettings
from parts.augmenting import Augmenter
from parts.checkpoints import seed_everything
from parts.conversation import Conversation, Prompt, Reader, SoundPiece, TextPiece, collate
from parts.distributed import Processes
from parts.features import HOP, LogMel
from parts.held_out import held_out_batches
from parts.language_model import ChatTokenizer, load_language_model, load_tokenizer
from parts.losses import cross_entropy
from parts.masking import MaskingSettings, mask_features
from parts.precision import Precision
from parts.run import Run, RunSettings
from parts.shards import ClipBatch, Clips, Sample, join_clips, read_index
from parts.whisper_encoder import WhisperEncoder, load_whisper_encoder


@dataclass(frozen=True)
class ListeningSettings:
    """What all recipes ask for."""

    data: Path
    encoder: Path
    llm: Path
    out: Path
    run: RunSettings
    tasks: dict[str, float]
    """A task, or the beginning of its name → the share of its clips that are used."""
    prompt: Prompt
    languages: list[str] = field(default_factory=lambda: ["en"])
    masking: MaskingSettings = field(default_factory=MaskingSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    augmented_share: float = 0.5
    longest_seconds: float = 16.0
    held_out_clips: int = 64
    precision: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class Turn:
    """What is asked of a sound, and what is to be written."""

    instruction: str
    answer: str


def turn_of(about: dict[str, Any], transcribe: str) -> Turn:
    """A question about the sound, an answer to what it says, or else its words."""
    if about["question"]:
        return Turn(f"\n{about['question']}", about["response"])
    if about["response"]:
        return Turn("", about["response"])
    return Turn(transcribe, about["text"])


class WhisperFrames(nn.Module):
    """Sound → (`[batch, frames, width]`, `[batch]`); SpecAugment while training."""

    def __init__(self, encoder: WhisperEncoder, masking: MaskingSettings) -> None:
        super().__init__()
        self.features, self.encoder, self.masking = LogMel(encoder.bands), encoder, masking

    def forward(self, batch: ClipBatch) -> tuple[Tensor, Tensor]:
        log_mel, frames = self.features(batch.samples, batch.lengths), batch.lengths // HOP
        if self.training:
            log_mel = mask_features(log_mel, frames, self.masking)
        return self.encoder(log_mel, frames)


class Listener(nn.Module):
    """`supervised`: `response`, or `text` for all that is written behind the sound (SiM, section 3.3)."""

    def __init__(
        self,
        frames: nn.Module,
        adaptor: nn.Module,
        llm: nn.Module,
        tokenizer: ChatTokenizer,
        prompt: Prompt,
        supervised: str = "response",
    ) -> None:
        super().__init__()
        self.frames, self.adaptor, self.llm = frames, adaptor, llm
        self.tokenizer, self.prompt = tokenizer, prompt
        self.reader = Reader(llm, tokenizer, prompt.prefix)
        self.all_text = supervised == "text"

    def sounds(self, batch: ClipBatch) -> list[SoundPiece]:
        vectors, lengths = self.adaptor(*self.frames(batch))
        return [SoundPiece(row[: max(1, int(n))]) for row, n in zip(vectors, lengths, strict=True)]

    def conversation(self, sound: SoundPiece, turn: Turn) -> Conversation:
        asked = self.tokenizer.ids(turn.instruction + self.prompt.assistant)
        written = [*self.tokenizer.ids(turn.answer), self.tokenizer.end]
        return [sound, TextPiece(asked, self.all_text), TextPiece(written, True)]

    def forward(self, batch: ClipBatch, turns: Sequence[Turn]) -> tuple[Tensor, int]:
        """(−log p of what is to be written, its tokens)."""
        pairs = zip(self.sounds(batch), turns, strict=True)
        joined = collate([self.conversation(sound, turn) for sound, turn in pairs], self.reader.table)
        return cross_entropy(self.reader.logits(joined), joined.labels), len(joined.labels)


@dataclass(frozen=True)
class Workbench:
    """All that stands ready before a recipe's own lines begin."""

    clips: Clips
    checks: list[ClipBatch]
    encoder: WhisperEncoder
    llm: nn.Module
    tokenizer: ChatTokenizer
    processes: Processes
    precision: Precision

    def clips_alone(self, number: int) -> ClipBatch:
        """One clip of the first epoch."""
        return join_clips([self.clips[0, number]]).to(self.processes.device)

    @property
    def embedding_norm(self) -> float:
        """Mean length of the LLM's token embeddings."""
        return float(self.llm.get_input_embeddings().weight.float().norm(dim=-1).mean())


def prepare(settings: ListeningSettings) -> Workbench:
    processes = Processes()
    seed_everything(settings.seed)
    samples = read_index(settings.data, lambda about: _wanted(about, settings))
    train: list[Sample] = [sample for sample in samples if sample.about["split"] == "train"]
    held_out = [sample for sample in samples if sample.about["split"] != "train"] or train
    augment = Augmenter(settings.augmentation, settings.augmented_share)
    return Workbench(
        Clips(train, augment, settings.seed, settings.longest_seconds),
        held_out_batches(held_out, settings.held_out_clips, settings.longest_seconds, processes),
        load_whisper_encoder(settings.encoder),
        load_language_model(settings.llm),
        load_tokenizer(settings.llm),
        processes,
        Precision(settings.precision, processes.device),
    )


def _wanted(about: dict[str, Any], settings: ListeningSettings) -> bool:
    shares = [share for task, share in settings.tasks.items() if about["task"].startswith(task)]
    language = not about["spoken"] or about["language"] in settings.languages
    drawn = random.Random(f"{settings.seed}/{about['id']}").random() < max(shares, default=0.0)
    return drawn and language and about["seconds"] <= settings.longest_seconds


def train(
    settings: ListeningSettings,
    bench: Workbench,
    listener: nn.Module,
    turn: Callable[[dict[str, Any]], Turn],
    name: str = "run",
    run_settings: RunSettings | None = None,
) -> None:
    """One schedule of cross-entropy over whatever of the listener has a gradient."""
    run = Run(
        settings.out / name, listener, bench.clips, run_settings or settings.run, bench.processes, bench.precision
    )
    for batch in run.batches():
        with bench.precision.autocast():
            total, tokens = run.model(batch, [turn(about) for about in batch.about])
        loss = bench.processes.share(total, tokens)
        run.update(loss, len(batch.about), loss=total.item() / max(1, tokens))
        if run.checks:
            run.log.figures("held-out", run.step, loss=held_out_loss(bench, listener, turn))
    run.log.figures("held-out", run.step, loss=held_out_loss(bench, listener, turn))
    run.log.close()


@torch.no_grad()
def held_out_loss(bench: Workbench, listener: nn.Module, turn: Callable[[dict[str, Any]], Turn]) -> float:
    """Nats a token."""
    listener.eval()
    total, count = 0.0, 0
    with bench.precision.autocast():
        for batch in bench.checks:
            loss, tokens = listener(batch, [turn(about) for about in batch.about])
            total, count = total + loss.item(), count + tokens
    listener.train()
    return total / max(1, count)
