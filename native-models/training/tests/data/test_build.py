"""The tiny data set: built by one command, the same for the same seed, whole, and free of recorded speech."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from data.build import build
from data.check import DataError, check
from data.recorded import all_recorded, fingerprints, refused_texts, sound_of
from data.shards import fingerprint, pack, read_shard, write_clip, write_manifest
from data.texts.spoken_forms import words
from data.voices.casting import HELD_OUT, QUICK_SHARES
from data.voices.flite import Flite
from data.voices.interface import Speaking

SETTINGS = Path(__file__).parents[2] / "data" / "settings" / "tiny.yaml"
SAMPLES = Path(__file__).parents[4] / "resources" / "samples"
needs_voices = pytest.mark.skipif(
    not all(map(shutil.which, ("flite", "espeak-ng", "festival"))),
    reason="flite, espeak-ng, festival are Debian packages, which the tests do not install",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data")
    build(yaml.safe_load(SETTINGS.read_text()), 1, out, None, None, workers=1)
    return out


@needs_voices
def test_the_build_is_as_its_manifest_says(built: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_text())
    assert check(built) == manifest["clips"] > 50
    assert {"flite", "events"} < set(manifest["by"]["synthesiser"]) <= {*QUICK_SHARES, "events"}
    assert {"train", "test"} <= set(manifest["by"]["split"]) <= {"train", "valid", "test"}
    assert not list((built / "work").iterdir())


@needs_voices
def test_the_same_seed_gives_the_same_shards(built: Path, tmp_path: Path) -> None:
    again = build(yaml.safe_load(SETTINGS.read_text()), 1, tmp_path, None, None, workers=1)
    first = json.loads((built / "manifest.json").read_text())
    assert {s["shard"]: s["sha256"] for s in again["shards"]} == {s["shard"]: s["sha256"] for s in first["shards"]}


@needs_voices
def test_no_training_sample_is_recorded_speech(built: Path) -> None:
    refused, sounds = refused_texts(), fingerprints()
    recorded_sources = {clip.source.name for clip in all_recorded()}
    for shard in (built / "shards").glob("*.tar"):
        for samples, about in read_shard(shard):
            assert about["synthesiser"] in {*QUICK_SHARES, "kokoro", "events"}
            assert about["source"] not in recorded_sources
            assert fingerprint(samples) not in sounds
            assert words(about["spoken"]) not in refused


@needs_voices
def test_held_out_voices_speak_in_the_test_split_alone(built: Path) -> None:
    for shard in (built / "shards").glob("*.tar"):
        for _, about in read_shard(shard):
            assert (about["voice"] in HELD_OUT) <= (about["split"] == "test"), about["id"]


def test_a_recorded_clip_in_a_shard_is_found(tmp_path: Path) -> None:
    recorded = sound_of(SAMPLES / "recorded-inaugural-address-1961.wav")
    assert fingerprint(recorded) in fingerprints()
    _write_one(tmp_path, recorded)
    with pytest.raises(DataError, match="recorded clip"):
        check(tmp_path)


def test_a_changed_shard_is_found(tmp_path: Path) -> None:
    _write_one(tmp_path, np.linspace(-0.5, 0.5, 8000, dtype=np.float32))
    assert check(tmp_path) == 1
    shard = tmp_path / "shards" / "one.tar"
    shard.write_bytes(shard.read_bytes().replace(b'"text"', b'"tekt"'))
    with pytest.raises(DataError, match="hash"):
        check(tmp_path)
    shard.unlink()
    with pytest.raises(DataError, match="not there"):
        check(tmp_path)


@needs_voices
def test_a_voice_gives_the_rate_and_the_loudness_that_are_asked_of_all() -> None:
    flite = Flite()
    voice = next(voice for voice in flite.voices() if voice.name == "slt")
    slow = flite.synthesise("Hello there, how are you?", Speaking(voice, speed=0.8))
    fast = flite.synthesise("Hello there, how are you?", Speaking(voice, speed=1.25))
    assert slow.dtype == np.float32 and np.abs(slow).max() <= 1
    assert 1.3 < len(slow) / len(fast) < 1.8


@needs_voices
def test_what_was_stopped_goes_on(built: Path) -> None:
    shard = built / "shards" / "sounds-train-0000.tar"
    before = shard.read_bytes()
    shard.unlink()
    assert (built / "claims" / shard.stem).exists()  # left behind by the process that made it: nobody holds it
    build(yaml.safe_load(SETTINGS.read_text()), 1, built, None, None, workers=1)
    assert shard.read_bytes() == before


def _write_one(out: Path, samples: np.ndarray) -> None:
    work = out / "work"
    work.mkdir()
    (out / "shards").mkdir()
    text = dict.fromkeys("id split text spoken question response language task source licence".split(), "one")
    voice = dict.fromkeys("voice voice_licence synthesiser sex accent".split(), "one")
    write_clip(work, samples, text | voice | {"speed": 1.0, "augmentation": [], "seed": 0})
    pack(work, out / "shards" / "one.tar")
    write_manifest(out, {})
