import json
import shutil
from pathlib import Path

import pytest
import soundfile

from evaluation.suite import read_suite
from evaluation.synthesise import QUESTIONS, speak

pytestmark = pytest.mark.skipif(shutil.which("flite") is None, reason="needs Debian's package flite")


def test_every_turn_is_spoken_and_the_suite_can_be_read(tmp_path: Path) -> None:
    questions = json.loads(QUESTIONS.read_text("utf-8"))
    multi_turn = next(question for question in questions if len(question.get("turns", [])) == 2)
    speak([questions[0], multi_turn], tmp_path)
    first, second = read_suite(tmp_path / "suite.json")
    assert first.is_question
    assert first.answers == questions[0]["answers"]
    assert [turn.answer for turn in second.turns] == [turn["answer"] for turn in multi_turn["turns"]]
    for path in [first.audio, second.audio, *(turn.audio for turn in second.turns)]:
        sound = soundfile.info(path)
        assert (sound.samplerate, sound.channels) == (16000, 1)
        assert 0.5 < sound.duration < 5


def test_all_questions_are_different_and_know_an_answer() -> None:
    questions = json.loads(QUESTIONS.read_text("utf-8"))
    assert len({question["id"] for question in questions}) == len(questions)
    assert all(question["answers"] for question in questions)
