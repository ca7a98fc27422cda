import json
import shutil
from pathlib import Path

import pytest
import soundfile

from data.recorded import SUITES, evaluation_texts
from data.voices.casting import HELD_OUT
from evaluation.metrics import is_answered
from evaluation.suite import read_suite
from evaluation.synthesise import held_out_voices, speak

QUESTIONS = json.loads((SUITES / "questions.json").read_text("utf-8"))
SENTENCES = json.loads((SUITES / "names.json").read_text("utf-8"))


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs Debian's package flite")
def test_every_turn_is_spoken_and_the_suite_can_be_read(tmp_path: Path) -> None:
    multi_turn = next(question for question in QUESTIONS if len(question.get("turns", [])) == 2)
    voices = held_out_voices(None)
    spoken = speak([QUESTIONS[0], multi_turn], tmp_path, voices)
    first, second = read_suite(tmp_path / "suite.json")
    assert first.is_question
    assert first.answers == QUESTIONS[0]["answers"]
    assert [turn.answer for turn in second.turns] == [turn["answer"] for turn in multi_turn["turns"]]
    for path in [first.audio, second.audio, *(turn.audio for turn in second.turns)]:
        sound = soundfile.info(path)
        assert (sound.samplerate, sound.channels) == (16000, 1)
        assert 0.5 < sound.duration < 5
    assert [item["voice"] for item in spoken] == [voice.label for _, voice in (voices * 2)[:2]]


def test_no_training_voice_speaks() -> None:
    voices = [voice.label for _, voice in held_out_voices(None)]
    assert voices
    assert set(voices) <= HELD_OUT


def test_all_questions_are_different_and_know_an_answer() -> None:
    alone = [question for question in QUESTIONS if "turns" not in question]
    assert len(alone) >= 60
    assert len(QUESTIONS) - len(alone) >= 8
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS)
    assert all(question["answers"] for question in QUESTIONS)


def test_an_answer_that_needs_an_earlier_turn_is_not_in_the_question() -> None:
    for question in QUESTIONS:
        assert not is_answered(question["text"], question["answers"], "en"), question["id"]


def test_what_must_be_kept_is_said() -> None:
    assert len(SENTENCES) >= 60
    for sentence in SENTENCES:
        for word in sentence["keep"]:
            assert is_answered(sentence["text"], [word], "en"), (sentence["id"], word)


def test_all_that_is_spoken_is_refused_in_training() -> None:
    refused = evaluation_texts()
    assert len(refused) >= len(QUESTIONS) + len(SENTENCES)
    assert "captain erikson sailed past greenland in eighteen ninety three" in refused
