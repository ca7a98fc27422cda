"""Data → recipe → export → bundle → evaluation, all of it for real and next to nothing of each: two minutes.

    python smoke.py --weights DIR --out DIR        # `npm run train:smoke` fetches the weights and calls this

DIR of `--weights` holds `whisper-base/` and `SmolLM2-135M-Instruct.Q4_1.gguf`. Each step is the command that a person
would type, printed before it runs. The last one holds what both evaluations found against one another.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import soundfile

from data.shards import SAMPLE_RATE, read_shard

TRAINING = Path(__file__).resolve().parent
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
MOST_TOKENS = "12"
CLIPS = 2
SAME_FIGURES = 1e-6
"""Both sides compute the same figures from the same texts and losses, but for the order of the additions."""
TOLERANCES = {"perplexity": 0.02, "divergence": 0.02}
"""Relative: each side runs the model with kernels of its own, the app's rounding activations to 8 bits."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains, exports, builds and measures a model that hears nothing yet.")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet")
    parser.add_argument("--parlance", type=Path, default=TRAINING.parents[1] / "bin/parlance.mjs")
    given = parser.parse_args()
    given.out.mkdir(parents=True)
    lay_out(given.weights.resolve(), given.out)
    step = Steps(given.out)
    python, parlance = [sys.executable], ["node", str(given.parlance.resolve())]

    data = ["--settings", str(TRAINING / "data/settings/smoke.yaml"), "--gguf", f"weights/{GGUF}"]
    step.run([*python, "-m", "data.build", *data, "--out", "data", "--seed", "1"])
    step.run([*python, "-m", "recipes.default", "--settings", str(TRAINING / "settings/smoke.yaml")])
    step.run([*parlance, "bundle", "build", "recipe.json", "-o", "bundle"])

    write_suite(given.out / "data", given.out / "suite")
    asked = ["--engine", "speech-llm", "--max-tokens", MOST_TOKENS]
    app = step.run([*parlance, "eval", "suite/suite.json", "--bundle", "bundle", *asked, "-o", "app.jsonl", "--json"])
    again = step.run([*python, str(TRAINING / "evaluate.py"), "suite/suite.json", "--results", "app.jsonl"])
    parts = ["--adaptor", "run/export", "--encoder", "weights/whisper-base/model.bin", "--llm", f"weights/{GGUF}"]
    more = ["--recipe", "recipe.json", "--max-tokens", MOST_TOKENS]
    torch = step.run([*python, str(TRAINING / "evaluate.py"), "suite/suite.json", *parts, *more])

    compare(summaries(app), summaries(again), summaries(torch))
    passed = f"{time.monotonic() - step.began:.0f} s, {processor_seconds():.0f} s of processor time"
    print(f"from texts to figures that agree: {passed}", flush=True)


class Steps:
    """Commands that run in the smoke's folder, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.began = time.monotonic()
        paths = [str(TRAINING), *filter(None, [os.environ.get("PYTHONPATH")])]
        home = {"PARLANCE_HOME": str(folder.resolve() / "home")}
        self.environment = os.environ | home | {"PYTHONPATH": os.pathsep.join(paths)}

    def run(self, command: list[str]) -> str:
        """Its standard output, shown as it comes. Ends the smoke where the command fails."""
        began, busy = time.monotonic(), processor_seconds()
        print(f"$ {shlex.join(command)}", flush=True)
        lines: list[str] = []
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(f"  {line}", end="", flush=True)
                lines.append(line)
        if process.returncode != 0:
            raise SystemExit(f"the step above ended with {process.returncode}; what it left is in {self.folder}")
        busy = processor_seconds() - busy
        print(f"  {time.monotonic() - began:.0f} s, {busy:.0f} s of processor time", flush=True)
        return "".join(lines)


def processor_seconds() -> float:
    """Of the commands that have ended, all their threads together."""
    times = os.times()
    return times.children_user + times.children_system


def lay_out(weights: Path, folder: Path) -> None:
    """What the settings and the bundle's recipe name by paths that begin in this folder."""
    missing = [name for name in ("whisper-base/model.bin", GGUF) if not (weights / name).exists()]
    if missing:
        raise SystemExit(f"{weights} lacks {', '.join(missing)}: `npm run train:smoke` fetches them")
    (folder / "weights").symlink_to(weights)
    shutil.copy(TRAINING / "settings/smoke.bundle.json", folder / "recipe.json")


def write_suite(data: Path, folder: Path) -> None:
    """The shortest held-out clips that the LLM has replied to."""
    folder.mkdir()
    clips = [clip for shard in sorted((data / "shards").glob("*.tar")) for clip in read_shard(shard)]
    answered = [clip for clip in clips if clip[1]["split"] != "train" and clip[1]["response"]]
    # With a question beside it, a clip is asked about in writing; a suite's are the message themselves.
    spoken = sorted((clip for clip in answered if not clip[1]["question"]), key=lambda clip: len(clip[0]))[:CLIPS]
    if len(spoken) < CLIPS:
        raise SystemExit(
            f"the data has {len(spoken)} held-out clips with a reply: data/settings/smoke.yaml asks for too little"
        )
    items = []
    for sound, about in spoken:
        soundfile.write(folder / f"{about['id']}.wav", sound, SAMPLE_RATE)
        items.append({"audio": f"{about['id']}.wav", "text": about["text"], "response": about["response"]})
    (folder / "suite.json").write_text(json.dumps(items, indent=1) + "\n", encoding="utf-8")


def summaries(output: str) -> dict[str, dict[str, Any]]:
    """Subject → its measures."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {line["subject"]: line["measures"] for line in lines if line["type"] == "summary"}


def compare(app: dict[str, Any], again: dict[str, Any], torch: dict[str, Any]) -> None:
    """Ends the smoke where the app and PyTorch tell different figures of the same model."""
    differences: list[str] = []
    print(f"{'subject':12}{'measure':22}{'app':>12}{'its texts':>12}{'PyTorch':>12}", flush=True)
    for subject, measures in app.items():
        for name in measures:
            values = [side[subject][name]["value"] for side in (app, again, torch)]
            print(f"{subject:12}{name:22}" + "".join(f"{value:12.4f}" for value in values), flush=True)
            ends = [list(side[subject][name]["interval"].values()) for side in (app, again)]
            pairs = [(values[0], values[1]), *zip(*ends, strict=True)]
            if any(abs(first - second) > SAME_FIGURES * max(1, abs(first)) for first, second in pairs):
                differences.append(f"{subject}: {name} is computed differently from the same texts and losses")
            if name in TOLERANCES and abs(values[0] - values[2]) > TOLERANCES[name] * abs(values[0]):
                differences.append(f"{subject}: {name} is {values[0]:.4f} in the app and {values[2]:.4f} in PyTorch")
    if not app or differences:
        raise SystemExit("\n".join(["the evaluations do not agree:", *differences]))


if __name__ == "__main__":
    main()
