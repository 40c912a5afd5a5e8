"""The search for this project's resources in an account: candidates by name prefix, ownership by tags."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import names
from operations.aws.account import Account
from operations.aws.errors import translate_client_error
from operations.aws.listing import list_all, tags_of
from operations.aws.names import APP, APP_TAG, EXPIRY_TAG, STAGE_TAG

_EXPIRY_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class Search:
    """A search through an account, for one stage or (None) for all.

    `untagged` collects resources with our name prefix but without our tag; `unread` what could not be listed, and why.
    """

    def __init__(self, account: Account, stage: str | None = None) -> None:
        self.account = account
        self.stage = stage
        self.untagged: list[str] = []
        self.unread: list[str] = []

    @property
    def prefix(self) -> str:
        """The prefix of all names that are searched for."""
        return names.prefix(self.stage) if self.stage else f"{APP}-"

    def includes(self, stage: str | None) -> bool:
        """Return whether a stage is searched for."""
        return self.stage in (None, stage)

    def pages(self, service: str, operation: str, member: str, **request: Any) -> Iterator[Any]:
        """Yield the items of a list operation, from all pages."""
        return list_all(self.account, service, operation, member, **request)

    def tags(self, kind: str, name: str, arn: str) -> dict[str, str] | None:
        """Return the tags of a SageMaker resource; None if it isn't ours, has another stage, or has been deleted."""
        if not name.startswith(self.prefix):
            return None
        tags = tags_of(self.account, arn)
        return None if tags is None else self.if_ours(kind, name, tags)

    def if_ours(self, kind: str, name: str, tags: dict[str, str]) -> dict[str, str] | None:
        """Return the tags if they mark the resource as ours and of a stage that is searched for; None otherwise."""
        return tags if self.is_ours(kind, name, tags) and self.includes(tags.get(STAGE_TAG)) else None

    def is_ours(self, kind: str, name: str, tags: dict[str, str]) -> bool:
        """Return whether the tags mark the resource as ours, of any stage; record it in `untagged` otherwise."""
        if tags.get(APP_TAG) == APP:
            return True
        self.untagged.append(f"{kind} {name}")
        return False

    @contextmanager
    def record_denied(self, finder: str) -> Iterator[None]:
        """Record in `unread` that the credentials may not list something; other errors are raised."""
        try:
            yield
        except ClientError as error:
            refusal = translate_client_error(error)
            if refusal.kind != "no-permission":
                raise
            self.unread.append(f"{finder}: {refusal.detail}")


def expiry(tags: dict[str, str]) -> datetime | None:
    """Parse the expiry tag; None if it is absent or invalid."""
    try:
        return datetime.strptime(tags.get(EXPIRY_TAG, ""), _EXPIRY_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def stage_of(name: str) -> str:
    """Return the stage in a name with our prefix, "" if there is none."""
    found = re.match(rf"{APP}-({names.STAGES.pattern})(?:-|$)", name)
    return found[1] if found else ""
