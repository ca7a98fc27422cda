"""Runs one arm to its end: `python -m study.start NAME --settings study/settings.yaml`; goes on where it stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

import torch

from parts.settings import from_command_line
from study.arms import ARMS, Arm
from study.records import Record
from study.settings import StudySettings
from study.shared import Shared

_KINDS = {
    "prepare": "study.prepare",
    "listen": "study.listen",
    "fine-tune": "study.fine_tune",
    "salmonn": "study.over_fitting",
    "conformer": "study.conformer_arm",
    "noise": "study.noise",
}


def main() -> None:
    arm = ARMS[sys.argv.pop(1)]
    settings = from_command_line(StudySettings, "Runs one arm of the study.")
    torch.set_num_threads(settings.threads)
    run(Shared(settings), arm)


def run(shared: Shared, arm: Arm) -> None:
    record = Record(arm, shared.settings)
    run_arm: Callable[[Shared, Arm, Record], None] = import_module(_KINDS[arm.kind]).run_arm
    run_arm(shared, arm, record)
    record.finish()


if __name__ == "__main__":
    main()
