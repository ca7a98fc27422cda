"""Figures of a run: JSON lines that the study reads, TensorBoard for the eye, and a line on the terminal."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter


class Log:
    """Silent in all processes but the first."""

    def __init__(self, folder: Path, active: bool) -> None:
        self.active = active
        if active:
            folder.mkdir(parents=True, exist_ok=True)
            self.lines = (folder / "log.jsonl").open("a", encoding="utf-8")
            self.board = SummaryWriter(str(folder / "tensorboard"))

    def figures(self, kind: str, step: int, **figures: float | int | str) -> None:
        """`kind` is `train`, `held-out` or `note`."""
        if not self.active:
            return
        row: dict[str, Any] = {"kind": kind, "step": step, "time": round(time.time(), 1)}
        row |= {k: round(v, 5) if isinstance(v, float) else v for k, v in figures.items()}
        self.lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.lines.flush()
        for name, value in figures.items():
            if isinstance(value, (int, float)):
                self.board.add_scalar(f"{kind}/{name}", value, step)
        print(" ".join(f"{key} {value}" for key, value in row.items() if key != "time"), flush=True)

    def close(self) -> None:
        if self.active:
            self.lines.close()
            self.board.close()
