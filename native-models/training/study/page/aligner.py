"""The transferable aligner's tables 1, 2 and 3."""

from __future__ import annotations

from itertools import accumulate

from study.page.figures import LISTENED, Figures, budget, claims, listened, table
from study.page.sim import Section
from study.plots import Axis, Line, chart

_FULL = "aligner/full"
_CUTS = (256, 128, 64, 32, 16, 8)
_TRAINED_RANKS = (384, 256, 128, 32)


def swap(figures: Figures) -> Section:
    rows = [
        ["the LLM that it was trained with", *listened(figures, _FULL), "9.42 (Yi-6B)"],
        [
            "the LLM that was tuned in writing, the layer as it is",
            *listened(figures, _FULL, "swapped"),
            "14.82 (Yi-6B-Chat)",
        ],
        ["the same, the layer mapped between the tables", *listened(figures, _FULL, "swapped and mapped"), "–"],
    ]
    of = figures.outcome
    reading = figures.rows("aligner/fine-tuned-llm", "result")
    prepared = "prepare" in figures.records
    told = (
        f"In writing the tuned LLM repeats held-out words at {reading[0]['transcript_nats']:.3f} nats a "
        f"token, the published one at "
        f"{figures.bound('text', 'transcript'):.3f}."
        if reading and prepared
        else ""
    )
    found = [
        (
            "a relative of the LLM still hears through the same layer, but transcribes worse",
            figures.claim(of(_FULL), of(_FULL, "swapped")),
        )
    ]
    return [
        "## The LLM exchanged behind a frozen layer (the transferable aligner, table 1)",
        "",
        "One linear layer, every frame a vector. The other LLM is the published one after a short tuning by LoRA",
        "in writing alone:",
        "it reads a clip's words as they are said and repeats them as they are written. The paper's is tuned to",
        "chat.",
        told,
        "",
        *table(["LLM behind the layer", *LISTENED, "paper: CER, %"], rows),
        *claims(found),
    ], {}


def singular_values(figures: Figures) -> Section:
    paper = {256: "300 of 1280: 9.45", 128: "200 of 1280: 9.60", 64: "100 of 1280: 11.7", 32: "50 of 1280: 70.8"}
    rows = [["all", *listened(figures, _FULL)[:3], "9.42"]]
    rows += [[f"{rank}", *listened(figures, _FULL, f"rank {rank}")[:3], paper.get(rank, "–")] for rank in _CUTS]
    of = figures.outcome
    found = [
        ("an eighth of the singular values is enough", figures.claim_alike(of(_FULL, "rank 64"), of(_FULL))),
        ("a thirty-second of them is not", figures.claim(of(_FULL), of(_FULL, "rank 16"))),
    ]
    lines = ["## Singular values of the layer (the transferable aligner, table 2)", ""]
    charts: dict[str, str] = {}
    values = next((row["values"] for row in figures.rows(_FULL, "singular-values")), None)
    if values is not None:
        energy = list(accumulate(value**2 for value in values))
        places = {
            share: 1 + next(n for n, e in enumerate(energy) if e >= share * energy[-1]) for share in (0.5, 0.9, 0.99)
        }
        held = ", ".join(f"{100 * share:.0f} % in {count}" for share, count in places.items())
        lines += [f"Of the layer's {len(values)} singular values, what they hold (sum of squares): {held}.", ""]
        points = [(number + 1.0, value) for number, value in enumerate(values)]
        axes = Axis("number", True), Axis("singular value", True, least=max(min(values), values[0] * 1e-3))
        shown = [point for point in points if point[1] >= axes[1].least]
        charts["singular-values.svg"] = chart("The layer's singular values", *axes, [Line("", shown, dots=False)])
        lines += ["![The layer's singular values](study/singular-values.svg)", ""]
    lines += [
        *table(["kept", *LISTENED[:3], "paper: kept, CER, %"], rows),
        "The paper cuts what the layer gives for a clip, we cut the layer itself.",
        "",
        *claims(found),
    ]
    return lines, charts


def trainable(figures: Figures) -> Section:
    paper = {384: "3072 of 4096: 9.37", 256: "2048 of 4096: 14.45", 128: "1024 of 4096: 19.49"}
    rows = [["512 of 512", *listened(figures, _FULL), "4096 of 4096: 9.42"]]
    rows += [
        [f"{rank} of 512", *listened(figures, f"aligner/rank-{rank}"), paper.get(rank, "–")] for rank in _TRAINED_RANKS
    ]
    of = figures.outcome
    found = [
        ("three quarters of the dimensions are enough", figures.claim_alike(of("aligner/rank-384"), of(_FULL))),
        ("half of them cost much", figures.claim(of(_FULL), of("aligner/rank-256"))),
        ("a quarter of them costs more", figures.claim(of("aligner/rank-256"), of("aligner/rank-128"))),
    ]
    names = [_FULL, *(f"aligner/rank-{rank}" for rank in _TRAINED_RANKS)]
    return [
        "## Trainable dimensions (the transferable aligner, table 3)",
        "",
        *table(["dimensions", *LISTENED, "paper: dimensions, CER, %"], rows),
        "The paper sets outputs beyond the trained ones to 0; ours are a product of two matrices, whose rank is",
        "the dimension.",
        budget(figures, names),
        "",
        *claims(found),
    ], {}


def hours(figures: Figures) -> Section:
    """More data, the same steps; a power law through what is above the written words' own loss."""
    from study.page.power_law import power_law

    names = {0.125: "hours/0.125", 0.25: "hours/0.25", 0.5: "hours/0.5", 1.0: "hours/1.0"}
    sets = [row for row in figures.rows("prepare", "clips") if row["which"] == "speech"]
    if sets:
        names[round(sets[0]["hours"], 2)] = "adaptor/conv-4"
    rows = [[f"{count:g}", *listened(figures, name)] for count, name in sorted(names.items())]
    points = [(count, o.nats()) for count, name in sorted(names.items()) if (o := figures.outcome(name)) is not None]
    lines = [
        "## Hours of data",
        "",
        "The same steps for each: fewer hours are heard more often. The transferable aligner's table 1: 220, 438",
        "and 638 hours gave",
        "a CER of 11.07, 9.42 and 8.43 %.",
        "",
    ]
    if len(points) < 3:
        return [
            *lines,
            *table(["hours", *LISTENED], rows),
            f"The power law needs three arms; {len(points)} have been run.",
            "",
        ], {}
    floor = figures.bound("text", "transcript")
    factor, exponent = power_law([(count, nats - floor) for count, nats in points])
    far = [10.0, 60.0]
    rows += [
        [f"{count:g}, **extrapolated**", f"{floor + factor * count**-exponent:.3f}", "", "", "", ""] for count in far
    ]
    fitted = [(c, floor + factor * c**-exponent) for c in [*(count for count, _ in points), *far]]
    drawn = chart(
        "Hours of data",
        Axis("hours", True),
        Axis("nats a token"),
        [Line("measured", points), Line("extrapolated", fitted, dashed=True, dots=False)],
    )
    lines += [
        *table(["hours", *LISTENED], rows),
        f"Fitted: {floor:.3f} + {factor:.3f} · hours^−{exponent:.3f}, the first number being the loss from "
        f"written words. The two last",
        "rows are that line drawn on far outside of what was measured: a guess, at this budget of steps.",
        "",
        "![Hours of data](study/hours.svg)",
        "",
    ]
    return lines, {"hours.svg": drawn}
