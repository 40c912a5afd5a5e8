"""A length of time as it is written on the command line: `30s`, `15m`, `4h`, `2d`."""

import re
from datetime import timedelta

import click

_WRITTEN = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(written: str) -> timedelta:
    """Read a length of time; raises `ValueError`."""
    found = _WRITTEN.fullmatch(written)
    if not found:
        raise ValueError(f"{written!r} is no length of time: write 30s, 15m, 4h or 2d.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def duration_option(_context: click.Context, _parameter: click.Parameter, written: str | None) -> timedelta | None:
    """Read an option's value, as its click callback; None where the option was left out."""
    if written is None:
        return None
    try:
        return duration(written)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
