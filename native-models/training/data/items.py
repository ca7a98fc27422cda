"""What a text is before it is spoken, and the seeds everything is drawn from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Text:
    """A sentence with all that its sample will say about it."""

    text: str
    """As a person would write it: cased, punctuated, numbers in digits."""
    said: str
    """As it is given to a synthesiser: the same sentence with numbers, dates and units in words."""
    language: str
    task: str
    """`transcribe`: a sentence to be heard; `answer`: a question or command whose reply is the target."""
    source: str
    licence: str

    @property
    def identifier(self) -> str:
        return hashlib.sha256(f"{self.language}|{self.text}".encode()).hexdigest()[:12]

    @property
    def split(self) -> str:
        """`held-out` for two texts in a hundred, chosen by the text itself, so that no build moves them."""
        return "held-out" if int(self.identifier[:6], 16) % 50 == 0 else "train"


def generator_for(*parts: object) -> np.random.Generator:
    """The one source of randomness: a generator that depends on the named parts and on nothing else."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def write_lines(path: Path, rows: Iterable[dict]) -> None:
    """Writes JSON lines whole or not at all, so that a file that exists is a file that is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    partial.replace(path)


def read_lines(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def write_texts(path: Path, texts: Iterable[Text]) -> None:
    write_lines(path, (asdict(text) for text in texts))


def read_texts(path: Path) -> list[Text]:
    return [Text(**row) for row in read_lines(path)]
