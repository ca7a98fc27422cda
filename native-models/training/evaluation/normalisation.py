"""Text made comparable by Whisper's own normalisers (Radford et al. 2022, appendix C), as transformers has them."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer

_SPELLINGS = Path(__file__).parents[3] / "src-main/evaluation/text/american-spellings.json"
WITHOUT_SPACES = frozenset(["zh", "ja", "th", "lo", "my", "km", "yue"])
"""Languages that write no spaces between words: their errors are counted in characters."""


@lru_cache
def english() -> EnglishTextNormalizer:
    return EnglishTextNormalizer(json.loads(_SPELLINGS.read_text(encoding="utf-8")))


@lru_cache
def basic(split_letters: bool = False) -> BasicTextNormalizer:
    return BasicTextNormalizer(split_letters=split_letters)


def words(text: str, language: str) -> list[str]:
    if language == "en":
        return english()(text).split()
    return basic(language in WITHOUT_SPACES)(text).split()


def characters(text: str, language: str) -> str:
    """Outside English only case, punctuation and symbols go: the vowel signs of Thai and Hindi are marks, and stay."""
    if language == "en":
        return " ".join(english()(text).split())
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = "".join(" " if unicodedata.category(letter)[0] in "SP" else letter for letter in plain)
    return re.sub(r"\s+", "" if language in WITHOUT_SPACES else " ", plain).strip()
