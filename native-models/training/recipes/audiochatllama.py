"""AudioChatLlama: a Conformer with CTC, n frames stacked, and an LLM that must not notice it is spoken to.

1. The Conformer alone, by CTC over letters (section 3.2). It is the only part that learns speech from nothing.
2. Modality invariance (section 3.3): the frozen LLM's own reply to the transcript is the target, given the sound;
   turns of sound and of text are mixed in one conversation, so that either may refer to the other.

    python -m recipes.audiochatllama --settings settings/audiochatllama.yaml --set adaptor.stack=3
"""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from parts.adaptors import AdaptorSettings, new_adaptor
from parts.checkpoints import load_trained, read_checkpoint, write_checkpoint
from parts.conformer import ConformerEncoder
from parts.conversation import Conversation, TextPiece, collate
from parts.ctc import fits, own_label_ctc
from parts.export import export_adaptor
from parts.filter_bank import filter_bank
from parts.listener import Listener, ListeningSettings, Turn, Workbench, prepare, train
from parts.losses import cross_entropy
from parts.run import Run, RunSettings
from parts.settings import from_command_line
from parts.shards import ClipBatch
from parts.spelling import spoken_words

LETTERS = [*string.ascii_lowercase, "'", " "]


@dataclass(frozen=True, kw_only=True)
class AudioChatLlamaSettings(ListeningSettings):
    recognition: RunSettings
    adaptor: AdaptorSettings = field(default_factory=lambda: AdaptorSettings("stack", stack=2))
    width: int = 256
    layers: int = 8
    channels: int = 64
    mixed_share: float = 0.3
    """Of the clips, those heard behind an earlier turn in writing."""


class FilterBankFrames(nn.Module):
    """Sound → (`[batch, frames of 80 ms, width]`, `[batch]`)."""

    def __init__(self, encoder: ConformerEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, batch: ClipBatch) -> tuple[Tensor, Tensor]:
        banks = [filter_bank(row[:n]) for row, n in zip(batch.samples, batch.lengths.tolist(), strict=True)]
        counts = torch.tensor([len(bank) for bank in banks], device=batch.samples.device)
        return self.encoder(nn.utils.rnn.pad_sequence(banks, batch_first=True), counts)


class LetterLoss(nn.Module):
    def __init__(self, frames: FilterBankFrames) -> None:
        super().__init__()
        self.frames = frames

    def forward(self, batch: ClipBatch) -> tuple[Tensor, int]:
        x, lengths = self.frames(batch)
        targets = [letters(about["spoken"]) for about in batch.about]
        rows = [row for row, target in enumerate(targets) if fits(target, int(lengths[row]))]
        scores = self.frames.encoder.ctc(x)
        if not rows:
            return scores.sum() * 0, 0
        chosen = [targets[row] for row in rows]
        return own_label_ctc(scores[rows], lengths[rows], chosen), sum(map(len, chosen))


def letters(text: str) -> list[int]:
    """Labels from 1."""
    return [LETTERS.index(letter) + 1 for letter in " ".join(spoken_words(text))]


class MixedTurns(Listener):
    """Some clips follow an earlier turn in writing: another clip's words, and the reply to them."""

    mixed_share: float = 0.0

    def forward(self, batch: ClipBatch, turns: Sequence[Turn]) -> tuple[Tensor, int]:
        answered = [about for about in batch.about if about["response"]]
        conversations = [
            [*self.earlier(answered), *self.conversation(sound, turn)]
            for sound, turn in zip(self.sounds(batch), turns, strict=True)
        ]
        joined = collate(conversations, self.reader.table)
        return cross_entropy(self.reader.logits(joined), joined.labels), len(joined.labels)

    def earlier(self, answered: list[dict[str, Any]]) -> Conversation:
        if not answered or random.random() >= self.mixed_share:
            return []
        about = random.choice(answered)
        written = about["text"] + self.prompt.assistant + about["response"] + self.prompt.turn_end + self.prompt.user
        return [TextPiece(self.tokenizer.ids(written))]


def main() -> None:
    settings = from_command_line(AudioChatLlamaSettings, "Trains a Conformer, then the LLM's view of it.")
    bench = prepare(settings)
    frames = new_frames(settings)
    recognise(settings, bench, frames)
    listener = new_listener(settings, bench, frames)
    train(settings, bench, listener, lambda about: reply_or_words(settings, about), "invariance")
    if bench.processes.first:
        export_adaptor(settings.out / "export", listener.adaptor.state_dict(), settings.adaptor.recipe())
        folder = settings.out / "export" / "encoder"
        export_adaptor(folder, frames.encoder.state_dict(), {"mels": 80})
        (folder / "adaptor.safetensors").replace(folder / "model.safetensors")
        (folder / "adaptor.json").replace(folder / "config.json")
    bench.processes.close()


def new_frames(settings: AudioChatLlamaSettings) -> FilterBankFrames:
    labels = len(LETTERS) + 1
    return FilterBankFrames(ConformerEncoder(settings.width, settings.layers, labels, channels=settings.channels))


def new_listener(settings: AudioChatLlamaSettings, bench: Workbench, frames: FilterBankFrames) -> MixedTurns:
    """Behind a Conformer that recognises: its letters are done with, the rest is trained on."""
    frames.encoder.ctc.requires_grad_(False)
    llm = bench.llm.to(bench.precision.dtype)
    adaptor = new_adaptor(settings.adaptor, settings.width, llm.config.hidden_size, bench.embedding_norm)
    listener = MixedTurns(frames, adaptor, llm, bench.tokenizer, settings.prompt)
    listener.mixed_share = settings.mixed_share
    return listener


def reply_or_words(settings: AudioChatLlamaSettings, about: dict[str, Any]) -> Turn:
    """A clip without a reply gives none to learn from; its words are asked for."""
    if about["response"]:
        return Turn("", about["response"])
    return Turn(settings.prompt.tasks["transcribe"], about["text"])


def recognise(settings: AudioChatLlamaSettings, bench: Workbench, frames: FilterBankFrames) -> None:
    finished = settings.out / "recognition.pt"
    if (done := read_checkpoint(finished)) is not None:
        load_trained(frames, done)
        return
    folder = settings.out / "recognition"
    run = Run(folder, LetterLoss(frames), bench.clips, settings.recognition, bench.processes, bench.precision)
    run.descend("ctc")
    if bench.processes.first:
        write_checkpoint(finished, frames.state_dict())


if __name__ == "__main__":
    main()
