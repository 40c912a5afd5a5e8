"""The settings of a deployed app that collects feedback: environment variables of its function, and its permission.

They are written to the function on AWS, and to `.chalice/config.json`, from which the next `chalice deploy` sets the
variables again. The key of the receipts is in the table instead, because that file belongs in version control. The
table's tags keep what was chosen, so that the command can be repeated without options. An app that was deployed as a
CloudFormation stack has parameters instead.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.feedback import DEFAULT_DAYS, DEFAULT_OPERATOR
from chalicelib.receipt_key import ITEM_ID
from operations.aws import names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there
from operations.aws.names import APP, APP_TAG
from operations.aws.plan import Item, propose
from operations.aws.waiting import wait_for
from operations.feedback import chalice_config, table

TABLE, SHARE = "VERDICT_FEEDBACK", "VERDICT_COLLECT_SHARE"
DAYS, OPERATOR = "VERDICT_FEEDBACK_DAYS", "VERDICT_FEEDBACK_OPERATOR"
VARIABLES = (TABLE, DAYS, OPERATOR, SHARE)
STACK_TAG = "aws:cloudformation:stack-name"  # set by CloudFormation
OPERATORS = re.compile(r"[\w .:/=+@-]{1,100}")  # what a tag of AWS may contain
_TAGS = {"verdict:days": "days", "verdict:operator": "operator", "verdict:collect-share": "share"}


@dataclass(frozen=True)
class CollectionSettings:
    """What a deployment collects: `share` (0..1) of all reviews, for `days`, kept by the `operator`."""

    days: int = DEFAULT_DAYS
    share: float = 0.0
    operator: str = DEFAULT_OPERATOR

    def variables(self, table_name: str) -> dict[str, str]:
        """Return the app's environment variables; none is a secret."""
        return {
            TABLE: table_name,
            DAYS: str(self.days),
            OPERATOR: self.operator,
            SHARE: f"{self.share:g}",
        }

    @property
    def tags(self) -> list[dict[str, str]]:
        """The table's tags that keep the settings."""
        return [{"Key": key, "Value": str(getattr(self, name))} for key, name in _TAGS.items()]


def from_tags(tags: Mapping[str, str]) -> CollectionSettings:
    """Return the settings that a table's tags keep; the defaults if there are none."""
    found = {name: tags[key] for key, name in _TAGS.items() if key in tags}
    return CollectionSettings(
        days=int(found.get("days", DEFAULT_DAYS)),
        share=float(found.get("share", 0.0)),
        operator=found.get("operator", DEFAULT_OPERATOR),
    )


def is_enabled(tags: Mapping[str, str]) -> bool:
    """Return whether a table's tags state that feedback was turned on, and not off again."""
    return "verdict:days" in tags


@dataclass(frozen=True)
class DeployedFunction:
    """The function of a stage's app: its role's name, its environment, and its stack ("" for none)."""

    name: str
    role: str
    variables: Mapping[str, str]
    stack: str

    @property
    def collects(self) -> bool:
        """Whether it collects feedback."""
        return bool(self.variables.get(TABLE))


def find_function(account: Account, stage: str) -> DeployedFunction | None:
    """Return the function of a stage's app; None if there is none with our tag."""
    name = names.prefix(stage).removesuffix("-")
    found = if_there(account.client("lambda").get_function, FunctionName=name)
    if not found or found.get("Tags", {}).get(APP_TAG) != APP:
        return None
    configuration = found["Configuration"]
    variables = configuration.get("Environment", {}).get("Variables", {})
    return DeployedFunction(name, configuration["Role"].rpartition("/")[2], variables, found["Tags"].get(STACK_TAG, ""))


def policy_name(stage: str) -> str:
    """Return the name of the role's policy that allows writing feedback."""
    return f"{names.prefix(stage)}feedback"


def write_policy(table_arn: str) -> dict[str, Any]:
    """Return the policy of the app: it may write items to the table, and read the key of receipts, and nothing else."""
    write = {"Sid": "WriteFeedback", "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": table_arn}
    read = {"Sid": "ReadReceiptKey", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": table_arn}
    only_key = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [ITEM_ID]}}
    return {"Version": "2012-10-17", "Statement": [write, {**read, "Condition": only_key}]}


def has_permission(account: Account, stage: str, function: DeployedFunction, table_arn: str) -> bool:
    """Return whether the role of an app has the policy; a stack has its own."""
    get_policy = account.client("iam").get_role_policy
    found = if_there(get_policy, RoleName=function.role, PolicyName=policy_name(stage))
    return bool(function.stack) or bool(found and found["PolicyDocument"] == write_policy(table_arn))


def chosen(
    account: Account, stage: str, days: int | None, share: float | None, operator: str | None
) -> CollectionSettings:
    """Return the settings: those that the table keeps, with the given ones in their place.

    Raises `AwsError` for an operator's name that a tag cannot hold.
    """
    if operator is not None and not OPERATORS.fullmatch(operator):
        raise AwsError(f"The operator's name {operator!r} can have 1 to 100 letters, digits, spaces, and .:/=+@-_")
    found = table.describe(account, names.feedback_table(stage))
    kept = from_tags(found.tags if found else {})
    return CollectionSettings(
        days=kept.days if days is None else days,
        share=kept.share if share is None else share,
        operator=kept.operator if operator is None else operator,
    )


def enable(
    aws: Aws, stage: str, settings: CollectionSettings, yes: bool, config: Path = chalice_config.CHALICE_CONFIG
) -> None:
    """Create the table, and let the stage's app collect feedback now and after each deployment, once confirmed."""
    function = find_function(aws.account, stage)
    items = table.planned(aws.account, stage)
    is_stack = bool(function and function.stack)
    if chalice_config.defines(stage, config) and not is_stack:
        items += [Item("settings without the key in", f"{config}, stage {stage}")]
    if function and not function.stack:
        items += [Item("permission to write to the table, for role", function.role)]
        items += [Item("settings of function", f"{function.name}: {_described(settings)}")]
    propose(aws.console, f"To be created or changed in {aws.account.region}, stage {stage}", items, yes)
    name = table.ensure(aws, stage)
    found = table.describe(aws.account, name)
    if found is None:
        raise AwsError(f"Table {name} was deleted meanwhile. Repeat the command.")
    aws.account.client("dynamodb").tag_resource(ResourceArn=found.arn, Tags=settings.tags)
    table.ensure_key(aws.account, name)
    if function and function.stack:
        aws.print(_stack_advice(function, settings, name))
        return
    again = f"verdict feedback enable --stage {stage} --again"
    is_kept = _keep(aws, stage, settings.variables(name), config)
    if function is None:
        aws.print(f"Stage {stage} has no app yet. After its first `chalice deploy --stage {stage}`, run: {again}")
        return
    _configure(aws, stage, function, settings, found)
    aws.print(f"The app of stage {stage} collects feedback in {name}.")
    if not is_kept:
        aws.print(f"{config} has no stage {stage}. After each `chalice deploy`, run: {again}")


def _keep(aws: Aws, stage: str, variables: Mapping[str, str], config: Path) -> bool:
    """Write the settings into Chalice's configuration, and return whether it has the stage."""
    if chalice_config.replace_variables(stage, VARIABLES, variables, config):
        aws.print(f"Commit {config}: every `chalice deploy --stage {stage}` takes the settings from there.")
    return chalice_config.defines(stage, config)


def _described(settings: CollectionSettings) -> str:
    share = f", {settings.share * 100:g}% of all reviews" if settings.share else ""
    return f"feedback{share}, for {settings.days} days, kept by {settings.operator}"


def _stack_advice(function: DeployedFunction, settings: CollectionSettings, name: str) -> str:
    """Return the sentence on how to set the parameters of a stack."""
    return (
        f"The app is the CloudFormation stack {function.stack}. Add this to its `aws cloudformation deploy` command: "
        f"--parameter-overrides FeedbackTable={name} FeedbackDays={settings.days} "
        f"FeedbackOperator='{settings.operator}' CollectShare={settings.share:g}"
    )


def _configure(
    aws: Aws, stage: str, function: DeployedFunction, settings: CollectionSettings, found: table.TableState
) -> None:
    """Grant the permission, then set the variables."""
    aws.account.client("iam").put_role_policy(
        RoleName=function.role,
        PolicyName=policy_name(stage),
        PolicyDocument=json.dumps(write_policy(found.arn)),
    )
    variables = {**function.variables, **settings.variables(names.feedback_table(stage))}
    _set_variables(aws, stage, function, variables)


def disable(aws: Aws, stage: str, yes: bool, config: Path = chalice_config.CHALICE_CONFIG) -> None:
    """Stop the collection of feedback by a stage's app, after a confirmation; the table and its records stay."""
    function, name = find_function(aws.account, stage), names.feedback_table(stage)
    if function and function.stack:
        aws.print(
            f"The app is the CloudFormation stack {function.stack}. Deploy it with --parameter-overrides FeedbackTable="
        )
        return
    if function:
        items = [Item("settings of function", function.name), Item("permission of role", function.role)]
        propose(aws.console, f"To be removed in {aws.account.region}, stage {stage}", items, yes)
        variables = {name: value for name, value in function.variables.items() if name not in VARIABLES}
        _set_variables(aws, stage, function, variables)
        delete_policy = aws.account.client("iam").delete_role_policy
        if_there(delete_policy, RoleName=function.role, PolicyName=policy_name(stage))
    forget(aws, stage, config)
    found = table.describe(aws.account, name)
    if found and found.is_ours:
        aws.account.client("dynamodb").untag_resource(ResourceArn=found.arn, TagKeys=list(_TAGS))
        aws.print(
            f"Feedback is off. Table {name} stays: delete it with verdict teardown --stage {stage} --with feedback"
        )
    else:
        aws.print("Feedback is off.")


def forget(aws: Aws, stage: str | None, config: Path = chalice_config.CHALICE_CONFIG) -> None:
    """Remove a stage's settings from Chalice's configuration, or those of all stages."""
    stages = [stage] if stage else chalice_config.stages(config)
    if any([chalice_config.replace_variables(each, VARIABLES, {}, config) for each in stages]):  # noqa: C419  (every one)
        aws.print(f"Removed the settings of feedback from {config}. Commit it.")


def _set_variables(aws: Aws, stage: str, function: DeployedFunction, variables: Mapping[str, str]) -> None:
    """Replace the function's variables, and wait until they apply."""
    client = aws.account.client("lambda")
    client.update_function_configuration(FunctionName=function.name, Environment={"Variables": dict(variables)})

    def look() -> str:
        return str(client.get_function_configuration(FunctionName=function.name).get("LastUpdateStatus", "Successful"))

    wait_for(
        look,
        lambda status: status != "InProgress",
        lambda status: f"function {function.name} is {status}",
        aws.console,
        f"verdict feedback enable --stage {stage}",
        300,
        aws.pause,
    )
