"""The `verdict bytecode` command."""

import click

from operations.packaging.bytecode import compile_for_lambda


@click.command("bytecode")
def command() -> None:
    """Precompile what ships to Lambda, for faster cold starts.

    Run it before `chalice deploy` or `chalice package`.
    """
    compiled = compile_for_lambda()
    click.echo(f"Compiled {compiled.files} files; vendor/ holds {compiled.vendor_bytes / 1000:.0f} kB of bytecode.")
