"""A model in PyTorch, asked what `parlance eval` asks the bundle that it is built into."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import DynamicCache

from data.voices.interface import SAMPLE_RATE, resample
from evaluation.results import Response, Result
from evaluation.suite import Item
from parts.answerer import Answerer
from parts.conversation import SoundPiece, TextPiece, collate
from parts.lora import discounted
from parts.shards import ClipBatch, join_clips


@dataclass(frozen=True)
class Turn:
    """What was said, as words or as sound `[samples]` at 16 kHz; and what was answered, but for the last."""

    said: str | np.ndarray
    answer: str | None = None


class Listener(Protocol):
    """Anything that is measured: other recipes' models need these three."""

    def transcribe(self, sound: np.ndarray) -> str: ...

    def answer(self, turns: Sequence[Turn], longest: int, published: bool) -> str:
        """`published`: by the LLM as it was before training."""
        ...

    def expectations(self, turns: Sequence[Turn], answer: str, published: bool) -> tuple[Tensor, Tensor]:
        """(logits `[tokens, vocabulary]` from which each token is chosen, the tokens)."""
        ...


class SpeechLlm:
    """A trained model, between an encoder and an LLM as published."""

    def __init__(self, model: Answerer, repetition_penalty: float = 1.0) -> None:
        self.model, self.penalty = model, repetition_penalty

    def transcribe(self, sound: np.ndarray) -> str:
        piece = self._hear(sound)
        seconds, vectors = len(sound) / SAMPLE_RATE, len(piece.vectors)
        # The app's own limit: far more tokens than this are a loop.
        longest = math.ceil(min(25 * seconds, max(2 * vectors, 8 * seconds))) + 16
        return self._write([self._prefix(), piece, self.model.transcribe], longest, 1.0)

    def answer(self, turns: Sequence[Turn], longest: int, published: bool) -> str:
        with discounted(self.model.llm, 0.0 if published else 1.0):
            return self._write(self._conversation(turns), longest, self.penalty)

    @torch.no_grad()
    def expectations(self, turns: Sequence[Turn], answer: str, published: bool) -> tuple[Tensor, Tensor]:
        ids = self.model.tokenizer.ids(answer)
        with discounted(self.model.llm, 0.0 if published else 1.0):
            batch = collate([[*self._conversation(turns), TextPiece(ids, True)]], self.model.reader.table)
            states = self.model.llm.model(inputs_embeds=batch.embeddings).last_hidden_state
            return self.model.llm.lm_head(states[batch.rows, batch.columns]).float(), batch.labels

    def _prefix(self) -> TextPiece:
        return TextPiece(self.model.tokenizer.ids(self.model.prompt.prefix))

    def _conversation(self, turns: Sequence[Turn]) -> list[TextPiece | SoundPiece]:
        prompt, ids = self.model.prompt, self.model.tokenizer.ids
        pieces: list[TextPiece | SoundPiece] = [self._prefix()]
        for turn in turns:
            pieces.append(TextPiece(ids(turn.said)) if isinstance(turn.said, str) else self._hear(turn.said))
            pieces.append(TextPiece(ids(prompt.assistant)))
            if turn.answer is not None:
                pieces += [TextPiece(ids(turn.answer)), TextPiece(ids(prompt.turn_end + prompt.user))]
        return pieces

    @torch.no_grad()
    def _hear(self, sound: np.ndarray) -> SoundPiece:
        batch: ClipBatch = join_clips([(sound.astype(np.float32), {})])
        return self.model.sounds(self.model.hearing(batch))[0]

    @torch.no_grad()
    def _write(self, pieces: Sequence[TextPiece | SoundPiece], longest: int, penalty: float) -> str:
        """Greedy; tokens that the answer has already are made less likely (Keskar et al. 2019, section 4.1)."""
        llm, table = self.model.llm, self.model.reader.table
        embeddings, cache = collate([pieces], table).embeddings, DynamicCache()
        written: list[int] = []
        while len(written) < longest:
            states = llm.model(inputs_embeds=embeddings, past_key_values=cache, use_cache=True).last_hidden_state
            logits = llm.lm_head(states[0, -1]).float()
            known = torch.tensor(sorted(set(written)), dtype=torch.long)
            logits[known] = torch.where(logits[known] > 0, logits[known] / penalty, logits[known] * penalty)
            token = int(logits.argmax())
            if token == self.model.tokenizer.end:
                break
            written.append(token)
            embeddings = table[torch.tensor([[token]])]
        return self.model.tokenizer.text(written).strip()


def run_item(listener: Listener, item: Item, longest: int) -> list[Result]:
    """By the speech LLM; a question also by the LLM given the written words, whose own reply is the reference
    response where the item has none (Fathullah et al. 2024, section 4.2)."""
    sound = read_sound(item.audio)
    transcript = listener.transcribe(sound)
    if not item.is_question:
        return [Result(item, "speech-llm", transcript)]
    spoken = [Turn(turn.text if turn.audio is None else read_sound(turn.audio), turn.answer) for turn in item.turns]
    spoken.append(Turn(sound))
    written = [*(Turn(turn.text, turn.answer) for turn in item.turns), Turn(item.text)]
    replies = [listener.answer(written, longest, True), listener.answer(spoken, longest, False)]
    response = item.response or replies[0]
    if not response:
        return [Result(item, "written", answer=""), Result(item, "speech-llm", transcript, replies[1])]
    expected, tokens = listener.expectations(written, response, True)
    found, _ = listener.expectations(spoken, response, False)
    log_expected, log_found = F.log_softmax(expected, -1), F.log_softmax(found, -1)
    divergence = float(F.kl_div(log_found, log_expected, log_target=True, reduction="sum"))
    return [
        Result(item, "written", None, replies[0], Response(len(tokens), _loss(log_expected, tokens), None)),
        Result(item, "speech-llm", transcript, replies[1], Response(len(tokens), _loss(log_found, tokens), divergence)),
    ]


def read_sound(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return resample(samples.mean(1), rate)


def _loss(log_probabilities: Tensor, tokens: Tensor) -> float:
    return -float(log_probabilities.gather(-1, tokens[:, None]).sum())
