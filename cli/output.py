"""Command output: JSON on standard output for scripts, and notes for people on the console."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from training.data.labelled import NoteCallback


@contextmanager
def notes_shown(console: Console) -> Iterator[NoteCallback]:
    """Yield a callback for sentences that are printed at the end, below the progress bars, even after an error."""
    notes: list[str] = []
    try:
        yield notes.append
    finally:
        for note in notes:
            console.print(note, markup=False, highlight=False)


def print_json(document: Any) -> None:
    """Print a dataclass, a list or a dictionary as one JSON document; times are ISO 8601."""
    click.echo(json.dumps(document, indent=1, default=_jsonable))


def _jsonable(value: Any) -> Any:
    """Convert what `json` cannot represent by itself."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
