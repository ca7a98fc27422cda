"""The page says what the logs say, and no more."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from study.__main__ import write
from study.arms import ARMS
from study.page.figures import Figures, Outcome
from study.page.power_law import power_law
from study.page.whole import page
from study.plots import Axis, Line, chart
from study.records import log_path

NOTHING, TEXT = 4.0, 0.5


def log(folder: Path, name: str, *rows: dict) -> None:
    first = {"kind": "arm", "name": name, "options": ARMS[name].options, "steps": {}}
    last = {"kind": "done", "cpu_seconds": 60.0, "date": "2030-01-02", "machine": "a machine, 2 cores"}
    text = "".join(json.dumps(row) + "\n" for row in (first, *rows, last))
    log_path(name, folder).write_text(text)


def result(nats: float, what: str = "", reply: float = 2.0) -> dict:
    figures = {"transcript_nats": nats, "transcript_right": 0.4, "reply_nats": reply, "reply_right": 0.4}
    return {"kind": "result", "what": what, **figures, "wer": 90.0}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Bounds, and three seeds 0.02 apart."""
    folder = tmp_path / "runs"
    folder.mkdir()
    bounds = [
        {"kind": "bound", "given": given, "template": template, "transcript_nats": nats, "reply_nats": nats}
        for template in (True, False)
        for given, nats in (("nothing", NOTHING), ("text", TEXT))
    ]
    log(folder, "prepare", {"kind": "clips", "which": "speech", "clips": 9, "hours": 2.0, "voices": 3}, *bounds)
    for name, nats in (("adaptor/conv-4", 2.0), ("seed-1/conv-4", 2.02), ("seed-2/conv-4", 1.98)):
        log(folder, name, result(nats))
    return folder


def line_of(text: str, start: str) -> str:
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {start}"))
    return line


def test_without_logs_every_arm_is_named_as_not_run(tmp_path: Path):
    text, charts = page(tmp_path)
    assert "0 of" in text and not charts
    assert text.count("not run yet") > len(ARMS)
    # No figure of ours: of cells with figures only the papers' are there.
    assert "agrees (" not in text


@pytest.mark.parametrize(
    ("nats", "verdict"), [(1.5, "does not agree"), (2.5, "agrees"), (2.03, "too close to tell"), (3.9, "agrees")]
)
def test_a_claim_is_judged_by_what_seeds_explain(runs: Path, nats: float, verdict: str):
    log(runs, "adaptor/conv-8", result(nats))
    text, _ = page(runs)
    assert f"| {verdict} (" in line_of(text, "convolutions: 4× does better than 8×")


def test_arms_that_did_not_learn_prove_nothing(runs: Path):
    log(runs, "adaptor/conv-8", result(3.9))
    log(runs, "adaptor/window-8", result(3.95))
    text, _ = page(runs)
    assert "neither arm learnt" in line_of(text, "at 8×, convolutions do better than windows")
    assert "did not learn" in line_of(text, "ConvNet, 8×")


def test_heard_is_the_way_from_nothing_to_the_written_words(runs: Path):
    outcome = Figures(runs).outcome("adaptor/conv-4")
    assert isinstance(outcome, Outcome) and outcome.heard() == pytest.approx((NOTHING - 2.0) / (NOTHING - TEXT))


def test_spread_is_twice_the_deviation_of_a_difference_between_seeds(runs: Path):
    # Three seeds, variance 0.0004: a difference of two has twice that.
    assert Figures(runs).spread() == pytest.approx(2 * (2 * 0.0004) ** 0.5)


def test_a_log_without_its_end_counts_as_none(runs: Path):
    path = log_path("adaptor/mlp", runs)
    path.write_text('{"kind": "arm", "name": "adaptor/mlp", "options": {}, "steps": {}}\n')
    assert Figures(runs).outcome("adaptor/mlp") is None


def test_what_was_not_measured_is_marked_as_extrapolated(runs: Path):
    for name, nats in (("hours/0.25", 3.0), ("hours/0.5", 2.6), ("hours/1.0", 2.3)):
        log(runs, name, result(nats))
    text, charts = page(runs)
    assert line_of(text, "60, **extrapolated**") and "hours.svg" in charts
    assert "stroke-dasharray" in charts["hours.svg"]


def test_a_power_law_is_found_again():
    factor, exponent = power_law([(x, 3 * x**-0.4) for x in (0.1, 0.5, 2.0, 9.0)])
    assert (factor, exponent) == pytest.approx((3, 0.4))


def test_the_page_is_the_same_each_time_and_its_links_lead_somewhere(runs: Path, tmp_path: Path):
    log(runs, "adaptor/mlp", result(1.9))
    docs = tmp_path / "docs"
    first = {path: path.read_bytes() for path in write(runs, docs)}
    assert {path: path.read_bytes() for path in write(runs, docs)} == first
    images = re.findall(r"!\[[^]]*]\(([^)]+)\)", (docs / "study.md").read_text())
    assert images and all((docs / image).exists() for image in images)


def test_every_section_is_written_from_whole_logs(runs: Path):
    for number, name in enumerate(ARMS):
        if ARMS[name].kind == "listen" and name not in ("adaptor/conv-4", "aligner/full"):
            stage = {"kind": "stage", "stage": "listen", "steps": 9, "samples": 99, "trained": 10**6}
            log(runs, name, stage, result(2 + number / 100, "start"), result(1.5 + number / 100))
    cuts = [result(1.6, f"rank {rank}") for rank in (256, 128, 64, 32, 16, 8)]
    values = {"kind": "singular-values", "values": [3.0, 2.0, 1.0]}
    log(runs, "aligner/full", result(1.6), *cuts, result(1.7, "swapped"), result(1.8, "swapped and mapped"), values)
    log(runs, "aligner/fine-tuned-llm", result(0.4, "reading"))
    discounts = [
        {"kind": "discount", "stage": stage, "discount": d, "following": d, "different_words": 9.0}
        | {f"{kind}_nats": 1.0 + d for kind in ("transcript", "sound", "story")}
        for stage in ("recognition", "instruction", "activation")
        for d in (0.0, 0.5, 1.0)
    ]
    log(runs, "salmonn", *discounts)
    noise = [
        {"kind": "noise", "decibels": d, "whisper_wer": w, "text": 2.0, "cascade": 2.2, "sound": 2.1 + w / 100}
        for d, w in ((None, 3.0), (5, 30.0))
    ]
    log(runs, "noise", *noise)
    log(runs, "conformer/recognition", {"kind": "result", "what": "letters", "letter_nats": 2.5, "letters": 99})
    for n in (1, 2, 4):
        log(runs, f"conformer/stack-{n}", result(3.5))
    text, charts = page(runs)
    assert "not run yet" not in text.lower()
    assert set(charts) == {
        "adaptors.svg",
        "hours.svg",
        "singular-values.svg",
        "discount.svg",
        "cascade.svg",
        "stack.svg",
    }
    for drawn in charts.values():
        ElementTree.fromstring(drawn)


def test_a_chart_places_points_by_their_axes():
    drawn = chart("T", Axis("x", True), Axis("y"), [Line("l", [(1, 0), (10, 1), (100, 2)])])
    circles = [
        (float(c.get("cx", 0)), float(c.get("cy", 0)))
        for c in ElementTree.fromstring(drawn).iter()
        if c.tag.endswith("circle")
    ]
    (a, b, c) = circles
    # Powers of ten lie equally far apart, and up is up.
    assert b[0] - a[0] == pytest.approx(c[0] - b[0], abs=0.2) and a[1] > b[1] > c[1]


def test_a_chart_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        chart("T", Axis("x"), Axis("y"), [Line("l", [])])
