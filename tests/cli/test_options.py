import subprocess
import sys

import pytest
from click.testing import CliRunner

from cli.model.train import command


def test_local_commands_do_not_import_boto3() -> None:
    ask = "import sys, cli.model.train, cli.model.evaluate; print('boto3' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", ask], text=True).strip() == "False"


@pytest.mark.parametrize("option", ["--spot", "--stop", "--yes", "--parallel=2", "--stage=prod", "-v"])
def test_sagemaker_options_are_refused_locally(option: str) -> None:
    result = CliRunner().invoke(command, [option])
    assert result.exit_code == 2
    assert "applies to work on SageMaker only: add --on." in result.output


def test_an_invalid_stage_is_refused() -> None:
    result = CliRunner().invoke(command, ["--on", "sagemaker", "--stage", "Prod-1"])
    assert "A stage cannot be named 'Prod-1'" in str(result.exception or result.output)
