"""The key of receipts, an item of the table of feedback.

It is no variable of the function: `chalice deploy` replaces all variables by those in `.chalice/config.json`, which
belongs in version control and holds no secret. The table keeps the key across deployments; the function may read that
item and no other.
"""

import time
from collections.abc import Callable
from typing import Any

from chalicelib import feedback
from chalicelib.errors import FeedbackNotKeptError
from chalicelib.feedback import MISSING_KEY, Collection, not_kept
from chalicelib.log import write_line

ITEM_ID = "receipt-key"  # no record has this id: theirs have 64 hexadecimal digits
ATTRIBUTE = "key"
MIN_LENGTH = 32  # characters; `verdict feedback enable` writes 64 hexadecimal digits
CONNECT_SECONDS, READ_SECONDS = 0.5, 1.0  # of the one attempt, which a verdict waits for
RETRY_SECONDS = 60.0  # until a failed read is repeated


def connect() -> Any:
    """Create a DynamoDB client that gives up soon; raises `FeedbackNotKeptError` without a region."""
    return feedback.connect(CONNECT_SECONDS, READ_SECONDS, attempts=1)


class StoredKeys:
    """The keys that tables hold, each read once; a failed read is a line in the log. `now` returns seconds."""

    def __init__(self, connect: Callable[[], Any] = connect, now: Callable[[], float] = time.monotonic) -> None:
        self._connect = connect
        self._now = now
        self._found: dict[str, bytes] = {}
        self._failed: dict[str, tuple[float, FeedbackNotKeptError]] = {}

    def read(self, table: str) -> bytes:
        """Return a table's key; raises `FeedbackNotKeptError`, for `RETRY_SECONDS` without another attempt."""
        if table in self._found:
            return self._found[table]
        failed_at, error = self._failed.get(table, (0.0, None))
        if error and self._now() < failed_at + RETRY_SECONDS:
            raise error
        try:
            self._found[table] = _read(self._connect(), table)
        except FeedbackNotKeptError as failure:
            self._failed[table] = self._now(), failure
            write_line({"receipt_key_failures": 1, "cause": failure.cause})
            raise
        return self._found[table]


def _read(client: Any, table: str) -> bytes:
    """Read the key of a table; raises `FeedbackNotKeptError`."""
    from botocore.exceptions import ClientError

    try:
        item = client.get_item(TableName=table, Key={"id": {"S": ITEM_ID}}, ConsistentRead=True).get("Item", {})
    except ClientError as error:
        raise not_kept(str(error.response.get("Error", {}).get("Code", ""))) from error
    except Exception as error:  # a malformed response raises any class of error in botocore's parsers
        raise not_kept(type(error).__name__) from error
    key = str(item.get(ATTRIBUTE, {}).get("S", ""))
    if len(key) < MIN_LENGTH:
        raise not_kept(MISSING_KEY)
    return key.encode()


stored_keys = StoredKeys()


def require(collection: Collection) -> bytes:
    """Return the key of receipts; raises `FeedbackNotKeptError` if it cannot be read."""
    return stored_keys.read(collection.table)


def find(collection: Collection | None) -> bytes:
    """Return the key of receipts, empty if feedback is off or the key cannot be read: verdicts do without."""
    try:
        return require(collection) if collection else b""
    except FeedbackNotKeptError:
        return b""
