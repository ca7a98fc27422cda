"""Where the study finds its data, and what all arms share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from parts.conversation import Prompt
from study.places import RUNS


@dataclass(frozen=True)
class StudySettings:
    data: Path
    encoder: Path
    llm: Path
    whisper_tokenizer: Path
    """Whisper's `tokenizer.json`: the cascade's recogniser writes with it; its decoder lies beside the encoder."""
    work: Path
    """Frames, checkpoints and long logs; what the page needs is copied to `runs/`."""
    prompt: Prompt
    runs: Path = RUNS
    """Where complete logs lie, from which the page is made."""
    hours: float = 2.0
    """Of English speech to learn from, fixed when the study is first prepared."""
    other_hours: float = 0.4
    """In other languages, for one arm of the data mixes."""
    sound_clips: int = 600
    held_out_clips: int = 96
    answered_clips: int = 48
    """Of the held-out ones, those that have a reply."""
    written_clips: int = 16
    """Held-out clips that an arm writes down freely."""
    longest_seconds: float = 8.0
    longest_answer: int = 32
    """Tokens of a reply that are learnt and judged: what is heard shows in the first ones."""
    threads: int = 1
    steps: dict[str, int] = field(default_factory=dict)
    """By stage: the budget that every arm has."""
    batch_seconds: float = 60.0
    seed: int = 0
