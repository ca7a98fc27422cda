"""Each recipe, whole, on tiny models: what it trains is exported under the foundry's names."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from parts.export import read_adaptor
from tests.recipes.starting import settings_of, start, write_models


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_models(tmp_path_factory.mktemp("tiny"))


def test_default_trains_its_stages_and_exports_what_the_foundry_reads(models: dict[str, Path], tmp_path: Path):
    settings = settings_of("default", models)
    lines = start("default", settings, tmp_path)
    assert {"ctc", "transcript", "wer"} <= {name for line in lines for name in line}
    tensors = read_adaptor(tmp_path / "out/export")
    # Started again, it has nothing left to do, and exports the same.
    (tmp_path / "out/export/adaptor.gguf").unlink()
    start("default", settings, tmp_path)
    again = read_adaptor(tmp_path / "out/export")
    assert all(bool((value == again[name]).all()) for name, value in tensors.items())
    configuration = json.loads((tmp_path / "out/export/adaptor.json").read_text())
    assert configuration["architecture"] == "second-look" and configuration["mode"] == "compress"
    assert len(tensors["adaptor.bias"]) == len(configuration["vocab"]) == len(configuration["adaptor"]["whisper"])
    assert len(tensors["draft.bias"]) == len(configuration["adaptor"]["drafted"])
    assert {"adaptor.blocks.0.qkv.weight", "lora.model.layers.1.self_attn.o_proj.B"} <= set(tensors)


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        ("sim", "adaptor.layers.0.weight"),
        ("salmonn", "speech_query_tokens"),
        ("audiochatllama", "adaptor.0.weight"),
        ("aligner", "aligner.weight"),
    ],
)
def test_papers_recipes_train_and_export(recipe: str, name: str, models: dict[str, Path], tmp_path: Path):
    lines = start(recipe, settings_of(recipe, models), tmp_path)
    losses = [line["loss"] for line in lines if line["kind"] == "train" and "loss" in line]
    assert losses and all(loss > 0 for loss in losses)
    assert name in load_file(tmp_path / "out/export/adaptor.safetensors")
    # For the eye: the same figures as the log's.
    assert list((tmp_path / "out").rglob("tensorboard/events.out.tfevents.*"))
