"""Names and tags of AWS resources, derived from their content, so a repeated command finds existing resources.

Every name starts with `verdict-<stage>-` and has at most 63 characters. The app derives the same endpoint name
(`chalicelib.endpoint`).
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
RUN_TAG = "verdict:run"  # of jobs: the name of the run that started them
MODEL_TAG = "verdict:made-model"  # of transform jobs: the model that was created for one, and is deleted with it
APP = "verdict"


class NameRefusedError(SentimentError):
    """A name that AWS does not accept."""

    type = "name-refused"
    title = "This name cannot be used"


def checked_stage(stage: str) -> str:
    """Return a stage's name; raises `NameRefusedError` unless it has at most 12 lowercase letters and digits."""
    if not STAGES.fullmatch(stage):
        raise NameRefusedError(f"A stage cannot be named {stage!r}: use at most 12 lowercase letters and digits.")
    return stage


def is_tagged(tags: dict[str, str] | None) -> bool:
    """Return whether tags mark a resource as this project's."""
    return (tags or {}).get(APP_TAG) == APP


def digest(document: Any) -> str:
    """Return the first eight hexadecimal digits of a JSON document's hash."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:8]


def prefix(stage: str) -> str:
    """Return the prefix of a stage's names."""
    return f"verdict-{checked_stage(stage)}-"


def endpoint(stage: str, fingerprint: str) -> str:
    """Return the name of an encoder's endpoint: `verdict-prod-86d44843754f`."""
    return f"{prefix(stage)}{fingerprint}"


def model(stage: str, fingerprint: str, model_sha256: str, content: Any) -> str:
    """Return the name of a SageMaker model: its release, and a digest of image, role and archive."""
    return f"{prefix(stage)}{release_id_of(fingerprint, model_sha256)}-{digest(content)}"


def feedback_table(stage: str) -> str:
    """Return the name of a stage's table of feedback: `verdict-prod-feedback`."""
    return f"{prefix(stage)}feedback"


def stage_of(name: str) -> str:
    """Return the stage of a resource name: `verdict-prod-...` -> `prod`."""
    return name.split("-")[1] if name.count("-") else ""


def release_of_model(name: str) -> str:
    """Return the release ID in a model name `verdict-prod-<release>-<digest>`, "" for any other name."""
    found = re.fullmatch(r"verdict-[a-z0-9]+-([0-9a-f]{12}-[0-9a-f]{8})-[0-9a-f]{8}", name)
    return found[1] if found else ""


def configuration(endpoint_name: str, content: Any) -> str:
    """Return the name of an endpoint configuration."""
    return f"{endpoint_name}-{digest(content)}"


def job(stage: str, purpose: str, content: Any, attempt: int = 1, room: int = 0) -> str:
    """Return a job's name; `room` is the number of characters reserved for names that the service derives."""
    number = f"-{attempt}" if attempt > 1 else ""
    end = f"-{digest(content)}{number}"
    start = re.sub(r"[^a-z0-9]+", "-", f"{prefix(stage)}{purpose}".lower()).strip("-")
    return start[: LONGEST - room - len(end)].rstrip("-") + end


def tags(stage: str, release: str = "", **more: str) -> list[dict[str, str]]:
    """Return the tags of a stage's resource in the form of most services; `expires="..."` adds a tag."""
    values = {APP_TAG: APP, STAGE_TAG: stage} | ({RELEASE_TAG: release} if release else {})
    values |= {f"verdict:{name.replace('_', '-')}": value for name, value in more.items() if value}
    return [{"Key": key, "Value": value} for key, value in values.items()]


def tag_value(found: list[dict[str, str]], key: str) -> str:
    """Return the value of a tag in a service's response, "" if it is absent."""
    return next((tag["Value"] for tag in found if tag["Key"] == key), "")


def utc_text(when: datetime) -> str:
    """Return a UTC time as text, as in tags: `2026-11-25T00:30:00Z`."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
