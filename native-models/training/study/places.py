"""Folders of the study."""

from pathlib import Path

HERE = Path(__file__).parent
RUNS = HERE / "runs"
"""Complete logs, from which the page is made."""
