"""One arm of SiM's kind: an adaptor from the common start, a budget through the LLM, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from parts.adaptors import AdaptorSettings
from parts.checkpoints import load_trained, seed_everything, trained_state, write_checkpoint
from parts.conversation import Prompt
from parts.listener import Listener, Turn, Workbench, train, turn_of
from parts.masking import MaskingSettings
from parts.run import RunSettings
from parts.shards import Clips, Sample
from recipes import aligner, sim
from study.arms import Arm
from study.clips import MakeClips, SilentClips, hours_of, transcribed
from study.fine_tune import fine_tuned
from study.measures import Heard, heard, written_down
from study.records import Record
from study.settings import StudySettings
from study.shared import Shared
from study.warm_start import warm_start

PLAIN = {"opening": "<|endoftext|>", "user": "", "assistant": "\n", "turn_end": "\n"}
"""A prompt without the chat template: what stands between two documents, and the words."""


@dataclass(frozen=True)
class ListenOptions:
    adaptor: dict[str, Any] = field(default_factory=lambda: {"kind": "conv", "convolutions": 2})
    trained: list[str] = field(default_factory=lambda: ["adaptor"])
    mix: str = "transcripts"
    hours: float | None = None
    """Of what there is, the first so many."""
    template: bool = True
    rank: int | None = None
    """The aligner's trainable dimensions."""
    ranks: list[int] = field(default_factory=list)
    """Singular values that are kept, each of them judged."""
    seed: int = 0


def run_arm(shared: Shared, arm: Arm, record: Record) -> None:
    options = ListenOptions(**arm.options)
    seed_everything(options.seed)
    settings = recipe_settings(shared.settings, arm.name, options)
    samples = mixed(shared, options)
    live = "encoder" in options.trained
    clips = Clips if live else SilentClips
    bench = shared.bench(samples, transcribed(shared.samples["held-out"]), options.seed, silent=not live)
    listener = new_listener(shared, options, settings, bench)
    begin = stage(shared.settings, "warm", options.seed)
    warm_start(shared, arm.name, listener.adaptor, shared.frames, transcribed(samples), begin)
    record.stage(settings.out / "warm", hours=hours_of(samples))
    judge(shared, record, listener, "start", clips, brief=True)
    train(settings, bench, listener, asked(settings.prompt), "listen")
    record.stage(settings.out / "listen", trained=count_trained(listener))
    write_checkpoint(settings.out / "trained.pt", trained_state(listener))
    judge(shared, record, listener, "", clips)
    for rank in options.ranks:
        cut = replaced(listener, aligner.truncated(aligner.merged(listener.adaptor), rank))
        judge(shared, record, cut, f"rank {rank}", brief=True)
    if options.ranks:
        values = torch.linalg.svdvals(aligner.merged(listener.adaptor).aligner.weight.detach().float())
        record.add("singular-values", values=[round(float(value), 4) for value in values])
        record_swaps(shared, record, listener)


def stage(settings: StudySettings, name: str, seed: int, **more: Any) -> RunSettings:
    """The same budget for all arms; held-out loss at every third of it."""
    steps = settings.steps[name]
    rates = {"warm": 1e-3, "head": 2e-3}
    given = {"learning_rate": rates.get(name, 5e-4), "batch_seconds": settings.batch_seconds, **more}
    rest = {"log_every": max(1, steps // 10), "check_every": max(1, steps // 3), "save_minutes": 2.0, "workers": 0}
    return RunSettings(steps=steps, warmup_steps=max(1, steps // 8), seed=seed, **rest, **given)


def recipe_settings(settings: StudySettings, name: str, options: ListenOptions) -> sim.SimSettings:
    rates = {"llm": 0.1, "frames": 0.1}
    return sim.SimSettings(
        data=settings.data,
        encoder=settings.encoder,
        llm=settings.llm,
        out=settings.work / name,
        run=stage(settings, "listen", options.seed, rates={} if "lora" in options.trained else rates),
        tasks={},
        # Known frames are not masked, so none are.
        masking=MaskingSettings(time_masks=0, band_masks=0),
        prompt=settings.prompt if options.template else replace(settings.prompt, **PLAIN),
        adaptor=AdaptorSettings(**options.adaptor),
        trained=options.trained,
        augmented_share=0.0,
        seed=options.seed,
    )


def new_listener(shared: Shared, options: ListenOptions, settings: sim.SimSettings, bench: Workbench) -> Listener:
    frames = None if "encoder" in options.trained else shared.frames
    listener = sim.new_listener(settings, bench, frames)
    if options.rank is not None:
        sizes = (bench.encoder.width, bench.llm.config.hidden_size)
        listener.adaptor = aligner.LowRank(*sizes, options.rank, bench.embedding_norm)
    return listener


def replaced(listener: Listener, adaptor: nn.Module) -> Listener:
    other = Listener(listener.frames, adaptor, listener.llm, listener.tokenizer, listener.prompt)
    return other.eval()


def mixed(shared: Shared, options: ListenOptions) -> list[Sample]:
    """Clips with what is asked of them; one with a reply may come twice, for its words as well."""
    speech = shared.samples["speech"]
    if options.hours is not None:
        seconds, kept = 0.0, []
        for sample in speech:
            if seconds < options.hours * 3600:
                kept.append(sample)
            seconds += sample.about["seconds"]
        speech = kept
    answered = [sample for sample in speech if sample.about["response"]]
    mixes: dict[str, Callable[[], list[Sample]]] = {
        "transcripts": lambda: transcribed(speech),
        "replies": lambda: cut_replies(shared, answered),
        "both": lambda: transcribed(speech) + cut_replies(shared, answered),
        "languages": lambda: transcribed(speech + shared.samples["languages"]),
        "short": lambda: [s for s in transcribed(speech) if s.about["seconds"] <= 2.5],
        "one-synthesiser": lambda: of_one_synthesiser(transcribed(speech)),
    }
    return mixes[options.mix]()


def cut_replies(shared: Shared, samples: list[Sample]) -> list[Sample]:
    longest = shared.settings.longest_answer

    def cut(text: str) -> str:
        return shared.tokenizer.text(shared.tokenizer.ids(text)[:longest])

    return [replace(sample, about=sample.about | {"response": cut(sample.about["response"])}) for sample in samples]


def of_one_synthesiser(samples: list[Sample]) -> list[Sample]:
    """The one with the most clips."""
    names = [sample.about["synthesiser"] for sample in samples]
    most = max(sorted(set(names)), key=names.count)
    return [sample for sample, name in zip(samples, names, strict=True) if name == most]


def asked(prompt: Prompt) -> Callable[[dict[str, Any]], Turn]:
    return lambda about: turn_of(about, prompt.tasks["transcribe"])


def count_trained(listener: nn.Module) -> int:
    return sum(parameter.numel() for parameter in listener.parameters() if parameter.requires_grad)


def judge(
    shared: Shared,
    record: Record,
    listener: Listener,
    what: str,
    clips: MakeClips = SilentClips,
    brief: bool = False,
) -> None:
    """Transcripts and replies with the teacher's words before each token; and, unless `brief`, free transcripts."""
    prompt = listener.prompt
    words: Heard = heard(shared, listener, transcribed(shared.samples["held-out"]), asked(prompt), clips)
    replies = heard(shared, listener, cut_replies(shared, shared.samples["answered"]), asked(prompt), clips)
    found = {"what": what, **words.figures("transcript"), **replies.figures("reply")}
    if not brief:
        count = shared.settings.written_clips
        found |= written_down(shared, listener, shared.samples["held-out"][:count], clips)
    record.add("result", **found)


def record_swaps(shared: Shared, record: Record, listener: Listener) -> None:
    """The same layer before another LLM, as it is, and mapped from the one table of embeddings to the other."""
    other = fine_tuned(shared)
    for what, adaptor in (
        ("swapped", listener.adaptor),
        ("swapped and mapped", aligner.swapped(aligner.merged(listener.adaptor), listener.llm, other)),
    ):
        swapped = Listener(listener.frames, adaptor, other, listener.tokenizer, listener.prompt)
        judge(shared, record, swapped, what)


def load_listener(shared: Shared, arm: Arm) -> Listener:
    """As the arm left it."""
    options = ListenOptions(**arm.options)
    settings = recipe_settings(shared.settings, arm.name, options)
    bench = shared.bench([], [], options.seed)
    listener = new_listener(shared, options, settings, bench)
    path: Path = settings.out / "trained.pt"
    load_trained(listener, torch.load(path, weights_only=False))
    return listener.eval()
