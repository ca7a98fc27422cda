"""An LLM made out of the published one by reading alone, for the frozen swap: it learns in writing to repeat words."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from parts.checkpoints import load_trained, seed_everything, trained_state, write_checkpoint
from parts.conversation import Prompt, Reader, collate
from parts.language_model import ChatTokenizer, load_language_model
from parts.listener import Listener, Turn
from parts.lora import add_lora
from parts.losses import cross_entropy
from parts.run import Run, RunSettings
from parts.shards import ClipBatch
from study.arms import Arm
from study.clips import SilentClips, transcribed
from study.measures import read, written
from study.records import Record
from study.shared import Shared

_RANK, _ALPHA = 16, 32.0
_FILE = "aligner/fine-tuned-llm/trained.pt"


class Reading(nn.Module):
    """The words in writing, and the demand to repeat them."""

    def __init__(self, llm: nn.Module, tokenizer: ChatTokenizer, prompt: Prompt) -> None:
        super().__init__()
        self.llm, self.tokenizer, self.prompt = llm, tokenizer, prompt
        self.reader = Reader(llm, tokenizer, prompt.prefix)

    def forward(self, batch: ClipBatch) -> tuple[Tensor, int]:
        instruction = self.prompt.tasks["transcribe"]
        turns = [(about["spoken"], Turn(instruction, about["text"])) for about in batch.about]
        joined = collate([written(self, spoken, turn) for spoken, turn in turns], self.reader.table)
        return cross_entropy(self.reader.logits(joined), joined.labels), len(joined.labels)


def run_arm(shared: Shared, arm: Arm, record: Record) -> None:
    """Reads clips' words as they are said, without capitals and stops, and writes them as they stand."""
    seed_everything(0)
    steps = shared.settings.steps["fine-tune"]
    llm = _with_lora(shared)
    loss = Reading(llm, shared.tokenizer, shared.settings.prompt)
    clips = SilentClips(transcribed(shared.samples["speech"]), None, 0, shared.settings.longest_seconds)
    folder = shared.settings.work / arm.name / "reading"
    run_settings = RunSettings(
        steps=steps,
        learning_rate=3e-4,
        warmup_steps=max(1, steps // 8),
        batch_seconds=shared.settings.batch_seconds,
        log_every=max(1, steps // 10),
        save_minutes=1.0,
        workers=0,
    )
    run = Run(folder, loss, clips, run_settings, shared.processes, shared.precision)
    run.descend("loss")
    record.stage(folder)
    write_checkpoint(shared.settings.work / _FILE, trained_state(llm))
    prompt = shared.settings.prompt
    listener = Listener(shared.frames, nn.Identity(), llm, shared.tokenizer, prompt)
    held_out = transcribed(shared.samples["held-out"])

    def asked(about: dict) -> Turn:
        return Turn(prompt.tasks["transcribe"], about["text"])

    record.add("result", what="reading", **read(shared, listener, held_out, asked, str).figures("transcript"))


def fine_tuned(shared: Shared) -> nn.Module:
    llm = _with_lora(shared)
    load_trained(llm, torch.load(shared.settings.work / _FILE, weights_only=False))
    return llm.requires_grad_(False).eval()


def _with_lora(shared: Shared) -> nn.Module:
    llm = load_language_model(shared.settings.llm).to(shared.precision.dtype)
    add_lora(llm, _RANK, _ALPHA)
    return llm
