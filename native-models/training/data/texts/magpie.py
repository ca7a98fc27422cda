"""Instructions in Magpie's fashion: given its user header alone, the LLM writes what a person would ask it."""

from __future__ import annotations

import re

from data.items import Text
from data.language_model import LICENCE, SOURCE, LanguageModel, user_header
from data.texts.filters import instruction, tidy
from data.texts.spoken_forms import say

BATCH = 96
MOST_TOKENS = 48


def instructions(count: int, seed: int, model: LanguageModel) -> list[Text]:
    """`count` different instructions that can be spoken, filtered as SiM does; the seed decides them all."""
    found: dict[str, Text] = {}
    for step in range(40 * max(1, count // BATCH + 1)):
        completed = model.complete([user_header()] * BATCH, MOST_TOKENS, seed + step)
        for written, _ in completed:
            sentence = leading_sentences(written)
            if instruction(sentence):
                found.setdefault(sentence, Text(sentence, say(sentence), "en", "answer", f"magpie-{SOURCE}", LICENCE))
        if len(found) >= count:
            break
    return list(found.values())[:count]


def leading_sentences(written: str) -> str:
    """The whole sentences that the first line begins with, at most three: long tasks are cut to what is said."""
    line = written.split("\n")[0]
    sentences = re.findall(r"[^.?!]+[.?!]+(?=\s|$)", line)
    return tidy("".join(sentences[:3]))
