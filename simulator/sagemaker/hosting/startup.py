"""A container starts: the archive comes from S3, every file in its root is loaded as a model, and the log tells."""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.errors import ReleaseError
from simulator.container.serving import Container
from simulator.sagemaker.hosting import archives

MODEL_FOLDER = "/opt/ml/model"
UNHEALTHY = (
    "The primary container for production variant {variant} did not pass the ping health check. Please check "
    "CloudWatch logs for this endpoint."
)
NO_CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using "
    "a different ML instance type or after some time."
)


class StartError(Exception):
    """A container does not come up; the message is the endpoint's `FailureReason`."""


class LoadError(Exception):
    """The container's server does not start; the message is what it logs."""


@dataclass(frozen=True)
class Place:
    """Where a variant runs: its endpoint and name, and the clients of the services it needs."""

    endpoint: str
    variant: str
    s3: Any
    logs: Any

    def start(self, url: str, now: datetime) -> Container:
        """Start a container on an archive; raises `StartError`, and logs what the container would."""
        try:
            files = archives.files_in_root(self.s3, url)
        except archives.ArchiveError as error:
            raise StartError(str(error)) from error
        try:
            container = load(files)
        except LoadError as error:
            self._log([*_beginning(files, now), *f"[{now:%Y-%m-%d:%H:%M:%S}:ERROR] {error}".splitlines()], now)
            raise StartError(UNHEALTHY.format(variant=self.variant)) from error
        self._log([*_beginning(files, now), f"[{now:%Y-%m-%d:%H:%M:%S}:INFO] Model loaded successfully"], now)
        return container

    def log_failure(self, line: str, now: datetime) -> None:
        """Log that a container failed for a reason of its own."""
        self._log([f"[{now:%Y-%m-%d:%H:%M:%S}:ERROR] {line}"], now)

    def _log(self, lines: list[str], now: datetime) -> None:
        group, stream = f"/aws/sagemaker/Endpoints/{self.endpoint}", f"{self.variant}/i-{uuid.uuid4().hex[:17]}"
        with suppress(self.logs.exceptions.ResourceAlreadyExistsException):
            self.logs.create_log_group(logGroupName=group)
        self.logs.create_log_stream(logGroupName=group, logStreamName=stream)
        moment = int(now.timestamp() * 1000)
        events = [{"timestamp": moment, "message": line or " "} for line in lines]
        self.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def load(files: Mapping[str, bytes]) -> Container:
    """Load the files of an archive's root as the container does; raises `LoadError`."""
    containers = [_load(name, content) for name, content in sorted(files.items())]
    if not containers:
        raise LoadError(f"No model file is found in {MODEL_FOLDER}")
    if len(containers) > 1:
        raise LoadError("The simulator does not average the models of several files: pack one.")
    return containers[0]


def _load(name: str, content: bytes) -> Container:
    """Load one file. One that is cut short is refused before xgboost, which may read past the end of it."""
    try:
        if content.startswith(b"{") and not content.rstrip().endswith(b"}"):
            raise ReleaseError(f"The model ends early, after {len(content)} bytes.")
        return Container(content)
    except ReleaseError as error:
        start = content[:1].decode("latin-1")
        raise LoadError(
            f"Model at {MODEL_FOLDER}/{name} cannot be loaded:\ninvalid load key, {start!r}.\n{error.detail}"
        ) from error


def _beginning(files: Mapping[str, bytes], now: datetime) -> list[str]:
    """Return what the server logs before its workers have loaded anything."""
    return [
        f"[{now:%Y-%m-%d %H:%M:%S} +0000] [17] [INFO] Starting gunicorn",
        f"[{now:%Y-%m-%d %H:%M:%S} +0000] [17] [INFO] Booting worker with pid: 22",
        *(f"[{now:%Y-%m-%d:%H:%M:%S}:INFO] Loading the model from {MODEL_FOLDER}/{name}" for name in sorted(files)),
    ]
