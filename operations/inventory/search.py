"""Looking through an account for what is ours: names by their beginning, and then the tags, which decide."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import names
from operations.aws.account import Account
from operations.aws.errors import is_absent, of_service
from operations.aws.names import APP, APP_TAG, EXPIRY_TAG, STAGE_TAG

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Search:
    """One look through an account, for a stage or (None) for all.

    `strangers` collects what has a name like ours and not our tag; `unread` says what could not be listed, and why.
    """

    def __init__(self, account: Account, stage: str | None = None) -> None:
        self.account = account
        self.stage = stage
        self.strangers: list[str] = []
        self.unread: list[str] = []

    @property
    def prefix(self) -> str:
        """What all names that are looked for begin with."""
        return names.prefix(self.stage) if self.stage else f"{APP}-"

    def pages(self, service: str, operation: str, member: str, **request: Any) -> Iterator[Any]:
        """Yield the members of a list operation, page after page."""
        for page in self.account.client(service).get_paginator(operation).paginate(**request):
            yield from page.get(member, ())

    def tags(self, kind: str, name: str, arn: str) -> dict[str, str] | None:
        """Return the tags of a SageMaker resource; None when it is not ours, of another stage, or gone by now."""
        if not name.startswith(self.prefix):
            return None
        tags = self.tags_of(arn)
        return None if tags is None else self.if_ours(kind, name, tags)

    def tags_of(self, arn: str) -> dict[str, str] | None:
        """Return all tags of a SageMaker resource; None when it is gone by now."""
        try:
            found = list(self.pages("sagemaker", "list_tags", "Tags", ResourceArn=arn))
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return {tag["Key"]: tag["Value"] for tag in found}

    def if_ours(self, kind: str, name: str, tags: dict[str, str]) -> dict[str, str] | None:
        """Return the tags when they say that the thing is ours, and of the stage that is looked for; else None."""
        if not self.if_ours_shared(kind, name, tags):
            return None
        return tags if self.stage in (None, tags.get(STAGE_TAG)) else None

    def if_ours_shared(self, kind: str, name: str, tags: dict[str, str]) -> bool:
        """Tell whether the tags say that the thing is ours, of whatever stage; it is a stranger's otherwise."""
        if tags.get(APP_TAG) == APP:
            return True
        self.strangers.append(f"{kind} {name}")
        return False

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Note, and go on, when the credentials may not list something; every other error is raised."""
        try:
            yield
        except ClientError as error:
            told = of_service(error)
            if told.kind != "no-permission":
                raise
            self.unread.append(f"{what}: {told.detail}")


def expiry(tags: dict[str, str]) -> datetime | None:
    """Read the moment at which something should be gone; None where none, or nonsense, is stated."""
    try:
        return datetime.strptime(tags.get(EXPIRY_TAG, ""), _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


def stage_of(name: str) -> str:
    """Return the stage that a name like ours states, "" where it states none."""
    found = re.match(rf"{APP}-({names.STAGES.pattern})(?:-|$)", name)
    return found[1] if found else ""
