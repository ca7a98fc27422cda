"""The page: what is measured, how far the queue is, and the sections in their order."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

from study.arms import ARMS, TABLES
from study.page import aligner, audiochatllama, salmonn, sim
from study.page.figures import NOT_RUN, Figures, table

_WIDTH = 120

SECTIONS = [
    sim.adaptors,
    sim.trained,
    sim.template,
    sim.mixes,
    aligner.hours,
    aligner.swap,
    aligner.singular_values,
    aligner.trainable,
    salmonn.over_fitting,
    audiochatllama.stacked,
    audiochatllama.cascade,
]


def page(runs: Path) -> tuple[str, dict[str, str]]:
    """→ (Markdown, charts by their file's name)."""
    figures = Figures(runs)
    lines, charts = _introduction(figures), {}
    for section in SECTIONS:
        written, drawn = section(figures)
        lines += [*written, ""]
        charts |= drawn
    return "\n".join(_laid_out(lines)).rstrip() + "\n", charts


def _laid_out(lines: Sequence[str]) -> list[str]:
    """Paragraphs filled, and one empty line between all that is no part of another."""
    laid: list[str] = []
    open_paragraph: list[str] = []

    def close() -> None:
        if open_paragraph:
            indent = "  " if open_paragraph[0].startswith("- ") else ""
            laid.extend(
                textwrap.wrap(
                    " ".join(open_paragraph),
                    _WIDTH,
                    subsequent_indent=indent,
                    break_on_hyphens=False,
                    break_long_words=False,
                )
            )
            open_paragraph.clear()

    for line in lines:
        alone = line.startswith(("#", "|", "!")) or not line
        if alone or line.startswith("- "):
            close()
        if not alone:
            open_paragraph.append(line.strip())
        elif line or (laid and laid[-1]):
            laid.append(line)
    close()
    return laid


def _introduction(figures: Figures) -> list[str]:
    lines = [
        "# The study",
        "",
        "The tables of four papers ([papers.md](papers.md)) that a desktop can repeat, its figures beside",
        "theirs. Whisper base and",
        "SmolLM2-135M-Instruct stand in for encoders and LLMs of ten to a hundred times their size, and minutes",
        "of training on synthesised",
        "speech for days on recorded. What can agree is an order of arms, not a figure.",
        "",
        "This page is written by `python -m study` in `native-models/training`, from the logs in",
        "[study/runs](../native-models/training/study/runs); `python -m study.run` runs the arms that have none.",
        "",
        "## How arms are judged",
        "",
        "Minutes through the LLM teach an adaptor nothing from nothing, whatever its kind. So each begins from",
        "the same start: it is turned,",
        "without the LLM, to the embeddings of the tokens that are said in each of its vectors' stretches of",
        "time, which a small CTC head",
        "has aligned. Then comes the recipe's own loss through the LLM, the same steps for all.",
        "",
        "- **nats a token**, **tokens right**: of held-out transcripts (unknown texts in unknown voices), the",
        "  right words standing before",
        "  each token. Free transcripts are mostly wrong at this scale, so that their word error rate (**WER**,",
        "  of few clips, and a paper's",
        "  measure) seldom tells arms apart.",
        "- **heard**: how far these nats have come from those without any sound, 0 %, to those with the words in",
        "  writing, 100 %. Below 10 % an",
        "  arm _did not learn_, and tells nothing about its setting.",
        "  _At the start_ is the same before the LLM had any part in it.",
        "- **agrees**, **does not agree**: where two arms lie farther apart than seeds explain, twice the",
        "  standard deviation of a difference",
        "  between two seeds of one arm; else it is _too close to tell_.",
        "",
    ]
    done = [name for name in ARMS if name in figures.records]
    lines += [f"{len(done)} of {len(ARMS)} arms have been run. {_spread(figures)}", ""]
    missing = {table: [a.name for a in arms if a.name not in figures.records] for table, arms in TABLES.items()}
    if any(missing.values()):
        absent = [f"{len(names)} of _{table}_" for table, names in missing.items() if names]
        lines += [f"Not run yet: {', '.join(absent)}.", ""]
    if "prepare" not in figures.records:
        return lines
    last = [figures.records[name][-1] for name in done]
    dates = sorted({row["date"] for row in last})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    machines = ", ".join(sorted({row["machine"] for row in last}))
    minutes = sum(row["cpu_seconds"] for row in last) / 60
    lines += [f"Run on {machines}, {when}; {minutes:.0f} minutes of a core together.", ""]
    names = {
        "speech": "English, learnt from",
        "languages": "other languages, for one mix",
        "sounds": "sounds and questions about them",
        "held-out": "held-out, transcribed",
        "answered": "held-out, answered",
        "held-out-sounds": "held-out sounds",
    }
    clips = [
        [names[row["which"]], str(row["clips"]), f"{row['hours']:.2f}", str(row["voices"])]
        for row in figures.rows("prepare", "clips")
    ]
    lines += table(["clips", "number", "hours", "voices"], clips)
    bounds = [
        [
            f"{'nothing' if given == 'nothing' else 'the words in writing'}{'' if template else ', no template'}",
            *[f"{figures.bound(given, what, template):.3f}" for what in ("transcript", "reply")],
            *[f"{math.exp(figures.bound(given, what, template)):.2f}" for what in ("transcript", "reply")],
        ]
        for template in (True, False)
        for given in ("nothing", "text")
    ]
    head = [
        "the LLM is given",
        "transcript: nats a token",
        "reply: nats a token",
        "transcript: perplexity",
        "reply: perplexity",
    ]
    return [*lines, *table(head, bounds)]


def _spread(figures: Figures) -> str:
    spreads = [(what, figures.spread(what)) for what in ("transcript", "reply")]
    known = [f"{value:.3f} nats a token of a {what}" for what, value in spreads if value is not None]
    return (
        f"Seeds explain up to {' and '.join(known)}."
        if known
        else f"Seeds: {NOT_RUN}; until then no two arms are compared."
    )
