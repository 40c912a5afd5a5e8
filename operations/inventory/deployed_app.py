"""The deployed Chalice app of a stage: its function, role and API on AWS, and Chalice's local record of them.

`chalice deploy` writes `.chalice/deployed/<stage>.json` as its last action, and `chalice delete` reads only that file.
An interrupted deployment, or one from another machine, has no record here. Therefore AWS is searched for the names
that Chalice gives, and `ChaliceRecord` stores the result in Chalice's format. An app deployed as a CloudFormation stack
(`verdict package`) has the same names, and a tag with the stack's name.

Chalice gives our tag to the function alone. Its role and its APIs are ours if the tagged function uses them, or if they
have our tag themselves. Names alone prove nothing: others are recorded in `Search.untagged`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import names
from operations.aws.account import Account
from operations.aws.errors import if_there, is_denied
from operations.aws.listing import tags_by_key
from operations.aws.names import APP, STAGES, is_tagged
from operations.aws.prices import Price
from operations.inventory.resources import Kind, Resource
from operations.inventory.search import Search
from training.model import container_image as images
from training.project import ROOT as PROJECT

BY_USE = Price(0.0, "by use")
STACK_TAG = "aws:cloudformation:stack-name"  # set by CloudFormation
_FUNCTION = re.compile(rf"{APP}-({STAGES.pattern})")


@dataclass(frozen=True)
class ChaliceRecord:
    """Chalice's record of a stage: its resources by Chalice's names for them, {} if nothing is deployed."""

    path: Path
    resources: dict[str, dict[str, Any]]

    @property
    def url(self) -> str:
        """The app's URL, "" if there is none."""
        return str(self.resources.get("rest_api", {}).get("rest_api_url", ""))

    @property
    def arns(self) -> list[str]:
        """The ARNs in the record, which identify its account and region."""
        return [str(arn) for part in self.resources.values() for key, arn in part.items() if key.endswith("_arn")]

    def is_of(self, account: Account) -> bool:
        """Return whether it describes this account and region; False if empty. A role's ARN has no region."""
        places = [tuple(arn.split(":")[3:5]) for arn in self.arns]
        return bool(places) and set(places) <= {("", account.number), (account.region, account.number)}

    def write(self) -> None:
        """Write it in Chalice's format."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {"resources": list(self.resources.values()), "schema_version": "2.0", "backend": "api"}
        self.path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read_record(stage: str, project: Path = PROJECT) -> ChaliceRecord:
    """Read Chalice's record of a stage; empty if it is absent or invalid."""
    path = project / ".chalice" / "deployed" / f"{stage}.json"
    try:
        resources = json.loads(path.read_text(encoding="utf-8"))["resources"]
        return ChaliceRecord(path, {str(part["name"]): part for part in resources})
    except (OSError, ValueError, KeyError, TypeError):
        return ChaliceRecord(path, {})


def apps(search: Search, project: Path = PROJECT) -> Iterator[Resource]:
    """Yield the app of each stage, even if only parts of it exist.

    `facts` has its URL, its parts, further APIs left by interrupted deployments, and its stack.
    """
    for stage in [search.stage] if search.stage else _stages(search, project):
        name = f"{APP}-{stage}"
        function = if_there(search.account.client("lambda").get_function, FunctionName=name)
        tags = function.get("Tags", {}) if function else {}
        if function and not _is_ours(search, name, tags):
            continue
        record, apis = read_record(stage, project), _apis(search, name, bool(function))
        recorded = record.resources.get("rest_api", {}).get("rest_api_id")
        apis.sort(key=lambda api: api != recorded)  # the recorded API first
        parts = existing_parts(search, stage, function, apis[0] if apis else "")
        if parts:
            stack = tags.get(STACK_TAG, "")
            recorded_url = record.url if record.is_of(search.account) else ""
            url = recorded_url or parts.get("rest_api", {}).get("rest_api_url", "")
            facts = {"url": url, "parts": parts, "more_apis": tuple(apis[1:]), "stack": stack}
            arn = str(parts.get("api_handler", {}).get("lambda_arn", ""))
            yield Resource(Kind.APP, name, arn, stage, state=_state(parts, stack), price=BY_USE, facts=facts)


def _is_ours(search: Search, name: str, tags: dict[str, str]) -> bool:
    """Return whether a function, and the stack that contains it if there is one, have our tag."""
    stack = tags.get(STACK_TAG, "")
    if stack and not is_tagged(stack_tags(search.account, stack)):
        search.untagged.append(f"function {name} in stack {stack}")
        return False
    return search.is_ours("function", name, tags)


def stack_tags(account: Account, stack: str) -> dict[str, str] | None:
    """Return a CloudFormation stack's tags; None if it does not exist, or these credentials may not read it."""
    try:
        found = if_there(account.client("cloudformation").describe_stacks, StackName=stack)
    except ClientError as error:
        if not is_denied(error):
            raise
        return None
    return tags_by_key(found["Stacks"][0].get("Tags", ())) if found else None


def _state(parts: dict[str, dict[str, Any]], stack: str) -> str:
    """Return the stack, or whether all parts of the app exist."""
    if stack:
        return f"stack {stack}"
    return "deployed" if {"api_handler", "rest_api"} <= parts.keys() else f"only {', '.join(sorted(parts))}"


def _stages(search: Search, project: Path) -> list[str]:
    """Return the stages that may have an app: those configured for Chalice, and those in names of functions."""
    config = json.loads((project / ".chalice" / "config.json").read_text(encoding="utf-8"))
    functions = [function["FunctionName"] for function in search.pages("lambda", "list_functions", "Functions")]
    deployed = [match[1] for match in map(_FUNCTION.fullmatch, functions) if match]
    return list(dict.fromkeys([*config.get("stages", ()), *deployed]))


def existing_parts(search: Search, stage: str, function: dict[str, Any] | None, api: str) -> dict[str, dict[str, Any]]:
    """Return the existing parts of a stage's app in Chalice's format: its roles, the function, and the API."""
    account, parts = search.account, dict[str, dict[str, Any]]()
    used = function["Configuration"]["Role"] if function else ""
    for key, role_name in role_names(stage).items():
        arn, tags = _role(account, role_name)
        if arn and arn != used and not is_tagged(tags):
            search.untagged.append(f"app-role {role_name}")
        elif arn:
            parts[key] = {"name": key, "resource_type": "iam_role", "role_arn": arn, "role_name": role_name}
    if function:
        function_arn = function["Configuration"]["FunctionArn"]
        parts["api_handler"] = {"name": "api_handler", "resource_type": "lambda_function", "lambda_arn": function_arn}
    if api:
        parts["rest_api"] = {"name": "rest_api", "resource_type": "rest_api", "rest_api_id": api}
        parts["rest_api"]["rest_api_url"] = _api_url(account, stage, api)
    return parts


def role_names(stage: str) -> dict[str, str]:
    """Return the possible roles of an app, with and without its own policy: Chalice's name -> name on AWS."""
    return {"api_handler_role": f"{APP}-{stage}-api_handler", "default-role": f"{APP}-{stage}"}


def _role(account: Account, name: str) -> tuple[str, dict[str, str]]:
    """Return the ARN and tags of a role like Chalice's: trusted by Lambda, with no policies but ours."""
    iam = account.client("iam")
    found = if_there(iam.get_role, RoleName=name)
    if not found or "lambda.amazonaws.com" not in json.dumps(found["Role"]["AssumeRolePolicyDocument"]):
        return "", {}
    policies = if_there(iam.list_role_policies, RoleName=name) or {"PolicyNames": []}
    ours = {name, names.feedback_table(names.stage_of(name))}  # the latter is named like the table
    if not ours.issuperset(policies["PolicyNames"]):
        return "", {}
    return str(found["Role"]["Arn"]), tags_by_key(found["Role"].get("Tags", ()))


def _apis(search: Search, name: str, is_deployed: bool) -> list[str]:
    """Return the ids of the REST APIs that call a function; each deployment without a record creates another.

    Without the function, only APIs with our own tag are ours.
    """
    found, function = [], f":{search.account.number}:function:{name}/"
    for api in search.pages("apigateway", "get_rest_apis", "items"):
        if api["name"] == APP:
            paths = search.pages("apigateway", "get_resources", "items", restApiId=api["id"], embed=["methods"])
            if not any(function in uri for path in paths for uri in _integration_uris(path)):
                continue
            if is_deployed or is_tagged(api.get("tags")):
                found.append(str(api["id"]))
            else:
                search.untagged.append(f"api {name} ({api['id']})")
    return found


def _integration_uris(path: dict[str, Any]) -> Iterator[str]:
    """Yield the integration URIs of a path's methods."""
    for method in path.get("resourceMethods", {}).values():
        yield str(method.get("methodIntegration", {}).get("uri", ""))


def _api_url(account: Account, stage: str, api: str) -> str:
    """Return the URL of a stage of an API."""
    return f"https://{api}.execute-api.{account.region}.{images.domain(account.region)}/{stage}/"
