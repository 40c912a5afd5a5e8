"""The `verdict` command and its subcommands."""
