"""A run that is killed outright goes on from its last checkpoint, and ends where it would have ended."""

import json
from pathlib import Path

import pytest
import torch

from parts.export import read_adaptor
from tests.recipes.starting import each_run, lines_of, settings_of, start, start_and_kill, write_models


@pytest.mark.parametrize(("stage", "step"), [("draft", 6), ("answer", 6)])
def test_a_killed_run_ends_where_an_uninterrupted_one_does(stage: str, step: int, tmp_path: Path):
    models = write_models(tmp_path / "tiny")
    often = {"steps": 10, "log_every": 1, "check_every": 10, "save_minutes": 0}
    settings = each_run(settings_of("default", models), lambda run: run | often)
    start("default", settings, tmp_path / "whole")
    killed = tmp_path / "killed"

    def reached(_line: str) -> bool:
        log = killed / "out" / stage / "log.jsonl"
        rows = log.read_text().splitlines() if log.exists() else []
        return any(json.loads(row)["step"] >= step and json.loads(row)["kind"] == "train" for row in rows[:-1])

    start_and_kill("default", settings, killed, reached)
    assert not (killed / "out/export").exists()
    start("default", settings, killed)
    notes = [line for line in lines_of(killed) if line["kind"] == "note" and "resumed" in line]
    assert notes and all(note["step"] > 0 for note in notes)
    # Sums are split among threads as they come. The LLM's prefix is read anew at a start, and otherwise once in twenty
    # batches: LoRA has changed a little by then.
    tolerance = 1e-4 if stage == "draft" else 1e-2
    for name in ("draft", "look", "answer"):
        whole, resumed = (last_figures(folder / "out" / name) for folder in (tmp_path / "whole", killed))
        assert whole and resumed == [pytest.approx(figures, rel=tolerance) for figures in whole]
    first, second = (read_adaptor(folder / "out/export") for folder in (tmp_path / "whole", killed))
    # An export is in half precision.
    assert all(torch.allclose(value, second[name], rtol=2e-3, atol=5e-3) for name, value in first.items())


def last_figures(run: Path) -> list[dict[str, float]]:
    rows = [json.loads(row) for row in (run / "log.jsonl").read_text().splitlines()]
    return [
        {name: value for name, value in row.items() if name not in ("kind", "time", "samples_per_second")}
        for row in rows
        if row["step"] == 10
    ]
