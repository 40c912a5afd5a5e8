"""Fault injection: what the simulated AWS does wrong on demand."""
