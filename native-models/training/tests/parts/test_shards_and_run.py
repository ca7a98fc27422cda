from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from parts.checkpoints import load_trained, trained_state
from parts.distributed import Processes
from parts.precision import Precision
from parts.run import Run, RunSettings
from parts.settings import parse
from parts.shards import BatchesOfLikeLength, Clips, join_clips, read_index
from tests.parts.tiny import write_shards


def quieter(sound: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return sound * np.float32(generator.uniform(0.1, 1))


def test_a_clip_sounds_new_in_each_epoch_and_the_same_when_asked_again(tmp_path: Path):
    samples = read_index(write_shards(tmp_path))
    clips = Clips(samples, quieter, 0, 10)
    first, again, later = clips[0, 3][0], clips[0, 3][0], clips[1, 3][0]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, later)
    batch = join_clips([clips[0, 0], clips[0, 1]])
    assert (batch.lengths % 2560 == 0).all() and batch.samples.shape[1] == batch.lengths.max()


def test_index_refuses_a_folder_without_what_is_wanted(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no shards"):
        read_index(write_shards(tmp_path), lambda about: about["language"] == "xx")


def test_batches_hold_everything_once_an_epoch_and_are_shared_among_ranks():
    lengths = [float(n % 7 + 1) for n in range(50)]
    alone = BatchesOfLikeLength(lengths, 20, 1).whole_epoch(0)
    assert sorted(number for batch in alone for number in batch) == list(range(50))
    halves = [iter(BatchesOfLikeLength(lengths, 20, 1, rank, 2)) for rank in (0, 1)]
    whole = BatchesOfLikeLength(lengths, 20, 1, 0, 2).whole_epoch(0)
    for batch in whole:
        shares = [[number for _, number in next(half)] for half in halves]
        assert all(shares) and sorted(number for share in shares for number in share) == sorted(batch)


def test_processes_without_a_clip_each_are_refused():
    with pytest.raises(ValueError, match="2 clips"):
        BatchesOfLikeLength([1.0, 2.0], 20, 1, 0, 3)


class Level(nn.Module):
    """A model of two numbers that draws from the random state, as dropout does."""

    def __init__(self) -> None:
        super().__init__()
        self.slope, self.frozen = nn.Parameter(torch.ones(2)), nn.Linear(2, 2).requires_grad_(False)

    def forward(self, batch) -> torch.Tensor:
        level = batch.samples.square().mean() * 100 + torch.rand(())
        return (self.slope.sum() * level - 1).square()


def train(folder: Path, clips: Clips, stop: int | None) -> nn.Module:
    torch.manual_seed(5)
    settings = RunSettings(steps=8, warmup_steps=1, batch_seconds=5, workers=0, log_every=2, learning_rate=0.1)
    model = Level()
    processes = Processes()
    run = Run(folder, model, clips, settings, processes, Precision("f32", processes.device))
    for batch in run.batches():
        run.update(run.model(batch), len(batch.about))
        if run.step == stop:
            run.save()
            break
    run.log.close()
    return model


def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(tmp_path: Path):
    clips = Clips(read_index(write_shards(tmp_path / "data")), quieter, 0, 10)
    whole = train(tmp_path / "whole", clips, None)
    train(tmp_path / "parts", clips, 3)
    resumed = train(tmp_path / "parts", clips, None)
    torch.testing.assert_close(resumed.slope, whole.slope, atol=0, rtol=0)
    assert (tmp_path / "parts" / "log.jsonl").read_text().count('"kind": "train"') >= 3


def test_checkpoints_hold_what_is_trained_and_refuse_what_is_not_known():
    model = Level()
    assert set(trained_state(model)) == {"slope"}
    with pytest.raises(ValueError, match="lacks"):
        load_trained(model, {})


def test_settings_refuse_unknown_fields():
    assert parse(RunSettings, {"steps": 3, "learning_rate": 1}).learning_rate == 1.0
    with pytest.raises(ValueError, match="unknown"):
        parse(RunSettings, {"step": 3})
