"""Command output for scripts: JSON on standard output."""

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click


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
