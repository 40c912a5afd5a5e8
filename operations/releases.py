"""The step `releases`: stored releases with their lineage and metrics, and where each is deployed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib import release
from chalicelib.errors import ReleaseError
from chalicelib.release import FACTS_NAME, ReleaseFacts, parse_facts
from operations.aws import bucket, names
from operations.aws.account import Account
from operations.aws.errors import if_there
from operations.aws.listing import list_all, tags_of
from operations.aws.names import RELEASE_TAG
from operations.endpoint.models import ARCHIVE_NAME
from operations.inventory.hosting_resources import endpoints
from operations.inventory.resources import Resource
from operations.inventory.search import Search

FOLDER = f"{bucket.PREFIX}/releases/"


@dataclass(frozen=True)
class StoredRelease:
    """A release in the bucket. It has no `facts` if a training run was deployed directly; `unread` is an error."""

    release: str
    stored: datetime | None
    size: int
    facts: ReleaseFacts | None = None
    unread: str = ""
    deployed: tuple[str, ...] = ()  # `stage: variant of endpoint`

    @property
    def fingerprint(self) -> str:
        """The vocabulary's fingerprint, with which the release's name begins."""
        return self.release.partition("-")[0]


def find_all(account: Account) -> list[StoredRelease]:
    """Return the stored releases, newest first, then those that are deployed but not stored in this bucket."""
    places = deployments(Search(account))
    stored = list(_stored(account, places)) if bucket.exists(account) else []
    not_stored = sorted(places.keys() - {found.release for found in stored})
    stored.sort(key=lambda found: (found.stored is not None, found.stored), reverse=True)
    return [*stored, *(StoredRelease(name, None, 0, deployed=tuple(places[name])) for name in not_stored)]


def _stored(account: Account, places: dict[str, list[str]]) -> Iterator[StoredRelease]:
    """Yield the releases in the bucket."""
    for name, objects in _objects_by_release(account).items():
        facts, unread = None, ""
        if FACTS_NAME in objects:
            try:
                facts = parse_facts(bucket.get_bytes(account, f"releases/{name}/{FACTS_NAME}").decode())
            except (ReleaseError, UnicodeDecodeError) as error:
                unread = str(error)
        elif ARCHIVE_NAME not in objects:
            unread = "incomplete: its archive is missing"
        stored = max(found["LastModified"] for found in objects.values())
        size = sum(found["Size"] for found in objects.values())
        yield StoredRelease(name, stored, size, facts, unread, tuple(places.get(name, ())))


def _objects_by_release(account: Account) -> dict[str, dict[str, Any]]:
    """Return release -> file name -> object."""
    objects: dict[str, dict[str, Any]] = {}
    bucket_name = bucket.bucket_name(account)
    for found in list_all(account, "s3", "list_objects_v2", "Contents", Bucket=bucket_name, Prefix=FOLDER):
        name, _, file_name = found["Key"].removeprefix(FOLDER).partition("/")
        objects.setdefault(name, {})[file_name] = found
    return objects


def deployments(search: Search) -> dict[str, list[str]]:
    """Return release -> the variants that serve it, from the archives of the endpoints' models."""
    places: dict[str, list[str]] = {}
    releases: dict[str, str] = {}  # model -> release
    for endpoint in endpoints(search):
        for variant in endpoint.variants:
            if variant.model not in releases:
                releases[variant.model] = _release_of(search, endpoint, variant.model)
            place = f"{endpoint.stage}: {variant.name} of {endpoint.name}"
            places.setdefault(releases[variant.model], []).append(place)
    return places


def _release_of(search: Search, endpoint: Resource, model: str) -> str:
    """Return the release of a model: from its archive's address, else its tag, else the endpoint's release."""
    described = if_there(search.account.client("sagemaker").describe_model, ModelName=model) if model else None
    if not described:
        return endpoint.release
    archive = str(described.get("PrimaryContainer", {}).get("ModelDataUrl", ""))
    _, found, path = archive.partition(f"/{FOLDER}")
    if found:
        return path.partition("/")[0]
    return (tags_of(search.account, described["ModelArn"]) or {}).get(RELEASE_TAG, endpoint.release)


def lines(found: StoredRelease, local: str) -> list[str]:
    """Return the lines about a release: metrics, lineage, and deployments; `local` is the packaged release."""
    test = found.facts.metrics.get("test", {}) if found.facts else {}
    accuracy, log_loss = test.get("accuracy"), test.get("log_loss")
    packaged = " (packaged here)" if found.release == local else ""
    stored = f"stored {names.utc_text(found.stored)}" if found.stored else "not in the bucket"
    result = [f"{found.release}{packaged}: {stored}"]
    if accuracy is not None and log_loss is not None:
        result.append(f"  official test: accuracy {accuracy:.1%}, log loss {log_loss:.4f}")
    if found.facts:
        data, image = found.facts.data_fingerprint[:12], found.facts.image
        result.append(f"  vocabulary {found.fingerprint}, data {data}, image {image}")
    else:
        result.append(f"  vocabulary {found.fingerprint}; {found.unread or 'a training run, without release facts'}")
    return [*result, *(f"  serves {place}" for place in found.deployed)]


def document(found: StoredRelease, local: str) -> dict[str, Any]:
    """Return a release as JSON data."""
    facts = found.facts
    return {
        "release": found.release,
        "packaged_here": found.release == local,
        "stored": names.utc_text(found.stored) if found.stored else None,
        "bytes": found.size,
        "vocabulary_fingerprint": found.fingerprint,
        "data_fingerprint": facts.data_fingerprint if facts else None,
        "model_sha256": facts.model_sha256 if facts else None,
        "image": facts.image if facts else None,
        "metrics": facts.metrics if facts else None,
        "unread": found.unread or None,
        "deployed": list(found.deployed),
    }


def local_release() -> str:
    """Return the packaged release's name, "" if it is absent or invalid."""
    try:
        return release.load().release_id
    except ReleaseError:
        return ""


def show(releases: Sequence[StoredRelease], local: str, say: Callable[[str], None]) -> None:
    """Print all releases, and whether the packaged release is missing from them."""
    if not releases:
        say("No release is stored yet. `verdict deploy` stores the first.")
    for line in (line for found in releases for line in lines(found, local)):
        say(line)
    if local and local not in {found.release for found in releases}:
        say(f"The packaged release {local} is not stored.")
