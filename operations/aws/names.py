"""Names and tags of all that is made on AWS: derived from what they stand for, so that a second try finds the first.

Every name begins with `verdict-<stage>-` and is within the service's 63 characters. The endpoint's is the one that the
app asks (`chalicelib.endpoint`).
"""

import hashlib
import json
import re
from datetime import datetime
from typing import Any

from chalicelib.errors import SentimentError
from chalicelib.release import release_id_of

LONGEST = 63
DEFAULT_STAGE = "dev"
STAGES = re.compile(r"[a-z][a-z0-9]{0,11}")
STAGE_TAG, RELEASE_TAG, EXPIRY_TAG, APP_TAG = "verdict:stage", "verdict:release", "verdict:expires", "verdict:app"
APP = "verdict"


class NameRefusedError(SentimentError):
    """A name that AWS would not take."""

    type = "name-refused"
    title = "This name cannot be used"


def checked_stage(stage: str) -> str:
    """Return a stage's name; raises `NameRefusedError` unless it is small letters and digits, twelve at most."""
    if not STAGES.fullmatch(stage):
        raise NameRefusedError(f"A stage cannot be named {stage!r}: use small letters and digits, twelve at most.")
    return stage


def digest(document: Any) -> str:
    """Return eight hexadecimal digits over a JSON document: the same content has the same name."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:8]


def prefix(stage: str) -> str:
    """Return what every name of a stage begins with."""
    return f"verdict-{checked_stage(stage)}-"


def endpoint(stage: str, fingerprint: str) -> str:
    """Name the endpoint for a vocabulary: `verdict-prod-86d44843754f`."""
    return f"{prefix(stage)}{fingerprint}"


def model(stage: str, fingerprint: str, model_sha256: str, made_of: Any) -> str:
    """Name a SageMaker model: the release, and a digest of image, role and archive."""
    return f"{prefix(stage)}{release_id_of(fingerprint, model_sha256)}-{digest(made_of)}"


def stage_of(name: str) -> str:
    """Return the stage in a name that this module derived: `verdict-prod-...` -> `prod`."""
    return name.split("-")[1] if name.count("-") else ""


def release_of_model(name: str) -> str:
    """Return the release that a model's name holds: `verdict-prod-<release>-<digest>`, "" for another name."""
    found = re.fullmatch(r"verdict-[a-z0-9]+-([0-9a-f]{12}-[0-9a-f]{8})-[0-9a-f]{8}", name)
    return found[1] if found else ""


def configuration(endpoint_name: str, content: Any) -> str:
    """Name an endpoint configuration by its content."""
    return f"{endpoint_name}-{digest(content)}"


def job(stage: str, purpose: str, made_of: Any, attempt: int = 1, room: int = 0) -> str:
    """Name a job by its purpose and what it works on; `room` leaves characters to names that the service derives."""
    again = f"-{attempt}" if attempt > 1 else ""
    end = f"-{digest(made_of)}{again}"
    begin = re.sub(r"[^a-z0-9]+", "-", f"{prefix(stage)}{purpose}".lower()).strip("-")
    return begin[: LONGEST - room - len(end)].rstrip("-") + end


def tags(stage: str, release: str = "", **more: str) -> list[dict[str, str]]:
    """Return the tags of something made for a stage, as most services take them; `expires="..."` adds one."""
    stated = {APP_TAG: APP, STAGE_TAG: stage} | ({RELEASE_TAG: release} if release else {})
    stated |= {f"verdict:{name.replace('_', '-')}": value for name, value in more.items() if value}
    return [{"Key": key, "Value": value} for key, value in stated.items()]


def tag_value(found: list[dict[str, str]], key: str) -> str:
    """Return the value of a tag in a service's answer, "" where it is absent."""
    return next((tag["Value"] for tag in found if tag["Key"] == key), "")


def utc_text(when: datetime) -> str:
    """Write a time as tags and records carry it: `2026-11-25T00:30:00Z`."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
