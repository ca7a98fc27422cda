"""The LLM listening through an adaptor: it writes down what it hears, or answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from parts.conversation import Prompt, Reader, SoundPiece, TextPiece, collate
from parts.hearing import Hearing
from parts.language_model import ChatTokenizer
from parts.lora import add_lora, discounted
from parts.losses import cross_entropy, distillation
from parts.second_look import Looked
from parts.shards import ClipBatch
from parts.stack_conv_ctc import Heard


@dataclass(frozen=True)
class AnswerSettings:
    rank: int = 8
    alpha: float = 16
    longest_answer: int = 48
    """Tokens of a response that are compared."""


class Answerer(nn.Module):
    """The default adaptor, and the LLM with LoRA behind it."""

    def __init__(
        self, hearing: Hearing, llm: nn.Module, tokenizer: ChatTokenizer, prompt: Prompt, settings: AnswerSettings
    ) -> None:
        super().__init__()
        add_lora(llm, settings.rank, settings.alpha)
        self.hearing, self.llm, self.tokenizer = hearing, llm, tokenizer
        self.settings, self.prompt = settings, prompt
        self.reader = Reader(llm, tokenizer, prompt.prefix)
        self.assistant = TextPiece(tokenizer.ids(self.prompt.assistant))
        self.transcribe = TextPiece(tokenizer.ids(self.prompt.tasks["transcribe"] + self.prompt.assistant))

    def forward(self, batch: ClipBatch, answered: list[bool]) -> dict[str, tuple[Tensor, int]]:
        """Each loss summed over its targets, and how many there are."""
        heard = self.hearing(batch)
        sounds = self.sounds(heard)
        losses = {"ctc": self.hearing.ctc(heard, batch)}
        clips = list(zip(batch.about, sounds, answered, strict=True))
        if written := [(about, sound) for about, sound, answer in clips if not answer]:
            losses["transcript"] = self.transcription(written)
        if replied := [(about, sound) for about, sound, answer in clips if answer]:
            losses["answer"] = self.distillation(replied)
        return losses

    def sounds(self, heard: Heard | Looked) -> list[SoundPiece]:
        """The vectors that the LLM reads, about one a token."""
        return [SoundPiece(vectors) for vectors in self.hearing.adaptor.read(heard)]

    def transcription(self, clips: list[tuple[dict[str, Any], SoundPiece]]) -> tuple[Tensor, int]:
        texts = [[*self.tokenizer.ids(about["text"]), self.tokenizer.end] for about, _ in clips]
        joined = collate(
            [(sound, self.transcribe, TextPiece(ids, True)) for (_, sound), ids in zip(clips, texts, strict=True)],
            self.reader.table,
        )
        return cross_entropy(self.reader.logits(joined), joined.labels), len(joined.labels)

    def distillation(self, clips: list[tuple[dict[str, Any], SoundPiece]]) -> tuple[Tensor, int]:
        """To the LLM as published, given the same question in writing."""
        replies = [TextPiece(self.reply(about), True) for about, _ in clips]
        questions = [TextPiece(self.tokenizer.ids(about["text"])) for about, _ in clips]
        pairs = zip(clips, replies, strict=True)
        spoken = collate([(sound, self.assistant, reply) for (_, sound), reply in pairs], self.reader.table)
        written = [(question, self.assistant, reply) for question, reply in zip(questions, replies, strict=True)]
        with torch.no_grad(), discounted(self.llm, 0.0):
            expected = self.reader.logits(collate(written, self.reader.table), teacher=True)
        return distillation(self.reader.logits(spoken), expected), len(spoken.labels)

    def reply(self, about: dict[str, Any]) -> list[int]:
        return [*self.tokenizer.ids(about["response"]), self.tokenizer.end][: self.settings.longest_answer]


@torch.no_grad()
def answer_figures(answerer: Answerer, checks: list[ClipBatch]) -> dict[str, float]:
    """Nats a token of the held-out transcripts, and from the teacher on held-out answers."""
    answerer.eval()
    sums: dict[str, list[float]] = {"transcript": [0, 0], "answer": [0, 0]}
    for batch in checks:
        losses = answerer(batch, [bool(about["response"]) for about in batch.about])
        for name, total in sums.items():
            value, count = losses.get(name, (torch.zeros(()), 0))
            total[0] += float(value)
            total[1] += count
    answerer.train()
    return {name: value / count for name, (value, count) in sums.items() if count}
