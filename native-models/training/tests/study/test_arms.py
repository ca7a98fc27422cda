"""One arm of every kind, whole, on tiny models: what the page needs is in its log."""

import fcntl
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
import torch
import yaml

from parts.conversation import Prompt
from study import noise
from study.arms import ARMS, Arm
from study.recogniser import Recogniser
from study.records import is_complete, read_record
from study.run import Queue
from study.settings import StudySettings
from study.shared import Shared
from study.start import run
from tests.parts.tiny import VOCABULARY, write_gguf, write_shards, write_whisper, write_whisper_tokens

STEPS = {"head": 4, "warm": 3, "listen": 3, "fine-tune": 2, "recognition": 2, "activation": 2}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> StudySettings:
    folder = tmp_path_factory.mktemp("study")
    return StudySettings(
        data=write_shards(folder / "data", clips=60),
        encoder=write_whisper(folder / "whisper"),
        llm=write_gguf(folder / "tiny.gguf"),
        whisper_tokenizer=folder / "tokenizer.json",
        work=folder / "work",
        runs=folder / "runs",
        prompt=Prompt("You help.", {"transcribe": "\nRepeat."}),
        written_clips=2,
        steps=STEPS,
        batch_seconds=8,
    )


@pytest.fixture(scope="module")
def shared(settings: StudySettings) -> Shared:
    torch.set_num_threads(1)
    run(Shared(settings), ARMS["prepare"])
    return Shared(settings)


def fresh(shared: Shared) -> Shared:
    """Each arm has a process of its own: what it trains is not another's."""
    return Shared(shared.settings)


def test_prepare_says_between_what_arms_are_judged(shared: Shared):
    rows = read_record("prepare", shared.settings.runs)
    bounds = [row for row in rows if row["kind"] == "bound"]
    assert {(row["given"], row["template"]) for row in bounds} == {
        (given, template) for given in ("text", "nothing") for template in (True, False)
    }
    assert all(row["transcript_nats"] > 0 and row["transcript_tokens"] > 0 for row in bounds)


@pytest.mark.parametrize(
    "name", ["adaptor/conv-4", "adaptor/q-former-88", "aligner/rank-32", "trained/lora", "mix/both", "template/none"]
)
def test_an_arm_learns_within_its_budget(name: str, shared: Shared):
    run(fresh(shared), ARMS[name])
    rows = read_record(name, shared.settings.runs)
    stages = {row["stage"]: row for row in rows if row["kind"] == "stage"}
    assert stages["warm"]["steps"] == STEPS["warm"] and stages["listen"]["steps"] == STEPS["listen"]
    (_, result) = (row for row in rows if row["kind"] == "result")
    assert result["transcript_nats"] > 0 and 0 <= result["transcript_right"] <= 1 and result["wer"] >= 0
    assert is_complete(ARMS[name], shared.settings)


def test_the_aligner_is_cut_and_swapped(shared: Shared):
    run(fresh(shared), ARMS["aligner/fine-tuned-llm"])
    run(fresh(shared), ARMS["aligner/full"])
    rows = read_record("aligner/full", shared.settings.runs)
    results = {row["what"]: row for row in rows if row["kind"] == "result"}
    assert {"", "swapped", "swapped and mapped", "rank 8"} <= set(results)
    # Nothing is left off where all singular values are kept: the layer has 32.
    assert results["rank 64"]["transcript_nats"] == pytest.approx(results[""]["transcript_nats"], rel=2e-2)
    (values,) = (row["values"] for row in rows if row["kind"] == "singular-values")
    assert len(values) == 32 and values == sorted(values, reverse=True)


def test_salmonn_is_judged_after_each_stage_at_each_discount(shared: Shared):
    run(fresh(shared), ARMS["salmonn"])
    rows = [row for row in read_record("salmonn", shared.settings.runs) if row["kind"] == "discount"]
    assert {(row["stage"], row["discount"]) for row in rows} == {
        (stage, discount)
        for stage in ("recognition", "instruction", "activation")
        for discount in (0.0, 0.25, 0.5, 0.75, 1.0)
    }
    assert all(0 <= row["following"] <= 1 and row["story_nats"] > 0 for row in rows)


def test_the_conformer_recognises_then_listens(shared: Shared):
    run(fresh(shared), ARMS["conformer/recognition"])
    run(fresh(shared), ARMS["conformer/stack-2"])
    rows = read_record("conformer/stack-2", shared.settings.runs)
    (result,) = (row for row in rows if row["kind"] == "result" and row["what"] == "")
    assert result["reply_nats"] > 0


def test_noise_is_heard_by_the_arm_as_it_was_left(shared: Shared, monkeypatch: pytest.MonkeyPatch):
    write_whisper_tokens(shared.settings.whisper_tokenizer, shared.settings.llm)
    monkeypatch.setattr(noise, "Recogniser", partial(Recogniser, prefix=(3, 4), end=VOCABULARY - 1))
    run(fresh(shared), ARMS["mix/both"])
    run(fresh(shared), ARMS["noise"])
    rows = [row for row in read_record("noise", shared.settings.runs) if row["kind"] == "noise"]
    assert [row["decibels"] for row in rows] == list(noise.DECIBELS)
    assert len({row["text"] for row in rows}) == 1 and len({row["sound"] for row in rows}) == len(rows)
    (left,) = (row for row in read_record("mix/both", shared.settings.runs) if row.get("what") == "")
    # Without noise it is the arm itself, whose frames were kept in half precision.
    assert math.log(rows[0]["sound"]) == pytest.approx(left["reply_nats"], rel=2e-2)


def test_an_arm_counts_only_with_the_budget_it_was_run_with(shared: Shared):
    other = StudySettings(**{**vars(shared.settings), "steps": STEPS | {"listen": 5}})
    assert is_complete(ARMS["prepare"], shared.settings) and not is_complete(ARMS["prepare"], other)


SCRIPT = """
import json, sys, time
from functools import partial
from pathlib import Path
name, runs, work = sys.argv[1:4]
assert not (name == "second" and not (Path(runs) / "first.jsonl").exists())
if name == "slow":
    (Path(work) / "slow.begun").touch()
    time.sleep(60)
if name == "broken":
    sys.exit(5)
options = {"name": name, "options": {}, "steps": json.loads(sys.argv[4])}
rows = [{"kind": "arm", **options}, {"kind": "done"}]
Path(runs, name + ".jsonl").write_text("".join(json.dumps(row) + "\\n" for row in rows))
"""


@pytest.fixture
def queue(settings: StudySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of arms that a few lines play."""
    from study import run as module

    (tmp_path / "arm.py").write_text(SCRIPT)
    (tmp_path / "runs").mkdir()
    ours = StudySettings(**{**vars(settings), "work": tmp_path, "runs": tmp_path / "runs"})
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.05)

    def make(*arms: Arm, hours: float | None = None) -> Queue:
        monkeypatch.setattr(module, "ARMS", {arm.name: arm for arm in arms})
        passed_on = [str(tmp_path / "runs"), str(tmp_path), json.dumps(STEPS)]
        return Queue(ours, list(arms), [sys.executable, str(tmp_path / "arm.py")], passed_on, 2, hours)

    return make


def test_the_queue_runs_what_is_needed_first_and_each_arm_once(queue, tmp_path: Path):
    arms = (Arm("second", "listen", {}, ("first",)), Arm("first", "listen", {}, ()))
    assert queue(*arms).run() == 0
    written = (tmp_path / "runs/first.jsonl").stat().st_mtime_ns
    assert queue(*arms).run() == 0
    assert (tmp_path / "runs/first.jsonl").stat().st_mtime_ns == written


def test_an_arm_that_fails_holds_up_none_but_those_that_need_it(queue, tmp_path: Path):
    arms = (Arm("broken", "listen", {}, ()), Arm("first", "listen", {}, ()), Arm("waits", "listen", {}, ("broken",)))
    assert queue(*arms).run() == 1
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["first.jsonl"]


def test_the_queue_stops_when_told_to(queue, tmp_path: Path):
    slow = queue(Arm("slow", "listen", {}, ()))

    def tell() -> None:
        while not (tmp_path / "slow.begun").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    telling = threading.Thread(target=tell)
    telling.start()
    assert slow.run() == 2
    telling.join()
    assert not slow.running and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert json.loads((tmp_path / "progress.json").read_text())["left"] == ["slow"]


def test_one_queue_at_a_time(settings: StudySettings, tmp_path: Path):
    file = tmp_path / "settings.yaml"
    paths = {name: str(getattr(settings, name)) for name in ("data", "encoder", "llm", "whisper_tokenizer")}
    prompt = {"system": "You help.", "tasks": {"transcribe": "Repeat."}}
    file.write_text(yaml.safe_dump(paths | {"work": str(tmp_path), "prompt": prompt, "steps": STEPS}))
    with (tmp_path / "queue.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, "-m", "study.run", "--settings", str(file)]
        told = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert told.returncode == 3 and "another queue" in told.stderr


def test_the_queue_stops_at_its_hour_and_goes_on_later(queue, tmp_path: Path):
    slow = queue(Arm("slow", "listen", {}, ()), hours=0.3 / 3600)
    assert slow.run() == 2
    assert not slow.running and [arm.name for arm in slow.left()] == ["slow"]
