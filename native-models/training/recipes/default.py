"""What ships: Whisper → a draft and a second look → SmolLM2, in three stages.

1. The draft: CTC over Whisper's token embeddings. Encoder, decoder and LLM are frozen, the last two not even run.
2. The second look: the draft goes once through Whisper's decoder; blocks of attention learn, by CTC again, to
   weigh what it expects against the draft. The LLM is still not run: what it will read is made of its own embeddings.
3. LoRA on the LLM's attention: it transcribes what it hears (cross-entropy), and answers as it would have answered the
   transcript (distillation to its own logits: AudioChatLlama, section 3.3). CTC goes on at a small weight.

    python -m recipes.default --settings settings/default.yaml
    torchrun --nproc-per-node 2 -m recipes.default --settings settings/default.yaml

Interrupted, the same command goes on where it was; `--set draft.hours=8` changes single fields.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from data.augmentation import AugmentationSettings
from parts.answerer import Answerer, AnswerSettings, answer_figures
from parts.augmenting import Augmenter
from parts.checkpoints import seed_everything
from parts.conversation import Prompt
from parts.ctc_stage import CtcLoss, LookLoss, train_by_ctc
from parts.distributed import Processes
from parts.export import export_adaptor
from parts.hearing import Hearing, held_out_figures
from parts.held_out import held_out_batches
from parts.language_model import ChatTokenizer, load_language_model, load_tokenizer
from parts.lora import MODULES, lora_tensors
from parts.masking import MaskingSettings
from parts.precision import Precision
from parts.run import Run, RunSettings
from parts.second_look import SecondLook, SecondLookSettings
from parts.settings import from_command_line
from parts.shards import ClipBatch, Clips, Sample, read_index
from parts.shared_spelling import SharedSpelling, learn_shared_spelling, whisper_tokenizer
from parts.stored_frames import StoredClips
from parts.whisper_decoder import load_whisper_decoder
from parts.whisper_encoder import load_whisper_encoder


@dataclass(frozen=True)
class LlmStage:
    run: RunSettings
    answers: AnswerSettings = field(default_factory=AnswerSettings)
    answer_share: float = 0.5
    """Of the clips that have a response, how many are answered; all others are transcribed."""
    ctc_weight: float = 0.3


@dataclass(frozen=True)
class LookStage:
    run: RunSettings
    draft_weight: float = 0.3
    negatives: int = 1500
    """Classes drawn at each step to stand for all that the batch does not say."""


@dataclass(frozen=True)
class DefaultSettings:
    data: Path
    whisper: Path
    whisper_tokens: Path
    llm: Path
    out: Path
    prompt: Prompt
    draft: RunSettings
    look: LookStage
    answer: LlmStage
    adaptor: SecondLookSettings
    masking: MaskingSettings = field(default_factory=MaskingSettings)
    frames: Path | None = None
    """A folder that `parts.stored_frames` made of the same data: saves the encoder's share of the time, and hears each
    clip in as many ways as are stored instead of ever new ones."""
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    augmented_share: float = 0.7
    """Of the clips, each time they are heard."""
    languages: list[str] = field(default_factory=lambda: ["en"])
    tasks: list[str] = field(default_factory=lambda: ["transcribe", "answer"])
    least_piece_count: int = 100
    dropout: float = 0.0
    """Little is over-fitted when nothing is heard twice alike; drawing it is slow on a CPU."""
    longest_seconds: float = 16.0
    held_out_clips: int = 128
    precision: str = "auto"
    seed: int = 0


def main() -> None:
    settings = from_command_line(DefaultSettings, "Trains the default adaptor, and exports it.")
    processes = Processes()
    precision = Precision(settings.precision, processes.device)
    seed_everything(settings.seed)
    train, held_out = speech_samples(settings)
    tokenizer = load_tokenizer(settings.llm)
    spelling = spelling_of(settings, train, tokenizer, processes)
    llm = load_language_model(settings.llm)
    table = llm.get_input_embeddings().weight.detach()
    adaptor = SecondLook(settings.adaptor, load_whisper_decoder(settings.whisper), spelling, table)
    encoder = load_whisper_encoder(settings.whisper)
    clips = training_clips(settings, train)
    checks = held_out_batches(held_out, settings.held_out_clips, settings.longest_seconds, processes)

    encoder.to(precision.dtype)
    adaptor.decoder.to(processes.device, precision.dtype)
    # Drawn anew for each stage: a start in the middle draws what one from the beginning drew.
    seed_everything(settings.seed + 1)
    drafting = Hearing(encoder, adaptor.draft, spelling.draft, settings.masking)
    train_draft(settings, drafting, clips, checks, processes, precision)
    seed_everything(settings.seed + 2)
    hearing = Hearing(encoder, adaptor, spelling, settings.masking)
    train_look(settings, hearing, clips, checks, processes, precision)
    seed_everything(settings.seed + 3)
    answerer = Answerer(hearing, llm.to(precision.dtype), tokenizer, settings.prompt, settings.answer.answers)
    train_answers(settings, answerer, clips, checks, processes, precision)
    if processes.first:
        size = export(settings.out / "export", answerer, settings)
        print(f"exported {size / 1e6:.1f} MB to {settings.out / 'export'}", flush=True)
    processes.close()


# Data.


def speech_samples(settings: DefaultSettings) -> tuple[list[Sample], list[Sample]]:
    """(train, held out): clips of words in the languages that the LLM knows."""

    def wanted(about: dict[str, Any]) -> bool:
        short = about["seconds"] <= settings.longest_seconds
        known = about["language"] in settings.languages and about["task"] in settings.tasks
        return bool(about["spoken"]) and known and short

    samples = read_index(settings.data, wanted)
    train = [sample for sample in samples if sample.about["split"] == "train"]
    return train, [sample for sample in samples if sample.about["split"] != "train"] or train[:8]


def training_clips(settings: DefaultSettings, train: list[Sample]) -> Clips:
    if settings.frames is not None:
        return StoredClips(train, settings.frames)
    augment = Augmenter(settings.augmentation, settings.augmented_share)
    return Clips(train, augment, settings.seed, settings.longest_seconds)


def spelling_of(
    settings: DefaultSettings, train: list[Sample], tokenizer: ChatTokenizer, processes: Processes
) -> SharedSpelling:
    """Learnt once for a run: later stages, and later starts, use the same classes."""
    path = settings.out / "spelling.json"
    if path.exists():
        return SharedSpelling.load(path)
    whisper = whisper_tokenizer(settings.whisper_tokens)
    spelling = learn_shared_spelling(
        (sample.about["spoken"] for sample in train), whisper, tokenizer, settings.least_piece_count
    )
    if processes.first:
        settings.out.mkdir(parents=True, exist_ok=True)
        spelling.save(path)
    return spelling


# Stages 1 and 2: the draft, and the second look.


def train_draft(
    settings: DefaultSettings,
    drafting: Hearing,
    clips: Clips,
    checks: list[ClipBatch],
    processes: Processes,
    precision: Precision,
) -> None:
    """Trains the draft alone; finished before, it is loaded and nothing else."""
    loss = CtcLoss(drafting)
    train_by_ctc(settings.out / "draft", loss, drafting, settings.draft, {}, clips, checks, processes, precision)


def train_look(
    settings: DefaultSettings,
    hearing: Hearing,
    clips: Clips,
    checks: list[ClipBatch],
    processes: Processes,
    precision: Precision,
) -> None:
    """Trains what weighs draft and expectation; the draft goes on at a small weight."""
    encoder, adaptor, spelling = hearing.encoder, hearing.adaptor, hearing.spelling
    # Sampled classes are for this loss alone: what the LLM is to cope with are the words that are truly confused.
    sampling = Hearing(encoder, adaptor, spelling, settings.masking, settings.look.negatives)
    loss = LookLoss(sampling, Hearing(encoder, adaptor.draft, spelling.draft, settings.masking))
    weights = {"draft": settings.look.draft_weight}
    train_by_ctc(settings.out / "look", loss, hearing, settings.look.run, weights, clips, checks, processes, precision)


# Stage 3: LoRA, transcription and answers.


def train_answers(
    settings: DefaultSettings,
    answerer: Answerer,
    clips: Clips,
    checks: list[ClipBatch],
    processes: Processes,
    precision: Precision,
) -> None:
    stage = settings.answer
    run = Run(settings.out / "answer", answerer, clips, stage.run, processes, precision)
    for batch in run.batches():
        answered = [bool(about["response"]) and random.random() < stage.answer_share for about in batch.about]
        with precision.autocast():
            losses = run.model(batch, answered)
        weights = {"ctc": stage.ctc_weight, "transcript": 1.0, "answer": 1.0}
        # Everybody shares every loss, also those whose clips have none of it: the sums are made together.
        nothing = (losses["ctc"][0] * 0, 0)
        shared = {name: processes.share(*losses.get(name, nothing)) for name in weights}
        loss = sum((weights[name] * value for name, value in shared.items()), start=torch.zeros(()))
        run.update(loss, len(batch.about), **{name: t.item() / n for name, (t, n) in losses.items() if n})
        if run.checks:
            with precision.autocast():
                figures = held_out_figures(answerer.hearing, checks) | answer_figures(answerer, checks)
            run.log.figures("held-out", run.step, seen=run.seen, **figures)
    run.log.close()


# Export.


def export(folder: Path, answerer: Answerer, settings: DefaultSettings) -> int:
    adaptor = answerer.hearing.adaptor
    configuration = {
        "architecture": "second-look",
        "adaptor": adaptor.as_json(),
        "mode": "compress",
        "lora_r": settings.answer.answers.rank,
        "lora_alpha": settings.answer.answers.alpha,
        "lora_modules": list(MODULES),
        "encoder": "whisper-base, no 30 s padding, 0.3 s tail, length rounded up to 2560 samples",
        "llm": settings.llm.name,
        "vocab": adaptor.spelling.llm,
        "masking": asdict(settings.masking),
        "seed": settings.seed,
    }
    return export_adaptor(folder, adaptor.export_tensors() | lora_tensors(answerer.llm), configuration, eight_bits=True)


if __name__ == "__main__":
    main()
