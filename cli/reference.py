"""Reference documentation as Markdown, generated from the code: `python -m cli.reference` writes docs/reference."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from chalicelib import openapi
from chalicelib.feedback import Collection
from cli.main import EXIT_STATUSES, SECTIONS, verdict
from training.project import ROOT

FOLDER = ROOT / "docs" / "reference"
_WIDTH = 100  # characters


def command_reference() -> str:
    """Return one section for each subcommand, in the order of `verdict --help`."""
    group = click.Context(verdict, info_name="verdict", **verdict.context_settings)
    parts = ["# Command reference", "Generated from the commands by `python -m cli.reference`.", EXIT_STATUSES]
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


def http_reference() -> str:
    """Return one section for each route and for each JSON object of the OpenAPI document."""
    document = openapi.document(Collection(table=""))
    parts = [
        "# HTTP API",
        "Generated from the OpenAPI document (`GET /openapi.json`) by `python -m cli.reference`.",
        "## Routes",
    ]
    for path, operations in document["paths"].items():
        for method in operations.keys() & {"get", "post"}:
            parts += _route(f"{method.upper()} {path}", operations[method])
    parts.append("## JSON objects")
    for name, schema in document["components"]["schemas"].items():
        parts += [f"### {name}", _fields(schema)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _route(title: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield a route's heading, description, request bodies and responses."""
    yield f"### {title}"
    yield f"{operation['summary']}. {operation.get('description', '')}".strip()
    bodies = operation.get("requestBody", {}).get("content", {})
    if bodies:
        yield "\n".join(
            ["| request body | |", "|---|---|", *(f"| `{kind}` | {_body(bodies[kind])} |" for kind in bodies)]
        )
    rows = [
        f"| {status} | {', '.join(f'`{kind}`' for kind in response.get('content', {}))} | {response['description']} |"
        for status, response in operation["responses"].items()
    ]
    yield "\n".join(["| status | representation | meaning |", "|---|---|---|", *rows])


def _body(content: Mapping[str, Any]) -> str:
    """Describe a request body: its objects, or its form fields."""
    schema = content["schema"]
    return (
        openapi.type_name(schema)
        if "properties" not in schema
        else ", ".join(f"`{name}`" for name in schema["properties"])
    )


def _fields(schema: Mapping[str, Any]) -> str:
    """Return an object's fields as a table, or its type."""
    if "properties" not in schema:
        return openapi.type_name(schema)
    rows = [
        f"| `{name}` | {openapi.type_name(field)} | {field.get('description', '')} |"
        for name, field in schema["properties"].items()
    ]
    return "\n".join(["| field | type | |", "|---|---|---|", *rows])


DOCUMENTS = {"cli.md": command_reference, "http-api.md": http_reference}


if __name__ == "__main__":
    for name, document in DOCUMENTS.items():
        (FOLDER / name).write_text(document(), encoding="utf-8")
