"""Hyperparameter ranges and search."""
