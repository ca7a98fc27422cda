"""Text → the phoneme symbols that Kokoro reads, through eSpeak NG."""

from __future__ import annotations

import re
import subprocess

_PIECES = re.compile(r"([,;:.!?…]+)")
# eSpeak's IPA → Kokoro's alphabet, in which diphthongs and affricates are one letter each.
_COMMON = (("tʃ", "ʧ"), ("dʒ", "ʤ"), ("g", "ɡ"))
_ENGLISH = (
    ("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("ɔɪ", "Y"), ("r", "ɹ"), ("ɬ", "l"), ("x", "k"), ("ç", "k"),
    ("n̩", "ᵊn"), ("l̩", "ᵊl"), ("ʔ", "t"),
)  # fmt: skip
_AMERICAN = (
    *_ENGLISH,
    ("oʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ɚ", "əɹ"), ("ɐ", "ə"), ("oːɹ", "ɔɹ"),
    ("ː", ""), ("o", "ɔ"), ("e", "A"),
)  # fmt: skip
_BRITISH = (
    *_ENGLISH,
    ("əʊ", "Q"),
    ("oʊ", "Q"),
    ("eə", "ɛː"),
    ("iə", "ɪə"),
    ("ɐ", "ə"),
    ("o", "ɔ"),
    ("e", "A"),
)
_LANGUAGES = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "i": "it"}


def phonemes(said: str, accent: str) -> str:
    """`("Hello, you.", "a")` → "həlˈO, jˈu."; `accent` is the first letter of a Kokoro voice's name."""
    out: list[str] = []
    for piece in _PIECES.split(said):
        if _PIECES.fullmatch(piece):
            out.append(piece[0])
        elif piece.strip():
            out.append((" " if out else "") + _clause(piece.strip(), _LANGUAGES[accent]))
    symbols = re.sub(r"\([^)]*\)", "", "".join(out))  # eSpeak marks a change of language as (en)
    if accent in "ab":
        symbols = re.sub(r"əl(?![\wˈˌ])", "ᵊl", symbols)  # only where it ends a word: "bottle", not "hello"
    for old, new in _COMMON + {"a": _AMERICAN, "b": _BRITISH}.get(accent, ()):
        symbols = symbols.replace(old, new)
    return symbols


def _clause(text: str, language: str) -> str:
    """The IPA of one clause; eSpeak prints a line for each part that it breaks it into."""
    result = subprocess.run(["espeak-ng", "-q", "--ipa", "-v", language, "--", text], capture_output=True, check=True)
    return re.sub(r"[_\s]+", " ", result.stdout.decode()).strip()
