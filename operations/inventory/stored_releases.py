"""The releases that the bucket keeps, what is known of each, and where each is deployed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.errors import ReleaseError
from chalicelib.release import FACTS_NAME, ReleaseFacts, parse_facts
from operations.aws import bucket
from operations.aws.account import Account
from operations.aws.errors import if_there
from operations.aws.names import RELEASE_TAG
from operations.endpoint.models import ARCHIVE_NAME
from operations.inventory import hosted
from operations.inventory.resources import Resource
from operations.inventory.search import Search

FOLDER = f"{bucket.PREFIX}/releases/"


@dataclass(frozen=True)
class Stored:
    """A release in the bucket; one without `facts` is a run that was deployed. `unread` says what is wrong."""

    release: str
    stored: datetime | None
    size: int
    facts: ReleaseFacts | None = None
    unread: str = ""
    deployed: tuple[str, ...] = ()  # `stage/variant of endpoint`

    @property
    def fingerprint(self) -> str:
        """The vocabulary's fingerprint, which the name begins with."""
        return self.release.partition("-")[0]


def all_of(account: Account) -> list[Stored]:
    """Return what is stored, the newest first; and what is deployed and not stored in this bucket."""
    places = deployments(Search(account))
    found = list(_stored(account, places)) if bucket.exists(account) else []
    strange = places.keys() - {one.release for one in found}
    found += [Stored(release, None, 0, deployed=tuple(places[release])) for release in sorted(strange)]
    return sorted(found, key=lambda one: (one.stored is not None, one.stored), reverse=True)


def _stored(account: Account, places: dict[str, list[str]]) -> Iterator[Stored]:
    """Yield the releases below `releases/`."""
    for release, objects in _folders(account).items():
        facts, unread = None, ""
        if FACTS_NAME in objects:
            try:
                facts = parse_facts(bucket.get_bytes(account, f"releases/{release}/{FACTS_NAME}").decode())
            except (ReleaseError, UnicodeDecodeError) as error:
                unread = str(error)
        elif ARCHIVE_NAME not in objects:
            unread = "its archive is missing: it was not stored to the end"
        when = max(one["LastModified"] for one in objects.values())
        size = sum(one["Size"] for one in objects.values())
        yield Stored(release, when, size, facts, unread, tuple(places.get(release, ())))


def _folders(account: Account) -> dict[str, dict[str, Any]]:
    """Return release -> name -> object."""
    pages = account.client("s3").get_paginator("list_objects_v2")
    found: dict[str, dict[str, Any]] = {}
    for page in pages.paginate(Bucket=bucket.bucket_name(account), Prefix=FOLDER):
        for one in page.get("Contents", ()):
            release, _, name = one["Key"].removeprefix(FOLDER).partition("/")
            found.setdefault(release, {})[name] = one
    return found


def deployments(search: Search) -> dict[str, list[str]]:
    """Return release -> where it serves, by the archives of the models behind the endpoints."""
    places: dict[str, list[str]] = {}
    releases: dict[str, str] = {}  # model -> release
    for endpoint in hosted.endpoints(search):
        for variant in endpoint.variants:
            if variant.model not in releases:
                releases[variant.model] = _release_of(search, endpoint, variant.model)
            place = f"{endpoint.stage}: {variant.name} of {endpoint.name}"
            places.setdefault(releases[variant.model], []).append(place)
    return places


def _release_of(search: Search, endpoint: Resource, model: str) -> str:
    """Return the release that a model serves: by its archive's address, else its tag, else the endpoint's."""
    described = if_there(search.account.client("sagemaker").describe_model, ModelName=model) if model else None
    if not described:
        return endpoint.release
    archive = str(described.get("PrimaryContainer", {}).get("ModelDataUrl", ""))
    _, there, after = archive.partition(f"/{FOLDER}")
    if there:
        return after.partition("/")[0]
    return (search.tags_of(described["ModelArn"]) or {}).get(RELEASE_TAG, endpoint.release)


def figures(facts: ReleaseFacts | None, names: Iterable[str] = ("accuracy", "log_loss")) -> list[float | None]:
    """Return figures of the official test; None for each that is not known."""
    test = facts.metrics.get("test", {}) if facts else {}
    return [test.get(name) for name in names]
