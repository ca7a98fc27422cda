"""AudioChatLlama's own encoder: a Conformer that learns speech from nothing, its frames stacked n by n."""

from __future__ import annotations

from dataclasses import replace

import torch

from parts.adaptors import AdaptorSettings
from parts.checkpoints import seed_everything
from parts.shards import Clips
from recipes import audiochatllama as recipe
from study.arms import Arm
from study.clips import batches_of, hours_of
from study.listen import ListenOptions, count_trained, judge, mixed, stage
from study.records import Record
from study.shared import Shared
from study.warm_start import warm_start

_RECOGNITION = "conformer/recognition"


def run_arm(shared: Shared, arm: Arm, record: Record) -> None:
    """Without a stack it is the recognition alone, which the others go on from."""
    seed_everything(0)
    stack = arm.options["stack"]
    settings = _settings(shared, stack or 1)
    samples = mixed(shared, ListenOptions(mix="both"))
    bench = shared.bench(samples, shared.samples["answered"], 0, silent=False)
    frames = recipe.new_frames(settings)
    recipe.recognise(settings, bench, frames)
    if stack is None:
        record.stage(settings.out / "recognition", hours=hours_of(samples))
        record.add("result", what="letters", **_letters(shared, frames))
        return
    settings = replace(settings, out=shared.settings.work / arm.name)
    listener = recipe.new_listener(settings, bench, frames)
    begin = stage(shared.settings, "warm", 0)
    warm_start(shared, arm.name, listener.adaptor, frames, samples, begin, Clips)
    record.stage(settings.out / "warm")
    judge(shared, record, listener, "start", Clips, brief=True)
    recipe.train(settings, bench, listener, lambda about: recipe.reply_or_words(settings, about), "listen")
    record.stage(settings.out / "listen", trained=count_trained(listener))
    judge(shared, record, listener, "", Clips)


@torch.no_grad()
def _letters(shared: Shared, frames: recipe.FilterBankFrames) -> dict[str, float]:
    """Held-out nats a letter."""
    frames.eval()
    loss, total, count = recipe.LetterLoss(frames), 0.0, 0
    with shared.precision.autocast():
        for batch in batches_of(shared.samples["held-out"], shared.settings.batch_seconds, Clips):
            nats, letters = loss(batch)
            total, count = total + float(nats), count + letters
    return {"letter_nats": total / max(1, count), "letters": count}


def _settings(shared: Shared, stack: int) -> recipe.AudioChatLlamaSettings:
    settings = shared.settings
    return recipe.AudioChatLlamaSettings(
        data=settings.data,
        encoder=settings.encoder,
        llm=settings.llm,
        out=settings.work / _RECOGNITION,
        recognition=stage(settings, "recognition", 0, learning_rate=8e-4),
        run=stage(settings, "listen", 0),
        tasks={},
        prompt=settings.prompt,
        adaptor=AdaptorSettings("stack", stack=stack),
        width=192,
        layers=4,
        channels=32,
        augmented_share=0.0,
    )
