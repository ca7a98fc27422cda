"""WordNet 3.0: example sentences, and definitions turned into sentences that carry rare words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data.items import Text
from data.texts.filters import of_length, readable, tidy

FOLDER = Path("/usr/share/wordnet")
LICENCE = "WordNet-3.0"
_VOWELS = "aeiou"


def _synsets() -> Iterator[tuple[str, str, str]]:
    """(kind, first lemma, gloss) of each synset; the gloss is what follows the bar."""
    for path in sorted(FOLDER.glob("data.*")):
        for line in path.read_text(encoding="latin-1").splitlines():
            if line.startswith("  ") or " | " not in line:
                continue
            fields, gloss = line.split(" | ", 1)
            yield path.suffix[1:], fields.split()[4].replace("_", " "), gloss.strip()


def examples() -> Iterator[Text]:
    """The quoted uses in the glosses."""
    for _, _, gloss in _synsets():
        for quoted in re.findall(r'"([^"]+)"', gloss):
            sentence = tidy(quoted)
            if of_length(sentence, 4, 24) and readable(sentence):
                yield Text(sentence, sentence, "en", "transcribe", "wordnet-examples", LICENCE)


def definitions() -> Iterator[Text]:
    """ "A sextant is a measuring instrument …": every noun and verb in a sentence that says what it means."""
    for kind, lemma, gloss in _synsets():
        meaning = re.sub(r"\([^)]*\)", "", gloss.split(";")[0].split('"')[0]).strip()
        if not re.fullmatch(r"[A-Za-z' -]{3,}", lemma) or len(meaning.split()) < 3:
            continue
        if kind == "verb":
            sentence = f"To {lemma} is to {meaning}"
        elif kind == "noun" and re.match(r"(a|an|the|any|one|some) ", meaning):
            article = "" if lemma[0].isupper() else ("an " if lemma[0] in _VOWELS else "a ")
            sentence = f"{article}{lemma} is {meaning}"
        else:
            continue
        sentence = tidy(sentence)
        if of_length(sentence, 5, 24) and readable(sentence):
            yield Text(sentence, sentence, "en", "transcribe", "wordnet-definitions", LICENCE)
