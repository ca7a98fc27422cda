"""Work as files: a job is done when its file exists, ready when what it needs exists, claimed by a lock file.

Any number of processes may work on one folder; one that is stopped is simply started again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from data.files import held


@dataclass(frozen=True)
class Job:
    name: str
    kind: str
    """`texts`, `responses`, `quick`, `kokoro` or `sounds`; workers differ in which they take first."""
    makes: Path
    needs: tuple[Path, ...]
    run: Callable[[], float]
    """→ hours of sound made (0 for text)."""
    wanted: Callable[[], bool] = lambda: True
    """False once enough of its kind has been made."""


def work(jobs: Sequence[Job], out: Path, order: Sequence[Sequence[str]]) -> None:
    """Runs jobs until none is left that this process could do; `order` holds groups of kinds, the preferred first."""
    rank = {kind: place for place, kinds in enumerate(order) for kind in kinds}
    ranked = sorted(jobs, key=lambda job: rank[job.kind])
    while True:
        waiting = [job for job in ranked if not job.makes.exists() and job.wanted()]
        if not waiting:
            return
        ready = [job for job in waiting if all(need.exists() for need in job.needs)]
        # After each job the list is looked through again: what it made may have readied a job of higher rank.
        if not any(_attempt(job, out) for job in ready):
            if not any(_claimed(out, job) for job in waiting):
                return  # what is left needs what nobody makes
            time.sleep(2)


def _attempt(job: Job, out: Path) -> bool:
    """Claims and runs the job; False when another process has it."""
    with _claim(out, job) as mine:
        if not mine or job.makes.exists():
            return False
        job.makes.parent.mkdir(parents=True, exist_ok=True)
        began, processor = time.monotonic(), time.process_time()
        hours = job.run()
        row = {"job": job.name, "kind": job.kind, "hours": round(hours, 5)}
        row |= {"wall_seconds": round(time.monotonic() - began, 1)}
        row |= {"processor_seconds": round(time.process_time() - processor, 1), "at": round(time.time())}
        with (out / "progress.jsonl").open("a") as progress:
            progress.write(json.dumps(row) + "\n")
        return True


def _claim(out: Path, job: Job) -> AbstractContextManager[bool]:
    return held(out / "claims" / job.name)


def _claimed(out: Path, job: Job) -> bool:
    with _claim(out, job) as mine:
        return not mine
