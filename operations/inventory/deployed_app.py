"""The Chalice app of a stage as it is on AWS: its function, its role, its API, and the record that `chalice` keeps.

`chalice deploy` writes what it made to `.chalice/deployed/<stage>.json` at its very end, and `chalice delete` goes by
that alone: a deployment that was cut off, or one from another machine, is in no record here. So what exists is asked
of AWS, by the names that chalice gives, and `Record` puts it into chalice's own form. An app that was deployed as a
CloudFormation stack (step `package`) has the same names, and a tag that names the stack.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.aws.account import Account
from operations.aws.errors import if_there
from operations.aws.names import APP as APP_NAME
from operations.aws.names import STAGES
from operations.aws.prices import Price
from operations.inventory.resources import APP, Resource
from operations.inventory.search import Search
from training.model import container_image as images
from training.project import ROOT as PROJECT

BY_USE = Price(0.0, "by use")
STACK_TAG = "aws:cloudformation:stack-name"  # on what CloudFormation made
_FUNCTION = re.compile(rf"{APP_NAME}-({STAGES.pattern})")


@dataclass(frozen=True)
class Record:
    """What chalice noted of a stage: the resources by chalice's own names for them, {} where nothing is deployed."""

    path: Path
    resources: dict[str, dict[str, Any]]

    @property
    def url(self) -> str:
        """The app's address, "" where it has none."""
        return str(self.resources.get("rest_api", {}).get("rest_api_url", ""))

    @property
    def arns(self) -> list[str]:
        """The ARNs in it, by which it is known whose account it is about."""
        return [str(value) for one in self.resources.values() for key, value in one.items() if key.endswith("_arn")]

    def is_of(self, account: Account) -> bool:
        """Whether it is about this account and region; an empty one is about none. A role's ARN names no region."""
        places = [tuple(arn.split(":")[3:5]) for arn in self.arns]
        return bool(places) and set(places) <= {("", account.number), (account.region, account.number)}

    def write(self) -> None:
        """Write it as chalice does."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {"resources": list(self.resources.values()), "schema_version": "2.0", "backend": "api"}
        self.path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def record_of(stage: str, project: Path = PROJECT) -> Record:
    """Read chalice's record of a stage; one that is absent or broken is empty."""
    path = project / ".chalice" / "deployed" / f"{stage}.json"
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))["resources"]
        return Record(path, {str(one["name"]): one for one in stated})
    except (OSError, ValueError, KeyError, TypeError):
        return Record(path, {})


def apps(search: Search, project: Path = PROJECT) -> Iterator[Resource]:
    """Yield the app of each stage of which anything exists.

    `facts` has its url, its parts, the APIs that a deployment left behind beside the one in its parts, and its stack.
    """
    for stage in [search.stage] if search.stage else _stages(search, project):
        name = f"{APP_NAME}-{stage}"
        function = if_there(search.account.client("lambda").get_function, FunctionName=name)
        tags = function.get("Tags", {}) if function else {}
        if function and not search.if_ours_shared("function", name, tags):
            continue
        record, apis = record_of(stage, project), _apis(search, f":function:{APP_NAME}-{stage}/")
        recorded = record.resources.get("rest_api", {}).get("rest_api_id")
        apis.sort(key=lambda api: api != recorded)  # the recorded one is first
        parts = existing(search.account, stage, function, apis[0] if apis else "")
        if parts:
            stack = tags.get(STACK_TAG, "")
            url = record.url if record.is_of(search.account) else ""
            url = url or parts.get("rest_api", {}).get("rest_api_url", "")
            facts = {"url": url, "parts": parts, "more_apis": tuple(apis[1:]), "stack": stack}
            arn = str(parts.get("api_handler", {}).get("lambda_arn", ""))
            yield Resource(APP, name, arn, stage, state=_state(parts, stack), price=BY_USE, facts=facts)


def _state(parts: dict[str, dict[str, Any]], stack: str) -> str:
    """Say whether all of an app is there."""
    if stack:
        return f"stack {stack}"
    return "deployed" if {"api_handler", "rest_api"} <= parts.keys() else f"only {', '.join(sorted(parts))}"


def _stages(search: Search, project: Path) -> list[str]:
    """Name the stages that may have an app: those in chalice's configuration, and those of functions named like it."""
    config = json.loads((project / ".chalice" / "config.json").read_text(encoding="utf-8"))
    functions = [one["FunctionName"] for one in search.pages("lambda", "list_functions", "Functions")]
    named = [found[1] for found in map(_FUNCTION.fullmatch, functions) if found]
    return list(dict.fromkeys([*config.get("stages", ()), *named]))


def existing(account: Account, stage: str, function: dict[str, Any] | None, api: str) -> dict[str, dict[str, Any]]:
    """Return what exists of a stage's app, in the form of chalice's record: its roles, and what is given."""
    parts: dict[str, dict[str, Any]] = {}
    for key, role_name in role_names(stage).items():
        arn = _role(account, role_name)
        if arn:
            parts[key] = {"name": key, "resource_type": "iam_role", "role_arn": arn, "role_name": role_name}
    if function:
        function_arn = function["Configuration"]["FunctionArn"]
        parts["api_handler"] = {"name": "api_handler", "resource_type": "lambda_function", "lambda_arn": function_arn}
    if api:
        parts["rest_api"] = {"name": "rest_api", "resource_type": "rest_api", "rest_api_id": api}
        parts["rest_api"]["rest_api_url"] = _address(account, stage, api)
    return parts


def role_names(stage: str) -> dict[str, str]:
    """Return how chalice names the role of an app: in its record -> on AWS, with a policy of its own and without."""
    return {"api_handler_role": f"{APP_NAME}-{stage}-api_handler", "default-role": f"{APP_NAME}-{stage}"}


def _role(account: Account, name: str) -> str:
    """Return the ARN of the role that chalice made for a function: Lambda's, with one policy of its own name."""
    iam = account.client("iam")
    found = if_there(iam.get_role, RoleName=name)
    if not found or "lambda.amazonaws.com" not in json.dumps(found["Role"]["AssumeRolePolicyDocument"]):
        return ""
    policies = if_there(iam.list_role_policies, RoleName=name) or {"PolicyNames": []}
    return str(found["Role"]["Arn"]) if policies["PolicyNames"] in ([name], []) else ""


def _apis(search: Search, function: str) -> list[str]:
    """Return the ids of the REST APIs that call a function: each deployment without a record makes another."""
    found = []
    for api in search.pages("apigateway", "get_rest_apis", "items"):
        if api["name"] == APP_NAME:
            within = search.pages("apigateway", "get_resources", "items", restApiId=api["id"], embed=["methods"])
            if any(function in uri for resource in within for uri in _uris(resource)):
                found.append(str(api["id"]))
    return found


def _uris(resource: dict[str, Any]) -> Iterator[str]:
    """Yield what the methods of a path call."""
    for method in resource.get("resourceMethods", {}).values():
        yield str(method.get("methodIntegration", {}).get("uri", ""))


def _address(account: Account, stage: str, api: str) -> str:
    """Return the address of an app with an API."""
    return f"https://{api}.execute-api.{account.region}.{images.domain(account.region)}/{stage}/"
