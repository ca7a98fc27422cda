"""Do PyTorch and the app find the same? Both are asked the same suite, and every figure's difference is printed.

    python -m evaluation.agreement SUITE.json --bundle parlance-mini --adaptor ../../resources/bundles/parlance-mini \
        --encoder whisper-base/model.bin --llm SmolLM2-135M-Instruct.Q4_1.gguf --items 40

Ends with 1 where word error rates differ by more than half a point.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from evaluate import add_model_options, listen, read_results
from evaluation.fetching import ROOT
from evaluation.results import Measures, Result, summarise
from evaluation.suite import read_suite

MOST_POINTS = 0.5
_SHARES = frozenset("wer cer kept success successMultiTurn following repeated rougeL".split())
"""Told in points of a hundred."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Holds PyTorch's figures of a model against the app's.")
    parser.add_argument("suite", type=Path)
    add_model_options(parser)
    parser.add_argument("--bundle", help="of the same model: an installed bundle's id, or a folder")
    parser.add_argument("--items", type=int, help="so many, spread over the suite")
    parser.add_argument("--app", type=Path, help="what `parlance eval -o` wrote for this suite, instead of asking anew")
    given = parser.parse_args()
    if None in (given.adaptor, given.encoder, given.llm):
        parser.error("name --adaptor, --encoder and --llm")
    with tempfile.TemporaryDirectory() as folder:
        suite = part_of(given.suite, given.items, Path(folder))
        items = read_suite(suite)
        written = given.app or ask_the_app(suite, given, Path(folder))
        app = [result for result in read_results(written, items) if result.subject != "whisper"]
        torch = listen(items, given)
    lines, worst = compare(app, torch)
    print("\n".join(lines))
    sys.exit(int(worst > MOST_POINTS))


def part_of(suite: Path, count: int | None, folder: Path) -> Path:
    """The suite, or a shorter one written into `folder` whose sounds stay where they are."""
    told: list[dict[str, Any]] = json.loads(suite.read_text(encoding="utf-8"))
    if count is None or count >= len(told):
        return suite
    chosen = [told[round(place * len(told) / count)] for place in range(count)]
    at = suite.parent.resolve()
    for item in chosen:
        # Without an id of its own an item is called by its sound's path, which changes here.
        item["id"] = item.get("id", item["audio"])
        for turn in (item, *item.get("turns", [])):
            if "audio" in turn:
                turn["audio"] = str(at / turn["audio"])
    (folder / "suite.json").write_text(json.dumps(chosen), encoding="utf-8")
    return folder / "suite.json"


def ask_the_app(suite: Path, given: argparse.Namespace, folder: Path) -> Path:
    results = folder / "results.jsonl"
    command = ["node", str(ROOT / "bin/parlance.mjs"), "eval", str(suite.resolve()), "--engine", "speech-llm"]
    command += ["--max-tokens", str(given.max_tokens), "-o", str(results)]
    command += ["--bundle", given.bundle] if given.bundle else []
    subprocess.run(command, check=True, env=os.environ, stdout=subprocess.DEVNULL)
    return results


def compare(app: list[Result], torch: list[Result]) -> tuple[list[str], float]:
    """(a table, the greatest difference of word error rates in points)."""
    lines = [f"{'':32}{'items':>6}{'app':>10}{'PyTorch':>10}{'differ by':>11}"]
    worst = 0.0
    for subject in dict.fromkeys(result.subject for result in torch):
        ours, theirs = summarise(app, subject), summarise(torch, subject)
        lines += [_line(subject, name, ours, theirs) for name in theirs if name in ours]
        if "wer" in ours and "wer" in theirs:
            worst = max(worst, 100 * abs(ours["wer"]["value"] - theirs["wer"]["value"]))
    texts = {result.item.name: result.transcript for result in app if result.transcript is not None}
    both = [result for result in torch if result.item.name in texts and result.transcript is not None]
    alike = sum(texts[result.item.name] == result.transcript for result in both)
    return [*lines, f"{alike} of {len(both)} transcripts are the same to the letter"], worst


def _line(subject: str, name: str, ours: Measures, theirs: Measures) -> str:
    scale = 100 if name in _SHARES else 1
    a, b = scale * ours[name]["value"], scale * theirs[name]["value"]
    label = f"{subject}: {name}{', %' if name in _SHARES else ''}"
    return f"{label:32}{theirs[name]['items']:6}{a:10.2f}{b:10.2f}{b - a:+11.2f}"


if __name__ == "__main__":
    main()
