"""`upload`: the prepared channels copied to the bucket, where training jobs read them.

    channels/<digest>/all/train/train.libsvm                    all reviews, for the final model
    channels/<digest>/fold-3/{train,validation}/...             one fold
    channels/<digest>/all/train-of-4/part-000.libsvm, ...       the same lines in parts, for `ShardedByS3Key`
    channels/<digest>/all/train/part-00000, ...                 as Spark wrote them: these are such parts already
    channels/<digest>/prepared.json                             the facts about them, uploaded last

The digest is computed from the channels' content, so uploaded channels are found again, and never overwritten. Objects
that exist with the same content are not sent again.
"""

import hashlib
import json
import random
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from operations.aws import bucket
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.plan import MINOR_COST, Item
from operations.jobs.training_job import VOLUME_GB
from training.data.splits import FOLDS
from training.features.channels import (
    ALL,
    CHANNEL_FILES,
    CHANNELS_FOLDER,
    PREPARED_NAME,
    SPARK,
    PreparedChannels,
    channel_names,
    files_at,
    load_prepared,
    pair_of,
)
from training.progress import ProgressCallback, silent

PAIRS = (ALL, *(pair_of(fold) for fold in range(FOLDS)))
_DIGEST_DIGITS = 12


@dataclass(frozen=True)
class UploadedChannels:
    """Where the channels are in the bucket.

    `in_parts` is whether Spark wrote the train channels in enough parts, which then need no others. `sent` and `kept`
    are the names of the files that were uploaded and of those that existed.
    """

    prefix: str  # s3://.../channels/<digest>
    digest: str
    shards: int  # parts of the train channels, 1: they are not divided
    sent: tuple[str, ...]
    kept: tuple[str, ...]
    in_parts: bool = False
    volume_gb: int = VOLUME_GB  # of a job's instances

    def train(self, pair: str, sharded: bool = False) -> str:
        """Return the address of a pair's train channel (`all` or `fold-3`), or if `sharded`, of its parts."""
        folder = f"train-of-{self.shards}" if sharded and self.shards > 1 and not self.in_parts else "train"
        return f"{self.prefix}/{pair}/{folder}/"

    def validation(self, pair: str) -> str:
        """Return the address of a fold's validation channel."""
        return f"{self.prefix}/{pair}/validation/"


def digest_of(prepared: PreparedChannels) -> str:
    """Return a digest of the channels' content (12 hexadecimal digits)."""
    hashes = json.dumps(prepared.channel_sha256, sort_keys=True)
    return hashlib.sha256(hashes.encode()).hexdigest()[:_DIGEST_DIGITS]


def upload_channels(
    aws: Aws,
    channels: Path = CHANNELS_FOLDER,
    shards: int = 1,
    tick: ProgressCallback = silent,
    pairs: Sequence[str] = PAIRS,
) -> UploadedChannels:
    """Upload the channels of these pairs, and with `shards` above 1 their train channels in parts too.

    Creates the bucket if it does not exist. `tick` counts bytes. Raises `DataError` if a channel was changed.
    """
    prepared, _ = load_prepared(channels)
    digest = digest_of(prepared)
    bucket.ensure(aws)
    with tempfile.TemporaryDirectory() as scratch:
        files = {name: channels / name for name in _names(prepared, pairs)}
        in_parts = has_parts(prepared, shards)
        for pair in pairs if shards > 1 and not in_parts else ():
            files |= shard(files_at(channels / pair / CHANNEL_FILES["train"]), pair, shards, Path(scratch))
        files[PREPARED_NAME] = channels / PREPARED_NAME
        sent, kept = _send(aws, f"channels/{digest}", files, tick)
    return UploadedChannels(bucket.uri(aws.account, f"channels/{digest}"), digest, shards, sent, kept, in_parts)


def planned(account: Account, channels: Path, shards: int = 1, pairs: Sequence[str] = PAIRS) -> list[Item]:
    """Return what an upload will create: the bucket and the channels, those of them that do not exist."""
    bucket_exists = bucket.exists(account)
    items = [] if bucket_exists else [Item("bucket", bucket.bucket_name(account))]
    prepared, _ = load_prepared(channels)
    prefix = f"channels/{digest_of(prepared)}"
    names = _names(prepared, pairs)
    divided = pairs if shards > 1 and not has_parts(prepared, shards) else ()
    wanted = {*names, PREPARED_NAME, *(part for pair in divided for part in part_names(pair, shards))}
    keys = bucket.keys(account, f"{prefix}/") if bucket_exists else []
    if wanted - {key.removeprefix(f"{prefix}/") for key in keys}:
        megabytes = sum((channels / name).stat().st_size for name in names) / 1e6
        items.append(Item(f"channels, {megabytes:.0f} MB", bucket.uri(account, prefix), MINOR_COST))
    return items


def _names(prepared: PreparedChannels, pairs: Sequence[str]) -> list[str]:
    """Return the files of all channels of these pairs."""
    channels = [name for name in channel_names() if name.partition("/")[0] in pairs]
    return [name for channel in channels for name in prepared.files_of(channel)]


def has_parts(prepared: PreparedChannels, shards: int) -> bool:
    """Return whether the train channels were written in parts, by Spark, and in at least `shards`."""
    return prepared.engine == SPARK and len(prepared.files_of(f"{ALL}/{CHANNEL_FILES['train']}")) >= shards


def part_names(pair: str, shards: int) -> list[str]:
    """Return the names of the parts of a pair's train channel."""
    return [f"{pair}/train-of-{shards}/part-{number:03d}.libsvm" for number in range(shards)]


def shard(train: Sequence[Path], pair: str, shards: int, scratch: Path) -> dict[str, Path]:
    """Divide a train channel's lines into parts, in random rounds of one line per part; returns name -> file.

    In a fixed order, a part could get one label only, because labels and excerpts alternate in the channel. Every row
    has the constants of the first and the last column, so all parts have the same number of columns.
    """
    names, chance = part_names(pair, shards), random.Random(shards)
    (scratch / names[0]).parent.mkdir(parents=True)
    with ExitStack() as stack:
        lines = chain.from_iterable(stack.enter_context(path.open("rb")) for path in train)
        parts = [stack.enter_context((scratch / name).open("wb")) for name in names]
        order: list[IO[bytes]] = []
        for line in lines:
            order = order or sorted(parts, key=lambda _: chance.random())
            order.pop().write(line)
    return {name: scratch / name for name in names}


def _send(
    aws: Aws, prefix: str, files: dict[str, Path], tick: ProgressCallback
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Upload files below a prefix; returns the names of those that were uploaded, and of those that existed."""
    sizes = {name: path.stat().st_size for name, path in files.items()}
    before, total = 0, sum(sizes.values())
    sent: list[str] = []
    for name, path in files.items():

        def count(done: int, _size: int, _seen: str = "", name: str = name, before: int = before) -> None:
            tick(before + done, total, f"{name}, {(before + done) / 1e6:.0f} of {total / 1e6:.0f} MB")

        if bucket.put_file(aws.account, f"{prefix}/{name}", path, count):
            sent.append(name)
        before += sizes[name]
        tick(before, total, name)
    return tuple(sent), tuple(name for name in files if name not in sent)
