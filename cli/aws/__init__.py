"""Subcommands that work on AWS."""
