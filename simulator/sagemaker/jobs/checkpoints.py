"""Checkpoints of a training job in S3: `xgboost-checkpoint.N`, N the last round in it, the first being 0."""

import re
from collections.abc import Callable
from typing import Any

from simulator.container.trainer import Checkpoint
from simulator.sagemaker.jobs import stored

EVERY_ROUNDS = 5  # the container writes one a round; what of them reaches S3 depends on how fast they follow
KEPT = 5
_NAME = re.compile(r"xgboost-checkpoint\.(\d+)")


class Checkpoints:
    """The checkpoints below an address; without an address there are none, and none is kept."""

    def __init__(self, s3: Any, url: str | None) -> None:
        self._s3 = s3
        self._url = url

    def latest(self) -> Checkpoint | None:
        """Return the checkpoint to go on from, None when there is none."""
        found = self._found()
        if not found:
            return None
        last = max(found)
        return Checkpoint(last + 1, stored.read(self._s3, found[last].bucket, found[last].key))

    def save(self, rounds: int, model: Callable[[], bytes]) -> None:
        """Keep the model after every few rounds, and remove the oldest ones."""
        if not self._url or rounds % EVERY_ROUNDS:
            return
        stored.write(self._s3, stored.below(self._url, f"xgboost-checkpoint.{rounds - 1}"), model())
        found = self._found()
        for number in sorted(found)[:-KEPT]:
            stored.remove(self._s3, found[number])

    def _found(self) -> dict[int, stored.Stored]:
        """Return the checkpoints, by number."""
        if not self._url:
            return {}
        named = ((one, _NAME.fullmatch(one.path)) for one in stored.find(self._s3, self._url.rstrip("/") + "/"))
        return {int(name[1]): one for one, name in named if name}
