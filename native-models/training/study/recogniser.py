"""Whisper writing down what it hears, as the cascade's first half does: greedy, 30 s padded, in English."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from parts.features import HOP, SAMPLE_RATE, LogMel
from parts.second_look import SecondLookSettings
from parts.whisper_decoder import load_whisper_decoder
from parts.whisper_encoder import load_whisper_encoder

_WINDOW = 30 * SAMPLE_RATE
_LONGEST = 60


class Recogniser:
    """`weights`: encoder and decoder; `tokenizer`: Whisper's `tokenizer.json`."""

    def __init__(
        self,
        weights: Path,
        tokenizer: Path,
        dtype: torch.dtype,
        prefix: Sequence[int] = SecondLookSettings.prefix,
        end: int = 50257,
    ) -> None:
        """`prefix`: language, task, and that no timestamps are wanted; `end`: the first token that is no text."""
        self.encoder = load_whisper_encoder(weights).to(dtype)
        self.decoder = load_whisper_decoder(weights).to(dtype)
        self.features = LogMel(self.encoder.bands)
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.prefix, self.end = list(prefix), end

    @torch.no_grad()
    def transcribe(self, sounds: Sequence[np.ndarray]) -> list[str]:
        """All at once; each at most 30 s."""
        samples = torch.zeros(len(sounds), _WINDOW)
        for row, sound in enumerate(sounds):
            samples[row, : len(sound)] = torch.from_numpy(sound[:_WINDOW])
        whole = torch.full((len(sounds),), _WINDOW)
        frames, lengths = self.encoder(self.features(samples, whole), whole // HOP)
        ids = torch.tensor([self.prefix] * len(sounds))
        ended = torch.zeros(len(sounds), dtype=torch.bool)
        while ids.shape[1] < _LONGEST and not ended.all():
            states = self.decoder(ids, frames, lengths)[:, -1]
            scores = (states @ self.decoder.embed_tokens.weight.T).float()
            scores[:, self.end + 1 :] = -torch.inf
            best = scores.argmax(-1).masked_fill(ended, self.end)
            ended |= best == self.end
            ids = torch.cat([ids, best[:, None]], 1)
        written = [[token for token in row[len(self.prefix) :] if token < self.end] for row in ids.tolist()]
        return [self.tokenizer.decode(row).strip() for row in written]
