"""Comparison of new reviews with those of training."""
