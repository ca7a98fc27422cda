"""Shards of speech: each text of a part spoken by a voice that the seed casts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.collections import HELD_OUT
from data.items import Text, generator_for, read_texts
from data.mixtures import LICENCE as SCENE_LICENCE
from data.mixtures import scene
from data.paralinguistics import voice_item
from data.responses import read_responses
from data.shards import pack, write_clip
from data.texts.spoken_forms import words
from data.voices.casting import Cast
from data.voices.interface import Speaking, SynthesisError, Voice

LONGEST_SECONDS = 20.0


def speak_part(texts: Path, responses: Path, group: str, shard: Path, cast: Cast, seed: int, work: Path) -> float:
    """Speaks a part of texts into one shard → its hours. Clips already in `work` are kept.

    Held-out texts alternate between held-out voices (split `test`) and training voices (split `valid`).
    """
    replies = read_responses(responses)

    def clip(index: int, text: Text) -> None:
        held_out = texts.stem.startswith(HELD_OUT)
        test = held_out and index % 2 == 0
        generator = generator_for(seed, "voice", group, text.identifier)
        speaking = cast.speaking(group, text.language, test, generator)
        samples = cast.synthesisers[speaking.voice.synthesiser].synthesise(text.said, speaking)
        if len(samples) > LONGEST_SECONDS * 16000:
            raise SynthesisError("too long")
        about = _about(speaking, speaking.voice) | {
            "id": f"{texts.stem}-{index:04d}-{group}",
            "split": "test" if test else "valid" if held_out else "train",
            "text": text.text,
            "spoken": words(text.said),
            "question": "",
            "response": replies.get(text.identifier, ""),
            "language": text.language,
            "task": text.task,
            "source": text.source,
            "licence": text.licence,
        }
        write_clip(work, samples, about)

    return _shard(list(enumerate(read_texts(texts))), clip, shard, work, lambda i: f"{texts.stem}-{i:04d}-{group}")


def sound_part(part: int, count: int, shard: Path, seed: int, work: Path, split: str) -> float:
    """A shard of scenes of synthesised events and music."""

    def clip(index: int, key: str) -> None:
        made = scene(generator_for(seed, "scene", split, part, index))
        voice = Voice("events", "none", "none", "unknown", "none", SCENE_LICENCE)
        about = _about(Speaking(voice, seed=seed), voice) | {
            "id": key,
            "split": split,
            "text": "",
            "spoken": "",
            "question": made.question,
            "response": made.answer,
            "language": "none",
            "task": made.task,
            "source": "synthesised sounds",
            "licence": SCENE_LICENCE,
        }
        write_clip(work, made.samples, about)

    keys = [f"sounds-{split}-{part:04d}-{index:04d}" for index in range(count)]
    return _shard(list(enumerate(keys)), clip, shard, work, keys.__getitem__)


def voice_part(texts: Path, count: int, shard: Path, cast: Cast, seed: int, work: Path) -> float:
    """A shard of questions about how the first `count` texts of a part are said."""
    split = "test" if texts.stem.startswith(HELD_OUT) else "train"

    def clip(index: int, text: Text) -> None:
        generator = generator_for(seed, "voice-item", text.identifier)
        made, voice = voice_item(text.said, cast, split == "test", generator)
        about = _about(Speaking(voice, seed=seed), voice) | {
            "id": f"voices-{texts.stem}-{index:04d}",
            "split": split,
            "text": text.text,
            "spoken": words(text.said),
            "question": made.question,
            "response": made.answer,
            "language": text.language,
            "task": made.task,
            "source": f"synthesised voices, {text.source}",
            "licence": text.licence,
        }
        write_clip(work, made.samples, about)

    chosen = [text for text in read_texts(texts) if len(text.said.split()) >= 6][:count]
    return _shard(list(enumerate(chosen)), clip, shard, work, lambda i: f"voices-{texts.stem}-{i:04d}")


def _about(speaking: Speaking, voice: Voice) -> dict[str, Any]:
    return {
        "voice": voice.label,
        "voice_licence": voice.licence,
        "synthesiser": voice.synthesiser,
        "sex": voice.sex,
        "accent": voice.accent,
        "speed": speaking.speed,
        "augmentation": [],  # clean: what is done to it is drawn when it is trained on
        "seed": speaking.seed,
    }


def _shard(
    items: list[tuple[int, Any]],
    clip: Callable[[int, Any], None],
    shard: Path,
    work: Path,
    key: Callable[[int], str],
) -> float:
    """Makes the clips that `work` lacks and packs them. A sentence that no voice could say is left out."""
    work.mkdir(parents=True, exist_ok=True)
    for index, item in items:
        if (work / f"{key(index)}.json").exists():
            continue
        try:
            clip(index, item)
        except SynthesisError as error:
            with (work.parent / "left-out.txt").open("a") as log:
                log.write(f"{key(index)}: {error}\n")
    return float(pack(work, shard)["hours"])
