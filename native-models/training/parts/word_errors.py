"""Word errors while training runs; the published figures are `evaluate.py`'s, with Whisper's normaliser."""

from __future__ import annotations

from collections.abc import Sequence

from parts.spelling import spoken_words


def edit_distance(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, deletions and insertions."""
    row = list(range(len(heard) + 1))
    for place, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], place
        for other, guess in enumerate(heard, 1):
            diagonal, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, diagonal + (word != guess))
    return row[-1]


def word_error_rate(references: Sequence[str], heard: Sequence[str]) -> float:
    """In percent, over all words together."""
    words = [spoken_words(reference) for reference in references]
    errors = sum(edit_distance(w, spoken_words(h)) for w, h in zip(words, heard, strict=True))
    return 100 * errors / max(1, sum(map(len, words)))
