"""The LLM's own greedy reply to each transcript: the target of modality invariance (AudioChatLlama, section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from data.items import Text, read_lines, write_lines
from data.language_model import LanguageModel, conversation

BATCH = 64
MOST_TOKENS = 64


def respond(texts: Sequence[Text], model: LanguageModel, path: Path) -> None:
    """Writes {id, response} for each text, batch by batch beside `path`, so that a stopped run goes on."""
    finished = read_responses(path.with_suffix(".partial")) if path.with_suffix(".partial").exists() else {}
    # Texts of like length share a batch: less padding.
    waiting = sorted((t for t in texts if t.identifier not in finished), key=lambda text: len(text.text))
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        replies = model.complete([conversation(text.text) for text in batch], MOST_TOKENS, seed=None)
        finished |= {t.identifier: whole(*reply) for t, reply in zip(batch, replies, strict=True)}
        write_lines(path.with_suffix(".partial"), _rows(finished))
    write_lines(path, _rows(finished))
    path.with_suffix(".partial").unlink(missing_ok=True)


def whole(reply: str, ended: bool) -> str:
    """A reply that the limit cut off is kept up to its last whole sentence, if it has one."""
    if ended:
        return reply
    ends = [match.end() for match in re.finditer(r"[.?!](?=\s|$)", reply)]
    return reply[: ends[-1]] if ends else reply


def read_responses(path: Path) -> dict[str, str]:
    return {row["id"]: row["response"] for row in read_lines(path)} if path.exists() else {}


def _rows(replies: dict[str, str]) -> list[dict]:
    return [{"id": identifier, "response": replies[identifier]} for identifier in sorted(replies)]
