"""SALMONN: two encoders, a windowed Q-Former and LoRA, in three stages.

1. Recognition and captioning: transcripts and what sounds are heard (section 3.2).
2. Instruction tuning: every task with its question. Here the model over-fits the tasks: it transcribes whatever is
   asked.
3. Activation tuning (section 4.2): a few long, free answers, written by the LLM with LoRA discounted, give the
   abilities back.

Beside Whisper a second encoder hears what is no speech: a Conformer over Kaldi's filter bank, trained along in stage 1,
for want of a BEATs checkpoint at this scale. The test-time discount of LoRA (section 5.2) is swept at the end.

    python -m recipes.salmonn --settings settings/salmonn.yaml
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from data.files import write_whole
from parts.adaptors import AdaptorSettings, new_adaptor
from parts.checkpoints import trained_state
from parts.conformer import ConformerEncoder
from parts.export import export_adaptor
from parts.filter_bank import filter_bank
from parts.listener import (
    Listener,
    ListeningSettings,
    Turn,
    WhisperFrames,
    Workbench,
    held_out_loss,
    prepare,
    train,
    turn_of,
)
from parts.lora import add_lora, discounted, lora_tensors
from parts.run import RunSettings
from parts.settings import from_command_line
from parts.shards import ClipBatch

Figures = dict[str, dict[str, float]]
"""By discount, then by what was asked."""


@dataclass(frozen=True, kw_only=True)
class SalmonnSettings(ListeningSettings):
    instruction: RunSettings
    activation: RunSettings
    adaptor: AdaptorSettings = field(default_factory=lambda: AdaptorSettings("window-q-former"))
    sound_width: int = 128
    sound_layers: int = 2
    rank: int = 8
    alpha: float = 32
    discounts: list[float] = field(default_factory=lambda: [0.0, 0.25, 0.5, 0.75, 1.0])
    activation_share: float = 0.05
    """Of the clips, those that stage 3 hears."""
    longest_story: int = 60


class TwoEncoders(nn.Module):
    """Whisper's frames and the second encoder's, beside one another; the second has one for every four of Whisper's."""

    def __init__(self, speech: WhisperFrames, sound: ConformerEncoder) -> None:
        super().__init__()
        self.speech, self.sound = speech, sound
        self.norm = nn.LayerNorm(sound.ctc.in_features)

    def forward(self, batch: ClipBatch) -> tuple[Tensor, Tensor]:
        frames, lengths = self.speech(batch)
        banks = [filter_bank(row[:length]) for row, length in zip(batch.samples, batch.lengths.tolist(), strict=True)]
        counts = torch.tensor([len(bank) for bank in banks], device=frames.device)
        heard, _ = self.sound(nn.utils.rnn.pad_sequence(banks, batch_first=True) / 10, counts)
        slow = self.norm(heard).repeat_interleave(4, dim=1)[:, : frames.shape[1]]
        slow = nn.functional.pad(slow, (0, 0, 0, frames.shape[1] - slow.shape[1]))
        return torch.cat([frames, slow.to(frames.dtype)], -1), lengths


def main() -> None:
    settings = from_command_line(SalmonnSettings, "Trains in three stages, then sweeps LoRA's discount.")
    bench = prepare(settings)
    listener = new_listener(settings, bench, WhisperFrames(bench.encoder, settings.masking))
    sweeps = train_stages(settings, bench, listener, lambda: discount_sweep(settings, bench, listener))
    if bench.processes.first:
        (settings.out / "discounts.json").write_text(json.dumps(sweeps, indent=1) + "\n")
        tensors = {f"sound.{name}": value for name, value in trained_state(listener.frames).items()}
        tensors |= listener.adaptor.state_dict() | lora_tensors(listener.llm)
        export_adaptor(settings.out / "export", tensors, settings.adaptor.recipe())
    bench.processes.close()


def new_listener(settings: SalmonnSettings, bench: Workbench, speech: nn.Module) -> Listener:
    llm = bench.llm.to(bench.precision.dtype)
    add_lora(llm, settings.rank, settings.alpha)
    sound = ConformerEncoder(settings.sound_width, settings.sound_layers, 1, channels=16)
    width = bench.encoder.width + settings.sound_width
    adaptor = new_adaptor(settings.adaptor, width, llm.config.hidden_size, bench.embedding_norm)
    return Listener(TwoEncoders(speech, sound), adaptor, llm, bench.tokenizer, settings.prompt)


def train_stages(
    settings: SalmonnSettings, bench: Workbench, listener: Listener, sweep: Callable[[], Figures]
) -> dict[str, Figures]:
    """→ what `sweep` found behind each of the stages."""

    def recognition(about: dict[str, Any]) -> Turn:
        if about["spoken"]:
            return Turn(settings.prompt.tasks["transcribe"], about["text"])
        return Turn(f"\n{about['question']}", about["response"])

    def instruction(about: dict[str, Any]) -> Turn:
        return turn_of(about, settings.prompt.tasks["transcribe"])

    train(settings, bench, listener, recognition, "recognition")
    sweeps = {"recognition": sweep()}
    listener.frames.sound.requires_grad_(False)
    train(settings, bench, listener, instruction, "instruction", settings.instruction)
    sweeps["instruction"] = sweep()
    stories = write_stories(settings, bench, listener)
    chosen = [sample for sample in bench.clips.samples if sample.about["id"] in stories]
    bench.clips.samples[:] = chosen
    story = settings.prompt.tasks["story"]
    # Held-out clips have no story: they are judged by the instructions that they had.
    train(
        settings,
        bench,
        listener,
        lambda about: Turn(story, stories[about["id"]]) if about["id"] in stories else instruction(about),
        "activation",
        settings.activation,
    )
    return sweeps | {"activation": sweep()}


def discount_sweep(settings: SalmonnSettings, bench: Workbench, listener: Listener) -> Figures:
    """Held-out nats a token of transcripts and of other answers, for each discount (SALMONN, figure 3)."""
    transcribe = settings.prompt.tasks["transcribe"]
    kinds = {
        "transcript": lambda about: Turn(transcribe, about["text"] or about["response"]),
        "instruction": lambda about: turn_of(about, transcribe),
    }
    figures: Figures = {}
    for discount in settings.discounts:
        listener.reader.known.clear()
        with discounted(listener.llm, discount):
            figures[str(discount)] = {name: held_out_loss(bench, listener, turn) for name, turn in kinds.items()}
    listener.reader.known.clear()
    return figures


@torch.no_grad()
def write_stories(settings: SalmonnSettings, bench: Workbench, listener: Listener) -> dict[str, str]:
    """Free answers to a few clips, by the model itself with half of its LoRA: where it still can (section 4.2)."""
    path = settings.out / "stories.json"
    if path.exists():
        return json.loads(path.read_text())
    listener.eval()
    listener.reader.known.clear()
    count = max(1, int(len(bench.clips.samples) * settings.activation_share))
    stories: dict[str, str] = {}
    with discounted(listener.llm, 0.5), bench.precision.autocast():
        for number in range(count):
            batch = bench.clips_alone(number)
            (sound,) = listener.sounds(batch)
            conversation = listener.conversation(sound, Turn(settings.prompt.tasks["story"], ""))[:-1]
            written = listener.reader.write(conversation, bench.tokenizer.end, settings.longest_story)
            stories[batch.about[0]["id"]] = bench.tokenizer.text(written)
    listener.reader.known.clear()
    listener.train()
    if bench.processes.first:
        write_whole(path, json.dumps(stories, ensure_ascii=False, indent=1) + "\n")
    return stories


if __name__ == "__main__":
    main()
