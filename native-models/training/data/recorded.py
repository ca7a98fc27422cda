"""Recorded human speech that packages carry: for testing only. No shard may hold its sound, no text its words."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from data.shards import fingerprint
from data.texts.spoken_forms import say, words
from data.voices.interface import resample


@dataclass(frozen=True)
class Recorded:
    """A clip: where it is found, under which terms, what is said, and the hash of its sound at 16 kHz."""

    identifier: str
    package: str
    file: str
    licence: str
    transcript: str
    fingerprint: str | None = None
    """As `shards.fingerprint` counts it; None where the clip was not at hand."""


POCKETSPHINX = "PyPI pocketsphinx 5.1.1, source distribution"
AUSTEN = "test/data/librivox/sense_and_sensibility_01_austen_64kb-"
HARVARD = "speechbrain repository, tests/samples (Open Speech Repository)"
# fmt: off
# ruff: noqa: E501
CLIPS = (
    Recorded("inaugural-address-1961", "resources/samples", "recorded-inaugural-address-1961.wav", "public domain",
             "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.",
             "a29462b8ebd467318000e683b9117ade"),
    Recorded("austen-0870", POCKETSPHINX, AUSTEN + "0870.wav", "public domain (LibriVox)",
             "And Mister John Dashwood had then leisure to consider how much there might be prudently in his power to do for them.",
             "d6ae5769a7bd5312d26213a382b5c062"),
    Recorded("austen-0880", POCKETSPHINX, AUSTEN + "0880.wav", "public domain (LibriVox)",
             "He was not an ill-disposed young man.", "0f8e7b446750517dfc5f444bccb67d2f"),
    Recorded("austen-0890", POCKETSPHINX, AUSTEN + "0890.wav", "public domain (LibriVox)",
             "Unless to be rather cold-hearted and rather selfish is to be ill-disposed.",
             "f5db1acab6b8e07eba8bb5a240311e66"),
    Recorded("austen-0920", POCKETSPHINX, AUSTEN + "0920.wav", "public domain (LibriVox)",
             "Had he married a more amiable woman, he might have been made still more respectable than he was.",
             "ea5551d7cba0ace6a98a9875e2ed3879"),
    Recorded("austen-0930", POCKETSPHINX, AUSTEN + "0930.wav", "public domain (LibriVox)",
             "He might even have been made amiable himself.", "0faf49d5f7782e92c1600066445e2127"),
    Recorded("cards-001", POCKETSPHINX, "test/data/cards/001.wav", "BSD-2-Clause", "Ten of clubs.",
             "4e0a744ec43b16a4fda29e9ec7033080"),
    Recorded("cards-002", POCKETSPHINX, "test/data/cards/002.wav", "BSD-2-Clause", "Four, queen of clubs.",
             "0685e12e91701219e16ba8dc34666269"),
    Recorded("cards-003", POCKETSPHINX, "test/data/cards/003.wav", "BSD-2-Clause", "Seven of clubs.",
             "c6218d1c54d9692892bfb96c929c7c1e"),
    Recorded("cards-004", POCKETSPHINX, "test/data/cards/004.wav", "BSD-2-Clause", "Five, five.",
             "ca66f0840c7dc4b7441e3040c12d7ba8"),
    Recorded("cards-005", POCKETSPHINX, "test/data/cards/005.wav", "BSD-2-Clause",
             "Eight of spades, four of clubs, seven of hearts.", "79591cddc710272c8288f998c90baccd"),
    *(
        Recorded(identifier, HARVARD, f"{identifier}.wav", "free with attribution", transcript)
        for identifier, transcript in {
            "spk1_snt1": "The child almost hurt the small dog.",
            "spk1_snt2": "Drop the two when you add the figures.",
            "spk1_snt3": "At that high level the air is pure.",
            "spk1_snt4": "A thin stripe runs down the middle.",
            "spk1_snt5": "Sunday is the best part of the week.",
            "spk1_snt6": "The pencils have all been used.",
            "spk2_snt1": "We are sure that one war is enough.",
            "spk2_snt2": "What joy there is in living.",
            "spk2_snt3": "Tear a thin sheet from the yellow pad.",
            "spk2_snt4": "Mend the coat before you go out.",
            "spk2_snt5": "Jump the fence and hurry up the bank.",
            "spk2_snt6": "Canned pears lack full flavor.",
        }.items()
    ),
)
# fmt: on
PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
PROMPT_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
PROMPT_LICENCE = "CC-BY-SA-3.0"


def telephone_prompts() -> list[Recorded]:
    """Debian's Asterisk prompts, 8 kHz, one speaker: those of at least four words; none where not installed."""
    if not PROMPT_TEXTS.exists():
        return []
    clips = []
    for line in gzip.decompress(PROMPT_TEXTS.read_bytes()).decode(errors="replace").splitlines():
        match = re.match(r"^([\w/-]+):\s*([^\[(<*#]+)$", line.strip())
        if match is None or len(match[2].split()) < 4 or not (PROMPTS / f"{match[1]}.wav").exists():
            continue
        package = "Debian asterisk-core-sounds-en-wav"
        clips.append(Recorded(f"asterisk-{match[1]}", package, f"{match[1]}.wav", PROMPT_LICENCE, match[2].strip()))
    return clips


def transcripts() -> frozenset[str]:
    """The words of every clip, which no training text repeats."""
    return frozenset(words(say(clip.transcript)) for clip in (*CLIPS, *telephone_prompts()))


def fingerprints() -> frozenset[str]:
    """The hashes of every clip's sound: those known, and of the prompts where they are installed."""
    known = {clip.fingerprint for clip in CLIPS if clip.fingerprint}
    return frozenset(known | {fingerprint(sound_of(PROMPTS / clip.file)) for clip in telephone_prompts()})


def sound_of(path: Path) -> np.ndarray:
    """`[samples]` float32 at 16 kHz, mono."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return resample(samples.mean(axis=1), rate)
