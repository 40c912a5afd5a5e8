"""Verdicts on files of unlabelled reviews."""
