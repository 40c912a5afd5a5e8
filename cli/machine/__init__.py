"""Subcommands that run servers on this machine."""
