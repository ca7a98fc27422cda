"""Sound → what the default adaptor hears: features, encoder, adaptor, and the CTC head read and scored."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from parts.ctc import fits, own_label_ctc, read_labels
from parts.features import HOP, LogMel
from parts.masking import MaskingSettings, mask_features
from parts.second_look import Looked, Sampled, SecondLook
from parts.shards import ClipBatch
from parts.shared_spelling import DraftSpelling, SharedSpelling
from parts.spelling import Spelling
from parts.stack_conv_ctc import Heard, StackConvCtc
from parts.stored_frames import FrameBatch
from parts.whisper_encoder import WhisperEncoder
from parts.word_errors import word_error_rate


class Hearing(nn.Module):
    """Frames of a frozen encoder have no graph behind them; its layers that are trained do."""

    def __init__(
        self,
        encoder: WhisperEncoder,
        adaptor: StackConvCtc | SecondLook,
        spelling: Spelling | SharedSpelling | DraftSpelling,
        masking: MaskingSettings,
        negatives: int = 0,
    ) -> None:
        """`negatives`: in training, how many classes are drawn to stand for all that a batch does not say; 0 is all."""
        super().__init__()
        self.features = LogMel(encoder.bands)
        self.encoder, self.adaptor = encoder, adaptor
        self.spelling, self.masking, self.negatives = spelling, masking, negatives
        trained = [any(p.requires_grad for p in layer.parameters()) for layer in encoder.layers]
        self.frozen_layers = trained.index(True) if any(trained) else len(trained)

    def forward(self, batch: ClipBatch | FrameBatch) -> Heard | Looked:
        frames, lengths = self.stored(batch) if isinstance(batch, FrameBatch) else self.encode(batch)
        if self.training and self.negatives:
            return self.adaptor(frames, lengths, self.sample(batch))
        return self.adaptor(frames, lengths)

    def sample(self, batch: ClipBatch | FrameBatch) -> Sampled:
        said = sorted({label - 1 for about in batch.about for label in self.spelling.classes(about["spoken"])})
        wanted = torch.zeros(len(self.adaptor.bias), dtype=torch.bool)
        wanted[said] = True
        others = (~wanted).nonzero()[:, 0]
        drawn = others[torch.randperm(len(others))[: self.negatives]]
        offsets = torch.zeros(len(wanted))
        offsets[drawn] = math.log(len(others) / max(1, len(drawn)))
        wanted[drawn] = True
        classes = wanted.nonzero()[:, 0]
        device = self.adaptor.bias.device
        return Sampled(classes.to(device), offsets[classes].to(device))

    def stored(self, batch: FrameBatch) -> tuple[Tensor, Tensor]:
        """What was encoded before; stretches of time are masked, as bands no longer can be."""
        frames = batch.frames.to(self.encoder.dtype) * batch.scale.to(self.encoder.dtype)
        if self.training:
            time_alone = replace(self.masking, band_masks=0)
            frames = mask_features(frames.transpose(1, 2), batch.lengths, time_alone).transpose(1, 2)
        return frames, batch.lengths

    def encode(self, batch: ClipBatch) -> tuple[Tensor, Tensor]:
        log_mel, frames = self.features(batch.samples, batch.lengths), batch.lengths // HOP
        if self.training:
            log_mel = mask_features(log_mel, frames, self.masking)
        device = log_mel.device.type
        whole = self.encoder.dtype == torch.float32 and torch.is_autocast_enabled(device)
        # A frozen encoder may be kept in bfloat16 as a whole, which needs no autocast.
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=whole):
            x, lengths = self.encoder.begin(log_mel, frames)
            x = self.encoder.through(x, lengths, 0, self.frozen_layers)
        if self.frozen_layers < len(self.encoder.layers):
            x = self.encoder.through(x, lengths, self.frozen_layers)
        return x, lengths

    def ctc(self, heard: Heard | Looked, batch: ClipBatch | FrameBatch) -> tuple[Tensor, int]:
        """(−log p of all transcripts that fit their clip, their number of tokens)."""
        places = heard.lengths.tolist()
        targets = [self.spelling.classes(about["spoken"]) for about in batch.about]
        if isinstance(heard, Looked) and heard.sampled is not None:
            numbers = {label: place + 1 for place, label in enumerate(heard.sampled.classes.tolist())}
            targets = [[numbers[label - 1] for label in target] for target in targets]
        rows = [row for row, target in enumerate(targets) if fits(target, places[row])]
        chosen = [targets[row] for row in rows]
        if not chosen:
            return self.adaptor.scores(heard).sum() * 0, 0
        scores = self.adaptor.scores(heard)[rows]
        return own_label_ctc(scores, heard.lengths[rows], chosen), sum(map(len, chosen))

    @torch.no_grad()
    def transcripts(self, heard: Heard | Looked, blank_offset: float | None = None) -> list[str]:
        """What the head says, its most likely label at every frame."""
        offset = self.adaptor.blank_offset if blank_offset is None else blank_offset
        labels = self.adaptor.labels(heard, offset).tolist()
        return [
            self.spelling.text(read_labels(row[:length]))
            for row, length in zip(labels, heard.lengths.tolist(), strict=True)
        ]


@torch.no_grad()
def held_out_figures(hearing: Hearing, batches: list[ClipBatch]) -> dict[str, float]:
    """Word errors, loss for a token, and the share of frames kept."""
    hearing.eval()
    loss = tokens = kept = frames = 0.0
    said: list[str] = []
    written: list[str] = []
    for batch in batches:
        heard = hearing(batch)
        total, count = hearing.ctc(heard, batch)
        loss, tokens = loss + float(total), tokens + count
        kept, frames = kept + float(hearing.adaptor.kept(heard)[1].sum()), frames + float(heard.lengths.sum())
        said += [about["spoken"] for about in batch.about]
        written += hearing.transcripts(heard)
    hearing.train()
    return {"wer": word_error_rate(said, written), "ctc": loss / max(1, tokens), "kept": kept / max(1, frames)}


@torch.no_grad()
def choose_blank_offset(
    hearing: Hearing, batches: list[ClipBatch], offsets: tuple[float, ...] = (-0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
) -> float:
    """CTC trains the blank too strong for the rarer words; what is taken off it is chosen by held-out word errors."""
    hearing.eval()
    said = [about["spoken"] for batch in batches for about in batch.about]
    heard = [hearing(batch) for batch in batches]
    rates = {
        offset: word_error_rate(said, [text for one in heard for text in hearing.transcripts(one, offset)])
        for offset in offsets
    }
    hearing.train()
    return min(rates, key=lambda offset: (rates[offset], offset))
