"""Recorded clips: listed with hash and licence, found or fetched, made harder, and never in training."""

import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.recorded import LISTS, Recorded, Source, all_recorded, fingerprints, recorded, sound_of
from data.rooms import room_response
from data.shards import fingerprint
from evaluation import fetching
from evaluation.fetching import ClipMissingError, clip_files
from evaluation.harder import in_a_room, is_far, with_noise
from evaluation.prepare import prepare

SAMPLES = [clip for clip in all_recorded() if clip.source.kind == "here"]


def test_clips_are_listed_once_with_hash_and_licence() -> None:
    clips = all_recorded()
    for value in ("identifier", "sha256", "fingerprint"):
        assert len({getattr(clip, value) for clip in clips}) == len(clips)
    assert all(len(clip.sha256) == 64 and clip.source.licence and clip.transcript for clip in clips)
    assert all(len(recorded(name)) >= 50 for name in LISTS)
    pinned = [clip.source for clip in clips if clip.source.kind == "repository"]
    assert all(len(source.version) == 40 for source in pinned)


def test_a_clip_of_this_repository_is_found_and_known_by_its_sound(tmp_path: Path) -> None:
    assert SAMPLES
    for identifier, path in clip_files(SAMPLES, tmp_path, offline=True).items():
        (clip,) = (clip for clip in SAMPLES if clip.identifier == identifier)
        assert fingerprint(sound_of(path)) == clip.fingerprint
        assert clip.fingerprint in fingerprints()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Recorded, Path, list[str]]]:
    """A clip of a repository that this machine serves itself; its folder, and what is asked of it."""
    folder = tmp_path / "served"
    folder.mkdir()
    soundfile.write(folder / "clip.wav", np.linspace(-0.5, 0.5, 16000), 16000)
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(fetching, "_RAW", f"http://127.0.0.1:{server.server_port}/{{file}}")
    source = Source("repository", "someone/something", "sounds", "CC0-1.0", "0" * 40)
    digest = hashlib.sha256((folder / "clip.wav").read_bytes()).hexdigest()
    yield Recorded("clip", source, "clip.wav", "A rising line.", digest, "f" * 32), folder, asked
    server.shutdown()


def test_a_clip_is_fetched_once(elsewhere: tuple[Recorded, Path, list[str]], tmp_path: Path) -> None:
    clip, folder, asked = elsewhere
    for _ in range(2):
        path = clip_files([clip], tmp_path / "cache")["clip"]
        assert path.read_bytes() == (folder / "clip.wav").read_bytes()
    assert len(asked) == 1


def test_another_file_is_refused(elsewhere: tuple[Recorded, Path, list[str]], tmp_path: Path) -> None:
    clip, folder, _ = elsewhere
    (folder / "clip.wav").write_bytes(b"something else")
    with pytest.raises(ClipMissingError, match="its hash differs"):
        clip_files([clip], tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_clip_may_be_brought_along(elsewhere: tuple[Recorded, Path, list[str]], tmp_path: Path) -> None:
    clip, folder, asked = elsewhere
    (tmp_path / "brought").mkdir()
    shutil.copy(folder / "clip.wav", tmp_path / "brought")
    assert clip_files([clip], tmp_path / "cache", [tmp_path / "brought"], offline=True)
    assert not asked


def test_what_cannot_be_fetched_says_what_to_do(elsewhere: tuple[Recorded, Path, list[str]], tmp_path: Path) -> None:
    clip, folder, _ = elsewhere
    with pytest.raises(ClipMissingError, match=r"not here, clip\.wav for one.*--found"):
        clip_files([clip], tmp_path / "cache", offline=True)
    (folder / "clip.wav").unlink()
    with pytest.raises(ClipMissingError, match=r"could not be fetched: .*404.*--found"):
        clip_files([clip], tmp_path / "cache")


def test_noise_is_the_same_for_the_same_seed_and_ten_decibels_below() -> None:
    generator = np.random.default_rng(0)
    speech = [generator.normal(0, 0.1, 16000).astype(np.float32) for _ in range(3)]
    first, again, other = (with_noise(speech, "abc", seed) for seed in (1, 1, 2))
    for clean, noisy, twin, elsewise in zip(speech, first, again, other, strict=True):
        np.testing.assert_array_equal(noisy, twin)
        assert not np.array_equal(noisy, elsewise)
        ratio = 10 * np.log10(np.mean(clean**2) / np.mean((noisy - clean) ** 2))
        assert ratio == pytest.approx(10, abs=0.6)


def test_a_far_room_outweighs_the_straight_way() -> None:
    tone = np.sin(np.arange(16000) / 5).astype(np.float32) * 0.4
    (heard,) = in_a_room([tone], ["a"], 1)
    np.testing.assert_array_equal(heard, in_a_room([tone], ["a"], 1)[0])
    assert len(heard) == 24000
    assert np.abs(heard).max() == pytest.approx(0.4, abs=1e-5)
    near = np.zeros(8000, np.float32)
    near[0] = 1
    assert not is_far(near)
    assert any(is_far(room_response(0.6, np.random.default_rng(seed))) for seed in range(20))


def test_a_suite_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.prepare.recorded", lambda name: tuple(SAMPLES))
    assert prepare("noise", tmp_path, [], None, True) == len(SAMPLES)
    suite = tmp_path / "suites/noise/suite.json"
    made = suite.stat().st_mtime_ns
    assert prepare("noise", tmp_path, [], None, True) == len(SAMPLES)
    assert suite.stat().st_mtime_ns == made
