"""Each recipe, whole, on tiny models: what it trains is exported under the foundry's names."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

from tests.parts.tiny import write_gguf, write_shards, write_whisper

ROOT = Path(__file__).parents[2]
RUN = {"steps": 4, "warmup_steps": 1, "batch_seconds": 6, "workers": 0, "log_every": 2, "check_every": 2}
PROMPT = {"system": "You help.", "tasks": {"transcribe": "\nRepeat.", "story": "\nTell."}}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("tiny")
    return {
        "data": str(write_shards(folder / "data")),
        "encoder": str(write_whisper(folder / "whisper")),
        "llm": str(write_gguf(folder / "tiny.gguf")),
        "prompt": PROMPT,
        "precision": "f32",
        "held_out_clips": 2,
    }


def start(recipe: str, settings: dict, folder: Path, processes: int = 1) -> list[dict]:
    """Runs it, as torchrun does where there are several → the lines of all its logs."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "settings.yaml"
    file.write_text(yaml.safe_dump(settings | {"out": str(folder / "out")}))
    if processes == 1:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [recipe, "--settings", str(file)])
            importlib.import_module(f"recipes.{recipe}").main()
    else:
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        command = [sys.executable, *torchrun, "-m", f"recipes.{recipe}", "--settings", str(file)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for log in sorted(folder.rglob("log.jsonl")) for line in log.read_text().splitlines()]


DEFAULT = {
    "adaptor": {"encoder_width": 64, "width": 32, "llm_width": 32, "blocks": 1, "wide": 32, "heads": 2},
    "least_piece_count": 2,
    "augmented_share": 0.0,
    "stage1": RUN,
    "stage2": {"run": RUN, "answers": {"rank": 2, "alpha": 4}},
}


def test_default_trains_both_stages_and_exports_what_the_foundry_reads(tiny: dict, tmp_path: Path):
    lines = start("default", tiny | DEFAULT, tmp_path)
    assert {"ctc", "transcript", "wer"} <= {name for line in lines for name in line}
    tensors = load_file(tmp_path / "out/export/adaptor.safetensors")
    # Started again, it has nothing left to do, and exports the same.
    (tmp_path / "out/export/adaptor.safetensors").unlink()
    start("default", tiny | DEFAULT, tmp_path)
    again = load_file(tmp_path / "out/export/adaptor.safetensors")
    assert all(bool((value == again[name]).all()) for name, value in tensors.items())
    configuration = json.loads((tmp_path / "out/export/adaptor.json").read_text())
    assert configuration["adaptor"]["heads"] == 2 and configuration["mode"] == "compress"
    assert len(tensors["ctc.bias"]) == len(configuration["vocab"])
    assert {"adaptor.blocks.0.qkv.weight", "lora.model.layers.1.self_attn.o_proj.B"} <= set(tensors)


def test_two_processes_take_the_steps_that_one_takes(tiny: dict, tmp_path: Path):
    """SpecAugment is off: each process would draw its own masks."""
    still = {"masking": {"time_masks": 0, "band_masks": 0}, "stage2": {"run": RUN | {"steps": 1}}}
    # A batch is as long for two processes as for one.
    one = start("default", tiny | DEFAULT | still, tmp_path / "one")
    halved = {"stage1": RUN | {"batch_seconds": 3}}
    two = start("default", tiny | DEFAULT | still | halved, tmp_path / "two", processes=2)
    held_out = [
        [line["ctc"] for line in lines if line["kind"] == "held-out" and "ctc" in line][:2] for lines in (one, two)
    ]
    assert held_out[0] == pytest.approx(held_out[1], rel=1e-3)


@pytest.mark.parametrize(
    ("recipe", "more", "name"),
    [
        ("sim", {"adaptor": {"kind": "conv"}, "trained": ["adaptor", "lora"]}, "adaptor.layers.0.weight"),
        (
            "salmonn",
            {"sound_width": 64, "sound_layers": 1, "instruction": RUN, "activation": RUN, "discounts": [0.0, 1.0]}
            | {"adaptor": {"kind": "window-q-former", "query_width": 64}},
            "speech_query_tokens",
        ),
        ("audiochatllama", {"width": 64, "layers": 1, "channels": 8, "recognition": RUN}, "adaptor.0.weight"),
        ("aligner", {"trainable_rank": 4, "ranks": [2]}, "aligner.weight"),
    ],
)
def test_papers_recipes_train_and_export(recipe: str, more: dict, name: str, tiny: dict, tmp_path: Path):
    common = tiny | {"run": RUN, "tasks": {"transcribe": 1, "answer": 1}, "augmented_share": 0.0}
    lines = start(recipe, common | more, tmp_path)
    losses = [line["loss"] for line in lines if line["kind"] == "train" and "loss" in line]
    assert losses and all(loss > 0 for loss in losses)
    assert name in load_file(tmp_path / "out/export/adaptor.safetensors")
