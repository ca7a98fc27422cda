"""`evaluate.py` and `parlance eval`, on what one run of the latter heard and answered."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evaluate import read_results
from evaluation.results import summarise
from evaluation.suite import read_suite

FIXTURES = Path(__file__).parents[4] / "tests/fixtures/evaluation"
SUITE, RESULTS = FIXTURES / "suite.json", FIXTURES / "results.jsonl"
LINES = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]
SUMMARIES = {line["subject"]: line["measures"] for line in LINES if line["type"] == "summary"}


def flat(measures: dict[str, Any]) -> dict[str, float | None]:
    """Name and place → number."""
    return {
        f"{name}.{place}": value
        for name, measure in measures.items()
        for place, value in [
            ("value", measure["value"]),
            ("items", measure["items"]),
            *((end, (measure["interval"] or {}).get(end)) for end in ("low", "high")),
        ]
    }


@pytest.mark.parametrize("subject", SUMMARIES)
def test_the_same_figures_and_intervals(subject: str) -> None:
    found = summarise(read_results(RESULTS, read_suite(SUITE)), subject)
    assert flat(found) == pytest.approx(flat(SUMMARIES[subject]), abs=1e-9, nan_ok=False)


def test_the_command_prints_them() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, str(root / "evaluate.py"), str(SUITE), "--results", str(RESULTS)]
    printed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    found = {line["subject"]: line["measures"] for line in map(json.loads, printed.splitlines())}
    assert list(found) == list(SUMMARIES)
    assert flat(found["speech-llm"]) == pytest.approx(flat(SUMMARIES["speech-llm"]), abs=1e-9)
