"""What the logs say, and what may be concluded from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study.arms import ARMS, REFERENCE
from study.records import Row, read_record

NOT_RUN = "not run yet"
_LEARNT = 0.1
"""Of the way from hearing nothing to reading the words: below it an arm has not learnt, and tells nothing."""


@dataclass(frozen=True)
class Outcome:
    """One arm's, or one variant's of it."""

    row: Row
    template: bool
    figures: Figures

    def nats(self, what: str = "transcript") -> float:
        return self.row[f"{what}_nats"]

    def heard(self, what: str = "transcript") -> float:
        """0: as if there were no sound; 1: as if the words stood there in writing."""
        nothing, text = (self.figures.bound(given, what, self.template) for given in ("nothing", "text"))
        return (nothing - self.nats(what)) / (nothing - text)


@dataclass
class Figures:
    folder: Path
    records: dict[str, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.records = {name: rows for name in ARMS if (rows := read_record(name, self.folder))}

    def rows(self, name: str, kind: str) -> list[Row]:
        return [row for row in self.records.get(name, []) if row["kind"] == kind]

    def bound(self, given: str, what: str, template: bool = True) -> float:
        """Nats a token `given` the words in `text`, or `nothing`."""
        rows = self.rows("prepare", "bound")
        return next(r[f"{what}_nats"] for r in rows if r["given"] == given and r["template"] == template)

    def outcome(self, name: str, variant: str = "") -> Outcome | None:
        """None where it, or what it is measured by, has not been run."""
        rows = [row for row in self.rows(name, "result") if row["what"] == variant]
        if not rows or "prepare" not in self.records:
            return None
        return Outcome(rows[0], self.records[name][0]["options"].get("template", True), self)

    def spread(self, what: str = "transcript") -> float | None:
        """What two arms that differ by their seed alone may differ by: twice the standard deviation of a difference,
        from all pairs of seeds of one arm. None before any arm has been repeated."""
        groups = [[REFERENCE, "seed-1/conv-4", "seed-2/conv-4"], ["adaptor/mlp", "seed-1/mlp"]]
        groups.append(["adaptor/window-4", "seed-1/window-4"])
        squares, freedom = 0.0, 0
        for names in groups:
            found = [outcome.nats(what) for name in names if (outcome := self.outcome(name)) is not None]
            mean = sum(found) / max(1, len(found))
            squares += sum((value - mean) ** 2 for value in found)
            freedom += max(0, len(found) - 1)
        return 2 * math.sqrt(2 * squares / freedom) if freedom else None

    def claim(self, better: Outcome | None, worse: Outcome | None, what: str = "transcript") -> str:
        """Whether the first does better than the second, as a paper says."""
        return self._verdict(better, worse, what, lambda gap, spread: gap > spread, lambda gap, spread: gap < -spread)

    def claim_heard(self, better: Outcome | None, worse: Outcome | None) -> str:
        """The same by what is heard, where two prompts have floors of their own."""
        spread = self.spread()
        if better is None or worse is None or spread is None:
            return NOT_RUN
        share = spread / (self.bound("nothing", "transcript") - self.bound("text", "transcript"))
        gap = better.heard() - worse.heard()
        said = f"{100 * gap:+.0f} % heard, seeds {100 * share:.0f} %"
        return f"{'agrees' if gap > share else 'does not agree' if gap < -share else 'too close to tell'} ({said})"

    def claim_alike(self, first: Outcome | None, second: Outcome | None, what: str = "transcript") -> str:
        """Whether the first is no worse than the second, as a paper says."""
        return self._verdict(first, second, what, lambda gap, spread: gap > -spread, lambda gap, spread: gap <= -spread)

    def _verdict(
        self,
        first: Outcome | None,
        second: Outcome | None,
        what: str,
        agrees: Callable[[float, float], bool],
        differs: Callable[[float, float], bool],
    ) -> str:
        spread = self.spread(what)
        if first is None or second is None or spread is None:
            return NOT_RUN
        gap = second.nats(what) - first.nats(what)
        said = f"{abs(gap):.3f} nats {'less' if gap > 0 else 'more'}, seeds {spread:.3f}"
        if max(first.heard(what), second.heard(what)) < _LEARNT:
            return f"neither arm learnt ({said})"
        if agrees(gap, spread):
            return f"agrees ({said})"
        return f"does not agree ({said})" if differs(gap, spread) else f"too close to tell ({said})"


def learnt(outcome: Outcome, what: str = "transcript") -> str:
    """In per cent, marked where nothing was learnt."""
    share = outcome.heard(what)
    return f"{100 * share:.0f}" + ("" if share >= _LEARNT else " (did not learn)")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Markdown, its columns as wide as their widest cell."""
    every = [list(head), *[list(row) for row in rows]]
    widths = [max(3, *(len(row[column]) for row in every)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return ["", line(every[0]), line(["-" * width for width in widths]), *map(line, every[1:]), ""]


def listened(figures: Figures, name: str, variant: str = "", what: str = "transcript") -> list[str]:
    """Five cells: nats a token, tokens right, heard, heard before the LLM had a part, word error rate."""
    outcome = figures.outcome(name, variant)
    if outcome is None:
        return [NOT_RUN, "", "", "", ""]
    start = None if variant else figures.outcome(name, "start")
    began = f"{100 * start.heard(what):.0f}" if start else ""
    row = outcome.row
    wer = f"{row['wer']:.0f}" if "wer" in row else ""
    return [f"{outcome.nats(what):.3f}", f"{100 * row[f'{what}_right']:.1f}", learnt(outcome, what), began, wer]


LISTENED = ["nats a token", "tokens right, %", "heard, %", "at the start, %", "WER, %"]


def claims(rows: Sequence[tuple[str, str]]) -> list[str]:
    return table(["what the paper finds", "here"], [list(row) for row in rows])


def budget(figures: Figures, names: Sequence[str]) -> str:
    """The smallest and largest budget of what was run, in words; empty where nothing was."""
    rows: list[Row] = [row for name in names for row in figures.rows(name, "stage") if row["stage"] == "listen"]
    if not rows:
        return ""
    spent = [figures.records[name][-1]["cpu_seconds"] / 60 for name in names if name in figures.records]
    return (
        f"Budget of each: {_range([row['steps'] for row in rows])} steps, "
        f"{_range([row['samples'] for row in rows])} clips "
        f"through the LLM; {_range([round(minutes) for minutes in spent])} minutes of a core with all else."
    )


def _range(values: Sequence[Any]) -> str:
    return f"{min(values)}" if min(values) == max(values) else f"{min(values)} to {max(values)}"
