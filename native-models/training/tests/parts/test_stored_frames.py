"""Frames on disk: what training reads is what the encoder would have given, to a part in a hundred."""

from pathlib import Path

import pytest
import torch

from parts.precision import Precision
from parts.shards import read_index
from parts.stored_frames import Store, StoredClips
from parts.whisper_encoder import load_whisper_encoder
from tests.parts.tiny import write_shards, write_whisper


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """(Whisper, shards, frames of two variants)"""
    folder = tmp_path_factory.mktemp("frames")
    whisper, shards = write_whisper(folder / "whisper"), write_shards(folder / "shards", clips=8)
    store = stored(folder / "frames", whisper)
    samples = read_index(shards)
    store.prepare(samples, 2)
    assert all(store.write(samples, variant) for variant in range(2))
    assert not store.write(samples, 0)
    return whisper, shards, folder / "frames"


def stored(folder: Path, whisper: Path) -> Store:
    return Store(folder, load_whisper_encoder(whisper), Precision("f32", torch.device("cpu")), seed=0)


def test_stored_frames_are_the_encoders(folders: tuple[Path, Path, Path]):
    whisper, shards, frames = folders
    clips = StoredClips(read_index(shards), frames)
    batch = clips.join([clips[0, 3], clips[0, 5]])
    # Which clips are augmented is drawn by the seed: the same store gives the same once more.
    store = stored(frames, whisper)
    store.prepare(clips.samples, 2)
    expected = dict((about["id"], values) for values, about in store._encode(clips.samples, 0))
    for row, about in enumerate(batch.about):
        own = batch.frames[row, : int(batch.lengths[row])] * batch.scale
        alone = expected[about["id"]]
        assert own.shape == alone.shape
        assert (own - alone).norm() < 0.02 * alone.norm()


def test_epochs_take_turns_through_the_variants(folders: tuple[Path, Path, Path]):
    clips = StoredClips(read_index(folders[1]), folders[2])
    first, second, third = (clips[epoch, 1][0] for epoch in range(3))
    assert (first == third).all() and (first.shape != second.shape or (first != second).any())


def test_missing_frames_are_named(folders: tuple[Path, Path, Path], tmp_path: Path):
    write_shards(tmp_path / "others")
    (tmp_path / "others/tiny-0000.tar").rename(tmp_path / "others/new-0000.tar")
    with pytest.raises(FileNotFoundError, match="new-0000"):
        StoredClips(read_index(tmp_path / "others"), folders[2])
