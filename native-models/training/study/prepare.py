"""What all other arms begin with: clips, frames, alignments, and the bounds between which they are judged."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from parts.checkpoints import seed_everything
from parts.listener import Listener
from study.alignment import align
from study.arms import Arm
from study.clips import hours_of, transcribed
from study.listen import PLAIN, asked, cut_replies, stage
from study.measures import read
from study.records import Record
from study.shared import Shared


def run_arm(shared: Shared, arm: Arm, record: Record) -> None:
    seed_everything(0)
    samples = shared.samples
    for kind, chosen in samples.items():
        voices = {sample.about.get("voice", "") for sample in chosen}
        record.add("clips", which=kind, clips=len(chosen), hours=hours_of(chosen), voices=len(voices))
    speech = samples["speech"] + samples["languages"]
    alignments = align(shared, speech, stage(shared.settings, "head", 0))
    record.stage(
        shared.settings.work / "head", aligned=len(alignments.said), of=len(speech), classes=len(alignments.tokens)
    )
    llm = shared.llm.to(shared.precision.dtype)
    replies = cut_replies(shared, samples["answered"])
    for template in (True, False):
        prompt = shared.settings.prompt if template else replace(shared.settings.prompt, **PLAIN)
        listener = Listener(shared.frames, nn.Identity(), llm, shared.tokenizer, prompt)
        for what, text in (("text", str), ("nothing", lambda _: "")):
            words = read(shared, listener, transcribed(samples["held-out"]), asked(prompt), text)
            answers = read(shared, listener, replies, asked(prompt), text)
            figures = words.figures("transcript") | answers.figures("reply")
            record.add("bound", given=what, template=template, **figures)
