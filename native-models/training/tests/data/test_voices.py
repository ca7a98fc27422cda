"""Voices: every language finds a speaker, held-out voices stay apart, the seed casts; Kokoro's phonemes."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from data.items import generator_for
from data.voices.casting import HELD_OUT, Cast
from data.voices.interface import SynthesisError, resample, trim
from data.voices.kokoro import SYMBOLS
from data.voices.phonemes import phonemes

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is a Debian package, which the tests do not install"
)
VOICES = "af_bella af_heart am_adam am_michael bf_emma bf_lily bm_george ef_dora ff_siwis if_sara jf_alpha".split()


@pytest.fixture
def cast(tmp_path: Path) -> Cast:
    """A cast with Kokoro's voices by name; its model is not needed to choose among them."""
    for name in VOICES:
        np.zeros((510, 256), "<f4").tofile(tmp_path / f"{name}.bin")
    return Cast(tmp_path)


def test_the_seed_casts(cast: Cast) -> None:
    def drawn(seed: int) -> list[str]:
        return [cast.speaking("kokoro", "en", False, generator_for(seed, i)).voice.label for i in range(20)]

    assert drawn(1) == drawn(1) != drawn(2)


@pytest.mark.parametrize("group", ["quick", "kokoro"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it"])
def test_every_language_finds_a_speaker(cast: Cast, group: str, language: str) -> None:
    for index in range(10):
        assert cast.speaking(group, language, False, generator_for(index)).voice.language == language


@pytest.mark.parametrize("group", ["quick", "kokoro"])
def test_held_out_voices_are_cast_for_tests_alone(cast: Cast, group: str) -> None:
    for index in range(200):
        name = cast.speaking(group, "en", False, generator_for(index)).voice.label
        parts = {f"{name.split('/')[0]}/{part.split('*')[0]}" for part in name.split("/")[1].split("+")}
        assert name not in HELD_OUT and (group == "quick" or not parts & HELD_OUT)
        assert cast.speaking(group, "en", True, generator_for(index)).voice.label in HELD_OUT


def test_a_blend_has_the_first_voices_accent_and_a_sex_only_if_both_agree(cast: Cast) -> None:
    kokoro = cast.synthesisers["kokoro"]
    assert kokoro.voice("bf_lily*0.60+af_heart*0.40").accent == "British"
    assert kokoro.voice("bf_lily*0.60+af_heart*0.40").sex == "woman"
    assert kokoro.voice("bf_lily*0.60+am_adam*0.40").sex == "unknown"


@needs_espeak
def test_english_becomes_kokoros_symbols() -> None:
    assert phonemes("Hello, you.", "a") == "həlˈO, jˈu."
    assert phonemes("I go.", "b").endswith("ɡˈQ.")
    for accent in "ab":
        assert set(phonemes("Children measure the judge's church, oh boy; now what?", accent)) <= set(SYMBOLS)


def test_silence_is_no_speech_and_edges_are_cut() -> None:
    with pytest.raises(SynthesisError):
        trim(np.zeros(16000, np.float32))
    speech = np.concatenate([np.zeros(16000), np.sin(np.arange(8000) / 5), np.zeros(16000)])
    assert len(trim(resample(speech, 16000))) == pytest.approx(8000 + 3200, abs=20)
