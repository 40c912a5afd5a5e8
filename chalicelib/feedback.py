"""Feedback on verdicts: settings, receipts, and the DynamoDB table that keeps reviews with their corrections.

Off unless `VERDICT_FEEDBACK` names a table. A receipt is the answer that it belongs to, with an HMAC (RFC 2104,
SHA-256) over it: only verdicts that were given can be stored. Its key is in the table (see `receipt_key`). The SHA-256
of a receipt's content is the record's id, so that the same review with the same verdict is kept once. The function may
only write records: `operations.feedback` reads and deletes.
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
import os
import re
import time
from typing import Any, NamedTuple

from chalicelib.errors import BodyTooLargeError, FeedbackNotKeptError, InvalidReceiptError, MalformedBodyError
from chalicelib.sentiment import NEGATIVE, POSITIVE
from chalicelib.text import MAX_REVIEW_LENGTH, cut

MIXED = "mixed"
CORRECTIONS = (POSITIVE, NEGATIVE, MIXED)
FEEDBACK, SAMPLE = "feedback", "sample"  # the sources of a record
DEFAULT_DAYS = 90
DEFAULT_OPERATOR = "the operator of this site"
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 2.0, 4.0, 2  # of a write
MAX_RECEIPT_LENGTH = 2_000

PRIVACY_NOTICE = (
    "If you press a button, this site keeps the review, the verdict with its score, release and variant, your answer "
    "and the time, but no name, address or browser details. {operator} keeps them to check and improve the model. They "
    "expire after {days} days and are deleted within days of that; backups may hold them for 35 days more."
)
SAMPLING_NOTICE = (
    "This site keeps {share} of the reviews that it judges, chosen at random, with the verdict, its score, release and "
    "variant and the time, but no name, address or browser details. {operator} keeps them to check and improve the "
    "model. They expire after {days} days and are deleted within days of that; backups may hold them for 35 days more."
)
THANKS = "Your answer is kept until {until}. Thank you."

_LINE_BREAK = re.compile(r"\r\n|\r")
_THROTTLED = frozenset(
    ("ProvisionedThroughputExceededException", "ThrottlingException", "Throttling", "RequestLimitExceeded")
).union(("TooManyRequestsException", "LimitExceededException"))
MISSING_KEY = "MissingReceiptKey"  # the cause if a table has no key of receipts
_REFUSED = frozenset(("ResourceNotFoundException", "AccessDeniedException", "ValidationException", MISSING_KEY))


class Collection(NamedTuple):
    """How a deployment collects feedback: the table, and what people are informed of.

    `days` is the time until a record expires, and `share` (0..1) the part of all judged reviews that is stored without
    feedback.
    """

    table: str
    days: int = DEFAULT_DAYS
    share: float = 0.0
    operator: str = DEFAULT_OPERATOR

    @property
    def privacy_notice(self) -> str:
        """What the buttons keep, for how long, and who keeps it."""
        return PRIVACY_NOTICE.format(operator=_capitalized(self.operator), days=self.days)

    @property
    def sampling_notice(self) -> str:
        """What is kept of all reviews, "" if nothing is."""
        if not self.share:
            return ""
        return SAMPLING_NOTICE.format(
            share=f"{self.share * 100:g}%", operator=_capitalized(self.operator), days=self.days
        )

    def until(self, seconds: float) -> str:
        """Return the date on which a record of a time (seconds since 1970) expires: `2027-02-25`."""
        return time.strftime("%Y-%m-%d", time.gmtime(seconds + self.days * 86_400))


class Answer(NamedTuple):
    """A verdict that was given, as its receipt states it; `review` is the SHA-256 of the normalized review."""

    review: str
    verdict: str
    score: float
    release: str
    variant: str

    @property
    def content(self) -> bytes:
        """The receipt's content."""
        return json.dumps(list(self), separators=(",", ":")).encode()

    @property
    def id(self) -> str:
        """The id of the record: the SHA-256 of the receipt's content, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


def collection() -> Collection | None:
    """Read the settings from the environment; None if feedback is off."""
    table = os.environ.get("VERDICT_FEEDBACK", "")
    if not table:
        return None
    days = _number(os.environ.get("VERDICT_FEEDBACK_DAYS", ""))
    share = _number(os.environ.get("VERDICT_COLLECT_SHARE", ""))
    return Collection(
        table,
        days=int(days) if 1 <= days <= 3650 else DEFAULT_DAYS,
        share=share if 0 < share <= 1 else 0.0,
        operator=os.environ.get("VERDICT_FEEDBACK_OPERATOR") or DEFAULT_OPERATOR,
    )


def _number(text: str) -> float:
    """Parse a number; not a number (NaN) if the text is not one."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def normalized(review: str) -> str:
    """Return a review as a browser's form would return it: line breaks are `\\n`, and every character is valid."""
    text = _LINE_BREAK.sub("\n", review).replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text.encode("utf-8", errors="replace").decode("utf-8")


def answer(review: str, verdict: str, score: float, release: str, variant: str) -> Answer:
    """Return what was answered to a review, of which only the part that was read counts."""
    read = normalized(cut(review))
    return Answer(hashlib.sha256(read.encode()).hexdigest(), verdict, score, release, variant)


def write_receipt(given: Answer, key: bytes) -> str:
    """Return the receipt of an answer: its content and the HMAC of that, each in URL-safe base64."""
    signature = hmac.digest(key, given.content, "sha256")
    return f"{_encode(given.content)}.{_encode(signature)}"


def read_receipt(receipt: str, review: str, key: bytes) -> Answer:
    """Return the answer that a receipt belongs to; raises `InvalidReceiptError` if it is forged or of another review.

    Raises `BodyTooLargeError` if the review is longer than what was read.
    """
    text = normalized(review)
    if len(text) > MAX_REVIEW_LENGTH:
        raise BodyTooLargeError(
            f"The review has {len(text):,} characters. Send the first {MAX_REVIEW_LENGTH:,}, which were read."
        )
    content, _, signature = receipt[:MAX_RECEIPT_LENGTH].partition(".")
    raw = _decode(content)
    if not hmac.compare_digest(hmac.digest(key, raw, "sha256"), _decode(signature)):
        raise InvalidReceiptError("This receipt is not from this site, or no longer valid. Judge the review again.")
    given = Answer(*json.loads(raw))
    if given.review != hashlib.sha256(text.encode()).hexdigest():
        raise InvalidReceiptError("This receipt belongs to another review. Judge this one, and send its own receipt.")
    return given


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Decode URL-safe base64; empty if it is invalid."""
    try:
        return base64.b64decode(f"{text}{'=' * (-len(text) % 4)}", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def check_correction(correction: str) -> str:
    """Return a correction; raises `MalformedBodyError` unless it is one of `CORRECTIONS`."""
    if correction not in CORRECTIONS:
        choices = ", ".join(f'"{choice}"' for choice in CORRECTIONS)
        raise MalformedBodyError(f'"correction" is {correction[:40]!r}. Send one of {choices}.')
    return correction


def record(
    given: Answer, review: str, correction: str, source: str, days: int, now: float
) -> dict[str, dict[str, str]]:
    """Return the table's item; `now` is in seconds since 1970, and `correction` "" for a sample."""
    return {
        "id": {"S": given.id},
        "time": {"S": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))},
        "review": {"S": normalized(review)},
        "verdict": {"S": given.verdict},
        "score": {"N": repr(float(given.score))},
        "release": {"S": given.release},
        "variant": {"S": given.variant},
        "correction": {"S": correction},
        "source": {"S": source},
        "expires": {"N": str(int(now) + days * 86_400)},
    }


def connect(
    connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS, attempts: int = ATTEMPTS
) -> Any:
    """Create the DynamoDB client, with short timeouts; raises `FeedbackNotKeptError` without a region.

    boto3 is imported here, so that pages and verdicts do not wait for it.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    config = Config(
        connect_timeout=connect_seconds, read_timeout=read_seconds, retries={"total_max_attempts": attempts}
    )
    try:
        return boto3.Session().client("dynamodb", config=config)
    except (BotoCoreError, ValueError) as error:
        raise not_kept(type(error).__name__) from error


def put(client: Any, table: str, item: dict[str, dict[str, str]]) -> None:
    """Write an item; raises `FeedbackNotKeptError`.

    Feedback replaces an earlier correction of the same answer. A sample never replaces anything: an item that exists is
    left as it is.
    """
    from botocore.exceptions import ClientError

    is_sample = item["source"]["S"] == SAMPLE
    condition = {"ConditionExpression": "attribute_not_exists(id)"} if is_sample else {}
    try:
        client.put_item(TableName=table, Item=item, **condition)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if not (is_sample and code == "ConditionalCheckFailedException"):
            raise not_kept(code) from error
    except Exception as error:  # a malformed response raises any class of error in botocore's parsers
        raise not_kept(type(error).__name__) from error


def not_kept(cause: str) -> FeedbackNotKeptError:
    """Return the error for an AWS error code or the name of an exception's class."""
    if cause in _THROTTLED:
        detail, retry = "Too much feedback arrives right now. Wait a few seconds, then send it again.", 5
        return FeedbackNotKeptError(detail, cause, retry)
    if cause in _REFUSED:
        detail = "This site's table for feedback is missing or cannot be written to. The verdict is not affected."
        return FeedbackNotKeptError(detail, cause)
    return FeedbackNotKeptError("The table for feedback cannot be reached. Try again in a few seconds.", cause, 5)
