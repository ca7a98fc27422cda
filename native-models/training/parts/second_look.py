"""The default adaptor: a CTC draft of what was said, and a second look at the sound with the draft at hand.

The draft finds where words are, and is cheap. Its tokens then go once, all at the same time, through Whisper's own
decoder, which is frozen and looks at every frame: what it expects behind each of them is right far more often than the
draft. Blocks of attention weigh both, and say for each place what stands there. Nothing is written word by word. What
the LLM reads is the expected embedding: every class's own token embedding, as much of each as is believed in.

The queries of a Q-Former (SALMONN, section 3.1) that know what they look for; compression by CTC as in AudioChatLlama.
Tensors are named as `native-models/architectures/adaptors/second-look.ts` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from parts.ctc import best_labels, new_labels
from parts.layers import RmsNorm
from parts.shared_spelling import SharedSpelling
from parts.stack_conv_ctc import Block, Heard, StackConvCtc, StackConvCtcSettings
from parts.whisper_decoder import WhisperDecoder
from parts.whisper_encoder import frame_mask

SLOTS = 2
"""Answers for each place: one for the token there, one for a token that the draft left out before it."""


@dataclass(frozen=True)
class SecondLookSettings:
    draft: StackConvCtcSettings
    blocks: int = 2
    context: int = 1
    wide: int = 768
    heads: int = 8
    longest_draft: int = 400
    """Tokens; Whisper's decoder has 448 positions."""
    looks: int = 2
    """What one says is looked at again: of a word of several tokens that the draft lacks, each adds some."""
    prefix: tuple[int, ...] = (50258, 50259, 50359, 50363)
    """Whisper's tokens before a transcript: English, transcribe, no times."""
    corrupted: float = 0.06
    """Of a draft's tokens, when training: a draft of clips that it was trained with has too few errors."""


@dataclass(frozen=True)
class Sampled:
    """Classes that stand for all of them in one training step: those that are said in the batch, and some by chance."""

    classes: Tensor
    """Numbered from 0, in order."""
    offsets: Tensor
    """Added to the scores of those by chance, so that they weigh as much as all that were not drawn."""


@dataclass(frozen=True)
class Looked:
    scores: Tensor
    """`[batch, slots, 1 + classes]`, the blank first."""
    lengths: Tensor
    """Slots of each clip `[batch]`."""
    draft: Heard
    sampled: Sampled | None = None


class SecondLook(nn.Module):
    """`table` `[vocabulary, llm_width]`: the LLM's embeddings. `decoder` belongs to the encoder, and stays out."""

    def __init__(
        self, settings: SecondLookSettings, decoder: WhisperDecoder, spelling: SharedSpelling, table: Tensor
    ) -> None:
        super().__init__()
        self.settings, self.spelling = settings, spelling
        width = settings.draft.width
        words = decoder.embed_tokens.weight
        tokens = torch.tensor(spelling.whisper)
        drafted = torch.tensor(spelling.frequent) - 1
        self.draft = StackConvCtc(settings.draft, words[tokens[drafted]].float().clone())
        self._decoder = [decoder]
        buffers = {
            "tokens": tokens,
            "drafted": tokens[drafted],
            "words": words[tokens].float(),
            "capitals": words[torch.tensor(spelling.whisper_capital)].float(),
            "llm": table[torch.tensor(spelling.llm)].detach().float(),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value.clone(), persistent=False)
        self.register_buffer("directions", F.normalize(self.words, dim=-1), persistent=False)
        inner = StackConvCtcSettings(width=width, context=settings.context, wide=settings.wide, heads=settings.heads)
        self.expected_norm, self.soft_norm = RmsNorm(width), RmsNorm(width)
        self.expected, self.soft = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.blocks = nn.ModuleList(Block(inner) for _ in range(settings.blocks))
        self.norm = RmsNorm(width)
        self.out = nn.Linear(width, SLOTS * width)
        self.blank, self.trust = nn.Linear(width, SLOTS), nn.Linear(width, SLOTS)
        self.tau = nn.Parameter(torch.full((SLOTS,), 8.0))
        self.bias = nn.Parameter(torch.zeros(len(tokens)))
        self.register_buffer("blank_offset", torch.tensor(0.0))
        self.register_buffer("steps", torch.tensor(0))
        with torch.no_grad():
            # Begins with the draft's token at each place, where Whisper's decoder expects the same or has no opinion.
            self.expected.weight.mul_(0.1)
            nn.init.eye_(self.soft.weight)
            nn.init.eye_(self.out.weight[width:])
            self.blank.weight.zero_()
            self.blank.bias.copy_(torch.tensor([2.0, -3.0]))
            self.trust.weight.zero_()
            self.trust.bias.copy_(torch.tensor([0.2, 1.0]))
            for block in self.blocks:
                for last in (block.pw, block.w2, block.ao):
                    nn.init.normal_(last.weight, std=0.02)

    @property
    def decoder(self) -> WhisperDecoder:
        """In a list, so that its weights are neither saved nor counted as this module's."""
        return self._decoder[0]

    def forward(self, frames: Tensor, lengths: Tensor, sampled: Sampled | None = None) -> Looked:
        """`[batch, frames, encoder_width]`, `[batch]`."""
        heard = self.draft(frames, lengths)
        draft = self.read_draft(heard)
        looks = self.settings.looks
        if self.training:
            # One look learns from drafts and from its own answers, by turns, which all processes take alike.
            looks = 1 + int(self.steps) % looks
            self.steps += 1
        for _ in range(looks - 1):
            with torch.no_grad():
                # Among all classes, also while training among some.
                draft = self.read_look(*self.look(frames, lengths, *draft))
        scores, places = self.look(frames, lengths, *draft, sampled)
        return Looked(scores, SLOTS * places, heard, sampled)

    def look(
        self,
        frames: Tensor,
        lengths: Tensor,
        labels: Tensor,
        soft: Tensor,
        count: Tensor,
        sampled: Sampled | None = None,
    ) -> tuple[Tensor, Tensor]:
        """`labels` `[batch, tokens]` Whisper's tokens of a draft, of which `count` `[batch]` are a clip's own, `soft`
        `[batch, tokens, width]` their expected embeddings → (scores `[batch, 2 · places, 1 + classes]`, places).
        """
        expected = self.expectations(labels, frames, lengths)
        # Place i lies between token i and the next: what is expected behind the one, and the other as drafted. Behind a
        # clip's last token there is none, whatever the longest clip of the batch has there.
        drafted = self.soft(self.soft_norm(soft)) * frame_mask(count, soft.shape[1])[..., None]
        x = self.expected(self.expected_norm(expected)) + F.pad(drafted, (0, 0, 0, 1))
        places = frame_mask(count + 1, x.shape[1])
        for block in self.blocks:
            x = block(x, places, 0.0)
        x = self.norm(x)
        return self.slot_scores(x, expected, sampled), count + 1

    @torch.no_grad()
    def read_look(self, scores: Tensor, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `read_draft`, of what a look says."""
        labels = best_labels(scores, self.blank_offset)
        kept = new_labels(labels, SLOTS * places)
        order, count = self._first(kept)
        believed = mixture(F.softmax(along(scores, order)[..., 1:], -1), self.words, self.decoder.dtype)
        chosen = self.tokens[(labels.gather(1, order) - 1).clamp(min=0)]
        if self.training:
            order, count = self._lose(count, order.shape[1])
            chosen, believed = chosen.gather(1, order), along(believed, order)
        return chosen, believed, count

    @torch.no_grad()
    def read_draft(self, heard: Heard) -> tuple[Tensor, Tensor, Tensor]:
        """(Whisper's tokens `[batch, most]`, their expected embeddings `[batch, most, width]`, how many `[batch]`)."""
        scores = self.draft.scores(heard)
        labels, kept = self.draft.kept(heard)
        order, count = self._first(kept)
        chosen = labels.gather(1, order)
        believed = F.softmax(along(scores, order)[..., 1:], -1)
        if self.training:
            chosen, believed = self._mistake(chosen, believed)
            order, count = self._lose(count, order.shape[1])
            chosen, believed = chosen.gather(1, order), along(believed, order)
        words = self.decoder.embed_tokens.weight[self.drafted]
        return self.drafted[(chosen - 1).clamp(min=0)], mixture(believed, words, words.dtype), count

    def _first(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        """(places of what is kept, in order, `[batch, most]`, how many `[batch]`), up to the longest draft."""
        count = kept.sum(-1).clamp(max=self.settings.longest_draft)
        return (~kept).to(torch.int8).argsort(dim=-1, stable=True)[:, : max(1, int(count.max()))], count

    def _mistake(self, labels: Tensor, believed: Tensor) -> tuple[Tensor, Tensor]:
        """Some of the draft's tokens are others."""
        other = torch.rand(labels.shape, device=labels.device) < self.settings.corrupted / 2
        wrong = torch.randint(1, believed.shape[-1] + 1, labels.shape, device=labels.device)
        certain = F.one_hot(wrong - 1, believed.shape[-1]).to(believed.dtype)
        return torch.where(other, wrong, labels), torch.where(other[..., None], certain, believed)

    def _lose(self, count: Tensor, longest: int) -> tuple[Tensor, Tensor]:
        """Some tokens are lost → as `_first`, of those left."""
        chance = torch.rand(len(count), longest, device=count.device)
        return self._first(frame_mask(count, longest) & (chance > self.settings.corrupted / 2))

    @torch.no_grad()
    def expectations(self, tokens: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
        """What Whisper's decoder expects at the start and behind each token `[batch, 1 + tokens, width]`."""
        prefix = torch.tensor(self.settings.prefix, device=tokens.device).expand(len(tokens), -1)
        with torch.autocast(frames.device.type, enabled=False):
            states = self.decoder(torch.cat([prefix, tokens], 1), frames.to(self.decoder.dtype), lengths)
        # Whole in memory: products of a view would copy the token table for each clip.
        return states[:, prefix.shape[1] - 1 :].contiguous()

    def slot_scores(self, x: Tensor, expected: Tensor, sampled: Sampled | None) -> Tensor:
        """`[batch, places, width]`, `[batch, places, width]` → `[batch, 2 · places, 1 + classes]`."""
        chosen = slice(None) if sampled is None else sampled.classes
        with torch.no_grad():
            prior = torch.logaddexp(
                F.linear(expected, self.words[chosen].to(expected.dtype)).float(),
                F.linear(expected, self.capitals[chosen].to(expected.dtype)).float(),
            ).log_softmax(-1)
        directions = F.normalize(self.out(x).float().unflatten(-1, (SLOTS, -1)), dim=-1, eps=1e-6).to(x.dtype)
        cosines = F.linear(directions, self.directions[chosen].to(x.dtype)).float()
        trust = F.softplus(self.trust(x).float())[..., None]
        classes = cosines * self.tau[:, None] + trust * prior[:, :, None] + self.bias[chosen]
        if sampled is not None:
            classes = classes + sampled.offsets
        return torch.cat([self.blank(x).float()[..., None], classes], -1).flatten(1, 2)

    def scores(self, looked: Looked) -> Tensor:
        return looked.scores

    @torch.no_grad()
    def kept(self, looked: Looked) -> tuple[Tensor, Tensor]:
        """(labels `[batch, slots]`, whether a slot is kept): neither blank nor what the slot before it says."""
        labels = best_labels(looked.scores, self.blank_offset)
        return labels, new_labels(labels, looked.lengths)

    def read(self, looked: Looked) -> list[Tensor]:
        """What the LLM reads of each clip `[tokens, llm_width]`; of one with nothing heard, its first slot."""
        _, kept = self.kept(looked)
        kept[:, 0] |= ~kept.any(-1)
        return list(self.vectors(looked.scores[kept]).split(kept.sum(-1).tolist()))

    def vectors(self, scores: Tensor) -> Tensor:
        """`[…, 1 + classes]` → `[…, llm_width]`: what the LLM reads at a slot that is kept."""
        return F.softmax(scores[..., 1:], -1) @ self.llm

    def as_json(self) -> dict[str, Any]:
        """As the foundry reads it; classes are listed by Whisper's tokens, the draft's by their place among them."""
        settings = self.settings
        return {
            "draft": settings.draft.as_json(),
            "blocks": settings.blocks,
            "ctx": settings.context,
            "ff": settings.wide,
            "heads": settings.heads,
            "slots": SLOTS,
            "looks": settings.looks,
            "longest_draft": settings.longest_draft,
            "prefix": list(settings.prefix),
            "whisper": self.spelling.whisper,
            "whisper_capital": self.spelling.whisper_capital,
            "drafted": [number - 1 for number in self.spelling.frequent],
        }

    def export_tensors(self) -> dict[str, Tensor]:
        """As the foundry names them; what is taken off a blank's score is in its bias."""
        state = {f"adaptor.{key}": value for key, value in self.state_dict().items() if not key.startswith("draft.")}
        offset, _ = state.pop("adaptor.blank_offset"), state.pop("adaptor.steps")
        draft = {key.replace("adaptor.", "draft.", 1): value for key, value in self.draft.export_tensors().items()}
        draft["draft.bias"] = draft.pop("ctc.bias")
        return state | draft | {"adaptor.blank.bias": state["adaptor.blank.bias"] - offset}


def mixture(shares: Tensor, rows: Tensor, dtype: torch.dtype) -> Tensor:
    """`[batch, places, classes]` of `[classes, width]` → `[batch, places, width]`, as one product: many would copy the
    rows for each clip."""
    return (shares.flatten(0, 1).to(dtype) @ rows.to(dtype)).unflatten(0, shares.shape[:2])


def along(values: Tensor, order: Tensor) -> Tensor:
    """`[batch, places, width]` at `order` `[batch, most]`."""
    return values.gather(1, order[..., None].expand(-1, -1, values.shape[-1]))
