"""Step `releases`: every release that was deployed, its lineage and figures, and where it serves now."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import click

from chalicelib import release
from chalicelib.errors import ReleaseError
from training.aws import names
from training.aws.command import Aws, on_aws
from training.sagemaker.estate import registry, stored_releases
from training.sagemaker.estate.stored_releases import Stored, figures
from training.sagemaker.serving.candidate import packaged


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
        say("No release is stored yet: the first is by `python -m training deploy`.")
    for line in (line for one in found for line in lines(one, local)):
        say(line)
    if local and local not in {one.release for one in found}:
        say(f"The packaged release {local} is not among them.")


@on_aws("releases")
@click.option("--register", "group", default="", metavar="GROUP", help="Register the packaged release in this group.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(aws: Aws, group: str, as_json: bool) -> None:
    """List the releases in the bucket with their lineage, figures and where they serve; or register one."""
    if group:
        arn, is_new = registry.register(aws, group, packaged(), release.load().facts)
        aws.say(f"{'Registered' if is_new else 'Registered already'}: {arn}")
    found, local = stored_releases.all_of(aws.account), local_release()
    if as_json:
        click.echo(json.dumps([document(one, local) for one in found], indent=1))
    else:
        show(found, local, click.echo)
