"""The command line: help, suggestions, exit statuses, and errors on one line."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from cli.main import MODULES, SECTIONS, verdict
from cli.reference import DOCUMENTS, FOLDER
from training.project import ROOT

WITHOUT_TRAINING_PACKAGES = """
import runpy, sys
sys.modules.update(dict.fromkeys(["matplotlib", "optuna", "sklearn"]))  # importing a None fails
runpy.run_module("cli.main", run_name="__main__", alter_sys=True)
"""
PROGRESS_BAR = "━"


def run_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `verdict` in a process without the packages of requirements-dev.txt that commands import."""
    command = [sys.executable, "-c", WITHOUT_TRAINING_PACKAGES, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def run(*arguments: str) -> Result:
    """Run `verdict` in this process."""
    return CliRunner().invoke(verdict, arguments, prog_name="verdict")


def command_named(name: str) -> click.Command:
    """Return a subcommand."""
    found = verdict.get_command(click.Context(verdict), name)
    assert found
    return found


def test_help_lists_every_command_by_section() -> None:
    text = run_process("--help").stdout
    listed = [line.split()[0] for line in text.splitlines() if line.startswith("  ") and line[2:3].isalpha()]
    assert [name for name in listed if name in MODULES] == list(MODULES)
    places = [text.index(f"{section}:") for section in SECTIONS]
    assert places == sorted(places)


@pytest.mark.parametrize("name", MODULES)
def test_the_summary_is_the_first_line_of_the_commands_help(name: str) -> None:
    summary = next(commands[name] for commands in SECTIONS.values() if name in commands)
    assert " ".join((command_named(name).help or "").partition("\n\n")[0].split()) == summary


@pytest.mark.parametrize("name", MODULES)
def test_every_option_is_described(name: str) -> None:
    options = [parameter for parameter in command_named(name).params if isinstance(parameter, click.Option)]
    assert not [option.name for option in options if not option.help]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_reference_is_generated_from_the_code(name: str) -> None:
    """In a new process: Click caches the help options of a command that a test called without its group."""
    code = f"import sys; from cli.reference import DOCUMENTS; sys.stdout.write(DOCUMENTS[{name!r}]())"
    command = [sys.executable, "-X", "utf8", "-c", code]
    generated = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    assert (FOLDER / name).read_text(encoding="utf-8") == generated


def test_a_mistyped_command_is_corrected() -> None:
    result = run("deplyo")
    assert result.exit_code == 2
    assert "Did you mean 'deploy'?" in result.output


def test_an_unknown_option_is_a_usage_error() -> None:
    assert run("--nonsense").exit_code == 2
    assert run("data", "--archve", "x").exit_code == 2


def test_the_version_is_printed() -> None:
    assert run("--version").output.startswith("verdict 0.")


def test_shells_complete_commands_and_options() -> None:
    complete = ShellComplete(verdict, {}, "verdict", "_VERDICT_COMPLETE").get_completions
    assert [item.value for item in complete([], "tear")] == ["teardown"]
    assert "--stage" in [item.value for item in complete(["deploy"], "--st")]


def test_a_missing_package_is_named() -> None:
    ended = run_process("tune", "--help")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: This command needs optuna")
    assert ended.stderr.count("\n") == 1
    assert "requirements-dev.txt" in ended.stderr


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("review,label\ngood,1\nbad,0\n")
    (tmp_path / "file").touch()
    ended = run_process("data", "--labelled", str(tmp_path / "mine.csv"), "--into", str(tmp_path / "file" / "data"))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1] == f"Error: {tmp_path}/file/data cannot be used: Not a directory."


@pytest.mark.parametrize("name", ["prepare", "evaluate", "learning", "release"])
def test_inputs_are_checked_before_a_progress_bar(name: str, tmp_path: Path) -> None:
    where = ["--data", str(tmp_path / "absent")] + ([] if name == "prepare" else ["--name", "absent"])
    code = f"from cli.main import main; import sys; sys.argv = {['verdict', name, *where]!r}; main()"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1
    assert PROGRESS_BAR not in ended.stderr
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1


def test_json_goes_to_standard_output(tmp_path: Path) -> None:
    result = run("data", "--generated", "40", "--into", str(tmp_path), "--json")
    assert json.loads(result.stdout)["source"]
    assert "Labelled reviews" in result.stderr
