"""A run that is killed outright goes on from its last checkpoint, and ends where it would have ended."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

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
    last = [[line for line in lines_of(folder) if line["step"] == 10] for folder in (tmp_path / "whole", killed)]
    figures = [
        {key: value for key, value in line.items() if key not in ("time", "samples_per_second")} for line in last[0]
    ]
    assert figures
    for figure in figures:
        assert any(figure.items() <= line.items() for line in last[1]), figure
    whole, resumed = (load_file(folder / "out/export/adaptor.safetensors") for folder in (tmp_path / "whole", killed))
    assert all(bool((value == resumed[name]).all()) for name, value in whole.items())
