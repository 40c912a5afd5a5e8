"""A training job's checkpoints in S3: `xgboost-checkpoint.N`, where N is the last round in it, counted from 0."""

import re
from collections.abc import Callable
from typing import Any

from simulator.container.trainer import Checkpoint
from simulator.sagemaker import storage

ROUNDS_PER_CHECKPOINT = 5  # the container writes one per round; how many of them reach S3 depends on their pace
KEPT = 5
_NAME = re.compile(r"xgboost-checkpoint\.(\d+)")


class Checkpoints:
    """The checkpoints under an S3 URL; without a URL, checkpoints are neither found nor saved."""

    def __init__(self, s3: Any, url: str | None) -> None:
        self._s3 = s3
        self._url = url

    def latest(self) -> Checkpoint | None:
        """Return the latest checkpoint, None if there is none."""
        found = self._found()
        if not found:
            return None
        last = max(found)
        return Checkpoint(last + 1, storage.read(self._s3, found[last]))

    def save(self, rounds: int, model: Callable[[], bytes]) -> None:
        """Save the model after some of the rounds, and delete the oldest checkpoints."""
        if not self._url or rounds % ROUNDS_PER_CHECKPOINT:
            return
        storage.write(self._s3, storage.join_url(self._url, f"xgboost-checkpoint.{rounds - 1}"), model())
        found = self._found()
        for number in sorted(found)[:-KEPT]:
            self._s3.delete_object(Bucket=found[number].bucket, Key=found[number].key)

    def _found(self) -> dict[int, storage.StoredObject]:
        """Return the checkpoints by number."""
        if not self._url:
            return {}
        stored = storage.find_by_prefix(self._s3, self._url.rstrip("/") + "/")
        return {int(name[1]): checkpoint for checkpoint in stored if (name := _NAME.fullmatch(checkpoint.path))}
