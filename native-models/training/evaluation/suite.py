"""Suites as `parlance eval` reads them: a JSON array of sounds and what is known of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class EarlierTurn:
    text: str
    answer: str
    audio: Path | None = None
    """None for a typed turn."""


@dataclass(frozen=True)
class Item:
    name: str
    audio: Path
    text: str
    language: str = "en"
    answers: list[str] = field(default_factory=list)
    response: str | None = None
    keep: list[str] = field(default_factory=list)
    turns: list[EarlierTurn] = field(default_factory=list)
    is_question: bool = False
    translation: str | None = None
    """Into English or another language: the text alone."""


def read_suite(path: Path) -> list[Item]:
    """Throws KeyError for an item without `audio` or `text`."""
    return [_item(item, path.parent) for item in json.loads(path.read_text(encoding="utf-8"))]


def _item(item: dict[str, Any], folder: Path) -> Item:
    translation = item.get("translation")
    turns = [
        EarlierTurn(turn["text"], turn["answer"], folder / turn["audio"] if "audio" in turn else None)
        for turn in item.get("turns", [])
    ]
    return Item(
        name=item.get("id", item["audio"]),
        audio=folder / item["audio"],
        text=item["text"],
        language=item.get("language", "en"),
        answers=item.get("answers", []),
        response=item.get("response"),
        keep=item.get("keep", []),
        turns=turns,
        is_question=item.get("question", "answers" in item or "response" in item),
        translation=translation["text"] if isinstance(translation, dict) else translation,
    )
