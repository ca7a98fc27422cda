"""The study's queue: arms that have no complete log are run, one or two at once, most telling first.

    python -m study.run --settings study/settings.yaml [--table NAME] [--hours H] [--at-once 2] [--forecast]

Stop it whenever you like (SIGTERM, Ctrl-C, or its hours are over): the same command goes on, each arm where it was two
minutes before at most.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

from data.files import held, write_whole
from parts.settings import from_command_line
from study.arms import ARMS, TABLES, Arm
from study.places import HERE
from study.records import is_complete
from study.settings import StudySettings

_NICE = 10
_LOOK_SECONDS = 1.0


def wanted(tables: Sequence[str]) -> list[Arm]:
    """All arms of these tables, or of all, each behind those that it needs."""
    found: dict[str, Arm] = {}

    def add(arm: Arm) -> None:
        for name in arm.needs:
            add(ARMS[name])
        found.setdefault(arm.name, arm)

    for table in tables or TABLES:
        for arm in TABLES[table]:
            add(arm)
    return list(found.values())


@dataclass
class Queue:
    settings: StudySettings
    arms: list[Arm]
    command: list[str]
    """What starts an arm, before its name; its settings follow."""
    passed_on: list[str]
    at_once: int
    hours: float | None
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    stopping: bool = False

    def run(self) -> int:
        """→ 0 when all is done, 1 when an arm failed, 2 when it was stopped before."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._work()
        finally:
            for process in self.running.values():
                process.terminate()
            for process in self.running.values():
                process.wait()
            self.running.clear()
            for number, handler in before.items():
                signal.signal(number, handler)
        self._tell()
        return 1 if self.failed else 2 if self.left() else 0

    def _work(self) -> None:
        began = time.monotonic()
        while not self.stopping:
            self._collect()
            for arm in self._ready()[: self.at_once - len(self.running)]:
                self._start(arm)
            self._tell()
            if not self.running:
                break
            if self.hours is not None and time.monotonic() - began > 3600 * self.hours:
                self.stopping = True
            time.sleep(_LOOK_SECONDS)

    def left(self) -> list[Arm]:
        return [arm for arm in self.arms if not is_complete(arm, self.settings)]

    def _ready(self) -> list[Arm]:
        left = self.left()
        names = {arm.name for arm in left}
        return [
            arm
            for arm in left
            if arm.name not in self.running and arm.name not in self.failed and not names & set(arm.needs)
        ]

    def _start(self, arm: Arm) -> None:
        folder = self.settings.work / arm.name
        folder.mkdir(parents=True, exist_ok=True)
        threads = os.environ | {"OMP_NUM_THREADS": str(self.settings.threads)}
        with (folder / "output.txt").open("ab") as output:
            command = [*self.command, arm.name, *self.passed_on]
            self.running[arm.name] = subprocess.Popen(command, stdout=output, stderr=output, env=threads)
        print(f"{time.strftime('%H:%M:%S')} {arm.name} begins, about {arm.minutes:.0f} minutes", flush=True)

    def _collect(self) -> None:
        for name, process in list(self.running.items()):
            if (status := process.poll()) is None:
                continue
            del self.running[name]
            if status or not is_complete(ARMS[name], self.settings):
                self.failed[name] = status
            said = (
                f"failed ({status}), see {self.settings.work / name / 'output.txt'}" if name in self.failed else "done"
            )
            print(f"{time.strftime('%H:%M:%S')} {name} {said}", flush=True)

    def _tell(self) -> None:
        left = self.left()
        state = {
            "time": time.strftime("%Y-%m-%d %H:%M:%S"),
            "done": len(self.arms) - len(left),
            "of": len(self.arms),
            "running": sorted(self.running),
            "failed": self.failed,
            "left": [arm.name for arm in left if arm.name not in self.running],
            "core_minutes_left": sum(arm.minutes for arm in left),
        }
        path = self.settings.work / "progress.json"
        write_whole(path, json.dumps(state, indent=1) + "\n")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True


def forecast(arms: list[Arm], settings: StudySettings) -> str:
    lines, total = [], 0.0
    for arm in arms:
        minutes = 0.0 if is_complete(arm, settings) else arm.minutes
        total += minutes
        lines.append(f"{arm.name:32} {'done' if not minutes else f'{minutes:.0f} minutes'}")
    return "\n".join([*lines, f"{len(arms)} arms, {total:.0f} minutes of one core left"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="append", default=[], choices=list(TABLES))
    parser.add_argument("--hours", type=float, help="then stop")
    parser.add_argument("--at-once", type=int, default=2, help="arms side by side, a core each")
    parser.add_argument("--forecast", action="store_true", help="only say what would be run")
    given, rest = parser.parse_known_args()
    passed_on = rest if "--settings" in rest else ["--settings", str(HERE / "settings.yaml"), *rest]
    sys.argv[1:] = passed_on
    settings = from_command_line(StudySettings, "Runs the study's arms.")
    arms = wanted(given.table)
    if given.forecast:
        print(forecast(arms, settings))
        return 0
    with held(settings.work / "queue.lock") as mine:
        if not mine:
            print(f"another queue runs in {settings.work}", file=sys.stderr)
            return 3
        os.nice(_NICE)
        command = [sys.executable, "-m", "study.start"]
        return Queue(settings, arms, command, passed_on, given.at_once, given.hours).run()


if __name__ == "__main__":
    sys.exit(main())
