"""The steps' own command line, on a machine that has only what `make run` installs, too."""

import subprocess
import sys
from pathlib import Path

from cli.main import COMMANDS
from training.project import ROOT as PROJECT

WITHOUT_TRAINING_PACKAGES = """
import runpy, sys
sys.modules.update(dict.fromkeys(["matplotlib", "optuna", "sklearn"]))  # importing a None fails
runpy.run_module("cli.main", run_name="__main__", alter_sys=True)
"""


def called(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Call `verdict` with nothing of requirements-dev.txt that steps import."""
    command = [sys.executable, "-c", WITHOUT_TRAINING_PACKAGES, *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)


def test_the_help_lists_every_step_with_what_it_does() -> None:
    told = called("--help").stdout
    listed = dict(line.split(maxsplit=1) for line in told.splitlines() if line.startswith("  ") and line[2:3].strip())
    assert listed.keys() >= COMMANDS.keys()
    assert listed["train"].startswith("Train a model")


def test_a_step_whose_packages_are_absent_says_what_to_install() -> None:
    told = called("tune", "--help")
    assert told.returncode == 1
    assert told.stderr.startswith("Error: This command needs optuna")
    assert told.stderr.count("\n") == 1
    assert "requirements-dev.txt" in told.stderr


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("review,label\ngood,1\nbad,0\n")
    (tmp_path / "file").touch()
    told = called("data", "--labelled", str(tmp_path / "mine.csv"), "--into", str(tmp_path / "file" / "data"))
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert told.stderr.splitlines()[-1] == f"Error: {tmp_path}/file/data cannot be used: Not a directory."
