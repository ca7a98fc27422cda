"""RHVoice and Pico: what they are asked for is heard, a sentence sounds the same anywhere; who speaks how often."""

import numpy as np
import pytest

from data.items import generator_for
from data.voices.casting import HELD_OUT, QUICK_SHARES, Cast
from data.voices.interface import SAMPLE_RATE, Speaking, Synthesiser, SynthesisError
from data.voices.pico import Pico
from data.voices.rhvoice import RHVoice

SENTENCE = "He hoped there would be stew for dinner, turnips and carrots and bruised potatoes."


@pytest.fixture(params=[RHVoice, Pico])
def synthesiser(request: pytest.FixtureRequest) -> Synthesiser:
    made = request.param()
    if not made.voices():
        pytest.skip(f"{made.name} is a Debian package, which the tests do not install (README.md, voices)")
    return made


def pitch_of(samples: np.ndarray) -> float:
    """Hz: the median over frames of 64 ms of the strongest period between 60 and 400 Hz."""
    found = []
    for start in range(0, len(samples) - 1024, 512):
        frame = samples[start : start + 1024] - samples[start : start + 1024].mean()
        spectrum = np.fft.rfft(frame * np.hanning(1024), 4096)
        periods = np.fft.irfft(np.abs(spectrum) ** 2)[: SAMPLE_RATE // 60]
        lag = SAMPLE_RATE // 400 + int(np.argmax(periods[SAMPLE_RATE // 400 :]))
        if periods[lag] > 0.5 * periods[0] > 0.01:
            found.append(SAMPLE_RATE / lag)
    return float(np.median(found))


def test_every_voice_says_the_sentence_and_each_its_own_way(synthesiser: Synthesiser) -> None:
    spoken = [synthesiser.synthesise(SENTENCE, Speaking(voice)) for voice in synthesiser.voices()]
    assert all(3 < len(samples) / SAMPLE_RATE < 8 and np.abs(samples).max() > 0.1 for samples in spoken)
    assert len({samples.tobytes() for samples in spoken}) == len(spoken)


def test_speed_and_pitch_are_as_asked(synthesiser: Synthesiser) -> None:
    for voice in [voice for voice in synthesiser.voices() if voice.language == "en"]:
        own = synthesiser.synthesise(SENTENCE, Speaking(voice))
        quick = synthesiser.synthesise(SENTENCE, Speaking(voice, speed=1.2))
        low = synthesiser.synthesise(SENTENCE, Speaking(voice, pitch=0.75))
        # Pauses, and sounds as short as they can be, stay as they are.
        assert 1.1 < len(own) / len(quick) < 1.3
        assert pitch_of(low) / pitch_of(own) == pytest.approx(0.75, abs=0.06)


def test_a_sentence_sounds_the_same_wherever_it_stands(synthesiser: Synthesiser) -> None:
    first, *_, last = synthesiser.voices()
    alone = type(synthesiser)().synthesise(SENTENCE, Speaking(first))
    synthesiser.synthesise("What came before.", Speaking(last, speed=1.3, pitch=0.8))
    assert np.array_equal(synthesiser.synthesise(SENTENCE, Speaking(first)), alone)


def test_what_looks_like_markup_is_no_command(synthesiser: Synthesiser) -> None:
    voice = synthesiser.voices()[0]
    assert len(synthesiser.synthesise('Is 3 < 5 & "5 > 3" <so> true?', Speaking(voice))) > 2 * SAMPLE_RATE


def test_nothing_said_is_an_error(synthesiser: Synthesiser) -> None:
    with pytest.raises(SynthesisError):
        synthesiser.synthesise(" ", Speaking(synthesiser.voices()[0]))


def test_no_voice_forbids_any_use() -> None:
    for voice in (*RHVoice().voices(), *Pico().voices()):
        assert voice.licence and "NC" not in voice.licence and "ND" not in voice.licence
        assert voice.name not in {"Evgeniy-Eng", "Lyubov"}


def test_buzzing_voices_speak_one_sentence_in_ten_at_most() -> None:
    cast = Cast(None)
    if not all(cast.voices(name, "en", held_out=False) for name in QUICK_SHARES):
        pytest.skip("not every synthesiser is there: they are Debian packages, which the tests do not install")
    labels = [cast.speaking("quick", "en", False, generator_for(7, i)).voice.label for i in range(4000)]
    share = {label: labels.count(label) / len(labels) for label in set(labels)}
    buzzing = [label for label in share if label.startswith("espeak-ng/") or "/kal" in label]
    assert buzzing and sum(share[label] for label in buzzing) < 0.1
    assert not set(share) & HELD_OUT
    assert {label.split("/")[0] for label in share} == set(QUICK_SHARES)
    # No speaker, whichever synthesisers have her, says more than a quarter of it all.
    assert sum(of for label, of in share.items() if "slt" in label.lower()) < 0.25
    assert max(share.values()) < 0.25
