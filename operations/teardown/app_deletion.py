"""Deletion of a stage's app, by `chalice delete` or with its CloudFormation stack.

`chalice delete` uses only its local record, and fails at the first recorded resource that does not exist. Therefore the
record is first rewritten from what exists on AWS, which includes interrupted deployments and other machines'.

The role belongs to all regions: it stays while an app in another region uses it. What cannot be recognized once the
function is deleted (its role and its log) gets our tag before.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from botocore.exceptions import ClientError

from operations.aws import log_groups
from operations.aws.command import Aws
from operations.aws.errors import AwsError, code_of, if_there
from operations.aws.names import APP, APP_TAG, STAGE_TAG, STAGES, is_tagged
from operations.aws.regions import other_users_of_role
from operations.aws.waiting import wait_for
from operations.inventory.deployed_app import ChaliceRecord, read_record, role_names, stack_tags
from operations.inventory.inventory import THE_APP, Inventory
from operations.inventory.ownership import APP_LOGS
from operations.inventory.resources import Kind, Resource
from training.project import ROOT as PROJECT

RUN_CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"
API_SECONDS = 31.0  # API Gateway allows one deleted REST API per account in 30 seconds
API_ATTEMPTS = 4
_PARTS = (
    "api_handler_role",
    "default-role",
    "api_handler",
    "rest_api",
)  # in order of creation, the reverse of deletion

Chalice = Callable[[str, Path], None]


def run_chalice(stage: str, project: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Run `chalice delete --stage` in the project's root; raises `AwsError` with its last line of output."""
    if not find_spec("chalice"):
        raise AwsError(
            f"Chalice, which deletes the app, is not installed. Run `python -m pip install chalice`, then "
            f"`chalice delete --stage {stage}`.",
            "no-chalice",
        )
    process = subprocess.run(
        [sys.executable, "-c", RUN_CHALICE, "delete", "--stage", stage],
        cwd=project,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        output = (process.stderr or process.stdout).strip().splitlines() or ["no output"]
        raise AwsError(f"`chalice delete --stage {stage}` failed: {output[-1]}", "refused", process.stderr)


def delete_app(aws: Aws, app: Resource, project: Path = PROJECT, chalice: Chalice = run_chalice) -> None:
    """Delete the existing parts of a stage's app.

    Raises `AwsError` if the local record is for another account, or if the function is not ours any more.
    """
    _check_owned(aws, app)
    if "api_handler" in app.facts["parts"]:
        log_groups.tag(aws.account, f"{APP_LOGS}{app.name}", app.stage)
    if app.facts.get("stack"):
        delete_stack(aws, app.facts["stack"], app.stage)
    else:
        for api in app.facts["more_apis"]:  # while the function exists, which shows whose they are
            delete_api(aws, api)
            aws.pause(API_SECONDS)
        _delete_by_chalice(aws, app, project, chalice)
    if app.facts["url"]:
        aws.print(f"The app is no longer available at {app.facts['url']}")


def _check_owned(aws: Aws, app: Resource) -> None:
    """Raise `AwsError` if a function or stack was replaced, after it was listed, by one without our tag."""
    function = if_there(aws.account.client("lambda").get_function, FunctionName=app.name)
    stack = app.facts.get("stack")
    if (function and not is_tagged(function.get("Tags"))) or (stack and not is_tagged(stack_tags(aws.account, stack))):
        raise AwsError(f"Its function or stack has no tag {APP_TAG}, so it may belong to another project.", "refused")


def _deletable_roles(aws: Aws, app: Resource) -> list[str]:
    """Return Chalice's names of the app's roles, after they are tagged, except those that other regions use.

    Raises `AwsError` if the app consists of nothing but such a role.
    """
    parts, iam = app.facts["parts"], aws.account.client("iam")
    found = []
    for key in role_names(app.stage):
        if key not in parts:
            continue
        name = parts[key]["role_name"]
        why = other_users_of_role(aws.account, app.name, parts[key]["role_arn"])
        if not why:
            tags = {APP_TAG: APP, STAGE_TAG: app.stage}
            iam.tag_role(RoleName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
            found.append(key)
        elif len(parts) == 1:
            raise AwsError(f"Not deleted, because {why}.", "in-use")
        else:
            aws.print(f"Not deleted: role {name}, because {why}.")
    return found


def _delete_by_chalice(aws: Aws, app: Resource, project: Path, chalice: Chalice) -> None:
    """Write a record of the existing parts, and run `chalice delete`."""
    record = read_record(app.stage, project)
    if record.arns and not record.is_of(aws.account):
        raise AwsError(
            f"{record.path} is for another account or region: {record.arns[0]}. Move it away and repeat the command.",
            "refused",
        )
    parts = app.facts["parts"]
    kept = set(role_names(app.stage)) - set(_deletable_roles(aws, app))
    others = {name: part for name, part in record.resources.items() if name not in _PARTS}
    existing = {name: parts[name] for name in _PARTS if name in parts and name not in kept}
    ChaliceRecord(record.path, {**others, **existing}).write()
    chalice(app.stage, project)


def delete_api(aws: Aws, api: str) -> None:
    """Delete a REST API that is not in the record, at the rate that API Gateway allows."""
    delete = aws.account.client("apigateway").delete_rest_api
    for attempt in range(1, API_ATTEMPTS + 1):
        try:
            if_there(delete, restApiId=api)
            return
        except ClientError as error:
            if code_of(error) != "TooManyRequestsException" or attempt == API_ATTEMPTS:
                raise
        aws.print(f"API Gateway deletes one API every 30 seconds: waiting to delete {api} ...")
        aws.pause(API_SECONDS)


def delete_stack(aws: Aws, stack: str, stage: str) -> None:
    """Delete a CloudFormation stack and wait until it is deleted; raises `AwsError` with the reason if it fails."""
    cloudformation = aws.account.client("cloudformation")

    def look() -> dict[str, str]:
        found = if_there(cloudformation.describe_stacks, StackName=stack)
        return found["Stacks"][0] if found else {"StackStatus": "DELETE_COMPLETE"}

    def is_done(state: dict[str, str]) -> bool:
        return state["StackStatus"] in ("DELETE_COMPLETE", "DELETE_FAILED")

    cloudformation.delete_stack(StackName=stack)
    resume = f"verdict teardown --stage {stage}"
    state = wait_for(
        look, is_done, lambda state: f"stack {stack} is {state['StackStatus']}", aws.console, resume, pause=aws.pause
    )
    if state["StackStatus"] == "DELETE_FAILED":
        reason = state.get("StackStatusReason", "no reason was given")
        raise AwsError(f"CloudFormation could not delete {stack}: {reason}")


def clear_records(aws: Aws, found: Inventory, stage: str | None, project: Path = PROJECT) -> None:
    """Empty Chalice's records (of a stage, or of all) of this account's apps that no longer exist.

    The records are kept if the apps could not be listed, as Chalice finds an app only by its record.
    """
    if found.is_unread(THE_APP):
        return
    existing = [app.stage for app in found.of(Kind.APP)]
    for path in sorted((project / ".chalice" / "deployed").glob("*.json")):
        record = read_record(path.stem, project)
        selected = STAGES.fullmatch(path.stem) and path.stem not in existing and stage in (None, path.stem)
        if selected and record.is_of(aws.account) and not _has_function(aws, path.stem):
            ChaliceRecord(path, {}).write()


def _has_function(aws: Aws, stage: str) -> bool:
    """Return whether a function with the name of a stage's app exists."""
    get_function = aws.account.client("lambda").get_function
    return if_there(get_function, FunctionName=f"{APP}-{stage}") is not None
