"""An arm's log: a few JSON lines, whole or not there."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.items import write_lines
from study.arms import Arm
from study.places import RUNS

if TYPE_CHECKING:
    # The page is written without PyTorch, which these need.
    from study.settings import StudySettings

Row = dict[str, Any]


def log_path(name: str, folder: Path = RUNS) -> Path:
    return folder / f"{name.replace('/', '.')}.jsonl"


def read_record(name: str, folder: Path = RUNS) -> list[Row]:
    """Empty where the arm has not been run to its end."""
    path = log_path(name, folder)
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return rows if rows and rows[-1]["kind"] == "done" else []


def identity(arm: Arm, settings: StudySettings) -> Row:
    """What has to be the same for a log to count as this arm's."""
    return {"kind": "arm", "name": arm.name, "options": arm.options, "steps": settings.steps}


def is_complete(arm: Arm, settings: StudySettings) -> bool:
    rows = read_record(arm.name, settings.runs)
    return bool(rows) and rows[0] == json.loads(json.dumps(identity(arm, settings)))


@dataclass
class Record:
    """Rows of a running arm, written at its end."""

    arm: Arm
    settings: StudySettings
    rows: list[Row] = field(default_factory=list)
    began: float = field(default_factory=time.process_time)

    def add(self, kind: str, **values: Any) -> None:
        self.rows.append({"kind": kind, **{name: _short(value) for name, value in values.items()}})

    def stage(self, folder: Path, **more: Any) -> None:
        """What a run's own log says, in one row."""
        lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        train = [line for line in lines if line["kind"] == "train"]
        loss = "loss" if train and "loss" in train[0] else "turning" if train and "turning" in train[0] else "ctc"
        # A run that went on after a stop logged some steps twice: the later one counts.
        curve = {line["step"]: round(line[loss], 3) for line in train}
        held_out = {line["step"]: round(line["loss"], 4) for line in lines if line["kind"] == "held-out"}
        last = train[-1] if train else {"step": 0, "seen": 0}
        self.add(
            "stage",
            stage=folder.name,
            steps=last["step"],
            samples=last["seen"],
            train=sorted(curve.items()),
            held_out=sorted(held_out.items()),
            **more,
        )

    def finish(self) -> None:
        spent = round(time.process_time() - self.began, 1)
        date = datetime.now(UTC).strftime("%Y-%m-%d")
        done = {"kind": "done", "cpu_seconds": spent, "date": date, "machine": machine()}
        rows = [identity(self.arm, self.settings), *self.rows, done]
        path = log_path(self.arm.name, self.settings.runs)
        write_lines(path, rows)


def machine() -> str:
    """The processor's own name where Linux tells it."""
    about = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*:\s*(.+)$", about.read_text(), re.MULTILINE) if about.exists() else []
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def _short(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value
