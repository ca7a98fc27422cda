"""When each token of a clip is said: a small CTC head on Whisper's frames, and the best path through each transcript.

It gives every adaptor the same start, whatever its frame rate: CTC itself has no path where there are fewer vectors
than tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from parts.checkpoints import load_trained, read_checkpoint, write_checkpoint
from parts.ctc import fits, own_label_ctc
from parts.run import Run, RunSettings
from parts.shards import ClipBatch, Sample
from parts.spelling import Spelling, learn_spelling
from parts.stack_conv_ctc import StackConvCtc, StackConvCtcSettings
from study.clips import KnownFrames, SilentClips, batches_of
from study.shared import Shared

_LEAST_PIECE_COUNT = 6
_HEAD = StackConvCtcSettings(stack=2, width=256, blocks=2, wide=512, heads=4)


@dataclass(frozen=True)
class Alignments:
    """`said`: a clip's id → (LLM token, Whisper's frame at which it is said) in order; `tokens`: all there are."""

    tokens: list[int]
    said: dict[str, list[tuple[int, float]]]

    @staticmethod
    def load(path: Path) -> Alignments:
        found = json.loads(path.read_text())
        return Alignments(found["tokens"], {name: [(t, f) for t, f in pairs] for name, pairs in found["said"].items()})


class HeadLoss(nn.Module):
    def __init__(self, frames: KnownFrames, head: StackConvCtc, spelling: Spelling) -> None:
        super().__init__()
        self.frames, self.head, self.spelling = frames, head, spelling

    def forward(self, batch: ClipBatch) -> tuple[Tensor, int]:
        heard = self.head(*self.frames(batch))
        targets = [self.spelling.classes(about["spoken"]) for about in batch.about]
        rows = [row for row, target in enumerate(targets) if fits(target, int(heard.lengths[row]))]
        scores = self.head.scores(heard)[rows]
        chosen = [targets[row] for row in rows]
        return own_label_ctc(scores, heard.lengths[rows], chosen), sum(map(len, chosen))


def align(shared: Shared, samples: list[Sample], run_settings: RunSettings) -> Alignments:
    """Trains the head on all that is to be aligned; done before, it is read."""
    path = shared.settings.work / "alignments.json"
    if path.exists():
        return Alignments.load(path)
    head, spelling = _trained_head(shared, samples, run_settings)
    said: dict[str, list[tuple[int, float]]] = {}
    with torch.no_grad():
        for batch in batches_of(samples, shared.settings.batch_seconds):
            heard = head(*shared.frames(batch))
            scores = head.scores(heard).float().log_softmax(-1)
            for row, about in enumerate(batch.about):
                classes = spelling.classes(about["spoken"])
                if fits(classes, int(heard.lengths[row])):
                    steps = best_path(scores[row, : int(heard.lengths[row])].numpy(), classes)
                    places = [(step + 0.5) * head.settings.stack for step in steps]
                    tokens = [spelling.tokens[number - 1] for number in classes]
                    said[about["id"]] = list(zip(tokens, places, strict=True))
    path.write_text(json.dumps({"tokens": spelling.tokens, "said": said}))
    return Alignments.load(path)


def best_path(scores: np.ndarray, classes: list[int]) -> list[int]:
    """The step at which each class is most likely said on the most likely path (Viterbi over CTC's states: a blank
    around each label); `scores` `[steps, 1 + classes]` in nats, the blank first."""
    states = np.zeros(2 * len(classes) + 1, dtype=np.int64)
    states[1::2] = classes
    # A blank may be left out between two labels that differ.
    skips = np.zeros(len(states), dtype=bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    best = np.full(len(states), -np.inf)
    best[:2] = scores[0, states[:2]]
    came = np.zeros((len(scores), len(states)), dtype=np.int64)
    for step in range(1, len(scores)):
        by_one = np.concatenate([[-np.inf], best[:-1]])
        by_two = np.where(skips, np.concatenate([[-np.inf, -np.inf], best[:-2]]), -np.inf)
        choices = np.stack([best, by_one, by_two])
        came[step] = choices.argmax(0)
        best = choices.max(0) + scores[step, states]
    state = len(states) - 1 if best[-1] > best[-2] else len(states) - 2
    peaks: dict[int, int] = {}
    for step in range(len(scores) - 1, -1, -1):
        if state % 2:
            place = state // 2
            if place not in peaks or scores[step, states[state]] > scores[peaks[place], states[state]]:
                peaks[place] = step
        state -= int(came[step, state])
    return [peaks[place] for place in range(len(classes))]


def _trained_head(shared: Shared, samples: list[Sample], run_settings: RunSettings) -> tuple[StackConvCtc, Spelling]:
    spelling = learn_spelling((sample.about["spoken"] for sample in samples), shared.tokenizer, _LEAST_PIECE_COUNT)
    classes = shared.table[torch.tensor(spelling.tokens)].float().clone()
    sizes = replace(_HEAD, encoder_width=shared.frames.width, llm_width=classes.shape[1])
    head = StackConvCtc(sizes, classes)
    finished = shared.settings.work / "head.pt"
    if (done := read_checkpoint(finished)) is not None:
        load_trained(head, done)
        return head.eval(), spelling
    clips = SilentClips(samples, None, shared.settings.seed, shared.settings.longest_seconds)
    folder = shared.settings.work / "head"
    loss = HeadLoss(shared.frames, head, spelling)
    run = Run(folder, loss, clips, run_settings, shared.processes, shared.precision)
    run.descend("ctc")
    write_checkpoint(finished, head.state_dict())
    return head.eval(), spelling
