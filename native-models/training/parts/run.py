"""One training run: budget, schedule, optimiser, checkpoints and figures; a recipe is its loss and little else."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from parts.checkpoints import (
    load_trained,
    random_state,
    read_checkpoint,
    restore_random_state,
    trained_state,
    write_checkpoint,
)
from parts.distributed import Processes
from parts.logs import Log
from parts.precision import Precision
from parts.shards import BatchesOfLikeLength, ClipBatch, Clips, loader


@dataclass(frozen=True)
class RunSettings:
    """One schedule over one budget: the learning rate warms up, then falls along a cosine until the budget is spent."""

    steps: int | None = None
    hours: float | None = None
    """Of training alone, summed over interruptions; with both, what ends first."""
    learning_rate: float = 1e-3
    rates: dict[str, float] = field(default_factory=dict)
    """Factors for parameters whose name begins so: `encoder: 0.1`."""
    warmup_steps: int = 200
    weight_decay: float = 0.02
    clip_norm: float = 1.0
    batch_seconds: float = 160.0
    workers: int = 1
    log_every: int = 20
    check_every: int = 500
    save_minutes: float = 5.0
    seed: int = 0


class Run:
    def __init__(
        self,
        folder: Path,
        model: nn.Module,
        clips: Clips,
        settings: RunSettings,
        processes: Processes,
        precision: Precision,
    ) -> None:
        if settings.steps is None and settings.hours is None:
            raise ValueError("a run needs `steps` or `hours`")
        self.folder, self.settings, self.processes, self.precision = folder, settings, processes, precision
        self.plain = model
        self.model = processes.wrap(model)
        lengths = [float(sample.about["seconds"]) for sample in clips.samples]
        world = processes.world
        seconds = settings.batch_seconds * world
        self.order = BatchesOfLikeLength(lengths, seconds, settings.seed, processes.rank, world)
        self.clips = clips
        self.optimizer = torch.optim.AdamW(self._groups(), lr=settings.learning_rate, betas=(0.9, 0.98))
        self.log = Log(folder, processes.first)
        self.step = self.seen = 0
        self.spent = 0.0
        self._since: dict[str, float] = {}
        self._resume()
        self.log.figures("note", self.step, device=str(processes.device), **precision.rates)

    def _groups(self) -> list[dict[str, Any]]:
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for name, parameter in self.plain.named_parameters():
            if parameter.requires_grad:
                fits = [rate for start, rate in self.settings.rates.items() if name.startswith(start)]
                decay = self.settings.weight_decay if parameter.ndim > 1 else 0.0
                groups.setdefault((fits[0] if fits else 1.0, decay), []).append(parameter)
        return [{"params": p, "factor": rate, "weight_decay": decay} for (rate, decay), p in groups.items()]

    def progress(self) -> float:
        """Of the budget, 0 to 1."""
        by_steps = self.step / self.settings.steps if self.settings.steps is not None else 0.0
        by_time = self.spent / 3600 / self.settings.hours if self.settings.hours is not None else 0.0
        # Everybody stops at the same step: the slowest process' clock counts for nobody else.
        mean = self.processes.sum(by_time) / self.processes.world if self.settings.hours is not None else 0.0
        return min(1.0, max(by_steps, mean))

    def learning_rate(self) -> float:
        warm = min(1.0, (self.step + 1) / max(1, self.settings.warmup_steps))
        return self.settings.learning_rate * warm * max(0.01, 0.5 * (1 + math.cos(math.pi * self.progress())))

    def batches(self) -> Iterator[ClipBatch]:
        """Until the budget is spent; `update` has to be called once for each."""
        self.model.train()
        last_save = time.monotonic()
        for batch in loader(self.clips, self.order, self.settings.workers):
            if self.progress() >= 1:
                break
            start = time.monotonic()
            yield batch.to(self.processes.device)
            self.spent += time.monotonic() - start
            if time.monotonic() - last_save > 60 * self.settings.save_minutes:
                self.save()
                last_save = time.monotonic()
        self.save()

    def descend(self, name: str) -> None:
        """The whole run, for a model that gives (its loss summed over its targets, how many there are) of a batch."""
        for batch in self.batches():
            with self.precision.autocast():
                total, count = self.model(batch)
            self.update(self.processes.share(total, count), len(batch.about), **{name: total.item() / max(1, count)})
        self.log.close()

    def update(self, loss: Tensor, samples: int, /, **figures: float) -> None:
        """One step along the gradient; `figures` are means over the batch, logged as means since the last line."""
        rate = self.learning_rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(trained, self.settings.clip_norm)
        # One broken batch must not cost the night.
        if math.isfinite(float(norm)):
            self.optimizer.step()
        self.step += 1
        self.seen += int(self.processes.sum(samples))
        self.order.advance()
        self._note(samples=samples, gradient=float(norm), **figures)
        if self.step % self.settings.log_every == 0:
            self._write(rate)

    def _note(self, **figures: float) -> None:
        for name, value in figures.items():
            self._since[name] = self._since.get(name, 0.0) + value
            self._since[f"{name}#"] = self._since.get(f"{name}#", 0.0) + 1
        self._since.setdefault("began", time.monotonic())

    def _write(self, rate: float) -> None:
        since = self._since
        began, samples = since.pop("began"), since["samples"]
        means = {
            name: since[name] / since[f"{name}#"] for name in since if not name.endswith("#") and name != "samples"
        }
        steps = since["samples#"]
        # The first of the steps since the last line is the one that the clock began at.
        speed = samples * (steps - 1) / steps / max(1e-6, time.monotonic() - began)
        self.log.figures(
            "train",
            self.step,
            seen=self.seen,
            epoch=self.order.epoch,
            rate=rate,
            samples_per_second=speed * self.processes.world,
            progress=self.progress(),
            **means,
        )
        self._since = {}

    @property
    def checks(self) -> bool:
        """Whether held-out figures are due."""
        return self.step % self.settings.check_every == 0

    def save(self) -> None:
        state = trained_state(self.plain)
        if not self.processes.first:
            return
        write_checkpoint(
            self.folder / "checkpoint.pt",
            {
                "model": state,
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "seen": self.seen,
                "spent": self.spent,
                "epoch": self.order.epoch,
                "position": self.order.position,
                "random": random_state(),
            },
        )

    def _resume(self) -> None:
        found = read_checkpoint(self.folder / "checkpoint.pt")
        if found is None:
            return
        load_trained(self.plain, found["model"])
        self.optimizer.load_state_dict(found["optimizer"])
        self.step, self.seen, self.spent = found["step"], found["seen"], found["spent"]
        self.order.epoch, self.order.position = found["epoch"], found["position"]
        restore_random_state(found["random"])
        self.log.figures("note", self.step, resumed=self.seen)
