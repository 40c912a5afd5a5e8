"""Fuzzing: generated texts, events, files and HTTP requests, and what must hold for each of them."""
