"""Step `releases`: every release that was deployed, its lineage and figures, and where it serves now."""

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib import release
from chalicelib.errors import ReleaseError
from operations.aws import names
from operations.inventory.stored_releases import Stored, figures


def lines(one: Stored, local: str) -> list[str]:
    """Return what is told of a release: its figures, its lineage, and where it serves; the packaged one is marked."""
    accuracy, log_loss = figures(one.facts)
    here = " (packaged here)" if one.release == local else ""
    stored = f"stored {names.moment(one.stored)}" if one.stored else "not in the bucket"
    told = [f"{one.release}{here}: {stored}"]
    if accuracy is not None and log_loss is not None:
        told.append(f"  official test: accuracy {accuracy:.1%}, log loss {log_loss:.4f}")
    if one.facts:
        data, image = one.facts.data_fingerprint[:12], one.facts.image
        told.append(f"  vocabulary {one.fingerprint}, data {data}, image {image}")
    else:
        told.append(f"  vocabulary {one.fingerprint}; {one.unread or 'a run, without facts'}")
    return [*told, *(f"  serves {place}" for place in one.deployed)]


def document(one: Stored, local: str) -> dict[str, Any]:
    """Return what JSON says of a release."""
    facts = one.facts
    return {
        "release": one.release,
        "packaged_here": one.release == local,
        "stored": names.moment(one.stored) if one.stored else None,
        "bytes": one.size,
        "vocabulary_fingerprint": one.fingerprint,
        "data_fingerprint": facts.data_fingerprint if facts else None,
        "model_sha256": facts.model_sha256 if facts else None,
        "image": facts.image if facts else None,
        "metrics": facts.metrics if facts else None,
        "unread": one.unread or None,
        "deployed": list(one.deployed),
    }


def local_release() -> str:
    """Name the packaged release, "" when there is none that can be read."""
    try:
        return release.load().release_id
    except ReleaseError:
        return ""


def show(found: Sequence[Stored], local: str, say: Callable[[str], None]) -> None:
    """Tell of all releases, and of the packaged one when it is not among them."""
    if not found:
        say("No release is stored yet: the first is by `verdict deploy`.")
    for line in (line for one in found for line in lines(one, local)):
        say(line)
    if local and local not in {one.release for one in found}:
        say(f"The packaged release {local} is not among them.")
