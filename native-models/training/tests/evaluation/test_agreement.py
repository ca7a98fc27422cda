import json
from pathlib import Path

from evaluation.agreement import compare, part_of
from evaluation.results import Response, Result
from evaluation.suite import Item, read_suite

ITEMS = [Item(name, Path(f"{name}.wav"), "the cat sat on the mat", is_question=True) for name in "ab"]


def heard(*transcripts: str) -> list[Result]:
    return [
        Result(item, "speech-llm", transcript, "A cat.", Response(4, 2.0, 0.5))
        for item, transcript in zip(ITEMS, transcripts, strict=True)
    ]


def test_the_same_results_differ_by_nothing() -> None:
    results = heard("the cat sat on the mat", "the cat sat on a mat")
    lines, worst = compare(results, results)
    assert worst == 0
    assert lines[-1].startswith("2 of 2")
    assert all(line.endswith("+0.00") for line in lines[1:-1])


def test_a_word_in_twelve_is_more_than_half_a_point() -> None:
    lines, worst = compare(
        heard("the cat sat on the mat", "the cat sat on a mat"), heard(*["the cat sat on the mat"] * 2)
    )
    assert round(worst, 2) == round(100 / 12, 2)
    (wer,) = (line for line in lines if ": wer" in line)
    assert wer.split()[-3:] == ["8.33", "0.00", "-8.33"]
    assert lines[-1].startswith("1 of 2")


def test_a_part_is_spread_over_the_suite_and_finds_its_sounds(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    suite = tmp_path / "suite.json"
    told = [{"audio": f"{number}.wav", "text": "one"} for number in range(10)]
    told[5] |= {"id": "five", "turns": [{"audio": "before.wav", "text": "two", "answer": "three"}]}
    suite.write_text(json.dumps(told))
    assert part_of(suite, None, tmp_path / "out") == suite
    items = read_suite(part_of(suite, 2, tmp_path / "out"))
    assert [item.name for item in items] == ["0.wav", "five"]
    assert items[0].audio == tmp_path / "0.wav"
    assert items[1].turns[0].audio == tmp_path / "before.wav"
