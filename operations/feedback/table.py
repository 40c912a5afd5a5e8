"""The DynamoDB table of feedback: creation, description, and reading and deletion of its records.

The app writes records (`chalicelib.feedback`), and reads the key of receipts, an item that is no record. A record that
has expired is never returned, even if DynamoDB has not deleted it yet, which it does within days.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.receipt_key import ATTRIBUTE, ITEM_ID
from operations.aws import names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, code_of, if_there, is_absent
from operations.aws.listing import tags_by_key
from operations.aws.names import APP, APP_TAG
from operations.aws.plan import Item
from operations.aws.prices import Price
from operations.aws.waiting import wait_for

PRICES = "https://aws.amazon.com/dynamodb/pricing/"
PRICE = Price(0.0, f"by use: writes, storage and backups, see {PRICES}")
EXPIRY = "expires"  # the attribute with the expiry time, in seconds since 1970
KEY = "id"
MAX_WRITE_UNITS = 100  # a second, of 1 KB each: limits what strangers can cost, at five of the longest reviews a second


@dataclass(frozen=True)
class FeedbackRecord:
    """A stored review with its verdict and correction; `correction` is "" for a sample.

    `time` is ISO 8601 in UTC, `score` the probability of positive (0..1), and `source` "feedback" or "sample".
    """

    id: str
    time: str
    review: str
    verdict: str
    score: float
    release: str
    variant: str
    correction: str
    source: str


COLUMNS = tuple(field.name for field in fields(FeedbackRecord))


@dataclass(frozen=True)
class TableState:
    """What DynamoDB reports of a table. `records` and `size_bytes` are updated about every six hours.

    `records` does not count the key of receipts, an item of every table that is in use.
    """

    arn: str
    status: str
    created: datetime
    records: int
    size_bytes: int
    tags: Mapping[str, str]

    @property
    def is_ours(self) -> bool:
        """Whether the table has our tag."""
        return self.tags.get(APP_TAG) == APP


def describe(account: Account, table_name: str) -> TableState | None:
    """Return the state of a table; None if it does not exist, or is being deleted."""
    client = account.client("dynamodb")
    found = if_there(client.describe_table, TableName=table_name)
    if not found or found["Table"]["TableStatus"] == "DELETING":
        return None
    table = found["Table"]
    tags = if_there(client.list_tags_of_resource, ResourceArn=table["TableArn"]) or {"Tags": []}
    return TableState(
        table["TableArn"],
        table["TableStatus"],
        table["CreationDateTime"],
        max(table.get("ItemCount", 0) - 1, 0),
        table.get("TableSizeBytes", 0),
        tags_by_key(tags["Tags"]),
    )


def missing_protections(account: Account, table_name: str) -> list[str]:
    """Return the names of the protections that an existing table lacks."""
    client = account.client("dynamodb")
    table = client.describe_table(TableName=table_name)["Table"]
    expiry = client.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    protections = {
        "encryption with a key of KMS": table.get("SSEDescription", {}).get("Status") in ("ENABLED", "ENABLING"),
        "point-in-time recovery": _has_recovery(client, table_name),
        "expiry": expiry["TimeToLiveStatus"] in ("ENABLED", "ENABLING"),
    }
    return [name for name, is_set in protections.items() if not is_set]


def _has_recovery(client: Any, table_name: str) -> bool:
    backups = client.describe_continuous_backups(TableName=table_name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    return bool(recovery == "ENABLED")


def planned(account: Account, stage: str) -> list[Item]:
    """Return what `ensure` would create; raises `AwsError` if the table exists without our tag."""
    name = names.feedback_table(stage)
    found = describe(account, name)
    if found is None:
        return [Item("feedback table, on demand, encrypted, with backups and expiry", name, PRICE)]
    _refuse_untagged(found, name)
    return []


def _refuse_untagged(found: TableState, name: str) -> None:
    if not found.is_ours:
        raise AwsError(
            f"Table {name} has no tag {APP_TAG}, so it may belong to another project. Use another --stage, or delete "
            "the table if it is yours and not needed."
        )


def ensure(aws: Aws, stage: str) -> str:
    """Create a stage's table if it does not exist, add the protections that it lacks, and return its name.

    Raises `AwsError` if the table exists without our tag.
    """
    client, name = aws.account.client("dynamodb"), names.feedback_table(stage)
    found = describe(aws.account, name)
    if found is None:
        client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            SSESpecification={"Enabled": True},
            OnDemandThroughput={"MaxWriteRequestUnits": MAX_WRITE_UNITS},
            Tags=names.tags(stage),
        )
    else:
        _refuse_untagged(found, name)
    _wait_until_active(aws, name, stage)
    lacking = missing_protections(aws.account, name)
    if "point-in-time recovery" in lacking:
        recovery = {"PointInTimeRecoveryEnabled": True}
        client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    if "expiry" in lacking:
        expiry = {"Enabled": True, "AttributeName": EXPIRY}
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    return name


def _wait_until_active(aws: Aws, name: str, stage: str) -> None:
    def look() -> str:
        found = describe(aws.account, name)
        return found.status if found else "ABSENT"

    resume = f"verdict feedback enable --stage {stage}"
    wait_for(
        look,
        lambda status: status == "ACTIVE",
        lambda status: f"table {name} is {status}",
        aws.console,
        resume,
        600,
        aws.pause,
    )


def delete(aws: Aws, table_name: str, stage: str) -> None:
    """Delete a table with its records, and wait until it no longer exists; raises `AwsError` without our tag."""
    found = describe(aws.account, table_name)
    if found:
        _refuse_untagged(found, table_name)
        if_there(aws.account.client("dynamodb").delete_table, TableName=table_name)
    describe_table = aws.account.client("dynamodb").describe_table
    wait_for(
        lambda: if_there(describe_table, TableName=table_name),
        lambda state: state is None,
        lambda _: f"table {table_name} is being deleted",
        aws.console,
        f"verdict teardown --stage {stage} --with feedback",
        600,
        aws.pause,
    )


def ensure_key(account: Account, table_name: str) -> None:
    """Store a new key of receipts in a table, unless it holds one, as receipts depend on it."""
    item = {KEY: {"S": ITEM_ID}, ATTRIBUTE: {"S": secrets.token_hex(32)}}
    try:
        account.client("dynamodb").put_item(
            TableName=table_name, Item=item, ConditionExpression=f"attribute_not_exists({KEY})"
        )
    except ClientError as error:
        if code_of(error) != "ConditionalCheckFailedException":
            raise


def has_key(account: Account, table_name: str) -> bool:
    """Return whether a table holds a key of receipts."""
    found = account.client("dynamodb").get_item(TableName=table_name, Key={KEY: {"S": ITEM_ID}})
    return ATTRIBUTE in found.get("Item", {})


def read_feedback(aws: Any, table_name: str, now: Callable[[], float] = time.time) -> Iterator[FeedbackRecord]:
    """Yield the records of a table, in no order; expired records are left out.

    `aws` is an `Aws`, an `Account`, a boto3 session or a DynamoDB client. Raises `AwsError` if the table does not
    exist.
    """
    pages = client_of(aws).get_paginator("scan").paginate(TableName=table_name, ConsistentRead=True)
    try:
        for page in pages:
            for item in page.get("Items", ()):
                if item[KEY]["S"] != ITEM_ID and float(item.get(EXPIRY, {"N": "inf"})["N"]) > now():
                    yield _record(item)
    except ClientError as error:
        raise _absent(table_name) if is_absent(error) else error from error


def _absent(table_name: str) -> AwsError:
    stage = names.stage_of(table_name)
    command = f"verdict feedback enable --stage {stage}"
    return AwsError(f"There is no table {table_name}: nothing was collected. Create it: {command}", "absent")


def client_of(aws: Any) -> Any:
    """Return the DynamoDB client of an `Aws`, an `Account` or a boto3 session; a client is returned as it is."""
    if hasattr(aws, "get_paginator"):
        return aws
    return getattr(aws, "account", aws).client("dynamodb")


def _record(item: Mapping[str, Mapping[str, str]]) -> FeedbackRecord:
    """Convert an item of the table."""
    texts = {name: item[name]["S"] for name in COLUMNS if name != "score"}
    return FeedbackRecord(score=float(item["score"]["N"]), **texts)


def delete_records(aws: Any, table_name: str, ids: Iterable[str]) -> int:
    """Delete records by id, and return how many there were; the key of receipts is none."""
    client, deleted = client_of(aws), 0
    for record_id in set(ids) - {ITEM_ID}:
        old = client.delete_item(TableName=table_name, Key={KEY: {"S": record_id}}, ReturnValues="ALL_OLD")
        deleted += bool(old.get("Attributes"))
    return deleted


def count_records(count: int) -> str:
    """Return a number of records in words: `1 record`, `2 records`."""
    return f"{count:,} record{'' if count == 1 else 's'}"
