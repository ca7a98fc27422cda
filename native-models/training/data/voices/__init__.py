"""Synthesisers, one a file, behind the interface of `interface.py`; `casting.py` chooses who speaks."""
