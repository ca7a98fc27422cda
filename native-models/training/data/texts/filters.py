"""Which sentences can be spoken: what SiM (section 3) calls readable, and what repeats another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from data.items import Text
from data.texts.spoken_forms import say, words

_PLAIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9' ,;:.?!%$€£°/-]*$")
_UNSAYABLE = re.compile(r"https?:|www\.|\.\w|[A-Z]{3,}|[A-Za-z]\d|\d[A-Za-z](?<!\dth)|_|\\|/{2}|\b\w+\.\w+\b(?<!\d)")


def tidy(text: str) -> str:
    """One line, straight quotes, no doubled space, a capital first and a full stop last."""
    text = text.replace("’", "'").replace("‘", "'").replace("``", "").replace('"', "").replace("“", "")
    text = re.sub(r"\s*(?:--+|—|–)\s*", ", ", text.replace("”", "").replace("`", "'"))
    text = re.sub(r"\s+", " ", text).strip(" ,;:-")
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".?!" else text + "."


def readable(text: str) -> bool:
    """No code, address, formula, list or run of capitals, and mostly words that have a vowel."""
    if not _PLAIN.match(text) or _UNSAYABLE.search(text):
        return False
    spoken = words(say(text)).split()
    return bool(spoken) and sum(bool(re.search(r"[aeiouy]", word)) for word in spoken) >= 0.8 * len(spoken)


def of_length(text: str, fewest: int, most: int) -> bool:
    return fewest <= len(words(say(text)).split()) <= most


def instruction(text: str) -> bool:
    """SiM's rule for instructions that are spoken: 6 to 60 words, readable (SiM, section 3.2)."""
    return of_length(text, 6, 60) and readable(text)


def without_repeats(texts: Iterable[Text], refused: frozenset[str] = frozenset()) -> Iterator[Text]:
    """Each sentence once, compared by its words alone; `refused` holds the words of recorded test clips."""
    seen: set[str] = set()
    for text in texts:
        key = words(text.said)
        if key and key not in seen and key not in refused:
            seen.add(key)
            yield text
