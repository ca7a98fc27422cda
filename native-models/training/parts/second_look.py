"""The default adaptor: a CTC draft of what was said, and a second look at the sound with the draft at hand.

The draft finds where words are, and is cheap. Its tokens then go once, all at the same time, through Whisper's own
decoder, which looks at every frame: what it expects behind each of them is right far more often than the draft. LoRA
teaches it to read drafts, which are wrong in places. What it expects of the token that a frame belongs to, and of the
next, is put beside the frame as the draft heard it; blocks of attention weigh all of it, and say again by CTC what each
frame holds. Nothing is written word by word. What the LLM reads is the expected embedding: every class's own token
embedding, as much of each as is believed in.

The queries of a Q-Former (SALMONN, section 3.1) that know what they look for; compression by CTC as in AudioChatLlama;
a draft made better all at once as in Align-Refine (Chi et al. 2020), with a decoder trained for something else.
Tensors are named as `native-models/architectures/adaptors/second-look.ts` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from parts.ctc import new_labels
from parts.layers import RmsNorm, along, mixture
from parts.lora import ADDITIONS, add_low_rank, exported_addition
from parts.shared_spelling import SharedSpelling
from parts.stack_conv_ctc import Block, Heard, StackConvCtc, StackConvCtcSettings
from parts.whisper_decoder import WhisperDecoder
from parts.whisper_encoder import frame_mask


@dataclass(frozen=True)
class SecondLookSettings:
    draft: StackConvCtcSettings
    reading_blocks: int = 1
    blocks: int = 1
    context: int = 3
    wide: int = 768
    heads: int = 8
    longest_draft: int = 400
    """Tokens; Whisper's decoder has 448 positions."""
    looks: int = 2
    """What one says is looked at again: of a word of several tokens that the draft lacks, each adds some."""
    decoder_rank: int = 16
    """Of the LoRA on all of the decoder's linear layers."""
    decoder_alpha: float = 16
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
class Reading:
    """What was said last: by the draft, or by the look before."""

    tokens: Tensor
    """Whisper's `[batch, most]`."""
    believed: Tensor
    """Their expected embeddings `[batch, most, width]`, 0 behind a clip's last."""
    read: Tensor
    """How many of them are over at each frame `[batch, frames]`, one that begins there included."""


@dataclass(frozen=True)
class Looked:
    classes: Tensor
    """Scores `[batch, frames, classes]`, before the softmax over them."""
    blank: Tensor
    """log odds that a frame says nothing `[batch, frames]`."""
    lengths: Tensor
    """Frames of each clip `[batch]`."""
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
        self.heard = nn.Linear(width, width)
        self.expected_norm, self.believed_norm = RmsNorm(width), RmsNorm(width)
        self.expected_here, self.expected_next = (nn.Linear(width, width, bias=False) for _ in range(2))
        self.believed_here, self.believed_next = (nn.Linear(width, width, bias=False) for _ in range(2))
        self.reading = nn.ModuleList(Block(inner) for _ in range(settings.reading_blocks))
        self.blocks = nn.ModuleList(Block(inner) for _ in range(settings.blocks))
        self.norm = RmsNorm(width)
        self.out = nn.Linear(width, width)
        self.blank, self.trust = nn.Linear(width, 1), nn.Linear(width, 2)
        self.tau = nn.Parameter(torch.tensor(16.0))
        self.bias = nn.Parameter(torch.zeros(len(tokens)))
        self.decoder_lora = add_low_rank(decoder, settings.decoder_rank, settings.decoder_alpha)
        self.register_buffer("blank_offset", torch.tensor(0.0))
        self.register_buffer("steps", torch.tensor(0))
        with torch.no_grad():
            # Begins with what the draft says of each frame, weighed with what is expected there.
            nn.init.eye_(self.heard.weight)
            for first in (self.expected_here, self.expected_next, self.believed_here, self.believed_next, self.out):
                first.weight.mul_(0.1)
            for linear in (self.blank, self.trust):
                linear.weight.zero_()
            self.blank.bias.zero_()
            self.trust.bias.copy_(torch.tensor([0.5, -1.5]))
            for block in (*self.reading, *self.blocks):
                for last in (block.pw, block.w2, block.ao):
                    nn.init.normal_(last.weight, std=0.02)

    @property
    def decoder(self) -> WhisperDecoder:
        """In a list, so that its weights are neither saved nor counted as this module's."""
        return self._decoder[0]

    def forward(self, frames: Tensor, lengths: Tensor, sampled: Sampled | None = None) -> Looked:
        """`[batch, frames, encoder_width]`, `[batch]`."""
        heard = self.draft(frames, lengths)
        reading = self.read_draft(heard)
        looks = self.settings.looks
        if self.training:
            # One look learns from drafts and from its own answers, by turns, which all processes take alike.
            looks = 1 + int(self.steps) % looks
            self.steps += 1
        for _ in range(looks - 1):
            with torch.no_grad():
                # Among all classes, also while training among some.
                reading = self.read_look(self.look(frames, lengths, heard, reading))
        return self.look(frames, lengths, heard, reading, sampled)

    def look(
        self, frames: Tensor, lengths: Tensor, heard: Heard, reading: Reading, sampled: Sampled | None = None
    ) -> Looked:
        # A draft is trained as one alone: what a look would have of it makes it a worse one for a long time.
        hidden, directions = heard.hidden.detach(), heard.directions.detach()
        with torch.no_grad():
            drafted = self.draft.scores(heard)
            nothing = drafted[..., 0] - self.draft.blank_offset - drafted[..., 1:].logsumexp(-1)
        expected = self.expectations(reading.tokens, frames, lengths)
        # Place i lies behind token i: what is expected there comes next, what was expected a place before is here.
        normed, believed = self.expected_norm(expected), self.believed_norm(reading.believed)
        here = self.expected_here(normed[:, :-1]) + self.believed_here(believed)
        coming = self.expected_next(normed) + F.pad(self.believed_next(believed), (0, 0, 0, 1))
        places = coming + F.pad(here, (0, 0, 1, 0))
        told = frame_mask(reading.read[:, -1] + 1, places.shape[1])
        for block in self.reading:
            places = block(places, told, 0.0)
        x = self.heard(hidden) + along(places, reading.read)
        own = frame_mask(heard.lengths, x.shape[1])
        for block in self.blocks:
            x = block(x, own, 0.0)
        x = self.norm(x)
        chosen = slice(None) if sampled is None else sampled.classes
        prior = torch.logaddexp(
            F.linear(expected, self.words[chosen].to(expected.dtype)).float(),
            F.linear(expected, self.capitals[chosen].to(expected.dtype)).float(),
        ).log_softmax(-1)
        directions = F.normalize(directions + self.out(x).float(), dim=-1)
        classes = F.linear(directions.to(x.dtype), self.directions[chosen].to(x.dtype)).float() * self.tau
        trust = F.softplus(self.trust(x).float())
        for column, places in enumerate(((reading.read - 1).clamp(min=0), reading.read)):
            classes = classes + trust[..., column : column + 1] * along(prior, places)
        classes = classes + self.bias[chosen]
        if sampled is not None:
            classes = classes + sampled.offsets
        blank = nothing + self.blank(x)[..., 0].float()
        return Looked(classes, blank, heard.lengths, heard, sampled)

    @torch.no_grad()
    def read_draft(self, heard: Heard) -> Reading:
        labels, kept = self.draft.kept(heard)
        scores = self.draft.scores(heard)[..., 1:]
        return self._reading(labels, kept, scores, self.drafted)

    @torch.no_grad()
    def read_look(self, looked: Looked) -> Reading:
        labels, kept = self.kept(looked)
        return self._reading(labels, kept, looked.classes, self.tokens)

    def _reading(self, labels: Tensor, kept: Tensor, scores: Tensor, tokens: Tensor) -> Reading:
        """`tokens`: Whisper's, of the classes that are scored."""
        if self.training:
            kept = kept & (torch.rand(kept.shape, device=kept.device) > self.settings.corrupted / 2)
        kept = kept & (kept.cumsum(1) <= self.settings.longest_draft)
        count = kept.sum(-1)
        order = (~kept).to(torch.int8).argsort(dim=-1, stable=True)[:, : max(1, int(count.max()))]
        chosen, shares = labels.gather(1, order), F.softmax(along(scores, order), -1)
        if self.training:
            chosen, shares = self._mistake(chosen, shares)
        words = self.decoder.embed_tokens.weight[tokens]
        believed = mixture(shares, words) * frame_mask(count, order.shape[1])[..., None]
        return Reading(tokens[(chosen - 1).clamp(min=0)], believed, kept.cumsum(1))

    def _mistake(self, labels: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
        """Some of the tokens are others."""
        other = torch.rand(labels.shape, device=labels.device) < self.settings.corrupted / 2
        wrong = torch.randint(1, shares.shape[-1] + 1, labels.shape, device=labels.device)
        certain = torch.zeros_like(shares).scatter_(-1, wrong[..., None] - 1, 1.0)
        return torch.where(other, wrong, labels), torch.where(other[..., None], certain, shares)

    def expectations(self, tokens: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
        """What Whisper's decoder expects at the start and behind each token `[batch, 1 + tokens, width]`."""
        prefix = torch.tensor(self.settings.prefix, device=tokens.device).expand(len(tokens), -1)
        with torch.autocast(frames.device.type, enabled=False):
            states = self.decoder(torch.cat([prefix, tokens], 1), frames.to(self.decoder.dtype), lengths)
        # Whole in memory: products of a view would copy the token table for each clip.
        return states[:, prefix.shape[1] - 1 :].contiguous()

    def scores(self, looked: Looked) -> Tensor:
        """`[batch, frames, 1 + classes]`: whether a frame says nothing is asked apart from what it says."""
        return torch.cat([(looked.blank + looked.classes.logsumexp(-1))[..., None], looked.classes], -1)

    def labels(self, looked: Looked, blank_offset: Tensor | float) -> Tensor:
        """`[batch, frames]`: the likeliest class where something is said."""
        return torch.where(looked.blank < blank_offset, looked.classes.argmax(-1) + 1, 0)

    @torch.no_grad()
    def kept(self, looked: Looked) -> tuple[Tensor, Tensor]:
        """(labels `[batch, frames]`, whether a frame is kept): neither blank nor what the frame before it says."""
        labels = self.labels(looked, self.blank_offset)
        return labels, new_labels(labels, looked.lengths)

    def read(self, looked: Looked) -> list[Tensor]:
        """What the LLM reads of each clip `[tokens, llm_width]`; of one with nothing heard, its first frame."""
        _, kept = self.kept(looked)
        kept[:, 0] |= ~kept.any(-1)
        return list(self.vectors(looked.classes[kept]).split(kept.sum(-1).tolist()))

    def vectors(self, classes: Tensor) -> Tensor:
        """Scores `[…, classes]` → `[…, llm_width]`: what the LLM reads at a frame that is kept."""
        return F.softmax(classes, -1) @ self.llm

    def as_json(self) -> dict[str, Any]:
        """As the foundry reads it; classes are listed by Whisper's tokens, the draft's by their place among them."""
        settings = self.settings
        return {
            "draft": settings.draft.as_json(),
            "blocks": settings.blocks,
            "ctx": settings.context,
            "ff": settings.wide,
            "heads": settings.heads,
            "reading_blocks": settings.reading_blocks,
            "decoder_rank": settings.decoder_rank,
            "decoder_alpha": settings.decoder_alpha,
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
        additions = [key for key in state if key.startswith(ADDITIONS)]
        decoder = {exported_addition(key): state.pop(key) for key in additions}
        offset, _ = state.pop("adaptor.blank_offset"), state.pop("adaptor.steps")
        draft = {key.replace("adaptor.", "draft.", 1): value for key, value in self.draft.export_tensors().items()}
        draft["draft.bias"] = draft.pop("ctc.bias")
        return state | draft | decoder | {"adaptor.blank.bias": state["adaptor.blank.bias"] - offset}
