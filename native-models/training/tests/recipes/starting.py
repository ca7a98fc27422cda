"""Recipes on tiny models: their settings, and how they are started, alone or by torchrun."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.parts.tiny import write_gguf, write_shards, write_whisper, write_whisper_tokens

ROOT = Path(__file__).parents[2]
Settings = dict[str, Any]
RUN: Settings = {"steps": 4, "warmup_steps": 1, "batch_seconds": 6, "workers": 0, "log_every": 2, "check_every": 2}
COMMON: Settings = {
    "prompt": {"system": "You help.", "tasks": {"transcribe": "\nRepeat.", "story": "\nTell."}},
    "precision": "f32",
    "held_out_clips": 2,
    "augmented_share": 0.0,
}
_LISTENING: Settings = {"run": RUN, "tasks": {"transcribe": 1, "answer": 1}}
_BLOCKS: Settings = {"encoder_width": 64, "width": 64, "llm_width": 64, "blocks": 1, "wide": 32, "heads": 2}
RECIPES: dict[str, Settings] = {
    "default": {
        "adaptor": {"draft": _BLOCKS, "blocks": 1, "wide": 32, "heads": 2, "longest_draft": 40, "prefix": [1]},
        "least_piece_count": 2,
        "draft": RUN,
        "look": {"run": RUN},
        "answer": {"run": RUN, "answers": {"rank": 2, "alpha": 4}},
    },
    "sim": _LISTENING | {"adaptor": {"kind": "conv"}, "trained": ["adaptor", "lora"]},
    "salmonn": _LISTENING
    | {"sound_width": 64, "sound_layers": 1, "instruction": RUN, "activation": RUN, "discounts": [0.0, 1.0]}
    | {"activation_share": 0.3}
    | {"adaptor": {"kind": "window-q-former", "query_width": 64}},
    "audiochatllama": _LISTENING | {"width": 64, "layers": 1, "channels": 8, "recognition": RUN},
    "aligner": _LISTENING | {"trainable_rank": 4, "ranks": [2]},
}


def write_models(folder: Path) -> dict[str, Path]:
    """What every recipe's settings name: data, encoder, its tokens, and LLM."""
    folder.mkdir(parents=True, exist_ok=True)
    gguf = write_gguf(folder / "tiny.gguf")
    return {
        "data": write_shards(folder / "data"),
        "encoder": write_whisper(folder / "whisper"),
        "tokens": write_whisper_tokens(folder / "whisper/tokenizer.json", gguf),
        "llm": gguf,
    }


def settings_of(recipe: str, models: dict[str, Path]) -> Settings:
    if recipe == "default":
        names = {"data": "data", "whisper": "encoder", "whisper_tokens": "tokens", "llm": "llm"}
    else:
        names = {"data": "data", "encoder": "encoder", "llm": "llm"}
    return COMMON | RECIPES[recipe] | {name: str(models[which]) for name, which in names.items()}


def each_run(settings: Settings, change: Callable[[Settings], Settings]) -> Settings:
    """Every stage's budget and batches, changed alike."""
    if "steps" in settings:
        return change(settings)
    return {name: each_run(value, change) if isinstance(value, dict) else value for name, value in settings.items()}


def write_settings(settings: Settings, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "settings.yaml"
    file.write_text(yaml.safe_dump(settings | {"out": str(folder / "out")}))
    return file


def start(recipe: str, settings: Settings, folder: Path, processes: int = 1) -> list[Settings]:
    """Runs it, as torchrun does where there are several → the lines of all its logs."""
    file = write_settings(settings, folder)
    if processes == 1:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [recipe, "--settings", str(file)])
            importlib.import_module(f"recipes.{recipe}").main()
    else:
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        done = subprocess.run(
            [sys.executable, *launcher, "-m", f"recipes.{recipe}", "--settings", str(file)],
            cwd=ROOT,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    return lines_of(folder)


def start_and_kill(recipe: str, settings: Settings, folder: Path, when: Callable[[str], bool]) -> None:
    """Starts it, and kills it outright at the first line of its output that `when` is true of."""
    file = write_settings(settings, folder)
    command = [sys.executable, "-m", f"recipes.{recipe}", "--settings", str(file)]
    with subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if when(line):
                process.send_signal(signal.SIGKILL)
                break
        process.stdout.read()
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"


def lines_of(folder: Path) -> list[Settings]:
    return [json.loads(line) for log in sorted(folder.rglob("log.jsonl")) for line in log.read_text().splitlines()]


def _environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
