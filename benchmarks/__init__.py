"""Verdict side by side with what it replaces, measured in one run: `python -m benchmarks`."""
