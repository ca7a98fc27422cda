"""A model that is loaded again hears what it heard when training ended: from an export, and from a checkpoint."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from evaluation.listening import SpeechLlm, Turn
from evaluation.loading import Published, load_listener
from parts.settings import parse
from recipes.default import DefaultSettings
from tests.recipes.starting import settings_of, start, write_models


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DefaultSettings, Published]:
    """The default recipe's folder after all its stages on tiny models."""
    folder = tmp_path_factory.mktemp("trained")
    start("default", settings_of("default", write_models(folder / "models")), folder)
    settings = parse(DefaultSettings, yaml.safe_load((folder / "settings.yaml").read_text()))
    return settings.out, settings, Published(settings.whisper, settings.llm, settings.prompt)


def noise() -> np.ndarray:
    return np.random.default_rng(3).normal(0, 0.1, 16000).astype(np.float32)


def test_an_export_hears_what_its_checkpoint_hears(trained: tuple[Path, DefaultSettings, Published]) -> None:
    out, settings, published = trained
    exported = SpeechLlm(load_listener(out / "export", published))
    kept = SpeechLlm(load_listener(out / "answer/checkpoint.pt", published, settings))
    turns = [Turn(noise())]
    first, _ = exported.expectations(turns, "the cat", False)
    second, _ = kept.expectations(turns, "the cat", False)
    # Half precision lies between them.
    torch.testing.assert_close(first, second, atol=0.02, rtol=0.02)
    published_alone, _ = kept.expectations(turns, "the cat", True)
    assert not torch.equal(second, published_alone)
    assert isinstance(kept.transcribe(noise()), str)


def test_a_stage_before_the_answers_listens_with_the_llm_as_published(
    trained: tuple[Path, DefaultSettings, Published],
) -> None:
    out, settings, published = trained
    looking = SpeechLlm(load_listener(out / "look.pt", published, settings))
    turns = [Turn(noise())]
    own, _ = looking.expectations(turns, "the cat", False)
    alone, _ = looking.expectations(turns, "the cat", True)
    torch.testing.assert_close(own, alone)


def test_what_is_not_known_is_refused(trained: tuple[Path, DefaultSettings, Published], tmp_path: Path) -> None:
    out, settings, published = trained
    with pytest.raises(ValueError, match="no checkpoint of the second look"):
        load_listener(out / "draft.pt", published, settings)
    with pytest.raises(ValueError, match="name the settings"):
        load_listener(out / "look.pt", published)
    (tmp_path / "adaptor.json").write_text(json.dumps({"architecture": "ear-trumpet"}))
    (tmp_path / "adaptor.gguf").write_bytes((out / "export/adaptor.gguf").read_bytes())
    with pytest.raises(ValueError, match="ear-trumpet"):
        load_listener(tmp_path, published)
