import subprocess
import sys

import pytest
from click.testing import CliRunner

from cli.model.train import command


def test_what_runs_here_does_not_wait_for_boto3():
    ask = "import sys, cli.model.train, cli.model.evaluate; print('boto3' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", ask], text=True).strip() == "False"


@pytest.mark.parametrize("option", ["--spot", "--stop", "--yes", "--parallel=2", "--stage=prod", "-v"])
def test_what_only_means_something_on_sagemaker_is_refused_here(option):
    result = CliRunner().invoke(command, [option])
    assert result.exit_code == 2
    assert "is about work on SageMaker: give it with --on." in result.output


def test_a_stage_that_no_name_can_hold_is_refused():
    result = CliRunner().invoke(command, ["--on", "sagemaker", "--stage", "Prod-1"])
    assert "A stage cannot be named 'Prod-1'" in str(result.exception or result.output)
