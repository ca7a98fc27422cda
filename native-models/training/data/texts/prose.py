"""Sentences of the LLM's own replies, to be spoken: everyday prose on as many subjects as it was asked about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from data.items import Text
from data.language_model import LICENCE, SOURCE
from data.texts.filters import of_length, readable, tidy
from data.texts.spoken_forms import say


def sentences(replies: Iterable[str]) -> Iterator[Text]:
    for reply in replies:
        # The last piece may have been cut off by the limit on tokens.
        for piece in re.split(r"(?<=[.?!])\s+", reply.replace("\n", " "))[:-1]:
            sentence = tidy(re.sub(r"^(?:\d+\.|[-*•])\s*", "", piece))
            if of_length(sentence, 5, 28) and readable(sentence):
                yield Text(sentence, say(sentence), "en", "transcribe", f"replies-{SOURCE}", LICENCE)
