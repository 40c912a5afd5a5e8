"""A plain record of all that was made, changed and deleted on AWS: one JSON line each, written before the next step.

So a lost terminal loses nothing: `runs/aws/<account>-<region>.jsonl` names whatever exists because of these commands.
The record is for people and for `status`; what exists is always asked of AWS itself.
"""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from operations.aws.account import Account
from operations.aws.names import moment
from training.model.run_folder import RUNS_FOLDER

JOURNALS_FOLDER = RUNS_FOLDER / "aws"


class Journal:
    """Appends lines; each is on the disk when `write` returns."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self._clock = clock

    def write(self, action: str, kind: str, name: str, **facts: Any) -> None:
        """Record that something was `created`, `updated` or `deleted`: what kind of thing, its name."""
        line = {"time": moment(self._clock()), "action": action, "kind": kind, "name": name, **facts}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            file.write(self._end_of_cut_line(file) + json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    @staticmethod
    def _end_of_cut_line(file: IO[bytes]) -> bytes:
        """Return what ends a line that a crash cut off, so that it spoils only itself."""
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return b"" if file.read(1) in (b"", b"\n") else b"\n"

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield the lines, oldest first; one that a crash cut off is passed over."""
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def journal_of(account: Account, folder: Path = JOURNALS_FOLDER) -> Journal:
    """Open the record of an account and region."""
    return Journal(folder / f"{account.number}-{account.region}.jsonl")
