"""`python -m study` writes `docs/study.md` and its charts from the logs: seconds, no training."""

from __future__ import annotations

import argparse
from pathlib import Path

from study.page.whole import page
from study.places import HERE, RUNS


def write(runs: Path, docs: Path) -> list[Path]:
    """Charts that no log gives any more are removed."""
    text, charts = page(runs)
    folder = docs / "study"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        if old.name not in charts:
            old.unlink()
    for name, drawn in charts.items():
        (folder / name).write_text(drawn, encoding="utf-8")
    (docs / "study.md").write_text(text, encoding="utf-8")
    return [docs / "study.md", *(folder / name for name in charts)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--docs", type=Path, default=HERE.parents[2] / "docs")
    given = parser.parse_args()
    for path in write(given.runs, given.docs):
        print(path)


if __name__ == "__main__":
    main()
