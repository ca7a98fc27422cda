"""AudioChatLlama's table 2, and how many frames are stacked."""

from __future__ import annotations

import math

from study.page.figures import LISTENED, NOT_RUN, Figures, budget, claims, learnt, listened, table
from study.page.sim import Section
from study.plots import Axis, Line, chart


def cascade(figures: Figures) -> Section:
    rows = figures.rows("noise", "noise")
    lines = [
        "## The reply's perplexity as the recogniser errs (AudioChatLlama, table 2)",
        "",
        "The published LLM's own reply to the written words, its first 32 tokens; given the words, given Whisper",
        "base's words, and given",
        "the sound through the adaptor of the mix _transcripts and replies_. Pink noise; the adaptor heard none",
        "when it learnt.",
        "",
    ]
    head = ["noise", "Whisper's WER, %", "written words", "cascade", "sound", "sound ÷ cascade"]
    cells = [
        [
            "none" if row["decibels"] is None else f"{row['decibels']} dB",
            f"{row['whisper_wer']:.1f}",
            *[f"{row[name]:.2f}" for name in ("text", "cascade", "sound")],
            f"{row['sound'] / row['cascade']:.2f}",
        ]
        for row in rows
    ]
    lines += table(head, cells or [[NOT_RUN, "", "", "", "", ""]])
    paper = [["written words", "0", "1.38"], ["cascade", "16.8", "1.83"], ["cascade", "10.1", "1.64"]]
    paper += [["cascade", "7.5", "1.58"], ["AudioChatLlama", "–", "1.54"]]
    lines += table(["AudioChatLlama, table 2", "WER, %", "perplexity"], paper)
    if not rows:
        return lines, {}
    worse = [row for row in rows if row["whisper_wer"] >= 15]
    clean = rows[0]
    lines += claims(
        [
            ("sound does better than a cascade at its best", _less(clean["sound"], clean["cascade"])),
            (
                "sound does better than a cascade whose WER is 15 % or more",
                _less(worse[0]["sound"], worse[0]["cascade"]) if worse else "no noise made it err so much",
            ),
        ]
    )
    curves = [
        Line(name, sorted((row["whisper_wer"], row[key]) for row in rows))
        for name, key in (("cascade", "cascade"), ("sound", "sound"), ("written words", "text"))
    ]
    drawn = chart("Perplexity of the reply", Axis("Whisper's WER, %"), Axis("perplexity"), curves)
    return [*lines, "![Perplexity of the reply](study/cascade.svg)", ""], {"cascade.svg": drawn}


def _less(first: float, second: float) -> str:
    return f"{'agrees' if first < second else 'does not agree'} ({first:.2f} against {second:.2f})"


def stacked(figures: Figures) -> Section:
    names = [f"stack/{n}" for n in (2, 4, 8, 16)]
    rows = [[f"Whisper base, {name.split('/')[1]} × 20 ms", *_both(figures, name)] for name in names]
    conformers = [f"conformer/stack-{n}" for n in (1, 2, 4)]
    rows += [[f"Conformer, {name.split('-')[1]} × 80 ms", *_both(figures, name)] for name in conformers]
    letters = figures.rows("conformer/recognition", "result")
    said = (
        f"The Conformer's CTC over letters, learnt from nothing, ends at {letters[0]['letter_nats']:.2f} nats "
        f"a letter on held-out "
        f"clips (a guess among 28 letters: {math.log(28):.2f})."
        if letters
        else f"The Conformer: {NOT_RUN}."
    )
    of = figures.outcome
    lines = [
        "## Frames stacked (AudioChatLlama, section 3.2)",
        "",
        "The paper stacks _n_ frames of 80 ms, and prints no table of it. Learnt from transcripts and replies.",
        said,
        "",
        *table(["frames", *LISTENED, "reply: nats a token", "reply: heard, %"], rows),
        budget(figures, [*names, *conformers]),
        "",
        *claims(
            [("4 × 20 ms does better than 16 × 20 ms (our question)", figures.claim(of("stack/4"), of("stack/16")))]
        ),
    ]
    points = [(20.0 * int(n.split("/")[1]), o) for n in names if (o := of(n)) is not None]
    if not points:
        return lines, {}
    curves = [
        Line("transcripts", [(ms, 100 * outcome.heard()) for ms, outcome in points]),
        Line("replies", [(ms, 100 * outcome.heard("reply")) for ms, outcome in points]),
    ]
    drawn = chart("Whisper's frames stacked", Axis("milliseconds a vector", True), Axis("heard, %"), curves)
    return [*lines, "![Whisper's frames stacked](study/stack.svg)", ""], {"stack.svg": drawn}


def _both(figures: Figures, name: str) -> list[str]:
    outcome = figures.outcome(name)
    replies = [f"{outcome.nats('reply'):.3f}", learnt(outcome, "reply")] if outcome else ["", ""]
    return [*listened(figures, name), *replies]
