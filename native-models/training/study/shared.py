"""What every arm has in common, loaded once in its process."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor, nn

from parts.distributed import Processes
from parts.language_model import ChatTokenizer, load_language_model, load_tokenizer
from parts.listener import Workbench
from parts.precision import Precision
from parts.shards import Clips, Sample
from parts.whisper_encoder import WhisperEncoder, load_whisper_encoder
from study.clips import KnownFrames, SilentClips, batches_of, known_frames, study_samples
from study.settings import StudySettings


@dataclass
class Shared:
    settings: StudySettings
    processes: Processes = field(default_factory=Processes)

    @cached_property
    def precision(self) -> Precision:
        return Precision("auto", self.processes.device)

    @cached_property
    def samples(self) -> dict[str, list[Sample]]:
        return study_samples(self.settings)

    @cached_property
    def frames(self) -> KnownFrames:
        return known_frames(self.settings, self.samples, self.precision.dtype)

    @cached_property
    def tokenizer(self) -> ChatTokenizer:
        return load_tokenizer(self.settings.llm)

    @cached_property
    def llm(self) -> nn.Module:
        return load_language_model(self.settings.llm)

    @cached_property
    def encoder(self) -> WhisperEncoder:
        return load_whisper_encoder(self.settings.encoder)

    @property
    def table(self) -> Tensor:
        """The LLM's token embeddings `[tokens, hidden]`."""
        return self.llm.get_input_embeddings().weight

    def bench(self, samples: list[Sample], checked: list[Sample], seed: int, silent: bool = True) -> Workbench:
        """As `parts.listener.prepare` makes it, of the study's clips."""
        kind = SilentClips if silent else Clips
        return Workbench(
            kind(samples, None, seed, self.settings.longest_seconds),
            batches_of(checked, self.settings.batch_seconds, kind),
            self.encoder,
            self.llm,
            self.tokenizer,
            self.processes,
            self.precision,
        )
