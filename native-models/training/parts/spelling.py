"""The CTC head's classes: LLM tokens seen often enough to be learnt, and letters that spell everything else."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from parts.language_model import ChatTokenizer

_LONGEST_PIECE = 14
_LETTER_COUNT = 0.2
"""A letter counts less than the rarest piece: spelling is the last resort."""


def spoken_words(text: str) -> list[str]:
    """Lower-case words of letters and apostrophes; what has no sound of its own is dropped."""
    plain = text.lower().replace("’", "'")
    return [word for word in (w.strip("'") for w in re.findall(r"[a-z']+", plain)) if word]


@dataclass
class Spelling:
    """`tokens`: the LLM token of class i + 1; `costs`: how unlikely each of its pieces is, in nats."""

    tokens: list[int]
    pieces: dict[str, int]
    """A piece, with its space → its class, from 1."""
    costs: dict[str, float]
    words: dict[str, list[int]] = field(default_factory=dict)

    def classes(self, text: str) -> list[int]:
        return [label for word in spoken_words(text) for label in self.word(word)]

    def word(self, word: str) -> list[int]:
        if word not in self.words:
            self.words[word] = [self.pieces[piece] for piece in cheapest_split(f" {word}", self.costs)]
        return self.words[word]

    def text(self, classes: Iterable[int]) -> str:
        names = {number: piece for piece, number in self.pieces.items()}
        return "".join(names[number] for number in classes).strip()

    def save(self, path: Path) -> None:
        path.write_text(json.dumps({"tokens": self.tokens, "pieces": self.pieces, "costs": self.costs}))

    @staticmethod
    def load(path: Path) -> Spelling:
        return Spelling(**json.loads(path.read_text()))


def learn_spelling(
    texts: Iterable[str], tokenizer: ChatTokenizer, least_count: int, longest: int = _LONGEST_PIECE
) -> Spelling:
    """Counts pieces as the LLM itself cuts the words, then drops the rare ones and cuts anew, until all that stay are
    seen `least_count` times. Words whose own tokens all stay are cut as the LLM cuts them."""
    available = {piece: token for piece, token in tokenizer.pieces().items() if piece == piece.lower()}
    words = Counter(word for text in texts for word in spoken_words(text))
    names = {token: piece for piece, token in available.items()}
    letters = {piece for piece in available if len(piece.strip()) == 1}
    cuts = {word: [names.get(token, "") for token in tokenizer.ids(f" {word}")] for word in words}
    counts = _count(words, cuts)
    for share in (0.2, 0.5, 0.8, 1.0, 1.0):
        kept = {p: n for p, n in counts.items() if n >= least_count * share and p in available and len(p) <= longest}
        costs = piece_costs(kept, letters)
        cuts = {
            word: cut if all(piece in costs for piece in cut) else cheapest_split(f" {word}", costs)
            for word, cut in cuts.items()
        }
        counts = _count(words, cuts)
    pieces = sorted(costs, key=lambda piece: available[piece])
    numbers = {piece: place + 1 for place, piece in enumerate(pieces)}
    spelling = Spelling([available[piece] for piece in pieces], numbers, costs)
    spelling.words = {word: [numbers[piece] for piece in cut] for word, cut in cuts.items()}
    return spelling


def _count(words: Counter[str], cuts: dict[str, list[str]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for word, times in words.items():
        for piece in cuts[word]:
            counts[piece] += times
    return counts


def piece_costs(counts: dict[str, int], letters: set[str]) -> dict[str, float]:
    total = sum(counts.values()) + 1
    weights = dict.fromkeys(letters, _LETTER_COUNT) | {piece: float(count) for piece, count in counts.items()}
    return {piece: math.log(total / weight) for piece, weight in weights.items()}


def cheapest_split(word: str, costs: dict[str, float]) -> list[str]:
    """The pieces that cost least together; every letter is a piece, so there always are some."""
    best = [0.0] + [math.inf] * len(word)
    cut = [0] * (len(word) + 1)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - _LONGEST_PIECE - 1), end):
            cost = best[start] + costs.get(word[start:end], math.inf)
            if cost < best[end]:
                best[end], cut[end] = cost, start
    if math.isinf(best[-1]):
        raise ValueError(f"{word!r} has a letter that no piece spells")
    pieces: list[str] = []
    end = len(word)
    while end:
        pieces.append(word[cut[end] : end])
        end = cut[end]
    return pieces[::-1]
