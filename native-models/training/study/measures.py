"""What an arm is judged by. At this scale free transcripts are mostly wrong and say little; how well each next word is
expected, with the right words before it, tells arms apart long before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from evaluation.metrics import error_rate, word_edits
from parts.conversation import Conversation, Reader, SoundPiece, TextPiece, collate
from parts.listener import Listener, Turn
from parts.shards import Sample
from study.clips import MakeClips, SilentClips, batches_of
from study.shared import Shared

Asked = Callable[[dict[str, Any]], Turn]


@dataclass
class Heard:
    """Sums over what was to be written."""

    nats: float = 0.0
    right: int = 0
    tokens: int = 0

    def add(self, scores: Tensor, labels: Tensor) -> None:
        """`[targets, vocabulary]`, `[targets]`"""
        self.nats += float(torch.nn.functional.cross_entropy(scores, labels, reduction="sum"))
        self.right += int((scores.argmax(-1) == labels).sum())
        self.tokens += len(labels)

    def figures(self, what: str) -> dict[str, float]:
        count = max(1, self.tokens)
        return {f"{what}_nats": self.nats / count, f"{what}_right": self.right / count, f"{what}_tokens": self.tokens}


@torch.no_grad()
def heard(
    shared: Shared, listener: Listener, samples: Sequence[Sample], asked: Asked, clips: MakeClips = SilentClips
) -> Heard:
    """Nats a token and the share of tokens that are the likeliest, given the sound and the right words before."""
    listener.eval()
    listener.reader.known.clear()
    found = Heard()
    with shared.precision.autocast():
        for batch in batches_of(list(samples), shared.settings.batch_seconds, clips):
            sounds = listener.sounds(batch)
            _judge(
                listener, [listener.conversation(s, asked(a)) for s, a in zip(sounds, batch.about, strict=True)], found
            )
    listener.reader.known.clear()
    return found


@torch.no_grad()
def read(
    shared: Shared, listener: Listener, samples: Sequence[Sample], asked: Asked, text: Callable[[str], str]
) -> Heard:
    """The same given writing in the sound's place: `text` of the clip's words, which may be nothing at all."""
    listener.eval()
    listener.reader.known.clear()
    found = Heard()
    with shared.precision.autocast():
        for start in range(0, len(samples), 16):
            abouts = [sample.about for sample in samples[start : start + 16]]
            _judge(listener, [written(listener, text(about["text"]), asked(about)) for about in abouts], found)
    listener.reader.known.clear()
    return found


def written(listener: Listener, text: str, turn: Turn) -> Conversation:
    ids = listener.tokenizer.ids
    answer = TextPiece([*ids(turn.answer), listener.tokenizer.end], True)
    return [TextPiece(ids(text)), TextPiece(ids(turn.instruction + listener.prompt.assistant)), answer]


def _judge(listener: Listener, conversations: Sequence[Conversation], found: Heard) -> None:
    joined = collate(conversations, listener.reader.table)
    # The end of the turn is no word.
    words = joined.labels != listener.tokenizer.end
    found.add(listener.reader.logits(joined)[words], joined.labels[words])


@torch.no_grad()
def written_down(
    shared: Shared, listener: Listener, samples: Sequence[Sample], clips: MakeClips = SilentClips
) -> dict[str, float]:
    """Word error rate of what the LLM writes by itself."""
    texts = free_texts(shared, listener, samples, listener.prompt.tasks["transcribe"], clips)
    return {"wer": english_errors(samples, [texts[sample.about["id"]] for sample in samples])}


def english_errors(samples: Sequence[Sample], texts: Sequence[str]) -> float:
    """Word error rate in per cent over all together, as docs/measuring.md defines it."""
    rate = error_rate(word_edits(sample.about["text"], text, "en") for sample, text in zip(samples, texts, strict=True))
    return 100 * (rate or 0.0)


@torch.no_grad()
def free_texts(
    shared: Shared,
    listener: Listener,
    samples: Sequence[Sample],
    instruction: str,
    clips: MakeClips = SilentClips,
    most: int = 40,
) -> dict[str, str]:
    """What the LLM writes, greedily, at most `most` tokens → by the clip's id."""
    listener.eval()
    texts: dict[str, str] = {}
    with shared.precision.autocast():
        for batch in batches_of(list(samples), shared.settings.batch_seconds, clips):
            for about, sound in zip(batch.about, listener.sounds(batch), strict=True):
                texts[about["id"]] = free_text(listener, [sound], instruction, most)
    return texts


def free_text(listener: Listener, said: list[SoundPiece | TextPiece], instruction: str, most: int) -> str:
    reader: Reader = listener.reader
    asked = TextPiece(listener.tokenizer.ids(instruction + listener.prompt.assistant))
    return listener.tokenizer.text(reader.write([*said, asked], listener.tokenizer.end, most)).strip()
