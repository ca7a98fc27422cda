"""What the study measures with: alignments, the common start, the recogniser, known frames."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from study.alignment import best_path
from study.recogniser import Recogniser
from study.warm_start import stretches
from tests.parts.tiny import VOCABULARY, write_gguf, write_whisper, write_whisper_tokens


def all_paths(steps: int, classes: list[int]) -> list[tuple[int, ...]]:
    """Every labelling of the steps that reads as `classes`."""
    labels = {0, *classes}

    def read(path: tuple[int, ...]) -> list[int]:
        return [label for place, label in enumerate(path) if label and (place == 0 or path[place - 1] != label)]

    return [path for path in itertools.product(labels, repeat=steps) if read(path) == classes]


@pytest.mark.parametrize("classes", [[1, 2], [1, 1], [2, 1, 2], [3]])
def test_the_best_path_is_the_best_of_all(classes: list[int]):
    scores = np.log(np.random.default_rng(len(classes)).dirichlet(np.ones(4), 5))
    best = max(all_paths(5, classes), key=lambda path: sum(scores[step, label] for step, label in enumerate(path)))
    peaks = best_path(scores, classes)
    assert peaks == sorted(peaks) and len(peaks) == len(classes)
    # Each label stands where the best path has it.
    assert [best[peak] for peak in peaks] == classes


def test_each_stretch_has_its_own_tokens_or_one_that_is_near():
    said = [(7, 3.0), (8, 5.0), (9, 30.0)]
    found = stretches(said, vectors=8, frames=40)
    assert found[0] == [7] and found[1] == [8] and found[6] == [9]
    # Nothing is said near the fourth stretch, from 15 to 20; the sixth, whose middle is 27.5, takes its neighbour's.
    assert 3 not in found and found[5] == [9]
    assert stretches(said, vectors=1, frames=40) == {0: [7, 8, 9]}
    assert stretches([], vectors=4, frames=40) == {}


def test_the_recogniser_writes_the_same_alone_and_in_company(tmp_path: Path):
    gguf = write_gguf(tmp_path / "tiny.gguf")
    tokens = write_whisper_tokens(tmp_path / "tokenizer.json", gguf)
    weights = write_whisper(tmp_path / "whisper")
    recogniser = Recogniser(weights, tokens, torch.float32, prefix=(3, 4), end=VOCABULARY - 1)
    generator = np.random.default_rng(0)
    sounds = [generator.normal(0, 0.1, 16000 * seconds).astype(np.float32) for seconds in (1, 2)]
    together = recogniser.transcribe(sounds)
    assert together == [text for sound in sounds for text in recogniser.transcribe([sound])]
    assert all(together)
