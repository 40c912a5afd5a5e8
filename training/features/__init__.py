"""Vocabulary, n-gram weights and training channels."""
