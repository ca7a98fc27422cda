"""Turns of text and sound as the LLM reads them: embeddings, masks, and the places where its loss is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import DynamicCache, LlamaForCausalLM

from parts.language_model import ChatTokenizer


@dataclass(frozen=True)
class TextPiece:
    ids: list[int]
    supervised: bool = False
    """Whether the LLM is to learn to write it (what is masked: SiM, section 3.3)."""


@dataclass(frozen=True)
class SoundPiece:
    vectors: Tensor
    """`[tokens, hidden]`"""


Conversation = Sequence[TextPiece | SoundPiece]


@dataclass(frozen=True)
class Prompt:
    """A chat template's parts around what was heard; `tasks` are put behind the sound."""

    system: str
    tasks: dict[str, str]
    user: str = "<|im_start|>user\n"
    assistant: str = "<|im_end|>\n<|im_start|>assistant\n"
    turn_end: str = "<|im_end|>\n"
    opening: str = "<|im_start|>system\n{system}<|im_end|>\n"

    @property
    def prefix(self) -> str:
        """The same before every first turn."""
        return self.opening.format(system=self.system) + self.user


@dataclass(frozen=True)
class Batch:
    embeddings: Tensor
    """`[batch, longest, hidden]`, padded on the right."""
    mask: Tensor
    """`[batch, longest]`"""
    rows: Tensor
    columns: Tensor
    """Where, `[targets]`, the next token is to be `labels` `[targets]`."""
    labels: Tensor


def collate(conversations: Sequence[Conversation], table: Tensor) -> Batch:
    """Any order of text and sound; `table` `[vocabulary, hidden]` is the LLM's. Supervised text never comes first."""
    device = table.device
    sequences: list[Tensor] = []
    rows: list[int] = []
    columns: list[int] = []
    labels: list[int] = []
    for row, conversation in enumerate(conversations):
        parts: list[Tensor] = []
        length = 0
        for piece in conversation:
            if isinstance(piece, SoundPiece):
                parts.append(piece.vectors.to(table.dtype))
            else:
                parts.append(table[torch.tensor(piece.ids, dtype=torch.long, device=device)])
                if piece.supervised:
                    rows += [row] * len(piece.ids)
                    columns += range(length - 1, length - 1 + len(piece.ids))
                    labels += piece.ids
            length += len(parts[-1])
        sequences.append(torch.cat(parts))
    lengths = torch.tensor([len(sequence) for sequence in sequences], device=device)
    mask = torch.arange(int(lengths.max()), device=device)[None] < lengths[:, None]
    padded = nn.utils.rnn.pad_sequence(sequences, batch_first=True)
    places = (torch.tensor(values, dtype=torch.long, device=device) for values in (rows, columns, labels))
    return Batch(padded, mask, *places)


class Reader:
    """The LLM behind a prefix that all conversations share; its keys and values are computed once, and anew every
    `refresh` batches while LoRA changes what they are."""

    def __init__(self, llm: LlamaForCausalLM, tokenizer: ChatTokenizer, prefix: str, refresh: int = 20) -> None:
        self.llm, self.refresh = llm, refresh
        self.prefix = tokenizer.ids(prefix)
        self.known: dict[bool, list[tuple[Tensor, Tensor]]] = {}
        self.age = 0

    @property
    def table(self) -> Tensor:
        return self.llm.get_input_embeddings().weight

    def logits(self, batch: Batch, teacher: bool = False) -> Tensor:
        """Scores of the token at each target's place → `[targets, vocabulary]`. The teacher's prefix is kept apart:
        it is read without LoRA."""
        count, longest, _ = batch.embeddings.shape
        before = len(self.prefix)
        device = batch.embeddings.device
        mask = torch.cat([torch.ones(count, before, dtype=torch.bool, device=device), batch.mask], 1)
        states = self.llm.model(
            inputs_embeds=batch.embeddings,
            attention_mask=mask.long(),
            position_ids=torch.arange(before, before + longest, device=device)[None].expand(count, -1),
            past_key_values=self._cache(count, teacher),
            use_cache=True,
        ).last_hidden_state
        return self.llm.lm_head(states[batch.rows, batch.columns]).float()

    def _cache(self, count: int, teacher: bool) -> DynamicCache:
        self.age += not teacher
        if not teacher and self.age > self.refresh:
            self.known.pop(False, None)
        if teacher not in self.known:
            self.known[teacher] = self._read_prefix()
            self.age = self.age if teacher else 0
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(self.known[teacher]):
            cache.update(keys.expand(count, -1, -1, -1), values.expand(count, -1, -1, -1), layer)
        return cache

    @torch.no_grad()
    def _read_prefix(self) -> list[tuple[Tensor, Tensor]]:
        ids = torch.tensor([self.prefix], device=self.table.device)
        layers = self.llm.model(input_ids=ids, use_cache=True).past_key_values.layers
        return [(layer.keys, layer.values) for layer in layers]

    @torch.no_grad()
    def write(self, conversation: Conversation, end: int, most: int) -> list[int]:
        """The most likely tokens after one conversation, up to the end of the turn."""
        batch = collate([conversation], self.table)
        prefix = self.table[torch.tensor(self.prefix, device=self.table.device)][None]
        embeddings = torch.cat([prefix, batch.embeddings], 1)
        cache = DynamicCache()
        written: list[int] = []
        while len(written) < most:
            out = self.llm.model(inputs_embeds=embeddings, past_key_values=cache, use_cache=True)
            token = int(self.llm.lm_head(out.last_hidden_state[:, -1]).argmax())
            if token == end:
                break
            written.append(token)
            embeddings = self.table[torch.tensor([[token]], device=self.table.device)]
        return written
