"""Sentences of the fortune collection: sayings, jokes and advice in an everyday voice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from data.items import Text
from data.texts.filters import of_length, readable, tidy
from data.texts.spoken_forms import say

FOLDER = Path("/usr/share/games/fortunes")
LICENCE = "BSD-4-Clause (collection)"
# Only collections of sayings: those that quote one author's books, songs or scripts at length are left out.
COLLECTIONS = (
    "cookie education food fortunes goedel kids law love magic medicine "
    "miscellaneous news people pets platitudes politics riddles science sports wisdom work"
).split()


def fortunes() -> Iterator[Text]:
    for collection in COLLECTIONS:
        for saying in (FOLDER / collection).read_text(encoding="utf-8", errors="replace").split("\n%\n"):
            body = re.sub(r"\n\s*--.*", "", saying, flags=re.DOTALL)
            for piece in re.split(r"(?<=[.?!])\s+", re.sub(r"\s+", " ", body)):
                sentence = tidy(piece)
                if piece.endswith((".", "?", "!")) and of_length(sentence, 4, 28) and readable(sentence):
                    yield Text(sentence, say(sentence), "en", "transcribe", f"fortunes-{collection}", LICENCE)
