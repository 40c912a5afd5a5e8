"""A container's start: the model archive is downloaded, and each file in its root is loaded as a model."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.errors import ReleaseError
from simulator.container.serving import Container
from simulator.sagemaker import storage
from simulator.sagemaker.log_stream import LogStream

MODEL_FOLDER = "/opt/ml/model"


class LoadError(Exception):
    """The container cannot load its model; the message is what it logs."""


def start_container(s3: Any, url: str, image: str, log: LogStream, now: datetime) -> Container:
    """Start a container of an image with an archive and write its log; raises `ArchiveError` and `LoadError`."""
    files = storage.read_archive(s3, url)
    for line in _startup_lines(files, now):
        log.write(line)
    try:
        container = load(files, image)
        log_line(log, "INFO", "Model loaded successfully", now)
        return container
    except LoadError as error:
        log_line(log, "ERROR", str(error), now)
        raise
    finally:
        log.flush()


def log_line(log: LogStream, level: str, text: str, now: datetime) -> None:
    """Log a text as the container's server does; the lines of a longer text follow."""
    for line in f"[{now:%Y-%m-%d:%H:%M:%S}:{level}] {text}".splitlines():
        log.write(line)


def load(files: Mapping[str, bytes], image: str) -> Container:
    """Load the files of an archive's root as a container of the image does; raises `LoadError`."""
    tag = image.rpartition(":")[2]
    containers = [_load_file(name, content, tag) for name, content in sorted(files.items())]
    if not containers:
        raise LoadError(f"No model file is found in {MODEL_FOLDER}")
    if len(containers) > 1:
        raise LoadError("The simulator does not average several models: pack a single file.")
    return containers[0]


def _load_file(name: str, content: bytes, tag: str) -> Container:
    """Load one file. A truncated file is refused before xgboost sees it, which may read past its end."""
    try:
        if content.startswith(b"{") and not content.rstrip().endswith(b"}"):
            raise ReleaseError(f"The model is truncated after {len(content)} bytes.")
        return Container(content, tag)
    except ReleaseError as error:
        start = content[:1].decode("latin-1")
        raise LoadError(
            f"Model at {MODEL_FOLDER}/{name} cannot be loaded:\ninvalid load key, {start!r}.\n{error.detail}"
        ) from error


def _startup_lines(files: Mapping[str, bytes], now: datetime) -> list[str]:
    """Return what the server logs before its workers have loaded a model."""
    return [
        f"[{now:%Y-%m-%d %H:%M:%S} +0000] [17] [INFO] Starting gunicorn",
        f"[{now:%Y-%m-%d %H:%M:%S} +0000] [17] [INFO] Booting worker with pid: 22",
        *(f"[{now:%Y-%m-%d:%H:%M:%S}:INFO] Loading the model from {MODEL_FOLDER}/{name}" for name in sorted(files)),
    ]
