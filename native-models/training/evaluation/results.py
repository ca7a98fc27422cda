"""What a subject made of each item, and the figures of all: the shape, and the values, of `parlance eval --json`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation import metrics
from evaluation.bootstrap import bootstrap
from evaluation.suite import Item


@dataclass(frozen=True)
class Response:
    """An answer that the model only read."""

    tokens: int
    loss: float
    """Σ −log p, nats."""
    divergence: float | None
    """Σ KL to the LLM as published behind the written words; None for those themselves."""


@dataclass(frozen=True)
class Result:
    """Texts are None where the subject was not asked for them."""

    item: Item
    subject: str
    transcript: str | None = None
    answer: str | None = None
    response: Response | None = None
    translation: str | None = None


Statistic = Callable[[Sequence[Any]], float | None]
Measures = dict[str, dict[str, Any]]


def summarise(results: Sequence[Result], subject: str) -> Measures:
    """Rates are shares of 1; a measure that no item allows is left out."""
    own = [result for result in results if result.subject == subject]
    written = {result.item.name: result for result in results if result.subject == "written"}
    twins = [(result, written.get(result.item.name) if subject != "written" else None) for result in own]
    measures: Measures = {}

    def measure(name: str, parts: Iterable[Any], statistic: Statistic) -> None:
        known = [part for part in parts if part is not None]
        value = statistic(known) if known else None
        if value is not None:
            ends = bootstrap(known, statistic)
            interval = ends and dict(zip(("low", "high"), ends, strict=True))
            measures[name] = {"value": value, "interval": interval, "items": len(known)}

    measure("wer", [_transcript(result, metrics.word_edits) for result in own], metrics.error_rate)
    measure("cer", [_transcript(result, metrics.character_edits) for result in own], metrics.error_rate)
    measure("kept", [_kept(result) for result in own], _ratio_of_sums)
    right = [_right(result) for result in own]
    measure("success", right, _mean)
    multi_turn = [one if result.item.turns else None for one, result in zip(right, own, strict=True)]
    measure("successMultiTurn", multi_turn, _mean)
    measure("successToWritten", [_pair(_right(a), b and _right(b)) for a, b in twins], _ratio_of_sums)
    answers = [(result.item, result.answer) for result in own if result.answer is not None]
    follows = [metrics.follows_instruction(answer, item.text, item.language) for item, answer in answers]
    measure("following", follows, _mean)
    measure("repeated", [metrics.is_repetitive(answer) for _, answer in answers], _mean)
    measure("diversity", [metrics.distinct_words(answer) for _, answer in answers], _mean)
    rouge = [item.response and metrics.rouge_l(item.response, answer) for item, answer in answers]
    measure("rougeL", rouge, _mean)
    measure("perplexity", [_loss(result) for result in own], metrics.perplexity)
    measure("perplexityToWritten", [_pair(_loss(a), b and _loss(b)) for a, b in twins], _perplexity_ratio)
    measure("divergence", [_divergence(result) for result in own], _ratio_of_sums)
    translations = [result.translation and (result.translation, result.item.translation) for result in own]
    measure("bleu", translations, metrics.bleu)
    measure("chrf", translations, metrics.chrf)
    measure("chrfPlusPlus", translations, lambda pairs: metrics.chrf(pairs, word_order=2))
    return measures


def _transcript(result: Result, edits: Callable[[str, str, str], metrics.Edits]) -> metrics.Edits | None:
    if result.transcript is None:
        return None
    return edits(result.item.text, result.transcript, result.item.language)


def _kept(result: Result) -> tuple[int, int] | None:
    item, text = result.item, result.transcript
    if text is None or not item.keep:
        return None
    return sum(metrics.is_answered(text, [word], item.language) for word in item.keep), len(item.keep)


def _right(result: Result) -> int | None:
    if result.answer is None or not result.item.answers:
        return None
    return int(metrics.is_answered(result.answer, result.item.answers, result.item.language))


def _loss(result: Result) -> tuple[int, float] | None:
    return result.response and (result.response.tokens, result.response.loss)


def _divergence(result: Result) -> tuple[float, int] | None:
    response = result.response
    return None if response is None or response.divergence is None else (response.divergence, response.tokens)


def _pair(own: Any, written: Any) -> tuple[Any, Any] | None:
    return None if own is None or written is None else (own, written)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _ratio_of_sums(parts: Sequence[tuple[float, float]]) -> float | None:
    above, below = map(sum, zip(*parts, strict=True))
    return above / below if below else None


def _perplexity_ratio(pairs: Sequence[tuple[tuple[int, float], tuple[int, float]]]) -> float | None:
    own, written = (metrics.perplexity(losses) for losses in zip(*pairs, strict=True))
    return own / written if own is not None and written is not None else None
