"""torchrun: every recipe takes the same steps in two processes as in one, stage after stage."""

from pathlib import Path

import pytest

from tests.recipes.starting import RECIPES, Settings, each_run, settings_of, start, write_models


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_models(tmp_path_factory.mktemp("tiny"))


def still(recipe: str, settings: Settings) -> Settings:
    """Without what each process draws for itself: SpecAugment's masks, corrupted drafts, who answers, mixed turns."""
    settings = settings | {"masking": {"time_masks": 0, "band_masks": 0}}
    if recipe == "default":
        settings["adaptor"] = settings["adaptor"] | {"corrupted": 0.0}
        settings["answer"] = settings["answer"] | {"answer_share": 1.0}
    if recipe == "audiochatllama":
        settings["mixed_share"] = 0.0
    return settings


def held_out(lines: list[Settings]) -> list[float]:
    names = ("ctc", "loss", "answer")
    return [line[name] for line in lines if line["kind"] == "held-out" for name in names if name in line]


@pytest.mark.parametrize("recipe", RECIPES)
def test_two_processes_take_the_steps_that_one_takes(recipe: str, models: dict[str, Path], tmp_path: Path):
    settings = still(recipe, settings_of(recipe, models))
    one = held_out(start(recipe, settings, tmp_path / "one"))
    # A process gets `batch_seconds` of sound: two get the batch of one in halves.
    halves = each_run(settings, lambda run: run | {"batch_seconds": run["batch_seconds"] / 2})
    two = held_out(start(recipe, halves, tmp_path / "two", processes=2))
    assert len(one) >= 3
    # A last batch that is too small to be shared joins the one before: few clips are then grouped a little otherwise.
    assert two == pytest.approx(one, rel=5e-3)
