"""A change of an endpoint's configuration, and the tags that record it: begin, then commit or undo.

| tag                     | value                                    | set by                   | removed by     |
|-------------------------|------------------------------------------|--------------------------|----------------|
| `verdict:release`       | the release that the endpoint represents | deploy, `commit`         | -              |
| `verdict:updating-from` | the configuration before a change        | `begin`                  | `commit`, undo |
| `verdict:previous`      | the configuration to roll back to        | `commit`                 | -              |
| `verdict:replaces`      | the release before, another vocabulary   | deploy beside another    | -              |
| `verdict:expires`       | when teardown may delete the endpoint    | deploy with `--expire`   | -              |

What `verdict:updating-from` means:

| value                         | state                                                                             |
|-------------------------------|-----------------------------------------------------------------------------------|
| absent                        | no change in progress; a rollback goes to `verdict:previous`                      |
| the current configuration     | interrupted before the endpoint moved: repeat the command, or start another       |
| any other configuration       | the endpoint has moved, unverified: the same command verifies it and commits;     |
|                               | a rollback goes to `verdict:updating-from`                                        |
"""

from collections.abc import Mapping
from typing import Any

from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.names import EXPIRY_TAG, RELEASE_TAG
from operations.endpoint import endpoint_state
from operations.endpoint.candidate import Candidate
from operations.endpoint.created import CreatedResources
from operations.endpoint.endpoint_state import IN_SERVICE, DeployedEndpoint

PREVIOUS_TAG = "verdict:previous"
UPDATING_TAG = "verdict:updating-from"
REPLACES_TAG = "verdict:replaces"


class Transition:
    """One change of an endpoint. The configurations and models that it creates are deleted again by `undo`."""

    def __init__(self, aws: Aws, endpoint: DeployedEndpoint, before: str = "") -> None:
        """Prepare a change; `before` is the configuration to roll back to if it isn't the current one."""
        self._aws = aws
        self._endpoint = endpoint
        self.before = before or endpoint.configuration
        self._created = CreatedResources(aws, endpoint.name)
        self._begun = False

    def ensure_model(self, candidate: Candidate) -> str:
        """Create the candidate's model if it doesn't exist, and return its name."""
        isolated = not self._endpoint.hosting.is_serverless
        return self._created.ensure_model(self._endpoint.stage, candidate, isolated)

    def ensure_config(self, request: Mapping[str, Any]) -> str:
        """Create the configuration if it doesn't exist, and return its name."""
        return self._created.ensure_config(request)

    def begin(self) -> None:
        """Record that the change is in progress; raises `AwsError` if another command changed the endpoint."""
        endpoint_state.check_unchanged(self._aws.account, self._endpoint)
        self._begun = True
        set_tags(self._aws.account, self._endpoint, {UPDATING_TAG: self.before})

    def commit(self, release: str) -> None:
        """Record the endpoint's new release, and the configuration to roll back to."""
        tags = {RELEASE_TAG: release, PREVIOUS_TAG: self.before, UPDATING_TAG: ""}
        set_tags(self._aws.account, self._endpoint, tags)

    def undo(self) -> None:
        """Delete what was created for a change that failed, unless the endpoint may still be using it."""
        before, now = self._endpoint, endpoint_state.find(self._aws.account, self._endpoint.name)
        if now and (now.status, now.configuration, now.created) != (IN_SERVICE, before.configuration, before.created):
            self._aws.print(
                f"Endpoint {now.name} is {now.status} with configuration {now.configuration}, so nothing was deleted. "
                "Check it before the next change."
            )
            return
        self._created.delete_configs_and_models()
        if now and self._begun:
            end_change(self._aws.account, now)


def end_change(account: Account, endpoint: DeployedEndpoint) -> None:
    """Record that no change is in progress; release and rollback configuration stay as they are."""
    set_tags(account, endpoint, {UPDATING_TAG: ""})


def set_tags(account: Account, endpoint: DeployedEndpoint, tags: Mapping[str, str]) -> None:
    """Set tags on an endpoint; an empty value removes the tag."""
    sagemaker = account.client("sagemaker")
    present = [{"Key": key, "Value": value} for key, value in tags.items() if value]
    removed = [key for key, value in tags.items() if not value]
    if present:
        sagemaker.add_tags(ResourceArn=endpoint.arn, Tags=present)
    if removed:
        sagemaker.delete_tags(ResourceArn=endpoint.arn, TagKeys=removed)


def set_expiry(account: Account, endpoint: DeployedEndpoint, expires: str) -> None:
    """Set the time after which `teardown --expired` deletes an endpoint."""
    set_tags(account, endpoint, {EXPIRY_TAG: expires})


def is_interrupted(tags: Mapping[str, str], configuration: str) -> bool:
    """Return whether an endpoint has moved to `configuration` by a change that was neither committed nor undone."""
    return tags.get(UPDATING_TAG, "") not in ("", configuration)


def rollback_configuration(endpoint: DeployedEndpoint) -> str:
    """Return the configuration that a rollback goes to, "" if there is none."""
    previous = endpoint.tags.get(PREVIOUS_TAG, "")
    if is_interrupted(endpoint.tags, endpoint.configuration) and previous != endpoint.configuration:
        return endpoint.tags[UPDATING_TAG]
    return previous
