"""The command reference as Markdown, generated from the commands: `python -m cli.reference > docs/reference/cli.md`."""

from collections.abc import Iterator

import click

from cli.main import EXIT_STATUSES, SECTIONS, verdict

_WIDTH = 100  # characters


def document() -> str:
    """Return the reference: one section for each subcommand, in the order of `verdict --help`."""
    group = click.Context(verdict, info_name="verdict")
    parts = [
        "# Command reference",
        "Generated from the commands themselves by `python -m cli.reference`.",
        EXIT_STATUSES,
    ]
    for section, names in SECTIONS.items():
        parts.append(f"## {section}")
        for name in names:
            parts += _command(group, name)
    return "\n\n".join(parts) + "\n"


def _command(group: click.Context, name: str) -> Iterator[str]:
    """Yield a subcommand's heading and its help."""
    command = verdict.get_command(group, name)
    if command is None:
        raise LookupError(name)
    context = click.Context(command, info_name=name, parent=group, terminal_width=_WIDTH, max_content_width=_WIDTH)
    yield f"### verdict {name}"
    yield f"```\n{command.get_help(context)}\n```"


if __name__ == "__main__":
    click.echo(document(), nl=False)
