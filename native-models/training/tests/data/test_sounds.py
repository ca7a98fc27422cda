"""Synthesised events, music and scenes: sound is sound, questions have answers, seeds decide."""

import numpy as np
import pytest

from data.events import EVENTS, render
from data.items import generator_for
from data.mixtures import SCENES, scene
from data.music import chords


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_can_be_heard(name: str) -> None:
    samples = render(name, np.random.default_rng(0))
    assert samples.dtype == np.float32 and np.isfinite(samples).all()
    assert 0.25 * 16000 < len(samples) < 5 * 16000
    assert np.abs(samples).max() == pytest.approx(0.7, abs=0.1)


def test_a_scene_depends_on_its_seed_alone() -> None:
    first, again, other = (scene(generator_for(seed, "scene")) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert (first.question, first.answer) == (again.question, again.answer)
    assert len(other.samples) != len(first.samples) or (other.samples != first.samples).any()


def test_every_kind_of_scene_asks_and_answers() -> None:
    for make in SCENES:
        made = make(np.random.default_rng(5))
        assert made.question[-1] in ".?" and made.answer.endswith(".") and np.abs(made.samples).max() <= 1


def test_music_is_drawn_from_all_its_kinds() -> None:
    facts = [chords(np.random.default_rng(seed))[1] for seed in range(40)]
    assert {fact["mode"] for fact in facts} == {"major", "minor"}
    assert {fact["motion"] for fact in facts} == {"rising", "falling"}
    assert len({fact["timbre"] for fact in facts}) == 4
