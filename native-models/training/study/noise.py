"""The reply's perplexity given the sound, against that given Whisper's words, as noise makes Whisper err."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from data.augmentation import add_noise
from data.noises import NOISES
from parts.listener import WhisperFrames
from parts.masking import MaskingSettings
from parts.shards import Augment, Clips, Sample
from study.arms import ARMS, Arm
from study.listen import asked, cut_replies, load_listener
from study.measures import english_errors, heard, read
from study.recogniser import Recogniser
from study.records import Record
from study.shared import Shared

DECIBELS = (None, 20, 10, 5, 0, -5)
"""Pink noise so far below the speech; None is clean."""
_AT_ONCE = 8


def with_noise(decibels: float, sound: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return add_noise(sound, NOISES["pink"](len(sound), generator, []), decibels)


def run_arm(shared: Shared, arm: Arm, record: Record) -> None:
    listener = load_listener(shared, ARMS[arm.options["listener"]])
    listener.frames = WhisperFrames(shared.encoder.to(shared.precision.dtype), MaskingSettings())
    settings = shared.settings
    whisper = Recogniser(settings.encoder, settings.whisper_tokenizer, shared.precision.dtype)
    samples = cut_replies(shared, shared.samples["answered"])
    ask = asked(shared.settings.prompt)
    from_text = read(shared, listener, samples, ask, str)
    for decibels in DECIBELS:
        augment = None if decibels is None else partial(with_noise, float(decibels))

        def noisy(
            chosen: list[Sample], _: Augment | None, seed: int, longest: float, heard_as: Augment | None = augment
        ) -> Clips:
            return Clips(chosen, heard_as, seed, longest)

        from_sound = heard(shared, listener, samples, ask, noisy)
        transcripts = _transcripts(whisper, noisy(samples, None, 0, 1e4))
        cascade = read(
            shared,
            listener,
            samples,
            ask,
            dict(zip((s.about["text"] for s in samples), transcripts, strict=True)).__getitem__,
        )
        record.add(
            "noise",
            decibels=decibels,
            whisper_wer=english_errors(samples, transcripts),
            text=math.exp(from_text.nats / from_text.tokens),
            cascade=math.exp(cascade.nats / cascade.tokens),
            sound=math.exp(from_sound.nats / from_sound.tokens),
        )


def _transcripts(whisper: Recogniser, clips: Clips) -> list[str]:
    sounds = [clips[0, number][0] for number in range(len(clips))]
    return [
        text
        for start in range(0, len(sounds), _AT_ONCE)
        for text in whisper.transcribe(sounds[start : start + _AT_ONCE])
    ]
