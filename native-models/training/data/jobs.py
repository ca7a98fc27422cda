"""Work as files: a job is done when its file exists, ready when what it needs exists, claimed by a lock file.

Any number of processes may work on one folder; one that is stopped is simply started again.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


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


def work(jobs: Sequence[Job], out: Path, order: Sequence[str]) -> None:
    """Runs jobs until none is left that this process could do; `order` is the preference among kinds."""
    ranked = sorted(jobs, key=lambda job: order.index(job.kind))
    while True:
        waiting = [job for job in ranked if not job.makes.exists() and job.wanted()]
        if not waiting:
            return
        ready = [job for job in waiting if all(need.exists() for need in job.needs)]
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


@contextlib.contextmanager
def _claim(out: Path, job: Job) -> Iterator[bool]:
    lock = _lock(out, job)
    lock.parent.mkdir(parents=True, exist_ok=True)
    if lock.exists() and not _alive(lock):
        lock.unlink(missing_ok=True)
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        yield False
        return
    os.write(descriptor, str(os.getpid()).encode())
    os.close(descriptor)
    try:
        yield True
    finally:
        lock.unlink(missing_ok=True)


def _lock(out: Path, job: Job) -> Path:
    return out / "claims" / job.name


def _claimed(out: Path, job: Job) -> bool:
    lock = _lock(out, job)
    return lock.exists() and _alive(lock)


def _alive(lock: Path) -> bool:
    try:
        os.kill(int(lock.read_text() or "0"), 0)
    except (ProcessLookupError, ValueError, FileNotFoundError):
        return False
    except PermissionError:
        return True
    return True
