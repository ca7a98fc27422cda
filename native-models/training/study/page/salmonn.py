"""SALMONN's figure 3 and table 4: task over-fitting, and LoRA turned down."""

from __future__ import annotations

import math

from study.page.figures import NOT_RUN, Figures, claims, table
from study.page.sim import Section
from study.plots import Axis, Line, chart
from study.records import Row

_STAGES = {"recognition": "recognition", "instruction": "instruction tuning", "activation": "activation tuning"}
_PAPER = {
    # stage, LoRA removed → perplexity of transcripts, captions, stories
    ("recognition", False): "1.1, 5.2, 2.9",
    ("recognition", True): "5.9, 40, 2.2",
    ("instruction", False): "1.1, 5.0, 2.4",
    ("instruction", True): "5.7, 40, 2.2",
    ("activation", False): "1.1, 6.3, 1.8",
}


def over_fitting(figures: Figures) -> Section:
    found = {(row["stage"], row["discount"]): row for row in figures.rows("salmonn", "discount")}
    lines = [
        "## Task over-fitting, and LoRA turned down (SALMONN, table 4 and figure 3)",
        "",
        "Perplexities after each stage. _Stories_: what the published LLM tells of the written words, as nobody",
        "has trained it to tell",
        "them of sound. _Follows_: of twelve clips of which a story was asked, those where the text is no copy",
        "of the words.",
        "",
    ]
    rows = [
        [f"{label}{', LoRA removed' if removed else ''}", *_cells(found.get((stage, 0.0 if removed else 1.0))), paper]
        for (stage, removed), paper in _PAPER.items()
        for label in [_STAGES[stage]]
    ]
    head = [
        "after",
        "transcripts",
        "sound questions",
        "stories",
        "follows, %",
        "SALMONN: transcripts, captions, stories",
    ]
    lines += table(head, rows)
    if not found:
        return [*lines, "One arm; " + NOT_RUN + ".", ""], {}
    lines += ["### The discount", ""]
    sweep = [
        [f"{_STAGES[stage]}, {discount:g}", *_cells(row), f"{row['different_words']:.1f}"]
        for (stage, discount), row in found.items()
        if stage == "instruction"
    ]
    lines += table(
        ["after, LoRA's share", "transcripts", "sound questions", "stories", "follows, %", "different words"], sweep
    )
    lines += claims(
        [
            ("tuned on tasks, it copies where a story is asked (SALMONN: follows 0 %)", _copies(found)),
            (
                "with LoRA removed, stories are likelier",
                _lower(found["instruction", 0.0], found["instruction", 1.0], "story"),
            ),
            (
                "and transcripts are less likely",
                _lower(found["instruction", 1.0], found["instruction", 0.0], "transcript"),
            ),
            (
                "after activation tuning, stories are likelier with LoRA whole",
                _lower(found["activation", 1.0], found["instruction", 1.0], "story"),
            ),
        ]
    )
    lines += ["One seed; no spread is known for these.", "", "![LoRA turned down](study/discount.svg)", ""]
    curves = [
        Line(name, [(d, math.exp(row[f"{key}_nats"])) for (stage, d), row in found.items() if stage == "instruction"])
        for name, key in (("transcripts", "transcript"), ("sound questions", "sound"), ("stories", "story"))
    ]
    drawn = chart("LoRA turned down, after instruction tuning", Axis("LoRA's share"), Axis("perplexity", True), curves)
    return lines, {"discount.svg": drawn}


def _cells(row: Row | None) -> list[str]:
    if row is None:
        return [NOT_RUN, "", "", ""]
    perplexities = [f"{math.exp(row[f'{key}_nats']):.2f}" for key in ("transcript", "sound", "story")]
    return [*perplexities, f"{100 * row['following']:.0f}"]


def _lower(first: Row, second: Row, key: str) -> str:
    low, high = (math.exp(row[f"{key}_nats"]) for row in (first, second))
    return f"{'agrees' if low < high else 'does not agree'} ({low:.2f} against {high:.2f})"


def _copies(found: dict[tuple[str, float], Row]) -> str:
    share = found["instruction", 1.0]["following"]
    return f"{'agrees' if share < 0.5 else 'does not agree'} ({100 * share:.0f} % follow)"
