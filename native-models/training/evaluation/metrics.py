"""One function a metric; definitions and papers stand beside their twins in `src-main/evaluation/metrics`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import jiwer
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import CHRF

from evaluation.normalisation import basic, characters, english, words

Edits = tuple[int, int]
"""Substitutions, deletions and insertions together; and the reference's length."""


def word_edits(said: str, written: str, language: str) -> Edits:
    return _edits(words(said, language), words(written, language))


def character_edits(said: str, written: str, language: str) -> Edits:
    return _edits(list(characters(said, language)), list(characters(written, language)))


def _edits(reference: list[str], hypothesis: list[str]) -> Edits:
    if not reference:
        return len(hypothesis), 0
    # jiwer cuts texts at spaces, which are characters here: each gets a private one of its own.
    names = {item: chr(0xE000 + number) for number, item in enumerate(dict.fromkeys([*reference, *hypothesis]))}
    output = jiwer.process_characters("".join(map(names.get, reference)), "".join(map(names.get, hypothesis)))
    return output.substitutions + output.deletions + output.insertions, len(reference)


def error_rate(items: Iterable[Edits]) -> float | None:
    errors, length = map(sum, zip(*items, strict=True))
    return errors / length if length else None


def is_answered(answer: str, accepted: Sequence[str], language: str) -> bool:
    normalise = english() if language == "en" else basic(split_letters=True)

    def whole_words(text: str) -> str:
        return f" {' '.join(normalise(text).split())} "

    return any(whole_words(known).strip() and whole_words(known) in whole_words(answer) for known in accepted)


def follows_instruction(answer: str, question: str, language: str) -> bool:
    if not answer.strip():
        return False
    rate = error_rate([word_edits(question, answer, language)])
    return rate is None or rate >= 0.3


def distinct_words(answer: str) -> int:
    return len(set(basic()(answer).split()))


def is_repetitive(answer: str) -> bool:
    said = basic()(answer).split()
    stretches = [tuple(said[at : at + 4]) for at in range(len(said) - 3)]
    return any(len(set(one)) == 1 or stretches.count(one) >= 3 for one in stretches)


def rouge_l(reference: str, answer: str) -> float:
    return RougeScorer(["rougeL"]).score(reference, answer)["rougeL"].fmeasure


def bleu(pairs: Sequence[tuple[str, str]]) -> float:
    """Of (hypothesis, reference)."""
    return sacrebleu.corpus_bleu([h for h, _ in pairs], [[r for _, r in pairs]]).score


def chrf(pairs: Sequence[tuple[str, str]], word_order: int = 0) -> float:
    """chrF; with a `word_order` of 2, chrF++."""
    return CHRF(word_order=word_order).corpus_score([h for h, _ in pairs], [[r for _, r in pairs]]).score


def perplexity(losses: Iterable[tuple[int, float]]) -> float | None:
    """Of (tokens, sum of −log p in nats)."""
    tokens, loss = map(sum, zip(*losses, strict=True))
    return math.exp(loss / tokens) if tokens else None
