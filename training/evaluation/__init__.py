"""Predictions, metrics, thresholds and the report."""
