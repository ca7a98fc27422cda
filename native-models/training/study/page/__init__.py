"""`docs/study.md` out of the logs: a file for each paper."""
