"""SiM's tables 1, 2, 4, 5 and 6."""

from __future__ import annotations

from study.arms import REFERENCE
from study.page.figures import LISTENED, NOT_RUN, Figures, budget, claims, learnt, listened, table
from study.plots import Axis, Line, chart

Section = tuple[list[str], dict[str, str]]
"""Lines of Markdown, and charts by their file's name."""

_ADAPTORS = [
    # arm, adaptor, vectors a second here, and in the paper: tokens of 30 s, word error rate
    ("adaptor/mlp", "2-layer MLP", 50.0, "1500", "4.9"),
    (REFERENCE, "ConvNet, 4×", 12.5, "375", "5.6"),
    ("adaptor/conv-8", "ConvNet, 8×", 6.25, "188", "7.9"),
    ("adaptor/q-former-188", "Q-Former, 188 queries", None, "188", "> 20"),
    ("adaptor/q-former-88", "Q-Former, 88 queries", None, "88", "> 80"),
    ("adaptor/window-4", "windowed Q-Former, 4×", 12.5, "372", "8.0"),
    ("adaptor/window-8", "windowed Q-Former, 8×", 6.25, "186", "9.5"),
    ("adaptor/window-17", "windowed Q-Former, 17×", 50 / 17, "88", "10.4"),
]


def adaptors(figures: Figures) -> Section:
    rows = [
        [label, f"{rate:.4g}" if rate else "by the clip", *listened(figures, name), tokens, wer]
        for name, label, rate, tokens, wer in _ADAPTORS
    ]
    of = figures.outcome
    found = [
        ("the MLP, which drops no frame, does best (against 4×)", figures.claim(of("adaptor/mlp"), of(REFERENCE))),
        ("convolutions: 4× does better than 8×", figures.claim(of(REFERENCE), of("adaptor/conv-8"))),
        ("at 4×, convolutions do better than windows", figures.claim(of(REFERENCE), of("adaptor/window-4"))),
        ("at 8×, convolutions do better than windows", figures.claim(of("adaptor/conv-8"), of("adaptor/window-8"))),
        ("windows: 8× does better than 17×", figures.claim(of("adaptor/window-8"), of("adaptor/window-17"))),
        (
            "a Q-Former over the whole clip does worse than windows",
            figures.claim(of("adaptor/window-8"), of("adaptor/q-former-188")),
        ),
    ]
    lines = [
        "## Adaptor and frame rate (SiM, table 1)",
        "",
        *table(["adaptor", "vectors a second", *LISTENED, "SiM: tokens of 30 s", "SiM: WER, %"], rows),
        "Our Q-Formers have two layers and their queries look at a clip of at most 8 s; the paper's have three",
        "and 30 s. The paper",
        "prints a reduction of 4× beside its last row, whose 88 tokens are 17×.",
        budget(figures, [row[0] for row in _ADAPTORS]),
        "",
        *claims(found),
    ]
    kinds = (("ConvNet and MLP", ("adaptor/mlp", REFERENCE, "adaptor/conv-8")),)
    kinds += (("windowed Q-Former", ("adaptor/window-4", "adaptor/window-8", "adaptor/window-17")),)
    rates = {name: rate for name, _, rate, _, _ in _ADAPTORS if rate}
    curves = [
        Line(kind, [(rates[name], 100 * o.heard()) for name in names if (o := of(name)) is not None])
        for kind, names in kinds
    ]
    if not any(curve.points for curve in curves):
        return lines, {}
    drawn = chart("Adaptors at their frame rates", Axis("vectors a second", True), Axis("heard, %"), curves)
    return [*lines, "![Adaptors at their frame rates](study/adaptors.svg)", ""], {"adaptors.svg": drawn}


_TRAINED = [
    (REFERENCE, "adaptor", "4.89"),
    ("trained/llm", "adaptor and LLM", "4.67"),
    ("trained/encoder", "adaptor and encoder (its last two layers)", "> 15.0 (all of it)"),
    ("trained/lora", "adaptor and LoRA", "–"),
]


def trained(figures: Figures) -> Section:
    def count(name: str) -> str:
        stages = [row for row in figures.rows(name, "stage") if "trained" in row]
        return f"{stages[0]['trained'] / 1e6:.1f}" if stages else ""

    rows = [[label, count(name), *listened(figures, name), wer] for name, label, wer in _TRAINED]
    of = figures.outcome
    found = [
        ("the LLM trained along does better", figures.claim(of("trained/llm"), of(REFERENCE))),
        ("the encoder trained along does worse", figures.claim(of(REFERENCE), of("trained/encoder"))),
    ]
    return [
        "## What is trained (SiM, table 2)",
        "",
        *table(["trained", "million parameters", *LISTENED, "SiM: WER, %"], rows),
        budget(figures, [row[0] for row in _TRAINED]),
        "",
        *claims(found),
    ], {}


def template(figures: Figures) -> Section:
    rows = [
        ["instruct LLM, its chat template", *listened(figures, REFERENCE), "4.89 (instruct)"],
        ["the same LLM, no template", *listened(figures, "template/none"), "6.18 (base)"],
    ]
    found = [
        (
            "instruct does better than base",
            figures.claim_heard(figures.outcome(REFERENCE), figures.outcome("template/none")),
        )
    ]
    return [
        "## Instruct and base (SiM, table 4)",
        "",
        "**Not the paper's question.** No base LLM was at hand beside the instruct one; this is the instruct LLM",
        "with and without",
        "the template that it was tuned with, which takes away what tuning added to the prompt, not to the",
        "weights.",
        "",
        *table(["LLM", *LISTENED, "SiM: WER, %"], rows),
        "_Heard_ is within each prompt's own bounds; nats of the two rows have different floors.",
        "",
        *claims(found),
    ], {}


_MIXES = [
    (REFERENCE, "transcripts, English, all voices", "LibriSpeech 360: 4.89"),
    ("mix/short", "transcripts of clips up to 2.5 s", "Common Voice EN, short clips: 16.70"),
    ("mix/one-synthesiser", "transcripts, one synthesiser", "–"),
    ("mix/languages", "transcripts, and other languages", "LibriSpeech 360 + Common Voice ML: 5.10"),
    ("mix/both", "transcripts and replies", "–"),
    ("mix/replies", "replies alone", "–"),
]


def mixes(figures: Figures) -> Section:
    def reply(name: str) -> list[str]:
        outcome = figures.outcome(name)
        return [f"{outcome.nats('reply'):.3f}", learnt(outcome, "reply")] if outcome else [NOT_RUN, ""]

    rows = [[label, *listened(figures, name), *reply(name), wer] for name, label, wer in _MIXES]
    of = figures.outcome
    found = [
        ("short clips alone cost much (table 5)", figures.claim(of(REFERENCE), of("mix/short"))),
        ("other languages cost English little (table 5)", figures.claim_alike(of("mix/languages"), of(REFERENCE))),
        (
            "spoken instructions are followed only by a model that was trained on them (table 6)",
            figures.claim(of("mix/both"), of(REFERENCE), "reply"),
        ),
    ]
    head = ["learnt from", *LISTENED, "reply: nats a token", "reply: heard, %", "SiM: WER, %"]
    return [
        "## Data mixes (SiM, tables 5 and 6)",
        "",
        *table(head, rows),
        budget(figures, [row[0] for row in _MIXES]),
        "",
        *claims(found),
    ], {}
