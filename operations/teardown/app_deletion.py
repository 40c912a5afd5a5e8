"""The app of a stage is deleted as it was deployed: by chalice's own command, or with its CloudFormation stack.

`chalice delete` goes by its record alone, and fails at the first thing in it that is gone. So the record is written
anew from what AWS has: a deployment that was cut off, or one from another machine, goes all the same.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from botocore.exceptions import ClientError

from operations.aws.command import Aws
from operations.aws.errors import AwsError, code_of, if_there
from operations.aws.names import APP as APP_NAME
from operations.aws.names import STAGES
from operations.aws.waiting import wait_for
from operations.inventory.deployed_app import Record, record_of
from operations.inventory.inventory import THE_APP, Inventory
from operations.inventory.resources import APP, Resource
from training.project import ROOT as PROJECT

RUN_CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"
API_SECONDS = 31.0  # API Gateway deletes one REST API of an account in thirty
API_TRIES = 4
_PARTS = ("api_handler_role", "default-role", "api_handler", "rest_api")  # as chalice makes them; it deletes backwards

Chalice = Callable[[str, Path], None]


def run_chalice(stage: str, project: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Run `chalice delete --stage` in the project's root; raises `AwsError` with the last it said."""
    if not find_spec("chalice"):
        raise AwsError(
            f"The app is deleted by chalice, which is not installed: python -m pip install chalice, then "
            f"chalice delete --stage {stage}",
            "no-chalice",
        )
    ended = subprocess.run(
        [sys.executable, "-c", RUN_CHALICE, "delete", "--stage", stage],
        cwd=project,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip().splitlines() or ["nothing"]
        raise AwsError(f"`chalice delete --stage {stage}` failed: {said[-1]}", "refused", ended.stderr)


def delete_app(aws: Aws, app: Resource, project: Path = PROJECT, chalice: Chalice = run_chalice) -> None:
    """Delete what exists of a stage's app; raises `AwsError` when the record here is about another account."""
    if app.facts.get("stack"):
        delete_stack(aws, app.facts["stack"], app.stage)
    else:
        _delete_by_chalice(aws, app, project, chalice)
        for api in app.facts["more_apis"]:
            delete_api(aws, api)
    if app.facts["url"]:
        aws.say(f"The app answers no more at {app.facts['url']}")


def _delete_by_chalice(aws: Aws, app: Resource, project: Path, chalice: Chalice) -> None:
    """Let chalice delete what exists, by a record of just that."""
    record = record_of(app.stage, project)
    if record.arns and not record.is_of(aws.account):
        raise AwsError(
            f"{record.path} is about another account or region: {record.arns[0]}. Move it away and repeat the command.",
            "refused",
        )
    parts = app.facts["parts"]
    others = {name: part for name, part in record.resources.items() if name not in _PARTS}
    existing = {name: parts[name] for name in _PARTS if name in parts}
    Record(record.path, {**others, **existing}).write()
    chalice(app.stage, project)


def delete_api(aws: Aws, api: str) -> None:
    """Delete a REST API that no record knows, as slowly as API Gateway wants it."""
    delete = aws.account.client("apigateway").delete_rest_api
    for tries in range(1, API_TRIES + 1):
        try:
            if_there(delete, restApiId=api)
            return
        except ClientError as error:
            if code_of(error) != "TooManyRequestsException" or tries == API_TRIES:
                raise
        aws.say(f"API Gateway deletes an API every thirty seconds: waiting to delete {api} ...")
        aws.pause(API_SECONDS)


def delete_stack(aws: Aws, stack: str, stage: str) -> None:
    """Delete a CloudFormation stack and wait until it is gone; raises `AwsError` with the reason when it stays."""
    cloudformation = aws.account.client("cloudformation")

    def look() -> dict[str, str]:
        found = if_there(cloudformation.describe_stacks, StackName=stack)
        return found["Stacks"][0] if found else {"StackStatus": "DELETE_COMPLETE"}

    def done(seen: dict[str, str]) -> bool:
        return seen["StackStatus"] in ("DELETE_COMPLETE", "DELETE_FAILED")

    cloudformation.delete_stack(StackName=stack)
    resume = f"verdict teardown --stage {stage}"
    seen = wait_for(look, done, lambda one: f"stack {stack} is {one['StackStatus']}", aws.console, resume)
    if seen["StackStatus"] == "DELETE_FAILED":
        raise AwsError(
            f"CloudFormation could not delete {stack}: {seen.get('StackStatusReason', 'it does not say why')}"
        )


def forget_gone(aws: Aws, found: Inventory, stage: str | None, project: Path = PROJECT) -> None:
    """Empty chalice's records (of a stage, or of all) of apps of this account that are certain to be there no more.

    An app that could not be looked up may be there: its record stays, as it is chalice's only way to it.
    """
    if found.is_unread(THE_APP):
        return
    there = [one.stage for one in found.of(APP)]
    for path in sorted((project / ".chalice" / "deployed").glob("*.json")):
        record = record_of(path.stem, project)
        wanted = STAGES.fullmatch(path.stem) and path.stem not in there and stage in (None, path.stem)
        if wanted and record.is_of(aws.account) and not _function(aws, path.stem):
            Record(path, {}).write()


def _function(aws: Aws, stage: str) -> bool:
    """Tell whether a function with the name of a stage's app is there."""
    ask = aws.account.client("lambda").get_function
    return if_there(ask, FunctionName=f"{APP_NAME}-{stage}") is not None
