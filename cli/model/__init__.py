"""Subcommands that train, evaluate and package a model."""
