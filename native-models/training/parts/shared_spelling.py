"""Tokens that Whisper and the LLM both have: what the one scores, the other reads, without text in between."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

from data.files import write_whole
from parts.language_model import ChatTokenizer
from parts.spelling import cheapest_split, piece_costs, spoken_words

_LONGEST_PIECE = 14


@dataclass
class SharedSpelling:
    """Classes are numbered from 1; lists are by class, without the blank."""

    pieces: list[str]
    whisper: list[int]
    """Whisper's token."""
    whisper_capital: list[int]
    """Whisper's token of the same piece as a sentence begins with it; the token itself where there is none."""
    llm: list[int]
    """The LLM's token."""
    frequent: list[int]
    """The classes that the draft has, in order; its own are numbered from 1 anew."""
    costs: dict[str, float]
    """Of the frequent pieces, in nats."""
    cuts: dict[str, list[str]]
    """Words as Whisper cuts them."""
    _numbers: dict[str, int] = field(default_factory=dict, repr=False)
    _drafted: dict[str, int] = field(default_factory=dict, repr=False)
    _spelt: dict[str, list[str]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._numbers = {piece: place + 1 for place, piece in enumerate(self.pieces)}
        self._drafted = {self.pieces[number - 1]: place + 1 for place, number in enumerate(self.frequent)}

    def classes(self, text: str) -> list[int]:
        """As Whisper cuts the words; those it never saw here are spelt."""
        words = spoken_words(text)
        return [self._numbers[piece] for word in words for piece in self.cuts.get(word) or self.spelt(word)]

    def draft_classes(self, text: str) -> list[int]:
        """Words that hold a rare piece are spelt with frequent ones."""
        labels: list[int] = []
        for word in spoken_words(text):
            cut = self.cuts.get(word, [])
            known = bool(cut) and all(piece in self._drafted for piece in cut)
            labels += [self._drafted[piece] for piece in (cut if known else self.spelt(word))]
        return labels

    def spelt(self, word: str) -> list[str]:
        if word not in self._spelt:
            self._spelt[word] = cheapest_split(f" {word}", self.costs)
        return self._spelt[word]

    def text(self, classes: Iterable[int]) -> str:
        return "".join(self.pieces[number - 1] for number in classes).strip()

    def draft_text(self, classes: Iterable[int]) -> str:
        return self.text(self.frequent[number - 1] for number in classes)

    @property
    def draft(self) -> DraftSpelling:
        return DraftSpelling(self)

    def save(self, path: Path) -> None:
        names = ("pieces", "whisper", "whisper_capital", "llm", "frequent", "costs", "cuts")
        write_whole(path, json.dumps({name: getattr(self, name) for name in names}))

    @staticmethod
    def load(path: Path) -> SharedSpelling:
        return SharedSpelling(**json.loads(path.read_text()))


@dataclass(frozen=True)
class DraftSpelling:
    """The same words in the draft's own classes."""

    shared: SharedSpelling

    def classes(self, text: str) -> list[int]:
        return self.shared.draft_classes(text)

    def text(self, classes: Iterable[int]) -> str:
        return self.shared.draft_text(classes)


def whisper_tokenizer(path: Path) -> ChatTokenizer:
    """Whisper's `tokenizer.json`. Files in use lack the first of all merges, the space with a t, since a reader took
    that line for a heading: without it Whisper would never write " the" as it does."""
    about = json.loads(path.read_text(encoding="utf-8"))
    merges = about["model"]["merges"]
    pairs = merges and isinstance(merges[0], list)
    first = ["Ġ", "t"] if pairs else "Ġ t"
    if "Ġt" in about["model"]["vocab"] and first not in merges:
        merges.insert(0, first)
    tokenizer = Tokenizer.from_str(json.dumps(about))
    return ChatTokenizer(tokenizer, tokenizer.token_to_id("<|endoftext|>"))


def learn_shared_spelling(
    texts: Iterable[str], whisper: ChatTokenizer, llm: ChatTokenizer, least_count: int
) -> SharedSpelling:
    """Counts the pieces that Whisper writes the words with; the draft's are those seen `least_count` times."""
    theirs, ours = whisper.pieces(), llm.pieces()
    shared = {piece for piece in theirs if piece in ours and len(piece) <= _LONGEST_PIECE}
    names = {number: piece for piece, number in theirs.items()}
    words = Counter(word for text in texts for word in spoken_words(text))
    cuts: dict[str, list[str]] = {}
    for word in words:
        forms = (word.capitalize(), word) if word.split("'")[0] == "i" else (word, word.capitalize())
        options = [[names.get(number, "") for number in whisper.ids(f" {form}")] for form in forms]
        whole = [option for option in options if all(piece in shared for piece in option)]
        if whole:
            # A name is one token only with its capital; at equal length the small letter is the likelier.
            cuts[word] = min(whole, key=len)
    letters = {piece for piece in shared if len(piece.strip()) == 1 and piece == piece.lower()}
    counts: Counter[str] = Counter()
    for word, cut in cuts.items():
        for piece in cut:
            counts[piece] += words[word]
    frequent = {piece: count for piece, count in counts.items() if count >= least_count}
    # What spells the other words is of small letters.
    costs = piece_costs({piece: count for piece, count in frequent.items() if piece == piece.lower()}, letters)
    pieces = sorted(set(counts) | set(costs), key=lambda piece: theirs[piece])
    numbers = {piece: place + 1 for place, piece in enumerate(pieces)}
    return SharedSpelling(
        pieces,
        [theirs[piece] for piece in pieces],
        [theirs.get(_capital(piece), theirs[piece]) for piece in pieces],
        [ours[piece] for piece in pieces],
        sorted(numbers[piece] for piece in set(frequent) | set(costs)),
        costs,
        cuts,
    )


def _capital(piece: str) -> str:
    return f" {piece[1:].capitalize()}" if piece.startswith(" ") else piece
