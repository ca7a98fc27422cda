"""The texts of a build in parts: `texts/<collection>-<part>.jsonl`, each part the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from data.items import Text, generator_for, write_texts
from data.recorded import refused_texts
from data.texts import entities, fortunes, languages, templates, wordnet
from data.texts.filters import of_length, without_repeats

HELD_OUT = "held-out"


def package_texts(settings: dict[str, Any], seed: int, out: Path) -> None:
    """Writes the parts of `reading`, `commands`, `languages` and `held-out`: all that needs no LLM."""
    counts = settings["package_texts"]
    sources: dict[str, Iterable[Text]] = {
        "wordnet_examples": wordnet.examples() if counts["wordnet_examples"] else (),
        "wordnet_definitions": wordnet.definitions() if counts["wordnet_definitions"] else (),
        "fortunes": fortunes.fortunes() if counts["fortunes"] else (),
        "entities": entities.entities(2 * counts["entities"], seed),
        "rare_words": entities.rare_words(counts["rare_words"], seed) if counts["rare_words"] else (),
    }
    refused = refused_texts()
    held_out: list[Text] = []
    reading: list[Text] = []
    for name, texts in sources.items():
        kept, held = _divided(without_repeats(texts, refused), seed, name, counts[name])
        reading += kept
        held_out += held
    commands = without_repeats(templates.questions_and_commands(3 * settings["templates"], seed), refused)
    kept, held = _divided(commands, seed, "commands", settings["templates"])
    _write(out, "commands", kept, settings["part"])
    others = without_repeats(languages.other_languages(2 * settings["other_languages"], seed))
    _write(out, "languages", list(islice(others, settings["other_languages"])), settings["part"])
    _write(out, "reading", _shuffled(list(without_repeats(reading)), seed, "reading"), settings["part"])
    _write(out, HELD_OUT, _shuffled(held_out + held, seed, HELD_OUT), settings["part"])


def trainable(texts: Iterable[Text]) -> Iterator[Text]:
    """What the LLM wrote, without repeats, held-out texts and the words of everything that is measured on."""
    return (text for text in without_repeats(texts, refused_texts()) if text.split == "train")


def _divided(texts: Iterable[Text], seed: int, name: str, count: int) -> tuple[list[Text], list[Text]]:
    """(`count` texts to train on, the held-out texts among as many) in an order drawn by the seed.

    Fragments of two or three words say little: of the shorter examples every second one is passed over.
    """
    shuffled = _shuffled(list(texts), seed, name)
    passed = [text for text in shuffled if of_length(text.said, 6, 60) or text.identifier[-1] in "02468ace"]
    taken = passed[: round(count * 1.02)]
    return [t for t in taken if t.split == "train"][:count], [t for t in taken if t.split != "train"]


def _shuffled(texts: list[Text], seed: int, name: str) -> list[Text]:
    return [texts[int(i)] for i in generator_for(seed, "order", name).permutation(len(texts))]


def _write(out: Path, collection: str, texts: list[Text], part: int) -> None:
    for index, start in enumerate(range(0, len(texts), part)):
        write_texts(out / "texts" / f"{collection}-{index:04d}.jsonl", texts[start : start + part])
