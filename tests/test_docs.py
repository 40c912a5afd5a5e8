"""Documentation against code: commands and options, faults, alarms, variables, messages.

Nothing is run here; `make rehearse` runs the commands.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import click
import pytest
from chalice.cli import cli as chalice_cli
from werkzeug.test import EnvironBuilder

from cli.main import verdict
from operations.packaging.package import stack_template
from operations.setup.permissions import PARTS
from simulator.admin_api import AdminApi
from simulator.apps.gateway import Gateway
from simulator.faults import endpoint_faults, operation_faults
from simulator.http.messages import HttpRequest, HttpResponse
from simulator.sagemaker.hosting import endpoints
from simulator.sagemaker.jobs import training_jobs

ROOT = Path(__file__).parents[1]
DOCS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")}
LIFECYCLE, DEPLOY = DOCS["lifecycle"], DOCS["deploy"]
UNKNOWN = "UnknownOperationException"
PROGRAMS = ("verdict ", "chalice ")


def commands_in(document: str) -> Iterator[str]:
    """Yield the commands of a document: at a prompt, indented, or in backticks."""
    yield from re.findall(r"^\$ (.+)$", document, re.MULTILINE)
    yield from re.findall(r"^    (\S.*)$", re.sub(r"```.*?```", "", document, flags=re.DOTALL), re.MULTILINE)
    yield from (
        " ".join(line.split()) for line in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", document, flags=re.S))
    )


COMMANDS = sorted(
    {
        line
        for name, text in DOCS.items()
        if name not in ("cli", "http-api")
        for line in commands_in(text)
        if line.startswith(PROGRAMS)
    }
)


def words_of(line: str) -> list[str]:
    """Split a command as a shell would, without its comment and what a redirection does with its output."""
    words = shlex.split(line, comments=True)
    return words[: words.index(">")] if ">" in words else words


def usage_error(command: click.Command, name: str, arguments: list[str]) -> str:
    """Return why a command would refuse these arguments, "" if it accepts them; nothing is run."""
    context = click.Context(command, info_name=name)
    try:
        values, left, _ = command.make_parser(context).parse_args(list(arguments))
        for parameter in command.params:
            if isinstance(parameter.type, click.Choice) and isinstance(values.get(parameter.name or ""), str):
                parameter.type.convert(values[parameter.name or ""], parameter, context)
    except click.ClickException as error:
        return error.format_message()
    return f"left over: {left}" if left else ""


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_valid(line: str) -> None:
    words = words_of(line)
    group, (name, *arguments) = (verdict, words[1:]) if words[0] == "verdict" else (chalice_cli, words[1:])
    command = group.get_command(click.Context(group), name)
    assert command, name
    assert not usage_error(command, name, arguments)


def test_an_invalid_option_is_noticed() -> None:
    command = verdict.get_command(click.Context(verdict), "deploy")
    assert command
    assert "--nothing" in usage_error(command, "deploy", ["--nothing"])
    assert len(COMMANDS) > 50


def test_every_policy_is_documented() -> None:
    assert set(re.findall(r"--policy (\w+)", DEPLOY)) == set(PARTS)


def quoted_row(beginning: str) -> set[str]:
    """Return what is in backticks in a row of the simulator's tables, seconds taken off."""
    row = next(line for line in LIFECYCLE.splitlines() if line.startswith(f"| {beginning}"))
    return {name.partition(":")[0] for name in re.findall(r"`([\w:-]+)`", row)}


def test_all_faults_are_documented() -> None:
    assert quoted_row("refused at once") == set(operation_faults.REQUEST_ERRORS)
    background = quoted_row("goes wrong later") - {"CreateEndpoint", "UpdateEndpoint"}
    assert background == set(operation_faults.BACKGROUND_FAULTS)
    assert quoted_row("an endpoint's answers") == set(endpoint_faults.KINDS)


def test_documented_faults_exist() -> None:
    ordered = re.findall(r"operation=(\w+)&fault=([\w-]+)", LIFECYCLE) + re.findall(
        r"^\| `(\w+)`, `(\w+)` \|", LIFECYCLE, re.M
    )
    operations = {*endpoints.OPERATIONS, *training_jobs.OPERATIONS}
    assert len(ordered) > 6
    assert {operation for operation, _ in ordered} <= operations
    assert {kind for _, kind in ordered} <= {*operation_faults.REQUEST_ERRORS, *operation_faults.BACKGROUND_FAULTS}


def _no_function(*_: Any) -> Any:
    raise AssertionError("No app is called.")


def response_of(method: str, target: str) -> HttpResponse:
    """Ask a control path of a simulator in which nothing is."""
    api = AdminApi(list, operation_faults.FaultInjector(), Gateway(_no_function), lambda: "http://127.0.0.1")
    return api.handle(HttpRequest(EnvironBuilder(target, method=method).get_environ()))


@pytest.mark.parametrize(
    ("methods", "path", "query"),
    re.findall(r"^\| ([A-Z, ]+) `(/_simulator\S*)` \| (?:`(\?[^`]+)`)?", LIFECYCLE, re.MULTILINE),
)
def test_every_control_path_answers(methods: str, path: str, query: str) -> None:
    for method in methods.split(", "):
        answer = response_of(method, path.replace("<name>", "absent") + query)
        assert answer.headers.get("x-amzn-ErrorType") != UNKNOWN
    assert response_of("GET", "/_simulator/nothing").headers["x-amzn-ErrorType"] == UNKNOWN


def test_the_deployment_guide_matches_the_stack() -> None:
    stack = stack_template("prod", "0123456789ab", 0.9)
    resources = {name: resource.get("Properties", {}) for name, resource in stack["Resources"].items()}
    alarms = {name for name, resource in stack["Resources"].items() if resource.get("Type") == "AWS::CloudWatch::Alarm"}
    assert set(re.findall(r"^\| alarm `(\w+)`", DEPLOY, re.MULTILINE)) == alarms
    rows = "".join(re.findall(r"^\| parameter.*\n", DEPLOY, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", rows)) == set(stack["Parameters"])
    rate, burst = (stack["Parameters"][name]["Default"] for name in ("RequestsPerSecond", "RequestBurst"))
    assert f"{rate} and {burst} by default" in DEPLOY
    assert f"{resources['SlowAnswers']['Threshold']} ms or more" in DEPLOY
    assert f"{resources['ServerErrors']['Threshold']:.0%} or more" in DEPLOY
    assert f"more than {resources['ManyNotSure']['Threshold']:.0%}" in DEPLOY
    assert f"kept {resources['FunctionLog']['RetentionInDays']} days" in DEPLOY


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split("|")[1:-1]]


@cache
def sources() -> dict[Path, str]:
    """Return the source of every module."""
    files = [
        ROOT / "app.py",
        *(ROOT / "chalicelib").rglob("*.py"),
        *(
            path
            for package in ("training", "operations", "simulator", "cli", "benchmarks")
            for path in (ROOT / package).rglob("*.py")
        ),
    ]
    return {path: path.read_text(encoding="utf-8") for path in files}


def test_every_variable_is_read_somewhere() -> None:
    rows = DOCS["configuration"].partition("## Environment variables")[2].partition("\n## ")[0]
    stated = {name for row in re.findall(r"^\|(.*?)\|", rows, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    ours = set(re.findall(r"""environ(?:\.get\(|\[)["'](\w+)["']""", "".join(sources().values())))
    boto = "".join(
        (Path(botocore.__file__).parent / name).read_text(encoding="utf-8")
        for name in ("configprovider.py", "credentials.py")
    )
    assert {name for name in ours if name.startswith("VERDICT_")} <= stated
    assert not [name for name in stated if name not in ours and f"'{name}'" not in boto]


def sentences() -> Iterator[str]:
    """Yield every string in the code."""
    for source in sources().values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_message_of_the_table_is_in_the_code() -> None:
    table = DOCS["troubleshooting"].partition("| it says |")[2].partition("\n\n")[0]
    messages = [cells(row)[0] for row in table.splitlines()[2:]]
    pieces = [piece.strip() for message in messages for piece in re.split(r"\.\.\.| / ", message) if piece.strip(" .:")]
    everything = "\n".join(sentences())
    assert len(messages) > 12
    assert not [piece for piece in pieces if piece not in everything]
