"""The wrappers around the public packages, and what has no package, against what the app's twins are held to."""

import json
import math
from pathlib import Path

import pytest

from evaluation import metrics
from evaluation.bootstrap import bootstrap
from evaluation.normalisation import basic, characters, english, words

GOLDEN = json.loads((Path(__file__).parents[4] / "tests/fixtures/evaluation/golden.json").read_text("utf-8"))


def test_normalisers_are_the_golden_ones() -> None:
    for row in GOLDEN["normalised"]:
        assert english()(row["text"]) == row["english"]
        if "basic" in row:
            assert basic()(row["text"]) == row["basic"]
            assert basic(split_letters=True)(row["text"]) == row["splitLetters"]


def test_text_is_compared_as_its_language_writes_it() -> None:
    assert words("It's Mr. Smith's colour.", "en") == "it is mister smith is color".split()
    assert words("今天天气", "zh") == list("今天天气")
    assert characters("วันนี้ อากาศดี", "th") == "วันนี้อากาศดี"
    assert metrics.error_rate([metrics.character_edits("नमस्ते", "नमस्ता", "hi")]) == pytest.approx(1 / 6)


def test_rates_are_of_the_whole_corpus() -> None:
    items = [metrics.word_edits("one", "two", "de"), metrics.word_edits("a b c d e f g h i", "a b c d e f g h i", "de")]
    assert metrics.error_rate(items) == 0.1
    assert metrics.error_rate([metrics.word_edits("", "something", "en")]) is None
    for row in GOLDEN["pairs"]:
        if row["words"] is not None:
            edits = row["words"]
            errors = edits["substitutions"] + edits["deletions"] + edits["insertions"]
            found = metrics._edits(row["reference"].split(), row["hypothesis"].split())
            assert found == (errors, edits["reference"])


def test_translations_and_common_words() -> None:
    for row in GOLDEN["corpora"]:
        pairs = list(zip(row["hypotheses"], row["references"], strict=True))
        assert metrics.bleu(pairs) == pytest.approx(row["bleu"])
        assert metrics.chrf(pairs) == pytest.approx(row["chrf"])
        assert metrics.chrf(pairs, 2) == pytest.approx(row["chrfPlusPlus"])
    for row in GOLDEN["pairs"]:
        assert metrics.rouge_l(row["reference"], row["hypothesis"]) == pytest.approx(row["rougeL"])


def test_answers() -> None:
    assert metrics.is_answered("There are seven days.", ["7"], "en")
    assert not metrics.is_answered("A parish is small.", ["Paris"], "en")
    assert metrics.is_answered("首都是巴黎。", ["巴黎"], "zh")
    assert not metrics.is_answered("Anything.", ["?"], "en")
    assert not metrics.follows_instruction("What is the capital of Spain?", "What is the capital of France?", "en")
    assert metrics.follows_instruction("It is Paris.", "What is the capital of France?", "en")
    assert not metrics.follows_instruction(" ", "Anything?", "en")
    assert metrics.is_repetitive("I like it a lot. I like it a lot. I like it a lot.")
    assert not metrics.is_repetitive("I like it a lot. I like it a lot, and so should you.")
    assert metrics.distinct_words("The cat, the CAT and another cat.") == 4


def test_perplexity_is_of_all_tokens() -> None:
    assert metrics.perplexity([(2, 2 * math.log(2)), (1, math.log(2))]) == pytest.approx(2)
    assert metrics.perplexity([(0, 0.0)]) is None


def test_intervals_are_the_same_each_time_and_need_two_items() -> None:
    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    rates = [float(number % 4 == 0) for number in range(200)]
    low, high = bootstrap(rates, mean)
    assert (low, high) == bootstrap(rates, mean)
    assert low == pytest.approx(0.19, abs=0.02)
    assert high == pytest.approx(0.31, abs=0.02)
    assert bootstrap(rates[:1], mean) is None
